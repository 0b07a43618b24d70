#pragma once
// What translated code calls instead of spelling it out: the helper table of the front end.

#include "accel/tcg/ir.hpp"

namespace arm {
using namespace core;

// Index into helpers().  Arguments in the order of the call; (s) sees and changes the CPU state.
enum HelperIndex : unsigned {
  helper_shift_carry,       // carry out of a register-specified shift: value, amount | type << 8, C
  helper_undefined,         // (s) undefined instruction exception
  helper_swi,               // (s) comment field
  helper_bkpt,              // (s) prefetch abort with the debug status
  helper_exception_return,  // (s) new pc; SPSR becomes the CPSR
  helper_write_cpsr,        // (s) value, mask of the bits to change
  helper_read_user,         // (s) register number 8…14 → its user mode value
  helper_write_user,        // (s) register number 8…14, value
  helper_cp15_read,         // (s) coprocessor_register()
  helper_cp15_write,        // (s) coprocessor_register(), value
  helper_cp14_read,         // (s) likewise
  helper_cp14_write,        // (s)
  helper_vfp_data,          // (s) instruction word
  helper_vfp_read,          // (s) system register
  helper_vfp_write,         // (s) system register, value
  helper_count
};

// A coprocessor register as one argument.
constexpr u32 coprocessor_register(u32 opc1, u32 crn, u32 crm, u32 opc2) {
  return opc1 << 12 | crn << 8 | crm << 4 | opc2;
}

std::span<const tcg::Helper> helpers();
}  // namespace arm
