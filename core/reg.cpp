#include "core/reg.hpp"

#include "core/log.hpp"

#include <algorithm>

namespace core {
namespace {
u32 index_of(const RegInfo& info, u32 off) { return info.count == 1 ? 0 : (off - info.at) / info.stride; }

u64 load(const RegInfo& info, const void* regs, u32 index) {
  const void* const at = static_cast<const char*>(regs) + info.pos + index * info.width;
  switch (info.width) {  // a copy of a width that is not known is a call
    case 1: return *static_cast<const u8*>(at);
    case 2: return *static_cast<const u16*>(at);
    case 4: return *static_cast<const u32*>(at);
    default: return *static_cast<const u64*>(at);
  }
}
void store(const RegInfo& info, void* regs, u32 index, u64 v) {
  void* const at = static_cast<char*>(regs) + info.pos + index * info.width;
  switch (info.width) {
    case 1: *static_cast<u8*>(at) = u8(v); break;
    case 2: *static_cast<u16*>(at) = u16(v); break;
    case 4: *static_cast<u32*>(at) = u32(v); break;
    default: *static_cast<u64*>(at) = v;
  }
}
}  // namespace

const RegInfo* find_reg(std::span<const RegInfo> info, u32 off) {
  for (const RegInfo& i : info)
    if (off == i.at || (off - i.at < i.count * i.stride && (off - i.at) % i.stride == 0)) return &i;
  return nullptr;
}

Lane lane_at(std::span<const RegInfo> info, u32 off, unsigned size) {
  unsigned hole = size;  // bytes before the next register
  for (const RegInfo& i : info) {
    if (i.covers(off)) {
      const u32 within = (off - i.at) % i.stride;
      return {&i, off - within, within * 8, std::min(size, i.width - within)};
    }
    for (unsigned n = 1; n < hole; ++n)
      if (i.covers(off + n)) hole = n;
  }
  return {nullptr, off, 0, hole};
}

u64 plain_read(const RegInfo& info, void* regs, u32 off) {
  const u32 i = index_of(info, off);
  if (info.rom) return info.rom[i];
  if (!has(info.access, R | RC)) return 0;
  const u64 v = load(info, regs, i);
  if (has(info.access, RC)) store(info, regs, i, 0);
  return v;
}

void plain_write(const RegInfo& info, void* regs, u32 off, u64 value) {
  if (info.rom) return;
  const u32 i = index_of(info, off);
  const u64 old = load(info, regs, i), bits = value & info.writable;
  if (has(info.access, W)) store(info, regs, i, (old & ~info.writable) | bits);
  else if (has(info.access, W1C)) store(info, regs, i, old & ~bits);
  else if (has(info.access, W1S)) store(info, regs, i, old | bits);
}

void reset_regs(std::span<const RegInfo> info, void* regs) {
  for (const RegInfo& r : info)
    for (u32 i = 0; !r.rom && i < r.count; ++i) store(r, regs, i, r.reset);
}

void trace_access(const char* device, std::span<const RegInfo> info, u32 off, unsigned size, u64 value, bool write) {
  const RegInfo* r = find_reg(info, off);
  const std::string_view name = r ? r->name : "?";
  log_printf(Log::trace, "%s: %s%u %.*s+0x%03x 0x%llx\n", device, write ? "W" : "R", size * 8, int(name.size()), name.data(),
             off, static_cast<unsigned long long>(value));
}
}  // namespace core
