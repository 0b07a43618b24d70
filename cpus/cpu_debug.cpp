#include "cpus/cpu_debug.hpp"

#include <algorithm>
#include <cstring>

namespace core {

template <class Span, class Move>
bool CpuDebug::each(u32 va, Span bytes, Move move) {
  constexpr u32 granule = 0x400;  // the smallest page of any family
  while (!bytes.empty()) {
    u64 phys = 0;
    if (!translate(va, phys)) return false;
    const std::size_t n = std::min<std::size_t>(bytes.size(), granule - (va & (granule - 1)));
    if (!move(phys, bytes.first(n))) return false;
    bytes = bytes.subspan(n);
    va += u32(n);
  }
  return true;
}

bool CpuDebug::read_memory(u64 address, std::span<u8> out) {
  return each(u32(address), out, [this](u64 phys, std::span<u8> part) { return read_physical(phys, part); });
}
bool CpuDebug::write_memory(u64 address, std::span<const u8> in) {
  return each(u32(address), in, [this](u64 phys, std::span<const u8> part) { return write_physical(phys, part); });
}

bool CpuDebug::read_physical(u64 address, std::span<u8> out) { return c_.machine->dma_read(GuestPhys{address}, out); }

bool CpuDebug::write_physical(u64 address, std::span<const u8> in) {
  MachineBase& m = *c_.machine;
  u8* const p = m.host_memory(GuestPhys{address}, in.size());
  if (!p) return false;
  std::memcpy(p, in.data(), in.size());
  if (m.memory_written) m.memory_written(m.engine_context, GuestPhys{address}, in.size());
  return true;
}

void CpuDebug::set_breakpoint(u64 address, bool on) {
  const u32 at = u32(address) & ~1u;  // a mode bit
  const bool changed = on ? breakpoints_.insert(at).second : breakpoints_.erase(at) != 0;
  if (changed && on_code_change) on_code_change(at, on);
}
}  // namespace core
