#include "peripherals/input/i8042.hpp"

#include "tests/unit/bench.hpp"

using namespace test;
using namespace peripherals::i8042;

namespace {
struct Board : TestWires {
  void irq12(bool on) const { drive("irq12", on); }
  void a20(bool on) const { drive("a20", on); }
};
struct Controller : Bench<I8042, Board> {
  void command(u8 v) { write<STATUS>(v); }
  void command(u8 v, u8 argument) { write<STATUS>(v), write<DATA>(argument); }
  u8 get() { return u8(read<DATA>()); }
  u8 status() { return u8(read<STATUS>()); }
  // What waits, as hexadecimal bytes.
  std::string take() {
    std::string s;
    while (status() & 1) {
      const u8 v = get();
      s += "0123456789ABCDEF"[v >> 4], s += "0123456789ABCDEF"[v & 15], s += ' ';
    }
    return s;
  }
};
}  // namespace

TEST_CASE("i8042: self test answers 55 and sets the system flag") {
  Controller b;
  CHECK(b.status() == 0x18);
  b.command(0xaa);
  CHECK(b.status() == 0x1d);
  CHECK(b.get() == 0x55);
  CHECK(b.status() == 0x1c);
  CHECK(b.pin("a20"));
}
TEST_CASE("i8042: the command byte") {
  Controller b;
  b.command(0x20);
  CHECK(b.get() == 0x03);
  b.command(0x60, 0x74);
  CHECK((b.status() & 0x0c) == 0x04);  // a data byte was last, SYS follows the command byte
  b.command(0x20);
  CHECK(b.get() == 0x74);
  b.command(0xa7), b.command(0x20);
  CHECK((b.get() & 0x20) == 0x20);
  b.command(0xa8), b.command(0xae), b.command(0x20);
  CHECK(b.get() == 0x44);
  b.command(0x65, 0xa5), b.command(0x25);
  CHECK(b.get() == 0xa5);
}
TEST_CASE("i8042: D2 and D3 loop a byte back as the keyboard's or the mouse's") {
  Controller b;
  b.command(0xd3, 0x5a);
  CHECK(b.status() == 0x31);
  CHECK(b.pin("irq12"));
  CHECK_FALSE(b.pin("irq1"));
  CHECK(b.get() == 0x5a);
  CHECK_FALSE(b.pin("irq12"));
  b.command(0xd2, 0xa5);
  CHECK((b.status() & 0x21) == 0x01);
  CHECK(b.pin("irq1"));
  CHECK(b.get() == 0xa5);
}
TEST_CASE("i8042: the tests find no error") {
  Controller b;
  b.command(0xa9), b.command(0xab), b.command(0xc0);
  CHECK(b.take() == "00 00 80 ");
}
TEST_CASE("i8042: each key byte raises the interrupt anew") {
  Controller b;
  b.dev.key(0x1e, true), b.dev.key(0x1e, false);
  CHECK(b.pin("irq1"));
  CHECK(b.take() == "1C F0 1C ");
  CHECK_FALSE(b.pin("irq1"));
  CHECK(b.rises("irq1") == 3);
}
TEST_CASE("i8042: with translation, codes are those of set 1") {
  Controller b;
  b.command(0x60, 0x41);
  b.dev.key(0x1e, true), b.dev.key(0x1e, false);
  CHECK(b.take() == "1E 9E ");
  b.dev.key(0xe048, true), b.dev.key(0xe048, false);
  CHECK(b.take() == "E0 48 E0 C8 ");
  b.dev.key(0x41, true);  // F7
  CHECK(b.take() == "41 ");
  b.write<DATA>(0xf2);
  CHECK(b.take() == "FA AB 41 ");
  b.write<DATA>(0xf0), b.take(), b.write<DATA>(0x00);
  CHECK(b.take() == "FA 41 ");
}
TEST_CASE("i8042: translation inverts the keyboard's set 2 for every key") {
  Controller b;
  b.command(0x60, 0x41);
  for (u16 code = 1; code < 0x59; ++code) {
    if (code == 0x55 || code == 0x54) continue;
    b.dev.key(code, true);
    if (b.status() & 1) CHECK(b.get() == code);
  }
}
TEST_CASE("i8042: a disabled keyboard waits, a byte for it enables it") {
  Controller b;
  b.command(0xad);
  b.dev.key(0x1e, true);
  CHECK((b.status() & 1) == 0);
  b.command(0xae);
  CHECK(b.take() == "1C ");
  b.command(0xad);
  b.write<DATA>(0xee);
  CHECK(b.take() == "EE ");
}
TEST_CASE("i8042: answers of the controller come before waiting keys") {
  Controller b;
  b.dev.key(0x1e, true), b.dev.key(0x30, true);
  b.command(0x20);
  CHECK(b.take() == "1C 03 32 ");
}
TEST_CASE("i8042: the mouse speaks through D4, with AUXB and interrupt 12") {
  Controller b;
  b.command(0xd4, 0xff);
  CHECK(b.status() == 0x31);
  CHECK(b.take() == "FA AA 00 ");
  b.command(0xd4, 0xf4), b.take();
  b.dev.mouse(5, 2, 0, 1);
  CHECK(b.pin("irq12"));
  CHECK(b.take() == "09 05 02 ");
  CHECK_FALSE(b.pin("irq12"));
  b.command(0xa7);
  b.dev.mouse(1, 0, 0, 0);
  CHECK(b.take().empty());
  b.command(0xa8);
  CHECK(b.take() == "08 01 00 ");
}
TEST_CASE("i8042: interrupts need their enable bits") {
  Controller b;
  b.command(0x60, 0x00);
  b.dev.key(0x1e, true);
  CHECK_FALSE(b.pin("irq1"));
  b.command(0x60, 0x01);
  CHECK(b.pin("irq1"));
}
TEST_CASE("i8042: the output port drives A20 and reset") {
  Controller b;
  b.command(0xd1, 0x01);
  CHECK_FALSE(b.pin("a20"));
  b.command(0xd0);
  CHECK(b.get() == 0x01);
  b.command(0xdf);
  CHECK(b.pin("a20"));
  b.command(0xdd);
  CHECK_FALSE(b.pin("a20"));
  CHECK(b.resets == 0);
  b.command(0xfe);
  CHECK(b.resets == 1);
  b.command(0xff);
  CHECK(b.resets == 1);
  b.command(0xd1, 0x02);
  CHECK(b.resets == 2);
}
TEST_CASE("i8042: commands without sense, and more answers than fit") {
  Controller b;
  b.command(0x00), b.command(0x9f);
  CHECK(b.guest_errors == 2);
  for (int i = 0; i < 40; ++i) b.command(0xd3, u8(i)), b.command(0xd2, u8(i));
  CHECK(b.take() == "00 00 01 01 02 02 03 03 04 ");
}
