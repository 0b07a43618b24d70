#include "peripherals/video/vga_core.hpp"

#include <algorithm>
#include <bit>

namespace peripherals::vga {
namespace {
// The mono position of a port of the CRT controller group, made the colour one.
u16 in_colour(u16 port) { return port < 0x3c0 ? u16(port + 0x20) : port; }

// Bits that exist (TR §2): the others read 0.
constexpr u8 sr_bits[] = {0x03, 0x3d, 0x0f, 0x3f, 0x0e};
constexpr u8 gr_bits[] = {0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff};
}  // namespace

u8 Core::read_port(u16 port, u64 now, u64 dot_hz) {
  if (!answers(port)) return 0xff;
  switch (in_colour(port)) {
    case port_attribute: return s.ar_index;
    case port_attribute_read: return s.ar[s.ar_index & 31];
    case port_misc: return 0;  // input status 0: no monitor sense, no vertical interrupt
    case port_enable: return s.enable;
    case port_sequencer: return s.sr_index;
    case port_sequencer_data: return s.sr_index < std::size(sr_bits) ? s.sr[s.sr_index] : 0;
    case port_dac_mask: return s.dac_mask;
    case port_dac_read: return s.dac_reading ? 3 : 0;
    case port_dac_write: return s.dac_write;
    case port_dac_data: return read_dac();
    case port_feature_read: return s.feature;
    case port_misc_read: return s.misc;
    case port_graphics: return s.gr_index;
    case port_graphics_data: return s.gr_index < std::size(gr_bits) ? s.gr[s.gr_index] : 0;
    case port_crtc: return s.cr_index;
    case port_crtc_data: return s.cr_index <= 0x18 ? s.cr[s.cr_index] : 0;
    case port_status: s.ar_data = false; return status(now, dot_hz);
    default: return 0xff;
  }
}

void Core::write_port(u16 port, u8 v) {
  if (!answers(port)) return;
  switch (in_colour(port)) {
    case port_attribute: return write_attribute(v);
    case port_misc: s.misc = v; return;
    case port_enable: s.enable = v & 1; return;
    case port_sequencer: s.sr_index = v; return;
    case port_sequencer_data:
      if (s.sr_index < std::size(sr_bits)) s.sr[s.sr_index] = v & sr_bits[s.sr_index];
      return;
    case port_dac_mask: s.dac_mask = v; return;
    case port_dac_read: s.dac_read = v, s.dac_part = 0, s.dac_reading = true; return;
    case port_dac_write: s.dac_write = v, s.dac_part = 0, s.dac_reading = false; return;
    case port_dac_data: return write_dac(v);
    case port_graphics: s.gr_index = v; return;
    case port_graphics_data:
      if (s.gr_index < std::size(gr_bits)) s.gr[s.gr_index] = v & gr_bits[s.gr_index];
      return;
    case port_crtc: s.cr_index = v; return;
    case port_crtc_data: return write_crtc(v);
    case port_status: s.feature = v & 0x0b; return;
    default: return;
  }
}

u8 Core::read_dac() {
  const u8 v = colour(s.dac_read)[s.dac_part];
  if (++s.dac_part == 3) s.dac_part = 0, ++s.dac_read;
  return v;
}
// A colour changes when its third part has come (TR §2, video DAC).
void Core::write_dac(u8 v) {
  s.dac_pending[s.dac_part] = v & 0x3f;
  if (++s.dac_part == 3) s.dac_part = 0, colour(s.dac_write++) = s.dac_pending;
}

void Core::write_attribute(u8 v) {
  s.ar_data = !s.ar_data;
  if (s.ar_data) {
    s.ar_index = v & 0x3f;
    return;
  }
  const u32 n = s.ar_index & 31;
  if (n < 0x10) {
    if (!(s.ar_index & 0x20)) s.ar[n] = v & 0x3f;  // while the palette drives the screen it takes no writes
  } else if (n <= 0x14) {
    constexpr u8 bits[] = {0xef, 0xff, 0x3f, 0x0f, 0x0f};
    s.ar[n] = v & bits[n - 0x10];
  }
}

// CR11 bit 7 protects CR0 to CR7, but for the line compare bit in CR7.
void Core::write_crtc(u8 v) {
  const u32 n = s.cr_index;
  if (n > 0x18) return;
  if (n > 7 || !(s.cr[0x11] & 0x80)) s.cr[n] = v;
  else if (n == 7) s.cr[7] = u8((s.cr[7] & ~0x10) | (v & 0x10));
}

Geometry Core::geometry() const {
  const u32 overflow = s.cr[7], scan = s.cr[9];
  const u32 cell = (s.sr[1] & 1) || !text() ? 8 : 9;
  const u32 rows = (s.cr[0x12] | (overflow & 2) << 7 | (overflow & 0x40) << 3) + 1;
  const u32 double_scan = scan & 0x80 ? 2 : 1;
  const u32 lines = (scan & 0x1f) + 1;
  return {.width = (s.cr[1] + 1u) * cell,
          .height = s.cr[0x17] & 4 ? rows * 2 : rows,
          .repeat = text() ? double_scan : lines * double_scan,
          .cell_height = lines * double_scan};
}

// Bit 0: blanked, horizontally or vertically; bit 3: vertical retrace.
u8 Core::status(u64 now, u64 dot_hz) const {
  const u32 overflow = s.cr[7];
  const u32 cell = (s.sr[1] & 1 ? 8 : 9) * (s.sr[1] & 8 ? 2 : 1);
  const u64 line_dots = (s.cr[0] + 5u) * cell;
  const u32 lines = (s.cr[6] | (overflow & 1) << 8 | (overflow & 0x20) << 4) + 2;
  const u32 shown = (s.cr[0x12] | (overflow & 2) << 7 | (overflow & 0x40) << 3) + 1;
  const u32 retrace = s.cr[0x10] | (overflow & 4) << 6 | (overflow & 0x80) << 2;
  const u32 wide = (s.cr[0x11] - retrace) & 15;
  // Whole seconds apart, so that the product stays below 2^64; a frame is not a whole number of them, which nobody
  // sees.
  const u64 hz = std::max<u64>(dot_hz, 1);
  const u64 dot = now % 1'000'000'000 * (hz / 1000) / 1'000'000;
  const u64 line = dot / line_dots % lines;
  const bool in_line = dot % line_dots < (s.cr[1] + 1u) * cell;
  const bool retracing = (line + lines - retrace % lines) % lines < (wide ? wide : 16u);
  return u8((in_line && line < shown ? 0 : 1) | (retracing ? 8 : 0));
}

bool Core::in_window(u32& at) const {
  struct Window {
    u32 first, size;
  };
  constexpr Window windows[] = {{0, 0x20000}, {0, 0x10000}, {0x10000, 0x8000}, {0x18000, 0x8000}};
  const Window w = windows[s.gr[6] >> 2 & 3];
  if (at - w.first >= w.size) return false;
  at -= w.first;
  return true;
}

u8 Core::read_memory(u32 at) { return (s.misc & 2) && in_window(at) ? read_planes(at) : 0xff; }
void Core::write_memory(u32 at, u8 v) {
  if ((s.misc & 2) && in_window(at)) write_planes(at, v);
}

// Chain-4 takes the plane from address bits 1:0, odd/even from bit 0 (TR §2, memory mode and graphics mode).
u8 Core::read_planes(u32 at) {
  u32 plane = s.gr[4];
  if (s.sr[4] & 8) plane = at & 3, at >>= 2;
  else if (s.gr[5] & 0x10) plane = (plane & 2) | (at & 1), at >>= 1;
  for (u32 p = 0; p < 4; ++p) s.latch[p] = byte(at, p);
  if (!(s.gr[5] & 8)) return s.latch[plane];
  u8 differs = 0;  // read mode 1: ones where every cared-for plane has the compare colour
  for (u32 p = 0; p < 4; ++p)
    if (s.gr[7] >> p & 1) differs |= s.latch[p] ^ (s.gr[2] >> p & 1 ? 0xff : 0);
  return u8(~differs);
}

void Core::write_planes(u32 at, u8 v) {
  const u8 map = s.sr[2];
  if (s.sr[4] & 8) return write_planar(at >> 2, u8(map & 1u << (at & 3)), v);
  if (!(s.sr[4] & 4)) return write_planar(at >> 1, u8(map & (at & 1 ? 0xa : 0x5)), v);
  write_planar(at, map, v);
}

// The write modes (TR §2, graphics mode register).
void Core::write_planar(u32 at, u8 planes, u8 v) {
  const u8 mode = s.gr[5] & 3, rotated = std::rotr(v, s.gr[3] & 7);
  const u8 mask = mode == 3 ? u8(s.gr[8] & rotated) : s.gr[8];
  for (u32 p = 0; p < 4; ++p) {
    if (!(planes >> p & 1)) continue;
    const u8 old = s.latch[p], set = s.gr[0] >> p & 1 ? 0xff : 0;
    if (mode == 1) {
      byte(at, p) = old;
      continue;
    }
    u8 data = mode == 2 ? (v >> p & 1 ? 0xff : 0) : mode == 3 || (s.gr[1] >> p & 1) ? set : rotated;
    switch (s.gr[3] >> 3 & 3) {
      case 1: data &= old; break;
      case 2: data |= old; break;
      case 3: data ^= old; break;
    }
    byte(at, p) = u8((data & mask) | (old & ~mask));
  }
}
}  // namespace peripherals::vga
