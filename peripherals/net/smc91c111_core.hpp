#pragma once
#include "core/base.hpp"

#include <array>

namespace peripherals::smc91c111 {
using namespace core;

// Packet memory, its manager and the PHY of the LAN91C111 — SMSC LAN91C111 data sheet rev. 1.91.
// Plain state: copyable, no pointers, no wires.

constexpr u32 pages = 4, page_size = 2048;
constexpr u8 no_packet = 0x80;  // FAILED of ARR, TEMPTY and REMPTY of the FIFO ports

// Packet numbers in order.  head < pages; count ≤ pages.
struct PacketFifo {
  std::array<u8, pages> number{};
  u8 head = 0, count = 0;
  bool empty() const { return count == 0; }
  u8 top() const { return empty() ? no_packet : number[head]; }
  bool push(u8 packet);
  u8 pop();  // no_packet when empty
};

// Packet memory and the memory management unit (§7.8, §8.16).
struct PacketMemory {
  std::array<std::array<u8, page_size>, pages> page{};
  u8 used = 0;             // bit n: page n is allocated
  bool waiting = false;    // an allocation failed and is served by the next release
  u8 allocated = no_packet;  // ARR
  PacketFifo tx, tx_done, rx;

  u32 free_pages() const;
  void reset();
  void allocate_tx();
  void release(u8 packet);
  // A page for a received frame; no_packet when none is free.
  u8 take();
  // The packet the data register reaches; out-of-range numbers reach nothing.
  u8* packet(u8 n) { return n < pages ? page[n].data() : nullptr; }
};

// A frame taken out of a transmit packet, 60 bytes at least when `pad` (§7.9 figure 7.2).
struct Frame {
  std::array<u8, page_size> data{};
  u32 size = 0;
  std::span<const u8> span() const { return {data.data(), size}; }
};
Frame frame_of(std::span<const u8, page_size> packet, bool pad);
// Lays a received frame out in a packet; with `keep_crc` the FCS follows the data.  `frame` must fit
// (largest_frame).
constexpr u32 largest_frame = page_size - 10;
void store_frame(std::span<u8, page_size> packet, std::span<const u8> frame, bool keep_crc);

// The address filter (§8.8 RCR, §8.25 multicast table).
struct Filter {
  std::array<u8, 6> station;
  std::array<u8, 8> hash;
  bool promiscuous, all_multicast;
  bool accepts(std::span<const u8> frame) const;
};

// The MII management port of the internal PHY at address 0, driven bit by bit (§7.7.13, IEEE 802.3
// clause 22).  A link that is up runs at 100 Mbit/s full duplex.
struct Phy {
  // Levels on the pins; MDO counts while `drive` (MDOE) is on.  Acts on rising MDC.
  void pins(bool mdc, bool drive, bool mdo);
  bool mdi() const;

  u16 read(u32 reg) const;
  void write(u32 reg, u16 v);
  // `tell`: a change sets the interrupt bits of register 18.
  void set_link(bool up, bool tell);
  bool interrupt() const { return (changed & ~mask) != 0; }

  u16 control = 0x3000, advertisement = 0x01e1, mask = 0xffc0;
  std::array<u16, 2> configuration{0x0022, 0xff00};
  u16 changed = 0;  // bits of register 18 that changed since it was read
  bool link = true;
  bool clock = false;
  u32 shift = ~0u;     // bits seen, newest lowest
  u8 bits = 0;         // bits of the management frame so far; 0 idle, ≤ 32
  bool reading = false, ours = false;
  u8 reg = 0;
  u16 data = 0;        // what a read answers
};
}  // namespace peripherals::smc91c111
