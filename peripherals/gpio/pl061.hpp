#pragma once
#include "core/reg.hpp"

namespace peripherals::pl061 {
using namespace core;

// Arm PrimeCell GPIO PL061 (r1p0) — DDI 0190B, chapter 3.
// Pins: in 0…7 (GPIO lines), out irq (GPIOINTR).
// Board option: pullups, a bit per line that reads 1 while nothing drives it.
// Not modelled: what lines configured as outputs drive, hardware control (GPIOAFSEL) and the test registers: storage.
struct Regs {  // table 3-1
  Reg<struct GPIODATA, 0x3fc, R | W, 0, Bits<struct DATA, 0, 8>> data;  // its 256 addresses are claimed below
  Reg<struct GPIODIR, 0x400, R | Wfn, 0, Bits<struct DIR, 0, 8>> dir;
  Reg<struct GPIOIS, 0x404, R | Wfn, 0, Bits<struct IS, 0, 8>> is;
  Reg<struct GPIOIBE, 0x408, R | W, 0, Bits<struct IBE, 0, 8>> ibe;
  Reg<struct GPIOIEV, 0x40c, R | Wfn, 0, Bits<struct IEV, 0, 8>> iev;
  Reg<struct GPIOIE, 0x410, R | Wfn, 0, Bits<struct IE, 0, 8>> ie;
  Reg<struct GPIORIS, 0x414, Rfn> ris;
  Reg<struct GPIOMIS, 0x418, Rfn> mis;
  Reg<struct GPIOIC, 0x41c, Wfn> ic;
  Reg<struct GPIOAFSEL, 0x420, R | W, 0, Bits<struct AFSEL, 0, 8>> afsel;
  Reg<struct GPIOITCR, 0x600, R | W, 0, Bits<struct ITEN, 0>> itcr;
  RegArray<struct GPIOITIP, 0x604, 2, 4, R> itip;
  RegArray<struct GPIOITOP, 0x60c, 3, 4, R | W> itop;
  RegRom<struct GPIOPeriphID4_7, 0xfd0, 4, 0, 0, 0, 0> id4;
  PrimecellId<0x00041061> id;
};

template <class Wires>
struct Pl061 {
  static constexpr std::string_view kind = "pl061";
  static constexpr Ports ports{.inputs = 8, .outputs = {"irq"}};
  Wires wires;
  Regs r;
  struct Hidden {
    u8 level = 0, driven = 0;  // inputs, and which of them somebody has driven
    u8 seen = 0;               // lines at the last edge detection
    u8 edges = 0;              // edges found and not cleared
    void reset() { edges = 0; }
  } x;

  void set_line(unsigned n, bool on) {
    x.driven |= u8(1 << n);
    x.level = u8(on ? x.level | 1 << n : x.level & ~(1 << n));
    update();
  }

  // Address bits 9…2 select the lines an access reads or writes (§3.3.1).
  bool claims(u32 off) const { return off < 0x400; }
  u64 read_window(u32 off, unsigned) {
    if (off & 3) wires.stray(off);
    return off & 3 ? 0 : lines() & off >> 2;
  }
  // Only outputs take the value: Linux drivers/gpio/gpio-pl061.c sets a line again after making it an output.
  void write_window(u32 off, unsigned, u64 v) {
    if (off & 3) return wires.stray(off);
    const u32 mask = (off >> 2) & r.dir.v;
    r.data.v = (r.data.v & ~mask) | (u32(v) & mask);
    update();
  }

  u32 on_read(At<GPIORIS>) { return raw(); }
  u32 on_read(At<GPIOMIS>) { return raw() & r.ie.v; }
  void on_write(At<GPIODIR>, u32 v) { r.dir.write(v), update(); }
  void on_write(At<GPIOIS>, u32 v) { r.is.write(v), update(); }
  void on_write(At<GPIOIEV>, u32 v) { r.iev.write(v), update(); }
  void on_write(At<GPIOIE>, u32 v) { r.ie.write(v), update(); }
  void on_write(At<GPIOIC>, u32 v) { x.edges &= u8(~v), update(); }  // edges only (§3.3.9)
  void on_reset() {
    x.seen = u8(lines());
    update();
  }

 private:
  u32 lines() const {
    const u32 in = (x.level & x.driven) | (u32(wires.pullups) & 0xff & ~x.driven);
    return (r.data.v & r.dir.v) | (in & ~r.dir.v);
  }
  // Inputs that are at their active level, for level-sensitive lines, or had an edge, for the others.
  u32 raw() const {
    const u32 active = ~(lines() ^ r.iev.v) & ~r.dir.v & 0xff;
    return (active & r.is.v) | (x.edges & ~r.is.v);
  }
  void update() {
    const u32 now = lines(), changed = (now ^ x.seen) & ~r.dir.v & ~r.is.v;
    x.edges |= u8(changed & (r.ibe.v | ~(now ^ r.iev.v)));
    x.seen = u8(now);
    wires.irq((raw() & r.ie.v) != 0);
  }
};
}  // namespace peripherals::pl061
