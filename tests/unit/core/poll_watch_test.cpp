#include "core/poll_watch.hpp"

#include <doctest/doctest.h>

using namespace core;

namespace {
// Accesses of which each repeats until `at`; the number of the one that asked for a look, 0 when none of `most` did.
unsigned until_look(PollWatch& w, unsigned most, u64 at = 1000) {
  for (unsigned n = 1; n <= most; ++n) {
    w.accessed();
    if (w.repeats_until(at)) return n;
  }
  return 0;
}
}  // namespace

TEST_CASE("poll watch: asks for a look after a row of accesses that repeat") {
  PollWatch w;
  CHECK(until_look(w, 10'000) == 256);
  CHECK(until_look(w, 10'000) == 256);
  CHECK(w.until() == 1000);
}
TEST_CASE("poll watch: any other access ends the row") {
  PollWatch w;
  for (int n = 0; n < 100; ++n) {
    CHECK(until_look(w, 200) == 0);
    w.accessed();
  }
}
TEST_CASE("poll watch: a row repeats until the earliest time any of it said") {
  PollWatch w;
  until_look(w, 100, 500);
  until_look(w, 200, 900);
  CHECK(w.until() == 500);
  w.accessed();  // another row
  until_look(w, 10, 900);
  CHECK(w.until() == 900);
}
TEST_CASE("poll watch: a device that speaks twice in an access counts once") {
  PollWatch w;
  w.begin_round();
  w.accessed();
  w.repeats_until(700);
  w.repeats_until(600);
  CHECK(w.end_round() == 600);
  w.accessed();  // of another device, which says nothing
  CHECK(w.end_round() == 0);
}
TEST_CASE("poll watch: a round without accesses is no poll") {
  PollWatch w;
  until_look(w, 20);
  w.begin_round();
  CHECK(w.end_round() == 0);
}
TEST_CASE("poll watch: looks in vain come later and later, until one was not") {
  PollWatch w;
  unsigned last = until_look(w, 1000);
  for (int n = 0; n < 6; ++n) {
    w.look_later();
    const unsigned next = until_look(w, 2'000'000);
    CHECK(next == std::min(4 * last, 1u << 20));
    last = next;
  }
  w.look_soon();
  CHECK(until_look(w, 1000) == 256);
}
