#pragma once
#include "core/base.hpp"

#include <array>

namespace peripherals::pcnet {
using namespace core;

// Structures in memory and the address filter of the Am79C970A — AMD Am79C970A data sheet (19436), 1996.
// Plain data: no wires.

// Bits of a descriptor's status word, as it stands in the upper half of RMD1 and TMD1 (tables 31, 33).
enum : u16 {
  st_own = 0x8000,
  st_err = 0x4000,
  st_stp = 0x0200,
  st_enp = 0x0100,
  rx_fram = 0x2000,
  rx_oflo = 0x1000,
  rx_crc = 0x0800,
  rx_buff = 0x0400,
  rx_pam = 0x0040,
  rx_lafm = 0x0020,
  rx_bam = 0x0010,
  tx_add_fcs = 0x2000,
  tx_ltint = 0x1000,
  tx_one = 0x0800,
  tx_def = 0x0400,
};
// Error bits of TMD2, where software style 0 has them in the upper bits of its fourth word.
enum : u32 { te_buff = 1u << 31, te_uflo = 1u << 30, te_lcol = 1u << 28, te_lcar = 1u << 27, te_rtry = 1u << 26 };

// BCR20's software style: 0 has 16-bit structures of the LANCE, 2 and 3 have 32-bit ones and differ in the order of
// a descriptor's words.
struct Style {
  u8 number = 0;
  u8 upper_address = 0;  // bits 31:24 of all addresses of 16-bit structures: IADR's
  bool wide() const { return number != 0; }
  u32 descriptor_size() const { return wide() ? 16 : 8; }
  u32 init_size() const { return wide() ? 28 : 24; }
  u32 address(u32 low) const { return wide() ? low : (low & 0xff'ffff) | u32(upper_address) << 24; }
};

struct Descriptor {
  u32 buffer = 0;
  u16 status = 0;
  u16 count = 0;  // BCNT: two's complement in the low twelve bits, ones above
  u32 extra = 0;  // to be written, receive: MCNT; transmit: te bits
  bool owned() const { return status & st_own; }
  u32 length() const { return 4096 - (count & 0xfff); }
  bool well_formed() const { return count >> 12 == 15; }
};
using DescriptorBytes = std::array<u8, 16>;
Descriptor read_descriptor(const DescriptorBytes& bytes, Style style);
// Puts status and extra back; the rest of `bytes` stays.
void write_descriptor(DescriptorBytes& bytes, Style style, const Descriptor& d, bool transmit);

// The initialization block (§ "Initialization Block").
struct InitBlock {
  u16 mode = 0;
  u32 receive_length = 1, transmit_length = 1;  // descriptors
  std::array<u8, 6> station{};
  std::array<u16, 4> filter{};
  u32 receive_ring = 0, transmit_ring = 0;
};
InitBlock read_init_block(std::span<const u8, 28> bytes, Style style);

// What the address filter says of a frame: st bits PAM, LAFM or BAM, or nothing; PROM takes what has none.
struct Filter {
  std::array<u8, 6> station{};
  std::array<u16, 4> hash{};
  bool physical = true, broadcast = true;
  u16 match(std::span<const u8> frame) const;
};

// The address PROM: station address, a checksum over it and the letters WW (§ "Address PROM Space").
std::array<u8, 16> address_prom(const std::array<u8, 6>& station);

// Reverses the bytes of each word: what BSWP does to the data of buffers.
void swap_words(std::span<u8> bytes);
}  // namespace peripherals::pcnet
