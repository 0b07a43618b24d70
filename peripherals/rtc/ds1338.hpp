#pragma once
#include "core/base.hpp"
#include "peripherals/misc/i2c_target.hpp"

#include <array>

namespace peripherals::ds1338 {
using namespace core;

// Maxim/Dallas DS1338 I2C real-time clock with 56 bytes of RAM — DS1338 data sheet 19-4935 rev. 3.
// The clock runs from a time of day the owner passes in; registers hold BCD.
// Not modelled: square wave output (stored only), the backup battery (reset restores host time).

class Ds1338 : public i2c::Target<Ds1338> {
 public:
  static constexpr u8 address = 0x68;

  // The host's calendar at power-on: seconds since 1970 UTC at virtual second 0.
  void power_on(s64 epoch) { epoch_ = epoch; }
  // The levels the bus has now; `now` is virtual seconds.  Call on every change of a line.
  void lines(bool scl, bool sda, s64 now);

 private:
  friend class i2c::Target<Ds1338>;
  void started();
  bool addressed(u8 a) const { return a == address; }
  bool take(u8 c);
  u8 give();
  u8 read() const;
  void write(u8 c);
  void latch();
  void set_time();

  bool pointed_ = false;          // the register address of a write has arrived
  u8 pointer_ = 0;                // < 64, wraps
  std::array<u8, 7> clock_{};     // user copy of seconds … year, taken at START (data sheet p. 8)
  std::array<u8, 57> other_ = {0x93};  // control, RAM
  s64 now_ = 0;                   // virtual seconds of the last change of a line
  s64 epoch_ = 0;                 // calendar seconds at virtual second 0
  s64 stopped_at_ = 0;            // calendar seconds while CH is set
  u8 weekday_shift_ = 0;          // the day of week is whatever software says
  bool stopped_ = false, half_day_ = false;
};
}  // namespace peripherals::ds1338
