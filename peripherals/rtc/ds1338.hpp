#pragma once
#include "core/base.hpp"

#include <array>

namespace peripherals::ds1338 {
using namespace core;

// Maxim/Dallas DS1338 I2C real-time clock with 56 bytes of RAM — DS1338 data sheet 19-4935 rev. 3.
// The clock runs from a time of day the owner passes in; registers hold BCD.
// Not modelled: square wave output (stored only), the backup battery (reset restores host time).

// The receiving end of an I2C bus, bit by bit (I2C-bus specification UM10204 §3.1).
class Ds1338 {
 public:
  static constexpr u8 address = 0x68;

  // The host's calendar at power-on: seconds since 1970 UTC at virtual second 0.
  void power_on(s64 epoch) { epoch_ = epoch; }
  // The levels the bus has now; `now` is virtual seconds.  Call on every change of a line.
  void lines(bool scl, bool sda, s64 now);
  // False while the chip pulls SDA low.
  bool sda() const { return sda_; }

 private:
  enum class State : u8 { idle, address, receive, send };
  void start(s64 now);
  void stop();
  void rising(bool sda);
  void falling(s64 now);
  bool take(u8 c, s64 now);
  void load();
  u8 read() const;
  void write(u8 c, s64 now);
  void latch(s64 now);
  void set_time(s64 now);

  State state_ = State::idle;
  bool scl_ = true, bus_sda_ = true, sda_ = true;
  bool nack_ = false;
  bool pointed_ = false;          // the register address of a write has arrived
  u8 bits_ = 0, shift_ = 0;       // bits of the current byte, 9 with the acknowledge
  u8 pointer_ = 0;                // < 64, wraps
  std::array<u8, 7> clock_{};     // user copy of seconds … year, taken at START (data sheet p. 8)
  std::array<u8, 57> other_ = {0x93};  // control, RAM
  s64 epoch_ = 0;                 // calendar seconds at virtual second 0
  s64 stopped_at_ = 0;            // calendar seconds while CH is set
  u8 weekday_shift_ = 0;          // the day of week is whatever software says
  bool stopped_ = false, half_day_ = false;
};
}  // namespace peripherals::ds1338
