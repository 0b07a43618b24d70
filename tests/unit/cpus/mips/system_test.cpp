// Exceptions, interrupts, the TLB and CP0 of a 24K.  Sections of MD00090; MD00086 for instructions.

#include "guest.hpp"

#include "cpus/mips/cp0.hpp"
#include "cpus/mips/helpers.hpp"

namespace mips::test {
namespace {
constexpr u32 entry_hi = 10, count = 9, compare = 11, status = 12, cause = 13, epc = 14;

void leave_exception(AnyGuest& g) {
  g.s.cp0.status &= ~status_exl;
  settle_status(g.s);
}

TEST_CASE("mips: reset state (table 9-1 and MD00343)") {
  BigGuest g(true);
  reset(g.s);
  CHECK(g.s.pc == 0xbfc0'0000);
  CHECK(g.s.cp0.status == (status_bev | status_erl));
  CHECK(cp0_read(g.s, 16 << 3) == 0x8000'8482);  // BE
  CHECK(cp0_read(g.s, 16 << 3 | 1) == 0x9e19'0c8f);
  CHECK(cp0_read(g.s, 15 << 3) == 0x0001'9300);
  CHECK(cp0_read(g.s, 15 << 3 | 1) == 0x8000'0000);
  CHECK(cp0_read(g.s, 12 << 3 | 1) == 0xe000'0000);
  g.s.cp0.config0 |= 1;
  cp0_write(g.s, 16 << 3, ~0u);
  CHECK(cp0_read(g.s, 16 << 3) == 0x8000'8487);  // only K0
}

TEST_CASE("mips: vectors (§5.2.2)") {
  both([](AnyGuest& g) {
    g.run({syscall});
    CHECK((g.s.pc == 0x8000'0180 && g.code_of_exception() == 8 && (g.s.cp0.status & status_exl)));
    leave_exception(g);
    g.s.cp0.ebase = 0x8000'5000;
    g.engine->set_breakpoint(0x8000'5180, true);
    g.run({0x0000'000d});
    CHECK((g.s.pc == 0x8000'5180 && g.code_of_exception() == 9));
    leave_exception(g);
    g.s.cp0.status |= status_bev;
    g.engine->set_breakpoint(0xbfc0'0380, true);
    g.run({0x0000'0034});  // teq zero, zero
    CHECK((g.s.pc == 0xbfc0'0380 && g.code_of_exception() == 13));
  });
}

TEST_CASE("mips: an exception inside an exception keeps EPC (§5.2.3)") {
  both([](AnyGuest& g) {
    g.run({nop, syscall});
    g.s.cp0.status |= status_exl;
    g.run({lw(v0, zero, 0)});  // no refill vector either
    CHECK(g.s.pc == AnyGuest::general);
    CHECK(g.s.cp0.epc == AnyGuest::code + 4);
  });
}

TEST_CASE("mips: coprocessors that may not be used (§5.2.4.19)") {
  both([](AnyGuest& g) {
    g.map(0, 0x0040'0000, 0x4000, 0x5000);
    g.user_mode();
    for (const auto& [instruction, unit] : {std::pair{mfc0(v0, status), 0u}, std::pair{0x4600'0000u, 1u}, std::pair{0x4a00'0000u, 2u}}) {
      leave_exception(g);
      g.put(0x4000, {instruction});
      g.go(0x0040'0000, 0x0040'0004);
      CHECK(g.s.pc == AnyGuest::general);
      CHECK(g.code_of_exception() == 11);
      CHECK((g.s.cp0.cause >> 28 & 3) == unit);
    }
    leave_exception(g);
    g.s.cp0.status |= status_cu0;
    g.put(0x4000, {mfc0(v0, status)});
    g.go(0x0040'0000, 0x0040'0004);
    CHECK(g.s.pc == 0x0040'0004);
  });
}

TEST_CASE("mips: a TLB refill sets BadVAddr, Context and EntryHi, and the instruction then goes on (§4.9, §5.2.4.8)") {
  all_four([](AnyGuest& g) {
    g.s.cp0.entry_hi = 7;
    g.s.r[a0] = 0x0040'2000;
    g.s.cp0.context = 0x8000'0000;
    g.set_word(0x6008, 0x1234'5678);
    g.run({lw(v0, a0, 0x1008)});
    CHECK((g.s.pc == AnyGuest::refill && g.code_of_exception() == 2 && g.s.cp0.epc == AnyGuest::code));
    CHECK(g.s.cp0.bad_vaddr == 0x0040'3008);
    CHECK(g.s.cp0.context == (0x8000'0000 | (0x0040'3008 >> 13) << 4));
    CHECK(g.s.cp0.entry_hi == (0x0040'2000 | 7));
    g.s.cp0.entry_lo[0] = 0;
    g.s.cp0.entry_lo[1] = 0x6000 >> 6 | 2;
    g.put(AnyGuest::refill, {tlbwr, eret});
    g.resume(AnyGuest::refill + 4);  // over the breakpoint by hand
    g.engine->step();
    CHECK(g.s.pc == AnyGuest::refill + 4);
    g.engine->step();
    g.resume(AnyGuest::code + 4);
    CHECK((g.s.pc == AnyGuest::code + 4 && g.s.r[v0] == 0x1234'5678));
    // V clear; D clear
    g.run({lw(v0, a0, 0)});
    CHECK((g.s.pc == AnyGuest::general && g.code_of_exception() == 2));
    leave_exception(g);
    g.run({sw(v0, a0, 0x1000)});
    CHECK((g.s.pc == AnyGuest::general && g.code_of_exception() == 1));
    leave_exception(g);
    // another address space does not have the page
    g.s.r[t0] = 8;
    g.run({mtc0(t0, entry_hi), lw(v0, a0, 0x1008)});
    CHECK(g.s.pc == AnyGuest::refill);
  });
}

TEST_CASE("mips: pages of every size (PageMask, table 9-9)") {
  both([](AnyGuest& g) {
    for (u32 bits = 13; bits <= 19; bits += 2) {  // 4 KiB to 32 KiB … within the memory
      const u32 page = 1u << (bits - 1);
      g.s.cp0.entry_hi = 0x1000'0000;
      g.s.cp0.page_mask = ((1u << bits) - 1) & ~0x1fffu;
      g.s.cp0.entry_lo[0] = 0x0004'0000 >> 6 | 7;
      g.s.cp0.entry_lo[1] = 0x0008'0000 >> 6 | 7;
      tlb_write(g.s, 3, false);
      g.set_word(0x4'0000 + page - 4, bits);
      g.set_word(0x8'0000 + page - 4, bits + 1);
      g.s.r[a0] = 0x1000'0000 + page;
      g.run({lw(v0, a0, u32(-4)), addu(a0, a0, a1)});
      CHECK(g.s.r[v0] == bits);
      g.s.r[a0] = 0x1000'0000 + 2 * page;
      g.run({lw(v0, a0, u32(-4))});
      CHECK(g.s.r[v0] == bits + 1);
      g.run({lw(v0, a0, 0)});
      CHECK(g.s.pc == AnyGuest::refill);
      leave_exception(g);
    }
  });
}

TEST_CASE("mips: TLBP finds what TLBWI wrote, and changes of an entry are seen at once") {
  both([](AnyGuest& g) {
    g.map(5, 0x0040'0000, 0x4000, 0x5000, 7);
    g.s.cp0.entry_hi = 0x0040'0000;
    g.run({tlbp});
    CHECK(g.s.cp0.index == 5);
    g.s.r[a0] = 0x0040'0000;
    g.set_word(0x4000, 1);
    g.set_word(0x6000, 2);
    g.run({lw(v0, a0, 0)});
    CHECK(g.s.r[v0] == 1);
    g.s.cp0.entry_lo[0] = 0x6000 >> 6 | 7;
    g.run({tlbwi, lw(v0, a0, 0)});
    CHECK(g.s.r[v0] == 2);
    g.s.cp0.entry_hi = 0x0080'0000;
    g.run({tlbp});
    CHECK(g.s.cp0.index == 0x8000'0000);
    g.s.cp0.index = 5;
    g.run({tlbr});
    CHECK((g.s.cp0.entry_hi == 0x0040'0000 && (g.s.cp0.entry_lo[0] & 0x3f) == 7));
  });
}

// A page whose entry TLBWR threw out may stay reachable, but not after software learnt that it is gone.
TEST_CASE("mips: TLBP of an address that is not there ends its mapping") {
  both([](AnyGuest& g) {
    g.s.cp0.wired = 15;  // TLBWR always hits the last
    g.map(15, 0x0040'0000, 0x4000, 0x5000, 7);
    g.set_word(0x4000, 1);
    g.s.r[a0] = 0x0040'0000;
    g.run({lw(v0, a0, 0)});
    g.s.cp0.entry_hi = 0x0080'0000;
    g.run({tlbwr});
    g.s.cp0.entry_hi = 0x0040'0000;
    g.run({tlbp, lw(v0, a0, 0)});
    CHECK(g.s.cp0.index == 0x8000'0000);
    CHECK(g.s.pc == AnyGuest::refill);
  });
}

TEST_CASE("mips: Status.ERL unmaps kuseg (§4.6)") {
  both([](AnyGuest& g) {
    g.set_word(0x4000, 9);
    g.s.r[a0] = 0x4000;
    g.s.cp0.status = status_erl;
    settle_status(g.s);
    g.run({lw(v0, a0, 0)});
    CHECK(g.s.r[v0] == 9);
    g.s.cp0.status = 0;
    settle_status(g.s);
    g.run({lw(v0, a0, 0)});
    CHECK(g.s.pc == AnyGuest::refill);
  });
}

TEST_CASE("mips: kernel pages stay open when the address space changes") {
  LittleGuest g(false);
  g.s.r[a0] = 0x8000'4000;
  g.run({lw(v0, a0, 0)});
  const u64* const table = accel::page_table(&g.s, 0, false);
  CHECK(table[0x8'0004] != 0);
  g.map(0, 0x0040'0000, 0x4000, 0x5000, 6, 0);
  g.s.r[a0] = 0x0040'0000;
  g.run({lw(v0, a0, 0)});
  CHECK(table[0x400] != 0);
  set_entry_hi(g.s, 1);
  CHECK(table[0x8'0004] != 0);
  CHECK(table[0x400] == 0);
}

// ---- interrupts

TEST_CASE("mips: an interrupt is taken when IE and its mask are set, as soon as they are (§5.1)") {
  both([](AnyGuest& g) {
    auto& machine = static_cast<LittleGuest&>(g).machine;
    machine.cpu.set_line(0, true);
    g.run({nop, nop});
    CHECK(g.s.pc == AnyGuest::code + 8);
    g.s.r[a0] = 0x0401;
    g.run({mtc0(a0, status), addiu(v0, zero, 1), nop});
    CHECK((g.s.pc == AnyGuest::general && g.code_of_exception() == 0 && g.s.cp0.epc == AnyGuest::code + 4 && g.s.r[v0] == 0));
    CHECK((read_cause(g.s) & 0x400));
    machine.cpu.set_line(0, false);
    CHECK_FALSE((read_cause(g.s) & 0x400));
    // eret with another pending
    g.s.cp0.status |= 0x100;
    g.s.r[a0] = 0x100;
    g.run({mtc0(a0, cause), eret});
    CHECK((g.s.pc == AnyGuest::general && g.s.cp0.epc == AnyGuest::code + 4));
  });
}

TEST_CASE("mips: Cause.IV moves interrupts, and IntCtl.VS spreads them (§5.1.3)") {
  LittleGuest g(true, "34Kf");
  g.engine->set_breakpoint(0x8000'0200 + 4 * 0x40, true);
  g.s.cp0.cause |= cause_iv;
  g.s.cp0.status = 0xff01;
  settle_status(g.s);
  g.machine.cpu.set_line(2, true);  // IP4
  g.run({nop});
  CHECK(g.s.pc == AnyGuest::interrupt);
  leave_exception(g);
  cp0_write(g.s, 12 << 3 | 1, 2 << 5);
  g.run({nop});
  CHECK(g.s.pc == 0x8000'0200 + 4 * 0x40);
}

TEST_CASE("mips: an interrupt between a branch and a slot in the next page goes back to the branch") {
  LittleGuest g(false);
  constexpr u32 last = 0x8000'1ffc;
  g.put(last, {beq(zero, zero, 3), addiu(v0, v0, 1), nop, nop, addiu(v1, v1, 1)});
  g.front.set_pc(g.s, last);
  g.step();
  g.s.cp0.status = 0x401;
  g.machine.cpu.set_line(0, true);
  g.resume(0);
  CHECK((g.s.pc == AnyGuest::general && g.s.cp0.epc == last && (g.s.cp0.cause & cause_bd) && g.s.slot == 0));
  g.machine.cpu.set_line(0, false);
  g.put(AnyGuest::code, {eret});
  g.go(AnyGuest::code, 0x8000'2010);
  CHECK((g.s.r[v0] == 1 && g.s.pc == 0x8000'2010));
}

TEST_CASE("mips: WAIT sleeps until an unmasked line, interrupts enabled or not") {
  both([](AnyGuest& g) {
    auto& machine = static_cast<LittleGuest&>(g).machine;
    g.s.cp0.status = 0x400;
    settle_status(g.s);
    g.run({wait, nop});
    CHECK((g.stop == accel::Engine::Stop::halted && g.s.pc == AnyGuest::code + 4));
    machine.cpu.set_line(1, true);
    CHECK(g.s.halted);
    machine.cpu.set_line(0, true);
    CHECK_FALSE(g.s.halted);
    g.resume(AnyGuest::code + 8);
    CHECK(g.s.pc == AnyGuest::code + 8);
  });
}

// ---- moves to and from CP0

TEST_CASE("mips: MFC0 reads what the register holds, whatever way it is translated") {
  both([](AnyGuest& g) {
    for (const char* name : {"4Kc", "24Kf"}) {
      g.s.model = find_model(name);
      REQUIRE(g.s.model);
      reset(g.s);
      Cp0& c = g.s.cp0;
      c.status = status_bev | status_cu0 | status_exl;  // no interrupt is taken
      settle_status(g.s);
      c.context = 0x1234'5670, c.bad_vaddr = 0x89ab'cdef, c.epc = 0x8765'4321, c.entry_hi = 0xabcd'e012, c.error_epc = 0x1357'9bdf;
      for (const u32 lines : {0u, 1u, 0x15u, 0x3fu, ~0u}) {
        for (const u32 stored : {0u, cause_ti, cause_bd | cause_ip_soft | 5u << 2, ~0u & ~(cause_dc | cause_ip)}) {
          g.s.lines = lines, c.cause = stored;
          update_interrupt_request(g.s);
          for (u32 number = 0; number < 32; ++number) {
            if (number == 1 || number == 9) continue;  // Random and Count
            for (u32 select = 0; select < 2; ++select) {
              CAPTURE(number);
              CAPTURE(select);
              g.run({mfc0(v0, number, select)});
              CHECK(g.s.r[v0] == cp0_read(g.s, cp0_register(number, select)));
              g.run({beq(zero, zero, 1), mfc0(v1, number, select)});
              CHECK(g.s.r[v1] == g.s.r[v0]);
            }
          }
        }
      }
      g.s.r[a0] = 0x8000'4242;
      g.run({mtc0(a0, epc), mfc0(v0, epc)});
      CHECK((g.s.r[v0] == 0x8000'4242 && c.epc == 0x8000'4242));
      g.run({beq(zero, zero, 1), mtc0(zero, epc)});
      CHECK(c.epc == 0);
    }
  });
}

TEST_CASE("mips: MTC0 of Status, DI and EI change what cp0_write() does, in line or not") {
  constexpr u32 im = 0xff00, di = 0x4160'6000, ei = 0x4160'6020;
  for (const char* name : {"4Kc", "24Kf"}) {
    LittleGuest g(true, name), expected(true, name);
    for (const u32 before : {0u, status_ie, status_ie | im, status_exl | 0x10 | im | status_ie, status_erl, status_cu1 | im})
      for (const u32 to : {0u, status_ie, 0x10u | status_ie, status_exl | 0x10u, status_exl | status_ksu | status_ie | im, 0x400u | status_ie,
                           status_cu1, status_erl | 0x10u, status_bev | status_exl, ~0u, status_re | status_exl, status_mx})
        for (const u32 pending : {0u, u32(cause_ip_soft), u32(cause_wp)})
          for (const u32 lines : {0u, 1u})
            for (const bool kicked : {false, true})
              for (const u32 instruction : {mtc0(a0, status), di | v0 << 16, ei | v0 << 16}) {
                CAPTURE(before);
                CAPTURE(to);
                CAPTURE(instruction);
                for (LittleGuest* one : {&g, &expected}) {
                  one->s.exit_request = 0;
                  reset(one->s);
                  one->s.cp0.status = before;
                  one->s.cp0.cause = pending;
                  one->s.lines = lines;
                  one->s.r[a0] = to;
                  settle_status(one->s);
                }
                const bool release2 = g.s.model->release2, moves = instruction == mtc0(a0, status);
                if ((!moves && !release2) || (g.s.exit_request & request_interrupt)) continue;
                if (kicked) g.s.exit_request |= request_kick;
                g.put(AnyGuest::code, {instruction});
                g.front.set_pc(g.s, AnyGuest::code);
                g.step();
                const u32 old = expected.s.cp0.status;
                cp0_write(expected.s, cp0_register(status, 0), moves ? to : instruction == (ei | v0 << 16) ? old | status_ie : old & ~status_ie);
                CHECK((g.s.cp0.status == expected.s.cp0.status && g.s.cp0.cause == expected.s.cp0.cause));
                CHECK((g.s.privilege == expected.s.privilege && g.s.regime == expected.s.regime));
                CHECK((g.s.fpu_mode == expected.s.fpu_mode && g.s.dsp_mode == expected.s.dsp_mode));
                CHECK((g.s.exit_request & request_interrupt) == (expected.s.exit_request & request_interrupt));
                if (!moves) CHECK(g.s.r[v0] == old);
                CHECK(g.s.pc == AnyGuest::code + 4);
              }
  }
}

// ---- Count and Compare (§9.16, §9.20)

TEST_CASE("mips: Count runs at half the clock; Compare raises IP7 until it is written") {
  LittleGuest g(true);
  const auto expire_due = [&] {
    while (g.machine.timers.take_due(g.clock.time) >= 0) g.machine.cpu.expire(Timer<0>{});
  };
  g.clock.time = 1000;
  CHECK(read_count(g.s) == 100);
  g.s.r[a0] = 150;
  g.run({mtc0(a0, compare), mfc0(v0, count)});
  CHECK(g.s.r[v0] == 100);
  g.clock.time = 1499;
  expire_due();
  CHECK_FALSE((read_cause(g.s) & cause_ti));
  g.clock.time = 1500;
  expire_due();
  CHECK((read_cause(g.s) & (cause_ti | 0x8000)) == (cause_ti | 0x8000));
  g.s.r[a0] = 120;  // nearly a whole round away
  g.run({mtc0(a0, compare)});
  CHECK((read_cause(g.s) & (cause_ti | 0x8000)) == 0);
  CHECK(g.machine.timers.deadline(0) == 1500 + ((u64(1) << 32) - 30) * 10);
  g.s.r[a0] = 0xffff'fff0;
  g.run({mtc0(a0, count)});
  CHECK(g.machine.timers.deadline(0) == 1500 + (120 + 16) * 10);
  // Cause.DC stops it
  g.s.r[a0] = cause_dc;
  g.run({mtc0(a0, cause)});
  g.clock.time = 5000;
  CHECK(read_count(g.s) == 0xffff'fff0);
  g.run({mtc0(zero, cause)});
  g.clock.time = 5100;
  CHECK(read_count(g.s) == 0xffff'fffa);
}

TEST_CASE("mips: RDHWR asks HWREna in user mode, and UserLocal is not there (MD00086)") {
  both([](AnyGuest& g) {
    const auto rdhwr = [](u32 n) { return 0x7c00'003b | v0 << 16 | n << 11; };
    g.map(0, 0x0040'0000, 0x4000, 0x5000);
    g.user_mode();
    const auto allowed = [&](u32 n) {
      leave_exception(g);
      g.put(0x4000, {rdhwr(n)});
      g.go(0x0040'0000, 0x0040'0004);
      return g.s.pc == 0x0040'0004;
    };
    CHECK_FALSE(allowed(3));
    CHECK(g.code_of_exception() == u32(ExcCode::RI));
    g.s.cp0.hwrena = 1 << 3;
    CHECK(allowed(3));
    CHECK(g.s.r[v0] == 2);
    CHECK_FALSE(allowed(2));
    CHECK_FALSE(allowed(29));
  });
}

TEST_CASE("mips: release 1 has no release 2 instructions, nor DI") {
  LittleGuest g(true, "4Kc");
  g.run({0x7c02'1420});  // seb v0, v0
  CHECK((g.s.pc == AnyGuest::general && g.code_of_exception() == u32(ExcCode::RI)));
  leave_exception(g);
  g.run({0x4160'6000});  // di
  CHECK((g.s.pc == AnyGuest::general && g.code_of_exception() == u32(ExcCode::RI)));
}

TEST_CASE("mips: DI and EI give the old Status (MD00086)") {
  both([](AnyGuest& g) {
    g.s.cp0.status = status_ie;
    g.run({0x4160'6000 | v0 << 16, mfc0(v1, status), 0x4160'6020 | a0 << 16, mfc0(a1, status)});
    CHECK((g.s.r[v0] == status_ie && g.s.r[v1] == 0 && g.s.r[a0] == 0 && g.s.r[a1] == status_ie));
  });
}

TEST_CASE("mips: a breakpoint trap to the debugger that is not there is Bp (SDBBP)") {
  both([](AnyGuest& g) {
    g.run({sdbbp});
    CHECK((g.s.pc == AnyGuest::general && g.code_of_exception() == 9));
  });
}
}  // namespace
}  // namespace mips::test
