#include "peripherals/misc/pl131.hpp"

#include "tests/unit/bench.hpp"

using namespace test;
using namespace peripherals::pl131;

TEST_CASE("pl131: the PrimeCell id is 0x00041131 (DDI 0228A §3.3.35)") {
  Bench<Pl131> b;
  CHECK(b.read_at(0xfe0) == 0x31);
  CHECK(b.read_at(0xfe4) == 0x11);
  CHECK(b.read_at(0xfe8) == 0x04);
}
TEST_CASE("pl131: FIFOs are empty and no card raises nothing (§3.3.25)") {
  Bench<Pl131> b;
  b.write<SCIIMSC>(0xffff);
  b.write<SCIDATA>(0x3b);
  CHECK(b.read<SCIFIFOSTATUS>() == 0xa);
  CHECK(b.read<SCIDATA>() == 0);
  CHECK(b.read<SCIRIS>() == 0);
  CHECK_FALSE(b.pin("irq"));
  CHECK(b.strays == 0);
}
TEST_CASE("pl131: times are storage of their own width") {
  Bench<Pl131> b;
  b.write<SCISTABLE>(0xffff'ffff);
  CHECK(b.read<SCISTABLE>() == 0x3ff);
  b.write<SCIBAUD>(0xffff'ffff);
  CHECK(b.read<SCIBAUD>() == 0xffff);
}
