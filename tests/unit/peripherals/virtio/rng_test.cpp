#include "driver.hpp"

#include "peripherals/virtio/virtio_rng.hpp"

#include "core/entropy.hpp"

using namespace test_virtio;

namespace {
struct Fixture : World {
  virtio::Rng::Source source;
  Driver d;
  explicit Fixture(Way way = {}) : d(*this, way) {
    source = [entropy = Entropy({1})](std::span<u8> out) mutable { entropy.fill(out); };
    plug(std::make_unique<virtio::Rng>(source), {.big_endian_guest = way.big_endian});
    d.start();
  }
};
}  // namespace

TEST_CASE("virtio-rng: buffers are filled, of one seed with the same bytes (1.1 §5.4.6)") {
  for (const Way& way : ways) {
    Fixture f(way);
    const u64 at = f.d.room(64);
    f.d.add(0, {{at, 20, true}, {at + 32, 30, true}});
    f.d.want_interrupt(0);
    f.d.kick(0);
    CHECK(f.d.take(0)->length == 50);
    CHECK(f.level);
    std::vector<u8> expected(50), got = f.d.at(at, 20);
    Entropy({1}).fill(expected);
    for (u8 b : f.d.at(at + 32, 30)) got.push_back(b);
    CHECK(got == expected);
  }
}

TEST_CASE("virtio-rng: a huge buffer is filled in part; one that is only readable gets nothing") {
  Fixture f;
  f.d.add(0, {{0x200000, 0xffff'ffff, true}, {0x200000, 0xffff'ffff, true}});
  f.d.add(0, {{0x200000, 16}});
  f.d.kick(0);
  CHECK(f.d.take(0)->length == 4096);
  CHECK(f.d.take(0)->length == 0);
}

TEST_CASE("virtio-rng: without a source buffers wait") {
  Fixture f;
  f.source = nullptr;
  f.d.add(0, {{0x200000, 16, true}});
  f.d.kick(0);
  CHECK_FALSE(f.d.take(0));
}

TEST_CASE("virtio-rng: random bytes over its own rings do not stop it from being reset") {
  Fixture f;
  f.d.add(0, {{rings_at, u32(ring_step), true}});
  f.d.kick(0);
  for (unsigned i = 0; i < 50; ++i) f.d.kick(0);
  f.d.start();
  f.d.add(0, {{0x200000, 16, true}});
  f.d.kick(0);
  CHECK(f.d.take(0)->length == 16);
}
