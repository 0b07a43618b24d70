#pragma once
#include "core/clock.hpp"
#include "core/reg.hpp"

#include <algorithm>

namespace peripherals::uart16550 {
using namespace core;

// UART with FIFOs NS16550A, as on PCs and in their super I/O chips — National Semiconductor PC16550D data sheet (June
// 1995). Pins: out irq (INTR, level).  Clock: XIN, Hz; it only sets the receive time-out. Board options: stride, bytes
// from register to register (1 when left out; 8 as on Malta's CBUS, where an access of any size reaches one register);
// out2, 1 where OUT2 opens the interrupt's way to the bus as it does on a PC. Characters leave at once; the transmit
// FIFO fills only while the host takes no more. Not modelled: parity, framing and word length (8 bits always move), the
// modem's lines (CTS, DSR and DCD are on), sending a break.
struct Regs {  // table II; DLL and DLM answer in place of the first two while LCR's DLAB is set, FCR is the write side
               // of IIR
  Reg8<struct RBR, 0, Rfn | Wfn> rbr;  // write: THR
  Reg8<struct IER, 1, Rfn | Wfn, 0, Bits<struct ERBFI, 0>, Bits<struct ETBEI, 1>, Bits<struct ELSI, 2>,
       Bits<struct EDSSI, 3>>
      ier;
  Reg8<struct IIR, 2, Rfn | Wfn> iir;
  Reg8<struct LCR, 3, R | Wfn, 0, Bits<struct WLS, 0, 2>, Bits<struct STB, 2>, Bits<struct PEN, 3>, Bits<struct EPS, 4>,
       Bits<struct STICK, 5>, Bits<struct BREAK, 6>, Bits<struct DLAB, 7>>
      lcr;
  Reg8<struct MCR, 4, R | Wfn, 0, Bits<struct DTR, 0>, Bits<struct RTS, 1>, Bits<struct OUT1, 2>, Bits<struct OUT2, 3>,
       Bits<struct LOOP, 4>>
      mcr;
  Reg8<struct LSR, 5, Rfn, 0x60, Bits<struct DR, 0>, Bits<struct OE, 1>, Bits<struct PE, 2>, Bits<struct FE, 3>,
       Bits<struct BI, 4>, Bits<struct THRE, 5>, Bits<struct TEMT, 6>, Bits<struct ERF, 7>>
      lsr;
  Reg8<struct MSR, 6, Rfn, 0xb0, Bits<struct DELTA, 0, 4>, Bits<struct CTS, 4>, Bits<struct DSR, 5>, Bits<struct RI, 6>,
       Bits<struct DCD, 7>>
      msr;
  Reg8<struct SCR, 7, R | W> scr;
  // Not at an address of their own.
  Reg8<struct DLL, 0x80, R, 0x0c> dll;
  Reg8<struct DLM, 0x81, R> dlm;
  Reg8<struct FCR, 0x82, R, 0, Bits<struct FIFOEN, 0>, Bits<struct RXCLEAR, 1>, Bits<struct TXCLEAR, 2>,
       Bits<struct TRIGGER, 6, 2>>
      fcr;
};

template <class Wires>
struct Uart16550 {
  static constexpr std::string_view kind = "uart16550";
  static constexpr u32 stride = [] {
    if constexpr (requires { Wires::stride; }) return u32(Wires::stride);
    else return 1u;
  }();
  static constexpr bool out2_gates = [] {
    if constexpr (requires { Wires::out2; }) return Wires::out2 != 0;
    else return false;
  }();
  static_assert(stride == 1 || stride == 2 || stride == 4 || stride == 8, "uart16550: 'set: stride' is 1, 2, 4 or 8");
  static constexpr Ports ports{.window = 8 * stride,
                               .clock = true,
                               .outputs = {"irq"},
                               .timers = 1,
                               .serial = true,
                               .narrow = stride == 1 ? Narrow::lanes : Narrow::low,
                               .order = stride == 1 ? ByteOrder::little : ByteOrder::processor};
  Wires wires;
  Regs r;
  struct Hidden {
    u16 received[16] = {};             // receive FIFO: the character, and above it its LSR error bits
    u8 held[16] = {};                  // transmit FIFO
    u8 head = 0, count = 0;            // head < 16, count ≤ depth()
    u8 held_head = 0, held_count = 0;  // likewise
    bool thre_due = false;             // transmitter empty and not yet said so by an IIR read
    bool timeout = false;  // characters wait below the trigger level, and nothing moved for four character times
  } x;

