#pragma once
#include "core/clock.hpp"
#include "core/reg.hpp"
#include "peripherals/timer/i8254_core.hpp"

#include <algorithm>

namespace peripherals::i8254 {
using namespace core;

// Programmable interval timer 8254 — Intel data sheet 231164 — as PCs have it: the gates of counters 0 and 1 are high.
// Pins: out irq (OUT0; each rise is one pulse).  Clock: CLK of all three, Hz (1193182 on PCs).
// Counter 2 is for whoever `uses` the timer: set_gate2(), out2().
// When the processor is late by more than a period, the pulses it missed are lost.
struct Regs {
  Reg8Array<struct COUNTER, 0, 3, 1, Rfn | Wfn> counter;
  Reg8<struct CONTROL, 3, Wfn> control;
};

template <class Wires>
struct I8254 {
  static constexpr std::string_view kind = "i8254";
  static constexpr Ports ports{.window = 4, .clock = true, .outputs = {"irq"}, .timers = 1, .narrow = Narrow::lanes};
  // Counter 0 with a divisor of 2 would keep the host busy with nothing else: it pulses no faster than this.
  static constexpr u64 shortest_ns = 10'000;
  Wires wires;
  Regs r;
  struct Hidden {
    Counter counters[3];
  } x;

  u8 on_read(At<COUNTER>, u32 i) { return x.counters[i].read(ticks()); }
  void on_write(At<COUNTER>, u32 i, u8 v) {
    x.counters[i].write(v, ticks());
    if (i == 0) update();
  }
  void on_write(At<CONTROL>, u8 v) {
    const u8 select = v >> 6;
    if (select == 3) return read_back(v);
    if ((v & 0x30) == 0) return x.counters[select].latch_count(ticks());
    x.counters[select].control(v & 0x3f, ticks());
    if (select == 0) update();
  }

  bool out2() { return x.counters[2].out(ticks()); }
  void set_gate2(bool on) { x.counters[2].set_gate(on, ticks()); }

  void expire(Timer<0>) {
    wires.irq(false);
    wires.irq(true);
    update();
  }
  void on_reset() {
    x.counters[2].gate = false;
    update();
  }

 private:
  s64 ticks_at(u64 ns) const { return s64(ns_to_ticks(ns, wires.clock_hz)); }
  s64 ticks() const { return ticks_at(wires.now()); }
  // Bit 5 low latches the counts, bit 4 low the statuses of the counters in bits 3:1 ("Read-Back Command").
  void read_back(u8 v) {
    for (unsigned i = 0; i < 3; ++i) {
      if (!(v >> (i + 1) & 1)) continue;
      if (!(v & 0x20)) x.counters[i].latch_count(ticks());
      if (!(v & 0x10)) x.counters[i].latch_status(ticks());
    }
  }
  void update() {
    const u64 now = wires.now();
    const s64 rise = x.counters[0].next_rise(ticks_at(now));
    wires.irq(x.counters[0].out(ticks_at(now)));
    if (rise == Counter::never) wires.disarm(0);
    else wires.arm(0, std::max<u64>(ticks_to_ns(u64(rise), wires.clock_hz) - now, shortest_ns));
  }
};
}  // namespace peripherals::i8254
