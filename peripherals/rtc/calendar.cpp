#include "peripherals/rtc/calendar.hpp"

namespace peripherals::calendar {

// Both count in eras of 400 years that begin in March.
s64 days_of(Date d) {
  const s64 y = d.year - (d.month <= 2);
  const s64 era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
  const s64 of_year = (153 * ((d.month + 9) % 12) + 2) / 5 + d.day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}
Date date_of(s64 days) {
  days += 719468;
  const s64 era = (days >= 0 ? days : days - 146096) / 146097, in_era = days - era * 146097;
  const s64 year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
  const s64 in_year = in_era - (365 * year + year / 4 - year / 100), m = (5 * in_year + 2) / 153;
  const u32 month = u32(m < 10 ? m + 3 : m - 9);
  return {era * 400 + year + (month <= 2), month, u32(in_year - (153 * m + 2) / 5 + 1)};
}
}  // namespace peripherals::calendar
