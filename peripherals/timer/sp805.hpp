#pragma once
#include "core/clock.hpp"
#include "core/reg.hpp"

namespace peripherals::sp805 {
using namespace core;

// Arm Watchdog Module SP805 (r1p0) — DDI 0270B, chapter 3.
// Pins: out irq (WDOGINT); WDOGRES resets the system.  Clock: WDOGCLK, Hz.
// One round lasts WdogLoad + 1 clocks, as Linux drivers/watchdog/sp805_wdt.c computes it.
// Not modelled: the test registers (storage).
struct Regs {  // table 3-1
  Reg<struct WdogLoad, 0x000, R | Wfn, 0xffff'ffff> load;
  Reg<struct WdogValue, 0x004, Rfn, 0xffff'ffff> value;
  Reg<struct WdogControl, 0x008, R | Wfn, 0, Bits<struct INTEN, 0>, Bits<struct RESEN, 1>> control;
  Reg<struct WdogIntClr, 0x00c, Wfn> intclr;
  Reg<struct WdogRIS, 0x010, R> ris;
  Reg<struct WdogMIS, 0x014, Rfn> mis;
  Reg<struct WdogLock, 0xc00, R | Wfn> lock;
  Reg<struct WdogITCR, 0xf00, R | Wfn, 0, Bits<struct ITEN, 0>> itcr;
  Reg<struct WdogITOP, 0xf04, Wfn> itop;
  PrimecellId<0x00141805> id;
};

template <class Wires>
struct Sp805 {
  static constexpr std::string_view kind = "sp805";
  static constexpr Ports ports{.clock = true, .outputs = {"irq"}, .timers = 1};
  Wires wires;
  Regs r;
  struct Hidden {
    u64 base = 0;               // virtual ns at which the counter stood at WdogLoad; counts while INTEN
    u32 stopped = 0xffff'ffff;  // value while INTEN is 0
  } x;

  u32 on_read(At<WdogValue>) { return value(); }
  u32 on_read(At<WdogMIS>) { return mis(); }
  void on_write(At<WdogLoad>, u32 v) {
    if (locked()) return;
    r.load.v = v;
    restart();
  }
  // Setting INTEN reloads the counter, clearing it stops the counter (§3.3.3).
  void on_write(At<WdogControl>, u32 v) {
    if (locked()) return;
    const bool ran = r.control.is<INTEN>();
    x.stopped = value();
    r.control.write(v);
    if (r.control.is<INTEN>() && !ran) restart();
    else update();
  }
  void on_write(At<WdogIntClr>, u32) {
    if (locked()) return;
    r.ris.v = 0;
    restart();
  }
  // 0x1ACCE551 opens the other registers, any other value closes them; reads tell 1 when closed (§3.3.7).
  void on_write(At<WdogLock>, u32 v) { r.lock.v = v != 0x1acc'e551; }
  void on_write(At<WdogITCR>, u32 v) {
    if (!locked()) r.itcr.write(v);
  }
  void on_write(At<WdogITOP>, u32) {}

  // The first arrival at 0 interrupts, the next one without a clear in between resets (§2.2).
  void expire(Timer<0>) {
    if (r.ris.v && r.control.is<RESEN>()) return wires.system_reset();
    r.ris.v = 1;
    update();
  }
  void on_reset() { update(); }

 private:
  bool locked() const { return r.lock.v != 0; }
  u32 mis() const { return r.ris.v && r.control.is<INTEN>(); }
  u64 round() const { return u64(r.load.v) + 1; }
  u64 ticks() const { return ns_to_ticks(wires.now() - x.base, wires.clock_hz); }
  u32 value() const { return r.control.is<INTEN>() ? u32(r.load.v - ticks() % round()) : x.stopped; }
  void restart() {
    x.base = wires.now();
    x.stopped = r.load.v;
    update();
  }
  // With the interrupt pending and no RESEN nothing more can happen at 0.
  void update() {
    const bool waiting = r.control.is<INTEN>() && (!r.ris.v || r.control.is<RESEN>());
    const u64 next = x.base + ticks_to_ns((ticks() / round() + 1) * round(), wires.clock_hz);
    if (waiting) wires.arm(0, next - wires.now());
    else wires.disarm(0);
    wires.irq(mis());
  }
};
}  // namespace peripherals::sp805
