#include "peripherals/timer/i8254_core.hpp"

namespace peripherals::i8254 {
namespace {
u32 from_bcd(u32 v) { return (v >> 12) * 1000 + (v >> 8 & 15) * 100 + (v >> 4 & 15) * 10 + (v & 15); }
u16 to_bcd(u32 v) { return u16(v / 1000 % 10 << 12 | v / 100 % 10 << 8 | v / 10 % 10 << 4 | v % 10); }
}  // namespace

void Counter::control(u8 word, s64 now) {
  frozen = counted(now);
  access = word >> 4 & 3;
  mode = word >> 1 & 7;
  if (mode > 5) mode -= 4;
  bcd = word & 1;
  loaded = running = false;
  waiting = true;
  write_high = read_high = count_latched = status_latched = false;
  reload_at = never;
}

// A new count of a periodic mode takes over when the period ends, in mode 3 the half period.
void Counter::synchronize(s64 now) {
  if (now < reload_at) return;
  const s64 phase = mode == 3 ? counted(reload_at) % n : 0;  // not 0: the low half begins
  n = written;
  since = reload_at - (phase ? high_half() : 0);
  reload_at = never;
  waiting = false;
}

// The counting element takes the count with the next clock.
void Counter::load(s64 now) {
  n = written;
  since = now + 1;
  frozen = 0;
  running = gate || needs_trigger();
  loaded = true;
  waiting = false;
  reload_at = never;
}

void Counter::count_written(s64 now) {
  waiting = true;
  if (needs_trigger()) return;
  if (!is_periodic() || !loaded || !running) return load(now);
  const s64 done = counted(now), period = n;
  const s64 half = mode == 3 && done % period < high_half() ? high_half() : period;
  reload_at = since + done / period * period + half;
}

void Counter::write(u8 v, s64 now) {
  synchronize(now);
  if (access == 3 && !write_high) {
    low_byte = v;
    write_high = true;
    if (mode == 0) frozen = counted(now), loaded = running = false;  // the first byte stops it ("Mode 0")
    return;
  }
  u32 value = access == 3 ? v << 8 | low_byte : access == 2 ? v << 8 : v;
  write_high = false;
  if (bcd) value = from_bcd(value) % 10'000;
  written = value ? value : modulus();
  count_written(now);
}

void Counter::set_gate(bool on, s64 now) {
  synchronize(now);
  if (on == gate) return;
  gate = on;
  if (needs_trigger()) {
    if (on && (loaded || waiting)) load(now);
  } else if (!loaded) {
    return;
  } else if (!on) {
    frozen = counted(now);
    running = false;
    reload_at = never;  // the trigger will load what was written
  } else if (is_periodic()) {
    load(now);
  } else {
    since = now - frozen;
    running = true;
  }
}

bool Counter::out(s64 now) {
  synchronize(now);
  if (!loaded) return mode != 0;
  const s64 done = counted(now);
  switch (mode) {
    case 0: return done >= n;
    case 1: return now < since || done >= n;
    case 2: return !running || done % n != n - 1;
    case 3: return !running || done % n < high_half();
    default: return done != n;
  }
}

s64 Counter::next_rise(s64 now) {
  synchronize(now);
  if (!loaded || !running) return never;
  const s64 done = counted(now), period = n;
  s64 at = since + period + (mode == 4 || mode == 5);
  if (is_periodic()) at = since + (done / period + 1) * period;
  if (reload_at < at) at = reload_at + written - (written + 1) / 2;  // the low half will have another length
  return at > now ? at : never;
}

u16 Counter::count(s64 now) {
  synchronize(now);
  const s64 done = counted(now);
  s64 left = n - done;
  if (mode == 2) left = n - done % n;
  if (mode == 3) {
    const s64 phase = done % n, half = phase < high_half() ? phase : phase - high_half();
    left = (n & ~1u) - 2 * half;
  }
  if (!bcd) return u16(left);
  const s64 m = modulus();
  return to_bcd(u32((left % m + m) % m));
}

// A latch that was not read yet stays ("Counter Latch Command", "Read-Back Command").
void Counter::latch_count(s64 now) {
  if (count_latched) return;
  latched_count = count(now);
  count_latched = true;
}
void Counter::latch_status(s64 now) {
  if (status_latched) return;
  const bool level = out(now), null = waiting || (running && now < since);
  latched_status = u8(level << 7 | null << 6 | access << 4 | mode << 1 | u8(bcd));
  status_latched = true;
}

u8 Counter::read(s64 now) {
  if (status_latched) {
    status_latched = false;
    return latched_status;
  }
  const u16 v = count_latched ? latched_count : count(now);
  const bool high = access == 2 || (access == 3 && read_high);
  if (access == 3) read_high = !read_high;
  if (access != 3 || high) count_latched = false;
  return u8(high ? v >> 8 : v);
}
}  // namespace peripherals::i8254
