#pragma once
// A CPU with 1 MiB of memory at 0 and a rom page, and what fake_softmmu.cpp saw.  Test executables link
// fake_softmmu.cpp in place of accel/softmmu.cpp.

#include "accel/softmmu.hpp"
#include "cpus/arm/models.hpp"
#include "cpus/arm/state.hpp"

#include <initializer_list>
#include <string_view>

namespace fake {
using namespace core;

struct Map {
  u32 va;
  GuestPhys page;
  unsigned privilege;
  bool store, single_page;
};
struct Calls {
  unsigned map_page = 0, map_device = 0, ram_page = 0, flush = 0, flush_but_sections = 0, flush_page = 0;
  u32 flushed_page = 0, section = 0;
  Map last_map{};
};
extern Calls calls;

struct FixedClock : Clock {
  u64 time = 0;
  u64 now() const noexcept override { return time; }
  void pause() override {}
  void resume() override {}
};

struct Cpu {
  MachineBase machine;
  FixedClock clock;
  arm::CpuState s;
  static constexpr u32 rom_at = 0x3400'0000;

  Cpu() {
    machine.clock = &clock;
    machine.add_ram("ram", GuestPhys{0}, 1 * MiB, false);
    machine.add_ram("rom", GuestPhys{rom_at}, 4 * KiB, true);
    machine.request = &s.exit_request;
    s.machine = &machine;
    s.model = arm::find_model("arm926");
    arm::reset(s);
    calls = {};
  }
  u32 word(u32 at) const { return load_le<u32>(machine.host_memory(GuestPhys{at}, 4)); }
  void put(u32 at, u32 v) { store_le(machine.host_memory(GuestPhys{at}, 4), v); }
  void put(u32 at, std::initializer_list<u32> v) {
    for (u32 w : v) put(at, w), at += 4;
  }
  void put(u32 at, std::string_view text) {
    for (char c : text) *machine.host_memory(GuestPhys{at++}, 1) = u8(c);
    *machine.host_memory(GuestPhys{at}, 1) = 0;
  }
  std::string_view text(u32 at, std::size_t n) const {
    return {reinterpret_cast<const char*>(machine.host_memory(GuestPhys{at}, n)), n};
  }
  // MMU on, first-level table at 0x4000, domain 0 client, 1 manager, 2 none, 3 reserved.
  void mmu_on() {
    s.cp15.ttbr = 0x4000;
    s.cp15.dacr = 0b10'00'11'01;
    s.cp15.control |= arm::ctl_m;
  }
  void section(u32 va, u32 phys, u32 ap, u32 domain = 0) {
    put(0x4000 + (va >> 20) * 4, phys | ap << 10 | domain << 5 | 0x12);
  }
  void table(u32 va, u32 at, bool fine, u32 domain = 0) {
    put(0x4000 + (va >> 20) * 4, at | domain << 5 | (fine ? 3 : 1));
  }
};
}  // namespace fake
