#pragma once
// The ARM926EJ-S core as a part on a board.  DDI 0198E; see state.hpp for what it shares with the engine.
// Pins: in 0 nIRQ, in 1 nFIQ (true = asserted).  Thread: vCPU.

#include "cpus/arm/mmu.hpp"
#include "cpus/arm/state.hpp"

namespace arm {
template <class Machine>
struct Arm926 {
  static constexpr std::string_view kind = "arm926";
  static constexpr core::Ports ports{.window = 0, .inputs = 2};
  Machine& m;
  CpuState* state = nullptr;

  // For the slow paths of accel/board_port.hpp.
  static Resolved resolve(accel::VcpuHeader& c, u32 va, unsigned size, bool store, bool user, bool plain) noexcept {
    return resolve_data(static_cast<CpuState&>(c), va, size, store, user, plain);
  }

  // An asserted line ends a wait for interrupt even when it is masked (DDI 0198E §2.3.7).
  void set_line(unsigned n, bool on) noexcept {
    if (!state || n >= ports.inputs) return;
    const u32 bit = 1u << n;
    state->irq_lines = on ? state->irq_lines | bit : state->irq_lines & ~bit;
    if (on) state->halted = 0;
    update_interrupt_request(*state);
  }
};
}  // namespace arm
