#include "driver.hpp"

using namespace test_virtio;

namespace {
struct Fixture : World {
  Mirror* mirror;
  explicit Fixture(virtio::PciOptions options = {}) {
    auto m = std::make_unique<Mirror>();
    mirror = m.get();
    plug(std::move(m), std::move(options));
  }
  // Where the vendor capability of that type is (§4.1.4).
  u32 capability(u8 type) {
    for (u32 at = World::config(0x34, 1); at; at = World::config(at + 1, 1))
      if (World::config(at, 1) == 9 && World::config(at + 3, 1) == type) return at;
    return 0;
  }
};
}  // namespace

TEST_CASE("virtio-pci: identities of transitional, modern and legacy functions (1.1 §4.1.2)") {
  Fixture both, modern({.legacy = false}), legacy({.modern = false});
  CHECK(both.World::config(0) == 0x1001'1af4);
  CHECK(both.World::config(8) == 0xff00'0000);
  CHECK(both.World::config(0x2c) == 0x0002'1af4);
  CHECK(both.World::config(0x3d, 1) == 1);
  CHECK(modern.World::config(0) == 0x1042'1af4);
  CHECK(modern.World::config(8, 1) == 1);
  CHECK(modern.World::config(0x10) == 0);
  CHECK(legacy.World::config(0) == 0x1001'1af4);
  CHECK(legacy.World::config(0x20) == 0);
  CHECK(legacy.capability(1) == 0);
  CHECK(legacy.in(0, 4) == 0x3800'0001);
}

TEST_CASE("virtio-pci: capabilities say where the structures are (1.1 §4.1.4)") {
  Fixture f;
  const u32 offsets[] = {0, 0, 0x3000, 0x1000, 0x2000};
  for (u8 type = 1; type <= 4; ++type) {
    const u32 at = f.capability(type);
    REQUIRE(at != 0);
    CHECK(f.World::config(at + 4, 1) == 4);
    CHECK(f.World::config(at + 8) == offsets[type]);
    CHECK(f.World::config(at + 12) == 0x1000);
    CHECK(f.World::config(at + 2, 1) == (type == 2 ? 20 : 16));
  }
  CHECK(f.World::config(f.capability(2) + 16) == 4);  // notify_off_multiplier
  f.World::config(0x20, 4, ~0u);
  CHECK(f.World::config(0x20) == 0xffff'c00c);
}

TEST_CASE("virtio-pci: structures are reached through configuration space (1.1 §4.1.4.7)") {
  Fixture f;
  const u32 at = f.capability(5);
  REQUIRE(at != 0);
  f.World::config(at + 4, 1, 4), f.World::config(at + 8, 4, 0x14), f.World::config(at + 12, 4, 1);
  f.World::config(at + 16, 1, 3);
  CHECK(f.mirror->status() == 3);
  CHECK(f.World::config(at + 16, 1) == 3);
  f.World::config(at + 8, 4, 0x2000), f.World::config(at + 12, 4, 4);
  CHECK(f.World::config(at + 16) == 0x0506'0708);
  // Nonsense reaches nothing.
  for (u32 length : {0u, 3u, 8u, ~0u}) {
    f.World::config(at + 12, 4, length);
    f.World::config(at + 16, 4, 0);
    CHECK(f.mirror->status() == 3);
  }
  f.World::config(at + 12, 4, 1), f.World::config(at + 8, 4, 0xffff'ff00), f.World::config(at + 16, 1, 0);
  f.World::config(at + 8, 4, 0x14), f.World::config(at + 4, 1, 0), f.World::config(at + 16, 1, 0);
  CHECK(f.mirror->status() == 3);
}

TEST_CASE("virtio-pci: the common registers read back what was set, queue by queue (1.1 §4.1.4.3)") {
  Fixture f;
  CHECK(f.mem(0x12, 2) == 2);
  f.mem(0x16, 2, 1);
  CHECK(f.mem(0x18, 2) == 64);
  f.mem(0x18, 2, 32);
  CHECK(f.mem(0x18, 2) == 32);
  for (u16 wrong : {0, 3, 128, 65535}) f.mem(0x18, 2, wrong);
  CHECK(f.mem(0x18, 2) == 32);
  f.mem(0x20, 4, 0x1000), f.mem(0x24, 4, 7), f.mem(0x28, 4, 0x2000), f.mem(0x30, 4, 0x3000), f.mem(0x34, 4, 9);
  CHECK(f.mem(0x24, 4) == 7);
  CHECK(f.mem(0x28, 4) == 0x2000);
  CHECK(f.mem(0x34, 4) == 9);
  CHECK(f.mem(0x1e, 2) == 1);
  CHECK(f.mem(0x1c, 2) == 0);
  f.mem(0x1c, 2, 1);
  CHECK(f.mem(0x1c, 2) == 1);
  f.mem(0x1c, 2, 0), f.mem(0x20, 4, 0);  // not before a reset
  CHECK(f.mem(0x1c, 2) == 1);
  CHECK(f.mem(0x20, 4) == 0x1000);
  f.mem(0x16, 2, 0);
  CHECK(f.mem(0x18, 2) == 16);
  f.mem(0x16, 2, 2);
  CHECK(f.mem(0x18, 2) == 0);
  f.mem(0x1c, 2, 1), f.mem(0x20, 4, 1);
  CHECK(f.mem(0x1c, 2) == 0);
  f.mem(0x14, 1, 0);
  f.mem(0x16, 2, 1);
  CHECK(f.mem(0x1c, 2) == 0);
  CHECK(f.mem(0x18, 2) == 64);
}

TEST_CASE("virtio-pci: FEATURES_OK stays only for a set that can be (1.1 §3.1.1, §6.1)") {
  Fixture f;
  Driver d(f, {});
  CHECK(d.offered() == 0x1'3800'0001);
  const auto negotiate = [&](u64 bits) {
    d.set_status(0), d.set_status(3), d.accept(bits), d.set_status(11);
    return d.status();
  };
  CHECK(negotiate(0x1'0000'0001) == 11);
  CHECK(negotiate(0x0'0000'0001) == 3);  // without VERSION_1
  CHECK(negotiate(0x1'0000'0003) == 3);  // never offered
  CHECK(negotiate(0x1'2000'0000) == 11);
  d.accept(0x1'0000'0000);  // too late
  CHECK(f.mirror->has(29));
  f.mem(0, 4, 2);
  CHECK(f.mem(4, 4) == 0);
}

TEST_CASE("virtio: chains go there and back for every driver (1.1 §2.6, §3)") {
  for (const Way& way : ways) {
    CAPTURE(way.modern);
    CAPTURE(way.big_endian);
    CAPTURE(way.event_index);
    Fixture f({.big_endian_guest = way.big_endian});
    Driver d(f, way);
    d.start();
    for (unsigned round = 0; round < 40; ++round) {  // more than the queue holds
      const u64 in = d.room(6), out = d.bytes(std::array<u8, 6>{1, 2, 3, 4, 5, u8(round)});
      const u16 head = d.add(0, {{out, 4}, {out + 4, 2}, {in, 1, true}, {in + 1, 5, true}});
      d.want_interrupt(0);
      d.kick(0);
      const auto used = d.take(0);
      REQUIRE(used);
      CHECK(used->id == head);
      CHECK(used->length == 6);
      CHECK(d.at(in, 6) == std::vector<u8>{0xfe, 0xfd, 0xfc, 0xfb, 0xfa, u8(~round)});
      CHECK(f.level);
      CHECK(d.isr() == 1);
      CHECK_FALSE(f.level);
      CHECK(d.isr() == 0);
    }
    CHECK(f.rises == 40);
  }
}

TEST_CASE("virtio: the legacy configuration has the guest's order, the modern one is little-endian (1.1 §2.4.3)") {
  for (bool big : {false, true}) {
    Fixture f({.big_endian_guest = big});
    CHECK(f.in(0x14, 1) == (big ? 1 : 8));
    CHECK(f.mem(device_at, 1) == 8);
    CHECK(f.mem(device_at, 4) == 0x0506'0708);
    CHECK(f.in(0x1c, 2) == (big ? 0x3412 : 0x1234));  // as the bus carries it
    CHECK(f.mem(device_at + 12, 4) == 0);
    f.mem(device_at, 4, 0xaabbccdd);
    CHECK(f.mirror->number == 0x0102'0304'aabb'ccdd);
  }
}

TEST_CASE("virtio: an interrupt comes when the driver wants one (1.1 §2.6.7)") {
  Fixture f;
  Driver d(f, {});
  d.start();
  const u64 b = d.room(16);
  d.refuse_interrupts(0);
  d.add(0, {{b, 4}, {b + 8, 4, true}}), d.kick(0);
  CHECK(d.take(0));
  CHECK_FALSE(f.level);
  Fixture g;
  Driver e(g, {.event_index = true});
  e.start();
  e.put(e.rings[0].avail + 4 + 2 * 16, u16(2));  // after the third
  for (unsigned i = 0; i < 4; ++i) {
    e.add(0, {{b, 4}, {b + 8, 4, true}}), e.kick(0);
    CHECK(g.rises == (i >= 2));
    CHECK(e.get<u16>(e.rings[0].used + 4 + 8 * 16) == i + 1);  // avail_event
  }
}

TEST_CASE("virtio: buffers wait for DRIVER_OK when the driver is modern, and for bus mastering (1.1 §3.1.2)") {
  Fixture f;
  Driver d(f, {});
  d.set_status(3), d.accept(u64(1) << 32), d.set_status(11);
  d.select(0), d.set_up(0);
  const u64 b = d.room(16);
  d.add(0, {{b, 4}, {b + 8, 4, true}}), d.kick(0);
  CHECK_FALSE(d.take(0));
  f.World::config(4, 2, 3);
  d.set_status(15);
  CHECK_FALSE(d.take(0));
  d.kick(0);
  f.World::config(4, 2, 7);
  CHECK(d.take(0));
}

TEST_CASE("virtio-pci: writing 0 to the status resets all but the place on the bus (1.1 §4.1.4.3.1)") {
  for (const Way& way : ways) {
    Fixture f({.big_endian_guest = way.big_endian});
    Driver d(f, way);
    d.start(1);
    const u64 b = d.room(16);
    d.want_interrupt(0);
    d.add(0, {{b, 4}, {b + 8, 4, true}}), d.kick(0);
    CHECK(f.level);
    const unsigned resets = f.mirror->resets;
    const unsigned before = f.mirror->notifications;
    d.set_status(0);
    CHECK(f.mirror->resets == resets + 1);
    CHECK(d.status() == 0);
    CHECK_FALSE(f.level);
    CHECK(f.mirror->driver_features() == 0);
    d.kick(0);
    CHECK(f.mirror->notifications == before);
    CHECK(f.World::config(4, 2) == 7);
    d.start();
    d.want_interrupt(0);
    d.add(0, {{b, 4}, {b + 8, 4, true}}), d.kick(0);
    CHECK(d.take(0));
  }
}

TEST_CASE("virtio-pci: a change of configuration raises ISR bit 1 and the generation (1.1 §4.1.4.5)") {
  Fixture f;
  Driver d(f, {});
  f.mirror->config_changed();
  CHECK_FALSE(f.level);  // nobody to tell yet
  d.start();
  const u64 before = f.mem(0x15, 1);
  f.mirror->config_changed();
  CHECK(f.level);
  CHECK(f.mem(0x15, 1) == before + 1);
  CHECK(d.isr() == 2);
}

TEST_CASE("virtio-pci: MSI-X takes the place of the pin, a vector for each queue (1.1 §4.1.5.1.2; PCI 3.0 §6.8.2)") {
  Fixture f({.vectors = 3});
  u32 at = f.World::config(0x34, 1);
  while (f.World::config(at, 1) != 0x11) at = f.World::config(at + 1, 1);
  CHECK(f.World::config(at + 2, 2) == 2);
  CHECK(f.World::config(at + 4) == 1);
  CHECK(f.World::config(at + 8) == 0x801);
  const auto entry = [&](unsigned n, u32 address, u32 data) {
    for (u32 i = 0; const u32 v : {address, 0u, data, 0u}) CHECK(f.bus.write(false, msix_at + 16 * n + 4 * i++, 4, v));
  };
  entry(0, 0xfee0'0000, 0x30), entry(1, 0xfee0'1000, 0x31), entry(2, 0xfee0'2000, 0x32);
  f.World::config(at + 2, 2, 0x8000);
  Driver d(f, {});
  d.start();
  f.mem(0x10, 2, 0);
  CHECK(f.mem(0x10, 2) == 0);
  d.select(0), f.mem(0x1a, 2, 1);
  d.select(1), f.mem(0x1a, 2, 3);
  CHECK(f.mem(0x1a, 2) == 0xffff);  // no such vector
  const u64 b = d.room(16);
  d.add(0, {{b, 4}, {b + 8, 4, true}}), d.kick(0);
  REQUIRE(f.messages.size() == 1);
  CHECK(f.messages[0] == std::pair<u64, u32>{0xfee0'1000, 0x31});
  CHECK_FALSE(f.level);
  d.add(1, {{b, 4}, {b + 8, 4, true}}), d.kick(1);  // no vector: no interrupt
  CHECK(f.messages.size() == 1);
  f.mirror->config_changed();
  CHECK(f.messages.back().second == 0x30);
  // Masked, it stays pending.
  CHECK(f.bus.write(false, msix_at + 16 + 12, 4, 1));
  d.add(0, {{b, 4}, {b + 8, 4, true}}), d.kick(0);
  CHECK(f.messages.size() == 2);
  u64 pending = 0;
  CHECK(f.bus.read(false, msix_at + 0x800, 4, pending));
  CHECK(pending == 2);
  CHECK(f.bus.write(false, msix_at + 16 + 12, 4, 0));
  CHECK(f.messages.size() == 3);
  // Legacy: two vector registers come before the configuration while MSI-X is on (§4.1.4.8).
  CHECK(f.in(0x14, 2) == 0);
  CHECK(f.in(0x18, 1) == 8);
  f.World::config(at + 2, 2, 0);
  CHECK(f.in(0x14, 1) == 8);
}

TEST_CASE("virtio-pci: a legacy driver of before bus mastering was set gets it with DRIVER_OK") {
  Fixture f;
  f.World::config(4, 2, 3);
  Driver d(f, {.modern = false});
  d.start();
  CHECK(f.World::config(4, 2) == 7);
}

TEST_CASE("virtio-pci: the legacy queue address 0 takes the queue away (1.1 §4.1.5.1.3)") {
  Fixture f;
  Driver d(f, {.modern = false});
  d.start();
  d.select(0);
  CHECK(f.in(8, 4) == rings_at >> 12);
  f.out(8, 4, 0);
  CHECK(f.in(8, 4) == 0);
  const unsigned before = f.mirror->notifications;
  d.kick(0);
  CHECK(f.mirror->notifications == before);
}
