#pragma once
#include "core/reg.hpp"
#include "peripherals/misc/versatile_charlcd_core.hpp"

namespace peripherals::versatile_charlcd {

// Character LCD interface of the Versatile boards — DUI 0224I §4.7 — with an HD44780 display of two
// lines.  Accesses take time on the real bus; here each is complete at once (CHAR_RAW bit 0).
// Pins: out irq (level).
struct Regs {  // table 4-32
  Reg<struct CHAR_COM,  0x00, Rfn | Wfn> com;  // write: instruction; read: starts reading the address
  Reg<struct CHAR_DAT,  0x04, Rfn | Wfn> dat;  // write: character; read: starts reading memory
  Reg<struct CHAR_RD,   0x08, R, 0, Bits<struct RDATA, 0, 8>> rd;
  Reg<struct CHAR_RAW,  0x0c, R | Wfn, 0, Bits<struct COMPLETE, 0>> raw;
  Reg<struct CHAR_MASK, 0x10, R | Wfn, 0, Bits<struct MASK, 0>> mask;
  Reg<struct CHAR_STAT, 0x14, Rfn> stat;
};

template <class Wires>
struct VersatileCharlcd {
  static constexpr std::string_view kind = "versatile_charlcd";
  static constexpr Ports ports{.outputs = {"irq"}};
  Wires wires;
  Regs r;
  struct Hidden {
    Hd44780 display;
  } x;

  void on_write(At<CHAR_COM>, u32 v) {
    x.display.write(false, u8(v));
    complete();
  }
  void on_write(At<CHAR_DAT>, u32 v) {
    x.display.write(true, u8(v));
    complete();
  }
  u32 on_read(At<CHAR_COM>) {
    r.rd.v = x.display.read_address();
    complete();
    return 0;
  }
  u32 on_read(At<CHAR_DAT>) {
    r.rd.v = x.display.read_data();
    complete();
    return 0;
  }
  // Bit 0 is cleared by writing 0 (Linux drivers/auxdisplay/arm-charlcd.c).
  void on_write(At<CHAR_RAW>, u32 v) {
    r.raw.v &= v;
    update();
  }
  void on_write(At<CHAR_MASK>, u32 v) {
    r.mask.write(v);
    update();
  }
  u32 on_read(At<CHAR_STAT>) { return r.raw.v & r.mask.v; }
  void on_reset() { update(); }

  // Host side: one line of the panel.
  std::array<char, Hd44780::columns> text(u32 line) const { return x.display.text(line); }

  void complete() {
    r.raw.v = 1;
    update();
  }
  void update() { wires.irq((r.raw.v & r.mask.v) != 0); }
};
}  // namespace peripherals::versatile_charlcd
