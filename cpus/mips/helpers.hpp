#pragma once
// What translated code calls instead of spelling it out: the helper table of the front end.

#include "accel/tcg/ir.hpp"

namespace mips {
using namespace core;

// Index into helpers().  Arguments in the order of the call; all but helper_dsp_compute see and change the CPU state.
// Those from helper_system on may end the instruction and leave the block (finish() in helpers.cpp), so in a delay slot
// they run apart from the branch.
enum HelperIndex : unsigned {
  helper_exception,     // ExcCode, coprocessor: leaves
  helper_check_cp0,     // CpU unless CP0 may be used
  helper_rdhwr,         // number → value
  helper_mfc0,          // cp0_register() → value
  helper_tlbp,
  helper_watch_store,   // address of an SC that does not store
  helper_fp,            // instruction word: arithmetic of fpu.isa
  helper_fp_control_read,   // number → value (CFC1)
  helper_fp_control_write,  // number, value (CTC1)
  helper_fpu_mode,          // the FPU is off: CpU; or FR is not the block's: begins again with another block
  helper_dsp,               // dsp_operation(), operands → value: arithmetic of dsp.isa
  helper_dsp_compute,       // … of what the state has no part in: sees the operands only
  helper_system,
  helper_mtc0 = helper_system,  // cp0_register(), value
  helper_di,            // number of the register for the old Status
  helper_ei,
  helper_tlbr,
  helper_tlbwi,
  helper_tlbwr,
  helper_eret,
  helper_deret,
  helper_wait,
  helper_debug_break,   // code: SDBBP
  helper_count
};

// A CP0 register as one argument.
constexpr u32 cp0_register(u32 number, u32 select) { return number << 3 | select; }

std::span<const tcg::Helper> helpers();
}  // namespace mips
