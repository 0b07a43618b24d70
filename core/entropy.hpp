#pragma once
// Random bytes for guests from a seed: the key stream of ChaCha20 (RFC 8439), so that asking costs no system call and a
// test gets the same bytes every time.

#include "core/base.hpp"

#include <array>

namespace core {

class Entropy {
 public:
  using Seed = std::array<u8, 32>;
  explicit Entropy(const Seed& seed) noexcept;
  void fill(std::span<u8> out) noexcept;

 private:
  void next_block() noexcept;
  std::array<u32, 16> state_{};  // constants, key, 64-bit counter, nonce 0 (§2.3)
  std::array<u8, 64> block_{};
  std::size_t used_ = 64;
};
}  // namespace core
