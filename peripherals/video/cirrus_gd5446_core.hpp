#pragma once
// Cirrus Logic CL-GD5446: what it adds to the VGA — CL-GD5446 Technical Reference Manual, 1996 (chapters 4 to 9).
//
// Not modelled: the byte-swapping apertures (every 4 MiB of the linear region are the same), the video window (CR31 to
// CR5D), the serial EEPROM (SR8 is storage), bank offsets in the planar modes.

#include "peripherals/video/cirrus_blitter.hpp"
#include "peripherals/video/vga_core.hpp"

namespace peripherals::cirrus_gd5446 {

inline constexpr u32 memory_size = 4 * MiB;

struct State {
  vga::State vga;
  Blt blt;
  u16 cursor_x = 0, cursor_y = 0;
  u8 hidden_dac = 0, mask_reads = 0;  // reads of the pixel mask in a row; after four comes the hidden register
  void reset();
};

// What a screen shows, for whoever draws it.
enum class Format : u8 { text, planar, packed };  // planar: the VGA's own graphics modes, interpreted by GR5, SR4, CR17
struct View {
  Format format;
  u8 depth;  // bits a pixel of a packed format: 8, 15, 16, 24, 32; 0 otherwise
  vga::Geometry geometry;
  u32 start, pitch;                            // bytes of video memory
  bool blank;                                  // SR1 bit 5, or the palette is not the screen's
  std::span<const std::array<u8, 3>> palette;  // 256 colours and 16 of the cursor, 6 bits a part
  u8 pixel_mask;
  struct Cursor {
    bool shown;
    u32 size, x, y, pattern;  // 32 or 64 dots; pattern: offset in the video memory
  } cursor;
  std::span<const u8> memory;
  const vga::State& vga;  // everything else
};

class Core {
 public:
  Core(State& state, std::span<u8> memory)
      : s(state), vga_(state.vga, memory), blitter_(state.blt, memory), memory_(memory) {}

  u8 read_port(u16 port, u64 now);
  void write_port(u16 port, u8 v);
  bool answers(u16 port) const { return vga_.answers(port); }

  // 0xA0000 to 0xBFFFF, `at` from there.
  u8 read_legacy(u32 at);
  void write_legacy(u32 at, u8 v);
  // Base address 0: the video memory and, from 16 MiB on, the data port of the blitter.
  u8 read_linear(u32 at);
  void write_linear(u32 at, u8 v);
  // Base address 1: ports 0x3C0 to 0x3DF at 0, the blitter at 0x100.
  u8 read_mmio(u32 at, u64 now);
  void write_mmio(u32 at, u8 v);

  View view() const;
  // What the guest did wrong in the last call, or null.
  const char* complaint = nullptr;

  State& s;

 private:
  u8 read_sequencer() const;
  void write_sequencer(u8 v);
  u8 read_graphics(u32 n) const;
  void write_graphics(u32 n, u8 v);
  void write_blt_control(u8 v);
  u8 read_crtc() const;
  void write_crtc(u8 v);
  u8 read_mask();
  void write_mask(u8 v);
  u64 dot_clock_hz() const;

  u8 read_blt(u32 at) const;
  void write_blt(u32 at, u8 v);
  bool is_blt(u32 at) const;  // the last 256 bytes of the linear region, when SR17 puts the blitter there
  bool extended() const { return s.vga.sr[7] & 1; }
  u32 banked(u32 at) const;
  u32 widened(u32 at) const;
  void store(u32 at, u8 v);
  void expand(u32 at, u8 bits);
  void take(u8 v);

  vga::Core vga_;
  Blitter blitter_;
  std::span<u8> memory_;
};
}  // namespace peripherals::cirrus_gd5446
