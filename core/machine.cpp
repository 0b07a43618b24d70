#include "core/machine.hpp"

#include "core/log.hpp"

#include <cstring>
#include <ctime>
#include <sys/mman.h>

namespace core {
MachineBase::~MachineBase() {
  for (const RamBlock& b : ram)
    if (!b.boot_alias) munmap(b.host, b.size);
}

bool MachineBase::add_ram(const char* name, GuestPhys at, u64 size, bool rom) {
  // Aligned for the host's large pages: fewer page faults and TLB misses of the host.  What sticks out is given back.
  // Not a flash or a card's memory, of which a guest may touch a few bytes only.
  constexpr u64 large = 2 * MiB;
  const u64 slack = !rom && size >= 8 * large ? large : 0;
  void* p = mmap(nullptr, size + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) return false;
  u8* host = static_cast<u8*>(p);
  if (slack) {
    const u64 before = -reinterpret_cast<u64>(p) & (large - 1);
    if (before) munmap(host, before);
    munmap(host + before + size, slack - before);
    host += before;
    madvise(host, size, MADV_HUGEPAGE);
  }
  ram.push_back({name, at, size, host, rom});
  return true;
}

bool MachineBase::add_boot_alias(GuestPhys rom, GuestPhys at) {
  for (const RamBlock& b : ram) {
    if (!b.rom || b.at != rom) continue;
    ram.insert(ram.begin(), {b.name, at, b.size, b.host, true, true, true, false});
    return true;
  }
  return false;
}

void MachineBase::show_boot_alias(bool on) noexcept {
  for (RamBlock& b : ram) {
    if (!b.boot_alias || b.enabled == on) continue;
    // Translated code goes while the engine still knows whose addresses these were, and what follows is found anew.
    if (memory_written) memory_written(engine_context, b.at, b.size);
    b.enabled = on;
    if (rom_mapping_changed) rom_mapping_changed(engine_context, b.at, b.size);
  }
}

u8* MachineBase::host_memory(GuestPhys at, u64 size) const noexcept {
  for (const RamBlock& b : ram) {
    const u64 off = raw(at) - raw(b.at);
    if (b.enabled && off < b.size && size <= b.size - off) return b.host + off;
  }
  return nullptr;
}

bool MachineBase::dma_read(GuestPhys at, std::span<u8> to) const noexcept {
  const u8* p = host_memory(at, to.size());
  if (!p) return false;
  std::memcpy(to.data(), p, to.size());
  return true;
}

bool MachineBase::dma_write(GuestPhys at, std::span<const u8> from) noexcept {
  for (const RamBlock& b : ram) {
    const u64 off = raw(at) - raw(b.at);
    if (!b.enabled || off >= b.size || from.size() > b.size - off) continue;
    if (b.rom) return false;
    std::memcpy(b.host + off, from.data(), from.size());
    if (memory_written) memory_written(engine_context, at, from.size());
    return true;
  }
  return false;
}

void MachineBase::set_direct(GuestPhys at, bool direct) {
  for (RamBlock& b : ram) {
    if (b.at != at || b.direct == direct) continue;
    b.direct = direct;
    if (rom_mapping_changed) rom_mapping_changed(engine_context, b.at, b.size);
  }
}

void MachineBase::window_moved() noexcept {
  raise(request_flush);
  if (devices_moved) devices_moved(engine_context);
}

void MachineBase::arm_timer(unsigned id, u64 delay_ns) noexcept {
  const u64 before = timers.next();
  const u64 t = now();
  timers.arm(id, delay_ns > never - 1 - t ? never - 1 : t + delay_ns);
  if (timers.next() < before) raise(request_timer);
}

unsigned MachineBase::add_timer(std::function<void()> expired) {
  const unsigned id = unsigned(timers.deadlines().size());
  if (added_timers_.empty()) first_added_ = id;
  added_timers_.push_back(std::move(expired));
  timers.resize(id + 1);
  return id;
}

bool MachineBase::expire_added(unsigned id) {
  const unsigned n = id - first_added_;
  if (n >= added_timers_.size()) return false;
  added_timers_[n]();
  return true;
}

BlockPort* MachineBase::drive(BlockInterface interface, unsigned bus, unsigned unit) noexcept {
  for (BlockPort& d : drives)
    if (d.interface == interface && d.bus == bus && d.unit == unit) return &d;
  return nullptr;
}

void MachineBase::request_shutdown_with(int status) noexcept {
  exit_status = status;
  raise(request_shutdown);
}

namespace {
const KnownRegion* region_of(std::span<const KnownRegion> known, GuestPhys at) {
  for (const KnownRegion& k : known)
    if (raw(at) - raw(k.at) < k.size) return &k;
  return nullptr;
}
}  // namespace

u64 MachineBase::unclaimed_read(GuestPhys at, unsigned) noexcept {
  if (const KnownRegion* k = region_of(known, at)) log_unimp(k->name, "read at", raw(at));
  else log_guest("bus", "read of unmapped address", raw(at));
  return 0;
}

void MachineBase::unclaimed_write(GuestPhys at, unsigned, u64) noexcept {
  if (const KnownRegion* k = region_of(known, at)) log_unimp(k->name, "write at", raw(at));
  else log_guest("bus", "write to unmapped address", raw(at));
}

s64 HostTime::wall_clock_seconds() noexcept { return std::time(nullptr); }
}  // namespace core
