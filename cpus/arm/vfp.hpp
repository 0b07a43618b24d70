#pragma once
// VFP9-S: VFPv2 arithmetic (DDI 0100I part C; DDI 0238).  Registers are passed and kept as bits.
//
// Results and all six cumulative flags are exact, in every rounding mode, with flush-to-zero and default NaN.
// Exceptions are never trapped: the trap enable bits of FPSCR read as zero, as the reference emulator has them (the
// real core bounces such operations, and underflows, to support code, which then delivers these same results).
//
// The host's SSE unit computes.  FPSCR in CpuState is always complete after these functions; they expect the host
// to round to nearest when FPSCR does, and leave MXCSR's control bits as they found them.  Thread: vCPU.

#include "cpus/arm/state.hpp"

namespace arm {

// FPSCR (DDI 0100I §C2.8.2)
inline constexpr u32 fpscr_nzcv = 0xfu << 28, fpscr_dn = 1u << 25, fpscr_fz = 1u << 24, fpscr_rmode = 3u << 22,
                     fpscr_stride = 3u << 20, fpscr_len = 7u << 16, fpscr_idc = 1u << 7, fpscr_ixc = 1u << 4,
                     fpscr_ufc = 1u << 3, fpscr_ofc = 1u << 2, fpscr_dzc = 1u << 1, fpscr_ioc = 1u << 0;
inline constexpr u32 fpscr_writable = fpscr_nzcv | fpscr_dn | fpscr_fz | fpscr_rmode | fpscr_stride | fpscr_len |
                                      fpscr_idc | fpscr_ixc | fpscr_ufc | fpscr_ofc | fpscr_dzc | fpscr_ioc;
inline constexpr u32 fpexc_en = 1u << 30;

// Numbers of FMRX and FMXR.
enum VfpSystem : u32 { vfp_fpsid = 0, vfp_fpscr = 1, vfp_fpexc = 8, vfp_fpinst = 9, vfp_fpinst2 = 10 };

inline bool vfp_enabled(const CpuState& s) { return (s.vfp.fpexc & fpexc_en) != 0; }

// The cumulative flags a host MXCSR holds, in FPSCR's places (not IDC, which MXCSR has no equal of).
constexpr u32 fpscr_flags_of_mxcsr(u32 mxcsr) { return (mxcsr & 1) | (mxcsr >> 1 & 0x1e); }

// Recomputes fp_fast, which lets translated code compute by itself: round to nearest, no flushing, no vectors, and IXC
// set already, so that an ordinary result raises no flag that is not there.  After every change of FPSCR.
inline void vfp_settle(CpuState& s) {
  s.fp_fast = (s.vfp.fpscr & (fpscr_rmode | fpscr_fz | fpscr_len | fpscr_stride | fpscr_ixc)) == fpscr_ixc;
}

inline u32 read_fpscr(const CpuState& s) { return s.vfp.fpscr | s.vfp.nzcv; }
inline void write_fpscr(CpuState& s, u32 value) {
  s.vfp.fpscr = value & fpscr_writable & ~fpscr_nzcv;
  s.vfp.nzcv = value & fpscr_nzcv;
  vfp_settle(s);
}

// Any CDP of coprocessors 10 and 11 that vfp.isa defines: FMAC … FCVT, with short vectors.  VFP is enabled.
void vfp_data_processing(CpuState& s, u32 insn) noexcept;

// FMRX and FMXR.  False: Undefined (no such register, mode or EN; table 20-4 of DDI 0301H for the same VFPv2).
u32 vfp_read_system(CpuState& s, u32 reg, bool& ok) noexcept;
bool vfp_write_system(CpuState& s, u32 reg, u32 value) noexcept;

// Single operations, with the modes and flags of FPSCR.  Multiply-accumulate is a multiplication, then an addition.
u32 vfp_add32(CpuState& s, u32 a, u32 b) noexcept;
u32 vfp_sub32(CpuState& s, u32 a, u32 b) noexcept;
u32 vfp_mul32(CpuState& s, u32 a, u32 b) noexcept;
u32 vfp_div32(CpuState& s, u32 a, u32 b) noexcept;
u32 vfp_sqrt32(CpuState& s, u32 a) noexcept;
u64 vfp_add64(CpuState& s, u64 a, u64 b) noexcept;
u64 vfp_sub64(CpuState& s, u64 a, u64 b) noexcept;
u64 vfp_mul64(CpuState& s, u64 a, u64 b) noexcept;
u64 vfp_div64(CpuState& s, u64 a, u64 b) noexcept;
u64 vfp_sqrt64(CpuState& s, u64 a) noexcept;

// Sets FPSCR N Z C V.  `signalling`: FCMPE, where a quiet NaN is invalid too.
void vfp_compare32(CpuState& s, u32 a, u32 b, bool signalling) noexcept;
void vfp_compare64(CpuState& s, u64 a, u64 b, bool signalling) noexcept;

u64 vfp_widen(CpuState& s, u32 a) noexcept;   // FCVTDS
u32 vfp_narrow(CpuState& s, u64 a) noexcept;  // FCVTSD

// To integers, saturating.  `truncate`: the Z forms; otherwise FPSCR rounds.
u32 vfp_to_s32_from32(CpuState& s, u32 a, bool truncate) noexcept;
u32 vfp_to_u32_from32(CpuState& s, u32 a, bool truncate) noexcept;
u32 vfp_to_s32_from64(CpuState& s, u64 a, bool truncate) noexcept;
u32 vfp_to_u32_from64(CpuState& s, u64 a, bool truncate) noexcept;
u32 vfp_from_s32_to32(CpuState& s, u32 a) noexcept;
u32 vfp_from_u32_to32(CpuState& s, u32 a) noexcept;
u64 vfp_from_s32_to64(CpuState& s, u32 a) noexcept;  // exact
u64 vfp_from_u32_to64(CpuState& s, u32 a) noexcept;  // exact
}  // namespace arm
