#include "accel/tcg/block_store.hpp"

#include "core/log.hpp"

#include <algorithm>

namespace tcg {
using accel::page_bits;

namespace {
constexpr std::size_t bucket_count = 1 << 17;
constexpr u32 mib_count = 1 << 12;  // of guest virtual space
std::size_t bucket_of(u64 phys, u32 pc, u32 mode) {
  u64 h = (phys >> 1) * 0x9e3779b97f4a7c15ull + pc * 0x85ebca6bull + mode;
  return (h >> 32 ^ h) & (bucket_count - 1);
}
// The 64-byte lines of a page that [first, last] touches, offsets in the page.
u64 line_mask(u32 first, u32 last) {
  const unsigned a = first >> 6, b = last >> 6;
  return (~u64(0) >> (63 - b)) & (~u64(0) << a);
}
}  // namespace

std::size_t BlockStore::page_count(const MachineBase& machine) {
  std::size_t pages = 0;
  for (const RamBlock& b : machine.ram) pages += b.size >> page_bits;
  return pages;
}

BlockStore::BlockStore(VcpuHeader& c, CodeBuffer* buffer, u32 fixed_at, u32 fixed_size, accel::Layers layers)
    : c_(c), buffer_(buffer), pages_(page_count(*c.machine)), buckets_(bucket_count, no_block), fixed_at_(fixed_at),
      fixed_size_(layers.has(accel::Layer::fixed) ? fixed_size : 0), opens_pages_(layers.has(accel::Layer::tables)),
      keeps_(layers.has(accel::Layer::fixed)), section_(mib_count) {
  std::size_t first = 0;
  for (std::size_t i = 0; i < c.machine->ram.size(); ++i) {
    const RamBlock& b = c.machine->ram[i];
    regions_.push_back({raw(b.at), b.size, b.host, i, first});
    first += b.size >> page_bits;
  }
  large_.resize(mib_count);
  blocks_.reserve(1 << 14);
}
BlockStore::~BlockStore() = default;

const BlockStore::Region* BlockStore::region_of(u64 phys) const {
  for (const Region& r : regions_)
    if (phys - r.at < r.size && c_.machine->ram[r.block].enabled) return &r;
  return nullptr;
}

s64 BlockStore::page_index(GuestPhys at) const {
  const Region* r = region_of(raw(at));
  return r ? s64(r->first_page + ((raw(at) - r->at) >> page_bits)) : -1;
}

u8* BlockStore::page_host(GuestPhys at) const {
  const Region* r = region_of(raw(at));
  return r && readable(*r) ? r->host + ((raw(at) - r->at) & ~u64(0xfff)) : nullptr;
}

u64 BlockStore::memory() const {
  const auto bytes = [](const auto& v) { return u64(v.size()) * sizeof v[0]; };
  u64 total = pages_.resident() + bytes(blocks_) + bytes(slots_) + bytes(buckets_) + code_page_.resident() + large_.size() / 8;
  for (const Filled& f : filled_) total += bytes(f.pages) + bytes(f.probes) + bytes(f.code_pages);
  return total;
}

u32 BlockStore::find(u64 phys, u32 pc, u32 mode) const {
  for (u32 i = buckets_[bucket_of(phys, pc, mode)]; i != no_block; i = blocks_[i].next_in_bucket) {
    const TranslatedBlock& b = blocks_[i];
    if (b.phys == phys && b.pc == pc && b.mode == mode) return i;
  }
  return no_block;
}

u32 BlockStore::add(TranslatedBlock block) {
  const s64 page = page_index(GuestPhys{block.phys});
  check(page >= 0);
  MemoryPage& p = pages_[std::size_t(page)];
  if (!p.lines) close_page_for_stores(std::size_t(page), page_host(GuestPhys{block.phys}));
  p.lines |= line_mask(block.first() & 0xfff, block.last() & 0xfff);
  const u32 i = u32(blocks_.size());
  u32& bucket = buckets_[bucket_of(block.phys, block.pc, block.mode)];
  block.next_in_bucket = bucket;
  block.next_in_page = p.first_block();
  bucket = i;
  p.set_first_block(i);
  blocks_.push_back(std::move(block));
  return i;
}

void BlockStore::clear() {
  for (const TranslatedBlock& b : blocks_)
    if (const s64 page = page_index(GuestPhys{b.phys}); page >= 0) {
      pages_[std::size_t(page)].lines = 0;
      pages_[std::size_t(page)].set_first_block(no_block);
    }
  blocks_.clear();
  slots_.clear();
  std::fill(buckets_.begin(), buckets_.end(), no_block);
  clear_probes();
}

void BlockStore::begin_guess(u32 n) { accel::guess_table(&c_)[n] = {accel::guess_nothing, accel::wrong_guesses, 0}; }

u32 BlockStore::add_slot(const u8* displacement, u32 unlinked, u32 pc) {
  slots_.push_back({u32(displacement - buffer_->code()), unlinked, pc, no_block});
  return u32(slots_.size() - 1);
}

void BlockStore::lead(const JumpSlot& slot, bool chained, u32 operand) {
  constexpr u8 call = 0xe8, jump = 0xe9;
  const u8* at = buffer_->code() + slot.displacement;
  if (at[-1] == (chained ? call : jump)) buffer_->patch8(at - 1, chained ? jump : call);
  buffer_->patch32(at, operand);
}

void BlockStore::link(u32 slot, u32 block) {
  JumpSlot& s = slots_[slot];
  lead(s, true, u32(blocks_[block].code - (buffer_->code() + s.displacement + 4)));
  s.next_incoming = blocks_[block].first_incoming;
  blocks_[block].first_incoming = slot;
}

void BlockStore::relink(u32 from, u32 to) {
  for (u32 s = std::exchange(blocks_[from].first_incoming, no_block); s != no_block;) {
    const u32 next = slots_[s].next_incoming;
    link(s, to);
    s = next;
  }
}

void BlockStore::invalidate(u32 index) {
  TranslatedBlock& b = blocks_[index];
  b.valid = false;
  ++invalidated;
  u32* link = &buckets_[bucket_of(b.phys, b.pc, b.mode)];
  while (*link != index) link = &blocks_[*link].next_in_bucket;
  *link = b.next_in_bucket;
  MemoryPage& page = pages_[std::size_t(page_index(GuestPhys{b.phys}))];
  u32 first = page.first_block();
  for (link = &first; *link != index;) link = &blocks_[*link].next_in_page;
  *link = b.next_in_page;
  page.set_first_block(first);
  for (u32 s = b.first_incoming; s != no_block;) {
    JumpSlot& slot = slots_[s];
    lead(slot, false, slot.unlinked);
    s = std::exchange(slot.next_incoming, no_block);
  }
  b.first_incoming = no_block;
  if (b.tier == TranslatedBlock::Tier::region) {
    // It may be running: it must not jump back once more.
    c_.exit_request.fetch_or(request_kick, std::memory_order_relaxed);
    if (const u32 plain = find(b.phys, b.pc, b.mode); plain != no_block) blocks_[plain].tier = TranslatedBlock::Tier::block;
  } else if (b.tier == TranslatedBlock::Tier::unlikely) {
    // The region in its place may have to fall back on it.
    if (const u32 region = find(b.phys, b.pc, b.mode); region != no_block) invalidate(region);
  }
  for (unsigned privilege = 0; privilege < 2; ++privilege) {
    const std::size_t i = accel::probe_index(b.pc);
    accel::ProbeEntry& e = accel::probe_table(&c_, privilege)[i];
    if (e.tag == b.pc && e.code == b.code) e.tag = accel::probe_empty(i);
  }
}

void BlockStore::refresh_lines(std::size_t index) {
  MemoryPage& p = pages_[index];
  p.lines = 0;
  for (u32 i = p.first_block(); i != no_block; i = blocks_[i].next_in_page) {
    p.lines |= line_mask(blocks_[i].first() & 0xfff, blocks_[i].last() & 0xfff);
  }
}

template <class F>
void BlockStore::each_block_in(GuestPhys at, u64 size, F f) const {
  const u64 end = raw(at) + size;
  for (u64 a = raw(at); a < end; a = (a | 0xfff) + 1) {
    const s64 page = page_index(GuestPhys{a});
    if (page < 0) continue;
    const MemoryPage& p = pages_[std::size_t(page)];
    const u64 last = std::min(end - 1, a | 0xfff);
    if (!(p.lines & line_mask(u32(a & 0xfff), u32(last & 0xfff)))) continue;
    for (u32 i = p.first_block(); i != no_block;) {
      const u32 next = blocks_[i].next_in_page;
      const TranslatedBlock& b = blocks_[i];
      if (b.first() <= last && a <= b.last()) f(i, std::size_t(page));
      i = next;
    }
  }
}

void BlockStore::code_written(GuestPhys at, u64 size) {
  if (table_ && raw(at) < table_at_ + 4 * mib_count && table_at_ < raw(at) + size) {
    const u64 first = std::max(raw(at), table_at_), last = std::min(raw(at) + size, table_at_ + 4 * mib_count) - 1;
    drop_changed_sections(u32((first - table_at_) / 4), u32((last - table_at_) / 4));
  }
  each_block_in(at, size, [&](u32 i, std::size_t page) {
    if (!blocks_[i].valid) return;  // a region went with its block
    invalidate(i);
    refresh_lines(page);
  });
}

bool BlockStore::hits_own_block(GuestPhys at, u64 size) const {
  if (stepping) return false;
  bool own = false;
  each_block_in(at, size, [&](u32 i, std::size_t) { own |= c_.pc - (blocks_[i].pc & ~1u) + blocks_[i].before < u32(blocks_[i].bytes) + blocks_[i].before; });
  return own;
}

void BlockStore::fill_probe(u32 pc, u32 privilege, const void* code, u64 phys) {
  const std::size_t i = accel::probe_index(pc);
  accel::ProbeEntry& e = accel::probe_table(&c_, privilege)[i];
  const Kind kind = kind_of(pc);
  if (e.tag == accel::probe_empty(i) || kind_of(e.tag) != kind) {
    // Entries emptied one by one stay listed; a guest that keeps doing that must not grow the list for ever.
    if (filled_[kind].probes.size() > 4 * accel::probe_count) clear_probes(kind);
    filled_[kind].probes.push_back(u32(i << 1 | privilege));
  }
  e = {pc, 0, code};
  const u32 page = pc >> page_bits;
  if (!code_page_[page]) filled_[kind].code_pages.push_back(page);
  code_page_[page] = u32(phys >> page_bits) + 1;
}

void BlockStore::clear_probes(Kind kind) {
  Filled& f = filled_[kind];
  for (const u32 p : f.probes) {
    accel::ProbeEntry& e = accel::probe_table(&c_, p & 1)[p >> 1];
    if (kind_of(e.tag) == kind) e.tag = accel::probe_empty(p >> 1);
  }
  for (const u32 page : f.code_pages) code_page_[page] = 0;
  f.probes.clear();
  f.code_pages.clear();
}
void BlockStore::clear_probes() {
  clear_probes(mapped);
  clear_probes(fixed);
}

u8* BlockStore::ram_page(GuestPhys page, bool store) const {
  const Region* r = region_of(raw(page));
  if (!r || (store ? c_.machine->ram[r->block].rom : !readable(*r))) return nullptr;
  return r->host + (raw(page) - r->at);
}

u8* BlockStore::map_page(u32 va, GuestPhys page, unsigned privilege, bool store, bool single_page) {
  u8* host = ram_page(page, store);
  if (!host || !opens_pages_) return host;
  const u32 vp = va >> page_bits;
  if (store) {
    MemoryPage& p = pages_[std::size_t(page_index(page))];
    if (p.lines || p.watched) return host;
    const u32 old = p.writer(privilege);
    const u64* table = accel::page_table(&c_, privilege, true);
    const bool still = old != ~0u && old != vp && table[old] + (u64(old) << page_bits) == reinterpret_cast<u64>(host);
    if (still) p.many_writers = true;
    p.set_writer(privilege, vp);
  }
  u64& entry = accel::page_table(&c_, privilege, store)[vp];
  if (!entry) {
    std::vector<u32>& pages = filled_[kind_of(va)].pages;
    if (pages.size() > accel::page_table_entries) flush_tlb();  // as in fill_probe()
    pages.push_back(vp << 2 | (2 * privilege + store));
  }
  entry = reinterpret_cast<u64>(host) - (u64(vp) << page_bits);
  if (!single_page) large_[vp >> 8] = true;
  ++tlb_fills;
  return host;
}

// After this no translated store reaches the page without passing through code_written().
void BlockStore::close_page_for_stores(std::size_t index, const u8* host) {
  MemoryPage& p = pages_[index];
  for (unsigned privilege = 0; privilege < 2; ++privilege) {
    u64* table = accel::page_table(&c_, privilege, true);
    if (p.many_writers) {
      for (const Filled& filled : filled_)
        for (const u32 f : filled.pages)
          if ((f & 3) == 2 * privilege + 1 && table[f >> 2] + (u64(f >> 2) << page_bits) == reinterpret_cast<u64>(host))
            table[f >> 2] = 0;
    } else if (const u32 va = p.writer(privilege); va != ~0u) {
      table[va] = 0;
    }
    p.set_writer(privilege, ~0u);
  }
  p.many_writers = false;
}

void BlockStore::clear_pages(Kind kind) {
  clear_devices(kind);
  for (const u32 f : filled_[kind].pages) {
    accel::page_table(&c_, f >> 1 & 1, f & 1)[f >> 2] = 0;
    large_[f >> 10] = false;
  }
  filled_[kind].pages.clear();
}

void BlockStore::map_device(u32 va, GuestPhys page, unsigned privilege, bool store) {
  if (!opens_pages_ || region_of(raw(page))) return;  // memory that is not open now may be later
  accel::DevicePage& d = c_.devices[2 * privilege + store][va >> page_bits & (accel::device_pages - 1)];
  d.tag = va & ~0xfffu;
  if (store) d.writer = port && port->writer ? port->writer(&c_, page) : core::DeviceWriter{raw(page), nullptr};
  else d.reader = port && port->reader ? port->reader(&c_, page) : core::DeviceReader{raw(page), nullptr};
  has_devices_[kind_of(va)] = true;
}

void BlockStore::clear_devices(Kind kind) {
  if (!has_devices_[kind]) return;
  has_devices_[kind] = false;
  for (auto& table : c_.devices)
    for (accel::DevicePage& d : table)
      if (d.tag != accel::DevicePage::empty && kind_of(d.tag) == kind) d.tag = accel::DevicePage::empty;
}
void BlockStore::forget_devices() {
  clear_devices(mapped);
  clear_devices(fixed);
}

void BlockStore::flush_tlb() {
  ++tlb_flushes;
  clear_pages(mapped);
  clear_pages(fixed);
  clear_probes();
  for (const u32 mib : sections_) section_[mib] = 0;
  sections_.clear();
  watch_table(GuestPhys{~u64(0)});
}
void BlockStore::flush_tlb_mapped() {
  ++tlb_flushes;
  clear_pages(mapped);
  clear_probes(mapped);
}

void BlockStore::flush_tlb_page(u32 va) {
  ++tlb_page_flushes;
  const u32 vp = va >> page_bits;
  // A larger mapping goes as a whole: up to the 256 pages of its MiB.
  const bool large = large_[vp >> 8];
  large ? clear_range(vp & ~0xffu, 256) : clear_range(vp, 1);
}

void BlockStore::clear_range(u32 first, u32 count) {
  const Kind kind = kind_of(first << page_bits);
  clear_devices(kind);
  bool code = false;
  for (u32 p = first; p < first + count; ++p) {
    for (unsigned t = 0; t < accel::page_table_count; ++t) accel::page_table(&c_, t >> 1, t & 1)[p] = 0;
    code |= code_page_[p] != 0;
  }
  if (code) clear_probes(kind);
}

// What leads elsewhere goes, the rest stays: an operating system often writes again what was there.
void BlockStore::remap_page(u32 va, GuestPhys page, bool writable) {
  const u32 vp = va >> page_bits;
  if (large_[vp >> 8]) return flush_tlb_page(va);
  clear_devices(kind_of(va));
  if (const u32 code = code_page_[vp]; code && code != u32(raw(page) >> page_bits) + 1) clear_probes(kind_of(va));
  const u64 same = reinterpret_cast<u64>(ram_page(page, false)) - (u64(vp) << page_bits);
  for (unsigned t = 0; t < accel::page_table_count; ++t) {
    u64& entry = accel::page_table(&c_, t >> 1, t & 1)[vp];
    if (entry && (entry != same || ((t & 1) && !writable))) entry = 0;
  }
}

void BlockStore::drop_section(u32 mib) {
  clear_range(mib << 8, 256);
  section_[mib] = 0;
}

void BlockStore::drop_changed_sections(u32 first, u32 last) {
  for (u32 mib = first; mib <= last; ++mib)
    if (section_[mib] && section_[mib] != load_le<u32>(table_ + 4 * mib)) {
      drop_section(mib);
      std::erase(sections_, mib);
    }
}

// Closes the table for stores, and opens the one before again.
void BlockStore::watch_table(GuestPhys table) {
  if (table_ && raw(table) == table_at_) return;
  constexpr u32 pages = 4 * mib_count >> page_bits;
  const auto each_page = [&](bool watched) {
    for (u32 p = 0; p < pages; ++p) {
      pages_[table_page_ + p].watched = watched;
      if (watched) close_page_for_stores(table_page_ + p, table_ + (p << page_bits));
    }
  };
  if (table_) each_page(false);
  const Region* r = region_of(raw(table));
  table_ = keeps_ && r && readable(*r) && raw(table) - r->at + 4 * mib_count <= r->size ? r->host + (raw(table) - r->at) : nullptr;
  table_at_ = raw(table);
  if (!table_) return;
  table_page_ = std::size_t(page_index(table));
  each_page(true);
}

void BlockStore::flush_tlb_but_sections(GuestPhys table) {
  ++tlb_flushes;
  clear_pages(mapped);
  clear_probes(mapped);
  watch_table(table);
  std::size_t kept = 0;
  for (const u32 mib : sections_) {
    if (table_ && section_[mib] == load_le<u32>(table_ + 4 * mib)) sections_[kept++] = mib;
    else drop_section(mib);
  }
  sections_.resize(kept);
}

void BlockStore::note_section(u32 va, u32 descriptor, GuestPhys table) {
  const u32 mib = va >> 20;
  if (section_[mib] == descriptor) return;
  if (section_[mib]) {
    drop_section(mib);
    std::erase(sections_, mib);
  }
  if (!descriptor || !table_ || raw(table) != table_at_) return;
  clear_range(mib << 8, 256);  // what was listed to be flushed
  section_[mib] = descriptor;
  sections_.push_back(mib);
}
}  // namespace tcg

