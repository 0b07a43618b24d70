#include "peripherals/input/ps2.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace peripherals::ps2;

namespace {
template <class Device>
std::vector<u8> take(Device& d) {
  std::vector<u8> bytes;
  for (int i = 0; d.has_data() && i < 64; ++i) bytes.push_back(d.read());
  return bytes;
}
template <class Device>
std::vector<u8> ask(Device& d, std::initializer_list<u8> bytes) {
  for (u8 c : bytes) d.write(c);
  return take(d);
}
std::vector<u8> type(Keyboard& k, u16 code) {
  k.key(code, true);
  k.key(code, false);
  return take(k);
}
using Bytes = std::vector<u8>;
}  // namespace

TEST_CASE("ps2 keyboard: reset acknowledges and passes its self test (FF)") {
  Keyboard k;
  CHECK(ask(k, {0xff}) == Bytes{0xfa, 0xaa});
}
TEST_CASE("ps2 keyboard: identify answers AB 83 (F2)") {
  Keyboard k;
  CHECK(ask(k, {0xf2}) == Bytes{0xfa, 0xab, 0x83});
}
TEST_CASE("ps2 keyboard: echo has no acknowledgement (EE)") {
  Keyboard k;
  CHECK(ask(k, {0xee}) == Bytes{0xee});
}
TEST_CASE("ps2 keyboard: resend repeats the last byte (FE)") {
  Keyboard k;
  ask(k, {0xf2});
  CHECK(ask(k, {0xfe}) == Bytes{0x83});
}
TEST_CASE("ps2 keyboard: an unknown command asks for a resend") {
  Keyboard k;
  CHECK(ask(k, {0x12}) == Bytes{0xfe});
}
TEST_CASE("ps2 keyboard: scan code set 2 is the default and releases start with F0") {
  Keyboard k;
  CHECK(type(k, 0x1e) == Bytes{0x1c, 0xf0, 0x1c});
  CHECK(type(k, 0xe048) == Bytes{0xe0, 0x75, 0xe0, 0xf0, 0x75});
}
TEST_CASE("ps2 keyboard: pause sends eight bytes and no release, print screen has a fake shift") {
  Keyboard k;
  CHECK(type(k, 0xe11d) == Bytes{0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77});
  CHECK(type(k, 0xe037) == Bytes{0xe0, 0x12, 0xe0, 0x7c, 0xe0, 0xf0, 0x7c, 0xe0, 0xf0, 0x12});
}
TEST_CASE("ps2 keyboard: scan code sets are selected and reported (F0)") {
  Keyboard k;
  CHECK(ask(k, {0xf0, 0x00}) == Bytes{0xfa, 0xfa, 0x02});
  CHECK(ask(k, {0xf0, 0x01}) == Bytes{0xfa, 0xfa});
  CHECK(type(k, 0x1e) == Bytes{0x1e, 0x9e});
  CHECK(type(k, 0xe048) == Bytes{0xe0, 0x48, 0xe0, 0xc8});
  CHECK(ask(k, {0xf0, 0x05}) == Bytes{0xfa, 0xfe});
}
TEST_CASE("ps2 keyboard: in set 3 only modifiers report releases until all keys are told to (FA)") {
  Keyboard k;
  ask(k, {0xf0, 0x03});
  CHECK(type(k, 0x1e) == Bytes{0x1c});
  CHECK(type(k, 0x1d) == Bytes{0x11, 0xf0, 0x11});
  CHECK(type(k, 0xe048) == Bytes{0x63});
  ask(k, {0xfa});
  CHECK(type(k, 0xe048) == Bytes{0x63, 0xf0, 0x63});
  CHECK(ask(k, {0xfd, 0x63, 0xee}) == Bytes{0xfa, 0xfa, 0xee});
  CHECK(type(k, 0xe048) == Bytes{0x63});
}
TEST_CASE("ps2 keyboard: LEDs take an argument, a command instead cancels it (ED)") {
  Keyboard k;
  CHECK(ask(k, {0xed, 0x05}) == Bytes{0xfa, 0xfa});
  CHECK(k.lamps() == 5);
  CHECK(ask(k, {0xed, 0xf2}) == Bytes{0xfa, 0xfa, 0xab, 0x83});
  CHECK(k.lamps() == 5);
}
TEST_CASE("ps2 keyboard: disabled it sends no keys, enabled it does (F5, F4)") {
  Keyboard k;
  ask(k, {0xf5});
  CHECK(type(k, 0x1e).empty());
  ask(k, {0xf4});
  CHECK_FALSE(type(k, 0x1e).empty());
}
TEST_CASE("ps2 keyboard: the typematic rate is accepted (F3)") {
  Keyboard k;
  CHECK(ask(k, {0xf3, 0x20}) == Bytes{0xfa, 0xfa});
  CHECK(k.typematic == 0x20);
}
TEST_CASE("ps2 keyboard: a full queue ends with the overrun byte and takes keys again once empty") {
  Keyboard k;
  for (int i = 0; i < 40; ++i) k.key(0x1e, true);
  const Bytes got = take(k);
  CHECK(got.size() == 16);
  CHECK(got.back() == 0x00);
  CHECK(type(k, 0x1e) == Bytes{0x1c, 0xf0, 0x1c});
}
TEST_CASE("ps2 keyboard: codes that are no key are ignored") {
  Keyboard k;
  for (u32 code = 0; code <= 0xffff; ++code)
    if (code > 0x7f && (code >> 8) != 0xe0 && code != 0xe11d) k.key(u16(code), true);
  CHECK_FALSE(k.has_data());
}
TEST_CASE("ps2 keyboard: answers come before queued keys") {
  Keyboard k;
  k.key(0x1e, true);
  CHECK(ask(k, {0xee}) == Bytes{0xee, 0x1c});
}

