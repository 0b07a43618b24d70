#pragma once
// The VGA: sequencer, CRT controller, graphics controller, attribute controller, DAC and the way to the four planes —
// IBM VGA/XGA Technical Reference Manual, 1992 ("TR" below, with its section).  A graphics card keeps a State and the
// video memory, makes a Core over both for an access, and serves its own extensions before it asks here.
//
// Byte a of plane p is video memory byte 4·a + p, so that chain-4 memory is linear.  Thread: vCPU.

#include "core/base.hpp"

#include <array>

namespace peripherals::vga {
using namespace core;

// Ports, in the colour position; the CRT controller, status 1 and feature control are at 0x3Bx instead of 0x3Dx while
// MISC bit 0 is 0.
enum Port : u16 {
  port_attribute = 0x3c0,
  port_attribute_read = 0x3c1,
  port_misc = 0x3c2,
  port_enable = 0x3c3,
  port_sequencer = 0x3c4,
  port_sequencer_data = 0x3c5,
  port_dac_mask = 0x3c6,
  port_dac_read = 0x3c7,
  port_dac_write = 0x3c8,
  port_dac_data = 0x3c9,
  port_feature_read = 0x3ca,
  port_misc_read = 0x3cc,
  port_graphics = 0x3ce,
  port_graphics_data = 0x3cf,
  port_crtc = 0x3d4,
  port_crtc_data = 0x3d5,
  port_status = 0x3da,
};

// What a reset leaves; extensions of the cards lie in the upper parts of the arrays.  Every index is kept below the
// size of its array.
struct State {
  u8 misc = 0, enable = 0, feature = 0;
  u8 sr_index = 0, gr_index = 0, cr_index = 0;
  u8 ar_index = 0;       // with bit 5, palette address source
  bool ar_data = false;  // the flip-flop: the next write of 0x3C0 is data
  std::array<u8, 32> sr{}, ar{};
  std::array<u8, 64> gr{}, cr{};
  std::array<u8, 4> latch{};
  u8 dac_mask = 0xff, dac_read = 0, dac_write = 0, dac_part = 0;
  bool dac_reading = false;
  std::array<u8, 3> dac_pending{};
  bool dac_extra = false;                         // accesses go to the colours a card has beyond the 256
  std::array<std::array<u8, 3>, 256 + 16> dac{};  // red, green, blue, 6 bits each
};

// One screen as the CRT controller describes it.
struct Geometry {
  u32 width, height;  // dots, scan lines
  u32 repeat;         // scan lines a row of pixels (graphics) or a line of a character cell (text) takes
  u32 cell_height;    // scan lines of a text row
};

class Core {
 public:
  Core(State& state, std::span<u8> memory) : s(state), memory_(memory) {}  // memory: a power of two

  // `now` in ns places the beam, `dot_hz` is how fast it runs.
  u8 read_port(u16 port, u64 now, u64 dot_hz);
  void write_port(u16 port, u8 v);
  // True when the CRT controller, status 1 or feature control answer at `port` now, or it is another port.
  bool answers(u16 port) const { return (port >= 0x3c0 && port < 0x3d0) || (port >= 0x3d0) == ((s.misc & 1) != 0); }

  // Legacy memory: `at` is the offset from 0xA0000, below 128 KiB.
  u8 read_memory(u32 at);
  void write_memory(u32 at, u8 v);
  // The offset in the window that Miscellaneous (GR6) opens; false when `at` is outside of it.
  bool in_window(u32& at) const;
  // The same past the window, `at` an offset in the memory as the processor sees it.
  u8 read_planes(u32 at);
  void write_planes(u32 at, u8 v);

  Geometry geometry() const;
  bool text() const { return !(s.gr[6] & 1); }
  u32 start() const { return u32(s.cr[0x0c]) << 8 | s.cr[0x0d]; }
  u64 dot_clock_hz() const { return (s.misc >> 2 & 3) == 1 ? 28'322'000 : 25'175'000; }
  u8 status(u64 now, u64 dot_hz) const;  // Input Status 1, without touching the flip-flop

  State& s;

 private:
  u8 read_dac();
  void write_dac(u8 v);
  void write_attribute(u8 v);
  void write_crtc(u8 v);
  std::array<u8, 3>& colour(u8 n) { return s.dac[s.dac_extra ? 256u + (n & 15) : n]; }
  void write_planar(u32 at, u8 planes, u8 v);
  u8& byte(u32 at, u32 plane) { return memory_[(at * 4 + plane) & (memory_.size() - 1)]; }
  std::span<u8> memory_;
};
}  // namespace peripherals::vga
