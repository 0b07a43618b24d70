// Rings that no honest driver makes.  Nothing may hang or touch what is not memory, and a reset mends it.
#include "driver.hpp"

#include <functional>
#include <random>

using namespace test_virtio;

namespace {
struct Fixture : World {
  Mirror* mirror;
  Driver d;
  explicit Fixture(Way way = {}) : d(*this, way) {
    auto m = std::make_unique<Mirror>();
    mirror = m.get();
    plug(std::move(m), {.big_endian_guest = way.big_endian});
    d.start(u64(1) << 28);
  }
};
constexpr u64 buffer = buffers_at;

// Does `harm`, kicks queue 0, and sees the device broken, then well after a reset.
void breaks(const std::string& what, const std::function<void(Driver&, Driver::Ring&)>& harm) {
  CAPTURE(what);
  for (const Way& way : ways) {
    CAPTURE(way.modern);
    CAPTURE(way.big_endian);
    Fixture f(way);
    harm(f.d, f.d.rings[0]);
    f.d.kick(0);
    CHECK(f.mirror->broken());
    CHECK_FALSE(f.d.take(0));
    CHECK(bool(f.d.status() & 64) == way.modern);
    CHECK(f.d.isr() == (way.modern ? 2 : 0));
    const unsigned before = f.mirror->notifications;
    f.d.kick(0);
    CHECK(f.mirror->notifications == before);
    f.d.start();
    f.d.add(0, {{buffer, 4}, {buffer + 8, 4, true}});
    f.d.kick(0);
    CHECK(f.d.take(0));
    CHECK((f.d.status() & 64) == 0);
  }
}
}  // namespace

