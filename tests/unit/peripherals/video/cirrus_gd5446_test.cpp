#include "peripherals/video/cirrus_gd5446.hpp"

#include "peripherals/pci/device.hpp"

#include "tests/unit/peripherals/video/cirrus_bench.hpp"

using namespace test;
using namespace peripherals;
using namespace peripherals::cirrus_gd5446;

TEST_CASE("cirrus: what Linux's cirrusfb asks for: key, memory size, chip number") {
  Cirrus c;
  CHECK(c.get(0x3c4, 0x06) == 0x0f);
  c.set(0x3c4, 0x06, 0x32);
  CHECK(c.get(0x3c4, 0x06) == 0x12);
  c.set(0x3c4, 0x06, 0x13);
  CHECK(c.get(0x3c4, 0x06) == 0x0f);
  CHECK(c.get(0x3c4, 0x0f) == 0x98);
  CHECK(c.get(0x3c4, 0x15) == 0x04);
  CHECK(c.get(0x3d4, 0x27) == 0xb8);
  c.set(0x3d4, 0x27, 0);
  CHECK(c.get(0x3d4, 0x27) == 0xb8);
  c.set(0x3c4, 0x17, 0xff);
  CHECK(c.get(0x3c4, 0x17) == 0xe7);
}

TEST_CASE("cirrus: a 16-bit write is index and data, an unknown port reads ones and is a stray") {
  Cirrus c;
  c.write_at(0x14, 2, 0x5a09);
  CHECK(c.get(0x3c4, 0x09) == 0x5a);
  CHECK(c.read_at(0x14, 2) == 0x5a09);
  CHECK(c.strays == 0);
  CHECK(c.read_at(0x00, 1) == 0xff);
  CHECK(c.strays == 1);
}

TEST_CASE("cirrus: the hidden DAC register is the access after four reads of the pixel mask") {
  Cirrus c;
  const auto four = [&] {
    for (int i = 0; i < 4; ++i) CHECK(c.in(0x3c6) == 0xff);
  };
  four();
  c.out(0x3c6, 0xc1);
  four();
  CHECK(c.in(0x3c6) == 0xc1);
  four();
  c.in(0x3c8);  // another DAC port starts the count anew
  CHECK(c.in(0x3c6) == 0xff);
  c.out(0x3c6, 0x0f);
  CHECK(c.in(0x3c6) == 0x0f);
}

TEST_CASE("cirrus: SR12 bit 1 opens the cursor's colours instead of the palette") {
  Cirrus c;
  const auto colour = [&](u8 n, u8 v) {
    c.out(0x3c8, n);
    for (int i = 0; i < 3; ++i) c.out(0x3c9, v);
  };
  colour(0x0f, 0x11);
  c.set(0x3c4, 0x12, 2);
  colour(0x0f, 0x22), colour(0x00, 0x33);
  c.set(0x3c4, 0x12, 1);
  const View v = c.dev.view();
  CHECK(v.palette[0x0f][0] == 0x11);
  CHECK(v.palette[256 + 15][1] == 0x22);
  CHECK(v.palette[256][2] == 0x33);
  CHECK(v.cursor.shown);
}

TEST_CASE("cirrus: the cursor position is 11 bits, the low three in the index") {
  Cirrus c;
  c.set(0x3c4, 0xb0, 0x12), c.set(0x3c4, 0x31, 0x34);
  CHECK(c.dev.view().cursor.x == (0x12 << 3 | 5));
  CHECK(c.dev.view().cursor.y == (0x34 << 3 | 1));
  c.set(0x3c4, 0x13, 0x3f), c.set(0x3c4, 0x12, 5);
  CHECK(c.dev.view().cursor.size == 64);
  CHECK(c.dev.view().cursor.pattern == 4 * MiB - 1024);
}

TEST_CASE("cirrus: memory-mapped ports are the ports, the blitter's registers are GR0 to GR39") {
  Cirrus c;
  c.bar(1, 0x04, 0x0a), c.bar(1, 0x05, 0x77);
  CHECK(c.get(0x3c4, 0x0a) == 0x77);
  for (u32 port = 0; port < 0x20; ++port) {
    if (port == 0x1a || !find_reg(reg_info<Regs>, 0x10 + port)) continue;
    CHECK(c.dev.pci_bar_read(1, port, 1) == c.in(u16(0x3c0 + port)));
  }
  constexpr struct {
    u32 at;
    u8 index;
  } table[] = {{0x00, 0x00}, {0x01, 0x10}, {0x02, 0x12}, {0x03, 0x14}, {0x04, 0x01}, {0x07, 0x15},
               {0x08, 0x20}, {0x0a, 0x22}, {0x0c, 0x24}, {0x0e, 0x26}, {0x10, 0x28}, {0x14, 0x2c},
               {0x17, 0x2f}, {0x18, 0x30}, {0x1a, 0x32}, {0x1b, 0x33}, {0x1c, 0x34}, {0x20, 0x38}};
  for (const auto [at, index] : table) {
    c.bar(1, 0x100 + at, 0x5a);
    CHECK(c.get(0x3ce, index) == 0x5a);
    c.set(0x3ce, index, 0x25);
    CHECK(c.dev.pci_bar_read(1, 0x100 + at, 1) == 0x25);
  }
}

