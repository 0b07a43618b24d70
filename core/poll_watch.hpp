#pragma once
// Notices a guest that asks devices the same question over and over, so that the run loop may look whether that is all it
// does, and sleep until the answer can change.
//
// Thread: the vCPU thread.

#include "core/base.hpp"

#include <algorithm>

namespace core {
class PollWatch {
 public:
  // An access to the bus begins.
  void accessed() { ++accesses_; }
  u64 accesses() const { return accesses_; }
  // The device says of the access under way: it changed nothing, and has the same answer until virtual time `at` if
  // nothing but time passes.  True when so many came in a row that a look is worth its cost.
  bool repeats_until(u64 at) {
    const bool again = last_ == accesses_;  // another word on the same access
    if (!again && last_ + 1 != accesses_) row_ = 0;
    until_ = row_ ? std::min(until_, at) : at;
    if (again) return false;
    last_ = accesses_;
    if (++row_ < enough_) return false;
    row_ = 0;
    return true;
  }
  // The earliest `at` of the row.
  u64 until() const { return until_; }

  // A look: what is accessed from here…
  void begin_round() {
    until_ = ~u64(0);
    row_ = 1;
    round_at_ = last_ = accesses_;
  }
  // … to here will repeat until the time returned; 0 when it might not.
  u64 end_round() const { return row_ > 1 && row_ - 1 == accesses_ - round_at_ ? until_ : 0; }
  // The look was in vain: the next ones come later and later, so that they cost next to nothing.
  void look_later() { enough_ = std::min(enough_ * 4, most_); }
  void look_soon() { enough_ = least_; }

 private:
  static constexpr u32 least_ = 256, most_ = 1 << 20;
  u64 accesses_ = 0;
  u64 last_ = 0;  // number of the last access that repeats
  u64 until_ = 0, round_at_ = 0;
  u32 row_ = 0;  // how many in a row, the last of them last_; of a round, and one more
  u32 enough_ = least_;
};
}  // namespace core
