#include "peripherals/sysctl/malta_fpga.hpp"

#include "tests/unit/bench.hpp"

using namespace test;
using namespace peripherals::malta_fpga;

namespace {
struct Little : TestWires {
  static constexpr bool big_endian = false;
  u64 ram_size() const { return 64 * MiB; }
};
struct Big : Little {
  static constexpr bool big_endian = true;
};
using Fpga = Bench<MaltaFpga, Little>;
}  // namespace

TEST_CASE("malta_fpga: switches and straps say the byte order") {
  Fpga little;
  Bench<MaltaFpga, Big> big;
  CHECK(little.read<STATUS>() == 0x10);
  CHECK(big.read<STATUS>() == 0x12);
  CHECK(big.read_at(0x208, 4) == 0x1200'0000);  // the bus has the lowest address first
  CHECK(little.read<SWITCH>() == 0);
  CHECK(little.read<JMPRS>() == 0);
  CHECK(little.read<BRKRES>() == 0x0a);
}
TEST_CASE("malta_fpga: a big-endian processor resets the board by a word it stores as 0x42") {
  Bench<MaltaFpga, Big> big;
  big.write_at(0x500, 4, 0x42);
  CHECK(big.resets == 0);
  big.write_at(0x500, 4, 0x4200'0000);
  CHECK(big.resets == 1);
}
TEST_CASE("malta_fpga: the display shows characters by place or a word in hexadecimal") {
  Fpga b;
  CHECK(b.dev.display() == "        ");
  for (u32 i = 0; i < 8; ++i) b.write<ASCIIPOS>(i, u32("PINSTRAP"[i]));
  CHECK(b.dev.display() == "PINSTRAP");
  b.write_at(0x418, 1, 'p');
  b.write<ASCIIPOS>(7, 0x07);
  CHECK(b.dev.display() == "pINSTRA ");
  b.write<ASCIIWORD>(0x1234abcd);
  CHECK(b.dev.display() == "1234ABCD");
  b.write<LEDBAR>(0x1a5);
  CHECK(b.read<LEDBAR>() == 0xa5);
}
TEST_CASE("malta_fpga: 42 in SOFTRES resets the board") {
  Fpga b;
  b.write<SOFTRES>(0x41);
  CHECK(b.resets == 0);
  b.write<SOFTRES>(0x42);
  CHECK(b.resets == 1);
}
TEST_CASE("malta_fpga: the memory module's EEPROM is read by the I2C registers") {
  Fpga b;
  const auto bit = [&](bool d) {
    for (u32 v : {0u, 2u, 0u}) {
      b.write<I2COUT>(v | d);
      if (v) d = b.read<I2CINP>() & 1;
    }
    return d;
  };
  const auto send = [&](u8 v) {
    for (int i = 7; i >= 0; --i) bit(v >> i & 1);
    return !bit(true);
  };
  const auto start = [&] {
    for (u32 v : {1, 3, 2, 0}) b.write<I2COUT>(v);
  };
  start();
  CHECK(send(0xa0));
  CHECK(send(0x02));
  start();
  CHECK(send(0xa1));
  u8 v = 0;
  for (int i = 0; i < 8; ++i) v = u8(v << 1 | bit(true));
  CHECK(v == 4);  // SDRAM
  CHECK(b.read<I2COE>() == 0);
}
