#include "peripherals/video/vga_core.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace core;
using namespace peripherals::vga;

namespace {
constexpr u64 ms = 1'000'000;

// A VGA with 256 KiB, its window at 0xA0000 with 64 KiB, all planes written.
struct Vga {
  State state;
  std::vector<u8> memory = std::vector<u8>(256 * KiB);
  Core core{state, memory};
  u64 now = 0;
  Vga() {
    out(port_misc, 0x67);
    set(port_sequencer, 2, 0x0f), set(port_sequencer, 4, 0x06);
    set(port_graphics, 6, 0x05), set(port_graphics, 8, 0xff);
  }
  void out(u16 port, u8 v) { core.write_port(port, v); }
  u8 in(u16 port) { return core.read_port(port, now, core.dot_clock_hz()); }
  void set(u16 port, u8 index, u8 v) { out(port, index), out(u16(port + 1), v); }
  u8 get(u16 port, u8 index) { return out(port, index), in(u16(port + 1)); }
  void graphics(u8 index, u8 v) { set(port_graphics, index, v); }
  void planes(u32 at, u8 a, u8 b, u8 c, u8 d) {
    memory[4 * at] = a, memory[4 * at + 1] = b, memory[4 * at + 2] = c, memory[4 * at + 3] = d;
  }
  std::vector<u8> planes(u32 at) { return {memory.begin() + 4 * at, memory.begin() + 4 * at + 4}; }
  // 640 × 480 at 60 Hz, as a mode table has it.
  void mode_12() {
    const u8 crtc[] = {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0, 0x40, 0, 0, 0, 0, 0, 0, 0xea, 0x0c, 0xdf};
    out(port_misc, 0xe3);
    set(port_sequencer, 1, 1);
    set(port_crtc, 0x11, 0);
    for (u8 n = 0; n < std::size(crtc); ++n) set(port_crtc, n, crtc[n]);
  }
};
using Bytes = std::vector<u8>;
}  // namespace

TEST_CASE("vga: registers keep the bits that exist (TR §2)") {
  Vga v;
  v.set(port_sequencer, 1, 0xff), v.graphics(4, 0xff), v.graphics(3, 0xff);
  CHECK(v.get(port_sequencer, 1) == 0x3d);
  CHECK(v.get(port_graphics, 4) == 3);
  CHECK(v.get(port_graphics, 3) == 0x1f);
  CHECK(v.in(port_misc_read) == 0x67);
  for (unsigned index : {5u, 32u, 64u, 255u}) {
    for (u16 port : {port_sequencer, port_graphics, port_crtc}) v.set(port, u8(index), 0xff);
    CHECK(v.get(port_sequencer, u8(index)) == 0);
  }
}

TEST_CASE("vga: the CRT controller answers at 0x3Bx or 0x3Dx, as MISC bit 0 says") {
  Vga v;
  v.set(port_crtc, 0x0e, 0x12);
  v.set(0x3b4, 0x0e, 0x34);
  CHECK(v.get(port_crtc, 0x0e) == 0x12);
  CHECK(v.in(0x3b5) == 0xff);
  v.out(port_misc, 0x66);
  CHECK(v.in(port_crtc_data) == 0xff);
  CHECK(v.get(0x3b4, 0x0e) == 0x12);
}

TEST_CASE("vga: CR11 bit 7 protects CR0 to CR7 but for the line compare bit") {
  Vga v;
  v.set(port_crtc, 0x00, 0x5f), v.set(port_crtc, 0x07, 0);
  v.set(port_crtc, 0x11, 0x80);
  v.set(port_crtc, 0x00, 0x11), v.set(port_crtc, 0x07, 0xff), v.set(port_crtc, 0x08, 0x22);
  CHECK(v.get(port_crtc, 0x00) == 0x5f);
  CHECK(v.get(port_crtc, 0x07) == 0x10);
  CHECK(v.get(port_crtc, 0x08) == 0x22);
}

