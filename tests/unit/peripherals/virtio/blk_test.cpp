#include "driver.hpp"

#include "peripherals/virtio/virtio_blk.hpp"

using namespace test_virtio;

namespace {
// A medium that answers when it is told to, last request first.
struct Medium final : BlockBackend {
  std::vector<u8> bytes = std::vector<u8>(2 * MiB);
  std::vector<std::pair<BlockRequest, std::function<void(BlockRequest)>>> waiting;
  std::vector<BlockRequest> seen;
  BlockError error = BlockError::none;

  void submit(BlockRequest r, std::function<void(BlockRequest)> answer) override {
    seen.push_back(r);
    waiting.emplace_back(std::move(r), std::move(answer));
  }
  void answer_one() {
    auto [r, answer] = std::move(waiting.back());
    waiting.pop_back();
    r.error = error;
    u8* at = bytes.data() + r.at;
    if (error == BlockError::none && r.op == BlockOp::write) std::ranges::copy(r.data, at);
    if (error == BlockError::none && r.op == BlockOp::read) std::copy_n(at, r.length, r.data.begin());
    if (error == BlockError::none && (r.op == BlockOp::write_zeroes || r.op == BlockOp::discard))
      std::fill_n(at, r.length, u8(0));
    answer(std::move(r));
  }
  void answer_all() {
    while (!waiting.empty()) answer_one();
  }
};

enum : u32 { in = 0, out = 1, flush = 4, get_id = 8, discard = 11, write_zeroes = 13 };
constexpr u64 all_features = ~u64(0) & ~(u64(1) << 29);

struct Fixture : World {
  Medium medium;
  BlockPort port;
  Driver d;
  explicit Fixture(Way way = {}, const std::function<void(BlockPort&)>& change = {}, virtio::BlkOptions options = {})
      : d(*this, way) {
    for (std::size_t i = 0; i < medium.bytes.size(); ++i) medium.bytes[i] = u8(i * 7 + i / 512);
    port.id = "disk0";
    port.size = medium.bytes.size();
    port.serial = "S-1";
    port.backend = &medium;
    if (change) change(port);
    plug(std::make_unique<virtio::Blk>(port, options), {.big_endian_guest = way.big_endian});
    d.start(all_features);
  }
  u64 header(u32 type, u64 sector) {
    const u64 at = d.room(16);
    d.put(at, type), d.put(at + 4, u32(0)), d.put(at + 8, sector);
    return at;
  }
  // A request with its answer: status, or 0xee while there is none.
  struct Sent {
    u64 data, status;
    u16 head;
  };
  Sent send(u32 type, u64 sector, u32 length, bool to_guest, std::span<const u8> contents = {}) {
    Sent s{d.room(length), d.room(1), 0};
    std::ranges::copy(contents, ram(s.data));
    *ram(s.status) = 0xee;
    std::vector<Buffer> chain{{header(type, sector), 16}};
    if (length) chain.push_back({s.data, length, to_guest});
    chain.push_back({s.status, 1, true});
    s.head = d.add(0, chain);
    d.want_interrupt(0);
    d.kick(0);
    return s;
  }
  u8 status(const Sent& s) { return *ram(s.status); }
  u8 whole(u32 type, u64 sector, u32 length, bool to_guest, std::span<const u8> contents = {}) {
    const Sent s = send(type, sector, length, to_guest, contents);
    medium.answer_all();
    CHECK(d.take(0));
    return status(s);
  }
};
}  // namespace

TEST_CASE("virtio-blk: sectors are read and written, answered when the medium answers (1.1 §5.2.6)") {
  for (const Way& way : ways) {
    CAPTURE(way.modern);
    CAPTURE(way.big_endian);
    Fixture f(way);
    const auto read = f.send(in, 3, 1024, true);
    CHECK_FALSE(f.d.take(0));
    CHECK_FALSE(f.level);
    f.medium.answer_all();
    const auto used = f.d.take(0);
    REQUIRE(used);
    CHECK(used->id == read.head);
    CHECK(used->length == 1025);
    CHECK(f.status(read) == 0);
    CHECK(f.level);
    CHECK(std::equal(f.ram(read.data), f.ram(read.data) + 1024, &f.medium.bytes[3 * 512]));
    std::vector<u8> pattern(512, u8(0xa5));
    const auto written = f.send(out, 4095, 512, false, pattern);
    f.medium.answer_all();
    CHECK(f.d.take(0)->length == 1);
    CHECK(f.status(written) == 0);
    CHECK(std::equal(pattern.begin(), pattern.end(), &f.medium.bytes[4095 * 512]));
  }
}