  u32 map_offset(u32 off) const { return off / stride % 8; }
  u32 depth() const { return r.fcr.is<FIFOEN>() ? 16 : 1; }
  u32 trigger() const {
    constexpr u8 level[] = {1, 4, 8, 14};
    return depth() == 1 ? 1 : level[r.fcr.get<TRIGGER>()];
  }
  // Four characters of ten bits; a bit is 16 × divisor clocks (§8.6.1).
  u64 timeout_ns() const {
    const u64 divisor = r.dlm.v << 8 | r.dll.v;
    return std::max<u64>(ticks_to_ns(std::max<u64>(divisor, 1) * 16 * 40, wires.clock_hz), 1'000);
  }

  u8 on_read(At<RBR>) {
    if (r.lcr.is<DLAB>()) return r.dll.v;
    if (x.count == 0) return r.rbr.v;
    r.rbr.v = u8(x.received[x.head]);
    x.head = (x.head + 1) % 16;
    --x.count;
    show_errors();
    restart_timeout();
    update();
    wires.ready_to_receive();
    return r.rbr.v;
  }
  void on_write(At<RBR>, u8 v) {
    if (r.lcr.is<DLAB>()) {
      r.dll.v = v;
      return;
    }
    x.thre_due = false;
    if (r.mcr.is<LOOP>()) accept(v);
    else transmit(v);
    x.thre_due = x.held_count == 0;
    update();
  }
  u8 on_read(At<IER>) { return r.lcr.is<DLAB>() ? r.dlm.v : r.ier.v; }
  // Enabling the transmitter's interrupt while it is empty raises it (§8.5).
  void on_write(At<IER>, u8 v) {
    if (r.lcr.is<DLAB>()) {
      r.dlm.v = v;
      return;
    }
    const bool was = r.ier.is<ETBEI>();
    r.ier.write(v);
    if (!was && r.ier.is<ETBEI>() && x.held_count == 0) x.thre_due = true;
    update();
  }
  u8 on_read(At<IIR>) {
    const u8 id = pending();
    if (id == transmitter) x.thre_due = false, update();
    return u8(id | (r.fcr.is<FIFOEN>() ? 0xc0 : 0));
  }
  void on_write(At<IIR>, u8 v) {  // FCR; its other bits count only together with bit 0 (§8.4)
    const bool toggled = (v ^ r.fcr.v) & 1;
    if (toggled || (v & 3) == 3) empty_receiver();
    if (toggled || (v & 5) == 5) x.held_count = 0;
    r.fcr.v = v & 1 ? v & 0xc1 : 0;
    if (x.held_count == 0 && !r.lsr.is<THRE>()) transmitter_empty();
    update();
    wires.ready_to_receive();
  }
  void on_write(At<LCR>, u8 v) { r.lcr.write(v); }
  void on_write(At<MCR>, u8 v) {
    r.mcr.write(v);
    put_modem_lines(r.mcr.is<LOOP>() ? looped_lines() : u8(0xb0));
    update();
    wires.ready_to_receive();
  }
  u8 on_read(At<LSR>) {
    const bool errors = depth() > 1 && (r.lsr.v & error_bits || has_errors());
    const u8 v = u8((r.lsr.v & ~1u) | (x.count != 0) | u32(errors) << 7);
    const u8 cleared = u8(error_bits | r.lsr.mask<OE>());
    if (r.lsr.v & cleared) {
      r.lsr.v &= u8(~cleared);
      update();
    } else if (r.lsr.is<THRE>()) {
      wires.repeats_until(never);  // a character that arrives wakes the guest; that the host takes some again may come unsaid
    }
    return v;
  }
  u8 on_read(At<MSR>) {
    const u8 v = r.msr.v;
    r.msr.put<DELTA>(0);
    update();
    return v;
  }

  // Host side.  A full FIFO would lose the character: ask first.
  bool can_receive() const { return x.count < depth() && !r.mcr.is<LOOP>(); }
  void receive(u8 c) {
    if (r.mcr.is<LOOP>()) return;
    accept(c);
    update();
  }
  void receive_break() {
    if (r.mcr.is<LOOP>()) return;
    accept(u16(r.lsr.mask<BI>() << 8));
    update();
  }
  void host_drained() {
    while (x.held_count && wires.can_put()) {
      wires.put(x.held[x.held_head]);
      x.held_head = (x.held_head + 1) % 16;
      --x.held_count;
    }
    if (x.held_count == 0 && !r.lsr.is<THRE>()) transmitter_empty();
    update();
  }

  void expire(Timer<0>) {
    x.timeout = x.count != 0 && depth() > 1;
    update();
  }
  void on_reset() { wires.disarm(0), update(); }

 private:
  static constexpr u8 error_bits = 0x1c;  // PE, FE, BI
  // IIR's interrupt ids, most urgent first (table IV).
  static constexpr u8 line_status = 6, data = 4, timed_out = 12, transmitter = 2, modem = 0, nothing = 1;

  u8 pending() const {
    if (r.ier.is<ELSI>() && r.lsr.v & (error_bits | r.lsr.mask<OE>())) return line_status;
    if (r.ier.is<ERBFI>() && x.count >= trigger()) return data;
    if (r.ier.is<ERBFI>() && x.timeout) return timed_out;
    if (r.ier.is<ETBEI>() && x.thre_due) return transmitter;
    if (r.ier.is<EDSSI>() && r.msr.get<DELTA>()) return modem;
    return nothing;
  }
  void accept(u16 entry) {
    if (x.count == depth()) {  // the FIFO stays as it is; without FIFOs the new character replaces the old (§8.3)
      r.lsr.set<OE>();
      if (depth() == 1) x.received[x.head] = entry;
    } else {
      x.received[(x.head + x.count++) % 16] = entry;
    }
    show_errors();
    restart_timeout();
  }
  // A character's errors show when it is the next to be read (§8.3).
  void show_errors() {
    if (x.count == 0) return;
    u16& next = x.received[x.head];
    r.lsr.v |= next >> 8 & error_bits;
    next &= 0xff;
  }
  bool has_errors() const {
    for (u32 i = 0; i < x.count; ++i)
      if (x.received[(x.head + i) % 16] >> 8) return true;
    return false;
  }
  void restart_timeout() {
    x.timeout = false;
    if (x.count && depth() > 1) wires.arm(0, timeout_ns());
    else wires.disarm(0);
  }
  void empty_receiver() {
    x.head = x.count = 0;
    restart_timeout();
  }
  void transmit(u8 c) {
    if (x.held_count == 0 && wires.can_put()) return wires.put(c);
    if (x.held_count < depth()) x.held[(x.held_head + x.held_count++) % 16] = c;
    r.lsr.set<THRE>(false);
    r.lsr.set<TEMT>(false);
  }
  void transmitter_empty() {
    r.lsr.set<THRE>();
    r.lsr.set<TEMT>();
    x.thre_due = true;
  }
  // In the diagnostic mode RTS, DTR, OUT1 and OUT2 stand in for CTS, DSR, RI and DCD (§8.7).
  u8 looped_lines() const {
    const u8 m = r.mcr.v;
    return u8((m >> 1 & 1) << 4 | (m & 1) << 5 | (m >> 2 & 1) << 6 | (m >> 3 & 1) << 7);
  }
  // Each change is noted below the line; of RI only its end (TERI).
  void put_modem_lines(u8 lines) {
    const u8 changed = u8((lines ^ r.msr.v) >> 4);
    const u8 ring_ended = u8(r.msr.v >> 4 & ~lines >> 4 & 4);
    r.msr.v = u8(lines | (r.msr.v & 0xf) | (changed & 0xb) | ring_ended);
  }
  // OUT2 is off in the diagnostic mode, and with it a PC's interrupt (§8.7).
  void update() {
    const bool open = !out2_gates || (r.mcr.is<OUT2>() && !r.mcr.is<LOOP>());
    wires.irq(open && pending() != nothing);
  }
};
}  // namespace peripherals::uart16550
