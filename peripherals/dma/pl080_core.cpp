#include "peripherals/dma/pl080_core.hpp"

#include <algorithm>
#include <array>

namespace peripherals::pl080 {
namespace {
constexpr u32 source_increment = 1u << 26, destination_increment = 1u << 27;
// SBSize and DBSize (table 3-17).
constexpr u32 burst_of[] = {1, 4, 8, 16, 32, 64, 128, 256};
}  // namespace

u32 Channel::burst() const {
  const u32 source_bytes = burst_of[control >> 12 & 7] * source_width();
  const u32 destination_bytes = burst_of[control >> 15 & 7] * destination_width();
  return std::max(1u, std::min(source_bytes, destination_bytes) / source_width());
}

bool Channel::move(u32& elements, Memory& memory) {
  if (source_width() > 4 || destination_width() > 4) return false;  // reserved widths (table 3-18)
  while (elements && size())
    if (!move_packet(elements, memory)) return false;
  return true;
}

// The smallest amount that is whole elements on both sides; a tail narrower than a destination element
// is lost in the channel FIFO.
bool Channel::move_packet(u32& elements, Memory& memory) {
  std::array<u8, 4> bytes{};
  const unsigned from = source_width(), to = destination_width();
  const u32 count = std::min(std::max(from, to) / from, size());
  for (u32 i = 0; i < count; ++i) {
    if (!memory.read(GuestPhys{source}, std::span(bytes).subspan(i * from, from))) return false;
    if (control & source_increment) source += from;
  }
  for (u32 done = 0; done + to <= count * from; done += to) {
    if (!memory.write(GuestPhys{destination}, std::span(bytes).subspan(done, to))) return false;
    if (control & destination_increment) destination += to;
  }
  control -= count;  // TransferSize is the low field and ≥ count
  elements -= std::min(elements, count);
  return true;
}

bool Channel::follow(Memory& memory) {
  std::array<u8, 16> item;
  if (!memory.read(GuestPhys{next & ~3u}, item)) return false;
  source = load_le<u32>(&item[0]);
  destination = load_le<u32>(&item[4]);
  next = load_le<u32>(&item[8]);
  control = load_le<u32>(&item[12]);
  return true;
}
}  // namespace peripherals::pl080
