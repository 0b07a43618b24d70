#include "cpus/semihosting.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <unistd.h>

namespace semihosting {
namespace {
constexpr u32 granule = 0x400;  // the smallest page of any family
}

template <class Span, class Move>
bool GuestMemory::each(u32 va, Span bytes, bool write, Move move) const {
  while (!bytes.empty()) {
    u64 phys = 0;
    if (!translate(cpu, va, write, phys)) return false;
    const std::size_t n = std::min<std::size_t>(bytes.size(), granule - (va & (granule - 1)));
    if (!move(GuestPhys{phys}, bytes.first(n))) return false;
    bytes = bytes.subspan(n);
    va += u32(n);
  }
  return true;
}

bool GuestMemory::read(u32 va, std::span<u8> to) const {
  return each(va, to, false, [&](GuestPhys at, std::span<u8> part) { return machine.dma_read(at, part); });
}
bool GuestMemory::write(u32 va, std::span<const u8> from) const {
  return each(va, from, true, [&](GuestPhys at, std::span<const u8> part) { return machine.dma_write(at, part); });
}

bool GuestMemory::string(u32 va, u32 length, Name& to) const {
  if (length >= to.size() || !read(va, {reinterpret_cast<u8*>(to.data()), length})) return false;
  to[length] = 0;
  return std::strlen(to.data()) == length;
}

bool GuestMemory::c_string(u32 va, Name& to) const {
  std::size_t used = 0;
  bool fits = true;
  const bool ended = pieces(va, longest_name + granule, [&](std::span<const u8> part) {
    fits &= used + part.size() < to.size();
    if (fits) used = std::size_t(std::copy(part.begin(), part.end(), to.begin() + used) - to.begin());
  });
  to[used] = 0;
  return ended && fits;
}

int Files::free_slot() const {
  const auto found = std::find_if(files_.begin(), files_.end(), [](const File& f) { return f.kind == File::closed; });
  return found == files_.end() ? -1 : int(found - files_.begin());
}
int Files::close(File& f) {
  const int result = f.kind == File::host ? ::close(f.fd) : 0;
  f = {};
  return result;
}
void Files::close_all() {
  for (File& f : files_)
    if (f.kind != File::closed) close(f);
}

Moved write_host(int fd, std::span<const u8> bytes, s64 offset) {
  Moved m;
  while (m.bytes < bytes.size()) {
    const u8* const from = bytes.data() + m.bytes;
    const std::size_t left = bytes.size() - m.bytes;
    const ssize_t w = offset < 0 ? ::write(fd, from, left) : ::pwrite(fd, from, left, offset + m.bytes);
    if (w < 0 && errno == EINTR) continue;
    if (w <= 0) {
      m.error = w ? errno : EIO;
      break;
    }
    m.bytes += u32(w);
  }
  return m;
}
ssize_t read_host(int fd, std::span<u8> to, s64 offset) {
  for (;;) {
    const ssize_t r = offset < 0 ? ::read(fd, to.data(), to.size()) : ::pread(fd, to.data(), to.size(), offset);
    if (r >= 0 || errno != EINTR) return r;
  }
}

Moved write_file(const GuestMemory& g, int fd, u32 va, u32 count, s64 offset) {
  Moved all;
  std::array<u8, granule> buffer;
  while (all.bytes < count) {
    const std::span part(buffer.data(), std::min<std::size_t>(count - all.bytes, buffer.size()));
    if (!g.read(va + all.bytes, part)) return {all.bytes, EFAULT};
    const Moved m = write_host(fd, part, offset < 0 ? offset : offset + all.bytes);
    all = {all.bytes + m.bytes, m.error};
    if (m.bytes < part.size()) break;
  }
  return all;
}

Moved read_file(const GuestMemory& g, int fd, u32 va, u32 count, bool console, s64 offset) {
  Moved all;
  std::array<u8, granule> buffer;
  while (all.bytes < count) {
    const std::span part(buffer.data(), std::min<std::size_t>(count - all.bytes, buffer.size()));
    const ssize_t got = read_host(fd, part, offset < 0 ? offset : offset + all.bytes);
    if (got < 0) all.error = errno;
    if (got <= 0) break;
    if (!g.write(va + all.bytes, part.first(std::size_t(got)))) return {all.bytes, EFAULT};
    all.bytes += u32(got);
    if (console || std::size_t(got) < part.size()) break;
  }
  return all;
}
}  // namespace semihosting
