#include "accel/tcg/code_buffer.hpp"

#include "core/log.hpp"

#include <cerrno>
#include <cstring>
#include <sys/mman.h>

namespace tcg {
Result<CodeBuffer> CodeBuffer::create(std::size_t bytes) {
  const auto failed = [](const char* what) {
    return Error{Kind::io, std::string("translation buffer: ") + what + ": " + std::strerror(errno)};
  };
  // Without a file, since perf looks up names (perf-PID.map) of such memory only.
  void* w = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (w == MAP_FAILED) return failed("mmap");
  void* x = mremap(w, 0, bytes, MREMAP_MAYMOVE);  // a size of 0 maps the same pages once more (mremap(2))
  if (x == MAP_FAILED || mprotect(x, bytes, PROT_READ | PROT_EXEC) != 0) {
    const Error error = failed("second mapping");
    munmap(w, bytes);
    if (x != MAP_FAILED) munmap(x, bytes);
    return error;
  }
  return CodeBuffer(static_cast<u8*>(w), static_cast<const u8*>(x), bytes);
}

CodeBuffer::CodeBuffer(CodeBuffer&& o) noexcept : write_(o.write_), code_(o.code_), size_(o.size_), used_(o.used_) {
  o.write_ = nullptr;
  o.code_ = nullptr;
}

CodeBuffer::~CodeBuffer() {
  if (!write_) return;
  munmap(write_, size_);
  munmap(const_cast<u8*>(code_), size_);
}

const u8* CodeBuffer::append(const void* from, std::size_t bytes) {
  check(bytes <= room());
  const u8* at = next();
#ifdef MADV_POPULATE_WRITE
  // One call instead of 16 page faults.
  constexpr std::size_t step = 64 * KiB;
  if (const std::size_t end = std::min((used_ + bytes + step - 1) / step * step, size_); end > populated_) {
    const std::size_t from = populated_ / step * step;
    madvise(write_ + from, end - from, MADV_POPULATE_WRITE);
    populated_ = end;
  }
#endif
  std::memcpy(write_ + used_, from, bytes);
  const std::size_t before = used_;
  used_ = std::min((used_ + bytes + alignment - 1) & ~(alignment - 1), size_);
  // Resident pages count in each mapping.  What was written is needed as code; a page comes back when it is patched.
  constexpr std::size_t part = 512 * KiB;
  if (const std::size_t full = used_ / part * part; full > before / part * part) madvise(write_, full, MADV_DONTNEED);
  return at;
}

void CodeBuffer::patch32(const u8* at, u32 value) { store_le(write_ + (at - code_), value); }
}  // namespace tcg
