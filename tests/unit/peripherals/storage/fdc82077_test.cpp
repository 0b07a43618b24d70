#include "peripherals/storage/fdc82077.hpp"

#include "tests/unit/bench.hpp"

#include <deque>

using namespace test;
using namespace peripherals::fdc82077;

namespace {
// A disk in memory; answers at once, or when told.
struct Medium final : BlockBackend {
  std::vector<u8> bytes;
  bool slow = false;
  std::deque<std::function<void()>> waiting;
  void submit(BlockRequest r, std::function<void(BlockRequest)> answer) override {
    auto work = [this, r = std::move(r), answer = std::move(answer)]() mutable {
      if (r.op == BlockOp::read) std::copy_n(bytes.begin() + long(r.at), r.length, r.data.begin());
      if (r.op == BlockOp::write) std::copy(r.data.begin(), r.data.end(), bytes.begin() + long(r.at));
      answer(std::move(r));
    };
    if (slow) waiting.push_back(std::move(work));
    else work();
  }
  void answer_next() {
    auto work = std::move(waiting.front());
    waiting.pop_front();
    work();
  }
};

// The channel's memory: takes or gives `left` bytes, then the terminal count.
struct Channel {
  std::vector<u8> memory;
  std::size_t left = 0;
  bool to_memory = true, accepts = true;
  std::function<void()> acknowledge;  // DACK, seen during the transfer
  struct Moved {
    u32 bytes = 0;
    bool terminal_count = false;
  };
  Moved transfer(unsigned channel, std::span<u8> data) {
    REQUIRE(channel == 2);
    if (!accepts || left == 0) return {};
    if (acknowledge) acknowledge();
    const std::size_t n = std::min(left, data.size());
    if (to_memory) memory.insert(memory.end(), data.begin(), data.begin() + long(n));
    else std::copy_n(memory.end() - long(left), n, data.begin());
    left -= n;
    return {u32(n), left == 0};
  }
};

Channel* channel;
struct Board : TestWires {
  static constexpr u64 channel = 2;
  Channel& dma() const { return *::channel; }
};

struct Floppy : Bench<Fdc82077, Board> {
  Medium medium;
  BlockPort port;
  Channel dma;

  // Sector n holds the byte n, and its number in the first two bytes.
  explicit Floppy(u64 kilobytes = 1440, u8 rate = 0) {
    channel = &dma;
    drives = {&port};
    insert(kilobytes);
    reset();
    write<DOR>(0x0c);
    for (u8 i = 0; i < 4; ++i) send({0x08}), results();
    write<DIR>(rate);
    send({0x03, 0xaf, 0x02});
  }
  ~Floppy() { channel = nullptr; }
  void insert(u64 kilobytes) {
    medium.bytes.resize(kilobytes * KiB);
    for (std::size_t i = 0; i < medium.bytes.size(); ++i) medium.bytes[i] = u8(i / 512);
    for (std::size_t i = 0; i < medium.bytes.size(); i += 512) medium.bytes[i + 1] = u8(i / 512 >> 8);
    port.backend = kilobytes ? &medium : nullptr;
    port.size = medium.bytes.size();
  }
  void send(std::initializer_list<u8> bytes) {
    for (u8 v : bytes) write<FIFO>(v);
  }
  std::string results() {
    std::string s;
    for (int i = 0; i < 20 && (read<MSR>() & 0xc0) == 0xc0; ++i) {
      const u8 v = u8(read<FIFO>());
      s += "0123456789ABCDEF"[v >> 4], s += "0123456789ABCDEF"[v & 15], s += ' ';
    }
    return s;
  }
  void seek(u8 track) {
    send({0x0f, 0x00, track});
    send({0x08});
    results();
  }
  // The bytes the channel is to move.
  void expect(std::size_t bytes, bool to_memory = true) {
    dma.left = bytes;
    dma.to_memory = to_memory;
    if (to_memory) dma.memory.clear();
  }
};
constexpr u8 READ = 0xe6, WRITE = 0xc5;  // multi-track, MFM
}  // namespace

