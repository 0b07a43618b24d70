// Stands in for accel/softmmu.cpp where a test wants the MMU without an engine: no page is ever opened, memory comes
// straight from the machine, and the calls are counted.

#include "fake_softmmu.hpp"

namespace fake {
Calls calls;
}

namespace accel {
u8* ram_page(VcpuHeader& c, GuestPhys page, bool store) noexcept {
  ++fake::calls.ram_page;
  for (const RamBlock& b : c.machine->ram)
    if (raw(page) - raw(b.at) < b.size) return store && b.rom ? nullptr : b.host + (raw(page) - raw(b.at));
  return nullptr;
}

u8* map_page(VcpuHeader& c, u32 va, GuestPhys page, unsigned privilege, bool store, bool single_page) noexcept {
  ++fake::calls.map_page;
  fake::calls.last_map = {va, page, privilege, store, single_page};
  u8* p = ram_page(c, page, store);
  --fake::calls.ram_page;
  return p;
}

void map_device(VcpuHeader&, u32, GuestPhys, unsigned, bool) noexcept { ++fake::calls.map_device; }
void flush_tlb(VcpuHeader&) noexcept { ++fake::calls.flush; }
void flush_tlb_but_sections(VcpuHeader&, GuestPhys) noexcept { ++fake::calls.flush_but_sections; }
void note_section(VcpuHeader&, u32, u32 descriptor, GuestPhys) noexcept { fake::calls.section = descriptor; }
void flush_tlb_page(VcpuHeader&, u32 va) noexcept {
  ++fake::calls.flush_page;
  fake::calls.flushed_page = va;
}
}  // namespace accel
