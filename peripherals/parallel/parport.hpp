#pragma once
#include "core/reg.hpp"

namespace peripherals::parport {
using namespace core;

// Standard parallel port of a PC with a printer that is always ready — IBM PC/AT Technical Reference, "Parallel Printer
// Adapter"; IEEE 1284 compatibility mode.
// Pins: out irq (nACK's pulse, high until STATUS is read).  Characters: to the host.
// Not modelled: EPP and ECP, a device that sends.
struct Regs {
  Reg8<struct DATA, 0, Rfn | W, 0xff> data;
  Reg8<struct STATUS, 1, Rfn, 0xd8, Bits<struct NERROR, 3>, Bits<struct SELECT, 4>, Bits<struct PAPER_OUT, 5>,
       Bits<struct NACK, 6>, Bits<struct NBUSY, 7>>
      status;
  Reg8<struct CONTROL, 2, Rfn | Wfn, 0x0c, Bits<struct STROBE, 0>, Bits<struct AUTOFEED, 1>, Bits<struct NINIT, 2>,
       Bits<struct SELECT_IN, 3>, Bits<struct IRQ_ENABLE, 4>, Bits<struct DIRECTION, 5>>
      control;
};

template <class Wires>
struct Parport {
  static constexpr std::string_view kind = "parport";
  static constexpr Ports ports{.window = 3, .outputs = {"irq"}, .serial = true, .narrow = Narrow::lanes};
  Wires wires;
  Regs r;
  struct Hidden {
    bool acknowledged = false;  // nACK pulsed since STATUS was read
    bool held = false;          // the host takes no more: busy
  } x;

  u8 on_read(At<DATA>) { return r.control.is<DIRECTION>() ? 0xff : r.data.v; }
  // The read after a character sees nACK low, once.
  u8 on_read(At<STATUS>) {
    r.status.set<NACK>(!x.acknowledged);
    r.status.set<NBUSY>(!r.control.is<STROBE>() && !x.held);
    x.acknowledged = false;
    update();
    return r.status.v;
  }
  u8 on_read(At<CONTROL>) { return u8(r.control.v | 0xc0); }
  void on_write(At<CONTROL>, u8 v) {
    const bool was = r.control.is<STROBE>();
    r.control.write(v);
    const bool strobe = r.control.is<STROBE>(), ready = r.control.is<NINIT>() && r.control.is<SELECT_IN>();
    if (!was && strobe && ready) send();
    if (was && !strobe && ready && !x.held) x.acknowledged = true;
    update();
  }

  void host_drained() {
    if (x.held && !r.control.is<STROBE>()) x.acknowledged = true;
    x.held = false;
    update();
  }
  bool can_receive() const { return false; }
  void receive(u8) {}
  void receive_break() {}
  void on_reset() { update(); }

 private:
  void send() {
    wires.put(r.data.v);
    x.held = !wires.can_put();
  }
  void update() { wires.irq(x.acknowledged && r.control.is<IRQ_ENABLE>()); }
};
}  // namespace peripherals::parport
