#include "peripherals/timer/sp805.hpp"

#include "tests/unit/bench.hpp"

namespace {
using namespace test;
using namespace peripherals::sp805;
using Watchdog = Bench<Sp805>;  // WDOGCLK 1 MHz

TEST_CASE("sp805: reset values (table 3-1)") {
  Watchdog b;
  CHECK(b.read<WdogLoad>() == 0xffffffff);
  CHECK(b.read<WdogValue>() == 0xffffffff);
  CHECK(b.read<WdogControl>() == 0);
  CHECK(b.read<WdogLock>() == 0);
  CHECK(b.read_at(0xfe0) == 0x05);
  CHECK(b.read_at(0xfe4) == 0x18);
}
TEST_CASE("sp805: the counter stands while INTEN is 0 (§3.3.3)") {
  Watchdog b;
  b.write<WdogLoad>(99);
  b.run_for(1_s);
  CHECK(b.read<WdogValue>() == 99);
  CHECK(b.read<WdogRIS>() == 0);
}
TEST_CASE("sp805: the first arrival at 0 interrupts and reloads (§2.2)") {
  Watchdog b;
  b.write<WdogLoad>(99);
  b.write<WdogControl>(1);
  b.run_for(100_us - 1);
  CHECK_FALSE(b.pin("irq"));
  CHECK(b.read<WdogValue>() == 0);
  b.run_for(1);
  CHECK(b.pin("irq"));
  CHECK(b.read<WdogValue>() == 99);
}
TEST_CASE("sp805: the second arrival resets the system when RESEN is set (§2.2)") {
  Watchdog b;
  b.write<WdogLoad>(99);
  b.write<WdogControl>(3);
  b.run_for(199_us);
  CHECK(b.resets == 0);
  b.run_for(1_us);
  CHECK(b.resets == 1);
}
TEST_CASE("sp805: without RESEN it never resets (§3.3.3)") {
  Watchdog b;
  b.write<WdogLoad>(99);
  b.write<WdogControl>(1);
  b.run_for(10_s);
  CHECK(b.resets == 0);
  CHECK(b.pin("irq"));
}
TEST_CASE("sp805: WdogIntClr drops the interrupt and reloads (§3.3.4)") {
  Watchdog b;
  b.write<WdogLoad>(99);
  b.write<WdogControl>(3);
  b.run_for(150_us);
  b.write<WdogIntClr>(0);
  CHECK_FALSE(b.pin("irq"));
  CHECK(b.read<WdogValue>() == 99);
  b.run_for(199_us);
  CHECK(b.resets == 0);
}
TEST_CASE("sp805: writing WdogLoad restarts the round (§3.3.1)") {
  Watchdog b;
  b.write<WdogLoad>(99);
  b.write<WdogControl>(1);
  b.run_for(90_us);
  b.write<WdogLoad>(199);
  b.run_for(199_us);
  CHECK(b.read<WdogRIS>() == 0);
  b.run_for(1_us);
  CHECK(b.read<WdogRIS>() == 1);
}
TEST_CASE("sp805: clearing INTEN stops the count and hides the interrupt, setting it reloads (§3.3.3)") {
  Watchdog b;
  b.write<WdogLoad>(99);
  b.write<WdogControl>(1);
  b.run_for(120_us);
  b.write<WdogControl>(0);
  CHECK_FALSE(b.pin("irq"));
  CHECK(b.read<WdogValue>() == 79);
  b.write<WdogControl>(1);
  CHECK(b.read<WdogValue>() == 99);
}
TEST_CASE("sp805: locked registers ignore writes until the key (§3.3.7)") {
  Watchdog b;
  b.write<WdogLock>(0);
  CHECK(b.read<WdogLock>() == 1);
  b.write<WdogLoad>(5);
  b.write<WdogControl>(3);
  CHECK(b.read<WdogLoad>() == 0xffffffff);
  CHECK(b.read<WdogControl>() == 0);
  b.write<WdogLock>(0x1acce551);
  CHECK(b.read<WdogLock>() == 0);
  b.write<WdogLoad>(5);
  CHECK(b.read<WdogLoad>() == 5);
}
TEST_CASE("sp805: extreme loads are safe (hostile guest)") {
  Watchdog b;
  b.write<WdogControl>(1);
  b.write<WdogLoad>(0);
  b.run_for(1_s);
  CHECK(b.read<WdogRIS>() == 1);
  b.write<WdogLoad>(0xffffffff);
  b.write<WdogIntClr>(1);
  b.run_for(4294_s);
  CHECK(b.read<WdogRIS>() == 0);
  b.run_for(1_s);
  CHECK(b.read<WdogRIS>() == 1);
}
TEST_CASE("sp805: reset stops the watchdog") {
  Watchdog b;
  b.write<WdogLoad>(9);
  b.write<WdogControl>(3);
  b.run_for(15_us);
  b.reset();
  CHECK_FALSE(b.pin("irq"));
  b.run_for(1_s);
  CHECK(b.resets == 0);
}
}  // namespace
