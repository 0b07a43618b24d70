#pragma once
// The soft MMU of 32-bit guests: flat page tables that translated code reads directly, filled by the CPU
// family's page-table walk and cleared by its TLB maintenance.
//
// Thread: the vCPU thread.

#include "accel/vcpu.hpp"

namespace accel {

// Host address of the 4 KiB page of guest memory at `page`, or null when it is not plain memory for that kind of
// access (devices; stores to rom).
u8* ram_page(VcpuHeader& c, GuestPhys page, bool store) noexcept;

// Like ram_page, and lets translated code access the page at guest virtual `va` directly from now on.  A page that
// holds translated code is not opened for stores.  `single_page`: the guest maps exactly this 4 KiB page; otherwise
// it is part of a larger mapping that one flush_tlb_page drops as a whole.
u8* map_page(VcpuHeader& c, u32 va, GuestPhys page, unsigned privilege, bool store, bool single_page = false) noexcept;

// Lets the accesses of that kind to the page at `va` go straight to the devices at `page` from now on: what the CPU's walk
// allowed there is so for the whole page.
void map_device(VcpuHeader& c, u32 va, GuestPhys page, unsigned privilege, bool store) noexcept;

// Who answers there may have changed: forgets what map_device found.
void forget_devices(VcpuHeader& c) noexcept;

// Forgets every mapping; those outside the guest's fixed range (tcg::GuestLayout), for a change of address space; or those
// of the page (or larger mapping) around `va`.
void flush_tlb(VcpuHeader& c) noexcept;
void flush_tlb_mapped(VcpuHeader& c) noexcept;
void flush_tlb_page(VcpuHeader& c, u32 va) noexcept;
// From now on the 4 KiB page at `va` is the one at `page`: forgets what leads elsewhere, and stores unless `writable`.
void remap_page(VcpuHeader& c, u32 va, GuestPhys page, bool writable) noexcept;

// For first-level tables of 4096 words, each of which may map its MiB as one section (Arm).  A walk tells which descriptor the
// table has for the section around `va`, or 0 when that is none or its mapping depends on more than this word and what
// flush_tlb follows a change of.  flush_tlb_but_sections() forgets every mapping but those of sections whose descriptor in
// `table` still is what was told: what is kept is what a walk would find, until that word is written, which is watched.
void note_section(VcpuHeader& c, u32 va, u32 descriptor, GuestPhys table) noexcept;
void flush_tlb_but_sections(VcpuHeader& c, GuestPhys table) noexcept;

inline void write_memory(u8* host, unsigned size, u32 value) {
  if (size == 4) store_le<u32>(host, value);
  else if (size == 2) store_le<u16>(host, u16(value));
  else *host = u8(value);
}
// A store to memory that may hold translated code.  outcome_leave: the store was not done, because it overwrites the
// block being executed; the instruction is then run again by itself.
u64 store_memory(VcpuHeader& c, GuestPhys at, u8* host, unsigned size, u32 value) noexcept;

// Tells the translator that memory was written other than by store_memory: blocks made from these bytes go.
void code_written(VcpuHeader& c, GuestPhys at, u64 size) noexcept;
// Tells it that a rom block began or ceased to be readable directly (RamBlock::direct).
void rom_mapping_changed(VcpuHeader& c, GuestPhys at, u64 size) noexcept;
}  // namespace accel
