// Watch exceptions of a 24K and a 4Kc: WatchLo, WatchHi and Cause.WP (MD00090: Watch exception, WatchLo, WatchHi).

#include "guest.hpp"

#include "cpus/mips/cp0.hpp"
#include "cpus/mips/watch.hpp"

namespace mips::test {
namespace {
constexpr u32 entry_hi = 10, cause = 13, watch_lo = 18, watch_hi = 19;
constexpr u32 w = 1, r = 2, i = 4, global = 1u << 30;
constexpr u32 data = 0x8000'4000;

u32 lo(AnyGuest& g, unsigned pair) { return cp0_read(g.s, watch_lo << 3 | pair); }
u32 hi(AnyGuest& g, unsigned pair) { return cp0_read(g.s, watch_hi << 3 | pair); }
void watch_for(AnyGuest& g, unsigned pair, u32 lo, u32 hi = global) {
  cp0_write(g.s, watch_hi << 3 | pair, hi);
  cp0_write(g.s, watch_lo << 3 | pair, lo);
}
bool watched(const AnyGuest& g) { return g.s.pc == AnyGuest::general && g.code_of_exception() == u32(ExcCode::WATCH); }
void leave_exception(AnyGuest& g) {
  g.s.cp0.status &= ~status_exl;
  settle_status(g.s);
}

TEST_CASE("mips watch: registers") {
  LittleGuest g(true);
  CHECK(lo(g, 0) == 0);
  CHECK(hi(g, 0) == 0x8000'0000);  // more pairs follow
  CHECK(hi(g, 7) == 0);
  watch_for(g, 7, ~0u, ~0u);
  CHECK(lo(g, 7) == ~0u);
  CHECK(hi(g, 7) == 0x40ff'0ff8);
}

TEST_CASE("mips watch: a load or store of the doubleword is not done, and EPC is its address") {
  all_four([](AnyGuest& g) {
    g.set_word(0x4004, 5);
    g.s.r[a0] = data;
    g.run({lw(v0, a0, 4), sw(v0, a0, 8)});  // the page is open to both
    watch_for(g, 2, data | r);
    g.s.r[v0] = 1;
    g.run({nop, lw(v0, a0, 4)});
    CHECK((watched(g) && g.s.cp0.epc == AnyGuest::code + 4 && g.s.r[v0] == 1));
    CHECK(hi(g, 2) == (0x8000'0000 | global | r));
    CHECK((g.s.cp0.cause & cause_wp) == 0);
    leave_exception(g);
    g.s.r[v0] = 7;
    g.run({lw(v1, a0, 8), sw(v0, a0, 0), sw(v0, a0, 4), nop});  // next to it, and another kind
    CHECK((g.s.pc == AnyGuest::code + 16 && g.s.r[v1] == 5 && g.word(0x4004) == 7));
    watch_for(g, 2, data | w);
    g.s.r[v0] = 8;
    g.run({lw(v1, a0, 4), sw(v0, a0, 4)});
    CHECK((watched(g) && g.s.cp0.epc == AnyGuest::code + 4 && g.word(0x4004) == 7));
    CHECK(hi(g, 2) == (0x8000'0000 | global | w | r));  // what matched is remembered
    cp0_write(g.s, watch_hi << 3 | 2, global | r);      // a 1 clears it
    CHECK(hi(g, 2) == (0x8000'0000 | global | w));
    leave_exception(g);
    watch_for(g, 2, 0);
    g.run({sw(v0, a0, 4)});
    CHECK((g.s.pc == AnyGuest::code + 4 && g.word(0x4004) == 8));
    CHECK(accel::page_table(&g.s, 0, true)[data >> 12] != 0);  // and the page is as fast as before
  });
}

TEST_CASE("mips watch: bytes, unaligned words, doublewords and SC are references too") {
  all_four([](AnyGuest& g) {
    g.s.cp0.status = status_cu1;
    settle_status(g.s);
    g.s.r[a0] = data;
    watch_for(g, 0, data | 8 | r | w);
    const u32 sdc1 = i_type(0x3d, 2, a0, 8), ldc1 = i_type(0x35, 2, a0, 8), sb = i_type(0x28, v0, a0, 15),
              swl = i_type(0x2a, v0, a0, 9), lwr = i_type(0x26, v0, a0, 14), sc = i_type(0x38, v0, a0, 8);
    g.s.llbit = 0;
    for (const u32 instruction : {sdc1, ldc1, sb, swl, lwr, sc}) {
      CAPTURE(instruction);
      g.run({instruction});
      CHECK((watched(g) && g.s.cp0.epc == AnyGuest::code));
      leave_exception(g);
    }
    g.run({i_type(0x28, v0, a0, 7), i_type(0x28, v0, a0, 16), i_type(0x38, v0, a0, 0)});
    CHECK(g.s.pc == AnyGuest::code + 12);
  });
}

TEST_CASE("mips watch: registers of devices") {
  all_four([](AnyGuest& g) {
    g.s.r[a0] = 0xa000'0000 + device_at;
    g.run({lw(v0, a0, 16), sw(v0, a0, 16), lw(v0, a0, 16), sw(v0, a0, 16)});
    watch_for(g, 0, (0xa000'0000 + device_at + 16) | r | w);
    for (const u32 instruction : {lw(v0, a0, 16), sw(v0, a0, 16)}) {
      g.run({lw(v0, a0, 24), sw(v0, a0, 24), instruction});
      CHECK((watched(g) && g.s.cp0.epc == AnyGuest::code + 8));
      leave_exception(g);
    }
  });
}

TEST_CASE("mips watch: WatchHi.Mask widens the address, up to 4 KiB") {
  both([](AnyGuest& g) {
    g.s.r[a0] = data;
    watch_for(g, 0, data | 0x800 | r, global | 0x7f8);
    g.run({lw(v0, a0, 0x7fc)});
    CHECK(g.s.pc == AnyGuest::code + 4);
    for (const u32 offset : {0x800u, 0xffcu}) {
      g.run({lw(v0, a0, offset)});
      CHECK(watched(g));
      leave_exception(g);
    }
    g.run({lw(v0, a0, 0x1000)});
    CHECK(g.s.pc == AnyGuest::code + 4);
  });
}

TEST_CASE("mips watch: without G only in the address space of WatchHi.ASID") {
  both([](AnyGuest& g) {
    g.s.r[a0] = data;
    g.s.r[a1] = 3;
    g.s.r[a2] = 4;
    watch_for(g, 0, data | r, 3 << 16);
    g.run({lw(v0, a0, 0), mtc0(a1, entry_hi), nop, lw(v0, a0, 0)});
    CHECK((watched(g) && g.s.cp0.epc == AnyGuest::code + 12));
    leave_exception(g);
    g.run({mtc0(a2, entry_hi), lw(v0, a0, 0)});
    CHECK(g.s.pc == AnyGuest::code + 8);
  });
}

TEST_CASE("mips watch: instructions, of code that ran before") {
  all_four([](AnyGuest& g) {
    const auto loop = [&] {
      g.s.r[a0] = 3;
      g.s.r[v0] = 0;
      g.run({addiu(v0, v0, 1), addiu(a0, a0, u32(-1)), bne(a0, zero, u32(-3)), addiu(v1, v0, 0), nop});
    };
    loop();
    CHECK(g.s.r[v0] == 3);
    for (const u32 at : {0u, 8u}) {
      watch_for(g, 1, (AnyGuest::code + at) | i);
      loop();
      CHECK((watched(g) && g.s.cp0.epc == AnyGuest::code + at && !(g.s.cp0.cause & cause_bd)));
      CHECK(hi(g, 1) == (0x8000'0000 | global | i));
      leave_exception(g);
      g.s.cp0.watch_hi[1] = 0;
    }
    watch_for(g, 1, (AnyGuest::code + 16) | i);
    loop();
    CHECK((watched(g) && g.s.r[v0] == 3));
    leave_exception(g);
    // The loop's data in the same page are no fetches
    watch_for(g, 1, (AnyGuest::code + 0x800) | i);
    loop();
    CHECK(g.s.pc == AnyGuest::code + 20);
    watch_for(g, 1, 0);
    const u64 steps = g.engine->stats().single_steps;
    loop();
    CHECK(g.engine->stats().single_steps == steps);
  });
}

TEST_CASE("mips watch: of an instruction in a delay slot EPC is the branch, and the slot was not done") {
  all_four([](AnyGuest& g) {
    watch_for(g, 0, (AnyGuest::code + 8) | i);
    g.run({nop, beq(zero, zero, 2), addiu(v0, zero, 1), nop, nop});
    CHECK((watched(g) && g.s.cp0.epc == AnyGuest::code + 4 && (g.s.cp0.cause & cause_bd) && g.s.r[v0] == 0));
    leave_exception(g);
    watch_for(g, 0, data | r);
    g.s.r[a0] = data;
    g.run({nop, beq(zero, zero, 2), lw(v0, a0, 0), nop, nop});
    CHECK((watched(g) && g.s.cp0.epc == AnyGuest::code + 4 && (g.s.cp0.cause & cause_bd)));
  });
}

TEST_CASE("mips watch: the last instruction of a page, and MIPS16e that crosses into the next") {
  both([](AnyGuest& g) {
    watch_for(g, 0, 0x8000'1ff8 | i);
    g.run_at(0x8000'1ff4, {nop, nop, nop, nop});
    CHECK((watched(g) && g.s.cp0.epc == 0x8000'1ff8));
    leave_exception(g);
    g.go(0x8000'1ffc, 0x8000'2004);
    CHECK((watched(g) && g.s.cp0.epc == 0x8000'1ffc));
    leave_exception(g);
    watch_for(g, 0, 0x8000'2000 | i);
    g.s.machine->ram[0].host[0x1ffe] = 0x00;  // extend 0, then li v0, 5 as its second halfword
    g.s.machine->ram[0].host[0x1fff] = 0xf0;
    g.s.machine->ram[0].host[0x2000] = 0x05;
    g.s.machine->ram[0].host[0x2001] = 0x6a;
    accel::code_written(g.s, GuestPhys{0x1ffe}, 4);
    g.go(0x8000'1fff, 0x8000'2002);
    CHECK((watched(g) && g.s.cp0.epc == 0x8000'1fff));
    leave_exception(g);
    watch_for(g, 0, 0x8000'2008 | i);
    g.go(0x8000'1fff, 0x8000'2002);
    CHECK((g.s.pc == 0x8000'2002 && g.s.r[v0] == 5));
  });
}

TEST_CASE("mips watch: code that watches itself, or turns to an address space in which it is watched") {
  both([](AnyGuest& g) {
    g.s.r[a0] = (AnyGuest::code + 8) | i;
    g.s.r[a1] = global;
    g.run({mtc0(a1, watch_hi), mtc0(a0, watch_lo), addiu(v0, zero, 1), nop});
    CHECK((watched(g) && g.s.r[v0] == 0));
    leave_exception(g);
    watch_for(g, 0, (AnyGuest::code + 8) | i, 9 << 16);
    g.s.r[a1] = 9;
    g.run({nop, mtc0(a1, entry_hi), addiu(v0, zero, 1), nop});
    CHECK((watched(g) && g.s.r[v0] == 0));
    leave_exception(g);
    // TLBR sets the ASID too
    g.map(3, 0x0040'0000, 0x4000, 0x5000, 6, 9);
    g.s.cp0.index = 3;
    set_entry_hi(g.s, 0);
    g.run({nop, tlbr, addiu(v0, zero, 1), nop});
    CHECK((watched(g) && g.s.r[v0] == 0));
  });
}

TEST_CASE("mips watch: it goes before the exceptions of translation and alignment (priority of exceptions)") {
  both([](AnyGuest& g) {
    g.s.r[a0] = 0x0040'0000;
    watch_for(g, 0, 0x0040'0000 | r | i);
    for (const u32 offset : {0u, 1u}) {
      g.run({lw(v0, a0, offset)});
      CHECK(watched(g));
      leave_exception(g);
    }
    g.go(0x0040'0000, 0x0040'0004);
    CHECK((watched(g) && g.s.cp0.epc == 0x0040'0000));
  });
}

TEST_CASE("mips watch: put off while EXL or ERL is set, until both are clear") {
  all_four([](AnyGuest& g) {
    for (const u32 level : {u32(status_exl), u32(status_erl)}) {
      g.s.r[a0] = data;
      watch_for(g, 0, data | r);
      g.s.cp0.cause = 0;
      g.s.cp0.status = level;
      g.s.cp0.epc = g.s.cp0.error_epc = AnyGuest::code + 12;
      settle_status(g.s);
      g.set_word(0x4000, 77);
      g.run({lw(v0, a0, 0), nop, eret, addiu(v1, zero, 1), nop});
      CHECK((watched(g) && g.s.r[v0] == 77 && g.s.cp0.epc == AnyGuest::code + 12 && g.s.r[v1] == 0));
      CHECK((g.s.cp0.cause & cause_wp));  // software clears it
      g.s.r[a1] = 0;
      g.put(AnyGuest::general, {mtc0(zero, cause), eret});
      g.step();
      CHECK((read_cause(g.s) & cause_wp) == 0);
      g.step();
      watch_for(g, 0, 0);
      g.resume(AnyGuest::code + 20);
      CHECK((g.s.pc == AnyGuest::code + 20 && g.s.r[v1] == 1));
      g.s.r[v1] = 0;
    }
  });
}

TEST_CASE("mips watch: an exception of lower priority is taken while the watch is put off; an interrupt goes first") {
  both([](AnyGuest& g) {
    g.s.r[a0] = 0x0040'0000;
    watch_for(g, 0, 0x0040'0000 | r);
    g.s.cp0.status |= status_exl;
    g.s.cp0.epc = AnyGuest::code + 4;
    settle_status(g.s);
    g.run({lw(v0, a0, 0)});
    CHECK((g.s.pc == AnyGuest::general && g.code_of_exception() == u32(ExcCode::TLBL) && (g.s.cp0.cause & cause_wp)));
    static_cast<LittleGuest&>(g).machine.cpu.set_line(0, true);
    g.s.cp0.status = 0x401 | status_exl;
    settle_status(g.s);
    g.run({eret});
    CHECK((g.s.pc == AnyGuest::general && g.code_of_exception() == 0));
    static_cast<LittleGuest&>(g).machine.cpu.set_line(0, false);
    g.run({eret});
    CHECK(watched(g));
  });
}

TEST_CASE("mips watch: never in Debug mode, and not by a write of Cause.WP") {
  both([](AnyGuest& g) {
    g.s.r[a0] = data;
    watch_for(g, 0, data | r);
    cp0_write(g.s, 23 << 3, debug_dm);
    g.run({lw(v0, a0, 0)});
    CHECK((g.s.pc == AnyGuest::code + 4 && hi(g, 0) == (0x8000'0000 | global) && !(g.s.cp0.cause & cause_wp)));
    cp0_write(g.s, 23 << 3, 0);
    g.s.r[a1] = cause_wp;
    g.run({mtc0(a1, cause), nop});
    CHECK((g.s.pc == AnyGuest::code + 8 && !(read_cause(g.s) & cause_wp)));
  });
}

TEST_CASE("mips watch: user code, and release 1 without bits of what matched") {
  for (const bool interpret : {true, false}) {
    LittleGuest g(interpret, "4Kc");
    g.map(0, 0x0040'0000, 0x4000, 0x5000, 6, 5);
    set_entry_hi(g.s, 5);
    g.user_mode();
    g.s.r[a0] = 0x0040'0000;
    watch_for(g, 0, 0x0040'1000 | w, 5 << 16);
    g.put(0x4000, {sw(a0, a0, 0x800), sw(a0, a0, 0x1000)});
    g.go(0x0040'0000, 0x0040'0008);
    CHECK((watched(g) && g.s.cp0.epc == 0x0040'0004 && g.word(0x5000) == 0 && g.word(0x4800) == 0x0040'0000));
    CHECK(hi(g, 0) == (0x8000'0000 | 5 << 16));
  }
}
}  // namespace
}  // namespace mips::test
