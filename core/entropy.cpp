#include "core/entropy.hpp"

#include <bit>

namespace core {

Entropy::Entropy(const Seed& seed) noexcept {
  state_ = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  for (unsigned i = 0; i < 8; ++i) state_[4 + i] = load_le<u32>(&seed[4 * i]);
}

void Entropy::next_block() noexcept {
  std::array<u32, 16> s = state_;
  const auto quarter = [&s](unsigned a, unsigned b, unsigned c, unsigned d) {  // §2.1
    s[a] += s[b], s[d] = std::rotl(s[d] ^ s[a], 16);
    s[c] += s[d], s[b] = std::rotl(s[b] ^ s[c], 12);
    s[a] += s[b], s[d] = std::rotl(s[d] ^ s[a], 8);
    s[c] += s[d], s[b] = std::rotl(s[b] ^ s[c], 7);
  };
  for (unsigned round = 0; round < 10; ++round) {
    for (unsigned i = 0; i < 4; ++i) quarter(i, i + 4, i + 8, i + 12);
    for (unsigned i = 0; i < 4; ++i) quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
  }
  for (unsigned i = 0; i < 16; ++i) store_le(&block_[4 * i], s[i] + state_[i]);
  if (++state_[12] == 0) ++state_[13];
  used_ = 0;
}

void Entropy::fill(std::span<u8> out) noexcept {
  for (u8& b : out) {
    if (used_ == block_.size()) next_block();
    b = block_[used_++];
  }
}
}  // namespace core
