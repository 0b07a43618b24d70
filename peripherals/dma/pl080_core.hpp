#pragma once
#include "core/base.hpp"

namespace peripherals::pl080 {
using namespace core;

// What one DMA channel does with its registers — DDI 0196G §3.4.  No state of its own: the registers
// are the state, so that software sees addresses and size move (§3.4.12).
struct Memory {
  // False when the range is not (writable) memory: an AHB error response.
  virtual bool read(GuestPhys at, std::span<u8> to) = 0;
  virtual bool write(GuestPhys at, std::span<const u8> from) = 0;

 protected:
  ~Memory() = default;
};

struct Channel {
  u32& source;
  u32& destination;
  u32& next;     // DMACCxLLI
  u32& control;

  u32 size() const { return control & 0xfff; }  // remaining source elements
  bool interrupts_at_end() const { return control >> 31; }
  unsigned source_width() const { return 1u << (control >> 18 & 7); }
  unsigned destination_width() const { return 1u << (control >> 21 & 7); }
  // Source elements a burst request stands for: the smaller of both burst lengths in bytes (§3.4.15).
  u32 burst() const;

  // Moves up to `elements` source elements; `elements` is reduced by those moved.  False on a bus error.
  bool move(u32& elements, Memory& memory);
  // Loads the next list item (§3.4.14).  False on a bus error.
  bool follow(Memory& memory);

 private:
  bool move_packet(u32& elements, Memory& memory);
};
}  // namespace peripherals::pl080
