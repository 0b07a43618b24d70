#pragma once
#include "core/base.hpp"

#include <algorithm>
#include <array>

namespace peripherals::ps2 {
using namespace core;

// PS/2 keyboard and mouse, the devices at the far end of the cable — IBM PS/2 Hardware Interface
// Technical Reference (1990), "Keyboard and Auxiliary Device Controller" and "Keyboards"; wheel
// protocol: Microsoft IntelliMouse (sample-rate knock 200, 100, 80).
// Bytes move at once: no line timing, no parity errors.
// Not modelled: self-repeat of a held key — the host's repeated key events are the repeats.

// Fixed-size queue of bytes.  head < N; count ≤ N.
template <unsigned N>
struct ByteQueue {
  std::array<u8, N> data{};
  u8 head = 0, count = 0;

  bool empty() const { return count == 0; }
  unsigned room() const { return N - count; }
  void clear() { head = count = 0; }
  // A full queue drops the byte.
  void push(u8 c) {
    if (count < N) data[(head + count++) % N] = c;
  }
  u8 pop() {
    if (empty()) return 0;
    const u8 c = data[head];
    head = u8((head + 1) % N);
    --count;
    return c;
  }
};

// What a keyboard controller makes of a set 2 code: the key's set 1 code; bytes that are no code stay.
u8 set1_of(u8 set2);

// The wire side both devices share: answers to commands go out before anything else.
struct Device {
  ByteQueue<16> replies;  // acknowledgements and command results
  u8 last = 0;            // last byte sent, for Resend
  u8 argument_of = 0;     // command that waits for its argument byte; 0 none

  void reply(u8 c) { replies.push(c); }
};

struct Keyboard : Device {
  // A byte from the host.
  void write(u8 c);
  bool has_data() const { return !replies.empty() || !codes.empty(); }
  // The next byte for the host; the last one again when there is none.
  u8 read();
  // A key went down or up.  `code` is its set 1 make code; an E0 prefix is the high byte (0xE048 is Up),
  // 0xE037 is Print Screen and 0xE11D Pause.  Unknown codes are ignored.
  void key(u16 code, bool down);

  u8 scan_set() const { return set; }
  u8 lamps() const { return leds; }  // bit 0 scroll, 1 num, 2 caps lock
  bool is_scanning() const { return scanning; }

  ByteQueue<16> codes;
  u8 set = 2, leds = 0, typematic = 0x2b;
  bool scanning = true;
  bool overrun = false;             // codes were lost and the overrun byte is queued
  std::array<u64, 4> break_keys = set3_defaults();  // set 3 codes of keys that report their release

 private:
  static std::array<u64, 4> set3_defaults();
  void command(u8 c);
  bool argument(u8 command, u8 c);
  void defaults();
  void send(std::span<const u8> bytes);
};

struct Mouse : Device {
  void write(u8 c);
  bool has_data() const { return !replies.empty() || !motion.empty(); }
  u8 read();
  // Relative motion in counts: `dx` right, `dy` up, `dz` wheel towards the user.
  // Buttons: bit 0 left, 1 right, 2 middle, 3 fourth, 4 fifth.
  void move(int dx, int dy, int dz, u8 buttons);

  u8 id() const { return protocol; }
  bool is_reporting() const { return reporting; }

  ByteQueue<16> motion;
  s32 x = 0, y = 0, z = 0;      // counted since the last packet, |n| ≤ limit
  u8 buttons = 0, rate = 100, resolution = 2;
  u8 protocol = 0;              // 0 three bytes, 3 wheel, 4 wheel and five buttons
  std::array<u8, 3> knock{};    // the last three sample rates
  bool reporting = false, remote = false, wrap = false, doubled = false;
  bool changed = false;         // motion or buttons not yet reported

 private:
  static constexpr s32 limit = 0x7fff;
  void command(u8 c);
  void argument(u8 command, u8 c);
  void defaults();
  void set_rate(u8 c);
  void status();
  void stream();
  template <class Queue>
  void packet(Queue& to, bool scale);
};
}  // namespace peripherals::ps2
