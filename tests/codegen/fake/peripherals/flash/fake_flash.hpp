#pragma once
// Memory that any write turns into a status word, until 0xff is written.
#include "core/reg.hpp"

namespace peripherals::fake_flash {
using namespace core;
struct Regs {
  Reg<struct MODE, 0x00, R> mode;
};
template <class Wires>
struct FakeFlash {
  static constexpr std::string_view kind = "fake_flash";
  static constexpr Ports ports{.window = 0x10000};
  Wires wires;
  Regs r{};
  bool claims(u32) const { return true; }
  u64 read_window(u32 off, unsigned) { return wires.backing()[off] | 0x80; }
  void write_window(u32 off, unsigned, u64 v) {
    if (v == 0xff) return wires.backing_mapped(true);
    wires.backing()[off] = u8(v);
    wires.backing_mapped(false);
  }
};
}  // namespace peripherals::fake_flash
