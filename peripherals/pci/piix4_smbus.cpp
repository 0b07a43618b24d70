#include "peripherals/pci/piix4_smbus.hpp"

#include <algorithm>

namespace peripherals::piix4_pm {

bool Smbus::transact(u8 protocol, u8 address_and_direction, u8 command) {
  const u8 address = address_and_direction >> 1, n = address & 7;
  const bool reads = address_and_direction & 1;
  if ((address & 0x78) != eeprom_24c02::Eeprom::base_address || !(present >> n & 1)) return false;
  eeprom_24c02::Eeprom& chip = eeproms[n];
  if (protocol != quick && !(protocol == byte && reads)) chip.pointer = command;
  switch (protocol) {
    case byte:
      if (reads) data0 = chip.give();
      break;
    case byte_data:
    case word_data:
      if (reads) data0 = chip.give();
      else chip.write_next(data0);
      if (protocol == byte_data) break;
      if (reads) data1 = chip.give();
      else chip.write_next(data1);
      break;
    case block: {
      if (reads) data0 = chip.give();
      else chip.write_next(data0);
      const std::size_t count = std::min<std::size_t>(data0, block_data.size());
      for (std::size_t i = 0; i < count; ++i) {
        if (reads) block_data[i] = chip.give();
        else chip.write_next(block_data[i]);
      }
      block_at = 0;
      break;
    }
    default: break;
  }
  return true;
}
}  // namespace peripherals::piix4_pm