TEST_CASE("vga: 0x3C0 takes index and data in turn, status 1 starts anew; the palette is closed while it shows") {
  Vga v;
  v.in(port_status);
  v.out(port_attribute, 0x03), v.out(port_attribute, 0x15);
  v.out(port_attribute, 0x07), v.in(port_status);
  v.out(port_attribute, 0x03);
  CHECK(v.in(port_attribute_read) == 0x15);
  v.in(port_status);
  v.out(port_attribute, 0x23), v.out(port_attribute, 0x2a);
  CHECK(v.in(port_attribute_read) == 0x15);
  v.out(port_attribute, 0x31), v.out(port_attribute, 0x2a);
  CHECK(v.in(port_attribute_read) == 0x2a);
}

TEST_CASE("vga: DAC colours go in and out in threes, 6 bits each, the index counts up and wraps") {
  Vga v;
  v.out(port_dac_write, 0xff);
  for (u8 c : {0xff, 0x02, 0x03, 0x04, 0x05, 0x06}) v.out(port_dac_data, c);
  CHECK(v.in(port_dac_read) == 0);
  v.out(port_dac_read, 0xff);
  CHECK(v.in(port_dac_read) == 3);
  Bytes got;
  for (int i = 0; i < 6; ++i) got.push_back(v.in(port_dac_data));
  CHECK(got == Bytes{0x3f, 2, 3, 4, 5, 6});
  v.out(port_dac_write, 0xff);  // an unfinished colour is not there yet
  v.out(port_dac_data, 9), v.out(port_dac_data, 9);
  v.out(port_dac_read, 0xff);
  CHECK(v.in(port_dac_data) == 0x3f);
}

TEST_CASE("vga: write mode 0 rotates, sets, combines with the latches and masks") {
  Vga v;
  v.planes(5, 0xf0, 0x0f, 0xaa, 0x55);
  v.core.read_memory(5);
  v.graphics(3, 4);
  v.core.write_memory(6, 0x12);
  CHECK(v.planes(6) == Bytes{0x21, 0x21, 0x21, 0x21});
  v.graphics(3, 0), v.graphics(0, 0x5), v.graphics(1, 0x3);
  v.core.write_memory(6, 0x12);
  CHECK(v.planes(6) == Bytes{0xff, 0x00, 0x12, 0x12});
  v.graphics(1, 0), v.graphics(3, 0x18);  // exclusive or
  v.core.write_memory(6, 0xff);
  CHECK(v.planes(6) == Bytes{0x0f, 0xf0, 0x55, 0xaa});
  v.graphics(3, 0), v.graphics(8, 0x0f);
  v.core.write_memory(6, 0x33);
  CHECK(v.planes(6) == Bytes{0xf3, 0x03, 0xa3, 0x53});
  v.set(port_sequencer, 2, 0x2);
  v.graphics(8, 0xff);
  v.core.write_memory(6, 0);
  CHECK(v.planes(6) == Bytes{0xf3, 0x00, 0xa3, 0x53});
}

TEST_CASE("vga: write mode 1 copies the latches, 2 spreads a colour, 3 masks with the rotated data") {
  Vga v;
  v.planes(1, 1, 2, 3, 4);
  v.core.read_memory(1);
  v.graphics(5, 1);
  v.core.write_memory(2, 0xee);
  CHECK(v.planes(2) == Bytes{1, 2, 3, 4});
  v.graphics(5, 2), v.graphics(8, 0xf0);
  v.core.write_memory(2, 0x9);
  CHECK(v.planes(2) == Bytes{0xf1, 0x02, 0x03, 0xf4});
  v.graphics(5, 3), v.graphics(8, 0x3c), v.graphics(0, 0x1);
  v.core.write_memory(2, 0xf0);
  CHECK(v.planes(2) == Bytes{0x31, 0x02, 0x03, 0x04});
}

