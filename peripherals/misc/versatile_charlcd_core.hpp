#pragma once
#include "core/base.hpp"

#include <array>

namespace peripherals::versatile_charlcd {
using namespace core;

// Hitachi HD44780U character display controller — ADE-207-272(Z) rev. 0.0 — with its 16 by 2 panel.
// Instructions finish at once.  Not modelled: custom glyphs on the panel (CGRAM is stored).
class Hd44780 {
 public:
  static constexpr u32 lines = 2, columns = 16;

  // A bus cycle with RS 0 or 1; in 4-bit mode `v` counts in bits 7:4 and two cycles make a byte.
  void write(bool rs, u8 v);
  // The next read cycle with RS 0: busy flag (never set) and address.
  u8 read_address();
  // The next read cycle with RS 1: the addressed memory.
  u8 read_data();

  bool is_on() const { return display_; }
  // What stands on the panel; blanks while the display is off.
  std::array<char, columns> text(u32 line) const;

 private:
  void byte(bool rs, u8 v);
  void instruction(u8 v);
  void store(u8 v);
  u8 half(u8 whole);
  void step(bool up);

  std::array<char, 80> ddram_ = blank();
  std::array<u8, 64> cgram_{};
  u8 address_ = 0;   // in DDRAM as instructed: 0–0x27 and 0x40–0x67, or 0–0x4F; in CGRAM 0–0x3F
  u8 shift_ = 0;     // display shift, < 40
  u8 high_ = 0;      // first nibble of a pair
  bool eight_bits_ = true, two_lines_ = false, display_ = false;
  bool increment_ = true, shifts_ = false, in_cgram_ = false;
  bool write_half_ = false, read_half_ = false;

  static constexpr std::array<char, 80> blank() {
    std::array<char, 80> b{};
    for (char& c : b) c = ' ';
    return b;
  }
  u32 cell(u8 address) const;
};
}  // namespace peripherals::versatile_charlcd
