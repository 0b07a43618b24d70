#pragma once
#include "core/reg.hpp"
#include "peripherals/rtc/ds1338.hpp"

namespace peripherals::versatile_i2c {
using namespace core;

// Two-wire serial bus of the Versatile boards — DUI 0224I §4.18 — with the DS1338 clock at address
// 0x68.  Lines are open drain: low when anybody pulls.  Pins: none.
// Not modelled: the time-of-year clock's battery, other devices of the bus.
struct Regs {  // table 4-60
  Reg<struct SB_CONTROL,  0x00, Rfn | Wfn, 0, Bits<struct SCL, 0>, Bits<struct SDA, 1>> control;  // write: release lines
  Reg<struct SB_CONTROLC, 0x04, Wfn> control_clear;                                               // write: pull lines low
};

template <class Wires>
struct VersatileI2c {
  static constexpr std::string_view kind = "versatile_i2c";
  static constexpr Ports ports{};
  Wires wires;
  Regs r;
  struct Hidden {
    u32 out = 3;  // what the board drives: bit 0 SCL, bit 1 SDA; 1 is released
    ds1338::Ds1338 rtc;
  } x;

  u32 on_read(At<SB_CONTROL>) { return (x.out & 1) | u32(sda()) << 1; }
  void on_write(At<SB_CONTROL>, u32 v) { drive(x.out | (v & 3)); }
  void on_write(At<SB_CONTROLC>, u32 v) { drive(x.out & ~v); }

  void on_reset() { x.rtc.power_on(wires.wall_clock() - seconds()); }

  bool sda() const { return (x.out & 2) && x.rtc.sda(); }
  s64 seconds() const { return s64(wires.now() / 1'000'000'000); }
  void drive(u32 out) {
    x.out = out;
    x.rtc.lines(out & 1, sda(), seconds());
  }
};
}  // namespace peripherals::versatile_i2c
