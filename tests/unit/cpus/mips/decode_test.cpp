// The decoder and disassembler generated from mips32.isa.  Texts are what objdump -M mips32r2 prints.

#include "mips32_decode.hpp"

#include <doctest/doctest.h>

#include <iterator>
#include <string_view>
#include <utility>

using namespace core;

namespace {
TEST_CASE("mips32: each encoding decodes to itself and to text") {
  using namespace mips::mips32;
  for (int n = 1; n < int(std::size(op_info)); ++n) {
    CAPTURE(op_info[n].name);
    u32 w = op_info[n].bits | op_info[n].ones;
    if (std::string_view(op_info[n].name) == "sll") w |= 4u << 6;  // 0 is nop
    CHECK(int(op_of(w)) == n);
    CHECK(disassemble(w, 0x8000'0000).find('.') != 0);
  }
}

TEST_CASE("mips32: the text is objdump's, with its other names") {
  constexpr std::pair<u32, const char*> texts[] = {
      {0x0000'0000, "nop"},
      {0x0000'00c0, "ehb"},
      {0x0004'10c0, "sll v0,a0,0x3"},
      {0x0024'10c2, "ror v0,a0,0x3"},
      {0x0080'1025, "move v0,a0"},
      {0x0080'1021, "move v0,a0"},
      {0x0004'1023, "negu v0,a0"},
      {0x0080'1027, "not v0,a0"},
      {0x2402'fffb, "li v0,-5"},
      {0x3402'8000, "li v0,0x8000"},
      {0x27bd'ffe0, "addiu sp,sp,-32"},
      {0x8fbf'001c, "lw ra,28(sp)"},
      {0x3c02'8000, "lui v0,0x8000"},
      {0x1000'0003, "b 0x80000010"},
      {0x1040'ffff, "beqz v0,0x80000000"},
      {0x5443'0001, "bnel v0,v1,0x80000008"},
      {0x0411'0002, "bal 0x8000000c"},
      {0x0c00'0100, "jal 0x80000400"},
      {0x0320'f809, "jalr t9"},
      {0x03e0'0008, "jr ra"},
      {0x0044'001a, "div zero,v0,a0"},
      {0x7c02'1420, "seb v0,v0"},
      {0x7c62'28c0, "ext v0,v1,0x3,0x6"},
      {0x7c62'28c4, "ins v0,v1,0x3,0x3"},
      {0x4002'6000, "mfc0 v0,c0_status"},
      {0x4082'8001, "mtc0 v0,c0_config1"},
      {0x4160'6000, "di"},
      {0x4162'6020, "ei v0"},
      {0xbc95'0000, "cache 0x15,0(a0)"},
      {0x7c03'e83b, "rdhwr v1,hwr_ulr"},
      {0x0000'000c, "syscall"},
      {0x0007'000d, "break 0x7"},
      {0x0083'01f4, "teq a0,v1,0x7"},
      {0x0000'040f, "sync_mb"},
  };
  for (const auto& [w, text] : texts) CHECK(mips::mips32::disassemble(w, 0x8000'0000) == text);
}

TEST_CASE("mips32: release 6 and 64-bit instructions are none of them") {
  for (const u32 w : {0x0044'10d8u /* mul of release 6 */, 0xdc82'0000u /* ld */, 0xfc82'0000u /* sd */, 0x0004'10f8u /* dsll */,
                      0x0085'102cu /* dadd */, 0x6482'0001u /* daddiu */})
    CHECK(mips::mips32::op_of(w) == mips::mips32::Op::undefined);
}
}  // namespace
