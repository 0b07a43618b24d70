#pragma once
// Memory for translated code, writable through one mapping and executable through another (never both in one).

#include "core/result.hpp"
#include "core/base.hpp"

#include <algorithm>

namespace tcg {
using namespace core;

class CodeBuffer {
 public:
  static Result<CodeBuffer> create(std::size_t bytes);
  CodeBuffer(CodeBuffer&& o) noexcept;
  CodeBuffer& operator=(CodeBuffer&&) = delete;
  ~CodeBuffer();

  const u8* code() const { return code_; }
  std::size_t size() const { return size_; }
  std::size_t used() const { return used_; }
  std::size_t room() const { return size_ - used_; }
  // The address the next append will run at.
  const u8* next() const { return code_ + used_; }
  // Copies `bytes` of code in and rounds up to `alignment`; the caller checked room().
  static constexpr std::size_t alignment = 4;
  const u8* append(const void* from, std::size_t bytes);
  void align(std::size_t to) { used_ = std::min((used_ + to - 1) & ~(to - 1), size_); }
  // Forgets all code after `keep` bytes.
  void rewind(std::size_t keep) { used_ = populated_ = keep; }
  // Replaces the byte, or the 32-bit value, at executable address `at`.
  void patch8(const u8* at, u8 value) { write_[at - code_] = value; }
  void patch32(const u8* at, u32 value);

 private:
  CodeBuffer(u8* write, const u8* code, std::size_t size) : write_(write), code_(code), size_(size) {}
  u8* write_;
  const u8* code_;
  std::size_t size_, used_ = 0;
  std::size_t populated_ = 0;  // bytes of the writable mapping whose pages were asked for
};
}  // namespace tcg
