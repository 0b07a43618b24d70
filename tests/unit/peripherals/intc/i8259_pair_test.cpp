#include "peripherals/intc/i8259_pair.hpp"

#include "tests/unit/bench.hpp"

using namespace test;
using namespace peripherals::i8259_pair;

namespace {
struct Board : TestWires {
  void intr(bool on) const { drive("intr", on); }
};
struct Pair : Bench<I8259Pair, Board> {
  // As Linux does: vectors 0x20 and 0x28, everything enabled.
  explicit Pair(u8 icw4 = 1) {
    write<MASTER_COMMAND>(0x11);
    write<MASTER_DATA>(0x20);
    write<MASTER_DATA>(0x04);
    write<MASTER_DATA>(icw4);
    write<SLAVE_COMMAND>(0x11);
    write<SLAVE_DATA>(0x28);
    write<SLAVE_DATA>(0x02);
    write<SLAVE_DATA>(0x01);
  }
  void pulse(unsigned n) {
    set_line(n, true);
    set_line(n, false);
  }
  u8 irr() { return write<MASTER_COMMAND>(0x0a), u8(read<MASTER_COMMAND>()); }
  u8 isr() { return write<MASTER_COMMAND>(0x0b), u8(read<MASTER_COMMAND>()); }
  u8 slave_isr() { return write<SLAVE_COMMAND>(0x0b), u8(read<SLAVE_COMMAND>()); }
};
}  // namespace

