#pragma once
#include "core/clock.hpp"
#include "core/reg.hpp"

namespace peripherals::pl011 {
using namespace core;

// Arm PrimeCell UART PL011 (r1p3, 16-byte FIFOs) — DDI 0183G, chapter 3.
// Pins: out irq (UARTINTR, level).  Clock: UARTCLK, Hz; it only sets the receive timeout.
// Characters leave at once, so the transmit FIFO is empty unless the host takes no more.
// Not modelled: modem lines (read as inactive), IrDA, parity and framing errors, sending a break, DMA requests,
// the integration test registers (storage).
struct Regs {  // table 3-1
  Reg<struct UARTDR, 0x000, Rfn | Wfn, 0, Bits<struct DATA, 0, 8>, Bits<struct FE, 8>, Bits<struct PE, 9>, Bits<struct BE, 10>,
      Bits<struct OE, 11>> dr;
  Reg<struct UARTRSR, 0x004, R | Wfn, 0, Bits<struct FE, 0>, Bits<struct PE, 1>, Bits<struct BE, 2>, Bits<struct OE, 3>> rsr;
  Reg<struct UARTFR, 0x018, Rfn, 0x90, Bits<struct BUSY, 3>, Bits<struct RXFE, 4>, Bits<struct TXFF, 5>, Bits<struct RXFF, 6>,
      Bits<struct TXFE, 7>> fr;
  Reg<struct UARTILPR, 0x020, R | W, 0, Bits<struct ILPDVSR, 0, 8>> ilpr;
  Reg<struct UARTIBRD, 0x024, R | W, 0, Bits<struct BAUDDIVINT, 0, 16>> ibrd;
  Reg<struct UARTFBRD, 0x028, R | W, 0, Bits<struct BAUDDIVFRAC, 0, 6>> fbrd;
  Reg<struct UARTLCR_H, 0x02c, R | Wfn, 0, Bits<struct BRK, 0>, Bits<struct PEN, 1>, Bits<struct EPS, 2>, Bits<struct STP2, 3>,
      Bits<struct FEN, 4>, Bits<struct WLEN, 5, 2>, Bits<struct SPS, 7>> lcr_h;
  Reg<struct UARTCR, 0x030, R | Wfn, 0x300, Bits<struct UARTEN, 0>, Bits<struct SIREN, 1>, Bits<struct SIRLP, 2>,
      Bits<struct LBE, 7>, Bits<struct TXE, 8>, Bits<struct RXE, 9>, Bits<struct DTR, 10>, Bits<struct RTS, 11>,
      Bits<struct Out1, 12>, Bits<struct Out2, 13>, Bits<struct RTSEn, 14>, Bits<struct CTSEn, 15>> cr;
  Reg<struct UARTIFLS, 0x034, R | W, 0x12, Bits<struct TXIFLSEL, 0, 3>, Bits<struct RXIFLSEL, 3, 3>> ifls;
  Reg<struct UARTIMSC, 0x038, R | Wfn, 0, Bits<struct IM, 0, 11>> imsc;
  Reg<struct UARTRIS, 0x03c, R, 0, Bits<struct RX, 4>, Bits<struct TX, 5>, Bits<struct RT, 6>, Bits<struct FE, 7>,
      Bits<struct PE, 8>, Bits<struct BE, 9>, Bits<struct OE, 10>> ris;
  Reg<struct UARTMIS, 0x040, Rfn> mis;
  Reg<struct UARTICR, 0x044, Wfn> icr;
  Reg<struct UARTDMACR, 0x048, R | W, 0, Bits<struct RXDMAE, 0>, Bits<struct TXDMAE, 1>, Bits<struct DMAONERR, 2>> dmacr;
  Reg<struct UARTTCR, 0x080, R | W, 0, Bits<struct ITEN, 0>, Bits<struct TESTFIFO, 1>, Bits<struct SIRTEST, 2>> tcr;
  Reg<struct UARTITIP, 0x084, R> itip;
  Reg<struct UARTITOP, 0x088, R | W, 0, Bits<struct ITOP, 0, 16>> itop;
  Reg<struct UARTTDR, 0x08c, R | W, 0, Bits<struct TDR, 0, 11>> tdr;
  PrimecellId<0x00141011> id;
};

template <class Wires>
struct Pl011 {
  static constexpr std::string_view kind = "pl011";
  static constexpr Ports ports{.clock = true, .outputs = {"irq"}, .timers = 1, .serial = true};
  Wires wires;
  Regs r;
  struct Hidden {
    u16 fifo[16] = {};           // receive FIFO as UARTDR shows it
    u8 head = 0, count = 0;      // head < 16, count ≤ depth()
    bool overrun = false;        // the next UARTDR read reports OE
    bool transmit_held = false;  // TX is owed once the host takes characters again
  } x;

