#include "driver.hpp"

#include "peripherals/virtio/virtio_net.hpp"

using namespace test_virtio;

namespace {
constexpr u64 f_csum = 1, f_mrg = 1 << 15, f_status = 1 << 16, f_ctrl = 1 << 17, f_ctrl_rx = 1 << 18,
              f_vlan = 1 << 19, f_extra = 1 << 20, f_addr = 1 << 23;
constexpr u64 control_features = f_ctrl | f_ctrl_rx | f_vlan | f_extra | f_addr;
constexpr MacAddress own{0x52, 0x54, 0, 0x12, 0x34, 0x56};

struct Fixture : World {
  NetPort port;
  Driver d;
  unsigned header;
  explicit Fixture(Way way = {}, u64 features = 0, virtio::NetOptions options = {.mac = own}) : d(*this, way) {
    plug(std::make_unique<virtio::Net>(&port, options), {.big_endian_guest = way.big_endian});
    start(features);
  }
  void start(u64 features) {
    d.start(features);
    header = d.way.modern || features & f_mrg ? 12 : 10;
  }
  static EthernetFrame frame(std::size_t size, const MacAddress& to = own) {
    EthernetFrame f(size);
    for (std::size_t i = 0; i < size; ++i) f[i] = u8(i);
    std::ranges::copy(to, f.begin());
    return f;
  }
  void arrive(const EthernetFrame& f) {
    CHECK(port.to_guest.push(f));
    port.arrived();
  }
  u64 offer(u32 size) {
    const u64 at = d.room(size);
    d.add(0, {{at, size, true}});
    d.want_interrupt(0);
    d.kick(0);
    return at;
  }
  bool hears(const EthernetFrame& f) {
    offer(256);
    arrive(f);
    return d.take(0).has_value();
  }
  void transmit(const std::vector<u8>& head, const EthernetFrame& f) {
    d.add(1, {{d.bytes(head), u32(head.size())}, {d.bytes(f), u32(f.size())}});
    d.kick(1);
  }
  u8 control(u8 kind, u8 what, const std::vector<u8>& data) {
    const u64 ack = d.room(1);
    *ram(ack) = 0xee;
    d.add(2, {{d.bytes(std::array<u8, 2>{kind, what}), 2}, {d.bytes(data), u32(data.size())}, {ack, 1, true}});
    d.kick(2);
    CHECK(d.take(2));
    return *ram(ack);
  }
};
}  // namespace

TEST_CASE("virtio-net: frames go out without their header (1.1 §5.1.6.2)") {
  for (const Way& way : ways) {
    CAPTURE(way.modern);
    CAPTURE(way.big_endian);
    Fixture f(way);
    const auto sent = Fixture::frame(60);
    f.transmit(std::vector<u8>(f.header), sent);
    EthernetFrame got;
    REQUIRE(f.port.to_host.pop(got));
    CHECK(got == sent);
    CHECK(f.d.take(1)->length == 0);
  }
}

TEST_CASE("virtio-net: frames come in behind a header, and wait for buffers (1.1 §5.1.6.3)") {
  for (const Way& way : ways) {
    CAPTURE(way.modern);
    CAPTURE(way.big_endian);
    for (u64 features : {u64(0), f_mrg}) {
      Fixture f(way, features);
      const u64 at = f.offer(1600);
      f.arrive(Fixture::frame(100));
      CHECK(f.level);
      CHECK(f.d.take(0)->length == f.header + 100);
      CHECK(f.d.at(at + f.header, 100) == Fixture::frame(100));
      if (f.header == 12) CHECK(f.d.get<u16>(at + 10) == 1);
      f.arrive(Fixture::frame(64)), f.arrive(Fixture::frame(65));
      CHECK_FALSE(f.d.take(0));
      f.offer(1600);
      CHECK(f.d.take(0)->length == f.header + 64);
      f.offer(1600);
      CHECK(f.d.take(0)->length == f.header + 65);
    }
  }
}

TEST_CASE("virtio-net: a frame is spread over merged buffers, all or nothing (1.1 §5.1.6.3.1)") {
  for (const Way& way : ways) {
    Fixture f(way, f_mrg);
    const u64 a = f.offer(40), b = f.offer(40);
    f.arrive(Fixture::frame(100));
    CHECK_FALSE(f.d.take(0));
    const u64 c = f.offer(100);
    CHECK(f.d.take(0)->length == 40);
    CHECK(f.d.take(0)->length == 40);
    CHECK(f.d.take(0)->length == 32);
    CHECK(f.d.get<u16>(a + 10) == 3);
    EthernetFrame got = f.d.at(a + 12, 28);
    for (u8 x : f.d.at(b, 40)) got.push_back(x);
    for (u8 x : f.d.at(c, 32)) got.push_back(x);
    CHECK(got == Fixture::frame(100));
  }
}

