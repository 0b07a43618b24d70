#include "peripherals/misc/versatile_i2c.hpp"

#include "tests/unit/bench.hpp"

using namespace test;
using namespace peripherals::versatile_i2c;

namespace {
// Drives the bus as software does, through the two registers alone.
struct BusBench : Bench<VersatileI2c> {
  BusBench() {
    wall_clock = 1'700'000'000;  // Tuesday 2023-11-14 22:13:20 UTC
    reset();
  }
  void scl(bool high) { write_at(high ? 0 : 4, 4, 1); }
  void sda(bool high) { write_at(high ? 0 : 4, 4, 2); }
  bool sda_in() { return read_at(0) >> 1 & 1; }

  void start() {
    sda(true);
    scl(true);
    sda(false);
    scl(false);
  }
  void stop() {
    sda(false);
    scl(true);
    sda(true);
  }
  bool bit(bool out) {
    sda(out);
    scl(true);
    const bool in = sda_in();
    scl(false);
    return in;
  }
  bool send(u8 c) {  // true: acknowledged
    for (int i = 7; i >= 0; --i) bit(c >> i & 1);
    return !bit(true);
  }
  u8 get(bool acknowledge) {
    u8 c = 0;
    for (int i = 0; i < 8; ++i) c = u8(c << 1 | bit(true));
    bit(!acknowledge);
    return c;
  }
  void put_regs(u8 at, std::initializer_list<u8> bytes) {
    start();
    CHECK(send(0xd0));
    CHECK(send(at));
    for (u8 c : bytes) CHECK(send(c));
    stop();
  }
  std::vector<u8> regs(u8 at, unsigned n) {
    start();
    CHECK(send(0xd0));
    CHECK(send(at));
    start();
    CHECK(send(0xd1));
    std::vector<u8> out;
    for (unsigned i = 0; i < n; ++i) out.push_back(get(i + 1 < n));
    stop();
    return out;
  }
};
using Bytes = std::vector<u8>;
}  // namespace

TEST_CASE("versatile i2c: both lines are high after reset and follow set and clear (DUI 0224I §4.18)") {
  BusBench b;
  CHECK(b.read<SB_CONTROL>() == 3);
  b.write<SB_CONTROLC>(1);
  CHECK(b.read<SB_CONTROL>() == 2);
  b.write<SB_CONTROLC>(2);
  CHECK(b.read<SB_CONTROL>() == 0);
  b.write<SB_CONTROL>(3);
  CHECK(b.read<SB_CONTROL>() == 3);
}
TEST_CASE("ds1338: only its own address is acknowledged (data sheet p. 10)") {
  BusBench b;
  b.start();
  CHECK_FALSE(b.send(0xa0));
  b.stop();
  b.start();
  CHECK(b.send(0xd0));
  b.stop();
}
TEST_CASE("ds1338: registers hold the host's time in BCD (table 2)") {
  BusBench b;
  CHECK(b.regs(0, 8) == Bytes{0x20, 0x13, 0x22, 0x03, 0x14, 0x11, 0x23, 0x93});
}
TEST_CASE("ds1338: the time goes on with virtual time, over midnight") {
  BusBench b;
  b.run_for(7000_s);
  CHECK(b.regs(0, 7) == Bytes{0x00, 0x10, 0x00, 0x04, 0x15, 0x11, 0x23});
}
TEST_CASE("ds1338: a time that was set goes on from there, with its own day of week (table 2)") {
  BusBench b;
  b.put_regs(0, {0x59, 0x59, 0x23, 0x07, 0x29, 0x02, 0x24});
  CHECK(b.regs(0, 7) == Bytes{0x59, 0x59, 0x23, 0x07, 0x29, 0x02, 0x24});
  b.run_for(1_s);
  CHECK(b.regs(0, 7) == Bytes{0x00, 0x00, 0x00, 0x01, 0x01, 0x03, 0x24});
}
TEST_CASE("ds1338: CH stops the clock until it is cleared (table 2)") {
  BusBench b;
  b.put_regs(0, {0x80});
  b.run_for(100_s);
  CHECK(b.regs(0, 2) == Bytes{0x80, 0x13});
  b.put_regs(0, {0x00});
  b.run_for(5_s);
  CHECK(b.regs(0, 2) == Bytes{0x05, 0x13});
}
TEST_CASE("ds1338: the 12-hour form has AM and PM (table 2)") {
  BusBench b;
  b.put_regs(2, {0x71});  // 11 PM
  CHECK(b.regs(2, 1) == Bytes{0x71});
  b.run_for(3600_s);
  CHECK(b.regs(2, 1) == Bytes{0x52});  // 12 AM
}
TEST_CASE("ds1338: RAM keeps bytes and the address wraps from 0x3F to 0 (p. 7)") {
  BusBench b;
  b.put_regs(0x3e, {0xaa, 0x55});
  CHECK(b.regs(0x3e, 3) == Bytes{0xaa, 0x55, 0x20});
}
TEST_CASE("ds1338: a byte read and not acknowledged ends the transfer") {
  BusBench b;
  b.regs(0x08, 1);
  CHECK(b.read<SB_CONTROL>() == 3);
}
TEST_CASE("ds1338: any bytes and line changes leave it defined") {
  BusBench b;
  u32 seed = 5;
  for (int i = 0; i < 3000; ++i) {
    b.start();
    b.send(0xd0);
    for (int n = 0; n < 10; ++n) {
      seed = seed * 1664525 + 1013904223;
      b.send(u8(seed >> 24));
    }
    for (int n = 0; n < 40; ++n) {
      seed = seed * 1664525 + 1013904223;
      b.write_at(seed >> 31 ? 4 : 0, 4, seed >> 24);
    }
    b.stop();
    b.run_for(1_s);
  }
  b.put_regs(0, {0x00, 0x00, 0x00, 0x01, 0x01, 0x01, 0x00});
  CHECK(b.regs(0, 7) == Bytes{0x00, 0x00, 0x00, 0x01, 0x01, 0x01, 0x00});
}