TEST_CASE("i8259: a request is acknowledged with its vector and is in service until EOI") {
  Pair b;
  CHECK_FALSE(b.pin("intr"));
  b.set_line(4, true);
  CHECK(b.pin("intr"));
  CHECK(b.irr() == 0x10);
  CHECK(b.dev.acknowledge() == 0x24);
  CHECK_FALSE(b.pin("intr"));
  CHECK(b.irr() == 0);
  CHECK(b.isr() == 0x10);
  b.set_line(4, false), b.set_line(4, true);
  CHECK_FALSE(b.pin("intr"));
  b.write<MASTER_COMMAND>(0x20);
  CHECK(b.isr() == 0);
  CHECK(b.pin("intr"));
}
TEST_CASE("i8259: only higher priorities nest (fully nested mode)") {
  Pair b;
  b.pulse(3);
  CHECK(b.dev.acknowledge() == 0x23);
  b.pulse(5);
  CHECK_FALSE(b.pin("intr"));
  b.pulse(1);
  CHECK(b.pin("intr"));
  CHECK(b.dev.acknowledge() == 0x21);
  b.write<MASTER_COMMAND>(0x61);  // specific
  b.write<MASTER_COMMAND>(0x63);
  CHECK(b.dev.acknowledge() == 0x25);
}
TEST_CASE("i8259: the slave answers behind input 2, with its own vector") {
  Pair b;
  b.pulse(12);
  CHECK(b.irr() == 0x04);
  CHECK(b.dev.acknowledge() == 0x2c);
  CHECK(b.isr() == 0x04);
  CHECK(b.slave_isr() == 0x10);
  b.write<SLAVE_COMMAND>(0x64);
  b.write<MASTER_COMMAND>(0x62);
  CHECK(b.isr() == 0);
  CHECK(b.slave_isr() == 0);
}
TEST_CASE("i8259: two requests of the slave come one after the other") {
  Pair b;
  b.pulse(14), b.pulse(8);
  CHECK(b.dev.acknowledge() == 0x28);
  b.write<SLAVE_COMMAND>(0x20), b.write<MASTER_COMMAND>(0x20);
  CHECK(b.pin("intr"));
  CHECK(b.dev.acknowledge() == 0x2e);
}
TEST_CASE("i8259: in the special fully nested mode a slave interrupts itself") {
  Pair plain, nested(0x11);
  for (Pair* b : {&plain, &nested}) {
    b->pulse(14);
    CHECK(b->dev.acknowledge() == 0x2e);
    b->pulse(8);
    CHECK(b->pin("intr") == (b == &nested));
  }
  CHECK(nested.dev.acknowledge() == 0x28);
}
TEST_CASE("i8259: without a request the vector is the seventh and nothing is in service") {
  Pair b;
  CHECK(b.dev.acknowledge() == 0x27);
  CHECK(b.isr() == 0);
  b.pulse(12);
  b.write<SLAVE_DATA>(0x10);  // masked between request and acknowledge
  CHECK_FALSE(b.pin("intr"));
  CHECK(b.dev.acknowledge() == 0x27);
  b.write<SLAVE_DATA>(0x00);
  CHECK(b.dev.acknowledge() == 0x2c);
}
TEST_CASE("i8259: masked requests wait (OCW1)") {
  Pair b;
  b.write<MASTER_DATA>(0xff);
  CHECK(b.read<MASTER_DATA>() == 0xff);
  b.pulse(6);
  CHECK_FALSE(b.pin("intr"));
  b.write<MASTER_DATA>(0xbf);
  CHECK(b.pin("intr"));
}
TEST_CASE("i8259: a level input asks as long as its line is up (ELCR)") {
  Pair b;
  b.write_at(0x200, 2, 0xffff);
  CHECK(b.read_at(0x200, 2) == 0xdef8);
  b.set_line(10, true);
  CHECK(b.dev.acknowledge() == 0x2a);
  b.write<SLAVE_COMMAND>(0x20), b.write<MASTER_COMMAND>(0x20);
  CHECK(b.pin("intr"));
  b.set_line(10, false);
  CHECK_FALSE(b.pin("intr"));
  b.set_line(0, true);  // always an edge
  b.dev.acknowledge();
  b.write<MASTER_COMMAND>(0x20);
  CHECK_FALSE(b.pin("intr"));
}
TEST_CASE("i8259: LTIM makes all inputs level (ICW1)") {
  Pair b;
  b.write<MASTER_COMMAND>(0x1b);  // single
  b.write<MASTER_DATA>(0x40);
  b.write<MASTER_DATA>(0x01);
  b.set_line(0, true);
  CHECK(b.dev.acknowledge() == 0x40);
  b.write<MASTER_COMMAND>(0x20);
  CHECK(b.pin("intr"));
  b.set_line(0, false);
  CHECK_FALSE(b.pin("intr"));
}
TEST_CASE("i8259: priorities rotate (OCW2)") {
  Pair b;
  b.pulse(2 + 1), b.pulse(4);
  CHECK(b.dev.acknowledge() == 0x23);
  b.write<MASTER_COMMAND>(0xa0);  // rotate on non-specific EOI: 3 is now the lowest
  b.pulse(3);
  CHECK(b.dev.acknowledge() == 0x24);
  b.write<MASTER_COMMAND>(0xe4);  // rotate on specific EOI
  CHECK(b.isr() == 0);
  b.write<MASTER_COMMAND>(0xc0);  // set priority: 0 is the lowest, 1 the highest
  b.pulse(0);
  CHECK(b.dev.acknowledge() == 0x23);
}
TEST_CASE("i8259: automatic end of interrupt, and rotation in it (ICW4, OCW2)") {
  Pair b(0x03);
  b.pulse(5);
  CHECK(b.dev.acknowledge() == 0x25);
  CHECK(b.isr() == 0);
  b.write<MASTER_COMMAND>(0x80);
  b.pulse(1);
  CHECK(b.dev.acknowledge() == 0x21);
  b.pulse(1), b.pulse(7);
  CHECK(b.dev.acknowledge() == 0x27);
}
TEST_CASE("i8259: in the special mask mode a masked level does not hold off lower ones (OCW3)") {
  Pair b;
  b.pulse(3);
  b.dev.acknowledge();
  b.write<MASTER_DATA>(0x08);
  b.pulse(6);
  CHECK_FALSE(b.pin("intr"));
  b.write<MASTER_COMMAND>(0x68);
  CHECK(b.pin("intr"));
  CHECK(b.dev.acknowledge() == 0x26);
  b.write<MASTER_COMMAND>(0x20);  // not the masked one
  CHECK(b.isr() == 0x08);
  b.write<MASTER_COMMAND>(0x48);
  CHECK_FALSE(b.pin("intr"));
}
TEST_CASE("i8259: the poll command makes the next read an acknowledge (OCW3)") {
  Pair b;
  b.write<MASTER_COMMAND>(0x0c);
  CHECK((b.read<MASTER_COMMAND>() & 0x80) == 0);
  b.pulse(6);
  b.write<MASTER_COMMAND>(0x0c);
  CHECK(b.read<MASTER_COMMAND>() == 0x86);
  CHECK(b.isr() == 0x40);
  CHECK_FALSE(b.pin("intr"));
}
TEST_CASE("i8259: ICW1 forgets edges, masks and service, and starts over") {
  Pair b;
  b.write<MASTER_DATA>(0xf0);
  b.pulse(1);
  b.dev.acknowledge();
  b.pulse(3);
  b.write<MASTER_COMMAND>(0x11);
  CHECK(b.isr() == 0);
  CHECK(b.irr() == 0);
  CHECK_FALSE(b.pin("intr"));
  b.write<MASTER_DATA>(0x57);  // low bits do not count
  b.write<MASTER_DATA>(0x04);
  b.write<MASTER_DATA>(0x01);
  CHECK(b.read<MASTER_DATA>() == 0);
  b.pulse(0);
  CHECK(b.dev.acknowledge() == 0x50);
}
TEST_CASE("i8259: with base 0, as on Malta, the vector is the number of the line") {
  Pair b;
  b.write<MASTER_COMMAND>(0x11);
  for (u8 v : {0x00, 0x04, 0x01}) b.write<MASTER_DATA>(v);
  b.write<SLAVE_COMMAND>(0x11);
  for (u8 v : {0x08, 0x02, 0x01}) b.write<SLAVE_DATA>(v);
  for (unsigned n : {0u, 1u, 3u, 9u, 15u}) {
    b.pulse(n);
    CHECK(b.dev.acknowledge() == n);
    b.write<SLAVE_COMMAND>(0x20), b.write<MASTER_COMMAND>(0x20);
  }
}
TEST_CASE("i8259: the cascade input is not for devices") {
  Pair b;
  b.set_line(2, true);
  CHECK_FALSE(b.pin("intr"));
}
