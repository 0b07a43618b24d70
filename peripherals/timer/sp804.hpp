#pragma once
#include "core/clock.hpp"
#include "core/reg.hpp"

#include <algorithm>

namespace peripherals::sp804 {
using namespace core;

// Arm Dual-Timer SP804 (r1p2) — DDI 0271D, chapter 3.
// Pins: out irq (TIMINTC, either timer).  Clock: TIMCLK, Hz; both timers count every one of its edges (TIMCLKEN1/2 high).
// A period lasts TimerXLoad clocks, as the manual's interval formula and Linux drivers/clocksource/timer-sp804.c have it.
// Not modelled: the test registers (storage); the upper half of TimerXValue reads 0 with 16 bits (undefined, §3.3.2).
struct Regs {  // table 3-1; timer 2 lies 0x20 above timer 1
  RegArray<struct TimerXLoad, 0x00, 2, 0x20, R | Wfn> load;
  RegArray<struct TimerXValue, 0x04, 2, 0x20, Rfn, 0xffff'ffff> value;
  RegArray<struct TimerXControl, 0x08, 2, 0x20, R | Wfn, 0x20, Bits<struct OneShot, 0>, Bits<struct TimerSize, 1>,
           Bits<struct TimerPre, 2, 2>, Bits<struct IntEnable, 5>, Bits<struct TimerMode, 6>, Bits<struct TimerEn, 7>> control;
  RegArray<struct TimerXIntClr, 0x0c, 2, 0x20, Wfn> intclr;
  RegArray<struct TimerXRIS, 0x10, 2, 0x20, R> ris;
  RegArray<struct TimerXMIS, 0x14, 2, 0x20, Rfn> mis;
  RegArray<struct TimerXBGLoad, 0x18, 2, 0x20, Rfn | Wfn> bgload;  // another address of TimerXLoad
  Reg<struct TimerITCR, 0xf00, R | W, 0, Bits<struct ITEN, 0>> itcr;
  Reg<struct TimerITOP, 0xf04, W, 0, Bits<struct TIMINT, 0, 2>> itop;
  PrimecellId<0x00141804> id;
};

// One down counter, described by where it stood at some moment; its value now is computed, never stepped.
struct Counter {
  enum class At0 { stop, wrap, reload };  // one-shot, free-running, periodic
  u64 base = 0;             // virtual ns
  u32 start = 0xffff'ffff;  // value at `base`; all 32 bits also while only 16 count

  // Value `ticks` after `base`.  A periodic counter shows `load` at the moment it reaches 0.
  u32 value(u64 ticks, At0 at0, u32 load, u32 top) const {
    const u32 first = start & top;
    if (ticks < first || at0 == At0::wrap) return u32(first - ticks) & top;
    if (at0 == At0::stop || load == 0) return 0;
    return u32(load - (ticks - first) % load);
  }
  // Ticks from `base` to the first arrival at 0 later than `ticks`; `never` when there is none.
  u64 next_zero(u64 ticks, At0 at0, u32 load, u32 top) const {
    const u32 first = start & top;
    if (ticks < first) return first;
    const u64 period = at0 == At0::wrap ? u64(top) + 1 : at0 == At0::reload ? load : 0;
    return period ? first + ((ticks - first) / period + 1) * period : never;
  }
};

template <class Wires>
struct Sp804 {
  static constexpr std::string_view kind = "sp804";
  static constexpr Ports ports{.clock = true, .outputs = {"irq"}, .timers = 2};
  Wires wires;
  Regs r;
  struct Hidden {
    Counter counter[2];
  } x;

  u32 on_read(At<TimerXValue>, u32 i) { return value(i); }
  u32 on_read(At<TimerXMIS>, u32 i) { return mis(i); }
  u32 on_read(At<TimerXBGLoad>, u32 i) { return r.load[i]; }

  // Restarts the count at once; 0 interrupts immediately (§3.3.1).
  void on_write(At<TimerXLoad>, u32 i, u32 v) {
    r.load[i] = v;
    x.counter[i] = {wires.now(), v};
    if (load(i) == 0 && r.control.is<TimerEn>(i)) r.ris[i] = 1;
    update(i);
  }
  // Only the next reload sees the new value (§3.3.7).
  void on_write(At<TimerXBGLoad>, u32 i, u32 v) {
    freeze(i);
    r.load[i] = v;
    update(i);
  }
  void on_write(At<TimerXControl>, u32 i, u32 v) {
    freeze(i);
    if (!r.control.is<TimerEn>(i)) x.counter[i].base = wires.now();
    r.control.write(i, v);
    update(i);
  }
  void on_write(At<TimerXIntClr>, u32 i, u32) {
    r.ris[i] = 0;
    update(i);
  }
  void expire(Timer<0>) { reached_zero(0); }
  void expire(Timer<1>) { reached_zero(1); }
  void on_reset() { update(0), update(1); }

 private:
  u32 top(u32 i) const { return r.control.is<TimerSize>(i) ? 0xffff'ffff : 0xffff; }
  u32 load(u32 i) const { return r.load[i] & top(i); }
  u32 mis(u32 i) const { return r.ris[i] && r.control.is<IntEnable>(i); }
  Counter::At0 at0(u32 i) const {
    if (r.control.is<OneShot>(i)) return Counter::At0::stop;
    return r.control.is<TimerMode>(i) ? Counter::At0::reload : Counter::At0::wrap;
  }
  // Clocks per count, as a power of two: 1, 16, 256; the undefined code 3 counts as 256 (§3.3.3).
  u32 prescale_bits(u32 i) const { return std::min(r.control.get<TimerPre>(i) * 4, 8u); }
  u64 ticks(u32 i) const {
    return ns_to_ticks(wires.now() - x.counter[i].base, wires.clock_hz) >> prescale_bits(i);
  }
  u32 value(u32 i) const {
    const Counter& c = x.counter[i];
    return r.control.is<TimerEn>(i) ? c.value(ticks(i), at0(i), load(i), top(i)) : c.start;
  }

  // Moves the base to the last tick, so that what follows does not reach into the past.
  void freeze(u32 i) {
    if (!r.control.is<TimerEn>(i)) return;
    const u64 passed = ticks(i);
    x.counter[i].start = x.counter[i].value(passed, at0(i), load(i), top(i));
    x.counter[i].base += ticks_to_ns(passed << prescale_bits(i), wires.clock_hz);
  }
  void reached_zero(u32 i) {
    r.ris[i] = 1;
    update(i);
  }
  // While the raw interrupt is set, another arrival at 0 changes nothing: no timer then, however short the period.
  void update(u32 i) {
    const Counter& c = x.counter[i];
    const bool waiting = r.control.is<TimerEn>(i) && !r.ris[i];
    const u64 zero = waiting ? c.next_zero(ticks(i), at0(i), load(i), top(i)) : never;
    if (zero == never) wires.disarm(i);
    else wires.arm(i, c.base + ticks_to_ns(zero << prescale_bits(i), wires.clock_hz) - wires.now());
    wires.irq(mis(0) || mis(1));
  }
};
}  // namespace peripherals::sp804