TEST_CASE("fdc82077: leaving reset interrupts, and four senses clear it (§5.2.2)") {
  Bench<Fdc82077, Board> b;
  CHECK(b.read<MSR>() == 0);
  b.write<DOR>(0x0c);
  CHECK(b.pin("irq"));
  CHECK(b.read<MSR>() == 0x80);
  for (u8 i = 0; i < 4; ++i) {
    b.write<FIFO>(0x08);
    CHECK(b.read<MSR>() == 0xd0);
    CHECK(b.read<FIFO>() == 0xc0 + i);
    CHECK(b.read<FIFO>() == 0);
    CHECK_FALSE(b.pin("irq"));
  }
  b.write<FIFO>(0x08);
  CHECK(b.read<FIFO>() == 0x80);
  CHECK(b.read<MSR>() == 0x80);
  b.write<MSR>(0x80);  // DSR
  CHECK(b.pin("irq"));
  b.write<DOR>(0x04);  // the gate
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("fdc82077: identification and configuration commands (§5.2)") {
  Floppy b;
  b.send({0x10});
  CHECK(b.results() == "90 ");
  b.send({0x13, 0x00, 0x57, 0x11});
  b.send({0x94});
  CHECK(b.results() == "10 ");
  b.send({0x12, 0x84});
  b.send({0x0e});
  CHECK(b.results() == "00 00 00 00 AF 02 00 84 57 11 ");
  b.write<MSR>(0x80);
  b.send({0x08}), b.results();
  b.send({0x0e});
  CHECK(b.results() == "00 00 00 00 AF 02 00 84 57 11 ");  // locked
  b.send({0x14});
  CHECK(b.results() == "00 ");
  b.write<MSR>(0x80);
  b.send({0x08}), b.results();
  b.send({0x0e});
  CHECK(b.results() == "00 00 00 00 AF 02 00 04 20 00 ");
  b.send({0x18});
  CHECK(b.results() == "41 ");
  b.send({0x1f});
  CHECK(b.results() == "80 ");
}
TEST_CASE("fdc82077: seeks end at once and are sensed (§5.2.3, §5.2.4)") {
  Floppy b;
  b.send({0x0f, 0x04, 0x20});
  CHECK(b.pin("irq"));
  CHECK(b.read<MSR>() == 0x80);
  b.send({0x08});
  CHECK(b.results() == "24 20 ");
  CHECK_FALSE(b.pin("irq"));
  CHECK(b.read<MSR>() == 0x80);
  b.send({0x04, 0x00});
  CHECK(b.results() == "28 ");
  b.send({0xcf, 0x00, 0x05}), b.send({0x08});
  CHECK(b.results() == "20 25 ");
  b.send({0x8f, 0x00, 0xff}), b.send({0x08});
  CHECK(b.results() == "20 00 ");
  b.send({0x07, 0x00}), b.send({0x08});
  CHECK(b.results() == "20 00 ");
  b.send({0x04, 0x00});
  CHECK(b.results() == "38 ");
  b.send({0x07, 0x01}), b.send({0x08});
  CHECK(b.results() == "71 00 ");  // no second drive
}
TEST_CASE("fdc82077: reads sectors over DMA until the terminal count") {
  Floppy b;
  b.expect(3 * 512);
  b.send({READ, 0x00, 0, 0, 2, 2, 18, 0x1b, 0xff});
  CHECK(b.pin("irq"));
  CHECK(b.dma.memory == std::vector<u8>(b.medium.bytes.begin() + 512, b.medium.bytes.begin() + 4 * 512));
  CHECK(b.results() == "00 00 00 00 00 05 02 ");
  CHECK_FALSE(b.pin("irq"));
  CHECK_FALSE(b.pin("dreq"));
}
TEST_CASE("fdc82077: multi-track goes on with the other side and ends at the next cylinder (table 5-6)") {
  Floppy b;
  b.seek(3);
  b.expect(36 * 512);
  b.send({READ, 0x00, 3, 0, 1, 2, 18, 0x1b, 0xff});
  CHECK(b.results() == "04 00 00 04 00 01 02 ");
  CHECK(b.dma.memory.size() == 36 * 512);
  CHECK(b.dma.memory[0] == 3 * 36);
  CHECK(b.dma.memory.back() == 4 * 36 - 1);
  b.expect(18 * 512);
  b.send({READ, 0x00, 3, 0, 1, 2, 18, 0x1b, 0xff});
  CHECK(b.results() == "00 00 00 03 01 01 02 ");
}
TEST_CASE("fdc82077: past the last sector without a terminal count is the end of the cylinder") {
  Floppy b;
  b.expect(100 * 512);
  b.send({0x46, 0x00, 0, 0, 17, 2, 18, 0x1b, 0xff});
  CHECK(b.results() == "40 80 00 01 00 01 02 ");
  CHECK(b.dma.memory.size() == 2 * 512);
}
TEST_CASE("fdc82077: a slow disk and a channel that is not ready yet") {
  Floppy b;
  b.medium.slow = true;
  b.dma.accepts = false;
  b.expect(512);
  b.send({READ, 0x00, 0, 0, 1, 2, 18, 0x1b, 0xff});
  CHECK(b.read<MSR>() == 0x10);
  CHECK_FALSE(b.pin("dreq"));
  b.medium.answer_next();
  CHECK(b.pin("dreq"));
  CHECK_FALSE(b.pin("irq"));
  b.dma.accepts = true;
  b.set_line(0, true);
  CHECK_FALSE(b.pin("dreq"));
  CHECK(b.pin("irq"));
  CHECK(b.results() == "00 00 00 00 00 02 02 ");
}
TEST_CASE("fdc82077: DACK that is up during a transfer starts nothing") {
  Floppy b;
  b.dma.acknowledge = [&] { b.set_line(0, true); };
  b.expect(2 * 512);
  b.send({READ, 0x00, 0, 0, 1, 2, 18, 0x1b, 0xff});
  CHECK(b.dma.memory.size() == 2 * 512);
  CHECK(b.results() == "00 00 00 00 00 03 02 ");
}
TEST_CASE("fdc82077: an answer that comes after a reset is ignored") {
  Floppy b;
  b.medium.slow = true;
  b.expect(512);
  b.send({READ, 0x00, 0, 0, 1, 2, 18, 0x1b, 0xff});
  b.reset();
  b.write<DOR>(0x0c);
  b.write<DIR>(0);
  b.send({READ, 0x00, 0, 0, 5, 2, 18, 0x1b, 0xff});
  b.medium.answer_next();
  CHECK(b.dma.memory.empty());
  b.medium.answer_next();
  CHECK(b.dma.memory[0] == 4);
}
TEST_CASE("fdc82077: writes sectors, the last one filled up with zeros") {
  Floppy b;
  b.dma.memory.assign(700, 0xee);
  b.expect(700, false);
  b.send({WRITE, 0x04, 0, 1, 1, 2, 18, 0x1b, 0xff});
  CHECK(b.results() == "04 00 00 00 01 03 02 ");
  CHECK(b.medium.bytes[18 * 512 + 699] == 0xee);
  CHECK(b.medium.bytes[18 * 512 + 700] == 0);
  CHECK(b.medium.bytes[20 * 512] == 20);
}
TEST_CASE("fdc82077: the processor can move the bytes (non-DMA mode)") {
  Floppy b;
  b.send({0x03, 0xaf, 0x03});
  b.send({0x46, 0x00, 0, 0, 18, 2, 18, 0x1b, 0xff});
  for (int i = 0; i < 512; ++i) {
    CHECK(b.pin("irq"));
    CHECK(b.read<MSR>() == 0xf0);
    CHECK(b.read<FIFO>() == (i == 1 ? 0 : 17));
  }
  CHECK(b.results() == "40 80 00 01 00 01 02 ");
  b.send({0x45, 0x00, 0, 0, 18, 2, 18, 0x1b, 0xff});
  CHECK(b.read<MSR>() == 0xb0);
  for (int i = 0; i < 512; ++i) b.write<FIFO>(0x77);
  CHECK(b.results() == "40 80 00 01 00 01 02 ");
  CHECK(b.medium.bytes[17 * 512 + 511] == 0x77);
}
TEST_CASE("fdc82077: sectors that are not there (§6.2)") {
  Floppy b;
  b.expect(512);
  const auto read = [&](u8 c, u8 h, u8 r, u8 n, u8 select) {
    b.send({0x46, select, c, h, r, n, 18, 0x1b, 0xff});
    return b.results();
  };
  CHECK(read(0, 0, 19, 2, 0) == "40 04 00 00 00 13 02 ");
  CHECK(read(0, 0, 0, 2, 0) == "40 04 00 00 00 00 02 ");
  CHECK(read(5, 0, 1, 2, 0) == "40 04 10 05 00 01 02 ");
  CHECK(read(0, 1, 1, 2, 0) == "40 04 00 00 01 01 02 ");
  CHECK(read(0, 0, 1, 3, 0) == "40 04 00 00 00 01 03 ");
  CHECK(read(0, 0, 1, 2, 1) == "41 05 00 00 00 01 02 ");  // no drive
  b.write<DIR>(2);
  CHECK(read(0, 0, 1, 2, 0) == "40 01 01 00 00 01 02 ");  // wrong density
  b.insert(0);
  CHECK(read(0, 0, 1, 2, 0) == "40 05 00 00 00 01 02 ");
  CHECK(b.dma.memory.empty());
}
TEST_CASE("fdc82077: implied seek (CONFIGURE)") {
  Floppy b;
  b.send({0x13, 0x00, 0x60, 0x00});
  b.expect(512);
  b.send({0x46, 0x00, 40, 0, 1, 2, 18, 0x1b, 0xff});
  CHECK(b.results() == "20 00 00 28 00 02 02 ");  // SE
  CHECK(b.dma.memory[0] == u8(40 * 36));
}
TEST_CASE("fdc82077: READ ID gives the track's sectors one after the other") {
  Floppy b;
  b.seek(7);
  b.send({0x4a, 0x04});
  CHECK(b.results() == "04 00 00 07 01 01 02 ");
  b.send({0x4a, 0x04});
  CHECK(b.results() == "04 00 00 07 01 02 02 ");
  b.write<DIR>(1);
  b.send({0x4a, 0x00});
  CHECK(b.results() == "40 01 00 07 00 01 02 ");
}
TEST_CASE("fdc82077: the size of the image says what disk it is") {
  const std::tuple<u64, u8, u8> disks[] = {{360, 1, 9},   {360, 2, 9},   {720, 2, 9},  {1200, 0, 15},
                                           {1440, 0, 18}, {1680, 0, 21}, {2880, 3, 36}};
  for (auto [kilobytes, rate, sectors] : disks) {
    Floppy b(kilobytes, rate);
    b.expect(512);
    b.send({0x46, 0x00, 0, 0, sectors, 2, sectors, 0x1b, 0xff});
    CHECK(b.dma.memory.size() == 512);
    b.results();
    b.send({0x46, 0x00, 0, 0, u8(sectors + 1), 2, u8(sectors + 1), 0x1b, 0xff});
    CHECK(b.results().substr(0, 5) == "40 04");
  }
}
TEST_CASE("fdc82077: formats a track") {
  Floppy b;
  b.dma.memory.clear();
  for (u8 r = 1; r <= 18; ++r) b.dma.memory.insert(b.dma.memory.end(), {1, 0, r, 2});
  b.seek(1);
  b.expect(18 * 4, false);
  b.send({0x4d, 0x00, 2, 18, 0x54, 0xf6});
  CHECK(b.results().substr(0, 9) == "00 00 00 ");
  CHECK(b.medium.bytes[36 * 512] == 0xf6);
  CHECK(b.medium.bytes[54 * 512 - 1] == 0xf6);
  CHECK(b.medium.bytes[54 * 512] == 54);
}
TEST_CASE("fdc82077: a write-protected disk is not written") {
  Floppy b;
  b.port.read_only = true;
  b.expect(512, false);
  b.send({WRITE, 0x00, 0, 0, 1, 2, 18, 0x1b, 0xff});
  CHECK(b.results() == "40 02 00 00 00 01 02 ");
  b.send({0x04, 0x00});
  CHECK(b.results() == "78 ");
  b.send({0x4d, 0x00, 2, 18, 0x54, 0xf6});
  CHECK(b.results().substr(0, 5) == "40 02");
}
TEST_CASE("fdc82077: verify reads without moving, to the number of sectors given") {
  Floppy b;
  b.send({0xd6, 0x80, 0, 0, 1, 2, 18, 0x1b, 20});
  CHECK(b.results() == "04 00 00 00 01 03 02 ");
}
TEST_CASE("fdc82077: scans compare with the disk (§5.1.6)") {
  Floppy b;
  b.dma.memory.assign(512, 5);
  b.dma.memory[1] = 0;
  b.expect(512, false);
  b.send({0x51, 0x00, 0, 0, 6, 2, 18, 0x1b, 1});
  CHECK(b.results().substr(0, 9) == "00 00 08 ");
  b.dma.left = 512;
  b.send({0x51, 0x00, 0, 0, 5, 2, 5, 0x1b, 1});
  CHECK(b.results().substr(0, 9) == "00 00 04 ");
  b.dma.left = 512;
  b.send({0x59, 0x00, 0, 0, 5, 2, 5, 0x1b, 1});  // 4 ≤ 5
  CHECK(b.results().substr(0, 9) == "00 00 00 ");
}
TEST_CASE("fdc82077: the disk change line falls with a step while there is a disk (§2.1.8)") {
  Floppy b;
  CHECK(b.read<DIR>() == 0x80);
  b.seek(0);
  CHECK(b.read<DIR>() == 0x80);
  b.seek(1);
  CHECK(b.read<DIR>() == 0x00);
  b.insert(0);
  b.port.medium_changed();
  b.seek(2);
  CHECK(b.read<DIR>() == 0x80);
  b.insert(720);
  CHECK(b.read<DIR>() == 0x80);
  b.seek(1);
  CHECK(b.read<DIR>() == 0x00);
  b.write<DOR>(0x0d);
  CHECK(b.read<DIR>() == 0x00);
}
