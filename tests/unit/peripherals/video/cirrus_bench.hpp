#pragma once
#include "peripherals/video/cirrus_gd5446.hpp"

#include "tests/unit/bench.hpp"

namespace test {
using Bytes = std::vector<u8>;

struct Cirrus : Bench<peripherals::cirrus_gd5446::CirrusGd5446> {
  Cirrus() { out(0x3c2, 0x67); }
  void out(u16 port, u8 v) { write_at(port - 0x3b0u, 1, v); }
  u8 in(u16 port) { return u8(read_at(port - 0x3b0u, 1)); }
  void set(u16 port, u8 index, u8 v) { out(port, index), out(u16(port + 1), v); }
  u8 get(u16 port, u8 index) { return out(port, index), in(u16(port + 1)); }
  void bar(unsigned n, u64 at, u8 v) { dev.pci_bar_write(n, at, 1, v); }
  Bytes bytes(u32 at, u32 n) const { return {dev.memory.begin() + at, dev.memory.begin() + at + n}; }
  void graphics(u8 index, u32 value, unsigned size) {
    for (unsigned i = 0; i < size; ++i) set(0x3ce, u8(index + i), u8(value >> 8 * i));
  }
};
using Dev = Cirrus::Dev;
}  // namespace test
