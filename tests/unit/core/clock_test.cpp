#include "core/clock.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <random>
#include <thread>

namespace core {
TEST_CASE("clock: the host's clock is its monotonic clock but for an offset, and never goes back") {
  const auto monotonic = [] {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return u64(t.tv_sec) * 1'000'000'000 + u64(t.tv_nsec);
  };
  const HostClock clock;
  u64 least = 0, most = never, last = 0;  // of what the offset can be
  bool back = false;
  for (const u64 end = monotonic() + 300'000'000; monotonic() < end;) {
    const u64 before = monotonic(), now = clock.now(), after = monotonic();
    back |= now < last;
    last = now;
    least = std::max(least, before - now);
    most = std::min(most, after - now);
  }
  CHECK_FALSE(back);
  CHECK(least <= most + 50'000);
}

TEST_CASE("timers: due ones come earliest first, each once") {
  TimerQueue q;
  q.resize(4);
  CHECK(q.next() == never);
  CHECK(q.take_due(never - 1) == -1);
  q.arm(0, 300), q.arm(1, 100), q.arm(2, 200);
  CHECK(q.next() == 100);
  CHECK(q.take_due(99) == -1);
  CHECK(q.take_due(250) == 1);
  CHECK(q.take_due(250) == 2);
  CHECK(q.take_due(250) == -1);
  CHECK_FALSE(q.armed(1));
  CHECK(q.armed(0));
  CHECK(q.next() == 300);
  CHECK(q.take_due(300) == 0);
  CHECK(q.next() == never);
}

TEST_CASE("timers: an armed timer moves, later as well as earlier") {
  TimerQueue q;
  q.resize(2);
  q.arm(0, 100), q.arm(1, 200);
  q.arm(0, 300);
  CHECK(q.next() == 200);
  q.arm(1, 50);
  CHECK(q.next() == 50);
  CHECK(q.deadline(0) == 300);
}

TEST_CASE("timers: a timer re-armed for the past is due at once") {
  TimerQueue q;
  q.resize(2);
  q.arm(0, 1000), q.arm(1, 990);
  CHECK(q.take_due(2000) == 1);
  q.arm(1, 500);
  CHECK(q.take_due(2000) == 1);
  CHECK(q.take_due(2000) == 0);
  q.arm(0, 0);
  CHECK(q.next() == 0);
  CHECK(q.take_due(0) == 0);
}

TEST_CASE("timers: disarm, also of the next one and of one that is not armed") {
  TimerQueue q;
  q.resize(3);
  q.disarm(2);
  q.arm(0, 10), q.arm(1, 20);
  q.disarm(0);
  CHECK(q.next() == 20);
  q.disarm(1);
  CHECK(q.next() == never);
  CHECK(q.take_due(never - 1) == -1);
}

TEST_CASE("timers: deadlines can be replaced as a whole") {
  TimerQueue q;
  q.resize(2);
  q.deadlines()[1] = 70;
  q.refresh();
  CHECK(q.next() == 70);
  TimerQueue none;
  none.refresh();
  CHECK(none.next() == never);
}

TEST_CASE("timers: random arming agrees with a search") {
  TimerQueue q;
  q.resize(8);
  std::array<u64, 8> model;
  model.fill(never);
  std::mt19937 g(1);
  for (int i = 0; i < 20'000; ++i) {
    const unsigned id = g() % 8;
    if (g() % 3) q.arm(id, model[id] = g() % 1000);
    else q.disarm(id), model[id] = never;
    REQUIRE(q.next() == *std::min_element(model.begin(), model.end()));
    if (g() % 4) continue;
    const u64 now = g() % 1000;
    const auto first = std::min_element(model.begin(), model.end());
    const int taken = q.take_due(now);
    REQUIRE(taken == (*first <= now ? int(first - model.begin()) : -1));
    if (taken >= 0) *first = never;
  }
}

TEST_CASE("ticks to ns rounds up, ns to ticks down, so that a timer is never early") {
  CHECK(ticks_to_ns(0, 24'000'000) == 0);
  CHECK(ticks_to_ns(1, 3) == 333'333'334);
  CHECK(ticks_to_ns(24, 24'000'000) == 1000);
  CHECK(ns_to_ticks(999, 1'000'000) == 0);
  CHECK(ns_to_ticks(1000, 1'000'000) == 1);
  std::mt19937_64 g(2);
  for (const u64 hz : {1ull, 32'768ull, 1'000'000ull, 24'000'000ull, 35'000'000ull, 999'999'937ull, 1'000'000'000ull})
    for (int i = 0; i < 2000; ++i) {
      const u64 ticks = g() >> (32 + g() % 32);
      const u64 ns = ticks_to_ns(ticks, hz);
      REQUIRE(ns_to_ticks(ns, hz) == ticks);
      if (ns) REQUIRE(ns_to_ticks(ns - 1, hz) + 1 == ticks);
    }
}

TEST_CASE("tick conversions at their limits") {
  CHECK(ticks_to_ns(~u64(0), 1'000'000'000) == ~u64(0));
  CHECK(ns_to_ticks(~u64(0), 1'000'000'000) == ~u64(0));
  CHECK(ticks_to_ns(~u64(0), 18'000'000'000) == 1'024'819'115'206'086'201);
  CHECK(ns_to_ticks(999'999'999, 18'000'000'000) == 17'999'999'982);
  CHECK(ns_to_ticks(~u64(0), 1) == 18'446'744'073);
  CHECK(ticks_to_ns(0xffff'ffff, 1) == 4'294'967'295'000'000'000);
  CHECK(ticks_to_ns(1, 18'000'000'000) == 1);
}

TEST_CASE("host clock: goes on, stands still while paused, and continues from there") {
  HostClock c;
  const auto wait = [] { std::this_thread::sleep_for(std::chrono::milliseconds(3)); };
  const u64 start = c.now();
  CHECK(start < 1'000'000'000);
  wait();
  CHECK(c.now() >= start + 3'000'000);
  c.pause();
  const u64 paused = c.now();
  wait();
  c.pause();
  CHECK(c.now() == paused);
  c.resume();
  const u64 resumed = c.now();
  CHECK(resumed >= paused);
  c.resume();
  wait();
  CHECK(c.now() >= resumed + 3'000'000);
}
}  // namespace core
