#include "cpus/arm/cp15.hpp"
#include "cpus/arm/mmu.hpp"

#include "fake_softmmu.hpp"

#include <doctest/doctest.h>

using namespace arm;
using fake::Cpu;

namespace {
u32 get(Cpu& c, u32 crn, u32 crm, u32 opc2, u32 opc1 = 0) {
  u32 v = 0xdead'beef;
  CHECK(cp15_read(c.s, opc1, crn, crm, opc2, v));
  return v;
}
void set(Cpu& c, u32 crn, u32 crm, u32 opc2, u32 v) { CHECK(cp15_write(c.s, 0, crn, crm, opc2, v)); }
}  // namespace

TEST_CASE("cp15: identification (DDI 0198E 2.3.2)") {
  Cpu c;
  CHECK(get(c, 0, 0, 0) == 0x4106'9265);
  CHECK(get(c, 0, 0, 1) == 0x1d19'2192);
  CHECK(get(c, 0, 0, 2) == 0);
  for (u32 opc2 = 3; opc2 < 8; ++opc2) CHECK(get(c, 0, 0, opc2) == 0x4106'9265);
  CHECK(get(c, 0, 0, 1, 1) == 0);
}

TEST_CASE("cp15: control register keeps its fixed bits; what changes translation flushes (2.3.3)") {
  Cpu c;
  CHECK(get(c, 1, 0, 0) == 0x0005'0078);
  set(c, 1, 0, 0, 0xffff'ffff & ~ctl_m & ~ctl_a & ~ctl_s & ~ctl_r);
  CHECK(get(c, 1, 0, 0) == 0x0005'f07c);  // without B
  CHECK(fake::calls.flush == 0);
  set(c, 1, 0, 0, ctl_m);
  CHECK(get(c, 1, 0, 0) == 0x0005'0079);
  CHECK(fake::calls.flush == 1);
  set(c, 1, 0, 0, ctl_m);
  CHECK(fake::calls.flush == 1);
}

TEST_CASE("cp15: registers that store") {
  Cpu c;
  struct Row { u32 crn, crm, opc2, kept; };
  for (const Row& r : {Row{2, 0, 0, 0xffff'c000}, Row{3, 0, 0, ~0u}, Row{5, 0, 0, 0xff}, Row{5, 0, 1, 0xff},
                       Row{6, 0, 0, ~0u}, Row{9, 0, 0, ~0u}, Row{9, 0, 1, ~0u}, Row{9, 1, 0, 0}, Row{9, 1, 1, 0},
                       Row{10, 0, 0, ~0u}, Row{13, 0, 0, 0xfe00'0000}, Row{13, 0, 1, ~0u}}) {
    set(c, r.crn, r.crm, r.opc2, 0xffff'ffff);
    CHECK(get(c, r.crn, r.crm, r.opc2) == r.kept);
  }
  set(c, 15, 0, 0, 4);
  CHECK(get(c, 15, 0, 0, 7) == 0);
}

TEST_CASE("cp15: the FCSE PID flushes when it changes, the table base does not") {
  Cpu c;
  set(c, 13, 0, 0, 0);
  set(c, 2, 0, 0, 0x4000);
  CHECK(fake::calls.flush == 0);
  set(c, 13, 0, 0, 0x0200'0000);
  CHECK(fake::calls.flush == 1);
}

TEST_CASE("cp15: domains flush when they lose what may be open") {
  enum : u32 { none, client, reserved, manager };
  struct Row { u32 before, now; bool flushes; };
  for (const Row& r : {Row{none, client, false}, Row{none, manager, false}, Row{client, manager, false}, Row{manager, client, false},
                       Row{client, none, true}, Row{client, reserved, true}, Row{manager, none, true}, Row{manager, reserved, true},
                       Row{manager, manager, false}}) {
    Cpu c;
    set(c, 3, 0, 0, r.before << 14 | 1);
    set(c, 3, 0, 0, r.now << 14 | 1);
    CHECK(fake::calls.flush == r.flushes);
  }
  // What only a manager may do was done: ap 1 is for privileged code, ap 2 for loads where a user makes them.
  for (const bool user : {false, true})
    for (const bool store : {false, true})
      for (u32 ap = 1; ap < 4; ++ap) {
        Cpu c;
        c.mmu_on();
        c.section(0x4000'0000, 0, ap, 1);
        CHECK_FALSE(resolve_data(c.s, 0x4000'0000, 4, store, user).fault);
        set(c, 3, 0, 0, 0b01'11'01);
        CHECK(fake::calls.flush == 0);
        set(c, 3, 0, 0, 0b01'01'01);
        CHECK(fake::calls.flush == (user && (ap == 1 || (ap == 2 && store))));
        set(c, 3, 0, 0, 0b01'11'01);
        set(c, 3, 0, 0, 0b01'01'01);  // known once
        CHECK(fake::calls.flush == (user && (ap == 1 || (ap == 2 && store))));
      }
}

TEST_CASE("cp15: TLB maintenance (2.3.9)") {
  Cpu c;
  for (u32 crm : {5, 6, 7}) {
    fake::calls = {};
    set(c, 8, crm, 0, 0);
    CHECK(fake::calls.flush_but_sections == 1);
    set(c, 8, crm, 1, 0x1234'5000);
    CHECK(fake::calls.flush_but_sections == 1);
    CHECK(fake::calls.flush_page == 1);
    CHECK(fake::calls.flushed_page == 0x1234'5000);
  }
  c.s.cp15.fcse = 0x0200'0000;  // MVA and VA differ
  fake::calls = {};
  set(c, 8, 7, 1, 0x0200'0000);
  CHECK(fake::calls.flush_but_sections == 1);
}

TEST_CASE("cp15: test-and-clean says done, the other cache operations do nothing (2.3.8)") {
  Cpu c;
  CHECK(get(c, 7, 10, 3) == cpsr_z);
  CHECK(get(c, 7, 14, 3) == cpsr_z);
  const std::pair<u32, u32> operations[] = {{7, 0}, {5, 0}, {5, 1}, {5, 2}, {5, 4}, {5, 6}, {6, 0}, {6, 1}, {6, 2},
                                            {10, 1}, {10, 2}, {10, 4}, {13, 1}, {14, 1}, {14, 2}};
  for (auto [crm, opc2] : operations) set(c, 7, crm, opc2, 0);
  CHECK(c.s.halted == 0);
  CHECK(fake::calls.flush == 0);
}

TEST_CASE("cp15: wait for interrupt halts unless a line is up (2.3.8)") {
  Cpu c;
  set(c, 7, 0, 4, 0);
  CHECK(c.s.halted == 1);
  c.s.halted = 0;
  c.s.irq_lines = 1;
  set(c, 7, 0, 4, 0);
  CHECK(c.s.halted == 0);
  CHECK(cp15_write_ends_block(7, 0, 4));
}

TEST_CASE("cp15: user mode and unknown registers are Undefined") {
  Cpu c;
  u32 v;
  CHECK_FALSE(cp15_read(c.s, 0, 4, 0, 0, v));
  CHECK_FALSE(cp15_read(c.s, 0, 1, 0, 2, v));
  CHECK_FALSE(cp15_write(c.s, 0, 0, 0, 0, 1));
  CHECK_FALSE(cp15_write(c.s, 3, 1, 0, 0, 1));
  write_cpsr(c.s, usr);
  CHECK_FALSE(cp15_read(c.s, 0, 0, 0, 0, v));
  CHECK_FALSE(cp15_write(c.s, 0, 7, 10, 4, 0));
  CHECK_FALSE(cp15_read(c.s, 0, 15, 0, 0, v));
}

TEST_CASE("cp14: debug channel idle, Jazelle disabled") {
  Cpu c;
  u32 v = 1;
  CHECK(cp14_read(c.s, 0, 0, 0, 0, v));
  CHECK(v == 0);
  CHECK(cp14_write(c.s, 0, 1, 0, 0, 'x'));
  CHECK(cp14_read(c.s, 7, 0, 0, 0, v));
  CHECK(v == 0);
  CHECK_FALSE(cp14_read(c.s, 1, 0, 0, 0, v));
}