TEST_CASE("cirrus: SR17 puts the blitter's registers at 0xB8000, or at the end of the linear memory") {
  Cirrus c;
  c.set(0x3ce, 0x32, 0x0d);
  CHECK(c.dev.pci_bar_read(Dev::legacy, 0x1'801a, 1) != 0x0d);
  c.set(0x3c4, 0x17, 0x04);
  CHECK(c.dev.pci_bar_read(Dev::legacy, 0x1'801a, 1) == 0x0d);
  c.set(0x3c4, 0x17, 0x44);
  CHECK(c.dev.pci_bar_read(0, 4 * MiB - 256 + 0x1a, 1) == 0x0d);
  c.bar(0, 4 * MiB - 256 + 0x1a, 0x59);
  CHECK(c.get(0x3ce, 0x32) == 0x59);
  CHECK(c.dev.memory[4 * MiB - 256 + 0x1a] == 0);
}

TEST_CASE("cirrus: linear memory in every width, again every 4 MiB") {
  Cirrus c;
  c.dev.pci_bar_write(0, 0x1000, 4, 0x0403'0201);
  CHECK(c.dev.memory[0x1002] == 3);
  CHECK(c.dev.pci_bar_read(0, 0x1001, 2) == 0x0302);
  CHECK(c.dev.pci_bar_read(0, 8 * MiB + 0x1000, 8) == 0x0403'0201);
  CHECK(c.dev.pci_bar_read(0, 32 * MiB - 1, 8) != 1);  // no further than the address does
}

TEST_CASE("cirrus: GR9 and GRA bank 0xA0000 in steps of 4 or 16 KiB, as one window or two") {
  Cirrus c;
  c.out(0x3c2, 0x67), c.set(0x3c4, 7, 1);
  c.set(0x3ce, 9, 0x10);
  c.bar(Dev::legacy, 0x8001, 1);
  CHECK(c.dev.memory[0x1'0000 + 0x8001] == 1);
  c.set(0x3ce, 0x0b, 0x01), c.set(0x3ce, 0x0a, 0x20);
  c.bar(Dev::legacy, 0x8001, 2);
  CHECK(c.dev.memory[0x2'0001] == 2);
  c.set(0x3ce, 0x0b, 0x21);
  c.bar(Dev::legacy, 0x8001, 3);
  CHECK(c.dev.memory[0x8'0001] == 3);
  CHECK(c.dev.pci_bar_read(Dev::legacy, 0x8001, 1) == 3);
}

TEST_CASE("cirrus: extended write modes make eight pixels of a byte") {
  Cirrus c;
  c.set(0x3ce, 0, 0xb0), c.set(0x3ce, 1, 0xf0), c.set(0x3ce, 0x10, 0xb1), c.set(0x3ce, 0x11, 0xf1);
  c.set(0x3ce, 0x0b, 0x06), c.set(0x3ce, 5, 5);
  c.bar(0, 2, 0xa0);
  CHECK(c.bytes(16, 8) == Bytes{0xf0, 0xb0, 0xf0, 0xb0, 0xb0, 0xb0, 0xb0, 0xb0});
  c.set(0x3ce, 5, 4), c.set(0x3ce, 1, 0x99);
  c.bar(0, 2, 0x41);
  CHECK(c.bytes(16, 8) == Bytes{0xf0, 0x99, 0xf0, 0xb0, 0xb0, 0xb0, 0xb0, 0x99});
  c.set(0x3ce, 0x0b, 0x14), c.set(0x3ce, 5, 5);
  c.bar(0, 2, 0x40);
  CHECK(c.bytes(32, 6) == Bytes{0xb0, 0xb1, 0x99, 0xf1, 0xb0, 0xb1});
}

TEST_CASE("cirrus: the view says what a display shows") {
  Cirrus c;
  c.out(0x3c2, 0xe3);
  c.set(0x3d4, 0x11, 0);
  c.set(0x3d4, 1, 0x4f), c.set(0x3d4, 7, 0x3e), c.set(0x3d4, 9, 0x40), c.set(0x3d4, 0x12, 0xdf);
  c.set(0x3d4, 0x13, 0x50), c.set(0x3d4, 0x1b, 0x22);
  c.set(0x3ce, 6, 5), c.set(0x3c4, 7, 0x01);
  CHECK(c.dev.view().geometry.width == 640);
  CHECK(c.dev.view().geometry.height == 480);
  CHECK(c.dev.view().format == Format::packed);
  CHECK(c.dev.view().depth == 8);
  CHECK(c.dev.view().pitch == 640);
  c.set(0x3d4, 0x1b, 0x1f), c.set(0x3d4, 0x1d, 0x80), c.set(0x3d4, 0x0d, 1);
  CHECK(c.dev.view().start == ((1u | 0xf'0000u) * 4 & (4 * MiB - 1)));
  CHECK(c.dev.view().pitch == 0x150 * 8);
  c.set(0x3c4, 7, 0x07);
  CHECK(c.dev.view().depth == 15);
  c.set(0x3c4, 7, 0x00);
  CHECK(c.dev.view().format == Format::planar);
  c.set(0x3ce, 6, 4);
  CHECK(c.dev.view().format == Format::text);
}

TEST_CASE("cirrus: a function of class 03, its memory where the base addresses say, legacy memory with COMMAND") {
  Cirrus c;
  pci::Soldered<Dev> f(c.dev);
  CHECK(f.config_read(0, 4) == 0x00b8'1013);
  CHECK(f.config_read(8, 4) == 0x0300'0000);
  f.config_write(0x10, 4, ~0u), f.config_write(0x14, 4, ~0u);
  CHECK(f.config_read(0x10, 4) == 0xfe00'0008);
  CHECK(f.config_read(0x14, 4) == 0xffff'f000);
  unsigned windows = 0;
  const auto count = [&](bool io, u64 first, u64 last) { windows += !io && first == 0xa'0000 && last == 0xb'ffff; };
  f.each_window(count);
  CHECK(windows == 0);
  f.config_write(4, 2, 2);
  f.each_window(count);
  CHECK(windows == 1);
}
