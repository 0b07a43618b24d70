#include "peripherals/parallel/parport.hpp"

#include "tests/unit/bench.hpp"

using namespace test;
using namespace peripherals::parport;

namespace {
struct Printer : Bench<Parport> {
  void print(u8 c, u8 control = 0x0c) {
    write<DATA>(c);
    write<CONTROL>(control | 1);
    write<CONTROL>(control);
  }
};
}  // namespace

TEST_CASE("parport: registers after reset") {
  Printer b;
  CHECK(b.read_at(0, 4) == 0xccd8ff);
}
TEST_CASE("parport: a strobe sends the data, the printer is busy while it lasts") {
  Printer b;
  b.write<DATA>('P');
  b.write<CONTROL>(0x0d);
  CHECK(b.out == "P");
  CHECK(b.read<STATUS>() == 0x58);
  b.write<CONTROL>(0x0c);
  CHECK(b.read<STATUS>() == 0x98);  // nACK
  CHECK(b.read<STATUS>() == 0xd8);
  b.print('C');
  CHECK(b.out == "PC");
}
TEST_CASE("parport: nACK interrupts when enabled, until STATUS is read") {
  Printer b;
  b.print('a');
  CHECK_FALSE(b.pin("irq"));
  b.read<STATUS>();
  b.print('b', 0x1c);
  CHECK(b.pin("irq"));
  b.read<STATUS>();
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("parport: a host that takes no more keeps the printer busy") {
  Printer b;
  b.write<CONTROL>(0x1c);
  b.host_full = true;
  b.print('x', 0x1c);
  CHECK((b.read<STATUS>() & 0x80) == 0);
  CHECK_FALSE(b.pin("irq"));
  b.drain();
  CHECK(b.pin("irq"));
  CHECK(b.read<STATUS>() == 0x98);
}
TEST_CASE("parport: nothing is sent to a printer that is off line or being reset") {
  Printer b;
  b.print('x', 0x04);
  b.print('y', 0x08);
  CHECK(b.out.empty());
}
TEST_CASE("parport: data reads back, as an input it floats high") {
  Printer b;
  b.write<DATA>(0xaa);
  CHECK(b.read<DATA>() == 0xaa);
  b.write<CONTROL>(0x2c);
  CHECK(b.read<DATA>() == 0xff);
  CHECK(b.read<CONTROL>() == 0xec);
}
