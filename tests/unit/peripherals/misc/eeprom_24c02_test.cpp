#include "peripherals/misc/eeprom_24c02.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <numeric>

using namespace peripherals::eeprom_24c02;
using namespace core;

namespace {
// The other end of the bus.
struct Bus {
  Eeprom& chip;
  bool scl = true, sda = true;
  void set(bool c, bool d) { scl = c, sda = d, chip.lines(c, d && chip.sda()); }
  void start() { set(true, true), set(true, false), set(false, false); }
  void stop() { set(false, false), set(true, false), set(true, true); }
  bool bit(bool d) {
    set(false, d), set(true, d);
    const bool level = d && chip.sda();
    set(false, d);
    return level;
  }
  bool send(u8 v) {
    for (int i = 7; i >= 0; --i) bit(v >> i & 1);
    return !bit(true);
  }
  u8 receive(bool acknowledge) {
    u8 v = 0;
    for (int i = 0; i < 8; ++i) v = u8(v << 1 | bit(true));
    bit(!acknowledge);
    return v;
  }
};
}  // namespace

TEST_CASE("24c02: random and sequential reads (§8)") {
  Eeprom chip;
  std::iota(chip.data.begin(), chip.data.end(), u8(0));
  Bus b{chip};
  b.start();
  CHECK(b.send(0xa0));
  CHECK(b.send(0xfe));
  b.start();
  CHECK(b.send(0xa1));
  CHECK(b.receive(true) == 0xfe);
  CHECK(b.receive(true) == 0xff);
  CHECK(b.receive(false) == 0x00);
  b.stop();
  b.start();
  CHECK(b.send(0xa1));
  CHECK(b.receive(false) == 0x01);  // from where it was
  b.stop();
}
TEST_CASE("24c02: a page of writes goes round (§6.2)") {
  Eeprom chip;
  Bus b{chip};
  b.start();
  CHECK(b.send(0xa0));
  CHECK(b.send(0x16));
  for (u8 v : {1, 2, 3}) CHECK(b.send(v));
  b.stop();
  CHECK(chip.data[0x16] == 1);
  CHECK(chip.data[0x17] == 2);
  CHECK(chip.data[0x10] == 3);
}
TEST_CASE("24c02: other addresses are not answered") {
  Eeprom chip;
  Bus b{chip};
  b.start();
  CHECK_FALSE(b.send(0xa2));
  CHECK_FALSE(b.send(0x00));
  b.stop();
}
TEST_CASE("sdram_presence: rows and their densities make up the size, the checksum holds") {
  for (u64 megabytes : {4, 16, 32, 64, 96, 128, 256, 384, 512, 1024, 1536, 2048}) {
    const auto spd = sdram_presence(megabytes * MiB);
    CHECK(spd[2] == 4);
    CHECK(spd[63] == u8(std::accumulate(spd.begin(), spd.begin() + 63, 0)));
    // One density bit for each row size; rows of one size where there is but one bit.
    u64 told = 0, largest = 0;
    for (unsigned i = 0; i < 8; ++i)
      if (spd[31] >> i & 1) told += 4u << i, largest = 4u << i;
    if (std::popcount(spd[31]) == 1) told *= spd[5];
    CHECK(told == megabytes);
    if (largest >= 16) CHECK((u64(32) << (spd[3] + spd[4])) == largest * MiB);
  }
  CHECK(sdram_presence(0)[5] == 0);
  CHECK(sdram_presence(~u64(0))[5] == 8);
}