TEST_CASE("ps2 mouse: reset answers FA AA 00") {
  Mouse m;
  CHECK(ask(m, {0xff}) == Bytes{0xfa, 0xaa, 0x00});
}
TEST_CASE("ps2 mouse: nothing is reported before reporting is enabled (F4)") {
  Mouse m;
  m.move(1, 1, 0, 0);
  CHECK_FALSE(m.has_data());
  ask(m, {0xf4});
  m.move(1, -2, 0, 1);
  CHECK(take(m) == Bytes{0x29, 0x01, 0xfe});
}
TEST_CASE("ps2 mouse: the IntelliMouse knock turns on the wheel byte (F3 200, 100, 80)") {
  Mouse m;
  ask(m, {0xf3, 200, 0xf3, 100, 0xf3, 80});
  CHECK(ask(m, {0xf2}) == Bytes{0xfa, 0x03});
  ask(m, {0xf4});
  m.move(0, 0, -1, 0);
  CHECK(take(m) == Bytes{0x08, 0x00, 0x00, 0xff});
}
TEST_CASE("ps2 mouse: the second knock adds buttons 4 and 5 (F3 200, 200, 80)") {
  Mouse m;
  ask(m, {0xf3, 200, 0xf3, 200, 0xf3, 80, 0xf4});
  m.move(0, 0, 1, 0x18);
  CHECK(take(m) == Bytes{0x08, 0x00, 0x00, 0x31});
}
TEST_CASE("ps2 mouse: status tells mode, buttons, resolution and rate (E9)") {
  Mouse m;
  ask(m, {0xe8, 3, 0xf3, 40, 0xe7, 0xf4});
  m.move(0, 0, 0, 5);
  CHECK(ask(m, {0xe9}) == Bytes{0xfa, 0x36, 3, 40});
}
TEST_CASE("ps2 mouse: a resolution over 3 is refused (E8)") {
  Mouse m;
  CHECK(ask(m, {0xe8, 4}) == Bytes{0xfa, 0xfe});
}
TEST_CASE("ps2 mouse: in remote mode a packet comes only when asked for (F0, EB)") {
  Mouse m;
  ask(m, {0xf0});
  m.move(5, 0, 0, 0);
  CHECK_FALSE(m.has_data());
  CHECK(ask(m, {0xeb}) == Bytes{0xfa, 0x08, 0x05, 0x00});
}
TEST_CASE("ps2 mouse: wrap mode returns every byte but reset and EC (EE)") {
  Mouse m;
  ask(m, {0xee});
  CHECK(ask(m, {0xf2, 0x42}) == Bytes{0xf2, 0x42});
  CHECK(ask(m, {0xec}) == Bytes{0xfa});
}
TEST_CASE("ps2 mouse: scaling 2:1 bends reported motion (E7)") {
  Mouse m;
  ask(m, {0xe7, 0xf4});
  m.move(4, -10, 0, 0);
  CHECK(take(m) == Bytes{0x28, 0x06, 0xec});
}
TEST_CASE("ps2 mouse: motion that does not fit the queue is added up, none is lost") {
  Mouse m;
  ask(m, {0xf4});
  for (int i = 0; i < 1000; ++i) m.move(1, 0, 0, 0);
  s32 sum = 0;
  for (int packets = 0; m.has_data() && packets < 100; ++packets) {
    m.read();
    sum += m.read();
    m.read();
  }
  CHECK(sum == 1000);
}
TEST_CASE("ps2 mouse: any command bytes and motion leave it defined") {
  Mouse m;
  u32 seed = 1;
  for (int i = 0; i < 20000; ++i) {
    seed = seed * 1664525 + 1013904223;
    m.write(u8(seed >> 24));
    m.move(int(seed) >> 3, int(seed * 7), int(seed * 13), u8(seed >> 8));
    m.read();
  }
  CHECK(ask(m, {0xec, 0xff}).size() >= 3);
}
