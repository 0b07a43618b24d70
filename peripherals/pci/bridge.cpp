#include "peripherals/pci/bridge.hpp"

namespace peripherals::pci {
namespace {
// Offsets in a header of type 1 (§3.2), and bits of BRIDGE_CONTROL (§3.2.5.18).
constexpr u32 cfg_primary = 0x18, cfg_secondary = 0x19, cfg_subordinate = 0x1a, cfg_secondary_latency = 0x1b,
              cfg_io_base = 0x1c, cfg_io_limit = 0x1d, cfg_memory_base = 0x20, cfg_memory_limit = 0x22,
              cfg_prefetch_base = 0x24, cfg_prefetch_limit = 0x26, cfg_prefetch_base_high = 0x28,
              cfg_prefetch_limit_high = 0x2c, cfg_control = 0x3e, cfg_after_windows = 0x30;
constexpr u16 control_isa = 4, control_vga = 8, control_reset = 0x40;
constexpr u8 header_bridge = 1, prefetch_64_bit = 1, slot_numbering = 0x04;

constexpr Identity bridge_identity{.vendor = 0x1b36,
                                   .device = 0x0001,
                                   .class_code = 0x060400,
                                   .subsystem_vendor = 0,
                                   .subsystem = 0,
                                   .interrupt_pin = 1,
                                   .status = 0x00a0};
}  // namespace

Bridge::Bridge(std::string name, u8 chassis) : Function(bridge_identity), secondary_(0, upstream()) {
  id = std::move(name);
  kind = "pci-bridge";
  preset(cfg_header, 1, header_bridge);
  allow(cfg_primary, 4, 0xffff'ffff);  // the three bus numbers and the secondary latency timer
  allow(cfg_io_base, 2, 0xf0f0);       // 16-bit I/O addresses
  allow(cfg_memory_base, 4, 0xfff0'fff0);
  preset(cfg_prefetch_base, 4, prefetch_64_bit | prefetch_64_bit << 16);
  allow(cfg_prefetch_base, 4, 0xfff0'fff0);
  allow(cfg_prefetch_base_high, 4, ~0u);
  allow(cfg_prefetch_limit_high, 4, ~0u);
  allow(cfg_control, 2, 0x0fff);
  const u32 slots = add_capability(slot_numbering, 4);
  preset(slots + 2, 1, 0x20);  // first in chassis, no slots of its own
  preset(slots + 3, 1, chassis);
}

Upstream Bridge::upstream() {
  return {.dma_read = [this](GuestPhys at, std::span<u8> to) { return dma_read(at, to); },
          .dma_write = [this](GuestPhys at, std::span<const u8> from) { return dma_write(at, from); },
          .set_line =
              [this](unsigned line, bool on) {
                if (bus) bus->set_pin(slot, line, on);
              },
          .route = [](unsigned device, unsigned pin) { return (pin + device) & 3; },  // §9.1, table 9-1
          .addresses_moved =
              [this] {
                if (bus) bus->addresses_changed();
              }};
}

bool Bridge::leads_to(unsigned n) const noexcept {
  const unsigned first = get(cfg_secondary, 1), last = get(cfg_subordinate, 1);
  return first != 0 && n >= first && n <= last;
}

// §3.2.5.6 to .12: a window whose base is above its limit is closed.
void Bridge::each_window(const std::function<void(bool io, u64 first, u64 last)>& window) const {
  const u32 control = get(cfg_control, 2);
  if (command() & command_io) {
    const u64 first = u64(get(cfg_io_base, 1) & 0xf0) << 8, last = u64(get(cfg_io_limit, 1) & 0xf0) << 8 | 0xfff;
    // ISA enable leaves the upper 768 of each KiB to the ISA bus (§3.2.5.18).
    if (!(control & control_isa) && first <= last) window(true, first, last);
    for (u64 at = first; (control & control_isa) && at <= last; at += KiB) window(true, at, at + 255);
    if (control & control_vga) window(true, 0x3b0, 0x3bb), window(true, 0x3c0, 0x3df);
  }
  if (!(command() & command_memory)) return;
  if (control & control_vga) window(false, 0xa0000, 0xbffff);
  const auto memory = [this](u32 reg) { return u64(get(reg, 2) & 0xfff0) << 16; };
  const u64 first = memory(cfg_memory_base), last = memory(cfg_memory_limit) | 0xf'ffff;
  if (first <= last) window(false, first, last);
  const u64 low = memory(cfg_prefetch_base) | u64(get(cfg_prefetch_base_high, 4)) << 32;
  const u64 high = memory(cfg_prefetch_limit) | u64(get(cfg_prefetch_limit_high, 4)) << 32 | 0xf'ffff;
  if (low <= high) window(false, low, high);
}

void Bridge::config_write(u32 reg, unsigned size, u32 value) noexcept {
  const bool was_in_reset = get(cfg_control, 2) & control_reset;
  Function::config_write(reg, size, value);
  if (reg + size > cfg_primary && reg < cfg_secondary_latency) renumber();
  const bool control = reg + size > cfg_control;
  if (bus && ((reg + size > cfg_io_base && reg < cfg_after_windows) || control)) bus->addresses_changed();
  if (control && !was_in_reset && (get(cfg_control, 2) & control_reset)) secondary_.reset();
}

void Bridge::reset() noexcept {
  Function::reset();
  renumber();
  secondary_.reset();
}
}  // namespace peripherals::pci
