// What translated MIPS32 code does: arithmetic, memory, branches and their delay slots.  Sections of MD00086.

#include "guest.hpp"

#include <array>

namespace mips::test {
namespace {
TEST_CASE("mips: code that is reached by branches runs each slot once (ADDU, BNE)") {
  all_four([](AnyGuest& g) {
    // v0 = 10 + 9 + … + 1; v1 counts slots
    g.run({addiu(a0, zero, 10), addiu(v0, zero, 0), addiu(v1, zero, 0), addu(v0, v0, a0), addiu(a0, a0, u32(-1)), bne(a0, zero, u32(-3)),
           addiu(v1, v1, 1)});
    CHECK(g.s.r[v0] == 55);
    CHECK(g.s.r[v1] == 10);
    CHECK(g.stop == accel::Engine::Stop::breakpoint);
  });
}

TEST_CASE("mips: a slot that changes the branch's register does not change the branch") {
  all_four([](AnyGuest& g) {
    g.run({addiu(a0, zero, 1), bne(a0, zero, 2), addiu(a0, zero, 0), addiu(v0, zero, 1), addiu(v1, zero, 2)});
    CHECK((g.s.r[a0] == 0 && g.s.r[v0] == 0 && g.s.r[v1] == 2));
    // … also where the slot has a path of its own (MOVZ), and for a register jump
    g.s.r[v0] = 0;
    g.run({lui(t9, 0x8000), ori(t9, t9, 0x1014), jr(t9), r_type(0xa, t9, zero, zero), addiu(v0, zero, 1), nop});
    CHECK((g.s.r[v0] == 0 && g.s.r[t9] == 0));
  });
}

TEST_CASE("mips: a branch likely that is not taken leaves its slot out (BEQL)") {
  all_four([](AnyGuest& g) {
    g.run({addiu(a0, zero, 1), beql(a0, zero, 2), addiu(v0, zero, 1), beql(a0, a0, 1), addiu(v1, zero, 1), nop});
    CHECK((g.s.r[v0] == 0 && g.s.r[v1] == 1));
  });
}

TEST_CASE("mips: JAL and JALR link behind the slot, which sees the link") {
  all_four([](AnyGuest& g) {
    g.put(0x8000'2000, {jr(ra), addiu(v1, v1, 1)});
    g.run({jal(0x8000'2000), addu(v0, ra, zero), lui(t9, 0x8000), ori(t9, t9, 0x2000), jalr(ra, t9), addu(a0, ra, zero)});
    CHECK(g.s.r[v0] == AnyGuest::code + 8);
    CHECK(g.s.r[a0] == AnyGuest::code + 0x18);
    CHECK(g.s.r[v1] == 2);
  });
}

TEST_CASE("mips: an exception in a slot has the branch's address, and BD (MD00090 Cause.BD)") {
  all_four([](AnyGuest& g) {
    g.run({nop, beq(zero, zero, 4), lw(v0, zero, 1), nop});
    CHECK(g.s.pc == AnyGuest::general);
    CHECK(g.code_of_exception() == u32(ExcCode::AdEL));
    CHECK(g.s.cp0.epc == AnyGuest::code + 4);
    CHECK((g.s.cp0.cause & cause_bd));
    CHECK(g.s.cp0.bad_vaddr == 1);
    CHECK(g.s.slot == 0);
    g.s.cp0.status = 0;
    settle_status(g.s);
    g.run({lw(v0, zero, 2)});
    CHECK(g.s.cp0.epc == AnyGuest::code);
    CHECK_FALSE((g.s.cp0.cause & cause_bd));
  });
}

TEST_CASE("mips: a slot in the next page, or with a breakpoint, or stepped to") {
  all_four([](AnyGuest& g) {
    constexpr u32 last = 0x8000'1ffc;
    g.put(last, {beq(zero, zero, 3), addiu(v0, v0, 1), addiu(v0, v0, 100), nop, addiu(v1, v1, 1)});
    g.go(last, 0x8000'2010);
    CHECK((g.s.r[v0] == 1 && g.s.r[v1] == 1));
    g.front.set_pc(g.s, last);
    g.step();  // the branch alone
    CHECK((g.s.pc == 0x8000'2000 && g.s.slot == 5));
    g.step();
    CHECK((g.s.pc == 0x8000'200c && g.s.slot == 0 && g.s.r[v0] == 2));
    // a fault in the slot
    g.put(0x8000'2000, {lw(a0, zero, 3)});
    g.go(last, 0x8000'2010);
    CHECK((g.s.pc == AnyGuest::general && g.s.cp0.epc == last && (g.s.cp0.cause & cause_bd)));
    g.s.cp0.status = 0;
    settle_status(g.s);
    // branch and slot step together inside a page
    g.put(AnyGuest::code, {jr(ra), addiu(v0, zero, 7)});
    g.s.r[ra] = 0x8000'3000;
    g.front.set_pc(g.s, AnyGuest::code);
    g.step();
    CHECK((g.s.pc == 0x8000'3000 && g.s.r[v0] == 7));
    g.front.set_pc(g.s, AnyGuest::code);
    g.s.r[v0] = 0;
    g.resume(AnyGuest::code + 4);
    CHECK((g.s.pc == AnyGuest::code + 4 && g.s.slot == 5 && g.s.r[v0] == 0));
    g.resume(0x8000'3000);
    CHECK((g.s.pc == 0x8000'3000 && g.s.r[v0] == 7));
  });
}

TEST_CASE("mips: a branch in a slot is reserved here (UNPREDICTABLE)") {
  all_four([](AnyGuest& g) {
    g.run({beq(zero, zero, 3), beq(zero, zero, 3), nop, nop});
    CHECK(g.s.pc == AnyGuest::general);
    CHECK(g.code_of_exception() == u32(ExcCode::RI));
    CHECK(g.s.cp0.epc == AnyGuest::code);
  });
}

TEST_CASE("mips: an instruction that may end a block works in a slot (MTC0)") {
  all_four([](AnyGuest& g) {
    g.s.r[a0] = 0x1000'0000;
    g.run({beq(zero, zero, 2), mtc0(a0, 12), addiu(v0, zero, 1), addiu(v1, zero, 1)});
    CHECK((g.s.cp0.status == 0x1000'0000 && g.s.r[v0] == 0 && g.s.r[v1] == 1));
  });
}

TEST_CASE("mips: a store in a slot that changes its own block (self-modifying code)") {
  all_four([](AnyGuest& g) {
    g.s.r[a0] = AnyGuest::code;
    g.s.r[a1] = addiu(v1, zero, 9);
    // overwrites the instruction the branch leads to, which is in the same block
    g.run({addiu(v0, zero, 1), bne(v0, zero, 1), sw(a1, a0, 12), addiu(v1, zero, 5), nop});
    CHECK(g.s.r[v1] == 9);
    CHECK(g.s.r[v0] == 1);
  });
}

// ---- arithmetic

TEST_CASE("mips: division by zero, and of the least number by -1, harm nobody (DIV)") {
  both([](AnyGuest& g) {
    const auto divide = [&](u32 function, u32 a, u32 b) {
      g.s.r[a0] = a;
      g.s.r[a1] = b;
      g.run({r_type(function, 0, a0, a1)});
      return std::array{g.s.lo[0], g.s.hi[0]};
    };
    constexpr u32 div = 0x1a, divu = 0x1b;
    CHECK(divide(div, u32(-7), 2) == std::array{u32(-3), u32(-1)});
    CHECK(divide(divu, u32(-7), 2) == std::array{0x7fff'fffcu, 1u});
    CHECK(divide(div, 5, 0) == std::array{5u, 0u});
    CHECK(divide(divu, 5, 0) == std::array{5u, 0u});
    CHECK(divide(div, 0x8000'0000, ~0u) == std::array{0x8000'0000u, 0u});
    CHECK(divide(div, 9, ~0u) == std::array{u32(-9), 0u});
    CHECK(divide(divu, 0x8000'0000, ~0u) == std::array{0u, 0x8000'0000u});
  });
}

TEST_CASE("mips: MADD and MSUB carry from LO to HI") {
  both([](AnyGuest& g) {
    constexpr auto special2 = [](u32 function) { return 0x1cu << 26 | a0 << 21 | a1 << 16 | function; };
    g.s.r[a0] = u32(-2), g.s.r[a1] = 3;
    g.s.lo[0] = 5, g.s.hi[0] = 7;
    g.run({special2(0)});
    CHECK((g.s.lo[0] == u32(-1) && g.s.hi[0] == 6));
    g.run({special2(4)});
    CHECK((g.s.lo[0] == 5 && g.s.hi[0] == 7));
    g.run({special2(1)});  // maddu: 0xfffffffe * 3 = 2fffffffa
    CHECK((g.s.lo[0] == u32(-1) && g.s.hi[0] == 9));
    g.run({special2(5)});
    CHECK((g.s.lo[0] == 5 && g.s.hi[0] == 7));
  });
}

TEST_CASE("mips: overflow traps and leaves the register alone (ADD, ADDI, SUB)") {
  both([](AnyGuest& g) {
    const auto overflows = [&](u32 instruction, u32 a, u32 b) {
      g.s.r[a0] = a, g.s.r[a1] = b, g.s.r[v0] = 77;
      g.s.cp0.status = 0;
      settle_status(g.s);
      g.run({instruction});
      if (g.s.pc != AnyGuest::general) return false;
      CHECK(g.code_of_exception() == u32(ExcCode::Ov));
      CHECK(g.s.r[v0] == 77);
      return true;
    };
    CHECK(overflows(r_type(0x20, v0, a0, a1), 0x7fff'ffff, 1));
    CHECK_FALSE(overflows(r_type(0x20, v0, a0, a1), 0x7fff'ffff, u32(-1)));
    CHECK(g.s.r[v0] == 0x7fff'fffe);
    CHECK(overflows(r_type(0x22, v0, a0, a1), 0x8000'0000, 1));
    CHECK_FALSE(overflows(r_type(0x22, v0, a0, a1), 0x8000'0000, u32(-1)));
    CHECK(overflows(i_type(8, v0, a0, u32(-1)), 0x8000'0000, 0));
    CHECK_FALSE(overflows(i_type(8, v0, a0, 1), 0x7fff'fffe, 0));
  });
}

TEST_CASE("mips: register 0 stays 0, and loads to it still happen") {
  both([](AnyGuest& g) {
    g.run({addiu(zero, zero, 5), addu(zero, a0, a1), addu(v0, zero, zero)});
    CHECK((g.s.r[0] == 0 && g.s.r[v0] == 0));
    g.run({lw(zero, zero, 0)});
    CHECK(g.s.pc == AnyGuest::refill);
  });
}

TEST_CASE("mips: EXT, INS, WSBH, SEB, SEH, ROTR, CLO") {
  both([](AnyGuest& g) {
    g.s.r[a0] = 0x1234'f680;
    g.run({i_type(0x1f, v0, a0, 7 << 11 | 8 << 6), i_type(0x1f, v1, a0, 31 << 11), 0x7c00'0000 | a0 << 16 | t0 << 11 | 0xa0,
           0x7c00'0000 | a0 << 16 | t1 << 11 | 0x420, 0x7c00'0000 | a0 << 16 | t2 << 11 | 0x620, 0x0020'0002 | a0 << 16 | t3 << 11 | 4 << 6});
    CHECK(g.s.r[v0] == 0xf6);
    CHECK(g.s.r[v1] == 0x1234'f680);
    CHECK(g.s.r[t0] == 0x3412'80f6);
    CHECK(g.s.r[t1] == 0xffff'ff80);
    CHECK(g.s.r[t2] == 0xffff'f680);
    CHECK(g.s.r[t3] == 0x0123'4f68);
    g.s.r[v0] = 0xffff'ffff;
    g.run({i_type(0x1f, v0, a0, 11 << 11 | 4 << 6 | 4)});  // ins v0, a0, 4, 8
    CHECK(g.s.r[v0] == 0xffff'f80f);
  });
}
}  // namespace
}  // namespace mips::test
