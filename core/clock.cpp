#include "core/clock.hpp"

#include <algorithm>
#include <ctime>


namespace core {
namespace {
u64 monotonic_ns() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return u64(t.tv_sec) * 1'000'000'000 + u64(t.tv_nsec);
}
}  // namespace

HostClock::HostClock() { offset_ = monotonic_ns(); }

u64 HostClock::host_now() const noexcept { return monotonic_ns(); }

u64 HostClock::now() const noexcept { return paused_at_ != never ? paused_at_ : host_now() - offset_; }

void HostClock::pause() {
  if (paused_at_ == never) paused_at_ = now();
}

void HostClock::resume() {
  if (paused_at_ == never) return;
  offset_ = host_now() - paused_at_;
  paused_at_ = never;
}

int TimerQueue::take_due(u64 now) {
  if (next_ > now) return -1;
  const auto it = std::min_element(deadline_.begin(), deadline_.end());
  *it = never;
  refresh();
  return int(it - deadline_.begin());
}

void TimerQueue::refresh() {
  next_ = deadline_.empty() ? never : *std::min_element(deadline_.begin(), deadline_.end());
}
}  // namespace core
