#include "peripherals/misc/versatile_charlcd_core.hpp"

namespace peripherals::versatile_charlcd {

// DDRAM index of an address: two lines of 40 at 0 and 0x40, or one of 80 (figures 2 and 4).
u32 Hd44780::cell(u8 address) const {
  if (!two_lines_) return address % 80u;
  return (address & 0x40 ? 40u : 0u) + (address & 0x3f) % 40u;
}

std::array<char, Hd44780::columns> Hd44780::text(u32 line) const {
  std::array<char, columns> out;
  for (u32 i = 0; i < columns; ++i) {
    const u32 width = two_lines_ ? 40 : 80;
    const u32 at = (i + shift_) % width;
    const bool shown = display_ && line < lines && (line == 0 || two_lines_);
    out[i] = shown ? ddram_[line * 40 + at] : ' ';
  }
  return out;
}

void Hd44780::write(bool rs, u8 v) {
  read_half_ = false;
  if (eight_bits_) return byte(rs, v);
  write_half_ = !write_half_;
  if (write_half_) high_ = v & 0xf0;
  else byte(rs, u8(high_ | v >> 4));
}

void Hd44780::byte(bool rs, u8 v) {
  if (rs) store(v);
  else instruction(v);
}

// Table 6; the highest set bit names the instruction.
void Hd44780::instruction(u8 v) {
  if (v & 0x80) {  // set DDRAM address
    address_ = v & 0x7f;
    in_cgram_ = false;
  } else if (v & 0x40) {  // set CGRAM address
    address_ = v & 0x3f;
    in_cgram_ = true;
  } else if (v & 0x20) {  // function set
    eight_bits_ = v & 0x10;
    two_lines_ = v & 0x08;
    write_half_ = false;
  } else if (v & 0x10) {  // cursor or display shift
    const bool right = v & 0x04;
    if (v & 0x08) shift_ = u8((shift_ + (right ? 39 : 1)) % 40);
    else step(right);
  } else if (v & 0x08) {  // display on/off
    display_ = v & 0x04;
  } else if (v & 0x04) {  // entry mode
    increment_ = v & 0x02;
    shifts_ = v & 0x01;
  } else if (v) {  // return home, clear display
    if (!(v & 0x02)) {
      ddram_ = blank();
      increment_ = true;
    }
    address_ = shift_ = 0;
    in_cgram_ = false;
  }
}

void Hd44780::store(u8 v) {
  if (in_cgram_) cgram_[address_ & 0x3f] = v;
  else ddram_[cell(address_)] = char(v);
  step(increment_);
  if (shifts_ && !in_cgram_) shift_ = u8((shift_ + (increment_ ? 1 : 39)) % 40);
}

// Moves the address counter; lines wrap into each other.
void Hd44780::step(bool up) {
  if (in_cgram_) {
    address_ = (address_ + (up ? 1 : 0x3f)) & 0x3f;
    return;
  }
  const u32 next = (cell(address_) + (up ? 1 : 79)) % 80;
  address_ = u8(two_lines_ && next >= 40 ? 0x40 + next - 40 : next);
}

u8 Hd44780::half(u8 whole) {
  if (eight_bits_) return whole;
  read_half_ = !read_half_;
  return u8(read_half_ ? whole & 0xf0 : whole << 4);
}

u8 Hd44780::read_address() {
  write_half_ = false;
  return half(address_);  // busy flag 0
}

u8 Hd44780::read_data() {
  write_half_ = false;
  const u8 v = in_cgram_ ? cgram_[address_ & 0x3f] : u8(ddram_[cell(address_)]);
  const u8 out = half(v);
  if (!read_half_) step(increment_);
  return out;
}
}  // namespace peripherals::versatile_charlcd
