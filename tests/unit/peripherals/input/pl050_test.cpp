#include "peripherals/input/pl050.hpp"

#include "tests/unit/bench.hpp"

using namespace test;
using namespace peripherals::pl050;

namespace {
struct KeyboardWires : TestWires {
  static constexpr u64 device = 0;
};
struct MouseWires : TestWires {
  static constexpr u64 device = 1;
};
using KeyboardBench = Bench<Pl050, KeyboardWires>;
using MouseBench = Bench<Pl050, MouseWires>;
}  // namespace

TEST_CASE("pl050: the PrimeCell id is 0x00041050 (DDI 0143C §3.4)") {
  KeyboardBench b;
  CHECK(b.read_at(0xfe0) == 0x50);
  CHECK(b.read_at(0xfe4) == 0x10);
  CHECK(b.read_at(0xfe8) == 0x04);
  CHECK(b.read_at(0xfec) == 0x00);
  CHECK(b.read_at(0xffc) == 0xb1);
}
TEST_CASE("pl050: idle lines are high and the transmitter is empty (§3.3.2)") {
  KeyboardBench b;
  CHECK(b.read<KMISTAT>() == 0x43);
}
TEST_CASE("pl050: forced lines read low (§3.3.1)") {
  KeyboardBench b;
  b.write<KMICR>(0x3);
  CHECK(b.read<KMISTAT>() == 0x40);
}
TEST_CASE("pl050: a key raises the receive interrupt until its byte is read (§3.5)") {
  KeyboardBench b;
  b.write<KMICR>(0x14);
  b.dev.key(0x1e, true);
  CHECK(b.pin("irq"));
  CHECK((b.read<KMISTAT>() & 0x10));
  CHECK((b.read<KMIIR>() & 1) == 1);
  CHECK(b.read_at(0x8, 1) == 0x1c);
  CHECK_FALSE(b.pin("irq"));
  CHECK((b.read<KMIIR>() & 1) == 0);
}
TEST_CASE("pl050: the receive interrupt needs RXINTREN, the transmit interrupt TXINTREN (§3.5)") {
  KeyboardBench b;
  b.write<KMICR>(0x4);
  b.dev.key(0x1e, true);
  CHECK_FALSE(b.pin("irq"));
  b.write<KMICR>(0xc);
  CHECK(b.pin("irq"));
}
TEST_CASE("pl050: keys wait while the interface is disabled (§3.3.1)") {
  KeyboardBench b;
  b.dev.key(0x1e, true);
  CHECK((b.read<KMISTAT>() & 0x10) == 0);
  b.write<KMICR>(0x4);
  CHECK((b.read<KMISTAT>() & 0x10));
}
TEST_CASE("pl050: a command byte reaches the keyboard (§3.3.3)") {
  KeyboardBench b;
  b.write<KMICR>(0x14);
  b.write_at(0x8, 1, 0xf2);
  CHECK(b.read<KMIDATA>() == 0xfa);
  CHECK(b.pin("irq"));
  CHECK(b.read<KMIDATA>() == 0xab);
  CHECK(b.read<KMIDATA>() == 0x83);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("pl050: RXPARITY is the odd parity of the last byte (§3.3.2)") {
  KeyboardBench b;
  b.write<KMICR>(0x14);
  b.write<KMIDATA>(0xf2);
  b.read<KMIDATA>();  // FA: six bits, parity 1
  CHECK((b.read<KMISTAT>() & 0x4));
  b.read<KMIDATA>();  // AB: five bits, parity 0
  CHECK_FALSE((b.read<KMISTAT>() & 0x4));
}
TEST_CASE("pl050: with nothing received KMIDATA repeats the last byte") {
  KeyboardBench b;
  b.write<KMICR>(0x14);
  b.write<KMIDATA>(0xee);
  CHECK(b.read<KMIDATA>() == 0xee);
  CHECK(b.read<KMIDATA>() == 0xee);
}
TEST_CASE("pl050: option device 1 is a mouse") {
  MouseBench b;
  b.write<KMICR>(0x14);
  b.write<KMIDATA>(0xf4);
  CHECK(b.read<KMIDATA>() == 0xfa);
  b.dev.mouse(3, 4, 0, 1);
  CHECK(b.pin("irq"));
  CHECK(b.read<KMIDATA>() == 0x09);
  CHECK(b.read<KMIDATA>() == 3);
  CHECK(b.read<KMIDATA>() == 4);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("pl050: reset lowers the interrupt and empties the device") {
  KeyboardBench b;
  b.write<KMICR>(0x14);
  b.dev.key(0x1e, true);
  b.reset();
  CHECK_FALSE(b.pin("irq"));
  CHECK(b.read<KMISTAT>() == 0x43);
}
