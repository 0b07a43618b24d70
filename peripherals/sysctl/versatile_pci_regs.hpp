#pragma once
#include "core/reg.hpp"

namespace peripherals::versatile_pci_regs {
using namespace core;

// PCI controller registers of the Versatile/PB926 FPGA — DUI 0224I §4.15, table 4-52.  Pins: none.
// Storage; the windows they steer ask here.  Inbound accesses go straight to memory whatever SMAP says.
struct Regs {
  RegArray<struct PCI_IMAP, 0x00, 3, 4, R | W, 0, Bits<struct MAP, 0, 4>> imap;
  Reg<struct PCI_SELFID, 0x0c, R | W, 0, Bits<struct SLOT, 0, 5>> selfid;
  Reg<struct PCI_FLAGS,  0x10, R | W> flags;
  RegArray<struct PCI_SMAP, 0x14, 3, 4, R | W> smap;
};

template <class Wires>
struct VersatilePciRegs {
  static constexpr std::string_view kind = "versatile_pci_regs";
  static constexpr Ports ports{.widths = 4};
  Wires wires;
  Regs r;

  // PCI address of byte 0 of the 256 MiB page that memory window `n` (0…2) shows.
  u32 window_page(unsigned n) const { return n < 3 ? r.imap[n] << 28 : 0; }
  u32 self_slot() const { return r.selfid.v; }
};
}  // namespace peripherals::versatile_pci_regs
