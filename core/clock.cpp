#include "core/clock.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string_view>
#include <utility>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace core {
namespace {
u64 monotonic_ns() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return u64(t.tv_sec) * 1'000'000'000 + u64(t.tv_nsec);
}

#if defined(__x86_64__)
// The host's monotonic clock, extrapolated by the processor's time stamp counter: a third of a call's cost, and guests read
// timers often.  Only where the kernel goes by that counter itself, which makes it one clock for all processors; each thread
// reads the real clock again after a tenth of a second, so that it follows what adjusts that, and gives up when they disagree.
struct CounterClock {
  static constexpr u64 refresh_ns = 100'000'000, calibrate_ns = 10'000'000, quick = 4000 /* ticks */;
  u64 ticks = 0, ns = 0;          // the counter at that time
  u64 limit = 0;                  // ticks from there on; 0: the real clock answers
  u64 rate = 0;                   // ns per tick, in 2^-32
  u64 last = 0;                   // never goes back
  bool asked = false, given_up = false;  // asked whether the kernel uses it

  static bool kernel_uses_it() {
    static const bool uses = [] {
      char name[8] = {};
      std::FILE* f = std::fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "re");
      if (!f) return false;
      const bool tsc = std::fgets(name, sizeof name, f) && std::string_view(name) == "tsc\n";
      std::fclose(f);
      return tsc;
    }();
    return uses;
  }
  u64 now() {
    const u64 passed = __rdtsc() - ticks;
    if (passed < limit) [[likely]] return last = std::max(last, ns + (passed * rate >> 32));
    return last = std::max(last, refresh());
  }
  [[gnu::noinline]] u64 refresh() {
    if (!std::exchange(asked, true)) given_up = !kernel_uses_it();
    const u64 before = __rdtsc(), real = monotonic_ns(), after = __rdtsc();
    if (given_up || after - before > quick) return real;  // interrupted between the two clocks
    const u64 at = before + (after - before) / 2, dt = at - ticks, dn = real - ns;
    if (ticks && dn < calibrate_ns) return real;
    if (ticks) {
      const u64 new_rate = u64((static_cast<unsigned __int128>(dn) << 32) / std::max<u64>(1, dt));
      const u64 difference = new_rate > rate ? new_rate - rate : rate - new_rate;
      given_up = rate && difference > rate / 500;
      rate = new_rate;
      limit = given_up ? 0 : u64(static_cast<unsigned __int128>(dt) * std::min(refresh_ns, dn) / dn);
    }
    ticks = at;
    ns = real;
    return real;
  }
};
constinit thread_local CounterClock counter_clock;
u64 host_ns() { return counter_clock.now(); }
#else
u64 host_ns() { return monotonic_ns(); }
#endif
}  // namespace

HostClock::HostClock() { offset_ = host_ns(); }

u64 HostClock::host_now() const noexcept { return host_ns(); }

u64 HostClock::now() const noexcept { return paused_at_ != never ? paused_at_ : host_ns() - offset_; }

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
