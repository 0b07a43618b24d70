#pragma once
#include "core/reg.hpp"

namespace peripherals::versatile_sic {
using namespace core;

// Secondary interrupt controller in the FPGA of the Versatile boards — DUI 0225D §4.10.
// Pins: in 0…31 (level); out irq (to VIC 31), pic21…pic30 (inputs 21…30 straight to the VIC inputs of that number).
// Board option: mask, the inputs the FPGA image has (PB926 0x7fe003ff, AB926 0x0760031b).
// Not modelled: the FIQ half that Linux drivers/irqchip/irq-versatile-fpga.c clears at start, absent on this board.
struct Regs {
  Reg<struct SIC_STATUS, 0x000, Rfn> status;
  Reg<struct SIC_RAWSTAT, 0x004, Rfn> rawstat;
  Reg<struct SIC_ENABLE, 0x008, R | Wfn> enable;  // writing sets bits: SIC_ENSET
  Reg<struct SIC_ENCLR, 0x00c, Wfn> enclr;
  Reg<struct SIC_SOFTINTSET, 0x010, R | Wfn, 0, Bits<struct SOFTINT, 0>> softint;
  Reg<struct SIC_SOFTINTCLR, 0x014, Wfn> softintclr;
  Reg<struct SIC_PICENABLE, 0x020, R | Wfn, 0, Bits<struct PIC, 21, 10>> picenable;  // writing sets bits: SIC_PICENSET
  Reg<struct SIC_PICENCLR, 0x024, Wfn> picenclr;
  Reg<struct SIC_FIQENCLR, 0x02c, W> fiqenclr;
};

template <class Wires>
struct VersatileSic {
  static constexpr std::string_view kind = "versatile_sic";
  static constexpr Ports ports{.inputs = 32,
                               .outputs = {"irq", "pic21", "pic22", "pic23", "pic24", "pic25", "pic26", "pic27", "pic28",
                                           "pic29", "pic30"}};
  Wires wires;
  Regs r;
  struct Hidden {
    u32 level = 0;   // inputs
    u32 passed = 0;  // what pic21…pic30 show, by input number
    void reset() {}
  } x;

  void set_line(unsigned n, bool on) {
    x.level = on ? x.level | 1u << n : x.level & ~(1u << n);
    update();
  }
  u32 on_read(At<SIC_STATUS>) { return raw() & r.enable.v; }
  u32 on_read(At<SIC_RAWSTAT>) { return raw(); }
  void on_write(At<SIC_ENABLE>, u32 v) { r.enable.v |= v, update(); }
  void on_write(At<SIC_ENCLR>, u32 v) { r.enable.v &= ~v, update(); }
  void on_write(At<SIC_SOFTINTSET>, u32 v) { r.softint.v |= v & r.softint.writable, update(); }
  void on_write(At<SIC_SOFTINTCLR>, u32 v) { r.softint.v &= ~v, update(); }
  void on_write(At<SIC_PICENABLE>, u32 v) { r.picenable.v |= v & r.picenable.writable, update(); }
  void on_write(At<SIC_PICENCLR>, u32 v) { r.picenable.v &= ~v, update(); }
  void on_reset() { update(); }

 private:
  u32 raw() const { return u32((x.level | r.softint.v) & wires.mask); }
  // A passed input still shows in SIC_STATUS: both ways work at the same time.
  void update() {
    wires.irq((raw() & r.enable.v) != 0);
    const u32 passed = raw() & r.picenable.v;
    if (passed == x.passed) return;
    x.passed = passed;
    wires.pic21(passed >> 21 & 1);
    wires.pic22(passed >> 22 & 1);
    wires.pic23(passed >> 23 & 1);
    wires.pic24(passed >> 24 & 1);
    wires.pic25(passed >> 25 & 1);
    wires.pic26(passed >> 26 & 1);
    wires.pic27(passed >> 27 & 1);
    wires.pic28(passed >> 28 & 1);
    wires.pic29(passed >> 29 & 1);
    wires.pic30(passed >> 30 & 1);
  }
};
}  // namespace peripherals::versatile_sic
