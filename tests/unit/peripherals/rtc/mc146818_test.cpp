#include "peripherals/rtc/mc146818.hpp"

#include "tests/unit/bench.hpp"

using namespace test;
using namespace peripherals::mc146818;

namespace {
// Sunday 2001-09-09 01:46:40, World's wall clock.
struct RtcBench : Bench<Mc146818> {
  u8 get(u8 index) { return write<INDEX>(index), u8(read<DATA>()); }
  void put(u8 index, u8 v) { write<INDEX>(index), write<DATA>(v); }
  std::string time() {
    std::string s;
    for (u8 i : {0x32, 9, 8, 7, 6, 4, 2, 0}) {
      const u8 v = get(i);
      s += "0123456789abcdef"[v >> 4], s += "0123456789abcdef"[v & 15], s += ' ';
    }
    return s;
  }
};
}  // namespace

TEST_CASE("mc146818: starts with the host's calendar in BCD, 24 hours") {
  RtcBench b;
  CHECK(b.time() == "20 01 09 09 01 01 46 40 ");
  CHECK(b.get(0x0a) == 0x26);
  CHECK(b.get(0x0b) == 0x02);
  CHECK(b.get(0x0d) == 0x80);
  b.run_for(23 * 3600 * 1_s);
  CHECK(b.time() == "20 01 09 10 02 00 46 40 ");
}
TEST_CASE("mc146818: UIP is high for 2228 us before each second and low after (table 6)") {
  RtcBench b;
  CHECK(b.get(0x0a) == 0x26);
  b.run_for(997'771_us);
  CHECK(b.get(0x0a) == 0x26);
  b.run_for(2_us);
  CHECK(b.get(0x0a) == 0xa6);
  CHECK(b.get(0) == 0x40);
  b.run_for(2'226_us);
  CHECK(b.get(0x0a) == 0xa6);
  b.run_for(1_us);
  CHECK(b.get(0x0a) == 0x26);
  CHECK(b.get(0) == 0x41);
  unsigned pulses = 0;  // Linux on Malta counts its processor's clock between two of them
  bool before = false;
  for (int i = 0; i < 3000; ++i, b.run_for(1_ms)) {
    const bool uip = b.get(0x0a) & 0x80;
    pulses += uip && !before;
    before = uip;
  }
  CHECK(pulses == 3);
}
TEST_CASE("mc146818: binary and 12-hour formats (register B)") {
  RtcBench b;
  b.put(0x0b, 0x06);
  CHECK(b.get(2) == 46);
  CHECK(b.get(9) == 1);
  b.put(0x0b, 0x00);
  CHECK(b.get(4) == 0x01);
  b.run_for(12 * 3600 * 1_s);
  CHECK(b.get(4) == 0x81);
  b.run_for(11 * 3600 * 1_s);
  CHECK(b.get(4) == 0x12);
}
TEST_CASE("mc146818: SET holds the time while it is written; it goes on from there") {
  RtcBench b;
  b.put(0x0b, 0x82);
  b.run_for(5_s);
  CHECK(b.get(0) == 0x40);
  CHECK((b.get(0x0a) & 0x80) == 0);
  b.run_for(999_ms);
  CHECK((b.get(0x0a) & 0x80) == 0);
  const u8 values[][2] = {{0x32, 0x19}, {9, 0x99}, {8, 0x12}, {7, 0x31}, {6, 0x06}, {4, 0x23}, {2, 0x59}, {0, 0x59}};
  for (auto [index, v] : values) b.put(index, v);
  CHECK(b.get(0) == 0x59);
  b.put(0x0b, 0x02);
  CHECK(b.time() == "19 99 12 31 06 23 59 59 ");
  b.run_for(1_s);
  CHECK(b.time() == "20 00 01 01 07 00 00 00 ");
}
TEST_CASE("mc146818: time can be written without SET, nonsense stays in range") {
  RtcBench b;
  b.put(4, 0x12);
  CHECK(b.time() == "20 01 09 09 01 12 46 40 ");
  for (u8 i : {0, 2, 4, 6, 7, 8, 9, 0x32}) b.put(i, 0xff);
  b.run_for(100_s);
  CHECK(b.get(0) < 0x60);
  CHECK(b.get(2) < 0x60);
}
TEST_CASE("mc146818: the update-ended interrupt comes every second until C is read") {
  RtcBench b;
  b.put(0x0b, 0x12);
  b.run_for(999_ms);
  CHECK_FALSE(b.pin("irq"));
  b.run_for(1_ms);
  CHECK(b.pin("irq"));
  CHECK(b.get(0x0c) == 0x90 + 0x40);  // PF is set too, not enabled
  CHECK_FALSE(b.pin("irq"));
  CHECK(b.get(0x0c) == 0);
  b.run_for(1_s);
  CHECK(b.pin("irq"));
  b.reset();
  CHECK_FALSE(b.pin("irq"));
  CHECK(b.get(0x0b) == 0x02);
  CHECK(b.get(0) == 0x42);
}
TEST_CASE("mc146818: flags are set without their interrupts") {
  RtcBench b;
  b.run_for(1_s);
  CHECK(b.get(0x0c) == 0x50);
  CHECK(b.get(0x0c) == 0);
}
TEST_CASE("mc146818: the alarm matches its bytes, C0 and above match all") {
  RtcBench b;
  b.put(1, 0x45), b.put(3, 0x46), b.put(5, 0x01);
  b.put(0x0b, 0x22);
  b.run_for(4_s);
  CHECK_FALSE(b.pin("irq"));
  b.run_for(1_s);
  CHECK(b.pin("irq"));
  CHECK((b.get(0x0c) & 0xa0) == 0xa0);
  b.run_for(60_s);
  CHECK_FALSE(b.pin("irq"));
  b.put(3, 0xff), b.put(5, 0xc0);
  b.run_for(60_s);
  CHECK(b.pin("irq"));
}
TEST_CASE("mc146818: an alarm passed long ago is seen when C is read") {
  RtcBench b;
  b.put(1, 0x00), b.put(3, 0x00), b.put(5, 0x00);
  b.run_for(10 * 86400 * 1_s);
  CHECK((b.get(0x0c) & 0x30) == 0x30);
}
TEST_CASE("mc146818: periodic interrupts at the rate of register A (table 5)") {
  RtcBench b;
  b.put(0x0b, 0x42);
  unsigned count = 0;
  for (u64 end = b.now + 1_s; b.now <= end; b.run_for(100_us)) {
    if (!b.pin("irq")) continue;
    ++count;
    CHECK((b.get(0x0c) & 0xc0) == 0xc0);
  }
  CHECK(count == 1024);
  b.put(0x0a, 0x2f), b.get(0x0c);
  const unsigned before = b.rises("irq");
  for (int i = 0; i < 30; ++i) b.run_for(100_ms), b.get(0x0c);
  CHECK(b.rises("irq") - before == 6);
  b.put(0x0a, 0x20), b.get(0x0c);
  b.run_for(10_s);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("mc146818: after the divider's reset the first update is half a second away") {
  RtcBench b;
  b.run_for(700_ms);
  b.put(0x0a, 0x70);
  b.run_for(10_s);
  CHECK(b.get(0) == 0x40);
  b.put(0x0a, 0x26);
  b.run_for(499_ms);
  CHECK(b.get(0) == 0x40);
  b.run_for(1_ms);
  CHECK(b.get(0) == 0x41);
}
TEST_CASE("mc146818: memory outlives resets, the index port cannot be read") {
  RtcBench b;
  b.put(0x0e, 0x5a), b.put(0xff, 0xa5);  // bit 7 is the NMI mask
  b.reset();
  CHECK(b.get(0x0e) == 0x5a);
  CHECK(b.get(0x7f) == 0xa5);
  CHECK(b.read<INDEX>() == 0xff);
  b.write_at(2, 2, 0x77'8e);
  CHECK(b.read_at(3, 1) == 0x77);
  CHECK(b.get(0x0e) == 0x5a);
}
TEST_CASE("mc146818: the fastest rates and any control byte leave time to the processor") {
  RtcBench b;
  for (int v = 0; v < 256; ++v) {
    b.put(0x0a, u8(v)), b.put(0x0b, u8(v ^ 0xff));
    b.run_for(20_ms);
    b.put(0x0b, u8(v));
    b.run_for(20_ms);
  }
  CHECK(b.now == 256 * 40_ms);
}
TEST_CASE("mc146818: the time is taken in the format it was written in, as U-Boot relies on") {
  RtcBench b;
  b.put(0x0b, 0x82);
  b.put(4, 0x12), b.put(2, 0x25), b.put(0, 0);
  b.put(0x0b, 0x00);
  b.put(0x0b, 0x02);
  CHECK(b.get(4) == 0x12);
  b.put(0x0b, 0x82);
  b.put(4, 0x20);
  b.put(0x0b, 0x00);
  b.put(0x0b, 0x02);
  CHECK(b.get(4) == 0x20);
}
TEST_CASE("mc146818: who polls UIP and was away while it was high sees it once, who does not poll does not") {
  RtcBench b;
  b.run_for(500_ms);
  CHECK((b.get(0x0a) & 0x80) == 0);
  b.run_for(450_ms);
  CHECK((b.get(0x0a) & 0x80) == 0);
  b.run_for(60_ms);  // over the window
  CHECK((b.get(0x0a) & 0x80) == 0x80);
  CHECK((b.get(0x0a) & 0x80) == 0);
  b.run_for(989_ms);  // into the next window
  CHECK((b.get(0x0a) & 0x80) == 0x80);
  b.run_for(20_ms);
  CHECK((b.get(0x0a) & 0x80) == 0);
  b.run_for(900_ms);
  b.run_for(200_ms);
  CHECK((b.get(0x0a) & 0x80) == 0);
}
TEST_CASE("mc146818: says until when a poller is told the same") {
  RtcBench b;
  const auto same = [&](u8 index) { return b.get(index), b.repeats_until; };
  b.write<INDEX>(0x0a);
  CHECK(b.repeats_until == 0);
  b.write<INDEX>(0x0a);
  CHECK(b.repeats_until == never);
  CHECK(same(0x0a) == b.now + 50_ms);  // no longer: it might miss the update
  CHECK(same(0) == 1_s);
  CHECK(same(0x32) == 1_s);
  CHECK(same(0x0b) == never);
  CHECK(same(0x40) == never);
  CHECK(same(0x0c) == 0);  // reading clears it
  b.run_for(990_ms);
  CHECK(same(0x0a) == 997'772_us);
  b.run_for(7'772_us);
  CHECK(same(0x0a) == 0);  // UIP is high
  b.put(0x0b, 0x82);       // SET: the clock stands
  CHECK(same(0) == never);
}
