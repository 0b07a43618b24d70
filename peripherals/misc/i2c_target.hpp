#pragma once
#include "core/base.hpp"

namespace peripherals::i2c {
using namespace core;

// The receiving end of an I2C bus, bit by bit — I2C-bus specification UM10204 §3.1.  A chip derives from it and has
//     void started();           // START, or START again
//     bool addressed(u8 a);     // is it the 7-bit address `a`?
//     bool take(u8 c);          // a byte from the bus; true acknowledges it
//     u8 give();                // the next byte for the bus
// Call lines() on every change of a line; sda() is false while the chip pulls SDA low.
template <class Chip>
class Target {
 public:
  void lines(bool scl, bool sda) {
    const bool held = scl && scl_;  // SDA may only move while SCL is high to mean START or STOP
    if (held && bus_sda_ && !sda) start();
    else if (held && !bus_sda_ && sda) stop();
    else if (scl && !scl_) rising(sda);
    else if (!scl && scl_) falling();
    scl_ = scl;
    bus_sda_ = sda;
  }
  bool sda() const { return sda_; }

 private:
  enum class State : u8 { idle, address, receive, send };
  Chip& chip() { return static_cast<Chip&>(*this); }

  void start() {
    state_ = State::address;
    bits_ = shift_ = 0;
    sda_ = true;
    chip().started();
  }
  void stop() {
    state_ = State::idle;
    sda_ = true;
  }
  void rising(bool sda) {
    if (state_ == State::idle || bits_ >= 9) return;
    if (state_ == State::send) nack_ = sda;
    else if (bits_ < 8) shift_ = u8(shift_ << 1 | sda);
    ++bits_;
  }
  // The chip changes SDA while SCL is low: data bits when it sends, the acknowledge when it receives.
  void falling() {
    if (state_ == State::idle) return;
    if (bits_ == 9) {
      bits_ = 0;
      sda_ = true;
      if (state_ == State::address) state_ = shift_ & 1 ? State::send : State::receive;
      else if (state_ == State::send && nack_) state_ = State::idle;
      if (state_ == State::send) shift_ = chip().give();
    } else if (bits_ == 8) {
      sda_ = state_ == State::send || !(state_ == State::address ? chip().addressed(shift_ >> 1) : chip().take(shift_));
      if (sda_ && state_ != State::send) state_ = State::idle;
    }
    if (state_ == State::send && bits_ < 8) sda_ = shift_ >> (7 - bits_) & 1;
  }

  State state_ = State::idle;
  bool scl_ = true, bus_sda_ = true, sda_ = true;
  bool nack_ = false;
  u8 bits_ = 0, shift_ = 0;  // bits of the current byte, 9 with the acknowledge
};
}  // namespace peripherals::i2c
