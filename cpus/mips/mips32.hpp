#pragma once
// A MIPS32 core as a part on a board.  `Facts` is what the page says about it: big_endian, model, clock_hz, first_timer.
// Pins: in 0 to 5: hardware interrupts, Cause.IP2 to IP7 (true = asserted).  Timer 0: Count and Compare.  Thread: vCPU.

#include "cpus/mips/cp0.hpp"
#include "cpus/mips/mmu.hpp"
#include "cpus/mips/state.hpp"

namespace mips {
template <class Machine, class Facts>
struct Mips32 {
  static constexpr std::string_view kind = "mips32";
  static constexpr core::Ports ports{.window = 0, .clock = true, .inputs = 6, .timers = 1};
  static constexpr bool big_endian = Facts::big_endian;
  static constexpr bool aligned_doublewords = true;  // LDC1, SDC1
  Machine& m;
  CpuState* state = nullptr;

  // For the slow paths of accel/board_port.hpp.
  static Resolved resolve(accel::VcpuHeader& c, u32 va, unsigned size, bool store, bool user, bool partial) noexcept {
    return resolve_data(static_cast<CpuState&>(c), va, size, store, user, partial);
  }

  // A line that Status.IM lets through ends a WAIT, whether interrupts are enabled or not.
  void set_line(unsigned n, bool on) noexcept {
    if (!state || n >= ports.inputs) return;
    state->lines = on ? state->lines | 1u << n : state->lines & ~(1u << n);
    update_interrupt_request(*state);
    if (on && unmasked_interrupts(*state)) state->halted = 0;
  }

  void expire(core::Timer<0>) noexcept {
    if (state) timer_expired(*state);
  }
};
}  // namespace mips
