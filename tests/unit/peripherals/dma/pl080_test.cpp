#include "peripherals/dma/pl080.hpp"

#include "tests/unit/bench.hpp"

using namespace test;
using namespace peripherals::pl080;

namespace {
template <u64 Channels>
struct DmaWires : TestWires {
  static constexpr u64 channels = Channels;
  void inttc(bool on) const { drive("inttc", on); }
  void interr(bool on) const { drive("interr", on); }
};

constexpr u32 si = 1u << 26, di = 1u << 27, tc = 1u << 31;
constexpr u32 source_width(u32 code) { return code << 18; }
constexpr u32 destination_width(u32 code) { return code << 21; }
constexpr u32 on = 1, ie = 1u << 14, itc = 1u << 15;
constexpr u32 flow(u32 code) { return code << 11; }

struct DmaBench : Bench<Pl080, DmaWires<8>> {
  DmaBench() {
    write<DMACConfiguration>(1);
    for (u32 i = 0; i < 4096; ++i) memory[0x1000 + i] = u8(i * 7 + 1);
  }
  void start(u32 channel, u32 from, u32 to, u32 next, u32 control, u32 configuration) {
    write<DMACCxSrcAddr>(channel, from);
    write<DMACCxDestAddr>(channel, to);
    write<DMACCxLLI>(channel, next);
    write<DMACCxControl>(channel, control);
    write<DMACCxConfiguration>(channel, configuration);
  }
  void item(u32 at, u32 from, u32 to, u32 next, u32 control) {
    const u32 words[] = {from, to, next, control};
    for (u32 i = 0; i < 4; ++i) store_le(&memory[at + 4 * i], words[i]);
  }
  bool copied(u32 from, u32 to, u32 size) const {
    return std::equal(memory.begin() + from, memory.begin() + from + size, memory.begin() + to);
  }
};
}  // namespace

