#pragma once
#include "core/clock.hpp"
#include "core/reg.hpp"

namespace peripherals::versatile_sysreg {
using namespace core;

// Status and system control registers in the FPGA of the Versatile boards — DUI 0224I chapter 4, "Status and system control registers".
// Pins: in 0, 1 (a card is in MMC slot 0, 1), 2, 3 (it is write protected).
// Board option: sys_id, the value of SYS_ID.
// Not modelled: switches (read 0), what LEDs and oscillators do, the depth of a reset, the 2.2-inch panel's serial port;
// the panel id says "VGA" and the board says it is plugged into a PCI backplane.
struct Regs {
  Reg<struct SYS_ID, 0x00, Rfn> sys_id;
  Reg<struct SYS_SW, 0x04, R> sw;
  Reg<struct SYS_LED, 0x08, R | W, 0, Bits<struct LED, 0, 8>> led;
  RegArray<struct SYS_OSC, 0x0c, 5, 4, R | Wfn, 0, Bits<struct OSC, 0, 19>> osc;  // ICST307 settings
  Reg<struct SYS_LOCK, 0x20, R | Wfn, 0x1'0000, Bits<struct LOCKVAL, 0, 16>, Bits<struct LOCKED, 16>> lock;
  Reg<struct SYS_100HZ, 0x24, Rfn> hz100;
  RegArray<struct SYS_CFGDATA, 0x28, 2, 4, R | Wfn> cfgdata;
  Reg<struct SYS_FLAGS, 0x30, R | W1S> flags;
  Reg<struct SYS_FLAGSCLR, 0x34, Wfn> flagsclr;
  Reg<struct SYS_NVFLAGS, 0x38, Rfn | Wfn> nvflags;
  Reg<struct SYS_NVFLAGSCLR, 0x3c, Wfn> nvflagsclr;
  Reg<struct SYS_RESETCTL, 0x40, R | Wfn, 0, Bits<struct DEPTH, 0, 3>, Bits<struct RESETNOW, 8>> resetctl;
  Reg<struct SYS_PCICTL, 0x44, R, 1> pcictl;
  Reg<struct SYS_MCI, 0x48, Rfn> mci;
  Reg<struct SYS_FLASH, 0x4c, R | W, 0, Bits<struct FLASHWPn, 0>> flash;
  Reg<struct SYS_CLCD, 0x50, R | W, 0x1f00, Bits<struct LCDMODE, 0, 2>, Bits<struct NLCDIOON, 2>, Bits<struct VDDPOSSWITCH, 3>,
      Bits<struct PWR3V5VSWITCH, 4>, Bits<struct VDDNEGSWITCH, 5>> clcd;  // [12:8] panel id, read-only
  Reg<struct SYS_CLCDSER, 0x54, R | W> clcdser;
  Reg<struct SYS_BOOTCS, 0x58, R> bootcs;
  Reg<struct SYS_24MHZ, 0x5c, Rfn> mhz24;
  Reg<struct SYS_MISC, 0x60, R> misc;
  RegArray<struct SYS_DMAPSR, 0x64, 3, 4, R | W> dmapsr;
  Reg<struct SYS_BUSID, 0x80, R> busid;
  Reg<struct SYS_PROCID0, 0x84, R, 0x0200'0000> procid0;
  Reg<struct SYS_PROCID1, 0x88, R, 0xff00'0000> procid1;
  RegArray<struct SYS_OSCRESET, 0x8c, 5, 4, R | Wfn, 0, Bits<struct OSC, 0, 19>> oscreset;
  RegArray<struct SYS_TEST_OSC, 0xc0, 5, 4, R> test_osc;
};

template <class Wires>
struct VersatileSysreg {
  static constexpr std::string_view kind = "versatile_sysreg";
  static constexpr Ports ports{.inputs = 4};
  static constexpr u32 key = 0xa05f;
  Wires wires;
  Regs r;
  struct Hidden {
    u32 cards = 0;    // inputs
    u32 nvflags = 0;  // survive every reset but power-on
    void reset() {}
  } x;

  void set_line(unsigned n, bool on) { x.cards = on ? x.cards | 1u << n : x.cards & ~(1u << n); }

  // How the board wires 16 bits per pixel to the display: 0 as the controller sends them, 1 5:5:5:1, 2 5:6:5 with red in
  // the low bits, 3 5:6:5 with blue in the low bits.
  u32 display_mode() const { return r.clcd.get<LCDMODE>(); }

  u32 on_read(At<SYS_ID>) { return u32(wires.sys_id); }
  u32 on_read(At<SYS_100HZ>) { return u32(wires.now() / 10'000'000); }
  // Linux reads this one for every time stamp.
  u32 on_read(At<SYS_24MHZ>) { return u32(ns_to_ticks(wires.now(), 24'000'000)); }
  u32 on_read(At<SYS_MCI>) { return x.cards; }

  void on_write(At<SYS_LOCK>, u32 v) {
    r.lock.put<LOCKVAL>(v);
    r.lock.set<LOCKED>(r.lock.get<LOCKVAL>() != key);
  }
  void on_write(At<SYS_OSC>, u32 i, u32 v) {
    if (!locked()) r.osc.write(i, v);
  }
  void on_write(At<SYS_OSCRESET>, u32 i, u32 v) {
    if (!locked()) r.oscreset.write(i, v);
  }
  void on_write(At<SYS_CFGDATA>, u32 i, u32 v) {
    if (!locked()) r.cfgdata.write(i, v);
  }
  void on_write(At<SYS_RESETCTL>, u32 v) {
    if (locked()) return;
    r.resetctl.write(v);
    if (r.resetctl.is<RESETNOW>()) wires.system_reset();
  }

  void on_write(At<SYS_FLAGSCLR>, u32 v) { r.flags.v &= ~v; }
  u32 on_read(At<SYS_NVFLAGS>) { return x.nvflags; }
  void on_write(At<SYS_NVFLAGS>, u32 v) { x.nvflags |= v; }
  void on_write(At<SYS_NVFLAGSCLR>, u32 v) { x.nvflags &= ~v; }

 private:
  bool locked() const { return r.lock.is<LOCKED>(); }
};
}  // namespace peripherals::versatile_sysreg
