#pragma once
// What Ethernet controllers share (IEEE 802.3 clauses 3 and 4).

#include "core/base.hpp"

#include <algorithm>
#include <span>

namespace peripherals::ethernet {
using namespace core;

inline constexpr u32 least_frame = 60;  // without the frame check sequence

// The CRC register, bit-reversed form, after `bytes`; the frame check sequence is its complement, low byte first.
inline u32 crc_register(std::span<const u8> bytes) {
  u32 crc = ~0u;
  for (u8 c : bytes) {
    crc ^= c;
    for (int i = 0; i < 8; ++i) crc = crc >> 1 ^ (crc & 1 ? 0xedb8'8320u : 0);
  }
  return crc;
}
inline u32 frame_check(std::span<const u8> bytes) { return ~crc_register(bytes); }

// `frame` holds a destination address at least.
inline bool is_broadcast(std::span<const u8> frame) {
  return std::all_of(frame.begin(), frame.begin() + 6, [](u8 c) { return c == 0xff; });
}
inline bool is_multicast(std::span<const u8> frame) { return frame[0] & 1; }
}  // namespace peripherals::ethernet
