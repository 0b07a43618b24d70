#pragma once
#include "core/clock.hpp"
#include "core/reg.hpp"

namespace peripherals::pl031 {
using namespace core;

// Arm PrimeCell Real Time Clock PL031 (r1p3) — DDI 0224C, chapter 3.
// Pins: out irq (RTCINTR).  Counts seconds of virtual time; starts at power-on with the host's calendar time as
// seconds since 1970, UTC, and goes on through system resets.
// Not modelled: the state before RTCCR starts the counter (firmware has done it: the bit reads 1), the delay of a load
// to the next 1 Hz edge, the test registers (storage).
struct Regs {  // table 3-1
  Reg<struct RTCDR, 0x000, Rfn> dr;
  Reg<struct RTCMR, 0x004, R | Wfn> mr;
  Reg<struct RTCLR, 0x008, R | Wfn> lr;
  Reg<struct RTCCR, 0x00c, R, 1> cr;  // bit 0, RTC start; writing it has no effect once it is set
  Reg<struct RTCIMSC, 0x010, R | Wfn, 0, Bits<struct IMSC, 0>> imsc;
  Reg<struct RTCRIS, 0x014, R> ris;
  Reg<struct RTCMIS, 0x018, Rfn> mis;
  Reg<struct RTCICR, 0x01c, Wfn> icr;
  Reg<struct RTCITCR, 0x080, R | W, 0, Bits<struct ITEN, 0>> itcr;
  Reg<struct RTCITIP, 0x084, R> itip;
  Reg<struct RTCITOP, 0x088, R | W, 0, Bits<struct ITOP, 0>> itop;
  Reg<struct RTCTOFFSET, 0x08c, R | W> toffset;
  Reg<struct RTCTCOUNT, 0x090, R | W> tcount;
  PrimecellId<0x00141031> id;
};

template <class Wires>
struct Pl031 {
  static constexpr std::string_view kind = "pl031";
  static constexpr Ports ports{.outputs = {"irq"}, .timers = 1};
  static constexpr u64 second = 1'000'000'000;  // ns
  Wires wires;
  Regs r;
  struct Hidden {
    u32 offset = 0;        // RTCDR at virtual time 0
    bool powered = false;  // offset is valid
    void reset() {}
  } x;

  u32 on_read(At<RTCDR>) { return count(); }
  u32 on_read(At<RTCMIS>) { return mis(); }
  void on_write(At<RTCMR>, u32 v) {
    r.mr.v = v;
    schedule();
  }
  void on_write(At<RTCLR>, u32 v) {
    r.lr.v = v;
    x.offset += v - count();
    schedule();
  }
  void on_write(At<RTCIMSC>, u32 v) { r.imsc.write(v), update(); }
  void on_write(At<RTCICR>, u32 v) { r.ris.v &= ~v, update(); }
  void expire(Timer<0>) { r.ris.v = 1, update(); }
  void on_reset() {
    if (!x.powered) x.offset = u32(wires.wall_clock()) - u32(wires.now() / second);
    x.powered = true;
    wires.disarm(0);
    update();
  }

 private:
  u32 count() const { return x.offset + u32(wires.now() / second); }
  u32 mis() const { return r.ris.v & r.imsc.v; }
  // The interrupt rises when the counter becomes equal to RTCMR, or is at once (§3.3.2).
  void schedule() {
    const u64 seconds = u32(r.mr.v - count());
    if (seconds == 0) r.ris.v = 1, wires.disarm(0);
    else wires.arm(0, seconds * second - wires.now() % second);
    update();
  }
  void update() { wires.irq(mis() != 0); }
};
}  // namespace peripherals::pl031