TEST_CASE(
    "virtio-net: a buffer too small loses the frame and stays; one without room for the header breaks the device") {
  Fixture f;
  f.offer(50);
  f.arrive(Fixture::frame(60));
  CHECK_FALSE(f.d.take(0));
  f.arrive(Fixture::frame(38));
  CHECK(f.d.take(0)->length == 50);
  f.offer(11);
  f.arrive(Fixture::frame(60));
  CHECK((f.d.status() & 64) == 64);
}

TEST_CASE("virtio-net: partial checksums are finished (1.1 §5.1.6.2.1)") {
  for (const Way& way : ways) {
    Fixture f(way, f_csum);
    std::vector<u8> h(f.header);
    h[0] = 1;
    f.d.order.put(&h[6], u16(14)), f.d.order.put(&h[8], u16(2));
    EthernetFrame sent(14 + 7);
    for (unsigned i = 0; i < 7; ++i) sent[14 + i] = std::array<u8, 7>{0x12, 0x34, 0x00, 0x05, 0xff, 0xff, 0x01}[i];
    f.transmit(h, sent);
    EthernetFrame got;
    REQUIRE(f.port.to_host.pop(got));
    // 0x1234 + 0x0005 + 0xffff + 0x0100 = 0x1'1338, folded 0x1339, inverted 0xecc6.
    CHECK(got[16] == 0xec);
    CHECK(got[17] == 0xc6);
    CHECK(got[14] == 0x12);
    // A sum of 0 is written as 0xffff (RFC 768).
    std::fill(sent.begin() + 14, sent.end(), u8(0));
    sent[18] = sent[19] = 0xff;
    f.transmit(h, sent);
    REQUIRE(f.port.to_host.pop(got));
    CHECK(got[16] == 0xff);
    CHECK(got[17] == 0xff);
  }
}

TEST_CASE("virtio-net: packets the driver had no right to send are dropped, and given back") {
  Fixture f({}, f_csum), g;
  EthernetFrame got;
  const auto refused = [&](Fixture& x, std::vector<u8> head, const EthernetFrame& frame) {
    head.resize(12);
    x.transmit(head, frame);
    CHECK(x.d.take(1));
    return !x.port.to_host.pop(got);
  };
  CHECK(refused(f, {0, 1}, Fixture::frame(60)));                           // segmentation
  CHECK(refused(f, {1, 0, 0, 0, 0, 0, 58, 0, 1, 0}, Fixture::frame(60)));  // field over the end
  CHECK(refused(f, {1, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}, Fixture::frame(60)));
  CHECK_FALSE(refused(f, {1, 0, 0, 0, 0, 0, 58, 0, 0, 0}, Fixture::frame(60)));
  CHECK(refused(g, {1, 0, 0, 0, 0, 0, 20, 0, 0, 0}, Fixture::frame(60)));  // not negotiated
  CHECK(refused(g, {}, Fixture::frame(13)));                               // less than a header
  CHECK(refused(g, {}, EthernetFrame(largest_ethernet_frame + 1)));
  g.d.add(1, {{buffers_at, 11}});
  g.d.kick(1);
  CHECK((g.d.status() & 64) == 64);
}

TEST_CASE("virtio-net: the receive modes of the control queue (1.1 §5.1.6.5.1)") {
  for (const Way& way : {Way{}, Way{false, true}, Way{true, true, true}}) {
    Fixture f(way, control_features);
    constexpr MacAddress other{2, 0, 0, 0, 0, 1}, group{1, 0, 0x5e, 0, 0, 1}, everyone{255, 255, 255, 255, 255, 255};
    CHECK(f.hears(Fixture::frame(60, other)));  // promiscuous until told otherwise
    CHECK(f.control(0, 0, {0}) == 0);
    CHECK_FALSE(f.hears(Fixture::frame(60, other)));
    CHECK_FALSE(f.hears(Fixture::frame(60, group)));
    CHECK(f.hears(Fixture::frame(60)));
    CHECK(f.hears(Fixture::frame(60, everyone)));
    CHECK(f.control(0, 1, {1}) == 0);
    CHECK(f.hears(Fixture::frame(60, group)));
    CHECK(f.control(0, 3, {1}) == 0);  // no multicast wins
    CHECK_FALSE(f.hears(Fixture::frame(60, group)));
    CHECK(f.control(0, 2, {1}) == 0);
    CHECK(f.hears(Fixture::frame(60, other)));
    CHECK(f.control(0, 4, {1}) == 0);
    CHECK_FALSE(f.hears(Fixture::frame(60)));
    CHECK(f.control(0, 5, {1}) == 0);
    CHECK_FALSE(f.hears(Fixture::frame(60, everyone)));
    CHECK(f.control(0, 6, {1}) == 1);
    CHECK(f.control(0, 0, {}) == 1);
    CHECK(f.control(9, 0, {1}) == 1);
    f.start(control_features);
    CHECK(f.hears(Fixture::frame(60, other)));  // a reset forgets
  }
}

