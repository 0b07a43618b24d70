#include "peripherals/video/cirrus_blitter.hpp"

#include <algorithm>

namespace peripherals::cirrus_gd5446 {
namespace {
constexpr u8 rops[] = {0x00, 0x05, 0x06, 0x09, 0x0b, 0x0d, 0x0e, 0x50, 0x59, 0x6d, 0x90, 0x95, 0xad, 0xd0, 0xd6, 0xda};

u8 mix(u8 rop, u8 s, u8 d) {  // GR32
  switch (rop) {
    case 0x00: return 0;
    case 0x05: return s & d;
    case 0x09: return s & u8(~d);
    case 0x0b: return u8(~d);
    case 0x0d: return s;
    case 0x0e: return 0xff;
    case 0x50: return u8(~s) & d;
    case 0x59: return s ^ d;
    case 0x6d: return s | d;
    case 0x90: return u8(~(s & d));
    case 0x95: return u8(~(s ^ d));
    case 0xad: return s | u8(~d);
    case 0xd0: return u8(~s);
    case 0xd6: return u8(~s) | d;
    case 0xda: return u8(~(s | d));
    default: return d;
  }
}
}  // namespace

const char* Blitter::start(std::span<const u8, 64> gr) {
  const auto word = [&](u32 n, u32 bits) { return (gr[n] | gr[n + 1] << 8 | gr[n + 2] << 16) & ((1u << bits) - 1); };
  b.width = word(0x20, 13) + 1;
  b.height = word(0x22, 13) + 1;
  b.target_pitch = word(0x24, 13);
  b.source_pitch = word(0x26, 13);
  b.target = word(0x28, 22);
  b.source = word(0x2c, 22);
  b.mode = gr[0x30];
  b.rop = gr[0x32];
  b.extension = gr[0x33];
  b.depth = u8((b.mode >> 4 & 3) + 1);
  b.skip = b.depth == 3 ? (gr[0x2f] & 31u) / 3 : gr[0x2f] & 7u;
  b.fg = {gr[0x01], gr[0x11], gr[0x13], gr[0x15]};
  b.bg = {gr[0x00], gr[0x10], gr[0x12], gr[0x14]};
  b.key = u16(gr[0x34] | gr[0x35] << 8);
  b.key_mask = u16(gr[0x38] | gr[0x39] << 8);
  b.waiting = false;
  b.row = b.filled = 0;
  if (b.mode & blt_to_system) return "BLT to system memory";
  if (std::ranges::find(rops, b.rop) == std::end(rops)) return "BLT with an unknown raster operation";
  if (!(b.mode & blt_from_system)) return draw(), nullptr;
  b.needed = b.mode & blt_pattern ? 8 * pattern_pitch() : row_bytes();
  b.waiting = true;
  return nullptr;
}

// Mono rows end at a byte, or at four with GR33 bit 0; colour from the processor comes in doublewords.
u32 Blitter::row_bytes() const {
  if (!(b.mode & blt_expand)) return (b.width + 3) & ~3u;
  const u32 bytes = (b.width / b.depth + 7) / 8;
  return std::max(b.extension & blt_dword_rows ? (bytes + 3) & ~3u : bytes, 1u);
}

void Blitter::take(u8 v) {
  b.data[b.filled++] = v;
  if (b.filled < b.needed) return;
  b.filled = 0;
  const Row whole{b.data.data(), 0};
  if (b.mode & blt_pattern) {
    for (u32 y = 0; y < b.height; ++y) pattern_row(y, whole);
    b.waiting = false;
    return;
  }
  draw_row(b.row, whole);
  b.waiting = ++b.row < b.height;
}

void Blitter::draw() {
  const u32 step = b.mode & blt_expand ? row_bytes() : b.mode & blt_backwards ? 0 - b.source_pitch : b.source_pitch;
  for (u32 y = 0; y < b.height; ++y) {
    if (b.mode & blt_pattern) pattern_row(y, {nullptr, b.source & ~7u});
    else draw_row(y, {nullptr, b.source + y * step});
  }
}

void Blitter::draw_row(u32 y, Row from) { b.mode& blt_expand ? expand_row(y, from) : copy_row(y, from); }

// Backwards, both addresses are those of the last byte and count down; never for data of the processor.
void Blitter::copy_row(u32 y, Row from) {
  const bool back = (b.mode & blt_backwards) && !from.data, keyed = (b.mode & blt_transparent) && b.depth <= 2;
  const u32 way = back ? ~0u : 1u, target = b.target + way * (y * b.target_pitch);
  if (!keyed) {
    for (u32 n = 0; n < b.width; ++n) put(target + way * n, fetch(from, way * n));
    return;
  }
  for (u32 n = 0; n + b.depth <= b.width; n += b.depth) {
    const u32 low = back ? 0u - n - (b.depth - 1u) : n;
    const u8 pixel[] = {fetch(from, low), b.depth == 2 ? fetch(from, low + 1) : u8(0)};
    put_pixel(target + low, pixel);
  }
}

// An 8 × 8 pattern; the low three bits of the source address are its first row.
void Blitter::pattern_row(u32 y, Row from) {
  const u32 line = (b.source + y) & 7, pitch = pattern_pitch();
  from = {from.data ? from.data + line * pitch : nullptr, from.at + line * pitch};
  if (b.mode & blt_expand) return expand_row(y, from);
  for (u32 n = b.skip; (n + 1) * b.depth <= b.width; ++n) {
    u8 pixel[4];
    for (u32 i = 0; i < b.depth; ++i) pixel[i] = fetch(from, (n & 7) * b.depth + i);
    put_pixel(b.target + y * b.target_pitch + n * b.depth, pixel);
  }
}

// Ones become the foreground colour, zeros the background or, transparent, nothing.  Inverted transparency draws the
// zeros, in the background colour.
void Blitter::expand_row(u32 y, Row from) {
  const bool pattern = b.mode & blt_pattern, transparent = b.mode & blt_transparent;
  const bool solid = pattern && (b.extension & blt_solid), invert = transparent && (b.extension & blt_invert);
  const u32 target = b.target + y * b.target_pitch;
  for (u32 n = b.skip; (n + 1) * b.depth <= b.width; ++n) {
    const bool one = solid || (fetch(from, pattern ? 0 : n / 8) << (n & 7) & 0x80);
    if (transparent && one == invert) continue;
    const std::array<u8, 4>& colour = one ? b.fg : b.bg;
    for (u32 i = 0; i < b.depth; ++i) put(target + n * b.depth + i, colour[i]);
  }
}

void Blitter::put(u32 at, u8 source) {
  u8& d = memory_[at & mask()];
  d = mix(b.rop, source, d);
}

// Transparency compares what would be written with the key (GR34, GR35), in 8 and 16 bits.
void Blitter::put_pixel(u32 at, const u8* source) {
  u8 out[4] = {};
  for (u32 i = 0; i < b.depth; ++i) out[i] = mix(b.rop, source[i], memory_[(at + i) & mask()]);
  if ((b.mode & blt_transparent) && b.depth <= 2) {
    const u32 value = out[0] | (b.depth == 2 ? out[1] << 8 : 0), care = b.depth == 2 ? 0xffffu : 0xffu;
    if (!((value ^ b.key) & ~b.key_mask & care)) return;
  }
  for (u32 i = 0; i < b.depth; ++i) memory_[(at + i) & mask()] = out[i];
}
}  // namespace peripherals::cirrus_gd5446
