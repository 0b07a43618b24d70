#include "peripherals/gpio/pl061.hpp"

#include "tests/unit/bench.hpp"

namespace {
using namespace test;
using namespace peripherals::pl061;

struct Floating : TestWires {
  static constexpr u64 pullups = 0;
};
struct PulledUp : TestWires {
  static constexpr u64 pullups = 0xff;
};
using Gpio = Bench<Pl061, Floating>;
constexpr u32 data = 0x3fc;

TEST_CASE("pl061: resets to eight inputs without interrupts (table 3-1)") {
  Gpio b;
  CHECK(b.read<GPIODIR>() == 0);
  CHECK(b.read_at(data) == 0);
  CHECK(b.read<GPIORIS>() == 0);
  CHECK(b.read_at(0xfe0) == 0x61);
  CHECK(b.read_at(0xfd0) == 0);
}
TEST_CASE("pl061: inputs read the lines (§3.3.1)") {
  Gpio b;
  b.set_line(3, true);
  CHECK(b.read_at(data, 1) == 8);
}
TEST_CASE("pl061: lines nobody drives read their pull-up") {
  Bench<Pl061, PulledUp> b;
  CHECK(b.read_at(data) == 0xff);
  b.set_line(0, false);
  CHECK(b.read_at(data) == 0xfe);
}
TEST_CASE("pl061: pull-ups are no edge at power-on") {
  Bench<Pl061, PulledUp> b;
  b.write<GPIOIEV>(0xff);
  b.write<GPIOIE>(0xff);
  CHECK(b.read<GPIORIS>() == 0);
}
TEST_CASE("pl061: address bits select the bits read (§3.3.1)") {
  Gpio b;
  b.write<GPIODIR>(0xff);
  b.write_at(data, 1, 0xff);
  CHECK(b.read_at(0x0c4) == 0x31);
  CHECK(b.read_at(0x000) == 0);
}
TEST_CASE("pl061: address bits select the bits written (§3.3.1)") {
  Gpio b;
  b.write<GPIODIR>(0xff);
  b.write_at(data, 1, 0xf0);
  b.write_at(0x098, 1, 0xfb);
  CHECK(b.read_at(data) == 0xf2);
}
TEST_CASE("pl061: a bit set while the line is an input is not kept (Linux gpio-pl061)") {
  Gpio b;
  b.write_at(data, 1, 0xff);
  b.write<GPIODIR>(0xff);
  CHECK(b.read_at(data) == 0);
}
TEST_CASE("pl061: a rising edge is latched until GPIOIC (§3.3.9)") {
  Gpio b;
  b.write<GPIOIEV>(2);
  b.write<GPIOIE>(2);
  b.set_line(1, true);
  b.set_line(1, false);
  CHECK(b.pin("irq"));
  CHECK(b.read<GPIOMIS>() == 2);
  b.write<GPIOIC>(2);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("pl061: with IEV clear only the falling edge counts (§3.3.5)") {
  Gpio b;
  b.write<GPIOIE>(2);
  b.set_line(1, true);
  CHECK_FALSE(b.pin("irq"));
  b.set_line(1, false);
  CHECK(b.pin("irq"));
}
TEST_CASE("pl061: IBE makes both edges count (§3.3.4)") {
  Gpio b;
  b.write<GPIOIBE>(2);
  b.write<GPIOIE>(2);
  b.set_line(1, true);
  CHECK(b.pin("irq"));
  b.write<GPIOIC>(2);
  b.set_line(1, false);
  CHECK(b.pin("irq"));
}
TEST_CASE("pl061: a level interrupt follows the line and ignores GPIOIC (§3.3.3)") {
  Gpio b;
  b.write<GPIOIS>(4);
  b.write<GPIOIEV>(4);
  b.write<GPIOIE>(4);
  b.set_line(2, true);
  b.write<GPIOIC>(4);
  CHECK(b.pin("irq"));
  b.set_line(2, false);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("pl061: level-sensitive with IEV clear is active low (§3.3.5)") {
  Gpio b;
  b.write<GPIOIS>(4);
  CHECK(b.read<GPIORIS>() == 4);
  b.set_line(2, true);
  CHECK(b.read<GPIORIS>() == 0);
}
TEST_CASE("pl061: GPIOIE gates GPIOMIS and the pin, not GPIORIS (§3.3.6)") {
  Gpio b;
  b.write<GPIOIEV>(2);
  b.set_line(1, true);
  CHECK(b.read<GPIORIS>() == 2);
  CHECK(b.read<GPIOMIS>() == 0);
  CHECK_FALSE(b.pin("irq"));
  b.write<GPIOIE>(2);
  CHECK(b.pin("irq"));
}
TEST_CASE("pl061: outputs raise no interrupt") {
  Gpio b;
  b.write<GPIODIR>(0xff);
  b.write<GPIOIBE>(0xff);
  b.write<GPIOIE>(0xff);
  b.write_at(data, 1, 0xff);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("pl061: Linux reads DIR and writes IE as bytes") {
  Gpio b;
  b.write_at(0x410, 1, 0);
  CHECK(b.read_at(0x400, 1) == 0);
  CHECK(b.strays == 0);
}
TEST_CASE("pl061: an unaligned data access reads 0 and is reported") {
  Gpio b;
  b.set_line(0, true);
  CHECK(b.read_at(0x3fd, 1) == 0);
  b.write_at(0x3fe, 1, 0xff);
  CHECK(b.strays == 2);
}
TEST_CASE("pl061: reset forgets edges, keeps the levels of the lines") {
  Gpio b;
  b.write<GPIOIEV>(2);
  b.write<GPIOIE>(2);
  b.set_line(1, true);
  b.reset();
  CHECK_FALSE(b.pin("irq"));
  CHECK(b.read_at(data) == 2);
  CHECK(b.read<GPIORIS>() == 0);
}
}  // namespace
