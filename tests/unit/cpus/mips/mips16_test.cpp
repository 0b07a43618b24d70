// MIPS16e: decoding, what instructions do, jumps between the modes, exceptions.  Sections are of MD00076; texts are
// what objdump -m mips:16 prints.

#include "tests/unit/cpus/mips/mips16.hpp"

#include "mips16_decode.hpp"
#include "mips16_extended_decode.hpp"

#include <iterator>
#include <utility>

using namespace mips;
using namespace mips::test;

namespace {
TEST_CASE("mips16e: each encoding decodes to itself and to text") {
  const auto check_all = [](const auto& infos, auto op_of, auto disassemble, unsigned field_bit) {
    for (int n = 1; n < int(std::size(infos)); ++n) {
      CAPTURE(infos[n].name);
      u32 w = infos[n].bits;
      if (w == 0x6500 && std::string_view(infos[n].name) == "move_to") w |= 1u << field_bit;
      CHECK(int(op_of(w)) == n);
      CHECK(disassemble(w, 0x8000'0000).find('.') != 0);
    }
  };
  check_all(
      mips16::op_info, [](u32 w) { return mips16::op_of(w); }, [](u32 w, u32 pc) { return mips16::disassemble(w, pc); },
      0);
  check_all(
      mips16_extended::op_info, [](u32 w) { return mips16_extended::op_of(w); },
      [](u32 w, u32 pc) { return mips16_extended::disassemble(w, pc); }, 0);
}

TEST_CASE("mips16e: the text is objdump's") {
  LittleGuest g(true);
  constexpr std::pair<u32, const char*> texts[] = {
      {0x0410, "addiu a0,sp,64"},
      {0x0c01, "la a0,0x80000004"},
      {0x1003, "b 0x80000009"},
      {0x2afe, "bnez v0,0x7fffffff"},
      {0x3264, "sll v0,v1,1"},
      {0x3262, "srl v0,v1,8"},
      {0x426f, "addiu v1,v0,-1"},
      {0x4a80, "addiu v0,-128"},
      {0x5280, "slti v0,128"},
      {0x6003, "bteqz 0x80000009"},
      {0x6204, "sw ra,16(sp)"},
      {0x63f8, "addiu sp,-64"},
      {0x64f0, "save 128,ra,s0-s1"},
      {0x6470, "restore 128,ra,s0-s1"},
      {0x6490, "save 128,s1"},
      {0x6500, "nop"},
      {0x6501, "move zero,s1"},
      {0x6558, "move k0,s0"},
      {0x67bd, "move a1,sp"},
      {0x8a65, "lh v1,10(v0)"},
      {0xb204, "lw v0,0x80000010"},
      {0xe24d, "addu v1,v0,v0"},
      {0xe820, "jr ra"},
      {0xe8a0, "jrc ra"},
      {0xeac0, "jalrc v0"},
      {0xe801, "sdbbp"},
      {0xea65, "break 0x13"},
      {0xea64, "sllv v1,v0"},
      {0xe24f, "subu v1,v0,v0"},
      {0xe249, "addu v0,v0"},
      {0x3244, "sll v0,1"},
      {0xea4f, "not v0"},
      {0xeab1, "seh v0"},
      {0xea7a, "div zero,v0,v1"},
      {0x1a00'1234, "jal 0x804048d1"},
      {0x1fff'ffff, "jalx 0x8ffffffc"},
      {0xf123'0404, "addiu a0,sp,6436"},
      {0xf123'0c04, "la a0,0x80001924"},
      {0xf123'1003, "b 0x8000324b"},
      {0xf280'3260, "sll v0,v1,10"},
      {0xf7ff'426f, "addiu v1,v0,-1"},
      {0xf123'6a05, "li v0,6437"},
      {0xf120'64f4, "save 288,ra,s0-s2"},
      {0xf72e'64f4, "save a0-a3,288,ra,s0-s8"},
      {0xf72b'6474, "restore 288,ra,s0-s8,a0-a3"},
      {0xf725'64c4, "save a0,288,ra,s2-s8,a3"},
      {0xf018'64f1, "save a0-a1,136,ra,s0-s1"},
      {0xf007'6480, "save a0,0,a1-a3"},
      {0xf00c'6400, "restore a0-a2,0"},
      {0xf7ff'8a7f, "lh v1,-1(v0)"},
      {0xf123'b205, "lw v0,0x80001925"},
  };
  for (const auto& t : texts) {
    const u32 w = t.first;
    const std::string text = t.second;
    CAPTURE(text);
    u8 bytes[4];
    store_le(bytes, u16(w > 0xffff ? w >> 16 : w));
    store_le(bytes + 2, u16(w));
    unsigned length = 0;
    CHECK(g.front.disassemble(0x8000'0001, bytes, length) == text);
    CHECK(length == (w > 0xffff ? 4 : 2));
  }
}

TEST_CASE("mips16e: 64-bit instructions and macros are reserved") {
  all_four([](AnyGuest& g) {
    for (const u32 w :
         {0x3a65u /* ld */, 0xf800u, 0xe24cu /* daddu */, 0x3261u /* dsll */, 0xea51u /* zew */, 0x4270u /* daddiu */,
          0xf123'e265u /* asmacro */, 0xf123'ea6cu /* extend of and */, 0xf00f'6480u /* aregs 1111 */}) {
      CAPTURE(w);
      g.s.cp0.status = 0;
      run16(g, {w});
      CHECK(g.s.pc == AnyGuest::general);
      CHECK(g.s.isa16 == 0);
      CHECK(g.code_of_exception() == u32(ExcCode::RI));
      CHECK(g.s.cp0.epc == (AnyGuest::code | 1));
    }
  });
}

TEST_CASE("mips16e: immediates, moves, shifts") {
  all_four([](AnyGuest& g) {
    run16(g, {li16(v0, 200), extend(0xffff, 0x6b00) /* li v1 */, 0x4a80 /* addiu v0,-128 */,
              0x436f /* addiu v1,v1,-1 */, 0x4268 /* addiu v1,v0,-8 */, extend(0x8000, 0x4c00) /* addiu a0,-32768 */,
              move16(k0, v0), move_from16(a1, k0), 0x36a0 /* sll a2,a1,8 */, 0x37c3 /* sra a3,a2,8 */});
    CHECK(g.s.r[v0] == 72);
    CHECK(g.s.r[v1] == 64);
    CHECK(g.s.r[a0] == 0xffff'8000);
    CHECK(g.s.r[k0] == 72);
    CHECK(g.s.r[a2] == 72 << 8);
    CHECK(g.s.r[a3] == 72);
    g.s.r[v0] = 0x8000'00f0;
    g.s.r[v1] = 33;
    run16(g, {0xf7c0'3443 /* sra a0,v0,31 */, rr16(4, v1, v0) /* sllv v0,v1 */, move16(k1, v0),
              rr16(0x11, v0, v0 + 2) /* seb v0 */});
    CHECK(g.s.r[a0] == ~0u);
    CHECK(g.s.r[k1] == 0x1e0);
    CHECK(g.s.r[v0] == 0xffff'ffe0);
  });
}

TEST_CASE("mips16e: comparisons set T, which is t8; SLTIU compares with the sign-extended immediate") {
  all_four([](AnyGuest& g) {
    g.s.r[v0] = ~0u;
    g.s.r[v1] = 1;
    run16(g, {rr16(2, v0, v1) /* slt */, rr16(3, v0, v1) /* sltu */});
    CHECK(g.s.r[t8] == 0);
    run16(g, {rr16(2, v0, v1)});
    CHECK(g.s.r[t8] == 1);
    run16(g, {extend(0xfffe, 0x5b00) /* sltiu v1,-2 */});
    CHECK(g.s.r[t8] == 1);
    run16(g, {0x52ff /* slti v0,255 */});
    CHECK(g.s.r[t8] == 1);
    run16(g, {rr16(0xa, v0, v1) /* cmp */});
    CHECK(g.s.r[t8] == 0xffff'fffe);
    run16(g, {extend(0xffff, 0x7200) /* cmpi v0,0xffff */});
    CHECK(g.s.r[t8] == 0xffff'0000);
    run16(g, {0x7301 /* cmpi v1,1 */, 0x6001 /* bteqz over */, li16(a3, 1), li16(a2, 2)});
    CHECK(g.s.r[a3] == 0);
    CHECK(g.s.r[a2] == 2);
  });
}

TEST_CASE("mips16e: PC is the word of the instruction, of EXTEND, and in a delay slot that of the jump (ADDIUPC)") {
  all_four([](AnyGuest& g) {
    constexpr u32 code = AnyGuest::code;
    run16(g, {nop16, 0x0a02 /* la v0,pc+8 */, extend(0x21, 0x0b00) /* la v1,pc+0x21 */, 0xb401 /* lw a0,4(pc) */, nop16,
              nop16, nop16});
    CHECK(g.s.r[v0] == code + 8);
    CHECK(g.s.r[v1] == code + 4 + 0x21);
    CHECK(g.s.r[a0] == 0x6500'6500);
    g.s.r[ra] = code + 0x41;
    put16(g, code, {nop16, jr_ra16, 0x0a00 /* la v0,pc */});
    g.go(code | 1, code + 0x40);
    CHECK(g.s.r[v0] == code);
    put16(g, code + 0xfa, {jal16(code + 0x200), 0x0b00 /* la v1,pc */});
    g.go(code + 0xfb, code + 0x200);
    CHECK(g.s.r[v1] == code + 0xf8);
    CHECK(g.s.r[ra] == ((code + 0x100) | 1));
  });
}

TEST_CASE("mips16e: SAVE and RESTORE store below the frame from ra downwards") {
  all_four([](AnyGuest& g) {
    for (u32 n = 1; n < 32; ++n) g.s.r[n] = 0x100 + n;
    g.s.r[sp] = 0x8001'0000;
    run16(g, {0xf72b'64f4u ^ 0x5u << 16 /* save a0-a3,288,ra,s0-s8 */});
    CHECK(g.s.r[sp] == 0x8001'0000 - 288);
    for (u32 n = 0; n < 4; ++n) CHECK(g.word(0x1'0000 + 4 * n) == 0x104 + n);
    constexpr u32 order[] = {31, 30, 23, 22, 21, 20, 19, 18, 17, 16};
    for (u32 n = 0; n < std::size(order); ++n) CHECK(g.word(0xfffc - 4 * n) == 0x100 + order[n]);
    for (const u32 n : order) g.s.r[n] = 0;
    run16(g, {0xf720'6474 /* restore 288,ra,s0-s8 */});
    for (const u32 n : order) CHECK(g.s.r[n] == 0x100 + n);
    CHECK(g.s.r[sp] == 0x8001'0000);
    run16(g, {0xf007'64c2 /* save a0,16,ra,a1-a3 */});
    CHECK(g.s.r[sp] == 0x8000'fff0);
    for (u32 n = 0; n < 3; ++n) CHECK(g.word(0xfff8 - 4 * n) == 0x107 - n);
    g.s.r[a1] = 0;
    run16(g, {0xf007'6442});
    CHECK(g.s.r[a1] == 0x105);
    CHECK(g.s.r[sp] == 0x8001'0000);
    run16(g, {0x64a0 /* save 128,s0 */});
    CHECK(g.s.r[sp] == 0x8001'0000 - 128);
    CHECK(g.word(0xfffc) == 0x110);
  });
}

TEST_CASE("mips16e: a RESTORE that faults has changed no stack pointer, and is run again") {
  all_four([](AnyGuest& g) {
    g.s.r[sp] = 0x0000'5000 - 8;  // mapped up to 0x5000
    g.map(0, 0x4000, 0x4000, 0x5000);
    g.s.tlb[0].lo[1] &= ~2u;
    run16(g, {0x6472 /* restore 16,ra,s0,s1 */});
    CHECK(g.s.r[sp] == 0x4ff8);
    CHECK(g.s.cp0.bad_vaddr == 0x5004);
    CHECK(g.s.cp0.epc == (AnyGuest::code | 1));
  });
}

TEST_CASE("mips16e: JALX, JR and JALR change the mode; links have the mode in bit 0") {
  all_four([](AnyGuest& g) {
    constexpr u32 code = AnyGuest::code, function = code + 0x100;
    put16(g, function, {move_from16(v0, ra), jrc_ra16});
    g.run({29u << 26 | (function >> 2 & 0x3ff'ffff), ori(a0, 0, 7), ori(a1, 0, 8)});
    CHECK(g.s.pc == code + 12);
    CHECK(g.s.isa16 == 0);
    CHECK(g.s.r[v0] == code + 8);
    CHECK(g.s.r[a0] == 7);
    CHECK(g.s.r[a1] == 8);

    g.put(function, {addu(v0, ra, 0), jr(ra), addiu(v1, 0, 5)});
    g.s.r[v1] = 0;
    run16(g, {jal16(function, true) /* jalx */, li16(a0, 9), li16(a1, 10)});
    CHECK(g.s.isa16 == 1);
    CHECK(g.s.pc == code + 8);
    CHECK(g.s.r[v0] == ((code + 6) | 1));
    CHECK(g.s.r[v1] == 5);
    CHECK(g.s.r[a0] == 9);
    CHECK(g.s.r[a1] == 10);

    g.s.r[v0] = function;
    run16(g, {0xea40 /* jalr v0 */, li16(v0, 1)});
    CHECK(g.s.r[v0] == ((code + 4) | 1));
    g.s.r[v0] = function;
    run16(g, {0xeac0 /* jalrc v0 */, nop16});
    CHECK(g.s.r[v0] == ((code + 2) | 1));
  });
}

// Translated blocks jump to each other then, without the dispatcher.
TEST_CASE("mips16e: MIPS32 code that calls MIPS16e code again and again; the last call raises an exception in it") {
  all_four([](AnyGuest& g) {
    constexpr u32 code = AnyGuest::code, function = code + 0x200;
    put16(g, function, {0x7264 /* cmpi v0,100 */, 0x6101 /* btnez over */, break16, 0x4a01 /* addiu v0,1 */, jrc_ra16});
    g.s.r[t0] = function | 1;
    g.put(code, {jalr(ra, t0), nop, j(code), nop});
    g.go(code, code + 0x400);
    CHECK(g.s.pc == AnyGuest::general);
    CHECK(g.s.r[v0] == 100);
    CHECK(g.code_of_exception() == u32(ExcCode::Bp));
    CHECK(g.s.cp0.epc == ((function + 4) | 1));
    CHECK((g.s.cp0.cause & cause_bd) == 0);
  });
}

TEST_CASE("mips16e: code in a device is fetched by aligned words, across a page too") {
  all_four([](AnyGuest& g) {
    // Every word of it is li v0,1; addiu v0,1, but EXTEND for the latter where the page ends.
    static bool big_endian, aligned;
    big_endian = g.s.big_endian;
    aligned = true;
    g.s.machine->fetch_device = [](MachineBase*, GuestPhys at) -> u64 {
      aligned &= raw(at) % 4 == 0;
      const u32 first = 0x6a01, second = raw(at) == 0x1000'0ffc ? 0xf000 : 0x4a01;
      return big_endian ? __builtin_bswap32(first << 16 | second) : first | second << 16;
    };
    g.front.set_pc(g.s, 0xb000'0103);
    g.step();  // addiu
    CHECK(g.s.r[v0] == 1);
    g.step();  // li
    CHECK(g.s.r[v0] == 1);
    CHECK(g.s.pc == 0xb000'0106);
    CHECK(aligned);
    g.front.set_pc(g.s, 0xb000'0fff);
    g.s.r[v0] = 0;
    g.step();
    CHECK(g.s.pc == 0xb000'1002);
    CHECK(g.s.r[v0] == 1);
    CHECK(aligned);
  });
}

TEST_CASE("mips16e: a loop without delay slots, and one through a register") {
  all_four([](AnyGuest& g) {
    g.s.r[v0] = 0;
    run16(g, {li16(v1, 100), 0xe269 /* addu v0,v0,v1 */, 0x4bff /* addiu v1,-1 */, 0x2bfd /* bnez v1 */});
    CHECK(g.s.r[v0] == 5050);
    CHECK(g.s.r[v1] == 0);
  });
}

TEST_CASE("mips16e: an exception in a slot has the jump's address; ERET comes back to it") {
  all_four([](AnyGuest& g) {
    constexpr u32 code = AnyGuest::code;
    for (const bool is_jal : {false, true}) {
      g.s.cp0.status = 0;
      g.s.r[ra] = code + 0x101;
      put16(g, code, {nop16});
      if (is_jal) put16(g, code + 2, {jal16(code + 0x200), break16});
      else put16(g, code + 2, {jr_ra16, break16});
      g.go(code | 1, code + 0x100);
      CHECK(g.s.pc == AnyGuest::general);
      CHECK(g.code_of_exception() == u32(ExcCode::Bp));
      CHECK(g.s.cp0.epc == ((code + 2) | 1));
      CHECK((g.s.cp0.cause & cause_bd) != 0);
    }
    put16(g, code, {li16(v0, 1), li16(v0, 2), li16(v1, 3)});
    g.s.cp0.epc = (code + 2) | 1;
    g.put(code + 0x300, {eret});
    g.go(code + 0x300, code + 6);
    CHECK(g.s.isa16 == 1);
    CHECK(g.s.pc == code + 6);
    CHECK(g.s.r[v0] == 2);
  });
}

// Pages at 0x6000 and 0x7000 that are not next to each other in memory.
void map_apart(AnyGuest& g) { g.map(1, 0x6000, 0x2'0000, 0x3'0000); }

TEST_CASE("mips16e: an instruction across two pages is fetched where each is mapped") {
  all_four([](AnyGuest& g) {
    map_apart(g);
    constexpr u32 wide_li = extend(0x4321, 0x6a00);
    put16(g, 0x8002'0ffc, {li16(v1, 5), wide_li >> 16});
    put16(g, 0x8003'0000, {wide_li & 0xffff, li16(a0, 6)});
    put16(g, 0x8002'1000, {0x6a00});
    g.go(0x6ffd, 0x7004);
    CHECK(g.s.pc == 0x7004);
    CHECK(g.s.r[v0] == 0x4321);
    CHECK(g.s.r[v1] == 5);
    CHECK(g.s.r[a0] == 6);
    // … and again where they are mapped then
    put16(g, 0x8004'0000, {0x6a00 | 2, li16(a0, 7)});
    g.map(1, 0x6000, 0x2'0000, 0x4'0000);
    g.go(0x6ffd, 0x7004);
    CHECK(g.s.r[v0] == 0x4322);
    CHECK(g.s.r[a0] == 7);
    // JAL: its slot is in the second page
    constexpr u32 call = jal16(0x7100);
    put16(g, 0x8002'0ffe, {call >> 16});
    put16(g, 0x8004'0000, {call & 0xffff, 0x0a00 /* la v0,pc */});
    put16(g, 0x8004'0100, {nop16});
    g.go(0x6ffd, 0x7102);
    CHECK(g.s.pc == 0x7102);
    CHECK(g.s.r[ra] == 0x7005);
    CHECK(g.s.r[v0] == 0x6ffc);
    // a step is one instruction
    g.front.set_pc(g.s, 0x6ffd);
    g.step();
    CHECK(g.s.pc == 0x6ffe);
    g.step();
    CHECK(g.s.pc == 0x7002);
    CHECK(g.s.slot == 5);
    g.step();
    CHECK(g.s.pc == 0x7100);
  });
}

TEST_CASE("mips16e: where the second page is not mapped, the instruction faults with that page's address") {
  all_four([](AnyGuest& g) {
    map_apart(g);
    g.s.tlb[1].lo[1] &= ~2u;
    put16(g, 0x8002'0ffc, {li16(v1, 5), 0xf000});
    g.go(0x6ffd, 0x7002);
    CHECK(g.s.pc == AnyGuest::general);
    CHECK(g.code_of_exception() == u32(ExcCode::TLBL));
    CHECK(g.s.cp0.bad_vaddr == 0x7000);
    CHECK(g.s.cp0.epc == 0x6fff);
    CHECK(g.s.r[v1] == 5);
  });
}

TEST_CASE("mips16e: breakpoints and single steps") {
  all_four([](AnyGuest& g) {
    constexpr u32 code = AnyGuest::code;
    put16(g, code, {li16(v0, 1), li16(v1, 0x1234), li16(a0, 2), jr_ra16, li16(a1, 3)});
    g.s.r[ra] = code + 0x101;
    g.engine->set_breakpoint(code + 6, true);
    g.go(code | 1, code + 0x100);
    CHECK(g.s.pc == code + 6);
    CHECK(g.s.r[v1] == 0x1234);
    CHECK(g.s.r[a0] == 0);
    g.engine->set_breakpoint(code + 6, false);
    g.engine->set_breakpoint(code + 10, true);  // in the slot
    g.go(code | 1, code + 0x100);
    CHECK(g.s.pc == code + 10);
    CHECK(g.s.slot == 3);
    g.step();
    CHECK(g.s.pc == code + 0x100);
    CHECK(g.s.isa16 == 1);
    CHECK(g.s.r[a1] == 3);
    g.front.set_pc(g.s, code | 1);
    for (const u32 at : {2u, 6u, 8u}) {
      g.step();
      CHECK(g.s.pc == code + at);
    }
  });
}

TEST_CASE("mips16e: a CPU without it has no JALX, and an address error at an odd address") {
  for (const bool interpret : {true, false}) {
    LittleGuest g(interpret, "4KEc");
    g.run({29u << 26});
    CHECK(g.code_of_exception() == u32(ExcCode::RI));
    g.s.cp0.status = 0;
    g.s.r[v0] = 0x8000'2001;
    g.run({jr(v0), nop});
    CHECK(g.code_of_exception() == u32(ExcCode::AdEL));
    CHECK(g.s.cp0.bad_vaddr == 0x8000'2001);
  }
}
}  // namespace