TEST_CASE("virtio-net: the address tables and the address itself (1.1 §5.1.6.5.2)") {
  for (const Way& way : {Way{}, Way{false, true}}) {
    Fixture f(way, control_features);
    const MacAddress a{2, 0, 0, 0, 0, 1}, b{2, 0, 0, 0, 0, 2}, group{1, 0, 0x5e, 0, 0, 1};
    const auto table = [&](const std::vector<MacAddress>& one, const std::vector<MacAddress>& many, u32 wrong = 0) {
      std::vector<u8> t;
      for (const auto* list : {&one, &many}) {
        u8 n[4];
        f.d.order.put(n, u32(list->size() + wrong));
        t.insert(t.end(), n, n + 4);
        for (const MacAddress& m : *list) t.insert(t.end(), m.begin(), m.end());
      }
      return t;
    };
    f.control(0, 0, {0});
    CHECK(f.control(1, 0, table({a}, {group})) == 0);
    CHECK(f.hears(Fixture::frame(60, a)));
    CHECK(f.hears(Fixture::frame(60, group)));
    CHECK_FALSE(f.hears(Fixture::frame(60, b)));
    CHECK(f.control(1, 0, table({b}, {}, 1)) == 1);  // counts more than there is
    CHECK(f.control(1, 0, table({b}, {}, 0xffff'fff0)) == 1);
    CHECK(f.hears(Fixture::frame(60, a)));
    CHECK(f.control(1, 0, table(std::vector<MacAddress>(65, a), {})) == 0);
    CHECK(f.hears(Fixture::frame(60, b)));  // too many: all of them
    CHECK_FALSE(f.hears(Fixture::frame(60, group)));
    CHECK(f.control(1, 0, table({}, {})) == 0);
    CHECK(f.control(1, 1, {b.begin(), b.end()}) == 0);
    CHECK(f.hears(Fixture::frame(60, b)));
    CHECK(f.d.config<u8>(5) == 2);
    CHECK(f.control(1, 1, {1, 2, 3}) == 1);
    f.start(0);
    CHECK(f.d.config<u8>(5) == 0x56);
  }
}

TEST_CASE("virtio-net: VLANs are let in one by one (1.1 §5.1.6.5.3)") {
  Fixture f({}, control_features);
  f.control(0, 0, {0});
  auto tagged = Fixture::frame(64);
  tagged[12] = 0x81, tagged[13] = 0, tagged[14] = 0x20, tagged[15] = 7;
  CHECK_FALSE(f.hears(tagged));
  CHECK(f.control(2, 0, {7, 0}) == 0);
  CHECK(f.hears(tagged));
  CHECK(f.control(2, 1, {7, 0}) == 0);
  CHECK_FALSE(f.hears(tagged));
  CHECK(f.control(2, 0, {0, 0x10}) == 1);
  CHECK(f.hears(Fixture::frame(64)));
}

TEST_CASE("virtio-net: address and link in the configuration; a link that changes interrupts (1.1 §5.1.4)") {
  for (const Way& way : ways) {
    Fixture f(way, f_status);
    for (u32 i = 0; i < 6; ++i) CHECK(f.d.config<u8>(i) == own[i]);
    CHECK(f.d.config<u16>(6) == 1);
    f.port.link_up = false;
    f.port.arrived();
    CHECK(f.d.isr() == 2);
    CHECK(f.d.config<u16>(6) == 0);
  }
}

TEST_CASE("virtio-net: a legacy driver sets its address by writing the configuration (1.1 §5.1.4.3)") {
  Fixture f({.modern = false}), g;
  f.out(0x14 + 5, 1, 0x99);
  CHECK(f.d.config<u8>(5) == 0x99);
  g.mem(device_at + 5, 1, 0x99);
  CHECK(g.d.config<u8>(5) == 0x56);
}

TEST_CASE("virtio-net: frames that come while nobody listens are lost") {
  Fixture f;
  f.d.set_status(0);
  f.arrive(Fixture::frame(60));
  f.start(0);
  f.offer(1600);
  CHECK_FALSE(f.d.take(0));
}

TEST_CASE("virtio-net: with nothing plugged in it starts, has no link and loses what it sends") {
  World w;
  w.plug(std::make_unique<virtio::Net>(nullptr, virtio::NetOptions{.mac = own}));
  Driver d(w, {});
  d.start(f_status);
  CHECK(d.config<u16>(6) == 0);
  d.add(1, {{d.room(100), 100}});
  d.kick(1);
  CHECK(d.take(1));
}
