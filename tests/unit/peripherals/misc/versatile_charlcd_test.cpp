#include "peripherals/misc/versatile_charlcd.hpp"

#include "tests/unit/bench.hpp"

using namespace test;
using namespace peripherals::versatile_charlcd;

namespace {
struct LcdBench : Bench<VersatileCharlcd> {
  std::string line(u32 n) const {
    const auto t = dev.text(n);
    return {t.begin(), t.end()};
  }
  void command4(u8 c) {
    write<CHAR_COM>(c & 0xf0);
    write<CHAR_COM>(u8(c << 4));
  }
  void type4(std::string_view s) {
    for (char c : s) {
      write<CHAR_DAT>(u8(c) & 0xf0);
      write<CHAR_DAT>(u8(c << 4));
    }
  }
  // ADE-207-272 figure 24: three times 8-bit, then 4-bit, two lines, display on, entry mode, clear.
  void initialise4() {
    for (u8 c : {0x30, 0x30, 0x30, 0x20}) write<CHAR_COM>(c);
    for (u8 c : {0x28, 0x0c, 0x06, 0x01}) command4(c);
  }
};
}  // namespace

TEST_CASE("char lcd: text appears on both lines in 4-bit mode (ADE-207-272 figure 24)") {
  LcdBench b;
  b.initialise4();
  b.type4("Hello");
  b.command4(0xc0);
  b.type4("world");
  CHECK(b.line(0) == "Hello           ");
  CHECK(b.line(1) == "world           ");
}
TEST_CASE("char lcd: 8-bit mode is the reset state") {
  LcdBench b;
  for (u8 c : {0x38, 0x0c, 0x06}) b.write<CHAR_COM>(c);
  for (char c : std::string("AB")) b.write<CHAR_DAT>(u8(c));
  CHECK(b.line(0) == "AB              ");
}
TEST_CASE("char lcd: the panel is blank while the display is off") {
  LcdBench b;
  b.initialise4();
  b.type4("x");
  b.command4(0x08);
  CHECK(b.line(0) == std::string(16, ' '));
}
TEST_CASE("char lcd: the display shifts without changing memory (table 6)") {
  LcdBench b;
  b.initialise4();
  b.type4("ABC");
  b.command4(0x18);
  CHECK(b.line(0) == "BC              ");
  b.command4(0x1c);
  CHECK(b.line(0) == "ABC             ");
}
TEST_CASE("char lcd: reads return address and memory, the busy flag is 0") {
  LcdBench b;
  for (u8 c : {0x38, 0x0c, 0x06}) b.write<CHAR_COM>(c);
  b.write<CHAR_DAT>('Q');
  b.read<CHAR_COM>();
  CHECK(b.read<CHAR_RD>() == 1);
  b.write<CHAR_COM>(0x80);
  b.read<CHAR_DAT>();
  CHECK(b.read<CHAR_RD>() == 'Q');
}
TEST_CASE("char lcd: a finished access raises the interrupt when the mask lets it (DUI 0224I §4.7)") {
  LcdBench b;
  b.write<CHAR_MASK>(1);
  CHECK_FALSE(b.pin("irq"));
  b.write<CHAR_COM>(0x30);
  CHECK(b.pin("irq"));
  CHECK(b.read<CHAR_STAT>() == 1);
  b.write<CHAR_RAW>(0);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("char lcd: any bytes leave it defined") {
  LcdBench b;
  u32 seed = 9;
  for (int i = 0; i < 50000; ++i) {
    seed = seed * 1664525 + 1013904223;
    const u32 off = seed >> 30 & 1 ? 4 : 0;
    if (seed >> 31) b.write_at(off, 4, seed >> 16);
    else b.read_at(off);
    if (i % 100 == 0) b.dev.text(seed >> 20 & 3);
  }
  b.reset();
  b.initialise4();
  b.type4("ok");
  CHECK(b.line(0) == "ok              ");
}
