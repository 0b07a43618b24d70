#pragma once
// A processor that only remembers its interrupt lines.
#include "core/base.hpp"

namespace fake {
template <class Machine>
struct Fake9 {
  static constexpr core::Ports ports{.window = 0, .inputs = 2};
  Machine& m;
  core::u32 lines = 0;
  void set_line(unsigned n, bool on) { lines = on ? lines | 1u << n : lines & ~(1u << n); }
};
}  // namespace fake
