#include "peripherals/timer/i8254.hpp"

#include "tests/unit/bench.hpp"

using namespace test;
using namespace peripherals::i8254;

namespace {
// A clock of 1 MHz: one count is 1 us.
struct Pit : Bench<I8254> {
  void set(u8 control, u16 count) {
    write<CONTROL>(control);
    const u32 channel = control >> 6;
    write<COUNTER>(channel, count & 0xff);
    write<COUNTER>(channel, count >> 8);
  }
  u32 get(u32 channel) {
    write<CONTROL>(channel << 6);
    const u32 low = read<COUNTER>(channel);
    return read<COUNTER>(channel) << 8 | low;
  }
  u8 status(u32 channel) {
    write<CONTROL>(0xe0 | 2u << channel);
    return u8(read<COUNTER>(channel));
  }
  bool out(u32 channel) { return status(channel) >> 7; }
};
}  // namespace

TEST_CASE("i8254: mode 0 counts down, OUT rises N + 1 clocks after the count was written") {
  Pit b;
  b.set(0x30, 100);
  CHECK_FALSE(b.pin("irq"));
  CHECK(b.get(0) == 100);
  b.run_for(41_us);
  CHECK(b.get(0) == 60);
  b.run_for(59_us);
  CHECK_FALSE(b.pin("irq"));
  b.run_for(1_us);
  CHECK(b.pin("irq"));
  b.run_for(2_us);
  CHECK(b.get(0) == 0xfffe);
  b.write<COUNTER>(0, 10);  // the first byte of a new count stops it and lowers OUT
  CHECK_FALSE(b.out(0));
}
TEST_CASE("i8254: mode 2 interrupts every N clocks and OUT is low for the last") {
  Pit b;
  b.set(0x34, 1000);
  CHECK(b.pin("irq"));
  b.run_for(1_us);
  CHECK(b.get(0) == 1000);
  b.run_for(999_us);
  CHECK(b.get(0) == 1);
  CHECK_FALSE(b.out(0));
  b.run_for(1_us);
  CHECK(b.get(0) == 1000);
  CHECK(b.rises("irq") == 2);
  b.run_for(10_ms);
  CHECK(b.rises("irq") == 12);
}
TEST_CASE("i8254: in mode 2 a new count takes over when the period ends") {
  Pit b;
  b.set(0x34, 1000);
  b.run_for(501_us);
  b.write<COUNTER>(0, 100), b.write<COUNTER>(0, 0);
  CHECK(b.get(0) == 500);
  CHECK((b.status(0) & 0x40));
  b.run_for(500_us);
  CHECK(b.get(0) == 100);
  CHECK_FALSE((b.status(0) & 0x40));
  CHECK(b.rises("irq") == 2);
  b.run_for(300_us);
  CHECK(b.rises("irq") == 5);
}
TEST_CASE("i8254: mode 3 is a square wave that counts by two") {
  Pit b;
  b.set(0x36, 1000);
  b.run_for(101_us);
  CHECK(b.get(0) == 800);
  CHECK(b.out(0));
  b.run_for(500_us);
  CHECK(b.get(0) == 800);
  CHECK_FALSE(b.out(0));
  b.run_for(400_us);
  CHECK(b.out(0));
  CHECK(b.rises("irq") == 2);
  b.run_for(5_ms);
  CHECK(b.rises("irq") == 7);
}
TEST_CASE("i8254: an odd square wave is high one clock longer") {
  Pit b;
  b.set(0xb6, 5);
  b.dev.set_gate2(true);
  std::string levels, counts;
  b.run_for(1_us);
  for (int i = 0; i < 10; ++i, b.run_for(1_us)) {
    levels += b.out(2) ? 'H' : 'L';
    counts += char('0' + b.get(2));
  }
  CHECK(levels == "HHHLLHHHLL");
  CHECK(counts == "4204242042");
}
TEST_CASE("i8254: in mode 3 a new count takes over with the half period") {
  Pit b;
  b.set(0x36, 1000);
  b.run_for(101_us);
  b.write<COUNTER>(0, 200), b.write<COUNTER>(0, 0);
  b.run_for(450_us);  // 50 clocks into the low half of 100
  CHECK_FALSE(b.out(0));
  CHECK(b.get(0) == 100);
  b.run_for(50_us);
  CHECK(b.out(0));
  CHECK(b.rises("irq") == 2);
  b.run_for(200_us);
  CHECK(b.rises("irq") == 3);
}
TEST_CASE("i8254: mode 4 strobes once, mode 5 after its trigger") {
  Pit b;
  b.set(0x38, 50);
  b.run_for(51_us);
  CHECK_FALSE(b.out(0));
  b.run_for(1_us);
  CHECK(b.rises("irq") == 2);
  b.run_for(1_s);
  CHECK(b.rises("irq") == 2);
  b.set(0xba, 50);
  b.run_for(1_ms);
  CHECK((b.status(2) & 0xc0) == 0xc0);  // high, null count
  b.dev.set_gate2(true);
  b.run_for(51_us);
  CHECK_FALSE(b.out(2));
  b.run_for(1_us);
  CHECK(b.out(2));
}
TEST_CASE("i8254: mode 1 is a one-shot that its gate starts again") {
  Pit b;
  b.set(0xb2, 50);
  CHECK(b.out(2));
  b.dev.set_gate2(true);
  b.run_for(1_us);
  CHECK_FALSE(b.out(2));
  b.run_for(40_us);
  b.dev.set_gate2(false), b.dev.set_gate2(true);
  b.run_for(50_us);
  CHECK_FALSE(b.out(2));
  b.run_for(1_us);
  CHECK(b.out(2));
}
TEST_CASE("i8254: a low gate holds mode 0 and restarts mode 2") {
  Pit b;
  b.set(0xb0, 1000);
  b.run_for(10_ms);
  CHECK(b.get(2) == 1000);
  b.dev.set_gate2(true);
  b.run_for(100_us);
  b.dev.set_gate2(false);
  b.run_for(1_s);
  CHECK(b.get(2) == 900);
  b.dev.set_gate2(true);
  b.run_for(100_us);
  CHECK(b.get(2) == 800);
  b.set(0xb4, 1000);
  b.run_for(101_us);
  CHECK(b.get(2) == 900);
  b.dev.set_gate2(false);
  b.run_for(1_s);
  b.dev.set_gate2(true);
  b.run_for(1_us);
  CHECK(b.get(2) == 1000);
}
TEST_CASE("i8254: a latched count waits to be read, later latches do not change it") {
  Pit b;
  b.set(0x34, 0);
  b.run_for(0x101_us);
  b.write<CONTROL>(0x00);
  b.run_for(500_us);
  b.write<CONTROL>(0x00);
  CHECK(b.read<COUNTER>(0) == 0x00);
  CHECK(b.read<COUNTER>(0) == 0xff);
  CHECK(b.get(0) == 0x10000 - 0x100 - 500);
}
TEST_CASE("i8254: read-back latches status and count of several counters, the status comes first") {
  Pit b;
  b.set(0x34, 1000), b.set(0xb0, 500);
  b.run_for(101_us);
  b.write<CONTROL>(0xca);  // counters 0 and 2
  CHECK(b.read<COUNTER>(0) == 0xb4);
  CHECK(b.read<COUNTER>(0) == (900 & 0xff));
  CHECK(b.read<COUNTER>(0) == 900 >> 8);
  CHECK(b.read<COUNTER>(2) == 0x30);
  CHECK(b.read<COUNTER>(2) == (500 & 0xff));
  b.write<CONTROL>(0xd2);  // SeaBIOS: the count of counter 0 only
  CHECK(b.read<COUNTER>(0) == (900 & 0xff));
}
TEST_CASE("i8254: one-byte access writes and reads its byte") {
  Pit b;
  b.write<CONTROL>(0x24);  // counter 0, high byte, mode 2
  b.write<COUNTER>(0, 0x10);
  b.run_for(1_us);
  CHECK(b.read<COUNTER>(0) == 0x10);
  CHECK(b.read<COUNTER>(0) == 0x10);
  b.run_for(1_us);
  CHECK(b.read<COUNTER>(0) == 0x0f);
  b.write<CONTROL>(0x14);
  b.write<COUNTER>(0, 0x80);
  b.run_for(3_us);
  CHECK(b.read<COUNTER>(0) == 0x7e);
}
TEST_CASE("i8254: BCD counts in decimal, 0 is 10000") {
  Pit b;
  b.set(0x35, 0x0100);
  b.run_for(2_us);
  CHECK(b.get(0) == 0x0099);
  b.set(0x31, 0);
  b.run_for(2_us);
  CHECK(b.get(0) == 0x9999);
  b.set(0x31, 0xffff);  // no decimal: some count, no harm
  b.run_for(1_s);
}
TEST_CASE("i8254: the shortest periods leave time to the processor") {
  Pit b;
  for (u16 count : {1, 2, 3}) {
    for (u8 mode : {0x34, 0x36, 0x30, 0x38}) {
      b.set(mode, count);
      b.run_for(1_ms);
    }
  }
  CHECK(b.now == 12_ms);
}
TEST_CASE("i8254: registers take wide accesses as bytes") {
  Pit b;
  b.write<CONTROL>(0x30);
  b.write_at(0, 1, 0x34), b.write_at(0, 1, 0x12);
  b.write_at(2, 2, 0x0000);  // counter 2, then: latch counter 0
  CHECK(b.read<COUNTER>(0) == 0x34);
  CHECK(b.read<COUNTER>(0) == 0x12);
}
