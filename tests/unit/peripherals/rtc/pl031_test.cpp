#include "peripherals/rtc/pl031.hpp"

#include "tests/unit/bench.hpp"

namespace {
using namespace test;
using namespace peripherals::pl031;
using Rtc = Bench<Pl031>;

TEST_CASE("pl031: identification spells 0x00141031") {
  Rtc b;
  CHECK(b.read_at(0xfe0) == 0x31);
  CHECK(b.read_at(0xfe4) == 0x10);
  CHECK(b.read_at(0xfe8) == 0x14);
}
TEST_CASE("pl031: starts with the host's calendar time and counts seconds (§3.3.1)") {
  Rtc b;
  CHECK(b.read<RTCDR>() == 1'000'000'000);
  b.run_for(1_s - 1);
  CHECK(b.read<RTCDR>() == 1'000'000'000);
  b.run_for(1);
  CHECK(b.read<RTCDR>() == 1'000'000'001);
}
TEST_CASE("pl031: RTCLR sets the counter (§3.3.3)") {
  Rtc b;
  b.run_for(5_s);
  b.write<RTCLR>(100);
  CHECK(b.read<RTCLR>() == 100);
  CHECK(b.read<RTCDR>() == 100);
  b.run_for(3_s);
  CHECK(b.read<RTCDR>() == 103);
}
TEST_CASE("pl031: the counter goes on through a system reset") {
  Rtc b;
  b.write<RTCLR>(100);
  b.run_for(3_s);
  b.reset();
  CHECK(b.read<RTCDR>() == 103);
}
TEST_CASE("pl031: RTCCR reads started and ignores writes (§3.3.4)") {
  Rtc b;
  b.write<RTCCR>(0);
  CHECK(b.read<RTCCR>() == 1);
}
TEST_CASE("pl031: a match raises the raw interrupt at that second (§3.3.2)") {
  Rtc b;
  b.run_for(300_ms);
  b.write<RTCMR>(1'000'000'002);
  b.run_for(1'700_ms - 1);
  CHECK(b.read<RTCRIS>() == 0);
  b.run_for(1);
  CHECK(b.read<RTCRIS>() == 1);
}
TEST_CASE("pl031: writing the present second matches at once (§3.3.2)") {
  Rtc b;
  b.write<RTCMR>(1'000'000'000);
  CHECK(b.read<RTCRIS>() == 1);
}
TEST_CASE("pl031: loading the counter moves the match (§3.3.3)") {
  Rtc b;
  b.write<RTCMR>(1'000'000'002);
  b.write<RTCLR>(999'999'992);
  b.run_for(9_s);
  CHECK(b.read<RTCRIS>() == 0);
  b.run_for(1_s);
  CHECK(b.read<RTCRIS>() == 1);
}
TEST_CASE("pl031: RTCIMSC gates RTCMIS and the pin (§3.3.5)") {
  Rtc b;
  b.write<RTCMR>(1'000'000'000);
  CHECK(b.read<RTCMIS>() == 0);
  CHECK_FALSE(b.pin("irq"));
  b.write<RTCIMSC>(1);
  CHECK(b.read<RTCMIS>() == 1);
  CHECK(b.pin("irq"));
}
TEST_CASE("pl031: RTCICR bit 0 clears the interrupt (§3.3.8)") {
  Rtc b;
  b.write<RTCIMSC>(1);
  b.write<RTCMR>(1'000'000'000);
  b.write<RTCICR>(0);
  CHECK(b.pin("irq"));
  b.write<RTCICR>(1);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("pl031: a match in the past comes after the 32-bit wrap, not now") {
  Rtc b;
  b.write<RTCMR>(999'999'999);
  b.run_for(1'000'000_s);
  CHECK(b.read<RTCRIS>() == 0);
}
TEST_CASE("pl031: reset drops the interrupt and the match") {
  Rtc b;
  b.write<RTCIMSC>(1);
  b.write<RTCMR>(1'000'000'005);
  b.reset();
  b.run_for(10_s);
  CHECK(b.read<RTCRIS>() == 0);
}
}  // namespace
