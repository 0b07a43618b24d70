#include "driver.hpp"

#include "peripherals/virtio/virtio_serial.hpp"

using namespace test_virtio;

namespace {
constexpr u64 f_multiport = 2, f_emerg = 4;

struct Fixture : World {
  CharPort console, agent;
  virtio::Serial* serial;
  Driver d;
  explicit Fixture(Way way = {}, u64 features = 0) : d(*this, way) {
    for (CharPort* p : {&console, &agent}) p->wake_host = [](void*) {};
    auto s = std::make_unique<virtio::Serial>(virtio::SerialOptions{.max_ports = 3});
    serial = s.get();
    REQUIRE(serial->add_port({.console = true, .chars = &console}, std::nullopt));
    REQUIRE(serial->add_port({.name = "org.agent", .chars = &agent}, std::nullopt));
    plug(std::move(s), {.big_endian_guest = way.big_endian});
    d.start(features);
  }
  static std::string taken(CharPort& p) {
    std::string s;
    for (u8 c; p.to_host.pop(c);) s += char(c);
    return s;
  }
  void type(CharPort& p, std::string_view text) {
    for (char c : text) CHECK(p.to_guest.push(u8(c)));
    serial->serve();
  }
  void write(unsigned queue, std::string_view text) {
    const u64 at = d.bytes({reinterpret_cast<const u8*>(text.data()), text.size()});
    d.add(queue, {{at, u32(text.size())}});
    d.kick(queue);
  }
  std::string read(unsigned queue, u64 at) {
    const auto used = d.take(queue);
    return used ? std::string(reinterpret_cast<char*>(ram(at)), used->length) : "nothing";
  }
  u64 offer(unsigned queue, u32 size) {
    const u64 at = d.room(size);
    d.add(queue, {{at, size, true}});
    d.want_interrupt(queue);
    d.kick(queue);
    return at;
  }
  // The driver's message, and the next of the device's as "port event value name".
  void say(u32 port, u16 event, u16 value) {
    const u64 at = d.room(8);
    d.put(at, port), d.put(at + 4, event), d.put(at + 6, value);
    d.add(3, {{at, 8}});
    d.kick(3);
  }
  std::string hear() {
    const u64 at = offer(2, 64);
    const auto used = d.take(2);
    if (!used) return "nothing";
    return std::to_string(d.get<u32>(at)) + " " + std::to_string(d.get<u16>(at + 4)) + " " +
           std::to_string(d.get<u16>(at + 6)) + std::string(reinterpret_cast<char*>(ram(at + 8)), used->length - 8);
  }
};
}  // namespace

TEST_CASE("virtio-serial: one console without MULTIPORT (1.1 §5.3.6)") {
  for (const Way& way : ways) {
    CAPTURE(way.modern);
    CAPTURE(way.big_endian);
    Fixture f(way);
    f.write(1, "hello");
    CHECK(f.taken(f.console) == "hello");
    CHECK(f.d.take(1)->length == 0);
    f.type(f.console, "abc");
    const u64 at = f.offer(0, 2);
    CHECK(f.read(0, at) == "ab");
    CHECK(f.level);
    const u64 next = f.offer(0, 8);
    CHECK(f.read(0, next) == "c");
    const u64 later = f.offer(0, 8);
    CHECK(f.read(0, later) == "nothing");
    f.type(f.console, "xyz");
    CHECK(f.read(0, later) == "xyz");
    f.write(5, "nobody");  // a queue of a port that the driver cannot know
    CHECK_FALSE(f.d.take(5));
  }
}

TEST_CASE("virtio-serial: output waits while the host takes none, and goes on where it stopped") {
  Fixture f;
  const std::string text(70'000, 'x');
  f.write(1, text);
  CHECK_FALSE(f.d.take(1));
  CHECK(f.taken(f.console).size() == 65'536);
  f.serial->serve();
  CHECK(f.taken(f.console).size() == 70'000 - 65'536);
  CHECK(f.d.take(1));
  // A chain of 4 GiB pieces runs as far as the host has room and no further.
  f.d.add(1, {{0, 0xffff'ffff}, {0, 0xffff'ffff}});
  f.d.kick(1);
  CHECK_FALSE(f.d.take(1));
  f.d.start();
  f.taken(f.console);
  f.write(1, "after");
  CHECK(f.taken(f.console) == "after");
}

TEST_CASE("virtio-serial: without a host side characters go nowhere, at once") {
  Fixture f;
  f.console.wake_host = nullptr;
  f.d.add(1, {{0, 0xffff'ffff}, {0, 0xffff'ffff}});
  f.d.kick(1);
  CHECK(f.d.take(1));
}

TEST_CASE("virtio-serial: ports are announced and opened by control messages (1.1 §5.3.6.2)") {
  for (const Way& way : ways) {
    CAPTURE(way.modern);
    CAPTURE(way.big_endian);
    Fixture f(way, f_multiport);
    CHECK(f.d.config<u32>(4) == 3);
    f.say(0, 0, 1);  // DEVICE_READY
    CHECK(f.hear() == "0 1 1");
    CHECK(f.hear() == "1 1 1");
    CHECK(f.hear() == "nothing");
    f.d.start(f_multiport);
    f.say(0, 3, 1);  // PORT_READY
    CHECK(f.hear() == "0 4 1");
    CHECK(f.hear() == "0 6 1");
    f.say(1, 3, 1);
    CHECK(f.hear() == "1 7 1org.agent");
    CHECK(f.hear() == "1 6 1");
    const u64 at = f.offer(4, 16);
    f.type(f.agent, "early");
    CHECK(f.read(4, at) == "nothing");
    f.say(1, 6, 1);  // PORT_OPEN
    CHECK(f.read(4, at) == "early");
    f.write(5, "reply");
    CHECK(f.taken(f.agent) == "reply");
    f.say(2, 3, 1), f.say(77, 6, 1), f.say(0, 99, 1);  // no such port, no such event
    CHECK(f.d.take(3));
  }
}

TEST_CASE("virtio-serial: emergency output needs no set-up driver (1.1 §5.3.5)") {
  for (bool modern : {true, false}) {
    Fixture f({modern, false});
    f.d.set_status(0);
    CHECK((f.d.offered() & f_emerg) != 0);
    modern ? f.mem(device_at + 8, 4, 'E') : f.out(0x14 + 8, 4, 'E');
    CHECK(f.taken(f.console) == "E");
  }
}

TEST_CASE("virtio-serial: port numbers are given once; 0 is for a console") {
  virtio::Serial s({.max_ports = 2});
  CHECK_FALSE(s.add_port({}, 0u));
  CHECK_FALSE(s.add_port({}, 2u));
  CHECK(s.add_port({}, std::nullopt));
  CHECK_FALSE(s.add_port({}, std::nullopt));
  CHECK_FALSE(s.add_port({}, 1u));
  CHECK(s.add_port({.console = true}, std::nullopt));
  CHECK_FALSE(s.add_port({.console = true}, 0u));
}

TEST_CASE("virtio-serial: control messages nobody takes do not pile up") {
  Fixture f({}, f_multiport);
  for (unsigned i = 0; i < 1000; ++i) f.say(0, 0, 1);
  unsigned n = 0;
  while (f.hear() != "nothing") ++n;
  CHECK(n <= 256);
}