TEST_CASE("virtqueue: what a device cannot work with breaks it until it is reset (1.1 §2.1.2)") {
  breaks("index jump", [](Driver& d, auto& r) { d.put(r.avail + 2, u16(17)); });
  breaks("index behind", [](Driver& d, auto& r) { d.put(r.avail + 2, u16(0xffff)); });
  breaks("head outside", [](Driver& d, auto&) { d.publish(0, 16); });
  breaks("loop of one", [](Driver& d, auto& r) { d.describe(r.desc, 0, buffer, 4, link_next, 0), d.publish(0, 0); });
  breaks("loop of all", [](Driver& d, auto& r) {
    for (u16 i = 0; i < 16; ++i) d.describe(r.desc, i, buffer, 4, link_next, u16((i + 1) % 16));
    d.publish(0, 3);
  });
  breaks("next outside", [](Driver& d, auto& r) { d.describe(r.desc, 0, buffer, 4, link_next, 99), d.publish(0, 0); });
  breaks("readable after writable", [](Driver& d, auto&) { d.add(0, {{buffer, 4, true}, {buffer, 4}}); });
  breaks("read outside memory", [](Driver& d, auto&) { d.add(0, {{ram_size - 2, 4}, {buffer, 4, true}}); });
  breaks("write outside memory", [](Driver& d, auto&) { d.add(0, {{buffer, 4}, {0xffff'ffff'ffff'fffe, 4, true}}); });
}

TEST_CASE("virtqueue: indirect tables (1.1 §2.6.5.3)") {
  for (const Way& way : ways) {
    Fixture f(way);
    Driver& d = f.d;
    const u64 table = d.room(64), data = d.bytes(std::array<u8, 4>{1, 2, 3, 4});
    // Out of order inside the table, and behind an ordinary descriptor.
    d.describe(table, 0, data + 1, 3, link_next, 2), d.describe(table, 2, buffer + 0x1000, 4, device_writes, 0);
    d.describe(d.rings[0].desc, 5, data, 1, link_next, 7);
    d.describe(d.rings[0].desc, 7, table, 48, is_indirect, 0);
    d.publish(0, 5);
    d.kick(0);
    const auto used = d.take(0);
    REQUIRE(used);
    CHECK(used->id == 5);
    CHECK(d.at(buffer + 0x1000, 4) == std::vector<u8>{0xfe, 0xfd, 0xfc, 0xfb});
  }
  const auto table_of = [](u32 length, u64 at, u16 flags) {
    return [=](Driver& d, Driver::Ring& r) {
      d.describe(r.desc, 0, at, length, flags, 1), d.describe(r.desc, 1, buffer, 4, 0, 0);
      d.describe(0x200000, 0, 0x200000, 16, is_indirect, 0);
      d.publish(0, 0);
    };
  };
  breaks("no entry", table_of(0, buffer, is_indirect));
  breaks("a broken entry", table_of(24, buffer, is_indirect));
  breaks("too long", table_of(16 * 1025, buffer, is_indirect));
  breaks("outside memory", table_of(32, ram_size, is_indirect));
  breaks("nested", table_of(16, 0x200000, is_indirect));
  breaks("with a next one", table_of(16, buffer, is_indirect | link_next));
  breaks("endless", [](Driver& d, auto& r) {
    for (u16 i = 0; i < 4; ++i) d.describe(0x200000, i, buffer, 4, link_next, u16((i + 1) % 4));
    d.describe(r.desc, 0, 0x200000, 64, is_indirect, 0), d.publish(0, 0);
  });
  Fixture f;
  f.d.start();  // feature not negotiated
  table_of(16, buffer, is_indirect)(f.d, f.d.rings[0]);
  f.d.kick(0);
  CHECK(f.mirror->broken());
}

TEST_CASE("virtqueue: rings outside memory") {
  for (u32 reg : {0x20u, 0x28u, 0x30u}) {
    for (u64 at : {ram_size, u64(0xffff'ffff'ffff'fff0)}) {
      World w;
      auto m = std::make_unique<Mirror>();
      Mirror* mirror = m.get();
      w.plug(std::move(m));
      Driver d(w, {});
      d.set_status(3), d.accept(u64(1) << 32), d.set_status(11);
      d.select(0);
      d.set_up(0);
      virtio::Queue::State& x = mirror->queue(0)->x;
      (reg == 0x20 ? x.descriptors : reg == 0x28 ? x.available : x.used) = at;
      d.add(0, {{buffer, 4}, {buffer, 4, true}});
      d.set_status(15);
      d.kick(0);
      CHECK(mirror->broken());
    }
  }
}

TEST_CASE("virtqueue: a used ring on top of the available ring does not run for ever") {
  Fixture f;
  // Each chain given back adds one to the available index.
  f.mirror->queue(0)->x.used = f.d.rings[0].avail;
  f.d.describe(f.d.rings[0].desc, 0, buffer, 4, 0, 0);
  f.d.put(f.d.rings[0].avail + 2, u16(4));
  f.d.kick(0);
  CHECK(f.mirror->queue(0)->x.next_used <= 16);
}

TEST_CASE("virtqueue: random rings and register writes, fixed seed") {
  std::mt19937 random(20260601);
  const auto pick = [&](u32 n) { return u32(random() % n); };
  for (unsigned run = 0; run < 300; ++run) {
    Fixture f(ways[pick(std::size(ways))]);
    Driver& d = f.d;
    const u64 interesting[] = {0, buffer, ram_size - 8, ram_size, rings_at, rings_at + 0x100, 0xffff'ffff'ffff'fff8};
    for (unsigned step = 0; step < 40; ++step) {
      const u64 at = interesting[pick(std::size(interesting))];
      const u32 length = pick(4) ? pick(600) : u32(random());
      switch (pick(8)) {
        case 0:
        case 1:
        case 2: d.describe(d.rings[0].desc, u16(pick(16)), at, length, u16(pick(8)), u16(pick(20))); break;
        case 3: d.publish(0, u16(pick(18))); break;
        case 4: d.put(d.rings[0].avail + 2, u16(random())); break;
        case 5: d.kick(pick(3)); break;
        case 6:
          f.bus.write(pick(2), (pick(2) ? modern_at + pick(0x40) : io_at + pick(0x40)), 1u << pick(4), random());
          break;
        case 7:
          if (pick(4) == 0) d.start(random());
          else d.kick(0);
          break;
      }
    }
    d.start();
    d.add(0, {{buffer, 4}, {buffer + 8, 4, true}});
    d.kick(0);
    CHECK(d.take(0));
  }
}
