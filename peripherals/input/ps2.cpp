#include "peripherals/input/ps2.hpp"

#include <cstdlib>
#include <iterator>

namespace peripherals::ps2 {
namespace {
constexpr u8 ack = 0xfa, resend = 0xfe, self_test_passed = 0xaa;
constexpr u16 print_screen = 0xe037, pause = 0xe11d;

// Set 1 make code → set 2 make code ("Scan Codes", table of key numbers); 0 is no key.  Keys with an
// E0 prefix translate by the same table.
constexpr u8 set2_of[128] = {
    0x00, 0x76, 0x16, 0x1e, 0x26, 0x25, 0x2e, 0x36, 0x3d, 0x3e, 0x46, 0x45, 0x4e, 0x55, 0x66, 0x0d,  // 00
    0x15, 0x1d, 0x24, 0x2d, 0x2c, 0x35, 0x3c, 0x43, 0x44, 0x4d, 0x54, 0x5b, 0x5a, 0x14, 0x1c, 0x1b,  // 10
    0x23, 0x2b, 0x34, 0x33, 0x3b, 0x42, 0x4b, 0x4c, 0x52, 0x0e, 0x12, 0x5d, 0x1a, 0x22, 0x21, 0x2a,  // 20
    0x32, 0x31, 0x3a, 0x41, 0x49, 0x4a, 0x59, 0x7c, 0x11, 0x29, 0x58, 0x05, 0x06, 0x04, 0x0c, 0x03,  // 30
    0x0b, 0x83, 0x0a, 0x01, 0x09, 0x77, 0x7e, 0x6c, 0x75, 0x7d, 0x7b, 0x6b, 0x73, 0x74, 0x79, 0x69,  // 40
    0x72, 0x7a, 0x70, 0x71, 0x84, 0x00, 0x61, 0x78, 0x07, 0x00, 0x00, 0x1f, 0x27, 0x2f, 0x37, 0x3f,  // 50
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // 60
    0x13, 0x00, 0x00, 0x51, 0x00, 0x00, 0x00, 0x00, 0x00, 0x64, 0x00, 0x67, 0x00, 0x6a, 0x00, 0x00,  // 70
};

// Set 2 code → set 1 code, as the controller translates; codes no key has translate too.
constexpr u8 translated[0x85] = {
    0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59,  // 00
    0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b,  // 10
    0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d,  // 20
    0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f,  // 30
    0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61,  // 40
    0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76,  // 50
    0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f,  // 60
    0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,  // 70
    0x80, 0x81, 0x82, 0x41, 0x54,                                                                    // 80
};

struct Pair {
  u16 set1;
  u8 set3;
};
// Set 3 codes that differ from the set 2 code of the same key.
constexpr Pair set3_only[] = {
    {0x01, 0x08},   {0x1d, 0x11},   {0x2b, 0x5c},   {0x37, 0x7e},   {0x38, 0x19},   {0x3a, 0x14},   {0x3b, 0x07},
    {0x3c, 0x0f},   {0x3d, 0x17},   {0x3e, 0x1f},   {0x3f, 0x27},   {0x40, 0x2f},   {0x41, 0x37},   {0x42, 0x3f},
    {0x43, 0x47},   {0x44, 0x4f},   {0x45, 0x76},   {0x46, 0x5f},   {0x4a, 0x84},   {0x4e, 0x7c},   {0x56, 0x13},
    {0x57, 0x56},   {0x58, 0x5e},   {0x70, 0x87},   {0x79, 0x86},   {0x7b, 0x85},   {0x7d, 0x5d},   {0xe01c, 0x79},
    {0xe01d, 0x58}, {0xe035, 0x77}, {0xe037, 0x57}, {0xe038, 0x39}, {0xe047, 0x6e}, {0xe048, 0x63}, {0xe049, 0x6f},
    {0xe04b, 0x61}, {0xe04d, 0x6a}, {0xe04f, 0x65}, {0xe050, 0x60}, {0xe051, 0x6d}, {0xe052, 0x67}, {0xe053, 0x64},
    {0xe05b, 0x8b}, {0xe05c, 0x8c}, {0xe05d, 0x8d}, {0xe11d, 0x62},
};
u8 set3_of(u16 code) {
  for (const Pair& p : set3_only)
    if (p.set1 == code) return p.set3;
  return code < 0x80 ? set2_of[code] : 0;
}

// One key event as bytes.
struct Sequence {
  std::array<u8, 8> bytes{};
  u8 length = 0;
  void add(std::initializer_list<u8> more) {
    for (u8 c : more) bytes[length++] = c;
  }
  std::span<const u8> span() const { return {bytes.data(), length}; }
};

Sequence set1_sequence(u16 code, bool down) {
  Sequence s;
  const u8 key = u8(code), up = u8(code | 0x80);
  if (code == pause) {
    if (down) s.add({0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5});
  } else if (code == print_screen) {
    if (down) s.add({0xe0, 0x2a, 0xe0, 0x37});
    else s.add({0xe0, 0xb7, 0xe0, 0xaa});
  } else {
    if (code > 0xff) s.add({0xe0});
    s.add({down ? key : up});
  }
  return s;
}

Sequence set2_sequence(u16 code, bool down) {
  Sequence s;
  if (code == pause) {
    if (down) s.add({0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77});
  } else if (code == print_screen) {
    if (down) s.add({0xe0, 0x12, 0xe0, 0x7c});
    else s.add({0xe0, 0xf0, 0x7c, 0xe0, 0xf0, 0x12});
  } else {
    if (code > 0xff) s.add({0xe0});
    if (!down) s.add({0xf0});
    s.add({set2_of[code & 0x7f]});
  }
  return s;
}

bool is_key(u16 code) {
  const u8 prefix = u8(code >> 8), key = u8(code);
  if (code == pause) return true;
  return (prefix == 0 || prefix == 0xe0) && key < 0x80 && set2_of[key];
}
}  // namespace

u8 set1_of(u8 set2) { return set2 < std::size(translated) ? translated[set2] : set2; }

// Keyboard.

// Only the modifiers report their release in set 3 until the host asks for more.
std::array<u64, 4> Keyboard::set3_defaults() {
  std::array<u64, 4> keys{};
  for (u8 code : {0x11, 0x12, 0x14, 0x19, 0x39, 0x58, 0x59, 0x8b, 0x8c}) keys[code / 64] |= u64(1) << code % 64;
  return keys;
}

void Keyboard::defaults() {
  codes.clear();
  overrun = false;
  set = 2;
  typematic = 0x2b;
  break_keys = set3_defaults();
}

void Keyboard::write(u8 c) {
  const u8 waiting = argument_of;
  argument_of = 0;
  // A command byte instead of an argument ends the command before it.
  if (waiting && c < 0xed && argument(waiting, c)) return;
  command(c);
}

void Keyboard::command(u8 c) {
  switch (c) {
    case 0xee: return reply(0xee);  // echo: no acknowledgement
    case 0xfe: return reply(last);
    case 0xed: case 0xf0: case 0xf3: case 0xfb: case 0xfc: case 0xfd: argument_of = c; break;
    case 0xf2: reply(ack); reply(0xab); return reply(0x83);
    case 0xf4: codes.clear(); scanning = true; break;
    case 0xf5: defaults(); scanning = false; break;
    case 0xf6: defaults(); break;
    case 0xf7: case 0xf9: break_keys.fill(0); break;
    case 0xf8: case 0xfa: break_keys.fill(~u64(0)); break;
    case 0xff:
      *this = Keyboard{};
      reply(ack);
      return reply(self_test_passed);
    default: return reply(resend);
  }
  reply(ack);
}

// Always answers; true when `c` was taken.
bool Keyboard::argument(u8 command, u8 c) {
  switch (command) {
    case 0xed: leds = c & 7; break;
    case 0xf3: typematic = c & 0x7f; break;
    case 0xf0:
      if (c > 3) {
        reply(resend);
        return true;
      }
      reply(ack);
      if (c == 0) return reply(set), true;
      codes.clear();
      set = c;
      return true;
    default:  // FB, FC, FD: key codes follow until the next command
      argument_of = command;
      if (command == 0xfc) break_keys[c / 64] |= u64(1) << c % 64;
      else break_keys[c / 64] &= ~(u64(1) << c % 64);
  }
  reply(ack);
  return true;
}

u8 Keyboard::read() {
  if (!replies.empty()) last = replies.pop();
  else if (!codes.empty()) last = codes.pop();
  overrun = overrun && !codes.empty();
  return last;
}

void Keyboard::key(u16 code, bool down) {
  if (!scanning || !is_key(code)) return;
  if (set == 1) return send(set1_sequence(code, down).span());
  if (set == 2) return send(set2_sequence(code, down).span());
  const u8 c = set3_of(code);
  if (!c) return;
  const u8 released[] = {0xf0, c};
  if (down) send({&c, 1});
  else if (break_keys[c / 64] >> c % 64 & 1) send(released);
}

// One place of the queue is kept for the overrun byte.
void Keyboard::send(std::span<const u8> bytes) {
  if (overrun) return;
  if (bytes.size() < codes.room()) {
    for (u8 c : bytes) codes.push(c);
    return;
  }
  overrun = true;
  codes.push(set == 1 ? 0xff : 0x00);
}

// Mouse.

void Mouse::defaults() {
  motion.clear();
  x = y = z = 0;
  rate = 100;
  resolution = 2;
  reporting = remote = wrap = doubled = changed = false;
}

void Mouse::write(u8 c) {
  motion.clear();  // a command ends the packet under way
  if (wrap && c != 0xff && c != 0xec) return reply(c);
  const u8 waiting = argument_of;
  argument_of = 0;
  if (waiting) argument(waiting, c);
  else command(c);
}

void Mouse::command(u8 c) {
  if (c != 0xfe) reply(ack);
  switch (c) {
    case 0xe6: doubled = false; break;
    case 0xe7: doubled = true; break;
    case 0xe8: case 0xf3: argument_of = c; break;
    case 0xe9: status(); break;
    case 0xea: remote = false; break;
    case 0xeb: packet(replies, false); break;
    case 0xec: wrap = false; break;
    case 0xee: wrap = true; break;
    case 0xf0: remote = true; break;
    case 0xf2: reply(protocol); break;
    case 0xf4: reporting = true; x = y = z = 0; changed = false; break;
    case 0xf5: reporting = false; break;
    case 0xf6: defaults(); break;
    case 0xfe: reply(last); break;
    case 0xff: {
      const u8 held = buttons;
      *this = Mouse{};
      buttons = held;
      for (u8 answer : {ack, self_test_passed, u8(0)}) reply(answer);
      break;
    }
    default:
      replies.count -= replies.count ? 1 : 0;  // not acknowledged after all
      reply(resend);
  }
}

void Mouse::argument(u8 command, u8 c) {
  if (command == 0xe8 && c > 3) return reply(resend);
  if (command == 0xe8) resolution = c;
  else set_rate(c);
  reply(ack);
}

// The IntelliMouse knocks: 200, 100, 80 turns the wheel on, 200, 200, 80 the side buttons.
void Mouse::set_rate(u8 c) {
  rate = c;
  knock = {knock[1], knock[2], c};
  if (knock == std::array<u8, 3>{200, 100, 80}) protocol = 3;
  if (knock == std::array<u8, 3>{200, 200, 80}) protocol = 4;
}

void Mouse::status() {
  const u8 right = buttons >> 1 & 1, middle = buttons >> 2 & 1, left = buttons & 1;
  reply(u8(remote << 6 | reporting << 5 | doubled << 4 | left << 2 | middle << 1 | right));
  reply(resolution);
  reply(rate);
}

u8 Mouse::read() {
  if (!replies.empty()) last = replies.pop();
  else if (!motion.empty()) last = motion.pop();
  if (motion.empty()) stream();
  return last;
}

void Mouse::move(int dx, int dy, int dz, u8 now) {
  if (!reporting && !remote) {
    buttons = now;
    return;
  }
  const auto add = [](s32 sum, int d) { return std::clamp(s32(sum + std::clamp(d, -limit, limit)), -limit, limit); };
  changed |= dx || dy || (dz && protocol) || now != buttons;
  x = add(x, dx);
  y = add(y, dy);
  z = add(z, dz);
  buttons = now;
  stream();
}

void Mouse::stream() {
  if (reporting && !remote && !wrap && changed && motion.room() >= 4) packet(motion, doubled);
}

namespace {
// 2:1 scaling of one axis ("Set Scaling 2:1").
s32 scaled(s32 n) {
  constexpr u8 small[] = {0, 1, 1, 3, 6, 9};
  const s32 size = std::abs(n), result = size < 6 ? small[size] : 2 * size;
  return n < 0 ? -result : result;
}
}  // namespace

template <class Queue>
void Mouse::packet(Queue& to, bool scale) {
  const s32 dx = std::clamp(x, -255, 255), dy = std::clamp(y, -255, 255), dz = std::clamp(z, -8, 7);
  x -= dx;
  y -= dy;
  z -= dz;
  changed = x || y || (z && protocol);
  const s32 sx = std::clamp(scale ? scaled(dx) : dx, -255, 255), sy = std::clamp(scale ? scaled(dy) : dy, -255, 255);
  to.push(u8((sy < 0) << 5 | (sx < 0) << 4 | 0x08 | (buttons & 7)));
  to.push(u8(sx));
  to.push(u8(sy));
  if (protocol == 3) to.push(u8(dz));
  if (protocol == 4) to.push(u8((dz & 0x0f) | (buttons & 0x18) << 1));
}
}  // namespace peripherals::ps2
