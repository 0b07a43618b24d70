#include "core/result.hpp"

#include <doctest/doctest.h>

#include <memory>

namespace core {
namespace {
Result<int> half(int n) {
  if (n % 2) return Error{Kind::usage, "'" + std::to_string(n) + "' is odd"};
  return n / 2;
}
Result<int> quarter(int n) {
  const int h = TRY(half(n));
  return TRY(half(h).context("second half"));
}
Status even(int n) {
  TRY(half(n));
  return {};
}
Status both_even(int a, int b) {
  TRY(even(a));
  TRY(even(b).context("b"));
  return {};
}
Result<std::unique_ptr<int>> boxed(int n) {
  return std::make_unique<int>(TRY(half(n)));
}
}  // namespace

TEST_CASE("result: a value passes through TRY") {
  REQUIRE(quarter(8));
  CHECK(*quarter(8) == 2);
  REQUIRE(boxed(6));
  CHECK(**boxed(6) == 3);
}

TEST_CASE("result: an error passes through TRY with its kind, and says what was being done") {
  const auto first = quarter(7), second = quarter(6);
  REQUIRE_FALSE(first);
  CHECK(first.error().text == "'7' is odd");
  CHECK(first.error().kind == Kind::usage);
  REQUIRE_FALSE(second);
  CHECK(second.error().text == "second half: '3' is odd");
  CHECK(boxed(5).error().text == "'5' is odd");
}

TEST_CASE("result: a status carries only success or an error") {
  CHECK(both_even(2, 4));
  CHECK(both_even(1, 4).error().text == "'1' is odd");
  CHECK(both_even(2, 3).error().text == "b: '3' is odd");
}

TEST_CASE("result: contexts pile up outwards and leave values alone") {
  CHECK(half(3).context("inner").context("outer").error().text == "outer: inner: '3' is odd");
  CHECK(*half(4).context("inner") == 2);
}
}  // namespace core
