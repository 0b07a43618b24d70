#include "peripherals/video/pl110.hpp"

#include "tests/unit/bench.hpp"

using namespace test;
using namespace peripherals::pl110;

namespace {
struct VersatileWires : TestWires {
  static constexpr u64 versatile = 1;
};
struct PlainWires : TestWires {
  static constexpr u64 versatile = 0;
};
using LcdBench = Bench<Pl110, VersatileWires>;
constexpr u32 control = 0x18, imsc = 0x1c;  // Versatile order
}  // namespace

TEST_CASE("pl110: Versatile has control at 0x18 and the mask at 0x1C, with the PL110 id (DUI 0224I §4.6)") {
  LcdBench b;
  b.write_at(control, 4, 0x1829);
  b.write_at(imsc, 4, 0x4);
  CHECK(b.read_at(0x18) == 0x1829);
  CHECK(b.read_at(0x1c) == 0x4);
  CHECK(b.dev.display_on());
  CHECK(b.read_at(0xfe0) == 0x10);
  CHECK(b.read_at(0xfe4) == 0x11);
}
TEST_CASE("pl110: the manual's order elsewhere (DDI 0161E table 3-1)") {
  Bench<Pl110, PlainWires> b;
  b.write_at(0x1c, 4, 0x801);
  CHECK(b.dev.display_on());
  b.write_at(0x18, 4, 0xffff'ffff);
  CHECK(b.read_at(0x18) == 0x1e);
}
TEST_CASE("pl110: the display is on with LcdEn and LcdPwr (§3.2.7)") {
  LcdBench b;
  b.write_at(control, 4, 0x1);
  CHECK_FALSE(b.dev.display_on());
  b.write_at(control, 4, 0x801);
  CHECK(b.dev.display_on());
}
TEST_CASE("pl110: the mode Linux sets on Versatile is 800 by 600, 16 bits") {
  LcdBench b;
  b.write<LCDTiming0>(0x7f1747c4);
  b.write<LCDTiming1>(0x16010657);
  b.write<LCDUPBASE>(0xb00003);
  b.write_at(control, 4, 0x1829);
  CHECK(b.dev.width() == 800);
  CHECK(b.dev.height() == 600);
  CHECK(b.dev.bits_per_pixel() == 16);
  CHECK(b.dev.format() == Format::bpp16);
  CHECK(b.dev.frame_base() == GuestPhys{0xb00000});
}
TEST_CASE("pl110: every sixtieth of a second the base update and vertical compare interrupts rise (§3.2.8)") {
  LcdBench b;
  b.write_at(imsc, 4, 0x4);
  b.write_at(control, 4, 0x801);
  b.run_for(16_ms);
  CHECK_FALSE(b.pin("irq"));
  b.run_for(1_ms);
  CHECK(b.pin("irq"));
  CHECK(b.read<LCDRIS>() == 0xc);
  CHECK(b.read<LCDMIS>() == 0x4);
  b.write<LCDICR>(0x4);
  CHECK_FALSE(b.pin("irq"));
  b.run_for(1_s);
  b.write<LCDICR>(0xc);
  CHECK(b.rises("irq") == 2);
}
TEST_CASE("pl110: no timer runs while LcdEn is 0") {
  LcdBench b;
  b.write_at(control, 4, 0x1);
  CHECK(b.timers.next() != never);
  b.write_at(control, 4, 0x0);
  CHECK(b.timers.next() == never);
  b.run_for(1_s);
  CHECK(b.read<LCDRIS>() == 0);
}
TEST_CASE("pl110: a new base counts from the next frame (§3.2.5)") {
  LcdBench b;
  b.write<LCDUPBASE>(0x100000);
  b.write_at(control, 4, 0x801);
  b.write<LCDUPBASE>(0x200000);
  CHECK(b.dev.frame_base() == GuestPhys{0x100000});
  b.run_for(17_ms);
  CHECK(b.dev.frame_base() == GuestPhys{0x200000});
}
TEST_CASE("pl110: LCDUPCURR moves through the frame (§3.2.12)") {
  LcdBench b;
  b.write<LCDTiming0>(0xc4);
  b.write<LCDTiming1>(599);
  b.write<LCDUPBASE>(0x100000);
  b.write_at(control, 4, 0x809);
  CHECK(b.read<LCDUPCURR>() == 0x100000);
  b.run_for(8_ms);
  const u32 middle = b.read<LCDUPCURR>();
  CHECK(middle > 0x100000);
  CHECK(middle < 0x100000 + b.dev.frame_bytes());
}
TEST_CASE("pl110: the palette holds two entries a word (§3.2.11)") {
  LcdBench b;
  b.write<LCDPalette>(127, 0x7fff1234);
  CHECK(b.read_at(0x3fc) == 0x7fff1234);
  CHECK(b.dev.colour(254) == 0x1234);
  CHECK(b.dev.colour(255) == 0x7fff);
}
TEST_CASE("pl110: LCDUPBASE ignores its two low bits (§3.2.5)") {
  LcdBench b;
  b.write<LCDUPBASE>(0xffff'ffff);
  CHECK(b.read<LCDUPBASE>() == 0xffff'fffc);
}
