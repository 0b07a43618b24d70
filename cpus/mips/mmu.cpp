#include "cpus/mips/mmu.hpp"

#include "cpus/mips/models.hpp"
#include "cpus/mips/watch.hpp"

#include "accel/softmmu.hpp"
#include "core/log.hpp"

namespace mips {
namespace {
constexpr u32 page_mask = 0xfff;
constexpr u32 pair_4k = 0x1fff;  // offset in the two pages of an entry with PageMask 0
constexpr u32 kseg0 = 0x8000'0000, ksseg = 0xc000'0000, kseg3 = 0xe000'0000, unmapped_size = 0x4000'0000;
constexpr u32 asid_mask = 0xff;
constexpr u32 lo_global = 1, lo_valid = 2, lo_dirty = 4;
constexpr u32 most_pages_flushed_one_by_one = 64;

constexpr u32 ksu_supervisor = 1u << 3;

bool matches(const TlbEntry& e, u32 va, u32 asid) {
  return e.used && !((e.vpn2 ^ va) & ~(e.mask | pair_4k)) && (e.global || e.asid == asid);
}

const TlbEntry* find(const CpuState& s, u32 va) {
  const u32 asid = s.cp0.entry_hi & asid_mask;
  for (unsigned n = 0; n < s.model->tlb; ++n)
    if (matches(s.tlb[n], va, asid)) return &s.tlb[n];
  return nullptr;
}

Walk walk_tlb(const CpuState& s, u32 va, Access access) {
  const TlbEntry* const e = find(s, va);
  if (!e) return {Found::no_entry, 0};
  const u32 offset = (e->mask | pair_4k) >> 1;  // in one page
  const u32 lo = e->lo[(va & (offset + 1)) != 0];
  if (!(lo & lo_valid)) return {Found::invalid, 0};
  if (access == Access::write && !(lo & lo_dirty)) return {Found::modified, 0};
  const u64 frame = u64(lo >> 6 & 0xff'ffff) << 12;
  return {Found::yes, (frame & ~u64(offset)) | (va & offset)};
}

// Closes the pages of an entry.
void forget(CpuState& s, const TlbEntry& e) {
  if (!e.used) return;
  const u32 pages = (e.mask | pair_4k) / 4096 + 1;
  if (pages > most_pages_flushed_one_by_one) return accel::flush_tlb_mapped(s);
  for (u32 n = 0; n < pages; ++n) accel::flush_tlb_page(s, e.vpn2 + 4096 * n);
}

// The pages of an entry just written: those that lead where they led stay open.
void show(CpuState& s, const TlbEntry& e) {
  if (e.mask) return forget(s, e);
  for (unsigned n = 0; n < 2; ++n) {
    const u32 va = e.vpn2 + 4096 * n;
    if (e.lo[n] & lo_valid) accel::remap_page(s, va, GuestPhys{u64(e.lo[n] >> 6 & 0xff'ffff) << 12}, e.lo[n] & lo_dirty);
    else accel::flush_tlb_page(s, va);
  }
}

void note_address(CpuState& s, u32 va, Found found) {
  s.cp0.bad_vaddr = va;
  if (found == Found::address_error) return;
  s.cp0.context = (s.cp0.context & 0xff80'0000) | (va >> 9 & 0x7f'fff0);
  s.cp0.entry_hi = (va & ~pair_4k) | (s.cp0.entry_hi & asid_mask);
}

[[gnu::cold]] void fault(CpuState& s, u32 va, Found found, bool store) {
  if (log_on(Log::mmu)) [[unlikely]]
    log_printf(Log::mmu, "mmu: %s 0x%08x faults (%u) at pc 0x%08x\n", store ? "store to" : "access to", va, unsigned(found), s.pc);
  note_address(s, va, found);
  switch (found) {
    case Found::address_error: return take_exception(s, store ? ExcCode::AdES : ExcCode::AdEL);
    case Found::no_entry: return take_tlb_refill(s, store ? ExcCode::TLBS : ExcCode::TLBL);
    case Found::modified: return take_exception(s, ExcCode::Mod);
    default: return take_exception(s, store ? ExcCode::TLBS : ExcCode::TLBL);
  }
}

// The address LWL and its kin were given: the access is to the aligned word around it.
u32 partial_address(CpuState& s, u32 aligned) {
  u64 phys = 0;
  if (!probe(s, s.pc, Access::execute, s.privilege, phys)) return aligned;
  const u8* const p = s.machine->host_memory(GuestPhys{phys}, 4);
  if (!p) return aligned;
  const u32 w = s.big_endian ? __builtin_bswap32(load_le<u32>(p)) : load_le<u32>(p);
  const u32 va = s.r[w >> 21 & 31] + u32(s32(s16(w)));
  return (va ^ aligned) & ~3u ? aligned : va;
}
}  // namespace

Walk walk(const CpuState& s, u32 va, Access access, bool user) noexcept {
  if (va < kseg0) {
    if (s.cp0.status & status_erl) return {Found::yes, va};
    return walk_tlb(s, va, access);
  }
  if (user) {
    const bool supervisor = (s.cp0.status & status_ksu) == ksu_supervisor;
    if (!supervisor || va < ksseg || va >= kseg3) return {Found::address_error, 0};
  }
  if (va - kseg0 < unmapped_size) return {Found::yes, va & 0x1fff'ffff};
  return walk_tlb(s, va, access);
}

Resolved resolve_data(CpuState& s, u32 va, unsigned size, bool store, bool user, bool partial) noexcept {
  constexpr Resolved faulted{GuestPhys{0}, nullptr, 0, true};
  bool open = true;
  if (s.watches) [[unlikely]] {  // before all others that a reference raises (MD00090, priority of exceptions)
    const Reference kind = store ? Reference::store : Reference::load;
    if (watch(s, va, kind)) return faulted;
    open = !is_watched(s, va, kind);
  }
  const Walk w = va & (size - 1) ? Walk{Found::address_error, 0} : walk(s, va, store ? Access::write : Access::read, user);
  if (w.found != Found::yes) [[unlikely]] {
    fault(s, partial ? partial_address(s, va) : reversed(s) ? va ^ reverse_bits(size) : va, w.found, store);
    return faulted;
  }
  const GuestPhys page{w.phys & ~u64(page_mask)};
  u8* const host = open ? accel::map_page(s, va, page, user, store, true) : accel::ram_page(s, page, store);
  if (host) return {GuestPhys{w.phys}, host + (w.phys & page_mask), 0, false};
  if (w.phys >= s.bus_error_from && !accel::ram_page(s, page, false)) [[unlikely]] {
    take_exception(s, ExcCode::DBE);
    return faulted;
  }
  if (open) accel::map_device(s, va, page, user, store);
  return {GuestPhys{w.phys}, nullptr, 0, false};
}

Fetch resolve_fetch(CpuState& s, u32 pc) noexcept {
  const bool isa16 = pc & 1;
  const u32 va = pc & ~1u;
  if (s.watches && watch(s, va, Reference::fetch)) [[unlikely]] return {GuestPhys{0}, true};
  const bool aligned = isa16 ? s.model->mips16 : !(va & 3);
  const Walk w = aligned ? walk(s, va, Access::execute, s.privilege) : Walk{Found::address_error, 0};
  if (w.found == Found::yes) [[likely]] {
    if (w.phys < s.bus_error_from || accel::ram_page(s, GuestPhys{w.phys & ~u64(page_mask)}, false)) [[likely]]
      return {GuestPhys{w.phys}, false};
    take_exception(s, ExcCode::IBE);
  } else {
    fault(s, aligned ? va : pc, w.found, false);
  }
  return {GuestPhys{0}, true};
}

bool probe(const CpuState& s, u32 va, Access access, bool user, u64& phys) noexcept {
  const Walk w = walk(s, va, access, user);
  phys = w.phys;
  return w.found == Found::yes;
}

// ---- instructions (MD00086 TLBR, TLBWI, TLBWR, TLBP)

void tlb_read(CpuState& s) noexcept {
  if (s.shadowed) {
    s.shadowed = false;
    accel::flush_tlb_mapped(s);
  }
  const TlbEntry& e = s.tlb[s.cp0.index & (most_tlb_entries - 1)];
  s.cp0.page_mask = e.mask;
  for (unsigned n = 0; n < 2; ++n) s.cp0.entry_lo[n] = e.lo[n] | u32(e.global);
  set_entry_hi(s, e.vpn2 | e.asid);
}

// Two entries that match the same address are left alone: the first one answers.
void tlb_write(CpuState& s, unsigned index, bool random) noexcept {
  TlbEntry& e = s.tlb[index & (most_tlb_entries - 1)];
  const TlbEntry before = e;
  e.mask = s.cp0.page_mask;
  e.vpn2 = s.cp0.entry_hi & ~(pair_4k | e.mask);
  e.asid = s.cp0.entry_hi & asid_mask;
  e.global = s.cp0.entry_lo[0] & s.cp0.entry_lo[1] & lo_global;
  for (unsigned n = 0; n < 2; ++n) e.lo[n] = s.cp0.entry_lo[n] & ~lo_global;
  e.used = true;
  const bool same = before.used && before.vpn2 == e.vpn2 && before.mask == e.mask && before.asid == e.asid && before.global == e.global;
  // Code that replaces its own mapping sees that it did.
  if (random && !matches(before, s.pc, s.cp0.entry_hi & asid_mask)) s.shadowed |= before.used;
  else if (!same) forget(s, before);
  show(s, e);
}

void tlb_probe(CpuState& s) noexcept {
  constexpr u32 not_found = 1u << 31;
  const u32 va = s.cp0.entry_hi & ~pair_4k;
  const TlbEntry* const e = find(s, va);
  s.cp0.index = e ? u32(e - s.tlb) : not_found;
  if (e || !s.shadowed) return;
  forget(s, {.vpn2 = va, .used = true});
}

void set_entry_hi(CpuState& s, u32 v) noexcept {
  const u32 old = s.cp0.entry_hi;
  s.cp0.entry_hi = v & (~pair_4k | asid_mask);
  if (!((old ^ v) & asid_mask)) return;
  s.shadowed = false;
  accel::flush_tlb_mapped(s);
  settle_watches(s);
}

// Between Wired and the last entry, in an order software cannot rely on (MD00090 Random register).
unsigned random_index(CpuState& s) noexcept {
  const unsigned wired = s.cp0.wired < s.model->tlb ? s.cp0.wired : s.model->tlb - 1;
  s.cp0.random_seed = s.cp0.random_seed * 1664525 + 1013904223;
  return wired + (s.cp0.random_seed >> 16) % (s.model->tlb - wired);
}
}  // namespace mips
