#pragma once
// Coprocessor 0: registers, Count and Compare.  MD00090 chapter 9; MD00343 chapter 5 for what a 24K has of it.
// Thread: vCPU.

#include "cpus/mips/state.hpp"

namespace mips {
inline constexpr u32 int_ctl_vs = 31u << 5;
inline constexpr u32 debug_dm = 1u << 30;

// A register of `number << 3 | select`; those that do not exist read as 0 and ignore writes.
u32 cp0_read(CpuState& s, u32 which) noexcept;
void cp0_write(CpuState& s, u32 which, u32 v) noexcept;

// Cause as MFC0 reads it.
u32 read_cause(const CpuState& s);
u32 read_count(const CpuState& s);
// Count reached Compare.
void timer_expired(CpuState& s) noexcept;

// Hardware registers of a higher number are reserved: 29, UserLocal, is none of Config3 here.
inline constexpr u32 last_hardware_register = 3;
// RDHWR; false: reserved.
bool read_hardware_register(CpuState& s, u32 number, u32& v) noexcept;

void reset_cp0(CpuState& s) noexcept;
}  // namespace mips
