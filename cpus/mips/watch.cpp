#include "cpus/mips/watch.hpp"

#include "cpus/mips/cp0.hpp"
#include "cpus/mips/models.hpp"

#include "accel/softmmu.hpp"

namespace mips {
namespace {
constexpr u32 enables = 7, doubleword = 7;  // WatchLo: I, R and W; the address is that of a doubleword
constexpr u32 hi_global = 1u << 30, hi_asid = 0xff << 16, hi_mask = 0xff8, hi_matched = 7;
constexpr u32 asid_mask = 0xff, page = 0xfff;

// Three bits of `CpuState::watches` a pair, as in WatchLo.
constexpr u32 bit_of(unsigned pair, Reference kind) { return 1u << (3 * pair + unsigned(kind)); }

u32 live_pairs(const CpuState& s) {
  u32 live = 0;
  for (unsigned n = 0; n < watch_pairs; ++n) {
    const u32 hi = s.cp0.watch_hi[n];
    if ((hi & hi_global) || (hi >> 16 & asid_mask) == (s.cp0.entry_hi & asid_mask)) live |= (s.cp0.watch_lo[n] & enables) << 3 * n;
  }
  return live;
}

// What is in the tables was let in by the pairs as they were.
void changed(CpuState& s, u32 live) {
  s.watches = live;
  ++s.watch_changes;
  accel::flush_tlb(s);
}
void written(CpuState& s) {
  const u32 live = live_pairs(s);
  if (live | s.watches) changed(s, live);
}
}  // namespace

void settle_watches(CpuState& s) noexcept {
  if (const u32 live = live_pairs(s); live != s.watches) changed(s, live);
}

void write_watch_lo(CpuState& s, unsigned pair, u32 v) noexcept {
  s.cp0.watch_lo[pair] = v;
  written(s);
}

// Release 2 has the bits of what matched, which a 1 clears.
void write_watch_hi(CpuState& s, unsigned pair, u32 v) noexcept {
  u32& hi = s.cp0.watch_hi[pair];
  hi = (hi & hi_matched & ~v) | (v & (hi_global | hi_asid | hi_mask));
  written(s);
}

bool is_watched(const CpuState& s, u32 va, Reference kind) noexcept {
  for (unsigned n = 0; n < watch_pairs; ++n)
    if ((s.watches & bit_of(n, kind)) && !((s.cp0.watch_lo[n] ^ va) & ~page)) return true;
  return false;
}

bool watch(CpuState& s, u32 va, Reference kind) noexcept {
  if (s.cp0.debug & debug_dm) return false;
  bool matched = false;
  for (unsigned n = 0; n < watch_pairs; ++n) {
    const u32 ignored = (s.cp0.watch_hi[n] & hi_mask) | doubleword;
    if (!(s.watches & bit_of(n, kind)) || ((s.cp0.watch_lo[n] ^ va) & ~ignored)) continue;
    if (s.model->release2) s.cp0.watch_hi[n] |= 1u << unsigned(kind);
    matched = true;
  }
  if (!matched) return false;
  if (s.cp0.status & (status_exl | status_erl)) {
    s.cp0.cause |= cause_wp;
    return false;
  }
  take_exception(s, ExcCode::WATCH);
  return true;
}

bool deferred_watch(const CpuState& s) noexcept {
  return (s.cp0.cause & cause_wp) && !(s.cp0.status & (status_exl | status_erl)) && !(s.cp0.debug & debug_dm);
}
}  // namespace mips
