#include "accel/tcg/code_buffer.hpp"

#include "core/log.hpp"

#include <cerrno>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

namespace tcg {
Result<CodeBuffer> CodeBuffer::create(std::size_t bytes) {
  const auto failed = [](const char* what) {
    return Error{Kind::io, std::string("translation buffer: ") + what + ": " + std::strerror(errno)};
  };
  const int fd = memfd_create("pinstrap-code", MFD_CLOEXEC);
  if (fd < 0) return failed("memfd_create");
  if (ftruncate(fd, off_t(bytes)) != 0) {
    close(fd);
    return failed("ftruncate");
  }
  void* w = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  void* x = mmap(nullptr, bytes, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
  close(fd);
  if (w == MAP_FAILED || x == MAP_FAILED) {
    const Error error = failed("mmap");
    if (w != MAP_FAILED) munmap(w, bytes);
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
  std::memcpy(write_ + used_, from, bytes);
  used_ = std::min((used_ + bytes + 15) & ~std::size_t(15), size_);
  return at;
}

void CodeBuffer::patch32(const u8* at, u32 value) { store_le(write_ + (at - code_), value); }
}  // namespace tcg
