#include "cpus/arm/mmu.hpp"

#include "fake_softmmu.hpp"

#include <doctest/doctest.h>

namespace arm {
using fake::Cpu;

namespace {
constexpr u32 coarse_at = 0x8000, fine_at = 0x9000;
u32 phys_of(const Walk& w) { return w.ok ? w.phys : ~0u; }
}  // namespace

TEST_CASE("mmu: off, addresses are physical and everything is allowed (DDI 0100I B4.1)") {
  Cpu c;
  const Walk w = walk(c.s, 0x8765'4321, Access::write, true);
  CHECK(w.ok);
  CHECK(w.phys == 0x8765'4321);
  CHECK(w.uniform);
}

TEST_CASE("mmu: a section maps 1 MiB (B4.7.4)") {
  Cpu c;
  c.mmu_on();
  c.section(0xc000'0000, 0x0010'0000, 3);
  const Walk w = walk(c.s, 0xc00a'bcde, Access::read, false);
  CHECK(phys_of(w) == 0x001a'bcde);
  CHECK(w.uniform);
  CHECK_FALSE(w.single_page);
  CHECK_FALSE(w.cached);
}

TEST_CASE("mmu: a section says its descriptor, unless the PID is part of its address") {
  Cpu c;
  c.mmu_on();
  c.table(0x4000'0000, coarse_at, false);
  c.put(coarse_at, 0xff2);
  for (const u32 va : {0u, 0x01f0'0000u, 0x0200'0000u, 0xfff0'0000u}) {
    c.section(va, 0, 3);
    CHECK_FALSE(resolve_data(c.s, va, 4, false, true).fault);
    CHECK(fake::calls.section == (va < 0x0200'0000 ? 0 : 0xc12));
    fake::calls.section = 1;
    resolve_fetch(c.s, 0x4000'0000);
    CHECK(fake::calls.section == 0);
  }
}

TEST_CASE("mmu: large pages of coarse and fine tables (B4.7.6)") {
  Cpu c;
  c.mmu_on();
  c.table(0x0010'0000, coarse_at, false);
  c.table(0x0020'0000, fine_at, true);
  for (u32 i = 0; i < 16; ++i) c.put(coarse_at + 4 * i, 0x0003'0000 | 0b11'10'01'00 << 4 | 8 | 1);
  for (u32 i = 0; i < 64; ++i) c.put(fine_at + 4 * i, 0x0005'0000 | 0xff0 | 1);
  CHECK(phys_of(walk(c.s, 0x0010'8123, Access::read, true)) == 0x0003'8123);
  CHECK(phys_of(walk(c.s, 0x0020'fffc, Access::read, true)) == 0x0005'fffc);
  const Walk w = walk(c.s, 0x0010'c000, Access::write, true);
  CHECK(w.ok);
  CHECK(w.uniform);
  CHECK(w.cached);
  CHECK_FALSE(w.single_page);
  // The sub-page of 16 KiB selects the permission.
  CHECK(walk(c.s, 0x0010'0000, Access::read, false).fsr == fault_permission_page);
  CHECK(walk(c.s, 0x0010'4000, Access::read, true).fsr == fault_permission_page);
  CHECK(walk(c.s, 0x0010'8000, Access::write, true).fsr == fault_permission_page);
}

TEST_CASE("mmu: small pages, with and without differing sub-pages") {
  Cpu c;
  c.mmu_on();
  c.table(0, coarse_at, false);
  c.put(coarse_at + 4 * 3, 0x0002'0000 | 0xff0 | 2);
  c.put(coarse_at + 4 * 4, 0x0002'1000 | 0b11'10'01'00 << 4 | 2);
  Walk w = walk(c.s, 0x3456, Access::write, true);
  CHECK(phys_of(w) == 0x0002'0456);
  CHECK(w.uniform);
  CHECK(w.single_page);
  w = walk(c.s, 0x4c10, Access::write, true);
  CHECK(phys_of(w) == 0x0002'1c10);
  CHECK_FALSE(w.uniform);
  CHECK(walk(c.s, 0x4810, Access::read, true).ok);
  CHECK(walk(c.s, 0x4810, Access::write, true).fsr == fault_permission_page);
  CHECK(walk(c.s, 0x4410, Access::write, false).ok);
  CHECK(walk(c.s, 0x4410, Access::read, true).fsr == fault_permission_page);
  CHECK(walk(c.s, 0x4010, Access::read, false).fsr == fault_permission_page);
}

TEST_CASE("mmu: a manager does not look at sub-page permissions") {
  Cpu c;
  c.mmu_on();
  c.table(0, coarse_at, false, 1);
  c.put(coarse_at, 0x0002'1000 | 0b11'10'01'00 << 4 | 2);
  const Walk w = walk(c.s, 0, Access::write, true);
  CHECK(w.ok);
  CHECK(w.uniform);
}

TEST_CASE("mmu: tiny pages only in fine tables") {
  Cpu c;
  c.mmu_on();
  c.table(0, fine_at, true);
  c.table(0x0010'0000, coarse_at, false);
  c.put(fine_at + 4 * 5, 0x0003'0c00 | 3 << 4 | 3);
  c.put(coarse_at, 0x0003'0c00 | 3 << 4 | 3);
  const Walk w = walk(c.s, 0x1678, Access::write, true);
  CHECK(phys_of(w) == 0x0003'0e78);
  CHECK_FALSE(w.uniform);
  CHECK(walk(c.s, 0x0010'0000, Access::read, false).fsr == fault_translation_page);

  const Resolved r = resolve_data(c.s, 0x1678, 4, false, false);
  CHECK(r.host == c.machine.ram[0].host + 0x30e78);
  CHECK(fake::calls.map_page == 0);
  CHECK(fake::calls.ram_page == 1);
}

TEST_CASE("mmu: access permissions with S and R (table B4-1)") {
  struct Row { u32 ap, sr; bool priv_read, priv_write, user_read, user_write; };
  const Row rows[] = {
      {0, 0, false, false, false, false}, {0, ctl_s, true, false, false, false},
      {0, ctl_r, true, false, true, false}, {0, ctl_s | ctl_r, false, false, false, false},
      {1, 0, true, true, false, false}, {2, 0, true, true, true, false}, {3, 0, true, true, true, true}};
  for (const Row& r : rows) {
    Cpu c;
    c.mmu_on();
    c.s.cp15.control |= r.sr;
    c.section(0, 0, r.ap);
    CHECK(walk(c.s, 0, Access::read, false).ok == r.priv_read);
    CHECK(walk(c.s, 0, Access::execute, false).ok == r.priv_read);
    CHECK(walk(c.s, 0, Access::write, false).ok == r.priv_write);
    CHECK(walk(c.s, 0, Access::read, true).ok == r.user_read);
    CHECK(walk(c.s, 0, Access::write, true).ok == r.user_write);
    if (!r.user_write) CHECK(walk(c.s, 0, Access::write, true).fsr == fault_permission_section);
  }
}

TEST_CASE("mmu: domains and fault status with the domain (B4.4, table B4-1)") {
  Cpu c;
  c.mmu_on();
  c.section(0x0010'0000, 0, 0, 1);
  c.section(0x0020'0000, 0, 3, 2);
  c.section(0x0030'0000, 0, 3, 3);
  c.table(0x0040'0000, coarse_at, false, 2);
  c.put(coarse_at, 0x0002'0000 | 0xff0 | 2);
  CHECK(walk(c.s, 0x0010'0000, Access::write, true).ok);
  CHECK(walk(c.s, 0x0020'0000, Access::read, false).fsr == (2 << 4 | fault_domain_section));
  CHECK(walk(c.s, 0x0030'0000, Access::read, false).fsr == (3 << 4 | fault_domain_section));
  CHECK(walk(c.s, 0x0040'0000, Access::read, false).fsr == (2 << 4 | fault_domain_page));
  // An invalid page faults before the domain is looked at (figure B4-3).
  CHECK(walk(c.s, 0x0040'1000, Access::read, false).fsr == (2 << 4 | fault_translation_page));
  CHECK(walk(c.s, 0x0050'0000, Access::read, false).fsr == fault_translation_section);
}

TEST_CASE("mmu: a table outside memory is an external abort on translation") {
  Cpu c;
  c.mmu_on();
  c.table(0, 0x1010'0000, false, 5);
  CHECK(walk(c.s, 0, Access::read, false).fsr == (5 << 4 | fault_external_walk_l2));
  c.s.cp15.ttbr = 0x1010'0000;
  CHECK(walk(c.s, 0, Access::read, false).fsr == fault_external_walk_l1);
}

TEST_CASE("mmu: the FCSE PID moves the first 32 MiB (B8.1)") {
  Cpu c;
  c.mmu_on();
  c.s.cp15.fcse = 0x0400'0000;
  c.section(0x0400'0000, 0x0010'0000, 3);
  c.section(0x0800'0000, 0x0020'0000, 3);
  CHECK(phys_of(walk(c.s, 0x0000'0123, Access::read, true)) == 0x0010'0123);
  CHECK(phys_of(walk(c.s, 0x0800'0123, Access::read, true)) == 0x0020'0123);
}

TEST_CASE("mmu: unaligned accesses without alignment checking (A2.8; DDI 0198E 2.3.3)") {
  Cpu c;
  const Resolved load = resolve_data(c.s, 0x1003, 4, false, false);
  CHECK(raw(load.phys) == 0x1000);
  CHECK(load.rotate == 24);
  CHECK(load.host == c.machine.ram[0].host + 0x1000);
  CHECK(resolve_data(c.s, 0x1002, 4, true, false).rotate == 0);
  CHECK(raw(resolve_data(c.s, 0x1002, 4, true, false).phys) == 0x1000);
  CHECK(raw(resolve_data(c.s, 0x1003, 2, false, false).phys) == 0x1002);
  CHECK(resolve_data(c.s, 0x1003, 2, false, false).rotate == 0);
  CHECK(resolve_data(c.s, 0x1003, 4, false, false, true).rotate == 0);
  CHECK(raw(resolve_data(c.s, 0x1003, 1, false, false).phys) == 0x1003);
}

TEST_CASE("mmu: alignment faults tell the address and come before translation") {
  Cpu c;
  c.mmu_on();
  c.s.cp15.control |= ctl_a;
  c.s.pc = 0x100;
  const Resolved r = resolve_data(c.s, 0x7000'0001, 2, false, false);
  CHECK(r.fault);
  CHECK(c.s.cp15.dfsr == fault_alignment);
  CHECK(c.s.cp15.far == 0x7000'0001);
  CHECK(c.s.pc == 0x10);
  CHECK(c.s.r[14] == 0x108);
  CHECK((read_cpsr(c.s) & cpsr_mode) == abt);
}

TEST_CASE("mmu: a data abort sets DFSR and FAR, a prefetch abort IFSR only") {
  Cpu c;
  c.mmu_on();
  c.section(0x0070'0000, 0, 1, 0);
  c.s.pc = 0x2000;
  CHECK(resolve_data(c.s, 0x0070'1234, 4, true, true).fault);
  CHECK(c.s.cp15.dfsr == fault_permission_section);
  CHECK(c.s.cp15.far == 0x0070'1234);
  CHECK(c.s.r[14] == 0x2008);
  CHECK(c.s.cp15.ifsr == 0);

  write_cpsr(c.s, usr);
  c.s.pc = 0x0070'0040;
  CHECK(resolve_fetch(c.s, 0x0070'0040).fault);
  CHECK(c.s.cp15.ifsr == fault_permission_section);
  CHECK(c.s.cp15.far == 0x0070'1234);
  CHECK(c.s.r[14] == 0x0070'0044);
  CHECK(c.s.pc == 0xc);
}

TEST_CASE("mmu: uniform pages are opened with the privilege of the access; devices and rom stores have no host") {
  Cpu c;
  const Resolved r = resolve_data(c.s, 0x5678, 4, true, true);
  CHECK(r.host == c.machine.ram[0].host + 0x5678);
  CHECK(fake::calls.last_map.va == 0x5678);
  CHECK(raw(fake::calls.last_map.page) == 0x5000);
  CHECK(fake::calls.last_map.privilege == 1);
  CHECK(fake::calls.last_map.store);
  CHECK(resolve_data(c.s, 0x1010'0000, 4, false, false).host == nullptr);
  CHECK(resolve_data(c.s, Cpu::rom_at, 4, true, false).host == nullptr);
  CHECK(resolve_data(c.s, Cpu::rom_at, 4, false, false).host != nullptr);
}

TEST_CASE("mmu: a probe changes nothing") {
  Cpu c;
  c.mmu_on();
  u32 phys = 0;
  CHECK_FALSE(probe(c.s, 0x1234, Access::read, false, phys));
  CHECK(c.s.cp15.dfsr == 0);
  CHECK(c.s.cp15.far == 0);
  CHECK(c.s.pc == 0);
  c.section(0, 0x0030'0000, 1);
  CHECK(probe(c.s, 0x1234, Access::read, false, phys));
  CHECK(phys == 0x0030'1234);
  CHECK(fake::calls.map_page == 0);
}
}  // namespace arm
