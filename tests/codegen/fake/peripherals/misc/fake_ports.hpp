#pragma once
// Two windows, and another device it looks into.
#include "core/reg.hpp"

namespace peripherals::fake_ports {
using namespace core;
struct Regs {
  Reg8<struct DATA, 0x000, R | W> data;
  Reg8<struct STATUS, 0x100, Rfn> status;
};
template <class Wires>
struct FakePorts {
  static constexpr std::string_view kind = "fake_ports";
  static constexpr Ports ports{.window = 1, .narrow = Narrow::lanes, .more_windows = {2}};
  Wires wires;
  Regs r{};
  u8 on_read(At<STATUS>) { return u8(wires.vic().x.levels); }
};
}  // namespace peripherals::fake_ports