TEST_CASE("vga: read mode 0 gives the plane of GR4, mode 1 where the cared-for planes have the colour") {
  Vga v;
  v.planes(9, 0xff, 0x0f, 0x33, 0x00);
  v.graphics(4, 2);
  CHECK(v.core.read_memory(9) == 0x33);
  v.graphics(5, 8), v.graphics(2, 0x3), v.graphics(7, 0x3);
  CHECK(v.core.read_memory(9) == 0x0f);
  v.graphics(7, 0x7);
  CHECK(v.core.read_memory(9) == 0x0c);
  v.graphics(7, 0);
  CHECK(v.core.read_memory(9) == 0xff);
}

TEST_CASE("vga: chain-4 memory is linear, odd/even memory alternates two planes") {
  Vga v;
  v.set(port_sequencer, 4, 0x0e);
  for (u32 i = 0; i < 8; ++i) v.core.write_memory(0x100 + i, u8(i + 1));
  CHECK(Bytes(v.memory.begin() + 0x100, v.memory.begin() + 0x108) == Bytes{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(v.core.read_memory(0x106) == 7);
  v.set(port_sequencer, 4, 0x02), v.set(port_sequencer, 2, 0x3), v.graphics(5, 0x10);
  v.core.write_memory(0x10, 0x41), v.core.write_memory(0x11, 0x07);
  CHECK(v.planes(8) == Bytes{0x41, 0x07, 0, 0});
  CHECK(v.core.read_memory(0x11) == 0x07);
}

TEST_CASE("vga: GR6 places the window, MISC bit 1 closes it") {
  Vga v;
  v.graphics(6, 0x0c);
  v.core.write_memory(0x1'8000, 0x77);
  CHECK(v.memory[0] == 0x77);
  CHECK(v.core.read_memory(0x1'8000) == 0x77);
  CHECK(v.core.read_memory(0) == 0xff);
  v.graphics(6, 0x08);
  v.core.write_memory(0x1'0001, 0x66);
  CHECK(v.memory[4] == 0x66);
  v.out(port_misc, 0x65);
  v.core.write_memory(0x1'0001, 0x11);
  CHECK(v.core.read_memory(0x1'0001) == 0xff);
  CHECK(v.memory[4] == 0x66);
}

TEST_CASE("vga: geometry comes from CR1, CR7, CR9 and CR12") {
  Vga v;
  v.mode_12();
  CHECK(v.core.geometry().width == 640);
  CHECK(v.core.geometry().height == 480);
  CHECK(v.core.geometry().repeat == 1);
  v.set(port_crtc, 9, 0xc0);
  CHECK(v.core.geometry().repeat == 2);
}

TEST_CASE("vga: vertical retrace comes once a frame, 60 times a second, for two lines") {
  Vga v;
  v.mode_12();
  unsigned retraces = 0, inside = 0;
  bool before = false;
  for (v.now = 0; v.now < 500 * ms; v.now += 10'000) {
    const u8 status = v.in(port_status);
    const bool retrace = status & 8;
    if (retrace) CHECK((status & 1) != 0);
    retraces += retrace && !before;
    inside += retrace;
    before = retrace;
  }
  CHECK(retraces == 30);
  CHECK(inside >= 30 * 6);
  CHECK(inside <= 30 * 7);
}

TEST_CASE("vga: any registers leave status, geometry and memory defined") {
  Vga v;
  u32 seed = 1;
  for (int i = 0; i < 200'000; ++i) {
    seed = seed * 1664525 + 1013904223;
    const u16 port = u16(0x3b0 + (seed >> 8) % 48);
    v.now += seed;
    if (seed & 0x8000'0000) v.out(port, u8(seed >> 16));
    else v.in(port);
    v.core.write_memory((seed >> 3) & 0x1'ffff, u8(seed));
    v.core.read_memory((seed >> 5) & 0x1'ffff);
    CHECK(v.core.geometry().width != 0);
  }
}
