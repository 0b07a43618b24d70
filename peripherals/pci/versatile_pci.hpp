#pragma once
#include "peripherals/pci/bus.hpp"

#include "core/machine.hpp"
#include "core/reg.hpp"

namespace peripherals::versatile_pci {
using namespace core;

// PCI bridge of the Versatile/PB926 FPGA — DUI 0224I §4.15.  It owns bus 0, where it is itself a function.
// Pins: out pci0 … pci3, the interrupt lines of the backplane (level).
// Windows on the processor's bus, table 4-50: self configuration 0x4100'0000, configuration 0x4200'0000, I/O
// 0x4300'0000, memory 0 0x4400'0000, memory 1 0x5000'0000, memory 2 0x6000'0000.
// Cards reach memory at its own address whatever SMAP says.
struct Regs {  // table 4-52
  RegArray<struct PCI_IMAP, 0x00, 3, 4, R | W, 0, Bits<struct MAP, 0, 4>> imap;
  Reg<struct PCI_SELFID, 0x0c, R | W, 0, Bits<struct SLOT, 0, 5>> selfid;
  Reg<struct PCI_FLAGS, 0x10, R | W> flags;
  RegArray<struct PCI_SMAP, 0x14, 3, 4, R | W> smap;
};

template <class Wires>
struct VersatilePci {
  static constexpr std::string_view kind = "versatile_pci";
  static constexpr Ports ports{.outputs = {"pci0", "pci1", "pci2", "pci3"}, .widths = 4};
  static constexpr pci::Identity pci_identity{.vendor = 0x10ee,
                                              .device = 0x0300,
                                              .class_code = 0x0b4000,
                                              .subsystem_vendor = 0,
                                              .subsystem = 0,
                                              .status = 0x0220};
  // Linux before 3.11 had the lines of the slots wrong, and emulators that followed it; how a kernel counts shows when
  // it writes a card's INTERRUPT_LINE for the first time.
  enum class Counting : u8 { unknown, by_slot, by_pin };

  Wires wires;
  Regs r;
  struct Hidden {
    Counting counting = Counting::unknown;
    void reset() {}  // after the cards have let go of their lines, see on_reset
  } x;
  pci::Bus bus{
      0,
      {.dma_read = [this](GuestPhys at, std::span<u8> to) { return wires.machine().dma_read(at, to); },
       .dma_write = [this](GuestPhys at, std::span<const u8> from) { return wires.machine().dma_write(at, from); },
       .set_line = [this](unsigned line, bool level) { set_line(line, level); },
       .route = [this](unsigned slot, unsigned pin) { return line_of(slot, pin); },
       .addresses_moved = {}}};

  void pci_attached(pci::Function& f) {
    f.preset(pci::cfg_cache_line + 1, 1, 0x10);  // latency timer
    bus.first_plug_slot = 12;                    // behind the bridge
  }
  u64 pci_bar_read(unsigned, u64, unsigned) { return 0; }
  void pci_bar_write(unsigned, u64, unsigned, u64) {}

  bool mem_plug_read(GuestPhys at, unsigned size, u64& v) {
    const u32 a = u32(raw(at));
    switch (window_of(raw(at))) {
      case Window::none: return false;
      case Window::self:
      case Window::configuration:
        v = bus.config_read(a >> 16 & 0xff, a >> 8 & 0xff, register_of(a, size), std::min(size, 4u));
        return true;
      case Window::io:
        if (!bus.read(true, a & 0xff'ffff, size, v)) v = ~u64(0);
        return true;
      case Window::memory:
        if (!bus.read(false, pci_address(a), size, v)) v = ~u64(0);
        return true;
    }
    return false;
  }
  bool mem_plug_write(GuestPhys at, unsigned size, u64 v) {
    const u32 a = u32(raw(at));
    switch (window_of(raw(at))) {
      case Window::none: return false;
      case Window::configuration:
        if ((a & 0xfc) == 0x3c) watch_counting(a >> 11 & 0x1f, u8(v));
        [[fallthrough]];
      case Window::self:
        bus.config_write(a >> 16 & 0xff, a >> 8 & 0xff, register_of(a, size), std::min(size, 4u), u32(v));
        return true;
      case Window::io: bus.write(true, a & 0xff'ffff, size, v); return true;
      case Window::memory: bus.write(false, pci_address(a), size, v); return true;
    }
    return false;
  }

  void on_reset() {
    bus.reset();
    for (unsigned line = 0; line < 4; ++line) set_line(line, false);
    x.counting = Counting::unknown;
  }

 private:
  enum class Window : u8 { none, self, configuration, io, memory };
  static constexpr Window window_of(u64 at) {
    if (at - 0x4100'0000 >= 0x2f00'0000) return Window::none;  // 0x4100'0000 to 0x6fff'ffff
    switch (at >> 24) {
      case 0x41: return Window::self;
      case 0x42: return Window::configuration;
      case 0x43: return Window::io;
      default: return Window::memory;
    }
  }
  // The low four bits of IMAP take the place of the top four of the address.
  u32 pci_address(u32 at) const { return r.imap[(at >> 28) - 4] << 28 | (at & 0x0fff'ffff); }
  static u32 register_of(u32 at, unsigned size) { return at & 0xff & ~(std::min(size, 4u) - 1); }

  void watch_counting(unsigned slot, u8 line) {
    constexpr u8 first = 27;
    if (x.counting != Counting::unknown || !line || !bus.at(slot, 0)) return;
    const bool by_pin = line == first + slot || line == first + 64 + slot || (line == first && (slot & 3) != 2);
    x.counting = by_pin ? Counting::by_pin : Counting::by_slot;
  }
  // The backplane turns the pins by one from slot to slot (§4.15.3).
  unsigned line_of(unsigned slot, unsigned pin) const {
    return x.counting == Counting::by_pin ? pin : (slot + pin + 2) & 3;
  }
  void set_line(unsigned line, bool level) {
    switch (line) {
      case 0: return wires.pci0(level);
      case 1: return wires.pci1(level);
      case 2: return wires.pci2(level);
      default: return wires.pci3(level);
    }
  }
};
}  // namespace peripherals::versatile_pci
