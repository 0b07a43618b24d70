#include "peripherals/rtc/mc146818_core.hpp"

#include "core/clock.hpp"
#include "peripherals/rtc/calendar.hpp"

#include <algorithm>

namespace peripherals::mc146818 {
namespace {
constexpr s64 second_ns = 1'000'000'000, day_seconds = 86400;
constexpr u64 update_ns = 244'000 + 1'984'000;  // UIP to the end of the cycle, at 32768 Hz ("Update Cycle", table 6)
s64 floor_div(s64 n, s64 d) { return n / d - (n % d < 0); }
}  // namespace

// Numbers are BCD or, with DM, binary.  Software may write anything; what is no time is held in range.
u8 Rtc::coded(s64 n) const { return b & DM ? u8(n) : u8(n / 10 << 4 | n % 10); }
u32 Rtc::decoded(u8 v, u32 least, u32 most) const {
  return std::clamp(b & DM ? u32(v) : (v >> 4) * 10u + (v & 15), least, most);
}

// Table 5; r = 1 and 2 are the rates of r = 8 and 9.
u32 Rtc::periodic_hz() const {
  const u32 r = a & 15;
  return r == 0 ? 0 : 32768u >> ((r < 3 ? r + 7 : r) - 1);
}
s64 Rtc::pulses(u64 now) const { return floor_div(s64(now) - chain_start, second_ns); }
u64 Rtc::periods(u64 now) const {
  const s64 run = s64(now) - chain_start;
  return run > 0 ? ns_to_ticks(u64(run), periodic_hz()) : 0;
}
bool Rtc::updating(u64 now) const {
  if (!is_running()) return false;
  const s64 next = (pulses(now) + 1) * second_ns + chain_start;
  return u64(next - s64(now)) <= update_ns;
}

// A processor that polls UIP cannot miss it; one whose host was busy elsewhere for those 2 ms would, and kernels that
// calibrate themselves by the edges would wait for the next second.  So what a poller missed is shown when it is back.
bool Rtc::shows_update(u64 now) {
  const s64 second = pulses(now);
  const bool missed = is_running() && now - polled_at < polling_ns && pulses(polled_at) < second && update_shown < second;
  const bool shown = updating(now);
  if (shown || missed) update_shown = second + shown;
  polled_at = now;
  return shown || missed;
}

void Rtc::power_on(s64 calendar, u64 now) {
  chain_start = s64(now);
  epoch = calendar;
  second_seen = 0;
  periods_seen = 0;
}

void Rtc::reset_pin() {
  b &= u8(~(PIE | AIE | UIE | SQWE));
  c = 0;
}

// Time as bytes 0 to 9 show it; the alarm bytes between stay.
std::array<u8, 10> Rtc::time_at(s64 second) const {
  const s64 calendar = epoch + second, days = floor_div(calendar, day_seconds), of_day = calendar - days * day_seconds;
  const auto date = calendar::date_of(days);
  const s64 hour = of_day / 3600, hour12 = (hour + 11) % 12 + 1;
  std::array<u8, 10> t{};
  std::copy_n(memory.begin(), t.size(), t.begin());
  t[0] = coded(of_day % 60);
  t[2] = coded(of_day / 60 % 60);
  t[4] = b & H24 ? coded(hour) : u8(coded(hour12) | (hour >= 12 ? 0x80 : 0));
  t[6] = u8(((days + 4 + weekday_shift) % 7 + 7) % 7 + 1);
  t[7] = coded(date.day);
  t[8] = coded(date.month);
  t[9] = coded((date.year % 100 + 100) % 100);
  return t;
}
u8 Rtc::century_at(s64 second) const {
  return coded(std::clamp<s64>(calendar::date_of(floor_div(epoch + second, day_seconds)).year / 100, 0, 99));
}

// The bytes take over from the clock, and give it back what software made of them.
void Rtc::hold(s64 second) {
  const auto t = time_at(second);
  memory[century] = century_at(second);
  std::copy(t.begin(), t.end(), memory.begin());
}
void Rtc::go(u64 now) {
  const u32 hour =
      b & H24 ? decoded(memory[4], 0, 23) : decoded(memory[4] & 0x7f, 1, 12) % 12 + (memory[4] & 0x80 ? 12 : 0);
  const s64 of_day = hour * 3600 + decoded(memory[2], 0, 59) * 60 + decoded(memory[0], 0, 59);
  const s64 year = decoded(memory[century], 0, 99) * 100 + decoded(memory[9], 0, 99);
  const s64 days = calendar::days_of({year, decoded(memory[8], 1, 12), decoded(memory[7], 1, 31)});
  epoch = days * day_seconds + of_day - pulses(now);
  const s64 weekday = std::clamp<s64>(memory[6] & 7, 1, 7) - 1;
  weekday_shift = u8(((weekday - days - 4) % 7 + 7) % 7);
  second_seen = pulses(now);
}

// An alarm byte of C0 to FF matches anything ("Time, Calendar, and Alarm Locations").
bool Rtc::alarm_at(s64 second) const {
  const auto t = time_at(second);
  const auto matches = [&](unsigned i) { return memory[i + 1] >= 0xc0 || memory[i + 1] == t[i]; };
  return matches(0) && matches(2) && matches(4);
}

void Rtc::run_until(u64 now) {
  if (!divider_runs()) return;
  if (const u32 hz = periodic_hz(); hz && periods(now) != periods_seen) {
    periods_seen = periods(now);
    c |= PF;
  }
  const s64 second = pulses(now);
  if (!is_running() || second <= second_seen) return;
  c |= UF;
  // A day has all times of day.
  for (s64 s = std::max(second_seen + 1, second - day_seconds); s <= second && !(c & AF); ++s)
    if (alarm_at(s)) c |= AF;
  second_seen = second;
}

u64 Rtc::next_event(u64 now) const {
  u64 at = never;
  if (is_running() && (b & (UIE | AIE))) at = u64((pulses(now) + 1) * second_ns + chain_start);
  const u32 hz = periodic_hz();
  if (divider_runs() && b & PIE && hz) at = std::min(at, u64(s64(ticks_to_ns(periods(now) + 1, hz)) + chain_start));
  return at;
}

u8 Rtc::read(u8 index, u64 now) {
  run_until(now);
  switch (index) {
    case 0x0a: return u8(a | (shows_update(now) ? UIP : 0));
    case 0x0b: return b;
    case 0x0c: {
      const u8 v = u8(c | (irq() ? 0x80 : 0));
      c = 0;
      return v;
    }
    case 0x0d: return 0x80;  // VRT: the battery is good
    case century: return is_running() ? century_at(pulses(now)) : memory[century];
    default: return index < 10 && is_running() ? time_at(pulses(now))[index] : memory[index % bank_size];
  }
}

u64 Rtc::same_until(u8 index, u8 v, u64 now) const {
  const u64 next_pulse = is_running() ? u64((pulses(now) + 1) * second_ns + chain_start) : never;
  if (index == 0x0c) return now;
  // Before the update; and not for so long that the poller would not count as one (shows_update).
  if (index == 0x0a) return v & UIP ? now : std::min(next_pulse == never ? never : next_pulse - update_ns, now + polling_ns / 2);
  return index < 10 || index == century ? next_pulse : never;
}

void Rtc::write(u8 index, u8 v, u64 now) {
  run_until(now);
  if (index == 0x0a) return write_a(v & 0x7f, now);
  if (index == 0x0b) return write_b(v, now);
  if (index == 0x0c || index == 0x0d) return;
  const bool is_time = index == century || (index < 10 && !(index < 6 && index % 2));
  if (is_time && is_running()) hold(pulses(now));
  memory[index % bank_size] = v;
  if (is_time && is_running()) go(now);
}

// Leaving the divider's reset, the first update cycle begins half a second later ("Divider Control").
void Rtc::write_a(u8 v, u64 now) {
  const bool ran = divider_runs(), held = !is_running();
  if (ran && !held && (v & 0x60) == 0x60) hold(pulses(now));
  const u8 old = a;
  a = v;
  if (!ran && divider_runs()) {
    chain_start = s64(now) - second_ns / 2;
    if (is_running()) go(now);
    second_seen = pulses(now);
  }
  if (divider_runs() && (!ran || (a ^ old) & 15)) periods_seen = periodic_hz() ? periods(now) : 0;
}

void Rtc::write_b(u8 v, u64 now) {
  const bool was = is_running();
  if (was && v & SET) hold(pulses(now));
  // The bytes were written in the format B had: U-Boot clears SET and 24/12 at once, and sets 24/12 again.
  const u8 format = b & (DM | H24);
  b = v & SET ? v & ~UIE : v;  // SET clears UIE ("Register B")
  if (was || !is_running()) return;
  const u8 after = b;
  b = u8((b & ~(DM | H24)) | format);
  go(now);
  b = after;
}
}  // namespace peripherals::mc146818
