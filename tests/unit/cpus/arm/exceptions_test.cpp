#include "cpus/arm/arm926.hpp"
#include "cpus/arm/state.hpp"

#include "fake_softmmu.hpp"

#include <doctest/doctest.h>

using namespace arm;
using fake::Cpu;

TEST_CASE("exceptions: reset enters supervisor mode with interrupts masked (DDI 0100I A2.6.2)") {
  Cpu c;
  c.s.r[3] = 5;
  c.s.cp15.dacr = 7;
  reset(c.s);
  CHECK((read_cpsr(c.s) & 0xff) == 0xd3);
  CHECK(c.s.pc == 0);
  CHECK(c.s.r[3] == 0);
  CHECK(c.s.cp15.control == 0x0005'0078);
  CHECK(c.s.cp15.dacr == 0);
}

TEST_CASE("exceptions: each mode has its own r13, r14 and SPSR; FIQ also r8 to r12 (A2.4.2)") {
  Cpu c;
  const u32 modes[] = {usr, fiq, irq, svc, abt, und};
  for (u32 m : modes) {
    write_cpsr(c.s, m | cpsr_i | cpsr_f);
    for (u32 i = 8; i < 15; ++i) c.s.r[i] = m << 8 | i;
    c.s.spsr = m << 16;
  }
  for (u32 m : modes) {
    write_cpsr(c.s, m | cpsr_i | cpsr_f);
    CHECK(c.s.r[13] == (m << 8 | 13));
    CHECK(c.s.r[14] == (m << 8 | 14));
    CHECK(c.s.spsr == m << 16);
    CHECK(c.s.r[8] == ((m == fiq ? u32(fiq) : u32(und)) << 8 | 8));  // und wrote the shared ones last
    CHECK(c.s.r[12] == ((m == fiq ? u32(fiq) : u32(und)) << 8 | 12));
  }
  write_cpsr(c.s, sys);
  CHECK(c.s.r[13] == (usr << 8 | 13));
  CHECK(c.s.privilege == 0);
  write_cpsr(c.s, usr);
  CHECK(c.s.privilege == 1);
}

TEST_CASE("exceptions: CPSR keeps flags, Q, J, T, masks and reserved bit 8, and nothing else") {
  Cpu c;
  write_cpsr(c.s, 0xffff'ffe0 | irq);
  CHECK(read_cpsr(c.s) == (0xf900'01e0 | irq));
  CHECK(c.s.n == 1);
  CHECK(c.s.thumb == 1);
  CHECK(c.s.q == 1);
}

TEST_CASE("exceptions: a mode that does not exist leaves the mode") {
  Cpu c;
  for (u32 m = 0; m < 32; ++m) {
    write_cpsr(c.s, svc | cpsr_i | cpsr_f);
    write_cpsr(c.s, m | cpsr_n);
    const bool exists = m == usr || m == fiq || m == irq || m == svc || m == abt || m == und || m == sys;
    CHECK((read_cpsr(c.s) & cpsr_mode) == (exists ? m : u32(svc)));
    CHECK(c.s.n == 1);
  }
}

TEST_CASE("exceptions: entry banks, masks, clears T and goes to the vector (A2.6)") {
  struct Row { Exception e; u32 vector, mode; bool f; };
  for (const Row& row : {Row{Exception::undefined, 0x04, und, false}, Row{Exception::swi, 0x08, svc, false},
                         Row{Exception::prefetch_abort, 0x0c, abt, false}, Row{Exception::data_abort, 0x10, abt, false},
                         Row{Exception::irq, 0x18, irq, false}, Row{Exception::fiq, 0x1c, fiq, true}}) {
    for (bool high : {false, true}) {
      Cpu c;
      write_cpsr(c.s, usr | cpsr_t | cpsr_c | cpsr_q);
      if (high) c.s.cp15.control |= ctl_v;
      c.s.pc = 0x8000;
      c.s.halted = 1;
      take_exception(c.s, row.e, 0x8004);
      CHECK(c.s.pc == (high ? 0xffff'0000 : 0) + row.vector);
      CHECK(c.s.r[14] == 0x8004);
      CHECK(c.s.spsr == (usr | cpsr_t | cpsr_c | cpsr_q));
      CHECK(read_cpsr(c.s) == (row.mode | cpsr_i | (row.f ? cpsr_f : 0) | cpsr_c | cpsr_q));
      CHECK(c.s.privilege == 0);
      CHECK(c.s.halted == 0);
    }
  }
}

TEST_CASE("exceptions: lines ask for the run loop only while unmasked; FIQ comes first (A2.6.8, A2.6.9)") {
  Cpu c;
  Arm926<core::MachineBase> core{c.machine, &c.s};
  core.set_line(0, true);
  CHECK(c.s.exit_request == 0);
  CHECK_FALSE(deliver_interrupt(c.s));
  write_cpsr(c.s, svc);
  CHECK(c.s.exit_request == request_interrupt);
  core.set_line(1, true);
  c.s.pc = 0x100;
  CHECK(deliver_interrupt(c.s));
  CHECK((read_cpsr(c.s) & cpsr_mode) == fiq);
  CHECK(c.s.r[14] == 0x104);
  CHECK(c.s.exit_request == 0);
  core.set_line(1, false);
  exception_return(c.s, c.s.r[14] - 4);
  CHECK(c.s.pc == 0x100);
  CHECK((read_cpsr(c.s) & cpsr_mode) == svc);
  CHECK(c.s.exit_request == request_interrupt);
  CHECK(deliver_interrupt(c.s));
  CHECK((read_cpsr(c.s) & cpsr_mode) == irq);
  core.set_line(0, false);
  CHECK_FALSE(deliver_interrupt(c.s));
}

TEST_CASE("exceptions: other requests stay when the interrupt request goes") {
  Cpu c;
  c.s.exit_request = request_timer;
  write_cpsr(c.s, svc);
  c.s.irq_lines = 1;
  update_interrupt_request(c.s);
  CHECK(c.s.exit_request == (request_timer | request_interrupt));
  c.s.irq_lines = 0;
  update_interrupt_request(c.s);
  CHECK(c.s.exit_request == request_timer);
}

TEST_CASE("exceptions: a masked line ends a wait for interrupt (DDI 0198E 2.3.7)") {
  Cpu c;
  Arm926<core::MachineBase> core{c.machine, &c.s};
  c.s.halted = 1;
  core.set_line(0, true);
  CHECK(c.s.halted == 0);
}

TEST_CASE("exceptions: return aligns pc for the state returned to, and is harmless without SPSR") {
  Cpu c;
  c.s.spsr = usr | cpsr_t;
  exception_return(c.s, 0x1003);
  CHECK(c.s.pc == 0x1002);
  CHECK(c.s.thumb == 1);
  const u32 before = read_cpsr(c.s);
  c.s.spsr = svc;
  exception_return(c.s, 0x2001);
  CHECK(read_cpsr(c.s) == before);
  CHECK(c.s.pc == 0x2000);
}
