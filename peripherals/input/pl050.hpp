#pragma once
#include "core/reg.hpp"
#include "peripherals/input/ps2.hpp"

#include <bit>
#include <type_traits>

namespace peripherals::pl050 {
using namespace core;

// Arm PrimeCell PS2 keyboard/mouse interface PL050 (KMI) — DDI 0143C, chapter 3 — with the device at
// the end of the cable.  Pins: out irq (KMIINTR, level).
// Board option device: 0 keyboard, 1 mouse.
// Not modelled: line timing (a byte arrives when the one before it was read), test registers (§4).
struct Regs {  // table 3-1
  Reg<struct KMICR,     0x00, R | Wfn, 0, Bits<struct FKMIC, 0>, Bits<struct FKMID, 1>, Bits<struct KMIEN, 2>, Bits<struct KMITXINTREN, 3>, Bits<struct KMIRXINTREN, 4>, Bits<struct KMITYPE, 5>> cr;
  Reg<struct KMISTAT,   0x04, Rfn, 0x43, Bits<struct KMID, 0>, Bits<struct KMIC, 1>, Bits<struct RXPARITY, 2>, Bits<struct RXBUSY, 3>, Bits<struct RXFULL, 4>, Bits<struct TXBUSY, 5>, Bits<struct TXEMPTY, 6>> stat;
  Reg<struct KMIDATA,   0x08, Rfn | Wfn> data;
  Reg<struct KMICLKDIV, 0x0c, R | W, 0, Bits<struct DIVISOR, 0, 4>> clkdiv;
  Reg<struct KMIIR,     0x10, Rfn, 0, Bits<struct KMIRXINTR, 0>, Bits<struct KMITXINTR, 1>> ir;
  PrimecellId<0x00041050> id;
};

template <class Wires>
struct Pl050 {
  static constexpr std::string_view kind = "pl050";
  static constexpr Ports ports{.outputs = {"irq"}};
  static_assert(Wires::device <= 1, "pl050: 'set: device' is 0 for a keyboard or 1 for a mouse");
  static constexpr bool is_keyboard = Wires::device == 0;
  Wires wires;
  Regs r;
  struct Hidden {
    std::conditional_t<is_keyboard, ps2::Keyboard, ps2::Mouse> device;
    u8 last = 0;  // the byte in the receive register
    bool parity = false;  // its odd parity bit
  } x;

  // A clock line held low by FKMIC keeps the device from sending (§3.3.1).
  bool receiving() const { return r.cr.template is<KMIEN>() && !r.cr.template is<FKMIC>(); }
  bool rx_full() const { return receiving() && x.device.has_data(); }

  void on_write(At<KMICR>, u32 v) {
    r.cr.write(v);
    update();
  }
  u32 on_read(At<KMISTAT>) {
    const u32 lines = u32(!r.cr.template is<FKMID>()) | u32(!r.cr.template is<FKMIC>()) << 1;
    return lines | u32(x.parity) << 2 | u32(rx_full()) << 4 | 1u << 6;
  }
  u32 on_read(At<KMIDATA>) {
    if (rx_full()) {
      x.last = x.device.read();
      x.parity = std::popcount(x.last) % 2 == 0;
    }
    update();
    return x.last;
  }
  void on_write(At<KMIDATA>, u32 v) {
    if (!r.cr.template is<KMIEN>()) return wires.guest_error("byte sent while KMIEN is 0");
    x.device.write(u8(v));
    update();
  }
  // The conditions themselves, whether or not KMICR lets them out (Linux drivers/input/serio/ambakmi.c
  // loops on bit 0).
  u32 on_read(At<KMIIR>) { return u32(rx_full()) | 2; }

  void on_reset() { update(); }

  // Host side: see ps2::Keyboard::key and ps2::Mouse::move.
  void key(u16 scancode_set1, bool down)
    requires(is_keyboard)
  {
    x.device.key(scancode_set1, down);
    update();
  }
  void mouse(int dx, int dy, int dz, u8 buttons)
    requires(!is_keyboard)
  {
    x.device.move(dx, dy, dz, buttons);
    update();
  }

  void update() {  // §3.5; the transmitter is always empty
    wires.irq((rx_full() && r.cr.template is<KMIRXINTREN>()) || r.cr.template is<KMITXINTREN>());
  }
};
}  // namespace peripherals::pl050
