// IDENTIFY DEVICE and IDENTIFY PACKET DEVICE (§8.15, §8.16): 256 words in the buffer.

#include "peripherals/storage/ide_core.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace peripherals::ide {
namespace {
constexpr std::string_view firmware = "0.1";
// Multiword DMA 0 to 2 and Ultra DMA 0 to 5; bit 8 + n is the selected one.
constexpr u16 multiword = 0x0007, ultra = 0x003f;
u16 with_mode(u16 supported, u8 selected, u8 kind) {
  return u16(supported | ((selected & 0xf8) == kind ? 0x100 << (selected & 7) : 0));
}
}  // namespace

// Two characters to a word, the first in the high byte, padded with blanks.
void Channel::string(u32 word, u32 words, std::string_view text) {
  for (u32 i = 0; i < words * 2; ++i) s.buffer[word * 2 + (i ^ 1)] = i < text.size() ? u8(text[i]) : ' ';
}

void Channel::identify_disk() {
  DriveState& d = drive();
  const BlockPort& p = *port();
  const u64 sectors = p.size / 512, tracks = sectors / (16 * 63);
  const u32 now = u32(std::min<u64>(sectors / (d.heads * d.sectors), 65'535));
  const u32 chs = u32(std::min<u64>(u64(now) * d.heads * d.sectors, 0xffff'ffff));
  char serial[16];
  std::snprintf(serial, sizeof serial, "PS%05u", number * 2 + s.selected + 1);
  std::memset(s.buffer, 0, 512);
  put(0, 0x0040);  // fixed drive
  put(1, u16(std::clamp<u64>(tracks, 1, 16'383))), put(3, 16), put(6, 63);
  string(10, 10, p.serial.empty() ? serial : p.serial);
  put(20, 3), put(21, 512), put(22, 4);  // obsolete: buffer type and size, ECC bytes
  string(23, 4, firmware);
  string(27, 20, "PINSTRAP HARDDISK");
  put(47, 0x8010);  // up to 16 sectors per block
  put(48, 1);       // 32-bit data accesses
  put(49, 0x0f00);  // IORDY, LBA, DMA
  put(50, 0x4000);
  put(51, 0x0200), put(52, 0x0200);
  put(53, 7);  // words 54-58, 64-70 and 88 are valid
  put(54, u16(now)), put(55, d.heads), put(56, d.sectors), put(57, u16(chs)), put(58, u16(chs >> 16));
  put(59, u16(d.multiple ? 0x100 | d.multiple : 0));
  const u32 lba28 = u32(std::min<u64>(sectors, 0x0fff'ffff));
  put(60, u16(lba28)), put(61, u16(lba28 >> 16));
  put(63, with_mode(multiword, d.transfer_mode, 0x20));
  put(64, 3);                                              // PIO 3 and 4
  for (u32 word = 65; word <= 68; ++word) put(word, 120);  // ns
  put(80, 0x00f0), put(81, 0x0016);                        // ATA-4 to ATA-7
  put(82, 0x4021), put(83, 0x7400), put(84, 0x4040);       // NOP, write cache, SMART; FLUSH (EXT), LBA48; FUA
  put(85, u16(0x4000 | (d.write_cache ? 0x20 : 0) | (d.smart ? 1 : 0))), put(86, 0x3400), put(87, 0x4040);
  put(88, with_mode(ultra, d.transfer_mode, 0x40));
  put(93, u16(0x6001 | (s.selected ? 0x0200 : 0)));  // 80-conductor cable
  for (u32 i = 0; i < 4; ++i) put(100 + i, u16(sectors >> 16 * i));
  put(106, 0x6000);  // one logical sector per physical sector
}

void Channel::identify_disc() {
  DriveState& d = drive();
  const BlockPort& p = *port();
  char serial[16];
  std::snprintf(serial, sizeof serial, "PS%05u", number * 2 + s.selected + 1);
  std::memset(s.buffer, 0, 512);
  put(0, 0x85c0);  // packet device, CD-ROM, removable, DRQ within 50 us, 12-byte packets
  string(10, 10, p.serial.empty() ? serial : p.serial);
  put(20, 3), put(21, 512), put(22, 4);
  string(23, 4, firmware);
  string(27, 20, "PINSTRAP DVD-ROM");
  put(48, 1);
  put(49, 0x0f00);
  put(53, 6);
  put(63, with_mode(multiword, d.transfer_mode, 0x20));
  put(64, 3);
  for (u32 word = 65; word <= 68; ++word) put(word, 120);
  put(71, 30), put(72, 30);  // ns until the bus is free, until BSY falls
  put(80, 0x00f0), put(81, 0x0016);
  put(82, 0x4210), put(83, 0x4000), put(84, 0x4000);  // NOP, DEVICE RESET, PACKET
  put(85, 0x4210), put(86, 0), put(87, 0x4000);
  put(88, with_mode(ultra, d.transfer_mode, 0x40));
  put(93, u16(0x6001 | (s.selected ? 0x0200 : 0)));
}
}  // namespace peripherals::ide