namespace accel {
namespace {
tcg::BlockStore& store_of(VcpuHeader& c) { return *static_cast<tcg::BlockStore*>(c.blocks); }
}  // namespace

u8* ram_page(VcpuHeader& c, GuestPhys page, bool store) noexcept { return store_of(c).ram_page(page, store); }
u8* map_page(VcpuHeader& c, u32 va, GuestPhys page, unsigned privilege, bool store, bool single_page) noexcept {
  return store_of(c).map_page(va, page, privilege, store, single_page);
}
void map_device(VcpuHeader& c, u32 va, GuestPhys page, unsigned privilege, bool store) noexcept {
  store_of(c).map_device(va, page, privilege, store);
}
void forget_devices(VcpuHeader& c) noexcept {
  if (c.blocks) store_of(c).forget_devices();
}
void flush_tlb(VcpuHeader& c) noexcept {
  if (c.blocks) store_of(c).flush_tlb();
}
void flush_tlb_mapped(VcpuHeader& c) noexcept {
  if (c.blocks) store_of(c).flush_tlb_mapped();
}
void flush_tlb_page(VcpuHeader& c, u32 va) noexcept {
  if (c.blocks) store_of(c).flush_tlb_page(va);
}
void remap_page(VcpuHeader& c, u32 va, GuestPhys page, bool writable) noexcept {
  if (c.blocks) store_of(c).remap_page(va, page, writable);
}
void flush_tlb_but_sections(VcpuHeader& c, GuestPhys table) noexcept {
  if (c.blocks) store_of(c).flush_tlb_but_sections(table);
}
void note_section(VcpuHeader& c, u32 va, u32 descriptor, GuestPhys table) noexcept {
  if (c.blocks) store_of(c).note_section(va, descriptor, table);
}
void code_written(VcpuHeader& c, GuestPhys at, u64 size) noexcept {
  if (c.blocks) store_of(c).code_written(at, size);
}
void rom_mapping_changed(VcpuHeader& c, GuestPhys at, u64 size) noexcept {
  if (!c.blocks) return;
  store_of(c).flush_tlb();
  store_of(c).code_written(at, size);
}
u64 store_memory(VcpuHeader& c, GuestPhys at, u8* host, unsigned size, u32 value) noexcept {
  tcg::BlockStore& blocks = store_of(c);
  if (blocks.hits_own_block(at, size)) {
    blocks.step_wanted = true;
    restart_instruction(c);
    return outcome_leave;
  }
  write_memory(host, size, value);
  blocks.code_written(at, size);
  return 0;
}
}  // namespace accel