TEST_CASE("virtio-blk: a request may be cut anywhere (1.1 §2.6.4)") {
  Fixture f;
  const u64 h = f.header(out, 1), data = f.d.room(512), status = f.d.room(16);
  std::fill_n(f.ram(data), 512, u8(0x3c));
  f.d.add(0, {{h, 5}, {h + 5, 11}, {data, 1}, {data + 1, 511}, {status, 1, true}});
  f.d.kick(0), f.medium.answer_all();
  CHECK(*f.ram(status) == 0);
  CHECK(f.medium.bytes[1023] == 0x3c);
  // Data and status in the same pieces.
  const u64 g = f.header(in, 1), back = f.d.room(513);
  *f.ram(back + 512) = 0xee;
  f.d.add(0, {{g, 16}, {back, 500, true}, {back + 500, 13, true}});
  f.d.kick(0), f.medium.answer_all();
  CHECK(*f.ram(back + 512) == 0);
  CHECK(*f.ram(back + 511) == 0x3c);
}

TEST_CASE("virtio-blk: answers come in any order, each for its request") {
  Fixture f;
  const auto a = f.send(in, 0, 512, true), b = f.send(in, 9, 512, true);
  f.medium.answer_all();  // last first
  CHECK(f.d.take(0)->id == b.head);
  CHECK(f.d.take(0)->id == a.head);
  CHECK(*f.ram(b.data) == f.medium.bytes[9 * 512]);
}

TEST_CASE("virtio-blk: a large request is worked in pieces") {
  Fixture f;
  const auto s = f.send(in, 1, 1'300'992, true);
  f.medium.answer_all();
  CHECK(f.medium.seen.size() == 3);
  CHECK(f.d.take(0)->length == 1'300'993);
  CHECK(f.status(s) == 0);
  CHECK(std::equal(f.ram(s.data), f.ram(s.data) + 1'300'992, &f.medium.bytes[512]));
}

TEST_CASE("virtio-blk: requests that cannot be answered say so in their status (1.1 §5.2.6)") {
  Fixture f;
  CHECK(f.whole(in, 4096, 512, true) == 1);   // behind the end
  CHECK(f.whole(in, 4095, 1024, true) == 1);  // over it
  CHECK(f.whole(in, ~u64(0), 512, true) == 1);
  CHECK(f.whole(in, u64(1) << 55, 512, true) == 1);  // times 512 is 0
  CHECK(f.whole(in, 0, 100, true) == 1);             // no sector
  CHECK(f.whole(out, 4096, 512, false) == 1);
  CHECK(f.whole(2, 0, 512, true) == 2);  // SCSI command, never offered
  CHECK(f.whole(99, 0, 0, true) == 2);
  CHECK(f.medium.seen.empty());
  CHECK(f.whole(in, 0, 0, true) == 0);
  f.medium.error = BlockError::io;
  CHECK(f.whole(in, 0, 512, true) == 1);
  CHECK(f.whole(out, 0, 512, false) == 1);
  CHECK(f.whole(flush, 0, 0, false) == 1);
}

TEST_CASE("virtio-blk: a request without header or status breaks the device") {
  Fixture f, g;
  f.d.add(0, {{f.header(in, 0), 15}, {f.d.room(1), 1, true}});
  f.d.kick(0);
  CHECK((f.d.status() & 64) == 64);
  g.d.add(0, {{g.header(in, 0), 16}});
  g.d.kick(0);
  CHECK((g.d.status() & 64) == 64);
}

TEST_CASE("virtio-blk: data outside memory breaks the device, whatever the medium does") {
  Fixture f, g;
  f.d.add(0, {{f.header(in, 0), 16}, {ram_size - 256, 512, true}, {f.d.room(1), 1, true}});
  f.d.kick(0), f.medium.answer_all();
  CHECK((f.d.status() & 64) == 64);
  g.d.add(0, {{g.header(out, 0), 16}, {ram_size - 256, 512}, {g.d.room(1), 1, true}});
  g.d.kick(0), g.medium.answer_all();
  CHECK((g.d.status() & 64) == 64);
  CHECK(g.medium.seen.empty());
}

TEST_CASE("virtio-blk: what was under way at a reset is forgotten (1.1 §2.1.2)") {
  for (const Way& way : ways) {
    Fixture f(way);
    const auto s = f.send(in, 0, 512, true);
    std::fill_n(f.ram(s.data), 512, u8(0x77));
    f.d.start();
    f.medium.answer_all();
    CHECK_FALSE(f.d.take(0));
    CHECK(*f.ram(s.data + 100) == 0x77);
    CHECK(f.status(s) == 0xee);
    CHECK(f.whole(in, 0, 512, true) == 0);
  }
}

TEST_CASE("virtio-blk: a chain made available again and again is no way to more requests than the queue holds") {
  Fixture f;
  for (unsigned i = 0; i < 256; ++i) f.send(in, 0, 512, true);
  CHECK((f.d.status() & 64) == 0);
  f.d.publish(0, 0), f.d.kick(0);
  CHECK((f.d.status() & 64) == 64);
  CHECK(f.medium.seen.size() == 256);
}

TEST_CASE("virtio-blk: the serial number has 20 bytes, ended by NUL when shorter (1.1 §5.2.6)") {
  Fixture f;
  const auto s = f.send(get_id, 0, 20, true);
  CHECK(f.d.take(0)->length == 21);
  CHECK(std::string(reinterpret_cast<char*>(f.ram(s.data))) == "S-1");
  const auto tiny = f.send(get_id, 0, 2, true);
  CHECK(f.status(tiny) == 0);
  Fixture g({}, {}, {.serial = "0123456789abcdefghijklmn"});
  const auto t = g.send(get_id, 0, 20, true);
  CHECK(*g.ram(t.data + 19) == 'j');
}

