#pragma once
// Virtual time and the timers that run on it.  Everything a guest can see of time comes from here;
// nobody reads host time behind its back.
//
// Thread: the vCPU thread only, except Clock::now() of HostClock.

#include "core/base.hpp"

#include <vector>

namespace core {
inline constexpr u64 never = ~u64(0);

// Virtual nanoseconds since the machine was made; never goes back.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual u64 now() const noexcept = 0;
  virtual void pause() = 0;   // the guest is stopped (monitor `stop`, gdb)
  virtual void resume() = 0;
};

// Follows the host's monotonic clock.
class HostClock final : public Clock {
 public:
  HostClock();
  u64 now() const noexcept override;
  void pause() override;
  void resume() override;

 private:
  u64 host_now() const noexcept;
  u64 offset_ = 0;         // host time at virtual 0, ns
  u64 paused_at_ = never;  // virtual time while paused
};

// Deadlines by id.  Few timers are armed at a time, so a flat array is searched.
class TimerQueue {
 public:
  // Makes room for timers 0…count-1.
  void resize(unsigned count) { deadline_.resize(count, never); }
  // Arms timer `id` for virtual time `at`; an armed timer moves.
  void arm(unsigned id, u64 at) {
    deadline_[id] = at;
    if (at < next_) next_ = at;
    else refresh();
  }
  void disarm(unsigned id) { arm(id, never); }
  bool armed(unsigned id) const { return deadline_[id] != never; }
  u64 deadline(unsigned id) const { return deadline_[id]; }
  // The earliest deadline, `never` when none is armed.
  u64 next() const { return next_; }
  // Disarms and returns one timer due at `now`, earliest first; -1 when none is.
  int take_due(u64 now);
  // For snapshots: the deadlines by id.
  std::span<u64> deadlines() { return deadline_; }
  void refresh();

 private:
  std::vector<u64> deadline_;
  u64 next_ = never;
};

// Nanoseconds of `ticks` periods of a clock of `hz`, rounded up; and the reverse, rounded down.
constexpr u64 ticks_to_ns(u64 ticks, u64 hz) {
  return u64((static_cast<unsigned __int128>(ticks) * 1'000'000'000 + hz - 1) / hz);
}
// (hz up to 18 GHz; in two parts because it is hot and a 128-bit division is not.)
constexpr u64 ns_to_ticks(u64 ns, u64 hz) { return ns / 1'000'000'000 * hz + ns % 1'000'000'000 * hz / 1'000'000'000; }
}  // namespace core
