#pragma once
// A processor of either byte order, with a timer and a model.
#include "core/base.hpp"

namespace fake {
template <class Machine, class Facts>
struct FakeEither {
  static constexpr core::Ports ports{.window = 0, .inputs = 1, .timers = 1};
  using facts = Facts;
  Machine& m;
  unsigned expired = 0;
  void set_line(unsigned, bool) {}
  void expire(core::Timer<0>) { ++expired; }
};
}  // namespace fake
