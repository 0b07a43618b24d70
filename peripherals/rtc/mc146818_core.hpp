#pragma once
#include "core/base.hpp"

#include <array>

namespace peripherals::mc146818 {
using namespace core;

// The clock, calendar and battery-backed memory behind the ports.  Times are virtual ns.
//
// The divider chain ends in one pulse a second.  Around it lies the update cycle: UIP rises 244 us before it begins and
// falls, with the new time in place and UF set, 1984 us later.  Here the second changes at that end.
struct Rtc {
  static constexpr u8 bank_size = 128;
  u8 read(u8 index, u64 now);
  void write(u8 index, u8 v, u64 now);
  // Until when further reads, of which the last answered `v`, answer the same and change nothing; `now` when unknown.
  u64 same_until(u8 index, u8 v, u64 now) const;
  // First power: the calendar as seconds since 1970.
  void power_on(s64 calendar, u64 now);
  void reset_pin();  // RESET# low: interrupts off, time and memory stay
  // Takes note of what happened until `now`.
  void run_until(u64 now);
  bool irq() const { return c & b & 0x70; }
  // When run_until is needed next for an interrupt; core::never without one.
  u64 next_event(u64 now) const;

  u8 a = 0x26, b = 0x02, c = 0;
  std::array<u8, bank_size> memory{};    // bytes 0 to 9 are the time while the clock is held, 1, 3, 5 the alarm always
  std::array<u8, bank_size> extended{};  // the second bank of south bridges
  s64 epoch = 0;                         // calendar seconds at pulse 0 of the divider chain
  s64 chain_start = 0;                   // ns of that pulse
  s64 second_seen = 0;                   // pulses of which UF and AF know
  u64 periods_seen = 0;                  // periods of which PF knows
  u64 polled_at = 0;                     // ns of the last read of register A
  s64 update_shown = 0;                  // pulse whose update such a read showed last
  u8 weekday_shift = 0;                  // the day of week is whatever software says

 private:
  static constexpr u8 SET = 0x80, PIE = 0x40, AIE = 0x20, UIE = 0x10, SQWE = 0x08, DM = 0x04, H24 = 0x02;
  static constexpr u8 PF = 0x40, AF = 0x20, UF = 0x10, UIP = 0x80;
  static constexpr u8 century = 0x32;
  static constexpr u64 polling_ns = 100'000'000;  // reads of register A less than this apart are somebody polling

  bool divider_runs() const { return (a & 0x60) != 0x60; }
  bool is_running() const { return divider_runs() && !(b & SET); }
  u32 periodic_hz() const;
  s64 pulses(u64 now) const;  // seconds of the chain
  u64 periods(u64 now) const;
  bool updating(u64 now) const;
  bool shows_update(u64 now);
  void write_a(u8 v, u64 now);
  void write_b(u8 v, u64 now);
  std::array<u8, 10> time_at(s64 second) const;
  u8 century_at(s64 second) const;
  void hold(s64 second);
  void go(u64 now);
  bool alarm_at(s64 second) const;
  u8 coded(s64 n) const;
  u32 decoded(u8 v, u32 least, u32 most) const;
};
}  // namespace peripherals::mc146818
