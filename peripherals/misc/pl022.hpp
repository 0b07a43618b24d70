#pragma once
#include "core/clock.hpp"
#include "core/reg.hpp"

#include <algorithm>
#include <array>

namespace peripherals::pl022 {
using namespace core;

// Arm PrimeCell synchronous serial port PL022 (SSP) — DDI 0194G, chapter 3 — with nothing on the bus:
// SSPRXD reads 0.  Pins: out irq (SSPINTR, level).  Clock: SSPCLK, Hz.
// A word moves the moment it is written (the bit rate only times the receive timeout).
// Not modelled: slave mode transfers (no master is there to clock them), DMA requests, test registers
// (stored only).
struct Regs {  // table 3-1
  Reg<struct SSPCR0,   0x00, R | W, 0, Bits<struct DSS, 0, 4>, Bits<struct FRF, 4, 2>, Bits<struct SPO, 6>, Bits<struct SPH, 7>, Bits<struct SCR, 8, 8>> cr0;
  Reg<struct SSPCR1,   0x04, R | Wfn, 0, Bits<struct LBM, 0>, Bits<struct SSE, 1>, Bits<struct MS, 2>, Bits<struct SOD, 3>> cr1;
  Reg<struct SSPDR,    0x08, Rfn | Wfn> dr;
  Reg<struct SSPSR,    0x0c, Rfn, 0x3, Bits<struct TFE, 0>, Bits<struct TNF, 1>, Bits<struct RNE, 2>, Bits<struct RFF, 3>, Bits<struct BSY, 4>> sr;
  Reg<struct SSPCPSR,  0x10, R | W, 0, Bits<struct CPSDVSR, 0, 8>> cpsr;
  Reg<struct SSPIMSC,  0x14, R | Wfn, 0, Bits<struct RORIM, 0>, Bits<struct RTIM, 1>, Bits<struct RXIM, 2>, Bits<struct TXIM, 3>> imsc;
  Reg<struct SSPRIS,   0x18, Rfn, 0, Bits<struct RORRIS, 0>, Bits<struct RTRIS, 1>, Bits<struct RXRIS, 2>, Bits<struct TXRIS, 3>> ris;
  Reg<struct SSPMIS,   0x1c, Rfn> mis;
  Reg<struct SSPICR,   0x20, Wfn> icr;
  Reg<struct SSPDMACR, 0x24, R | W, 0, Bits<struct RXDMAE, 0>, Bits<struct TXDMAE, 1>> dmacr;
  Reg<struct SSPTCR,   0x80, R | W, 0, Bits<struct ITEN, 0>, Bits<struct TESTFIFO, 1>> tcr;
  Reg<struct SSPITIP,  0x84, R> itip;
  Reg<struct SSPITOP,  0x88, R | W, 0, Bits<struct ITOP, 0, 14>> itop;
  Reg<struct SSPTDR,   0x8c, R | W, 0, Bits<struct TDATA, 0, 16>> tdr;
  PrimecellId<0x00041022> id;
};

template <class Wires>
struct Pl022 {
  static constexpr std::string_view kind = "pl022";
  static constexpr Ports ports{.clock = true, .outputs = {"irq"}, .timers = 1};
  static constexpr unsigned depth = 8;
  Wires wires;
  Regs r;
  struct Fifo {
    std::array<u16, depth> data{};
    u8 head = 0, count = 0;  // head < depth; count ≤ depth
    bool full() const { return count == depth; }
    void push(u16 v) { data[(head + count++) % depth] = v; }
    u16 pop() {
      const u16 v = data[head];
      head = u8((head + 1) % depth);
      --count;
      return v;
    }
  };
  struct Hidden {
    Fifo tx, rx;
  } x;

  void on_write(At<SSPCR1>, u32 v) {
    r.cr1.write(v);
    transfer();
  }
  u32 on_read(At<SSPDR>) {
    if (!x.rx.count) return 0;
    const u16 word = x.rx.pop();
    watch_receiver();
    update();
    return word;
  }
  void on_write(At<SSPDR>, u32 v) {
    if (x.tx.full()) return wires.guest_error("transmit FIFO is full");
    x.tx.push(u16(v & word_mask()));
    transfer();
  }
  u32 on_read(At<SSPSR>) {
    const u32 tx = x.tx.count, rx = x.rx.count;
    return u32(tx == 0) | u32(tx < depth) << 1 | u32(rx != 0) << 2 | u32(rx == depth) << 3 | u32(tx != 0) << 4;
  }
  void on_write(At<SSPIMSC>, u32 v) {
    r.imsc.write(v);
    update();
  }
  // Overrun and timeout stay until cleared, the FIFO levels speak for themselves (§3.3.7).
  u32 raw() const { return (r.ris.v & 3) | u32(x.rx.count >= depth / 2) << 2 | u32(x.tx.count <= depth / 2) << 3; }
  u32 on_read(At<SSPRIS>) { return raw(); }
  u32 on_read(At<SSPMIS>) { return raw() & r.imsc.v; }
  void on_write(At<SSPICR>, u32 v) {
    r.ris.v &= ~(v & 3);
    update();
  }
  // Received data was left for 32 bit periods (§2.4.5).
  void expire(Timer<0>) {
    r.ris.set<RTRIS>();
    update();
  }
  void on_reset() {
    wires.disarm(0);
    update();
  }

  u32 word_mask() const { return (2u << std::max<u32>(3, r.cr0.get<DSS>())) - 1; }  // DSS under 3 is reserved

  // A master sends while it is enabled; with LBM what it sends comes back (§3.3.2).
  void transfer() {
    const bool master = r.cr1.is<SSE>() && !r.cr1.is<MS>();
    while (master && x.tx.count) {
      const u16 sent = x.tx.pop();
      if (x.rx.full()) r.ris.set<RORRIS>();
      else x.rx.push(r.cr1.is<LBM>() ? sent : 0);
      watch_receiver();
    }
    update();
  }
  void watch_receiver() {
    if (!x.rx.count) {
      r.ris.set<RTRIS>(false);
      return wires.disarm(0);
    }
    const u64 divider = std::max<u64>(2, r.cpsr.v) * (r.cr0.get<SCR>() + 1);  // §3.3.5
    wires.arm(0, ticks_to_ns(32 * divider, wires.clock_hz));
  }

  void update() { wires.irq((raw() & r.imsc.v) != 0); }
};
}  // namespace peripherals::pl022
