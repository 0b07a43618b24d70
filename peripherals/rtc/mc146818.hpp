#pragma once
#include "core/clock.hpp"
#include "core/reg.hpp"
#include "peripherals/rtc/mc146818_core.hpp"

#include <algorithm>

namespace peripherals::mc146818 {
using namespace core;

// Real-time clock and battery-backed memory MC146818A — Motorola ADI1018 (1984) — behind the index and data ports of a
// PC; with a 32768 Hz crystal.  South bridges add a second bank at ports 2 and 3 (82371AB data sheet §4.2.4); boards
// without it decode 2 bytes.
// Pins: out irq (IRQ#, level, high here while asserted).
// Starts with the host's calendar time, UTC, at first power; time and memory outlive resets.  Byte 32 is the century,
// as PC firmware uses it. Not modelled: daylight saving (DSE is storage), the square wave, other crystals, NMI (INDEX
// bit 7).
struct Regs {
  Reg8<struct INDEX, 0, Rfn | Wfn, 0, Bits<struct ADDRESS, 0, 7>> index;
  Reg8<struct DATA, 1, Rfn | Wfn> data;
  Reg8<struct EXT_INDEX, 2, R | W, 0, Bits<struct ADDRESS, 0, 7>> ext_index;
  Reg8<struct EXT_DATA, 3, Rfn | Wfn> ext_data;
};

template <class Wires>
struct Mc146818 {
  static constexpr std::string_view kind = "mc146818";
  static constexpr Ports ports{.window = 2, .outputs = {"irq"}, .timers = 1, .narrow = Narrow::lanes};
  Wires wires;
  Regs r;
  struct Hidden {
    Rtc rtc;
    bool powered = false;
    void reset() { rtc.reset_pin(); }
  } x;

  u8 on_read(At<INDEX>) { return 0xff; }  // write only
  void on_write(At<INDEX>, u8 v) {
    if (v == r.index.v) wires.repeats_until(never);
    r.index.write(v);
  }
  u8 on_read(At<DATA>) {
    const u64 now = wires.now();
    const u8 v = x.rtc.read(r.index.v, now);
    if (const u64 until = x.rtc.same_until(r.index.v, v, now); until > now) wires.repeats_until(until);
    update();
    return v;
  }
  void on_write(At<DATA>, u8 v) {
    x.rtc.write(r.index.v, v, wires.now());
    update();
  }
  u8 on_read(At<EXT_DATA>) { return x.rtc.extended[r.ext_index.v]; }
  void on_write(At<EXT_DATA>, u8 v) { x.rtc.extended[r.ext_index.v] = v; }

  // For boards whose firmware expects facts there: byte `at` of the memory, 0x0e to 0x7f.
  void set_memory(u8 at, u8 v) { x.rtc.memory[at % Rtc::bank_size] = v; }

  void expire(Timer<0>) { update(); }
  void on_reset() {
    if (!x.powered) x.rtc.power_on(wires.wall_clock(), wires.now());
    x.powered = true;
    update();
  }

 private:
  void update() {
    const u64 now = wires.now();
    x.rtc.run_until(now);
    wires.irq(x.rtc.irq());
    const u64 at = x.rtc.next_event(now);
    if (at == never) wires.disarm(0);
    else wires.arm(0, std::max<u64>(at - std::min(at, now), 1'000));
  }
};
}  // namespace peripherals::mc146818
