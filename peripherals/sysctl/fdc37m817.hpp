#pragma once
#include "core/reg.hpp"

namespace peripherals::fdc37m817 {
using namespace core;

// Configuration ports of the SMSC FDC37M817 super I/O controller — FDC37M81x data sheet, "Configuration".  Its
// functions are devices of their own: where the board page has them is where they are, and what is written here is
// storage. Window: 0x3f0.  Outside the configuration state, which 55 enters and AA leaves, nothing answers: the floppy
// controller's SRA and SRB do not exist in the PC/AT mode.
struct Regs {
  Reg8<struct CONFIG, 0, Rfn | Wfn> config;  // index
  Reg8<struct DATA, 1, Rfn | Wfn> data;
};

template <class Wires>
struct Fdc37m817 {
  static constexpr std::string_view kind = "fdc37m817";
  static constexpr Ports ports{.window = 2, .narrow = Narrow::lanes};
  static constexpr u8 enter = 0x55, leave = 0xaa;
  static constexpr u8 ldn_at = 0x07, id_at = 0x20, revision_at = 0x21, first_logical = 0x30;
  static constexpr unsigned devices = 9;  // 0 floppy, 3 parallel, 4 and 5 serial, 7 keyboard, 8 auxiliary I/O
  Wires wires;
  Regs r;
  struct Hidden {
    bool configuring = false;
    u8 index = 0;
    u8 global[first_logical] = {};
    u8 logical[devices][0x100 - first_logical] = {};

    void reset() {
      *this = {};
      global[0x03] = 0x03;
      global[0x26] = 0xf0, global[0x27] = 0x03;  // these ports
      set(0, 0x60, 0x03), set(0, 0x61, 0xf0), set(0, 0x70, 6), set(0, 0x74, 2);
      set(3, 0x74, 4), set(7, 0x60, 0x00), set(7, 0x61, 0x60);
    }
    void set(unsigned device, u8 at, u8 v) { logical[device][at - first_logical] = v; }
  } x;

  u8 on_read(At<CONFIG>) { return x.configuring ? x.index : 0xff; }
  void on_write(At<CONFIG>, u8 v) {
    if (x.configuring && v != leave) x.index = v;
    else x.configuring = v == enter || (x.configuring && v != leave);
  }
  u8 on_read(At<DATA>) {
    if (!x.configuring) return 0xff;
    if (x.index == id_at) return 0x4d;
    if (x.index == revision_at) return 0x00;
    const u8* at = place();
    return at ? *at : 0;
  }
  void on_write(At<DATA>, u8 v) {
    u8* at = x.configuring ? place() : nullptr;
    if (at) *at = v;
  }

 private:
  // Registers from 30 up are those of the device that LDN selects.
  u8* place() {
    if (x.index < first_logical) return &x.global[x.index];
    const u8 device = x.global[ldn_at];
    return device < devices ? &x.logical[device][x.index - first_logical] : nullptr;
  }
};
}  // namespace peripherals::fdc37m817
