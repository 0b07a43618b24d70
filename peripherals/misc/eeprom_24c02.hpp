#pragma once
#include "peripherals/misc/i2c_target.hpp"

#include <array>

namespace peripherals::eeprom_24c02 {
using namespace core;

// Serial EEPROM 24C02, 256 bytes at one of eight addresses — Microchip data sheet 21202 — by the lines of its bus or,
// for a controller that has done that part, byte by byte. A write is done at once.  Not modelled: the write protect
// pin.
struct Eeprom : i2c::Target<Eeprom> {
  static constexpr u8 base_address = 0x50;  // + A2…A0
  std::array<u8, 256> data{};
  u8 address = base_address;
  u8 pointer = 0;
  bool pointed = false;  // the word address of a write has arrived

  void started() { pointed = false; }
  bool addressed(u8 a) const { return a == address; }
  bool take(u8 c) {
    if (pointed) write_next(c);
    else pointer = c;
    pointed = true;
    return true;
  }
  u8 give() { return data[pointer++]; }
  // Writes go round in their page of 8 bytes (§6.2), reads through the whole array (§8.3).
  void write_next(u8 c) {
    data[pointer] = c;
    pointer = u8((pointer & 0xf8) | ((pointer + 1) & 7));
  }
};

// Serial presence detect of SDRAM modules for `ram` bytes — JEDEC 21-C §4.1.2.5 (SPD for SDRAM), revision 1.2.
// More than eight rows of 512 MiB are not told.
std::array<u8, 256> sdram_presence(u64 ram);
}  // namespace peripherals::eeprom_24c02
