#include "peripherals/pci/msix.hpp"

#include <algorithm>

namespace peripherals::pci {
namespace {
constexpr u8 msix_id = 0x11;
constexpr u32 function_mask = 0x4000, enable = 0x8000;  // message control (§6.8.2.3)
}  // namespace

Msix::Msix(Function& f, unsigned bar, unsigned vectors, Send send)
    : function_(f),
      capability_(f.add_capability(msix_id, 12)),
      pending_at_(f.bar_size(bar) / 2),
      send_(std::move(send)),
      entries_(vectors),
      pending_(vectors) {
  f.preset(capability_ + 2, 2, vectors - 1);
  f.allow(capability_ + 2, 2, function_mask | enable);
  f.preset(capability_ + 4, 4, bar);
  f.preset(capability_ + 8, 4, u32(pending_at_) | bar);
}

bool Msix::masked(unsigned vector) const { return (control() & function_mask) || (entries_[vector].control & 1); }

void Msix::raise(unsigned vector) noexcept {
  if (vector >= entries_.size() || !enabled()) return;
  pending_[vector] = true;
  send_pending();
}

void Msix::capability_written() noexcept { send_pending(); }

void Msix::send_pending() noexcept {
  if (!enabled() || !function_.is_master()) return;
  for (unsigned v = 0; v < entries_.size(); ++v) {
    if (!pending_[v] || masked(v)) continue;
    pending_[v] = false;
    const Entry& e = entries_[v];
    if (send_) send_(u64(e.address_high) << 32 | e.address, e.data);
  }
}

u32 Msix::word(u64 off) const {
  if (off < 16 * entries_.size()) {
    const Entry& e = entries_[off / 16];
    switch (off / 4 % 4) {
      case 0: return e.address;
      case 1: return e.address_high;
      case 2: return e.data;
      default: return e.control;
    }
  }
  u32 v = 0;
  for (u64 bit = 0; off >= pending_at_ && bit < 32; ++bit)
    if (const u64 n = (off - pending_at_) * 8 + bit; n < pending_.size() && pending_[n]) v |= 1u << bit;
  return v;
}

// Accesses are of four or eight bytes (§6.8.2.1); others read part of a word and write nothing.
u64 Msix::read(u64 off, unsigned size) noexcept {
  u64 v = word(off & ~u64(3)) >> 8 * (off & 3);
  if (size == 8) v |= u64(word((off & ~u64(3)) + 4)) << 32;
  return v;
}

void Msix::write(u64 off, unsigned size, u64 value) noexcept {
  if (size == 8) {
    write(off, 4, u32(value));
    return write(off + 4, 4, value >> 32);
  }
  if (size != 4 || off % 4 || off >= 16 * entries_.size()) return;
  Entry& e = entries_[off / 16];
  switch (off / 4 % 4) {
    case 0: e.address = u32(value) & ~3u; break;
    case 1: e.address_high = u32(value); break;
    case 2: e.data = u32(value); break;
    default: e.control = u32(value) & 1; send_pending();
  }
}

void Msix::reset() noexcept {
  std::ranges::fill(entries_, Entry{});
  std::fill(pending_.begin(), pending_.end(), false);
}
}  // namespace peripherals::pci
