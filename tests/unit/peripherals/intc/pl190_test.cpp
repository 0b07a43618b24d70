#include "peripherals/intc/pl190.hpp"

#include "tests/unit/bench.hpp"

namespace {
using namespace test;
using namespace peripherals::pl190;
using Vic = Bench<Pl190>;

// Slot `slot` serves `source` with the handler address 0x1000 + slot.
void vector(Vic& b, u32 slot, u32 source) {
  b.write<VICVECTADDRn>(slot, 0x1000 + slot);
  b.write<VICVECTCNTLn>(slot, 0x20 | source);
}

TEST_CASE("pl190: identification spells 0x00041190 (§3.3.14)") {
  Vic b;
  CHECK(b.read_at(0xfe0) == 0x90);
  CHECK(b.read_at(0xfe4) == 0x11);
  CHECK(b.read_at(0xfe8) == 0x04);
}
TEST_CASE("pl190: an input that is not enabled shows only in VICRAWINTR (§3.3.3)") {
  Vic b;
  b.set_line(12, true);
  CHECK(b.read<VICRAWINTR>() == 1u << 12);
  CHECK(b.read<VICIRQSTATUS>() == 0);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("pl190: an enabled input raises irq and falls with the input (§2.2)") {
  Vic b;
  b.write<VICINTENABLE>(1u << 12);
  b.set_line(12, true);
  CHECK(b.pin("irq"));
  CHECK(b.read<VICIRQSTATUS>() == 1u << 12);
  b.set_line(12, false);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("pl190: VICINTENABLE sets, VICINTENCLEAR clears bits (§3.3.5, §3.3.6)") {
  Vic b;
  b.write<VICINTENABLE>(0x0f);
  b.write<VICINTENABLE>(0xf0);
  b.write<VICINTENCLEAR>(0x81);
  CHECK(b.read<VICINTENABLE>() == 0x7e);
  CHECK(b.read<VICINTENCLEAR>() == 0);
}
TEST_CASE("pl190: VICINTSELECT turns a source into FIQ (§3.3.4)") {
  Vic b;
  b.write<VICINTENABLE>(1u << 31);
  b.write<VICINTSELECT>(1u << 31);
  b.set_line(31, true);
  CHECK(b.pin("fiq"));
  CHECK_FALSE(b.pin("irq"));
  CHECK(b.read<VICFIQSTATUS>() == 1u << 31);
  CHECK(b.read<VICIRQSTATUS>() == 0);
}
TEST_CASE("pl190: a FIQ source must be enabled too (§3.3.2)") {
  Vic b;
  b.write<VICINTSELECT>(2);
  b.set_line(1, true);
  CHECK_FALSE(b.pin("fiq"));
  CHECK(b.read<VICFIQSTATUS>() == 0);
}
TEST_CASE("pl190: software interrupts are set and cleared by register (§3.3.7, §3.3.8)") {
  Vic b;
  b.write<VICINTENABLE>(2);
  b.write<VICSOFTINT>(2);
  CHECK(b.pin("irq"));
  CHECK(b.read<VICSOFTINT>() == 2);
  b.write<VICSOFTINTCLEAR>(2);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("pl190: writes to the status registers are ignored") {
  Vic b;
  b.write<VICIRQSTATUS>(~0u);
  b.write<VICRAWINTR>(~0u);
  CHECK(b.read<VICIRQSTATUS>() == 0);
  CHECK(b.strays == 0);
}
TEST_CASE("pl190: VICVECTADDR gives the handler of the lowest-numbered slot (§3.3.10)") {
  Vic b;
  vector(b, 3, 7);
  vector(b, 5, 2);
  b.write<VICINTENABLE>(~0u);
  b.set_line(2, true);
  b.set_line(7, true);
  CHECK(b.read<VICVECTADDR>() == 0x1003);
}
TEST_CASE("pl190: a source without slot gives VICDEFVECTADDR (§3.3.11)") {
  Vic b;
  vector(b, 0, 7);
  b.write<VICDEFVECTADDR>(0xdead0);
  b.write<VICINTENABLE>(4);
  b.set_line(2, true);
  CHECK(b.read<VICVECTADDR>() == 0xdead0);
}
TEST_CASE("pl190: a slot with E=0 does not vector (§3.3.13)") {
  Vic b;
  vector(b, 0, 2);
  b.write<VICVECTCNTLn>(0, 2);
  b.write<VICDEFVECTADDR>(0xdead0);
  b.write<VICINTENABLE>(4);
  b.set_line(2, true);
  CHECK(b.read<VICVECTADDR>() == 0xdead0);
}
TEST_CASE("pl190: reading VICVECTADDR masks the same and lower priorities (§2.2.4)") {
  Vic b;
  vector(b, 4, 4);
  vector(b, 6, 6);
  b.write<VICINTENABLE>(~0u);
  b.set_line(4, true);
  b.read<VICVECTADDR>();
  CHECK_FALSE(b.pin("irq"));
  b.set_line(6, true);
  b.set_line(30, true);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("pl190: a more urgent slot interrupts the one in service (§2.2.4)") {
  Vic b;
  vector(b, 4, 4);
  vector(b, 1, 1);
  b.write<VICINTENABLE>(~0u);
  b.set_line(4, true);
  b.read<VICVECTADDR>();
  b.set_line(1, true);
  CHECK(b.pin("irq"));
  CHECK(b.read<VICVECTADDR>() == 0x1001);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("pl190: writing VICVECTADDR ends one level of service (§3.3.10)") {
  Vic b;
  vector(b, 4, 4);
  vector(b, 1, 1);
  vector(b, 2, 2);
  b.write<VICINTENABLE>(~0u);
  b.set_line(4, true);
  b.read<VICVECTADDR>();
  b.set_line(1, true);
  b.read<VICVECTADDR>();
  b.set_line(1, false);
  b.write<VICVECTADDR>(0);
  CHECK_FALSE(b.pin("irq"));  // slot 4 is still in service
  b.set_line(2, true);
  CHECK(b.pin("irq"));
  b.set_line(2, false);
  b.write<VICVECTADDR>(0);
  CHECK(b.pin("irq"));  // input 4 is still up
}
TEST_CASE("pl190: reading VICVECTADDR with nothing pending enters no service (Linux 6.1 start)") {
  Vic b;
  for (int i = 0; i < 19; ++i) {
    CHECK(b.read<VICVECTADDR>() == 0);
    b.write<VICVECTADDR>(0);
  }
  b.read<VICVECTADDR>();
  b.write<VICINTENABLE>(1);
  b.set_line(0, true);
  CHECK(b.pin("irq"));
}
TEST_CASE("pl190: all slots programmed but VICVECTADDR unused leaves irq to the status (Linux 6.1)") {
  Vic b;
  for (u32 i = 0; i < 16; ++i) b.write<VICVECTCNTLn>(i, 0x20 | i);
  b.write<VICINTENABLE>(~0u);
  b.set_line(15, true);
  b.set_line(31, true);
  b.set_line(15, false);
  CHECK(b.pin("irq"));
  b.set_line(31, false);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("pl190: an end of service too many is harmless") {
  Vic b;
  b.write<VICVECTADDR>(~0u);
  b.write<VICINTENABLE>(1);
  b.set_line(0, true);
  CHECK(b.pin("irq"));
}
TEST_CASE("pl190: vector control keeps source and enable only (§3.3.13)") {
  Vic b;
  b.write<VICVECTCNTLn>(15, ~0u);
  CHECK(b.read<VICVECTCNTLn>(15) == 0x3f);
}
TEST_CASE("pl190: reset forgets enables and service but not the input levels") {
  Vic b;
  b.write<VICINTENABLE>(1);
  b.set_line(0, true);
  b.read<VICVECTADDR>();
  b.reset();
  CHECK_FALSE(b.pin("irq"));
  CHECK(b.read<VICRAWINTR>() == 1);
  b.write<VICINTENABLE>(1);
  CHECK(b.pin("irq"));
}
}  // namespace
