#include "cpus/arm/mmu.hpp"

#include "accel/softmmu.hpp"
#include "core/log.hpp"

namespace arm {
namespace {
constexpr u32 page_mask = 0xfff;

// First-level descriptor types, bits 1:0 (§B4.7.4), and second-level ones (§B4.7.6).
enum FirstLevel : u32 { l1_fault, l1_coarse, l1_section, l1_fine };
enum SecondLevel : u32 { l2_fault, l2_large, l2_small, l2_tiny };

// False when the table is not memory: an external abort.
bool read_descriptor(const CpuState& s, u32 at, u32& descriptor) {
  const u8* p = s.machine->host_memory(GuestPhys{at}, 4);
  if (!p) return false;
  descriptor = load_le<u32>(p);
  return true;
}

// Table B4-1 of §B4.3.1.  AP = 00 asks the S and R bits; both set is reserved.
bool permitted(const CpuState& s, u32 ap, Access access, bool user) {
  const bool store = access == Access::write;
  switch (ap) {
    case 0: {
      const u32 sr = s.cp15.control & (ctl_s | ctl_r);
      return !store && (sr == ctl_r || (sr == ctl_s && !user));
    }
    case 1: return !user;
    case 2: return !user || !store;
    default: return true;
  }
}

// What follows from opening a page.
void note(CpuState& s, u32 va, const Walk& w) {
  s.cp15.manager_opened |= w.manager;
  accel::note_section(s, va, w.section, GuestPhys{s.cp15.ttbr});
}

Walk failed(u32 domain, Fault status) { return {false, 0, domain << 4 | status, false, false, false}; }

// What the descriptors say, before domain and permission are checked.
struct Mapping {
  u32 phys, ap;
  bool uniform, single_page, cached;
  bool same_ap = true;  // in all of the 4 KiB page
};

Walk checked(const CpuState& s, const Mapping& m, u32 domain, bool section, Access access, bool user) {
  const u32 right = s.cp15.dacr >> (2 * domain) & 3;
  if (right == domain_none || right == domain_reserved)
    return failed(domain, section ? fault_domain_section : fault_domain_page);
  if (right == domain_client && !permitted(s, m.ap, access, user))
    return failed(domain, section ? fault_permission_section : fault_permission_page);
  const bool manager = right == domain_manager && !(m.same_ap && permitted(s, m.ap, access, user));
  return {true, m.phys, 0, m.uniform, m.cached, m.single_page, 0, u32(manager) << domain};
}

// Second level.  `fine`: the table has 1024 entries, and tiny pages are allowed.
Walk walk_page(const CpuState& s, u32 mva, u32 table, bool fine, u32 domain, Access access, bool user) {
  const u32 at = fine ? (table & 0xffff'f000) | (mva >> 8 & 0xffc) : (table & 0xffff'fc00) | (mva >> 10 & 0x3fc);
  u32 d = 0;
  if (!read_descriptor(s, at, d)) return failed(domain, fault_external_walk_l2);
  const bool cached = d & 8;
  switch (d & 3) {
    case l2_large: {  // four sub-pages of 16 KiB: none ends inside a 4 KiB page
      const u32 ap = d >> (4 + 2 * (mva >> 14 & 3)) & 3;
      return checked(s, {(d & 0xffff'0000) | (mva & 0xffff), ap, true, false, cached}, domain, false, access, user);
    }
    case l2_small: {  // four sub-pages of 1 KiB
      const u32 ap = d >> (4 + 2 * (mva >> 10 & 3)) & 3;
      const bool manager = (s.cp15.dacr >> (2 * domain) & 3) == domain_manager;
      const bool same = (d >> 4 & 0xff) == ap * 0x55;
      return checked(s, {(d & 0xffff'f000) | (mva & page_mask), ap, manager || same, true, cached, same}, domain, false,
                     access, user);
    }
    case l2_tiny:
      if (fine)
        return checked(s, {(d & 0xffff'fc00) | (mva & 0x3ff), d >> 4 & 3, false, false, cached}, domain, false, access,
                       user);
      [[fallthrough]];  // reserved in a coarse table
    default: return failed(domain, fault_translation_page);
  }
}

void log_abort(const CpuState& s, const char* what, u32 va, u32 fsr) {
  if (log_on(Log::mmu)) [[unlikely]]
    log_printf(Log::mmu, "mmu: %s of 0x%08x faults at pc 0x%08x, fsr 0x%02x\n", what, va, s.pc, fsr);
}

// The base-restored abort model needs nothing here: instructions change registers only after their accesses.
[[gnu::cold]] void data_abort(CpuState& s, u32 va, u32 fsr, bool store) {
  log_abort(s, store ? "store" : "load", va, fsr);
  s.cp15.dfsr = fsr;
  s.cp15.far = modified_address(s, va);
  take_exception(s, Exception::data_abort, s.pc + 8);
}
}  // namespace

Walk walk(const CpuState& s, u32 va, Access access, bool user) noexcept {
  const u32 mva = modified_address(s, va);
  if (!(s.cp15.control & ctl_m)) return {true, mva, 0, true, false, true};

  u32 d = 0;
  if (!read_descriptor(s, (s.cp15.ttbr & 0xffff'c000) | (mva >> 18 & 0x3ffc), d))
    return failed(0, fault_external_walk_l1);
  const u32 domain = d >> 5 & 0xf;
  switch (d & 3) {
    case l1_section: {
      Walk w = checked(s, {(d & 0xfff0'0000) | (mva & 0xf'ffff), d >> 10 & 3, true, false, (d & 8) != 0}, domain, true,
                       access, user);
      if (va >> 25) w.section = d;  // below, the PID is part of it
      return w;
    }
    case l1_coarse:
    case l1_fine: return walk_page(s, mva, d, (d & 3) == l1_fine, domain, access, user);
    default: return failed(domain, fault_translation_section);
  }
}

Resolved resolve_data(CpuState& s, u32 va, unsigned size, bool store, bool user, bool plain) noexcept {
  u8 rotate = 0;
  if (const u32 low = va & (size - 1)) [[unlikely]] {
    if (s.cp15.control & ctl_a) {
      data_abort(s, va, fault_alignment, store);
      return {GuestPhys{0}, nullptr, 0, true};
    }
    if (size == 4 && !store && !plain) rotate = u8(8 * low);
    va -= low;
  }
  const Walk w = walk(s, va, store ? Access::write : Access::read, user);
  if (!w.ok) [[unlikely]] {
    data_abort(s, va, w.fsr, store);
    return {GuestPhys{0}, nullptr, 0, true};
  }
  note(s, va, w);
  const GuestPhys page{w.phys & ~page_mask};
  u8* host = w.uniform ? accel::map_page(s, va, page, user, store, w.single_page) : accel::ram_page(s, page, store);
  if (host) host += w.phys & page_mask;
  else if (w.uniform) accel::map_device(s, va, page, user, store);
  return {GuestPhys{w.phys}, host, rotate, false};
}

Fetch resolve_fetch(CpuState& s, u32 va) noexcept {
  const Walk w = walk(s, va, Access::execute, s.privilege);
  if (w.ok) [[likely]] {
    note(s, va, w);
    return {GuestPhys{w.phys}, w.uniform, false};
  }
  log_abort(s, "fetch", va, w.fsr);
  s.cp15.ifsr = w.fsr;
  take_exception(s, Exception::prefetch_abort, va + 4);
  return {GuestPhys{0}, false, true};
}

bool probe(const CpuState& s, u32 va, Access access, bool user, u32& phys) noexcept {
  const Walk w = walk(s, va, access, user);
  phys = w.phys;
  return w.ok;
}
}  // namespace arm
