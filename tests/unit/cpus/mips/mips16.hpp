#pragma once
// MIPS16e code for the guest of guest.hpp.  Numbers above 0xffff are instructions of two halfwords.

#include "tests/unit/cpus/mips/guest.hpp"

namespace mips::test {
// Fields of registers: s0 is 0, s1 1, v0 2 … a3 7.
constexpr u32 field(u32 r) { return r & 7; }
constexpr u32 nop16 = 0x6500, jr_ra16 = 0xe820, jrc_ra16 = 0xe8a0, break16 = 0xe805;
constexpr u32 extend(u32 i, u32 second) { return (0xf000 | (i & 0x7e0) | (i >> 11 & 31)) << 16 | second | (i & 31); }
constexpr u32 li16(u32 x, u32 i) { return i < 256 ? 0x6800 | field(x) << 8 | i : extend(i, 0x6800 | field(x) << 8); }
constexpr u32 rr16(u32 function, u32 x, u32 y) { return 0xe800 | field(x) << 8 | field(y) << 5 | function; }
constexpr u32 move16(u32 r, u32 z) { return 0x6500 | (r & 7) << 5 | (r >> 3) << 3 | field(z); }
constexpr u32 move_from16(u32 y, u32 r) { return 0x6700 | field(y) << 5 | r; }
constexpr u32 jal16(u32 target, bool exchange = false) {
  const u32 j = target >> 2 & 0x3ff'ffff;
  return (0x1800 | u32(exchange) << 10 | (j >> 16 & 31) << 5 | j >> 21) << 16 | (j & 0xffff);
}

inline void put_half(AnyGuest& g, u32 va, u32 v) {
  const u32 at = va & 0x1fff'fffc, shift = ((va >> 1 & 1) ^ u32(g.s.big_endian)) * 16;
  g.set_word(at, (g.word(at) & ~(0xffffu << shift)) | v << shift);
}
// The address behind them.
inline u32 put16(AnyGuest& g, u32 va, std::initializer_list<u32> code) {
  for (const u32 w : code) {
    if (w > 0xffff) put_half(g, va, w >> 16), va += 2;
    put_half(g, va, w & 0xffff), va += 2;
  }
  return va;
}
inline void run16(AnyGuest& g, std::initializer_list<u32> code) {
  const u32 end = put16(g, AnyGuest::code, code);
  g.go(AnyGuest::code | 1, end);
}
}  // namespace mips::test
