#pragma once
// Coprocessor 1 of MIPS32 Release 2 with 64-bit registers (MD00082 volume I chapter 5, MD00086 volume II): formats S,
// D, W and L.  Registers are passed and kept as bits.
//
// Results, the Cause bits of every operation and the sticky Flags are exact in all rounding modes.  Denormal operands
// and results are computed, so Unimplemented Operation is never raised but by software (CTC1); the 24Kf leaves such
// operations to the operating system, whose emulation gives these same results.
//
// NaN have the encoding before IEEE 754-2008: the top bit of the fraction is set in signalling ones.  An operation with
// a signalling operand is invalid and gives the default NaN; else the result is the first NaN operand (§5.8.1.2 leaves
// the choice open).  Tininess is found after rounding, and loss of accuracy is an inexact result (§5.8.1.4). FCSR.FS
// replaces denormal operands by zeros, and tiny results by zero or, where the rounding mode leads away from zero, by
// the least normal number; FO and FN of the 24K do not exist here.

#include "cpus/mips/state.hpp"

namespace mips {

// FCSR (volume I, §5.6.5).  Cause, Enables and Flags hold I U O Z V from the low bit up; Cause has E above V.
inline constexpr u32 fcsr_fs = 1u << 24, fcsr_cause = 0x3fu << 12, fcsr_enables = 0x1fu << 7, fcsr_flags = 0x1fu << 2,
                     fcsr_rm = 3, fcsr_fcc = 0xfe80'0000;
enum FpCause : u32 {
  fp_inexact = 1,
  fp_underflow = 2,
  fp_overflow = 4,
  fp_zero_divide = 8,
  fp_invalid = 16,
  fp_unimplemented = 32
};

// Control registers of CFC1 and CTC1.
enum FpControl : u32 { fp_fir = 0, fp_fccr = 25, fp_fexr = 26, fp_fenr = 28, fp_fcsr = 31 };

// What an operation gives: a value of its result's format, or the truth of a comparison; and the Cause bits.
struct FpResult {
  u64 value;
  u32 cause;
};

// The arithmetic of one COP1 or COP1X instruction word under FCSR's RM, FS and Enables.  a: fs, b: ft, c: fr.
FpResult fp_compute(u32 insn, u32 fcsr, u64 a, u64 b, u64 c) noexcept;

// FCSR as software sees it.  Translated code computes by itself what cannot change Enables, Flags or RM (fp_fast), and
// leaves behind what it computed last; the Cause bits are worked out here.
u32 fp_read_fcsr(const CpuState& s) noexcept;
void fp_write_fcsr(CpuState& s, u32 value) noexcept;

// The helper of all arithmetic: reads and writes registers, raises FPE.  Returns outcome_leave when it did.
u64 fp_operate(CpuState* s, u32 insn, u32, u32) noexcept;

// CFC1 and CTC1.  A Cause bit written together with its Enable, or E, raises FPE: then outcome_leave is returned.
u64 fp_read_control(CpuState* s, u32 number, u32, u32) noexcept;
u64 fp_write_control(CpuState* s, u32 number, u32 value, u32) noexcept;

// Recomputes fp_fast: round to nearest, no flushing, no traps, and I set already, so that an ordinary result raises no
// flag that is not there.  After every change of CpuState::fcsr.
inline void fp_settle(CpuState& s) {
  constexpr u32 flag_i = fp_inexact << 2;
  s.fp_fast = (s.fcsr & (fcsr_rm | fcsr_fs | fcsr_enables | flag_i)) == flag_i;
}
}  // namespace mips
