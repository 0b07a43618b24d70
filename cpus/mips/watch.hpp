#pragma once
// Watchpoints: WatchLo and WatchHi, and the exception of a reference that matches a pair (MD00090: Watch exception, WatchLo,
// WatchHi).  Every pair watches all three kinds of references; PREF, CACHE and SYNCI are none.  Thread: vCPU.
//
// What a pair can match is never in the tables of translated code: its page is not opened to loads or stores, and code in
// it runs one instruction at a time.  Nothing else pays for it.

#include "cpus/mips/state.hpp"

namespace mips {
// In the order of the bits W, R and I of WatchLo and WatchHi.
enum class Reference : u8 { store, load, fetch };

void write_watch_lo(CpuState& s, unsigned pair, u32 v) noexcept;
void write_watch_hi(CpuState& s, unsigned pair, u32 v) noexcept;
// After a change of the ASID: other pairs may be live.
void settle_watches(CpuState& s) noexcept;

// Whether some of the 4 KiB at `va` is watched.
bool is_watched(const CpuState& s, u32 va, Reference kind) noexcept;
// The instruction at s.pc refers to `va`.  True: the exception was taken.  Where Status.EXL or ERL is set it is put off,
// and Cause.WP remembers it.
bool watch(CpuState& s, u32 va, Reference kind) noexcept;
// Cause.WP asks for the exception, and nothing holds it back.
bool deferred_watch(const CpuState& s) noexcept;
}  // namespace mips
