#pragma once
#include "peripherals/pci/function.hpp"
#include "peripherals/video/cirrus_gd5446_core.hpp"

#include "core/reg.hpp"
#include "core/sparse_array.hpp"

#include <functional>

namespace peripherals::cirrus_gd5446 {

// Cirrus Logic CL-GD5446 graphics card, 4 MiB, on PCI — CL-GD5446 Technical Reference Manual, 1996.
// Window: the VGA's ports, 0x3B0 to 0x3DF.  Base address 0 is the video memory, 1 registers (cirrus_gd5446_core.hpp).
// Legacy memory 0xA0000 to 0xBFFFF answers on the bus while COMMAND and MISC allow memory.
// Pins: none; vertical interrupts are not connected on this card.
// Not modelled: COMMAND bit 0 does not hide the ports.  The video memory outlives a reset, as it does in the chip.
struct Regs {
  Reg8<struct CRTC_INDEX_MONO, 0x04, Access{}> crtc_index_mono;
  Reg8<struct CRTC_DATA_MONO, 0x05, Access{}> crtc_data_mono;
  Reg8<struct STATUS1_MONO, 0x0a, Access{}> status1_mono;  // write: feature control
  Reg8<struct ATTRIBUTE, 0x10, Access{}> attribute;
  Reg8<struct ATTRIBUTE_READ, 0x11, Access{}> attribute_read;
  Reg8<struct MISC, 0x12, Access{}> misc;  // read: status 0
  Reg8<struct ENABLE, 0x13, Access{}> enable;
  Reg8<struct SEQUENCER_INDEX, 0x14, Access{}> sequencer_index;
  Reg8<struct SEQUENCER_DATA, 0x15, Access{}> sequencer_data;
  Reg8<struct PIXEL_MASK, 0x16, Access{}> pixel_mask;
  Reg8<struct DAC_READ, 0x17, Access{}> dac_read;  // read: state
  Reg8<struct DAC_WRITE, 0x18, Access{}> dac_write;
  Reg8<struct DAC_DATA, 0x19, Access{}> dac_data;
  Reg8<struct FEATURE_READ, 0x1a, Access{}> feature_read;
  Reg8<struct MISC_READ, 0x1c, Access{}> misc_read;
  Reg8<struct GRAPHICS_INDEX, 0x1e, Access{}> graphics_index;
  Reg8<struct GRAPHICS_DATA, 0x1f, Access{}> graphics_data;
  Reg8<struct CRTC_INDEX, 0x24, Access{}> crtc_index;
  Reg8<struct CRTC_DATA, 0x25, Access{}> crtc_data;
  Reg8<struct STATUS1, 0x2a, Access{}> status1;  // write: feature control
};

template <class Wires>
struct CirrusGd5446 {
  static constexpr std::string_view kind = "cirrus_gd5446", vga_name = "cirrus";
  static constexpr Ports ports{.window = 0x30};
  static constexpr pci::Identity pci_identity{
      .vendor = 0x1013,
      .device = 0x00b8,
      .class_code = 0x030000,
      .status = 0,
      .bars = {pci::Bar{pci::BarKind::prefetchable, 32 * MiB}, pci::Bar{pci::BarKind::memory, 4 * KiB}}};
  Wires wires;
  Regs r;
  State x;  // the registers behind the ports; Regs names those
  SparseArray<u8> memory{memory_size};

  // The ports are indices and data: served here, byte after byte.
  bool claims(u32) const { return true; }
  u64 read_window(u32 off, unsigned size) {
    u64 v = 0;
    for (unsigned n = 0; n < size; ++n) v |= u64(read_port(off + n)) << 8 * n;
    if (trace_registers) trace_access(wires.name, reg_info<Regs>, off, size, v, false);
    return v;
  }
  void write_window(u32 off, unsigned size, u64 v) {
    if (trace_registers) trace_access(wires.name, reg_info<Regs>, off, size, v, true);
    for (unsigned n = 0; n < size; ++n) write_port(off + n, u8(v >> 8 * n));
  }
  u8 read_port(u32 off) {
    if (!find_reg(reg_info<Regs>, off)) return wires.stray(off), 0xff;
    return core().read_port(u16(0x3b0 + off), wires.now());
  }
  void write_port(u32 off, u8 v) {
    if (!find_reg(reg_info<Regs>, off)) return wires.stray(off);
    Core c = core();
    c.write_port(u16(0x3b0 + off), v);
    tell(c);
  }

  static constexpr unsigned legacy = pci::window_bar;
  void pci_windows(const pci::Function& f, const std::function<void(bool, u64, u64)>& found) const {
    if (f.command() & pci::command_memory) found(false, 0xa'0000, 0xb'ffff);
  }
  u64 pci_bar_read(unsigned bar, u64 off, unsigned size) {
    Core c = core();
    u64 v = 0;
    for (unsigned n = 0; n < size; ++n) v |= u64(read_bar(c, bar, u32(off) + n)) << 8 * n;
    return v;
  }
  void pci_bar_write(unsigned bar, u64 off, unsigned size, u64 v) {
    Core c = core();
    for (unsigned n = 0; n < size; ++n) {
      write_bar(c, bar, u32(off) + n, u8(v >> 8 * n));
      tell(c);
    }
  }

  // For a display; valid until the device is accessed again.
  View view() { return core().view(); }

 private:
  Core core() { return {x, memory}; }
  u8 read_bar(Core& c, unsigned bar, u32 at) {
    switch (bar) {
      case 0: return c.read_linear(at);
      case 1: return c.read_mmio(at, wires.now());
      case legacy: return c.read_legacy(at);
      default: return 0xff;
    }
  }
  static void write_bar(Core& c, unsigned bar, u32 at, u8 v) {
    switch (bar) {
      case 0: return c.write_linear(at, v);
      case 1: return c.write_mmio(at, v);
      case legacy: return c.write_legacy(at, v);
    }
  }
  void tell(Core& c) {
    if (c.complaint) wires.guest_error(c.complaint);
    c.complaint = nullptr;
  }
};
}  // namespace peripherals::cirrus_gd5446
