#pragma once
// A transmitter with two timers; what it raises is IRQ.
#include "core/reg.hpp"

namespace peripherals::fake_uart {
using namespace core;
struct Regs {
  Reg<struct DATA, 0x00, Rfn | Wfn> data;
  Reg<struct IRQ, 0x04, R | Wfn> irq;
};
template <class Wires>
struct FakeUart {
  static constexpr std::string_view kind = "fake_uart";
  static constexpr Ports ports{.window = 0x10, .clock = true, .outputs = {"irq"}, .timers = 2, .serial = true};
  Wires wires;
  Regs r{};
  struct Hidden {
    u32 last = 0;
    u32 expired = 0;
  } x{};
  u32 on_read(At<DATA>) { return x.last; }
  void on_write(At<DATA>, u32 v) { wires.put(u8(v)), wires.arm(1, v); }
  void on_write(At<IRQ>, u32 v) { r.irq.v = v, wires.irq(v != 0); }
  void receive(u8 c) { x.last = c; }
  void expire(Timer<0>) { x.expired |= 1; }
  void expire(Timer<1>) { x.expired |= 2; }
  void on_reset() { wires.irq(false); }
};
}  // namespace peripherals::fake_uart
