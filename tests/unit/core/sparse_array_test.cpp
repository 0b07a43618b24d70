#include "core/sparse_array.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace core {
TEST_CASE("sparse array: zeros that take memory when they are written") {
  SparseArray<u32> a(1 << 20);
  CHECK(a.size() == 1 << 20);
  CHECK(a.resident() == 0);
  CHECK(a[0] == 0);
  CHECK(a[a.size() - 1] == 0);
  a[12345] = 7;
  CHECK(a[12345] == 7);
  CHECK(a.resident() > 0);
  CHECK(a.resident() < 1 << 20);
  CHECK(std::ranges::count(a, 0u) == (1 << 20) - 1);
}

TEST_CASE("sparse array: of nothing") {
  const SparseArray<u8> a(0);
  CHECK(a.begin() == a.end());
}
}  // namespace core
