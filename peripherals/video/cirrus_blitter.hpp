#pragma once
// The BitBLT engine of the CL-GD5446 — CL-GD5446 Technical Reference Manual, chapter 9, registers GR20 to GR39.
// A BLT runs whole when it is started, but for one that takes its source from the processor: that one waits for data
// and draws each row (or the pattern) as soon as it is complete.  Addresses wrap at the end of the video memory.
// Not modelled: screen-to-system BLTs, which this chip lost; transparency at 24 and 32 bits, which it never had.

#include "core/base.hpp"

#include <array>

namespace peripherals::cirrus_gd5446 {
using namespace core;

enum : u8 {
  blt_backwards = 0x01,
  blt_to_system = 0x02,
  blt_from_system = 0x04,
  blt_transparent = 0x08,
  blt_pattern = 0x40,
  blt_expand = 0x80
};                                                                                                              // GR30
enum : u8 { blt_dword_rows = 0x01, blt_invert = 0x02, blt_solid = 0x04 };                                       // GR33
enum : u8 { blt_busy = 0x01, blt_start = 0x02, blt_reset = 0x04, blt_fifo_used = 0x10, blt_autostart = 0x80 };  // GR31

// What the registers said at the start.
struct Blt {
  u32 width = 0, height = 0;  // bytes, rows
  u32 target = 0, source = 0, target_pitch = 0, source_pitch = 0;
  u8 mode = 0, rop = 0, extension = 0;
  u8 depth = 1;  // bytes a pixel
  u32 skip = 0;  // pixels left out at the left of each row
  std::array<u8, 4> fg{}, bg{};
  u16 key = 0, key_mask = 0;  // transparent colour; ones do not take part
  // Of one that waits for data.  waiting ⇒ filled < needed ≤ data.size(), row < height
  bool waiting = false;
  u32 row = 0, filled = 0, needed = 0;
  std::array<u8, 8192> data{};
};

class Blitter {
 public:
  Blitter(Blt& blt, std::span<u8> memory) : b(blt), memory_(memory) {}  // memory: a power of two

  // Reads the registers and begins; nullptr, or what the guest did wrong (nothing was drawn then).
  const char* start(std::span<const u8, 64> gr);
  // One byte from the processor, while b.waiting.
  void take(u8 v);

  Blt& b;

 private:
  struct Row {       // where the source bytes of one row are
    const u8* data;  // null: in video memory at `at`
    u32 at;
  };
  void draw();
  void draw_row(u32 y, Row from);
  void copy_row(u32 y, Row from);
  void pattern_row(u32 y, Row from);
  void expand_row(u32 y, Row from);
  void put(u32 at, u8 source);
  void put_pixel(u32 at, const u8* source);
  u8 fetch(Row from, u32 n) const { return from.data ? from.data[n] : memory_[(from.at + n) & mask()]; }
  u32 mask() const { return u32(memory_.size() - 1); }
  u32 row_bytes() const;  // of the source
  u32 pattern_pitch() const { return b.mode & blt_expand ? 1 : b.depth == 3 ? 32 : 8u * b.depth; }
  std::span<u8> memory_;
};
}  // namespace peripherals::cirrus_gd5446