TEST_CASE("pl080: ids of the eight and the two channel part (DDI 0196G §3.4.21)") {
  DmaBench b;
  CHECK(b.read_at(0xfe0) == 0x80);
  CHECK(b.read_at(0xfec) == 0x0a);
  Bench<Pl080, DmaWires<2>> small;
  CHECK(small.read_at(0xfe0) == 0x81);
  small.read_at(0x140);
  CHECK(small.strays == 1);
}
TEST_CASE("pl080: memory to memory copies and disables the channel (§3.1.5)") {
  DmaBench b;
  b.start(0, 0x1000, 0x4000, 0, si | di | source_width(2) | destination_width(2) | 100, on);
  CHECK(b.copied(0x1000, 0x4000, 400));
  CHECK(b.memory[0x4190] == 0);
  CHECK(b.read<DMACEnbldChns>() == 0);
  CHECK(b.read<DMACCxSrcAddr>(0) == 0x1190);
  CHECK((b.read<DMACCxControl>(0) & 0xfff) == 0);
}
TEST_CASE("pl080: terminal count interrupts when the item and the mask say so (§3.4.15, §3.4.16)") {
  DmaBench b;
  b.start(2, 0x1000, 0x4000, 0, tc | 4, on);
  CHECK_FALSE(b.pin("irq"));
  CHECK(b.read<DMACRawIntTCStatus>() == 4);
  b.write<DMACCxConfiguration>(2, itc);
  CHECK(b.pin("irq"));
  CHECK(b.pin("inttc"));
  CHECK_FALSE(b.pin("interr"));
  CHECK(b.read<DMACIntStatus>() == 4);
  b.write<DMACIntTCClear>(4);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("pl080: an address that stays is written again and again (§3.4.15 SI, DI)") {
  DmaBench b;
  b.start(0, 0x1000, 0x4000, 0, si | 8, on);
  CHECK(b.memory[0x4000] == b.memory[0x1007]);
  CHECK(b.memory[0x4001] == 0);
}
TEST_CASE("pl080: bytes pack into words and words unpack into halfwords (§3.4.15 SWidth, DWidth)") {
  DmaBench b;
  b.start(0, 0x1000, 0x4000, 0, si | di | destination_width(2) | 8, on);
  CHECK(b.copied(0x1000, 0x4000, 8));
  b.start(1, 0x1000, 0x5000, 0, si | di | source_width(2) | destination_width(1) | 3, on);
  CHECK(b.copied(0x1000, 0x5000, 12));
}
TEST_CASE("pl080: a list is followed, each item may interrupt (§3.4.14)") {
  DmaBench b;
  b.item(0x8000, 0x1100, 0x5000, 0x8010, si | di | 16);
  b.item(0x8010, 0x1200, 0x6000, 0, si | di | tc | 16);
  b.start(0, 0x1000, 0x4000, 0x8000, si | di | 16, on | itc);
  CHECK(b.copied(0x1000, 0x4000, 16));
  CHECK(b.copied(0x1100, 0x5000, 16));
  CHECK(b.copied(0x1200, 0x6000, 16));
  CHECK(b.pin("irq"));
}
TEST_CASE("pl080: a list that never ends goes on in slices of time until it is stopped") {
  DmaBench b;
  b.item(0x8000, 0x1000, 0x4000, 0x8000, 0);  // empty and circular
  b.start(0, 0x1000, 0x4000, 0x8000, 0, on);
  CHECK(b.read<DMACEnbldChns>() == 1);
  b.run_for(1_ms);
  CHECK(b.read<DMACEnbldChns>() == 1);
  b.write<DMACCxConfiguration>(0, 0);
  CHECK(b.timers.next() == never);
}
TEST_CASE("pl080: an address that is not memory is an error and ends the channel (§3.4.7)") {
  DmaBench b;
  b.start(1, 0xf000'0000, 0x4000, 0, tc | 4, on | ie);
  CHECK(b.pin("irq"));
  CHECK(b.pin("interr"));
  CHECK_FALSE(b.pin("inttc"));
  CHECK(b.read<DMACIntErrorStatus>() == 2);
  CHECK(b.read<DMACEnbldChns>() == 0);
  b.write<DMACIntErrClr>(2);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("pl080: a bad list address is an error after the first item") {
  DmaBench b;
  b.start(0, 0x1000, 0x4000, 0xffff'fffc, si | di | 16, on | ie);
  CHECK(b.copied(0x1000, 0x4000, 16));
  CHECK(b.pin("interr"));
}
TEST_CASE("pl080: a reserved width is an error, not a crash") {
  DmaBench b;
  b.start(0, 0x1000, 0x4000, 0, source_width(7) | destination_width(5) | 16, on | ie);
  CHECK(b.pin("interr"));
}
TEST_CASE("pl080: nothing moves while the controller is disabled or the channel halted (§3.4.12, §3.4.16)") {
  DmaBench b;
  b.write<DMACConfiguration>(0);
  b.start(0, 0x1000, 0x4000, 0, si | di | 16, on | 1u << 18);
  b.write<DMACConfiguration>(1);
  CHECK(b.memory[0x4000] == 0);
  b.write<DMACCxConfiguration>(0, on);
  CHECK(b.copied(0x1000, 0x4000, 16));
}
TEST_CASE("pl080: a channel to a peripheral waits for its requests (§3.4.8)") {
  DmaBench b;
  b.start(0, 0x1000, 0x4000, 0, si | di | tc | 1u << 12 | 1u << 15 | 6, on | itc | flow(1) | 3u << 6);
  CHECK(b.memory[0x4000] == 0);
  b.write<DMACSoftSReq>(1u << 3);
  CHECK(b.copied(0x1000, 0x4000, 1));
  CHECK(b.memory[0x4001] == 0);
  CHECK(b.read<DMACSoftSReq>() == 0);
  b.write<DMACSoftBReq>(1u << 3);
  CHECK(b.copied(0x1000, 0x4000, 5));
  CHECK((b.read<DMACCxControl>(0) & 0xfff) == 1);
  b.write<DMACSoftBReq>(1u << 4);
  CHECK_FALSE(b.pin("irq"));
  b.write<DMACSoftBReq>(1u << 3);
  CHECK(b.pin("irq"));
  CHECK(b.read<DMACSoftBReq>() == 1u << 4);
}
TEST_CASE("pl080: a peripheral that controls the flow ends the transfer with its last request (§3.4.10)") {
  DmaBench b;
  b.start(0, 0x1000, 0x4000, 0, si | di | tc | 1u << 12 | 1u << 15, on | itc | flow(6) | 2u << 1);
  b.write<DMACSoftBReq>(1u << 2);
  CHECK(b.copied(0x1000, 0x4000, 4));
  CHECK_FALSE(b.pin("irq"));
  b.write<DMACSoftLSReq>(1u << 2);
  CHECK(b.copied(0x1000, 0x4000, 5));
  CHECK(b.pin("irq"));
  CHECK(b.read<DMACEnbldChns>() == 0);
}
TEST_CASE("pl080: any register values leave it defined") {
  DmaBench b;
  u32 seed = 7;
  for (int i = 0; i < 3000; ++i) {
    seed = seed * 1664525 + 1013904223;
    const u32 off = (seed >> 8 & 1) ? 0x100 + (seed >> 9 & 0xff & ~3u) : (seed >> 9 & 0x3c);
    seed = seed * 1664525 + 1013904223;
    b.write_at(off, 4, off == 0x30 ? 1 : off % 0x20 < 0xc ? seed >> 12 : seed);
    b.read_at(off);
  }
  b.run_for(1_ms);
  CHECK(b.read_at(0xff0) == 0x0d);
}
