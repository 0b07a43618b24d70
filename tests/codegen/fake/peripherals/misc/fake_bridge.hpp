#pragma once
// A bridge with one window that moves.
#include "core/reg.hpp"

namespace peripherals::fake_bridge {
using namespace core;
struct Regs {
  Reg<struct BASE, 0x00, R | Wfn> base;
};
template <class Wires>
struct FakeBridge {
  static constexpr std::string_view kind = "fake_bridge";
  static constexpr Ports ports{};
  Wires wires;
  Regs r{};
  void on_write(At<BASE>, u32 v) { r.base.v = v, wires.window_moved(); }
  u64 window_base(unsigned) const { return r.base.v ? r.base.v : ~u64(0); }
};
}  // namespace peripherals::fake_bridge
