#include "boards/pci_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace boards {
using namespace core;
using namespace peripherals::pci;

namespace {
struct ClassName {
  u16 code;
  const char* name;
};
// Base class and subclass (PCI 3.0, appendix D).
constexpr ClassName class_names[] = {
    {0x0001, "VGA controller"},
    {0x0100, "SCSI controller"},
    {0x0101, "IDE controller"},
    {0x0102, "Floppy controller"},
    {0x0104, "RAID controller"},
    {0x0106, "SATA controller"},
    {0x0180, "Storage controller"},
    {0x0200, "Ethernet controller"},
    {0x0280, "Network controller"},
    {0x0300, "VGA controller"},
    {0x0380, "Display controller"},
    {0x0400, "Video controller"},
    {0x0401, "Audio controller"},
    {0x0403, "Audio controller"},
    {0x0500, "RAM controller"},
    {0x0580, "Memory controller"},
    {0x0600, "Host bridge"},
    {0x0601, "ISA bridge"},
    {0x0604, "PCI bridge"},
    {0x0680, "Bridge"},
    {0x0700, "Serial port"},
    {0x0701, "Parallel port"},
    {0x0800, "Interrupt controller"},
    {0x0900, "Keyboard"},
    {0x0902, "Mouse"},
    {0x0c00, "Firewire controller"},
    {0x0c03, "USB controller"},
    {0x0c05, "SMBus"},
};
constexpr u32 cfg_class = 0x0a, cfg_primary = 0x18, cfg_secondary = 0x19, cfg_subordinate = 0x1a;

const char* class_name(u16 code) {
  for (const ClassName& c : class_names)
    if (c.code == code) return c.name;
  return nullptr;
}
u16 class_of(const Function& f) { return u16(f.get(cfg_class, 2)); }
bool is_bridge(const Function& f) { return (f.get(cfg_header, 1) & 0x7f) == 1; }

struct Region {
  unsigned number;
  bool io, wide, prefetchable;
  u64 at, last;  // all ones while nothing is decoded
};
std::vector<Region> regions(const Function& f) {
  std::vector<Region> out;
  for (unsigned bar = 0; bar <= rom_bar; ++bar) {
    const bool rom = bar == rom_bar;
    const BarKind kind = rom ? BarKind::memory : f.identity().bars[bar].kind;
    if (kind == BarKind::none || f.bar_size(bar) == 0) continue;
    u64 at;
    if (!f.decodes(bar, at)) at = ~u64(0);
    out.push_back({bar, kind == BarKind::io, kind == BarKind::memory64 || kind == BarKind::prefetchable64,
                   kind == BarKind::prefetchable || kind == BarKind::prefetchable64, at, at + f.bar_size(bar) - 1});
  }
  return out;
}

std::string window_lines(const Function& f) {
  const u64 io_first = (f.get(0x1c, 1) & 0xf0) << 8, io_last = (f.get(0x1d, 1) & 0xf0) << 8 | 0xfff;
  const auto memory = [&f](u32 reg) { return u64(f.get(reg, 2) & 0xfff0) << 16; };
  const u64 low = memory(0x24) | u64(f.get(0x28, 4)) << 32, high = memory(0x26) | u64(f.get(0x2c, 4)) << 32 | 0xf'ffff;
  return fmt::format("      BUS {}.\n      secondary bus {}.\n      subordinate bus {}.\n", f.get(cfg_primary, 1),
                     f.get(cfg_secondary, 1), f.get(cfg_subordinate, 1)) +
         fmt::format("      IO range [0x{:04x}, 0x{:04x}]\n      memory range [0x{:08x}, 0x{:08x}]\n", io_first,
                     io_last, memory(0x20), memory(0x22) | 0xf'ffff) +
         fmt::format("      prefetchable memory range [0x{:08x}, 0x{:08x}]\n", low, high);
}

void function_text(std::string& out, unsigned bus, const Function& f) {
  const u16 code = class_of(f);
  out += fmt::format("  Bus {:2}, device {:3}, function {}:\n    ", bus, f.slot, f.number);
  if (const char* name = class_name(code)) out += name;
  else out += fmt::format("Class {:04}", code);
  out += fmt::format(": PCI device {:04x}:{:04x}\n", f.get(cfg_vendor, 2), f.get(cfg_vendor + 2, 2));
  if (!is_bridge(f) && f.get(cfg_subsystem, 4))
    out += fmt::format("      PCI subsystem {:04x}:{:04x}\n", f.get(cfg_subsystem, 2), f.get(cfg_subsystem + 2, 2));
  if (const u32 pin = f.get(cfg_pin, 1))
    out += fmt::format("      IRQ {}, pin {}\n", f.get(cfg_line, 1), char('A' + pin - 1));
  if (is_bridge(f)) out += window_lines(f);
  for (const Region& r : regions(f)) {
    if (r.io) out += fmt::format("      BAR{}: I/O at 0x{:04x} [0x{:04x}].\n", r.number, r.at, r.last);
    else
      out += fmt::format("      BAR{}: {} bit{} memory at 0x{:08x} [0x{:08x}].\n", r.number, r.wide ? 64 : 32,
                         r.prefetchable ? " prefetchable" : "", r.at, r.last);
  }
  out += fmt::format("      id \"{}\"\n", f.soldered ? "" : f.id);
}
}  // namespace

std::string pci_text(const Bus& bus) {
  std::string out;
  bus.each([&](Function& f) { function_text(out, bus.number, f); });
  bus.each([&](Function& f) {
    // Numbers the guest has not given yet say nothing about where a bus is.
    if (const Bus* behind = f.behind(); behind && behind->number != 0) out += pci_text(*behind);
  });
  return out;
}

std::string pci_tree_lines(const Function& f, unsigned indent) {
  const u16 code = class_of(f);
  const char* const name = class_name(code);
  std::string out =
      fmt::format("{:{}}class {}, addr {:02x}:{:02x}.{:x}, pci id {:04x}:{:04x} (sub {:04x}:{:04x})\n", "", indent,
                  name ? name : fmt::format("Class {:04x}", code), f.bus ? f.bus->number : 0, f.slot, f.number,
                  f.get(cfg_vendor, 2), f.get(cfg_vendor + 2, 2), is_bridge(f) ? 0 : f.get(cfg_subsystem, 2),
                  is_bridge(f) ? 0 : f.get(cfg_subsystem + 2, 2));
  for (const Region& r : regions(f))
    out +=
        fmt::format("{:{}}bar {}: {} at 0x{:x} [0x{:x}]\n", "", indent, r.number, r.io ? "i/o" : "mem", r.at, r.last);
  return out;
}
}  // namespace boards
