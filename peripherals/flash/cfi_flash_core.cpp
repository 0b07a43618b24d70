#include "peripherals/flash/cfi_flash_core.hpp"

#include <bit>

namespace peripherals::cfi_flash {
namespace {
constexpr u8 ready = 0x80, erase_error = 0x20, program_error = 0x10, sequence_error = erase_error | program_error;
}  // namespace

u16 Array::get(u64 word) const {
  const u64 at = first + word % words() * stride;
  return width == 1 ? bank[at] : load_le<u16>(&bank[at]);
}
void Array::put(u64 word, u16 v) const {
  const u64 at = first + word % words() * stride;
  if (width == 1) bank[at] = u8(v);
  else store_le(&bank[at], v);
}

u8 query_byte(const Geometry& g, u64 index) {
  const u64 blocks = g.size / g.sector - 1;
  switch (index) {
    case 0x10: return 'Q';
    case 0x11: return 'R';
    case 0x12: return 'Y';
    case 0x13: return 0x01;  // primary command set: Intel extended
    case 0x15: return 0x31;  // address of its table
    case 0x1b: return 0x45;  // Vcc 4.5 V …
    case 0x1c: return 0x55;  // … 5.5 V
    case 0x1f: return 0x07;  // typical times: word 2^7 µs,
    case 0x20: return 0x07;  // buffer 2^7 µs,
    case 0x21: return 0x0a;  // erase 2^10 ms
    case 0x23: case 0x24: case 0x25: return 0x04;  // longest: 2^4 times the typical
    case 0x27: return u8(std::bit_width(g.size) - 1);
    case 0x28: return 0x02;  // x8 and x16
    case 0x2a: return u8(std::bit_width(Part::buffer_words * g.width) - 1);
    case 0x2c: return 0x01;  // one erase region
    case 0x2d: return u8(blocks);
    case 0x2e: return u8(blocks >> 8);
    case 0x2f: return u8(g.sector >> 8);
    case 0x30: return u8(g.sector >> 16);
    case 0x31: return 'P';
    case 0x32: return 'R';
    case 0x33: return 'I';
    case 0x34: return '1';
    case 0x35: return '0';
    case 0x3f: return 0x01;  // one protection field
    default: return 0;
  }
}

u16 Part::read(const Geometry& g, const Array& a, u64 word) const {
  switch (state_) {
    case State::array: return a.get(word);
    case State::id: {
      const u64 in_block = word % (g.sector / g.width);
      return in_block == 0 ? g.id >> 8 : in_block == 1 ? g.id & 0xff : 0;  // 2: block is not locked
    }
    case State::query: return query_byte(g, word % (g.sector / g.width));
    default: return status_;
  }
}

void Part::write(const Geometry& g, const Array& a, u64 word, u16 v, bool writable) {
  const u8 c = u8(v);
  switch (state_) {
    case State::erase:
      state_ = State::status;
      return c == 0xd0 ? erase(g, a, word, writable) : fail(sequence_error);
    case State::program: return program(a, word, v, writable);
    case State::lock:
      state_ = State::status;
      if (c != 0xd0 && c != 0x01 && c != 0x2f && c != 0x03) fail(sequence_error);
      return;
    case State::count: return begin_buffer(v);
    case State::fill: return fill(word, v);
    case State::confirm:
      state_ = State::status;
      return c == 0xd0 ? program_buffer(a, writable) : fail(sequence_error);
    default: return command(c);
  }
}

void Part::command(u8 c) {
  switch (c) {
    case 0x00: case 0xf0: case 0xff: state_ = State::array; break;
    case 0x50:
      status_ = ready;
      state_ = State::array;
      break;
    case 0x10: case 0x40: state_ = State::program; break;
    case 0x20: case 0x28: state_ = State::erase; break;
    case 0x60: state_ = State::lock; break;
    case 0x70: case 0xb0: case 0xd0: state_ = State::status; break;
    case 0x90: state_ = State::id; break;
    case 0x98: state_ = State::query; break;
    case 0xe8: state_ = State::count; break;
    default: state_ = State::array; break;
  }
}

void Part::fail(u8 bits) { status_ |= bits; }

void Part::erase(const Geometry& g, const Array& a, u64 word, bool writable) {
  if (!writable) return fail(erase_error);
  const u64 words = g.sector / g.width, first = word % a.words() / words * words;
  for (u64 i = 0; i < words; ++i) a.put(first + i, 0xffff);
}

// Programming only clears bits.
void Part::program(const Array& a, u64 word, u16 v, bool writable) {
  state_ = State::status;
  if (!writable) return fail(program_error);
  a.put(word, a.get(word) & v);
}

// The count is one less than the data words that follow.
void Part::begin_buffer(u16 v) {
  if (v >= buffer_words) {
    state_ = State::status;
    return fail(sequence_error);
  }
  left_ = v + 1u;
  based_ = false;
  buffer_.fill(0xffff);
  state_ = State::fill;
}

// The first data word sets the start; the others lie behind it.
void Part::fill(u64 word, u16 v) {
  if (!based_) base_ = word;
  based_ = true;
  const u64 index = word - base_;
  if (index < buffer_words) buffer_[index] = v;
  else fail(sequence_error);
  if (--left_ == 0) state_ = State::confirm;
}

void Part::program_buffer(const Array& a, bool writable) {
  if (!writable) return fail(program_error);
  if (status_ & sequence_error) return;
  for (u32 i = 0; i < buffer_words; ++i)
    if (buffer_[i] != 0xffff) a.put(base_ + i, a.get(base_ + i) & buffer_[i]);
}
}  // namespace peripherals::cfi_flash
