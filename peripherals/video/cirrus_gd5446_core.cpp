#include "peripherals/video/cirrus_gd5446_core.hpp"

namespace peripherals::cirrus_gd5446 {
namespace {
// GR0 to GR3F: the bits that are kept.
constexpr u8 gr_bits[64] = {
    0xff, 0xff, 0x0f, 0x1f, 0x03, 0x7f, 0x0f, 0x0f, 0xff, 0xff, 0xff, 0xff, 0,    0,    0,    0,     // 00
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0,    0,    0,    0,    0,    0,    0,    0,    0,    0,     // 10
    0xff, 0x1f, 0xff, 0x1f, 0xff, 0x1f, 0xff, 0x1f, 0xff, 0xff, 0x3f, 0,    0xff, 0xff, 0x3f, 0xff,  // 20
    0xff, 0,    0xff, 0xff, 0xff, 0xff, 0,    0,    0xff, 0xff, 0,    0,    0,    0,    0,    0};    // 30

// The graphics register behind a byte of the blitter's memory-mapped registers (table of chapter 9); 0xff: none.
constexpr u8 blt_registers[0x24] = {0x00, 0x10, 0x12, 0x14, 0x01, 0x11, 0x13, 0x15, 0x20, 0x21, 0x22, 0x23,
                                    0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0xff, 0x2c, 0x2d, 0x2e, 0x2f,
                                    0x30, 0xff, 0x32, 0x33, 0x34, 0x35, 0xff, 0xff, 0x38, 0x39, 0xff, 0xff};
u8 blt_register(u32 at) { return at < std::size(blt_registers) ? blt_registers[at] : at == 0x40 ? 0x31 : 0xff; }
constexpr u32 blt_window = 256;
}  // namespace

// SRF and SR15 tell 4 MiB on a 64-bit bus, SR17 a PCI bus; SR1F is the memory clock's power-on setting.
void State::reset() {
  *this = {};
  vga.sr[0x06] = 0x0f;
  vga.sr[0x0f] = 0x98;
  vga.sr[0x15] = 0x04;
  vga.sr[0x17] = 0x20;
  vga.sr[0x1f] = 0x2d;
  vga.cr[0x27] = 0xb8;
}

u8 Core::read_port(u16 port, u64 now) {
  if (port >= vga::port_dac_read && port <= vga::port_dac_data) s.mask_reads = 0;
  switch (port) {
    case vga::port_sequencer_data: return read_sequencer();
    case vga::port_graphics_data: return read_graphics(s.vga.gr_index);
    case vga::port_dac_mask: return read_mask();
    case vga::port_crtc_data:
    case vga::port_crtc_data - 0x20:
      if (answers(port)) return read_crtc();
      break;
  }
  return vga_.read_port(port, now, dot_clock_hz());
}

void Core::write_port(u16 port, u8 v) {
  if (port >= vga::port_dac_read && port <= vga::port_dac_data) s.mask_reads = 0;
  switch (port) {
    case vga::port_sequencer_data: return write_sequencer(v);
    case vga::port_graphics_data: return write_graphics(s.vga.gr_index, v);
    case vga::port_dac_mask: return write_mask(v);
    case vga::port_crtc_data:
    case vga::port_crtc_data - 0x20:
      if (answers(port)) write_crtc(v);
      return;
  }
  vga_.write_port(port, v);
}

// Bits 7:5 of the index are the low bits of the cursor position (SR10, SR11).
u8 Core::read_sequencer() const {
  const u32 n = s.vga.sr_index;
  if ((n & 0x1e) == 0x10) return s.vga.sr[n & 0x1f];
  return n < s.vga.sr.size() ? s.vga.sr[n] : 0;
}
void Core::write_sequencer(u8 v) {
  const u32 n = s.vga.sr_index;
  if (n < 5) return vga_.write_port(vga::port_sequencer_data, v);
  if ((n & 0x1e) == 0x10) {
    s.vga.sr[n & 0x1f] = v;
    (n & 1 ? s.cursor_y : s.cursor_x) = u16(v << 3 | n >> 5);
    return;
  }
  if (n >= s.vga.sr.size() || n == 5) return;
  // The key is only kept: the extensions of this chip always answer, and Linux's cirrusfb reads SRF before it writes
  // SR6.
  if (n == 6) v = (v & 0x17) == 0x12 ? 0x12 : 0x0f;
  if (n == 0x17) v = u8((s.vga.sr[n] & 0x38) | (v & 0xc7));
  s.vga.sr[n] = v;
  if (n == 0x12) s.vga.dac_extra = v & 2;
}

u8 Core::read_graphics(u32 n) const { return n < s.vga.gr.size() ? s.vga.gr[n] : 0xff; }
void Core::write_graphics(u32 n, u8 v) {
  if (n == 0x31) return write_blt_control(v);
  if (n >= s.vga.gr.size()) return;
  s.vga.gr[n] = v & gr_bits[n];
  if (n == 0x2a && (s.vga.gr[0x31] & blt_autostart)) write_blt_control(s.vga.gr[0x31] | blt_start);
}

// Reset ends what is in hand; a rising start bit begins.  Both bits and busy fall when the BLT is done.
void Core::write_blt_control(u8 v) {
  u8& control = s.vga.gr[0x31];
  const bool begins = (v & blt_start) && !(control & blt_start) && !(v & blt_reset);
  control = u8((v & ~blt_busy) | (control & blt_busy));
  if (v & blt_reset) s.blt.waiting = false;
  if (begins) complaint = blitter_.start(s.vga.gr);
  if (s.blt.waiting) control |= blt_busy;
  else control &= u8(~(blt_busy | blt_start | blt_fifo_used));
}
void Core::take(u8 v) {
  blitter_.take(v);
  if (!s.blt.waiting) s.vga.gr[0x31] &= u8(~(blt_busy | blt_start | blt_fifo_used));
}

u8 Core::read_crtc() const {
  switch (const u32 n = s.vga.cr_index) {
    case 0x22: return s.vga.latch[s.vga.gr[4] & 3];
    case 0x24: return s.vga.ar_data ? 0x80 : 0;
    case 0x26: return s.vga.ar_index;
    default: return n < s.vga.cr.size() ? s.vga.cr[n] : 0;
  }
}
void Core::write_crtc(u8 v) {
  if (s.vga.cr_index >= 0x19 && s.vga.cr_index <= 0x1d) s.vga.cr[s.vga.cr_index] = v;
  else vga_.write_port(s.vga.misc & 1 ? vga::port_crtc_data : vga::port_crtc_data - 0x20, v);
}

u8 Core::read_mask() {
  if (s.mask_reads < 4) return ++s.mask_reads, s.vga.dac_mask;
  s.mask_reads = 0;
  return s.hidden_dac;
}
void Core::write_mask(u8 v) {
  (s.mask_reads == 4 ? s.hidden_dac : s.vga.dac_mask) = v;
  s.mask_reads = 0;
}

// VCLK = 14.31818 MHz · numerator (SRB to SRE) / denominator (SR1B to SR1E, bits 5:1), halved with its bit 0.  The
// power-on settings, that is 0 here, are the clocks of the VGA.
u64 Core::dot_clock_hz() const {
  const u32 n = s.vga.misc >> 2 & 3, numerator = s.vga.sr[0x0b + n] & 0x7f, d = s.vga.sr[0x1b + n];
  if (!numerator || !(d >> 1 & 0x1f)) return vga_.dot_clock_hz();
  return 14'318'180ull * numerator / (d >> 1 & 0x1f) >> (d & 1);
}

// GR9 and GRA move the window of 64 KiB, or its halves, in steps of 4 or 16 KiB (GRB).
u32 Core::banked(u32 at) const {
  const u8 modes = s.vga.gr[0x0b];
  const bool second = (modes & 1) && (at & 0x8000);
  return (second ? at & 0x7fff : at) + (u32(s.vga.gr[second ? 0x0a : 0x09]) << (modes & 0x20 ? 14 : 12));
}
// With the extended write modes an address names 8 pixels: 8 bytes (BY8), or 16 with 16-bit pixels.
u32 Core::widened(u32 at) const {
  const u8 modes = s.vga.gr[0x0b];
  return at << ((modes & 0x14) == 0x14 ? 4 : modes & 2 ? 3 : 0) & (memory_.size() - 1);
}
void Core::store(u32 at, u8 v) {
  const u8 mode = s.vga.gr[5] & 7;
  if ((s.vga.gr[0x0b] & 4) && (mode == 4 || mode == 5)) return expand(widened(at), v);
  memory_[widened(at)] = v;
}
// Write modes 4 and 5: eight pixels, ones in the foreground colour, zeros left alone or in the background colour.
void Core::expand(u32 at, u8 bits) {
  const bool wide = (s.vga.gr[0x0b] & 0x14) == 0x14, opaque = (s.vga.gr[5] & 7) == 5;
  const u32 depth = wide ? 2 : 1, mask = u32(memory_.size() - 1);
  for (u32 n = 0; n < 8; ++n) {
    const u32 one = bits << n & 0x80 ? 1 : 0;
    if (!one && !opaque) continue;
    memory_[(at + n * depth) & mask] = s.vga.gr[one];
    if (wide) memory_[(at + n * depth + 1) & mask] = s.vga.gr[0x10 + one];
  }
}

bool Core::is_blt(u32 at) const {
  return (s.vga.sr[0x17] & 0x44) == 0x44 && (at & (memory_.size() - 1)) >= memory_.size() - blt_window;
}
u8 Core::read_blt(u32 at) const {
  const u8 n = blt_register(at);
  return n == 0xff ? 0xff : read_graphics(n);
}
void Core::write_blt(u32 at, u8 v) {
  if (const u8 n = blt_register(at); n != 0xff) write_graphics(n, v);
}

u8 Core::read_legacy(u32 at) {
  if (at >= 0x1'8000 && at < 0x1'8000 + blt_window && (s.vga.sr[0x17] & 0x44) == 0x04) return read_blt(at - 0x1'8000);
  if (!extended()) return vga_.read_memory(at);
  return at < 0x1'0000 ? memory_[widened(banked(at))] : 0xff;
}
void Core::write_legacy(u32 at, u8 v) {
  if (at >= 0x1'8000 && at < 0x1'8000 + blt_window && (s.vga.sr[0x17] & 0x44) == 0x04)
    return write_blt(at - 0x1'8000, v);
  if (at < 0x1'0000 && s.blt.waiting) return take(v);
  if (!extended()) return vga_.write_memory(at, v);
  if (at < 0x1'0000) store(banked(at), v);
}

u8 Core::read_linear(u32 at) {
  if (at >= 16 * MiB) return 0xff;
  if (is_blt(at)) return read_blt(at & (blt_window - 1));
  return memory_[widened(at)];
}
void Core::write_linear(u32 at, u8 v) {
  if (is_blt(at) && at < 16 * MiB) return write_blt(at & (blt_window - 1), v);
  if (s.blt.waiting) return take(v);
  if (at < 16 * MiB) store(at, v);
}

u8 Core::read_mmio(u32 at, u64 now) {
  if (at < 0x20) return read_port(u16(0x3c0 + at), now);
  return at >= 0x100 && at < 0x100 + blt_window ? read_blt(at - 0x100) : 0xff;
}
void Core::write_mmio(u32 at, u8 v) {
  if (at < 0x20) return write_port(u16(0x3c0 + at), v);
  if (at >= 0x100 && at < 0x100 + blt_window) write_blt(at - 0x100, v);
}

View Core::view() const {
  const vga::State& v = s.vga;
  constexpr u8 depths[] = {8, 16, 24, 16, 32, 8, 8, 8};  // SR7 bits 3:1
  u8 depth = extended() ? depths[v.sr[7] >> 1 & 7] : 0;
  if (depth == 16 && !(s.hidden_dac & 1)) depth = 15;  // 5-5-5
  const Format format = depth ? Format::packed : vga_.text() ? Format::text : Format::planar;
  vga::Geometry geometry = vga_.geometry();
  if (v.cr[0x1a] & 1) geometry.height *= 2;  // interlaced
  const u32 high = (v.cr[0x1b] & 1) | (v.cr[0x1b] & 0x0c) >> 1 | (v.cr[0x1d] & 0x80) >> 4;
  const u32 size = v.sr[0x12] & 4 ? 64 : 32;
  const u32 block = v.sr[0x13] & (size == 64 ? 0x3c : 0x3f);
  return {.format = format,
          .depth = depth,
          .geometry = geometry,
          .start = (vga_.start() | high << 16) * 4 & u32(memory_.size() - 1),
          .pitch = (v.cr[0x13] | (v.cr[0x1b] & 0x10) << 4) * 8u,
          .blank = (v.sr[1] & 0x20) || !(v.ar_index & 0x20),
          .palette = v.dac,
          .pixel_mask = v.dac_mask,
          .cursor = {.shown = (v.sr[0x12] & 1) != 0,
                     .size = size,
                     .x = s.cursor_x,
                     .y = s.cursor_y,
                     .pattern = u32(memory_.size()) - 0x4000 + block * 256},
          .memory = memory_,
          .vga = v};
}
}  // namespace peripherals::cirrus_gd5446
