#include "peripherals/misc/eeprom_24c02.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

namespace peripherals::eeprom_24c02 {

std::array<u8, 256> sdram_presence(u64 ram) {
  u64 megabytes = ram / MiB, largest = 0;
  u8 rows = 0, densities = 0;
  while (megabytes >= 4 && rows < 8) {
    const u64 row = std::min<u64>(std::bit_floor(megabytes), 512);
    densities |= u8(row / 4 > 1 ? row / 4 : 1);  // bit 0: 4 MiB, bit 7: 512 MiB
    largest = std::max(largest, row);
    megabytes -= row;
    ++rows;
  }
  // A row of four banks and 64 bits holds 32 bytes for each row and column address.
  const unsigned address_bits = largest ? unsigned(std::bit_width(largest * MiB / 32) - 1) : 20;
  const u8 row_bits = largest >= 128 ? 13 : 12;
  std::array<u8, 256> spd{};
  const u8 head[] = {
      128,       8,
      4,  // bytes written, log2 of the size, SDRAM
      row_bits,  u8(address_bits - row_bits),
      rows,  // row and column addresses, rows
      64,        0,
      1,  // data width, LVTTL
      0x75,      0x54,
      0,  // 7.5 ns cycle, 5.4 ns access, no parity
      0x82,      8,
      0,  // refresh 7.8 us, self refresh; devices 8 bits wide, no ECC
      1,         0x8f,
      4,         0x04,
      1,         1,  // back to back; bursts 1, 2, 4, 8, page; banks; CL 3; CS and WE latency 0
      0,         0x0e,
      0,         0,
      0,         0,  // unbuffered; precharge all, auto precharge, burst write
      20,        15,
      20,        45,
      densities,  // tRP, tRRD, tRCD, tRAS ns
      0x15,      0x08,
      0x15,      0x08,  // set-up and hold times
  };
  std::copy(std::begin(head), std::end(head), spd.begin());
  spd[62] = 0x12;
  spd[63] = std::accumulate(spd.begin(), spd.begin() + 63, u8(0), [](u8 a, u8 b) { return u8(a + b); });
  return spd;
}
}  // namespace peripherals::eeprom_24c02
