#include "core/entropy.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace core;

TEST_CASE("entropy: the key stream of an all-zero key is RFC 8439's (appendix A.1, vectors 1 and 2)") {
  Entropy e({});
  std::array<u8, 128> out;
  e.fill(out);
  constexpr std::array<u8, 8> first{0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90},
      second{0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a};
  for (unsigned i = 0; i < 8; ++i) {
    CHECK(out[i] == first[i]);
    CHECK(out[64 + i] == second[i]);
  }
}

TEST_CASE("entropy: pieces join to the same stream; another seed gives another") {
  Entropy a({1}), b({1}), c({2});
  std::vector<u8> whole(200), parts(200), other(200);
  a.fill(whole);
  b.fill(std::span(parts).first(3)), b.fill(std::span(parts).subspan(3, 100)), b.fill(std::span(parts).subspan(103));
  c.fill(other);
  CHECK(whole == parts);
  CHECK(whole != other);
}