TEST_CASE("virtio-blk: writes are durable at once unless the driver can flush a cache (1.1 §5.2.6.2)") {
  Fixture f;
  f.whole(out, 0, 512, false);
  CHECK_FALSE(f.medium.seen.back().fua);
  CHECK(f.whole(flush, 0, 0, false) == 0);
  CHECK(f.medium.seen.back().op == BlockOp::flush);
  f.mem(device_at + 32, 1, 0);  // writeback off
  CHECK(f.d.config<u8>(32) == 0);
  f.whole(out, 0, 512, false);
  CHECK(f.medium.seen.back().fua);
  f.d.start();  // neither FLUSH nor CONFIG_WCE
  CHECK(f.d.config<u8>(32) == 1);
  f.whole(out, 0, 512, false);
  CHECK(f.medium.seen.back().fua);
}

TEST_CASE("virtio-blk: discard and write zeroes take one range (1.1 §5.2.6)") {
  for (const Way& way : {Way{}, Way{false, true}}) {
    Fixture f(way);
    const auto range = [&](u64 sector, u32 count, u32 flags) {
      std::vector<u8> b(16);
      f.d.order.put(b.data(), sector), f.d.order.put(b.data() + 8, count), f.d.order.put(b.data() + 12, flags);
      return b;
    };
    CHECK(f.whole(write_zeroes, 0, 16, false, range(2, 3, 1)) == 0);
    CHECK(f.medium.seen.back().op == BlockOp::write_zeroes);
    CHECK(f.medium.seen.back().at == 1024);
    CHECK(f.medium.seen.back().length == 1536);
    CHECK(f.whole(discard, 0, 16, false, range(0, 4096, 0)) == 0);
    CHECK(f.medium.seen.back().op == BlockOp::discard);
    const std::size_t before = f.medium.seen.size();
    CHECK(f.whole(discard, 0, 16, false, range(0, 1, 1)) == 2);  // unmap is not for discard
    CHECK(f.whole(write_zeroes, 0, 16, false, range(0, 1, 2)) == 2);
    CHECK(f.whole(discard, 0, 16, false, range(4096, 1, 0)) == 1);
    CHECK(f.whole(discard, 0, 16, false, range(~u64(0), 1, 0)) == 1);
    CHECK(f.whole(discard, 0, 16, false, range(0, 0xffff'ffff, 0)) == 1);
    CHECK(f.whole(discard, 0, 15, false, range(0, 1, 0)) == 1);
    CHECK(f.medium.seen.size() == before);
    f.d.start();
    CHECK(f.whole(discard, 0, 16, false, range(0, 1, 0)) == 2);  // not negotiated
  }
}

TEST_CASE("virtio-blk: the configuration tells capacity, geometry and blocks (1.1 §5.2.4)") {
  for (const Way& way : ways) {
    Fixture f(way, [](BlockPort& p) { p.logical_block = 1024; }, {.physical_block = 4096});
    CHECK(f.d.config<u64>(0) == 4096);
    CHECK(f.d.config<u32>(12) == 254);
    CHECK(f.d.config<u16>(16) == 4);
    CHECK(f.d.config<u8>(18) == 16);
    CHECK(f.d.config<u8>(19) == 63);
    CHECK(f.d.config<u32>(20) == 1024);
    CHECK(f.d.config<u8>(24) == 2);
    CHECK(f.d.config<u32>(36) == 4'194'303);
    CHECK(f.d.config<u32>(44) == 2);
    CHECK(f.whole(in, 1, 1024, true) == 1);  // no block of 1024
    CHECK(f.whole(in, 2, 1024, true) == 0);
  }
  Fixture f;
  CHECK(f.World::config(0x10) == io_at + 1);
  f.World::config(0x10, 4, ~0u);
  CHECK(f.World::config(0x10) == 0xffff'ff81);  // 20 + 60 bytes make 128
}

TEST_CASE("virtio-blk: a read-only drive says so and takes no writes (1.1 §5.2.3)") {
  Fixture f({}, [](BlockPort& p) { p.read_only = true; });
  CHECK((f.d.offered() & 1 << 5) != 0);
  CHECK(f.whole(out, 0, 512, false) == 1);
  CHECK(f.medium.seen.empty());
  CHECK((Fixture().d.offered() & 1 << 5) == 0);
}

TEST_CASE("virtio-blk: a changed medium changes the capacity, with a configuration interrupt (1.1 §5.2.5.2)") {
  Fixture f;
  f.port.backend = nullptr;
  f.port.size = 0;
  f.port.medium_changed();
  CHECK(f.level);
  CHECK(f.d.isr() == 2);
  CHECK(f.d.config<u64>(0) == 0);
  CHECK(f.whole(in, 0, 512, true) == 1);
}
