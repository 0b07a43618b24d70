#pragma once
// What instructions of dsp.isa compute where the intermediate code does not spell it out.  MD00374 chapter 6,
// instruction by instruction.

#include "cpus/mips/state.hpp"

namespace mips {
// DSPControl of a 32-bit CPU (MD00374 §3.10)
inline constexpr u32 dsp_pos = 0x3f, dsp_scount = 0x3fu << 7, dsp_c = 1u << 13, dsp_efi = 1u << 14,
                     dsp_ouflag = 0xffu << 16, dsp_ccond = 0xfu << 24;
// The bits that a mask of RDDSP and WRDSP selects; bits 6 to 9 of it are ignored.
constexpr u32 dsp_fields(u32 mask) {
  constexpr u32 fields[] = {dsp_pos, dsp_scount, dsp_c, dsp_ouflag, dsp_ccond, dsp_efi};
  u32 bits = 0;
  for (unsigned n = 0; n < 6; ++n) bits |= mask >> n & 1 ? fields[n] : 0;
  return bits;
}
inline constexpr u32 dsp_all_fields = dsp_fields(0x3f);

// An instruction, as a number of dsp::Op, and its accumulator as one argument.
constexpr u32 dsp_operation(u32 op, u32 ac) { return op | ac << 8; }

// Instructions that use accumulators or DSPControl: their result.  The forms whose shift amount or size is in a
// register are those of the others; the amount is b, the size of a field that EXTP and its kin extract a.
u64 dsp_operate(CpuState* s, u32 operation, u32 a, u32 b) noexcept;
// The others.
u64 dsp_compute(u32 op, u32 a, u32 b) noexcept;
}  // namespace mips
