#include "peripherals/timer/sp804.hpp"

#include "tests/unit/bench.hpp"

namespace {
using namespace test;
using namespace peripherals::sp804;
using Timers = Bench<Sp804>;  // TIMCLK 1 MHz

enum : u32 { one_shot = 1, bits32 = 2, pre16 = 4, pre256 = 8, int_enable = 0x20, periodic = 0x40, enable = 0x80 };

TEST_CASE("sp804: reset values (table 3-1)") {
  Timers b;
  CHECK(b.read<TimerXControl>(0) == 0x20);
  CHECK(b.read<TimerXValue>(1) == 0xffffffff);
  CHECK(b.read<TimerXLoad>(0) == 0);
  CHECK(b.read_at(0xfe0) == 0x04);
  CHECK(b.read_at(0xfe4) == 0x18);
}
TEST_CASE("sp804: a disabled timer stands still at its load value (§3.3.1)") {
  Timers b;
  b.write<TimerXLoad>(0, 1000);
  b.run_for(1_s);
  CHECK(b.read<TimerXValue>(0) == 1000);
  CHECK(b.read<TimerXRIS>(0) == 0);
}
TEST_CASE("sp804: the value counts down once per clock (§3.3.2)") {
  Timers b;
  b.write<TimerXControl>(0, bits32 | periodic | enable);
  b.write<TimerXLoad>(0, 1000);
  b.run_for(10_us);
  CHECK(b.read<TimerXValue>(0) == 990);
}
TEST_CASE("sp804: a periodic timer interrupts exactly every LOAD clocks (§2.2)") {
  Timers b;
  b.write<TimerXControl>(0, bits32 | periodic | int_enable | enable);
  b.write<TimerXLoad>(0, 10'000);
  for (int tick = 0; tick < 5; ++tick) {
    b.run_for(10_ms - 1);
    CHECK_FALSE(b.pin("irq"));
    b.run_for(1);
    CHECK(b.pin("irq"));
    CHECK(b.read<TimerXValue>(0) == 10'000);
    b.write<TimerXIntClr>(0, 1);
    CHECK_FALSE(b.pin("irq"));
  }
}
TEST_CASE("sp804: a late TimerXIntClr does not shift the period") {
  Timers b;
  b.write<TimerXControl>(0, bits32 | periodic | int_enable | enable);
  b.write<TimerXLoad>(0, 1000);
  b.run_for(3'700_us);
  b.write<TimerXIntClr>(0, 1);
  b.run_for(299_us);
  CHECK_FALSE(b.pin("irq"));
  b.run_for(1_us);
  CHECK(b.pin("irq"));
}
TEST_CASE("sp804: a one-shot timer interrupts once and stops at 0 (§2.2)") {
  Timers b;
  b.write<TimerXLoad>(0, 500);
  b.write<TimerXControl>(0, one_shot | bits32 | int_enable | enable);
  b.run_for(500_us);
  CHECK(b.pin("irq"));
  b.write<TimerXIntClr>(0, 1);
  b.run_for(10_s);
  CHECK(b.read<TimerXValue>(0) == 0);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("sp804: writing LOAD starts a finished one-shot again (§3.3.1)") {
  Timers b;
  b.write<TimerXLoad>(0, 500);
  b.write<TimerXControl>(0, one_shot | bits32 | int_enable | enable);
  b.run_for(1_ms);
  b.write<TimerXIntClr>(0, 1);
  b.write<TimerXLoad>(0, 200);
  b.run_for(199_us);
  CHECK_FALSE(b.pin("irq"));
  b.run_for(1_us);
  CHECK(b.pin("irq"));
}
TEST_CASE("sp804: a free-running 32-bit timer wraps to FFFFFFFF (§2.2)") {
  Timers b;
  b.write<TimerXControl>(0, bits32 | int_enable | enable);
  b.write<TimerXLoad>(0, 5);
  b.run_for(5_us);
  CHECK(b.pin("irq"));
  CHECK(b.read<TimerXValue>(0) == 0);
  b.run_for(1_us);
  CHECK(b.read<TimerXValue>(0) == 0xffffffff);
}
TEST_CASE("sp804: a free-running 16-bit timer wraps to FFFF and interrupts every 65536 clocks (§2.2)") {
  Timers b;
  b.write<TimerXControl>(0, int_enable | enable);
  b.write<TimerXLoad>(0, 0x12340005);
  b.run_for(6_us);
  CHECK(b.read<TimerXValue>(0) == 0xffff);
  b.write<TimerXIntClr>(0, 0);
  b.run_for(65'534_us);
  CHECK_FALSE(b.pin("irq"));
  b.run_for(1_us);
  CHECK(b.pin("irq"));
}
TEST_CASE("sp804: a 16-bit periodic timer uses the lower half of LOAD") {
  Timers b;
  b.write<TimerXControl>(0, periodic | int_enable | enable);
  b.write<TimerXLoad>(0, 0xabcd0064);
  b.run_for(100_us);
  CHECK(b.pin("irq"));
  CHECK(b.read<TimerXValue>(0) == 100);
}
TEST_CASE("sp804: the prescaler divides by 16 and 256 (§3.3.3)") {
  Timers b;
  b.write<TimerXControl>(0, bits32 | periodic | pre16 | enable);
  b.write<TimerXControl>(1, bits32 | periodic | pre256 | enable);
  b.write<TimerXLoad>(0, 1000);
  b.write<TimerXLoad>(1, 1000);
  b.run_for(2560_us);
  CHECK(b.read<TimerXValue>(0) == 1000 - 160);
  CHECK(b.read<TimerXValue>(1) == 1000 - 10);
}
TEST_CASE("sp804: BGLOAD takes effect at the next reload only (§3.3.7)") {
  Timers b;
  b.write<TimerXControl>(0, bits32 | periodic | int_enable | enable);
  b.write<TimerXLoad>(0, 1000);
  b.run_for(400_us);
  b.write<TimerXBGLoad>(0, 50);
  CHECK(b.read<TimerXValue>(0) == 600);
  CHECK(b.read<TimerXLoad>(0) == 50);
  CHECK(b.read<TimerXBGLoad>(0) == 50);
  b.run_for(600_us);
  CHECK(b.pin("irq"));
  CHECK(b.read<TimerXValue>(0) == 50);
}
TEST_CASE("sp804: BGLOAD between two ticks loses no part of a tick") {
  Timers b;
  b.write<TimerXControl>(0, bits32 | periodic | int_enable | enable);
  b.write<TimerXLoad>(0, 100);
  b.run_for(50'700_ns);
  b.write<TimerXBGLoad>(0, 100);
  b.run_for(49'299_ns);
  CHECK_FALSE(b.pin("irq"));
  b.run_for(1);
  CHECK(b.pin("irq"));
}
TEST_CASE("sp804: clearing TimerEn freezes the value, setting it goes on from there (§3.3.3)") {
  Timers b;
  b.write<TimerXControl>(0, bits32 | periodic | enable);
  b.write<TimerXLoad>(0, 1000);
  b.run_for(100_us);
  b.write<TimerXControl>(0, bits32 | periodic);
  b.run_for(1_s);
  CHECK(b.read<TimerXValue>(0) == 900);
  b.write<TimerXControl>(0, bits32 | periodic | enable);
  b.run_for(100_us);
  CHECK(b.read<TimerXValue>(0) == 800);
}
TEST_CASE("sp804: IntEnable gates MIS and the pin, not RIS (§3.3.5, §3.3.6)") {
  Timers b;
  b.write<TimerXControl>(1, bits32 | periodic | enable);
  b.write<TimerXLoad>(1, 10);
  b.run_for(10_us);
  CHECK(b.read<TimerXRIS>(1) == 1);
  CHECK(b.read<TimerXMIS>(1) == 0);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("sp804: either timer drives the combined interrupt") {
  Timers b;
  b.write<TimerXControl>(0, bits32 | periodic | int_enable | enable);
  b.write<TimerXControl>(1, bits32 | periodic | int_enable | enable);
  b.write<TimerXLoad>(0, 10);
  b.write<TimerXLoad>(1, 20);
  b.run_for(25_us);
  b.write<TimerXIntClr>(0, 1);
  CHECK(b.pin("irq"));
  b.write<TimerXIntClr>(1, 1);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("sp804: VALUE ignores writes (Linux 6.1 writes it)") {
  Timers b;
  b.write<TimerXLoad>(1, 7);
  b.write<TimerXValue>(1, 0xffffffff);
  CHECK(b.read<TimerXValue>(1) == 7);
  CHECK(b.strays == 0);
}
TEST_CASE("sp804: Linux's clock source falls without a step over hours") {
  Timers b;
  b.write<TimerXControl>(1, 0);
  b.write<TimerXLoad>(1, 0xffffffff);
  b.write<TimerXControl>(1, 0xc2);
  b.run_for(2000_s);
  CHECK(b.read<TimerXValue>(1) == 0xffffffff - 2'000'000'000u);
  b.run_for(2300_s);  // past 2^32 - 1 clocks: one period later
  CHECK(b.read<TimerXValue>(1) == u32(2 * 0xffffffffull - 4'300'000'000u));
}
TEST_CASE("sp804: LOAD 0 interrupts at once and never spins (§3.3.1)") {
  Timers b;
  b.write<TimerXControl>(0, bits32 | periodic | int_enable | enable);
  b.write<TimerXLoad>(0, 0);
  CHECK(b.pin("irq"));
  b.run_for(1_s);
  CHECK(b.read<TimerXValue>(0) == 0);
}
TEST_CASE("sp804: a period of one clock costs no timer storm while it is pending (hostile guest)") {
  Timers b;
  b.write<TimerXControl>(0, bits32 | periodic | int_enable | enable);
  b.write<TimerXLoad>(0, 1);
  b.run_for(1000_s);
  CHECK(b.pin("irq"));
}
TEST_CASE("sp804: control keeps its defined bits") {
  Timers b;
  b.write<TimerXControl>(0, 0xffffff7f);
  CHECK(b.read<TimerXControl>(0) == 0x6f);
}
TEST_CASE("sp804: reset stops the timers and drops the line") {
  Timers b;
  b.write<TimerXControl>(0, bits32 | periodic | int_enable | enable);
  b.write<TimerXLoad>(0, 10);
  b.run_for(10_us);
  b.reset();
  CHECK_FALSE(b.pin("irq"));
  b.run_for(1_s);
  CHECK(b.read<TimerXValue>(0) == 0xffffffff);
}
}  // namespace
