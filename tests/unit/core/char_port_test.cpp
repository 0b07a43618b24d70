#include "core/char_port.hpp"

#include <doctest/doctest.h>

#include <thread>

namespace core {
TEST_CASE("byte ring: first in, first out, to the last place and around the end") {
  ByteRing<8> r;
  u8 c = 0;
  CHECK(r.empty());
  CHECK_FALSE(r.pop(c));
  for (int round = 0; round < 5; ++round) {
    for (u8 i = 0; i < 8; ++i) CHECK(r.push(u8(round * 8 + i)));
    CHECK_FALSE(r.push(99));
    CHECK(r.room() == 0);
    CHECK(r.size() == 8);
    for (u8 i = 0; i < 5; ++i) CHECK((r.pop(c) && c == round * 8 + i));
    CHECK(r.room() == 5);
    for (u8 i = 5; i < 8; ++i) CHECK((r.pop(c) && c == round * 8 + i));
    // The next round begins at another place.
    CHECK(r.push(1));
    CHECK(r.pop(c));
  }
}

TEST_CASE("byte ring: one producer and one consumer lose and repeat nothing") {
  ByteRing<64> r;
  constexpr u32 count = 200'000;
  std::thread producer([&] {
    for (u32 i = 0; i < count;)
      if (r.push(u8(i * 7))) ++i;
      else std::this_thread::yield();
  });
  u32 wrong = 0;
  for (u32 i = 0; i < count;) {
    u8 c;
    if (r.pop(c)) wrong += c != u8(i++ * 7);
    else std::this_thread::yield();
  }
  producer.join();
  CHECK(wrong == 0);
  CHECK(r.empty());
}

TEST_CASE("char port: without a host side characters go nowhere and there is always room") {
  CharPort p;
  for (int i = 0; i < (1 << 16) + 1; ++i) p.put(1);
  CHECK(p.can_put());
  CHECK(p.to_host.empty());
}

TEST_CASE("char port: the host is woken once per sleep, and a full ring drops") {
  CharPort p;
  int wakes = 0;
  p.wake_context = &wakes;
  p.wake_host = [](void* n) { ++*static_cast<int*>(n); };
  p.put('a');
  p.put('b');
  CHECK(wakes == 1);
  p.host_sleeps = true;
  p.put('c');
  CHECK(wakes == 2);
  CHECK(p.to_host.size() == 3);
  while (p.can_put()) p.put('x');
  CHECK(p.to_host.size() == 1 << 16);
  p.put('y');
  u8 c;
  CHECK(p.to_host.pop(c));
  CHECK(c == 'a');
  CHECK(p.can_put());
}
}  // namespace core
