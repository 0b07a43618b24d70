#pragma once
// Ors its 32 inputs onto irq.
#include "core/reg.hpp"

namespace peripherals::fake_vic {
using namespace core;
struct Regs {
  Reg<struct LEVELS, 0x00, Rfn> levels;
};
template <class Wires>
struct FakeVic {
  static constexpr std::string_view kind = "fake_vic";
  static constexpr Ports ports{.inputs = 32, .outputs = {"irq", "fiq"}};
  Wires wires;
  Regs r{};
  struct Hidden {
    u32 levels = 0;
  } x{};
  u32 on_read(At<LEVELS>) { return x.levels; }
  void set_line(unsigned n, bool on) {
    x.levels = on ? x.levels | 1u << n : x.levels & ~(1u << n);
    wires.irq(x.levels != 0);
  }
};
}  // namespace peripherals::fake_vic
