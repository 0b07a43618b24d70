// Functions a compiler made for MIPS16e, with the result the same source has elsewhere:
//
//     u32 crc(const u8* p, u32 n) { u32 c = ~0u; for (u32 i = 0; i < n; i++) { c ^= p[i];
//       for (int k = 0; k < 8; k++) c = c & 1 ? (c >> 1) ^ 0xedb88320u : c >> 1; } return ~c; }
//     void sort(short* a, int n) { for (int i = 1; i < n; i++) { short v = a[i]; int j = i - 1;
//       while (j >= 0 && a[j] > v) { a[j + 1] = a[j]; j--; } a[j + 1] = v; } }
//     u32 fold(u32 a, u32 b, u32 c, u32 d, u32 e) { return a * 3 + b * 5 + c * 7 + d % 11 + e / 13; }
//     u32 start(u8* p, short* h) { for (int i = 0; i < 64; i++) p[i] = (u8)(i * 37 + 11);
//       for (int i = 0; i < 32; i++) h[i] = (short)(i * 12345 - 7777);
//       u32 c = crc(p, 64), s = 0; sort(h, 32);
//       for (int i = 0; i < 32; i++) s = fold(s, h[i], i, s >> 3, c);
//       return s ^ c; }
//
// gcc -Os -mips16 -mips32r2 -msoft-float -mno-abicalls -G0, linked at 80001000.

#include "tests/unit/cpus/mips/mips16.hpp"

#include <iterator>

using namespace mips;
using namespace mips::test;

namespace {
constexpr u16 program[] = {
    0x6a0b, 0x6b0d, 0xef5b, 0x2a01, 0xe8e5, 0x9704, 0xea10, 0xef7b, 0x2b01, 0xe8e5, 0xeb12, 0xe269, 0x33cc, 0xe3cf,
    0xe269, 0x33a8, 0xe3ad, 0xe269, 0x3384, 0xe38d, 0xe820, 0xe269, 0x6a01, 0xe4b5, 0xea4b, 0xecaa, 0x6102, 0xe820,
    0xea4f, 0xa460, 0xea6e, 0x6b08, 0x6e01, 0xee4c, 0x3246, 0x2602, 0xb603, 0xeace, 0x4bff, 0x2bf8, 0x4c01, 0x17ef,
    0xedb8, 0x8320, 0x6b01, 0x44c2, 0xeba2, 0x6101, 0xe8a0, 0x64b1, 0x8ee0, 0x434f, 0x6706, 0xf7ff, 0x883e, 0xef22,
    0x6005, 0x4aff, 0xc820, 0x48fe, 0x4221, 0x29f7, 0x4a01, 0x4b01, 0x3244, 0xeba2, 0xe449, 0x4e02, 0xcae0, 0x61ec,
    0x6431, 0xe8a0, 0x6a0b, 0x64f5, 0x6705, 0x6764, 0xc340, 0x4a25, 0x4b01, 0xea11, 0x724b, 0x61fa, 0xf19c, 0x6a1f,
    0x6770, 0xcb40, 0xf026, 0x4a19, 0x4b02, 0xea31, 0xf0bd, 0x721f, 0x61f8, 0x1800, 0x040b, 0x6d40, 0x6d20, 0x6790,
    0x1800, 0x0416, 0x6722, 0x6e00, 0x6c00, 0x32c4, 0xd104, 0x378e, 0xe049, 0x1800, 0x0400, 0x8aa0, 0x4e01, 0x6782,
    0x7620, 0x61f5, 0x6751, 0x6475, 0xe820, 0xea8e, 0x6500, 0x6500};
// A word among them, whose halves are in the order of the CPU's bytes.
constexpr u32 constant_at = 42, start_at = 0x90;

TEST_CASE("mips16e: compiled CRC, sort and calls") {
  all_four([](AnyGuest& g) {
    constexpr u32 code = AnyGuest::code, back = 0x8000'4000;
    for (u32 n = 0; n < std::size(program); ++n) put_half(g, code + 2 * n, program[n]);
    if (!g.s.big_endian) {
      put_half(g, code + 2 * constant_at, program[constant_at + 1]);
      put_half(g, code + 2 * constant_at + 2, program[constant_at]);
    }
    g.s.r[a0] = 0x8002'0000;
    g.s.r[a1] = 0x8002'0100;
    g.s.r[sp] = 0x8003'0000;
    g.s.r[ra] = back | 1;
    g.go((code + start_at) | 1, back);
    CHECK(g.s.pc == back);
    CHECK(g.s.r[sp] == 0x8003'0000);
    CHECK(g.s.r[v0] == 0xa6c6'd64a);
  });
}
}  // namespace