  u32 depth() const { return r.lcr_h.is<FEN>() ? 16 : 1; }
  // Fill level that raises RX: 1/8, 1/4, 1/2, 3/4, 7/8 of the FIFO; reserved codes as 7/8 (§3.3.9).
  u32 trigger() const {
    constexpr u8 level[8] = {2, 4, 8, 12, 14, 14, 14, 14};
    return depth() == 1 ? 1 : level[r.ifls.get<RXIFLSEL>()];
  }
  // 32 bit periods; a bit is 16 × divisor clocks, the divisor counts 1/64 (§2.4.3).  An unset divisor acts as 1.
  u64 timeout_ns() const {
    const u64 divisor = r.ibrd.v * 64u + r.fbrd.v;
    return ticks_to_ns((divisor ? divisor : 64) * (32 * 16) / 64, wires.clock_hz);
  }

  // An empty FIFO returns the last character again (§3.3.1).
  u32 on_read(At<UARTDR>) {
    if (x.count == 0) return r.dr.v;
    r.dr.v = x.fifo[x.head];
    r.dr.set<OE>(x.overrun);
    r.rsr.v = (r.rsr.v & r.rsr.mask<OE>()) | (r.dr.v >> 8);
    x.overrun = false;
    x.head = (x.head + 1) % 16;
    --x.count;
    if (x.count < trigger()) r.ris.set<RX>(false);
    if (x.count == 0) end_timeout();
    update();
    wires.ready_to_receive();
    return r.dr.v;
  }
  // Bare-metal programs often transmit without setting UARTEN; that works, but is reported.
  void on_write(At<UARTDR>, u32 v) {
    if (!r.cr.is<UARTEN>() || !r.cr.is<TXE>()) wires.guest_error("character sent while the transmitter is off");
    if (r.cr.is<LBE>()) accept(v & 0xff);
    else wires.put(u8(v));
    x.transmit_held = !wires.can_put();
    r.ris.set<TX>(!x.transmit_held);
    update();
  }
  void host_drained() {
    if (x.transmit_held) r.ris.set<TX>();
    x.transmit_held = false;
    update();
  }

  void on_write(At<UARTRSR>, u32) { r.rsr.v = 0; }  // any value clears (§3.3.2)
  u32 on_read(At<UARTFR>) {
    const bool full = !wires.can_put();
    r.fr.set<BUSY>(full);
    r.fr.set<RXFE>(x.count == 0);
    r.fr.set<TXFF>(full);
    r.fr.set<RXFF>(x.count == depth());
    r.fr.set<TXFE>(!full);
    if (!full) wires.repeats_until(never);  // a character that arrives wakes the guest
    return r.fr.v;
  }
  // Turning the FIFOs on or off empties them (§3.3.7).
  void on_write(At<UARTLCR_H>, u32 v) {
    const u32 old_depth = depth();
    r.lcr_h.write(v);
    if (depth() == old_depth) return;
    x.head = x.count = 0, x.overrun = false;
    r.ris.set<RX>(false);
    end_timeout();
    update();
  }
  void on_write(At<UARTCR>, u32 v) { r.cr.write(v), wires.ready_to_receive(); }
  void on_write(At<UARTIMSC>, u32 v) { r.imsc.write(v), update(); }
  u32 on_read(At<UARTMIS>) { return r.ris.v & r.imsc.v; }
  void on_write(At<UARTICR>, u32 v) { r.ris.v &= ~v, update(); }

  // Host side.  A full FIFO or a receiver that is off would lose the character: ask first.
  bool can_receive() const { return receiver_on() && x.count < depth(); }
  void receive(u8 c) {
    if (!r.cr.is<LBE>()) accept(c);
  }
  void receive_break() {
    if (!receiver_on()) return;
    r.ris.set<BE>();
    accept(r.dr.mask<BE>());
  }

  // No character for 32 bit periods and the FIFO is not empty (§2.8.4).
  void expire(Timer<0>) {
    r.ris.set<RT>(x.count != 0);
    update();
  }
  void on_reset() { wires.disarm(0), update(); }

 private:
  bool receiver_on() const { return r.cr.is<UARTEN>() && r.cr.is<RXE>(); }
  void accept(u32 entry) {
    if (!receiver_on()) return;
    if (x.count == depth()) {  // the new character is lost, those in the FIFO stay (table 3-2)
      x.overrun = true;
      r.rsr.set<OE>();
      r.ris.set<OE>();
    } else {
      x.fifo[(x.head + x.count++) % 16] = u16(entry);
    }
    if (x.count >= trigger()) r.ris.set<RX>();
    if (depth() > 1) wires.arm(0, timeout_ns());
    update();
  }
  void end_timeout() {
    r.ris.set<RT>(false);
    wires.disarm(0);
  }
  void update() { wires.irq((r.ris.v & r.imsc.v) != 0); }
};
}  // namespace peripherals::pl011
