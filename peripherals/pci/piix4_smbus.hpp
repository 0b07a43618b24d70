#pragma once
#include "peripherals/misc/eeprom_24c02.hpp"

namespace peripherals::piix4_pm {
using namespace core;

// The SMBus with EEPROMs at addresses 50 to 57, one transaction at a time — System Management Bus Specification 1.1
// §5.5; the codes are those of SMBHSTCNT (82371AB data sheet §7.3.3).
struct Smbus {
  enum Protocol : u8 { quick, byte, byte_data, word_data, block = 5 };
  std::array<eeprom_24c02::Eeprom, 8> eeproms{};
  u8 present = 0;  // bit n: one at 50 + n
  u8 data0 = 0, data1 = 0;
  std::array<u8, 32> block_data{};
  u8 block_at = 0;  // next byte of block_data

  // False when nobody acknowledges.
  bool transact(u8 protocol, u8 address_and_direction, u8 command);
  u8 next_block_byte() { return block_data[block_at++ % block_data.size()]; }
  void put_block_byte(u8 v) { block_data[block_at++ % block_data.size()] = v; }
};
}  // namespace peripherals::piix4_pm
