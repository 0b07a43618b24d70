#pragma once
// System control coprocessor (CP15) of the ARM926EJ-S, DDI 0198E chapter 2, and what is left of CP14.
//
// Every function returns false when the access is Undefined: user mode, or no such register.
// Thread: vCPU.  The caller has advanced nothing: s.pc is the MCR or MRC itself.

#include "cpus/arm/state.hpp"

namespace arm {

bool cp15_read(CpuState& s, u32 opc1, u32 crn, u32 crm, u32 opc2, u32& value) noexcept;
// May set s.halted (wait for interrupt) and may change every translation; translated code leaves to the run loop
// after it when `cp15_write_ends_block` says so.
bool cp15_write(CpuState& s, u32 opc1, u32 crn, u32 crm, u32 opc2, u32 value) noexcept;

// Writes after which the next instruction may come from elsewhere, or not yet: control register, domains, tables,
// TLB maintenance, PID, wait for interrupt.
constexpr bool cp15_write_ends_block(u32 crn, u32 crm, u32 opc2) {
  return crn == 1 || crn == 2 || crn == 3 || crn == 8 || crn == 13 || (crn == 7 && crm == 0 && opc2 == 4);
}

// Writes that do nothing here, in privileged code: there are no caches, and stores already drop the code translated from
// what they change, so that "invalidate I", where modified code must become visible, has nothing left to do.
constexpr bool is_cache_operation(u32 opc1, u32 crn, u32 crm, u32 opc2) {
  return opc1 == 0 && crn == 7 && !(crm == 0 && opc2 == 4);
}

bool cp14_read(CpuState& s, u32 opc1, u32 crn, u32 crm, u32 opc2, u32& value) noexcept;
bool cp14_write(CpuState& s, u32 opc1, u32 crn, u32 crm, u32 opc2, u32 value) noexcept;
}  // namespace arm
