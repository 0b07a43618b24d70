#include "peripherals/rtc/ds1338.hpp"

#include "peripherals/rtc/calendar.hpp"

#include <algorithm>

namespace peripherals::ds1338 {
namespace {
using calendar::Date;
using calendar::date_of;
using calendar::days_of;
constexpr s64 day_seconds = 86400;

s64 floor_mod(s64 a, s64 b) { return (a % b + b) % b; }

u8 to_bcd(s64 n) { return u8(n / 10 << 4 | n % 10); }
// Software may write anything; digits over 9 count as they are and the result is held in range.
u32 from_bcd(u8 v, u32 least, u32 most) { return std::clamp((v >> 4) * 10u + (v & 15), least, most); }
}  // namespace

void Ds1338::lines(bool scl, bool sda, s64 now) {
  now_ = now;
  Target::lines(scl, sda);
}

void Ds1338::started() {
  pointed_ = false;
  latch();
}

bool Ds1338::take(u8 c) {
  if (!pointed_) pointer_ = c & 0x3f;
  else write(c);
  pointed_ = true;
  return true;
}

u8 Ds1338::give() {
  const u8 c = read();
  pointer_ = (pointer_ + 1) & 0x3f;
  return c;
}

u8 Ds1338::read() const { return pointer_ < 7 ? clock_[pointer_] : other_[pointer_ - 7]; }

void Ds1338::write(u8 c) {
  constexpr u8 writable[] = {0xff, 0x7f, 0x7f, 0x07, 0x3f, 0x1f, 0xff};
  constexpr u8 control = 0xb3;
  if (pointer_ < 7) {
    clock_[pointer_] = c & writable[pointer_];
    set_time();
  } else {
    other_[pointer_ - 7] = pointer_ == 7 ? c & control : c;
  }
  pointer_ = (pointer_ + 1) & 0x3f;
}

// Table 2: seconds and CH, minutes, hours, day of week, date, month, year.
void Ds1338::latch() {
  const s64 t = stopped_ ? stopped_at_ : epoch_ + now_;
  const s64 of_day = floor_mod(t, day_seconds), days = (t - of_day) / day_seconds, hour = of_day / 3600;
  const Date d = date_of(days);
  const u8 hour12 = u8(0x40 | (hour >= 12 ? 0x20 : 0) | to_bcd(hour % 12 ? hour % 12 : 12));
  clock_ = {u8((stopped_ ? 0x80 : 0) | to_bcd(of_day % 60)),
            to_bcd(of_day / 60 % 60),
            half_day_ ? hour12 : to_bcd(hour),
            u8(floor_mod(days + 4 + weekday_shift_, 7) + 1),  // 1 January 1970 was a Thursday, Sunday is 1
            to_bcd(d.day),
            to_bcd(d.month),
            to_bcd(floor_mod(d.year, 100))};
}

// Takes the user copy as the time.
void Ds1338::set_time() {
  half_day_ = clock_[2] & 0x40;
  u32 hour = from_bcd(clock_[2] & 0x3f, 0, 23);
  if (half_day_) hour = from_bcd(clock_[2] & 0x1f, 1, 12) % 12 + (clock_[2] & 0x20 ? 12 : 0);
  const Date d{2000 + s64(from_bcd(clock_[6], 0, 99)), from_bcd(clock_[5], 1, 12), from_bcd(clock_[4], 1, 31)};
  const s64 days = days_of(d);
  const s64 t = days * day_seconds + hour * 3600 + from_bcd(clock_[1], 0, 59) * 60 + from_bcd(clock_[0] & 0x7f, 0, 59);
  stopped_ = clock_[0] & 0x80;
  stopped_at_ = t;
  epoch_ = t - now_;
  weekday_shift_ = u8(floor_mod(s64(clock_[3]) - 1 - (days + 4), 7));
}
}  // namespace peripherals::ds1338
