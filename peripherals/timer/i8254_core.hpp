#pragma once
#include "core/base.hpp"

namespace peripherals::i8254 {
using namespace core;

// One counter of the 8254 — Intel data sheet 231164.  It does not tick: what it shows follows from the clock it was
// loaded at.  `now` is the number of the input clock, counted from power-on.
struct Counter {
  static constexpr s64 never = s64(~u64(0) >> 1);

  void control(u8 word, s64 now);  // bits 5:0 of a control word that is no latch command
  void write(u8 v, s64 now);
  u8 read(s64 now);
  void latch_count(s64 now);
  void latch_status(s64 now);
  void set_gate(bool on, s64 now);
  bool out(s64 now);
  // The next clock at which OUT rises, `never` when it does not.
  s64 next_rise(s64 now);
  bool has_gate() const { return gate; }

  u8 mode = 0, access = 3;  // access: 1 low byte, 2 high byte, 3 low then high
  bool bcd = false, gate = true;
  bool loaded = false;  // the counting element has a count
  bool running = false;
  bool waiting = false;   // a count was written that the counting element does not have yet
  u32 n = 0x10000;        // the count it was loaded with, 1 to 65536
  u32 written = 0x10000;  // the count register
  s64 since = 0;          // clock at which it showed n
  s64 reload_at = never;  // clock at which `written` follows (modes 2 and 3)
  s64 frozen = 0;         // clocks counted, while not running
  u8 low_byte = 0;        // of a count half written
  bool write_high = false, read_high = false;
  bool count_latched = false, status_latched = false;
  u16 latched_count = 0;
  u8 latched_status = 0;

 private:
  bool is_periodic() const { return mode == 2 || mode == 3; }
  bool needs_trigger() const { return mode == 1 || mode == 5; }
  s64 high_half() const { return (n + 1) / 2; }  // of a square wave
  s64 counted(s64 now) const { return !running ? frozen : now > since ? now - since : 0; }
  void synchronize(s64 now);
  void load(s64 now);
  void count_written(s64 now);
  u16 count(s64 now);
  u32 modulus() const { return bcd ? 10'000 : 0x10000; }
};
}  // namespace peripherals::i8254
