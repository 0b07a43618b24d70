#pragma once
#include "core/base.hpp"

#include <algorithm>

namespace peripherals::i8237 {
using namespace core;

// One DMA controller 8237A — Intel data sheet 231466.  Addresses and counts are in units of a transfer: bytes, or words
// on the second controller of a PC.
struct Channel {
  u16 base_address = 0, base_count = 0, address = 0, count = 0;
  u8 mode = 0;  // as the mode register has it, without the channel number

  enum Type : u8 { verify, to_memory, from_memory, illegal };
  Type type() const { return Type(mode >> 2 & 3); }
  bool autoinitialize() const { return mode & 0x10; }
  bool decrements() const { return mode & 0x20; }
  bool cascades() const { return mode >> 6 == 3; }
  u32 left() const { return count + 1u; }  // transfers to the terminal count
};

struct Controller {
  Channel channels[4];
  u8 command = 0, mask = 0x0f, request = 0, terminal = 0;  // a bit for each channel
  u8 dreq = 0;                                             // lines
  bool high_byte = false;                                  // the first/last flip-flop

  // Address registers are even, count registers odd.
  u8 read_channel(unsigned reg);
  void write_channel(unsigned reg, u8 v);
  u8 read_status();
  void write_mode(u8 v) { channels[v & 3].mode = v & 0xfc; }
  void write_single_mask(u8 v) { put(mask, v & 3, v & 4); }
  void write_request(u8 v) { put(request, v & 3, v & 4); }
  void master_clear();

  // True when a transfer on the channel would be acknowledged now.
  bool accepts(unsigned n) const;
  // Accounts for `units` transfers, at most left(); true when they reach the terminal count.
  bool advance(unsigned n, u32 units);

 private:
  static void put(u8& bits, unsigned n, bool on) { bits = u8(on ? bits | 1 << n : bits & ~(1 << n)); }
};
}  // namespace peripherals::i8237
