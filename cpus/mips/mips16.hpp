#pragma once
// What translator, disassembler and front end know alike about MIPS16e instructions.  MD00076 (volume IV-a).

#include "core/base.hpp"

namespace mips::mips16e {
using core::u16, core::u32;

inline constexpr u32 t = 24, sp = 29, ra = 31;

// The general register of a three-bit field (table 3-1).
constexpr u32 reg(u32 field) { return field < 2 ? 16 + field : field; }

// Bytes of the instruction that begins with this halfword: JAL, JALX and EXTEND have a second one (§3.9).
constexpr u32 length(u16 first) { return first >> 11 == 3 || first >> 11 == 30 ? 4 : 2; }

constexpr u32 sign_extended(u32 v, unsigned bits) { return u32(core::s32(v << (32 - bits)) >> (32 - bits)); }

// The operands of SAVE and RESTORE.  Registers are stored below the caller's frame from the highest number downwards,
// and arguments in the caller's frame.
struct Frame {
  u32 bytes = 0;
  u32 saved = 0;      // bit n: general register n
  u32 arguments = 0;  // how many of a0 to a3 are arguments, which only SAVE stores
};
constexpr Frame frame(u32 has_ra, u32 has_s0, u32 has_s1, u32 doublewords) {
  return {8 * (doublewords ? doublewords : 16), has_ra << 31 | has_s0 << 16 | has_s1 << 17, 0};
}
// `xsregs`: how many of s2 to s8; `aregs`: table of chapter 5, SAVE (extended): a pair of counts with two exceptions.
constexpr Frame frame(u32 has_ra, u32 has_s0, u32 has_s1, u32 doublewords, u32 xsregs, u32 aregs) {
  constexpr u32 four_statics = 11, four_arguments = 14;
  const u32 statics = aregs == four_statics ? 4 : aregs == four_arguments ? 0 : aregs & 3;
  const u32 arguments = aregs == four_statics ? 0 : aregs >> 2 == 3 ? 3 + (aregs == four_arguments) : aregs >> 2;
  Frame f = frame(has_ra, has_s0, has_s1, doublewords);
  f.bytes = 8 * doublewords;
  f.arguments = arguments;
  for (u32 n = 0; n < xsregs; ++n) f.saved |= 1u << (n < 6 ? 18 + n : 30);
  for (u32 n = 0; n < statics; ++n) f.saved |= 1u << (7 - n);
  return f;
}
}  // namespace mips::mips16e
