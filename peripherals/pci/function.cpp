#include "peripherals/pci/function.hpp"

#include "peripherals/pci/bus.hpp"

#include "core/log.hpp"

namespace peripherals::pci {
namespace {
// Low bits of a base address register that say what it is (§6.2.5.1).
u32 type_bits(BarKind kind) {
  switch (kind) {
    case BarKind::io: return 1;
    case BarKind::prefetchable: return 8;
    case BarKind::memory64: return 4;
    case BarKind::prefetchable64: return 12;
    default: return 0;
  }
}
u32 bar_register(unsigned bar) { return bar == rom_bar ? cfg_rom : cfg_bar + 4 * bar; }
constexpr u32 rom_enable = 1;
}  // namespace

Function::Function(const Identity& identity) : identity_(identity) {
  preset(cfg_vendor, 2, identity.vendor);
  preset(cfg_vendor + 2, 2, identity.device);
  preset(cfg_status, 2, identity.status);
  preset(cfg_revision, 1, identity.revision);
  for (unsigned i = 0; i < 3; ++i) preset(cfg_revision + 1 + i, 1, identity.class_code >> 8 * i & 0xff);
  preset(cfg_subsystem, 2, identity.subsystem_vendor);
  preset(cfg_subsystem + 2, 2, identity.subsystem);
  preset(cfg_pin, 1, identity.interrupt_pin);
  // COMMAND: I/O, memory, master, write and invalidate, parity, SERR#, interrupt disable; those that concern it.
  allow(cfg_command, 2, 0x0547);
  allow_clear(cfg_status, 2, status_errors);
  allow(cfg_cache_line, 2, 0xffff);  // and latency timer
  allow(cfg_line, 1, 0xff);
  for (unsigned i = 0; i < bar_count; ++i) {
    const Bar& bar = identity.bars[i];
    if (bar.kind == BarKind::none) continue;
    const u64 mask = ~(bar.size - 1);
    preset(bar_register(i), 4, type_bits(bar.kind));
    allow(bar_register(i), 4, u32(mask));
    if (is_64_bit(i)) allow(bar_register(i) + 4, 4, u32(mask >> 32));
  }
  if (identity.rom_size) allow(cfg_rom, 4, u32(~(identity.rom_size - 1)) | rom_enable);
}

void Function::set_rom(std::vector<u8> contents) {
  rom_ = std::move(contents);
  identity_.rom_size = rom_.size();
  allow(cfg_rom, 4, u32(~(identity_.rom_size - 1)) | rom_enable);
}

bool Function::is_64_bit(unsigned bar) const {
  const BarKind k = bar < bar_count ? identity_.bars[bar].kind : BarKind::none;
  return k == BarKind::memory64 || k == BarKind::prefetchable64;
}

u32 Function::get(u32 reg, unsigned size) const {
  u32 v = 0;
  for (unsigned i = 0; i < size && reg + i < bytes_.size(); ++i) v |= u32(bytes_[reg + i]) << 8 * i;
  return v;
}
void Function::set(u32 reg, unsigned size, u32 value) {
  for (unsigned i = 0; i < size; ++i) bytes_[reg + i] = u8(value >> 8 * i);
}
void Function::preset(u32 reg, unsigned size, u32 value) {
  set(reg, size, value);
  for (unsigned i = 0; i < size; ++i) power_on_[reg + i] = bytes_[reg + i];
}
void Function::allow(u32 reg, unsigned size, u32 writable) {
  for (unsigned i = 0; i < size; ++i) writable_[reg + i] = u8(writable >> 8 * i);
}
void Function::allow_clear(u32 reg, unsigned size, u32 bits) {
  for (unsigned i = 0; i < size; ++i) clearable_[reg + i] = u8(bits >> 8 * i);
}

u32 Function::add_capability(u8 id, unsigned size) {
  const u32 at = next_capability_;
  check(at + size <= bytes_.size());
  next_capability_ = (at + size + 3) & ~3u;
  preset(last_capability_, 1, at);
  preset(at, 2, id);
  last_capability_ = u8(at + 1);
  preset(cfg_status, 2, get(cfg_status, 2) | status_capabilities);
  return at;
}

u32 Function::config_read(u32 reg, unsigned size) noexcept { return get(reg, size); }

void Function::config_write(u32 reg, unsigned size, u32 value) noexcept {
  for (unsigned i = 0; i < size && reg + i < bytes_.size(); ++i) {
    u8& b = bytes_[reg + i];
    const u8 v = u8(value >> 8 * i);
    b = u8((b & ~writable_[reg + i]) | (v & writable_[reg + i]));
    b = u8(b & ~(v & clearable_[reg + i]));
  }
  const bool moves = reg < cfg_status || (reg + size > cfg_bar && reg < cfg_bar + 4 * bar_count) ||
                     (reg + size > cfg_rom && reg < cfg_rom + 4);
  if (!moves) return;
  if (bus) bus->addresses_changed();
  interrupt_changed();
}

void Function::reset() noexcept {
  bytes_ = power_on_;
  intx_ = false;
  interrupt_changed();
  if (bus) bus->addresses_changed();
}

bool Function::decodes(unsigned bar, u64& at) const {
  const u32 low = get(bar_register(bar), 4);
  if (bar == rom_bar) {
    at = low & ~u32(identity_.rom_size - 1);
    return identity_.rom_size && (low & rom_enable) && (command() & command_memory) && at != 0;
  }
  const Bar& b = identity_.bars[bar];
  if (b.kind == BarKind::none || !(command() & (is_io(bar) ? command_io : command_memory))) return false;
  at = (low | (is_64_bit(bar) ? u64(get(bar_register(bar) + 4, 4)) << 32 : 0)) & ~(b.size - 1);
  const u64 highest = is_64_bit(bar) ? ~(b.size - 1) : u32(~(b.size - 1));
  return at != 0 && at != highest;  // never set, or left from sizing
}

void Function::set_intx(bool level) noexcept {
  intx_ = level;
  interrupt_changed();
}

void Function::interrupt_changed() noexcept {
  const u16 status = u16(get(cfg_status, 2));
  set(cfg_status, 2, intx_ ? status | status_intx : status & ~status_intx);
  const bool drive = intx_ && !(command() & command_intx_off);
  if (drive == driven_ || !bus || !identity_.interrupt_pin) return;
  driven_ = drive;
  bus->set_pin(*this, drive);
}

bool Function::dma_read(GuestPhys at, std::span<u8> to) noexcept {
  return is_master() && bus && bus->up().dma_read(at, to);
}
bool Function::dma_write(GuestPhys at, std::span<const u8> from) noexcept {
  return is_master() && bus && bus->up().dma_write(at, from);
}
}  // namespace peripherals::pci
