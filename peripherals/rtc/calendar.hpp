#pragma once
#include "core/base.hpp"

namespace peripherals::calendar {
using namespace core;

struct Date {
  s64 year;
  u32 month, day;
};

// Days since 1970-01-01 of the proleptic Gregorian calendar, and back.  A day past the end of its month is one of the
// next.
s64 days_of(Date d);
Date date_of(s64 days);
}  // namespace peripherals::calendar
