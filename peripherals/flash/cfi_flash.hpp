#pragma once
#include "core/reg.hpp"
#include "peripherals/flash/cfi_flash_core.hpp"

#include <algorithm>
#include <bit>

namespace peripherals::cfi_flash {

// A bank of NOR flash with the Intel command set (CFI 0001), made of identical parts side by side: a
// 32-bit bank is two x16 parts that see every command at once and answer each in its own half.
// Pins: none.  Board options: width (bytes of the bank's bus: 1, 2, 4 or 8), sector (bytes of an erase
// block of the whole bank), id (manufacturer << 8 | device), size (bytes of the window).
// While every part reads its array the memory is mapped directly; otherwise reads come here.
// Not modelled: operation times, block locking (accepted, no effect), suspend, VPP.
struct Regs {};  // the bank is memory: there is no register at a fixed address

template <class Wires>
struct CfiFlash {
  static constexpr std::string_view kind = "cfi_flash";
  static constexpr Ports ports{.window = u32(Wires::size), .widths = 1 | 2 | 4 | 8};
  static constexpr u32 width = u32(Wires::width), part_width = width < 2 ? 1 : 2, parts = width / part_width;
  static_assert(width && width <= 8 && std::has_single_bit(width), "cfi_flash: 'set: width' is 1, 2, 4 or 8");
  static_assert(std::has_single_bit(u64(Wires::size)), "cfi_flash: 'set: size' is a power of two");
  static_assert(Wires::sector % (256 * parts) == 0 && Wires::sector && Wires::size % Wires::sector == 0,
                "cfi_flash: 'set: sector' divides the size and is a multiple of 256 bytes for each part");
  static constexpr Geometry geometry{Wires::size / parts, u32(Wires::sector / parts), u16(Wires::id), u8(part_width)};
  Wires wires;
  Regs r;
  struct Hidden {
    std::array<Part, parts> part;
    bool direct = true;  // what backing_mapped() was last told
  } x;
  bool read_only = false;  // the image behind it cannot be written; set by who attaches it

  bool claims(u32) const { return true; }
  u64 read_window(u32 off, unsigned size) {
    if (!inside(off, size)) return wires.stray(off), 0;
    u64 v = 0;
    for (u32 n = 0; n < size; ++n) v |= u64(byte(off + n)) << 8 * n;
    return v;
  }
  void write_window(u32 off, unsigned size, u64 v) {
    if (!inside(off, size)) return wires.stray(off);
    for (u32 n = 0; n < size;) n += write_part(off + n, size - n, v >> 8 * n);
    update();
  }
  void on_reset() {
    x.direct = true;
    wires.backing_mapped(true);
  }

 private:
  bool inside(u32 off, unsigned size) const {
    const u64 end = wires.backing().size() / width * width;
    return off <= end && size <= end - off;
  }
  static constexpr u32 part_of(u32 off) { return off % width / part_width; }
  Array array(u32 part) const { return {wires.backing(), part * part_width, width, u8(part_width)}; }

  u8 byte(u32 off) const {
    const u32 p = part_of(off);
    return u8(x.part[p].read(geometry, array(p), off / width) >> off % part_width * 8);
  }
  // Gives one part its share of a write and returns the share's bytes.  A lone byte on a 16-bit part
  // leaves the other byte lane high.
  u32 write_part(u32 off, u32 left, u64 v) {
    const u32 p = part_of(off), share = std::min(part_width - off % part_width, left);
    u16 word = u16(v);
    if (share < part_width) word = off % 2 ? u16(v << 8 | 0xff) : u16((v & 0xff) | 0xff00);
    x.part[p].write(geometry, array(p), off / width, word, !read_only);
    return share;
  }
  void update() {
    const bool direct = std::all_of(x.part.begin(), x.part.end(), [](const Part& p) { return p.reads_array(); });
    if (direct != x.direct) wires.backing_mapped(direct);
    x.direct = direct;
  }
};
}  // namespace peripherals::cfi_flash
