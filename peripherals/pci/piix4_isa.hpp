#pragma once
#include "peripherals/pci/function.hpp"

#include "core/reg.hpp"

namespace peripherals::piix4_isa {
using namespace core;

// Function 0 of the Intel 82371AB (PIIX4): the bridge from PCI to ISA — Intel 290562-001, chapter 4.
// It steers the four PCI interrupt lines to ISA interrupts, and resets the system (RC, port 0xCF9).
// Pins: in 0…3 PIRQA#…PIRQD#; out irq3 … irq15, those an interrupt can be steered to (level, high while asserted).
// Not modelled: the X-bus chip selects, DMA modes, GPIO, SMI (configuration registers are storage).
struct Regs {
  Reg8<struct RC, 0x00, R | Wfn, 0, Bits<struct SRST, 1>, Bits<struct RCPU, 2>> rc;  // §4.1.4, port 0xCF9
};

template <class Wires>
struct Piix4Isa {
  static constexpr std::string_view kind = "piix4_isa";
  static constexpr Ports ports{
      .window = 1,
      .inputs = 4,
      .outputs = {"irq3", "irq4", "irq5", "irq6", "irq7", "irq9", "irq10", "irq11", "irq12", "irq14", "irq15"},
      .widths = 1,
  };
  static constexpr pci::Identity pci_identity{.vendor = 0x8086,
                                              .device = 0x7110,
                                              .class_code = 0x060100,
                                              .subsystem_vendor = 0,
                                              .subsystem = 0,
                                              .status = 0x0280};
  static constexpr pci::BarMap pci_bars[] = {{0, 0}};
  Wires wires;
  Regs r;
  struct Hidden {
    u8 lines = 0;  // levels of PIRQA#…PIRQD#: inputs outlive a reset
    void reset() {}
  } x;

  // Registers beyond the header with the values of reset (§4.1); those a driver only stores are writable in full.
  static constexpr u32 iort = 0x4c, xbcs = 0x4e, pirqrc = 0x60, serirqc = 0x64, tom = 0x69, mbdma = 0x76,
                       apicbase = 0x80, dlc = 0x82, rtccfg = 0xcb;
  static constexpr u32 command_fixed = 0x0007;  // I/O, memory and master are always on
  static constexpr u8 route_off = 0x80;
  void pci_attached(pci::Function& f) {
    f.set_multifunction();
    f.preset(pci::cfg_command, 2, command_fixed);
    f.allow(pci::cfg_command, 2, 0x0100);  // SERR# enable
    for (u32 at = 0x40; at < 0x100; at += 4) f.allow(at, 4, 0xffff'ffff);
    f.preset(iort, 1, 0x4d);
    f.preset(xbcs, 2, 0x0003);
    // Firmware's choice, which a board without firmware starts with: A and B to 10, C and D to 11.
    for (u32 i = 0; i < 4; ++i) f.preset(pirqrc + i, 1, i < 2 ? 10 : 11);
    f.preset(tom, 1, 0x02);
    f.preset(0x70, 1, 0x80);
    f.preset(mbdma, 2, 0x0c0c);
    f.preset(0x78, 1, 0x02);
    f.preset(0xa0, 1, 0x08);
    f.preset(0xa8, 1, 0x0f);
  }
  void pci_config_write(pci::Function& f, u32 reg, unsigned size, u32 v) {
    f.Function::config_write(reg, size, v);
    if (reg < pirqrc + 4 && reg + size > pirqrc) update();
  }

  // RCPU going from 0 to 1 resets: the whole system with SRST, else the processor, which here is the same.
  void on_write(At<RC>, u8 v) {
    const bool before = r.rc.is<RCPU>();
    r.rc.write(v);
    if (r.rc.is<RCPU>() && !before) wires.system_reset();
  }
  void set_line(unsigned pirq, bool level) {
    x.lines = u8(level ? x.lines | 1u << pirq : x.lines & ~(1u << pirq));
    update();
  }
  void on_reset() { update(); }

 private:
  void update() {
    u32 irqs = 0;
    for (unsigned i = 0; i < 4; ++i) {
      const u32 route = wires.function().get(pirqrc + i, 1);
      if ((x.lines >> i & 1) && !(route & route_off)) irqs |= 1u << (route & 15);
    }
    wires.irq3(irqs >> 3 & 1), wires.irq4(irqs >> 4 & 1), wires.irq5(irqs >> 5 & 1), wires.irq6(irqs >> 6 & 1);
    wires.irq7(irqs >> 7 & 1), wires.irq9(irqs >> 9 & 1), wires.irq10(irqs >> 10 & 1), wires.irq11(irqs >> 11 & 1);
    wires.irq12(irqs >> 12 & 1), wires.irq14(irqs >> 14 & 1), wires.irq15(irqs >> 15 & 1);
  }
};
}  // namespace peripherals::piix4_isa
