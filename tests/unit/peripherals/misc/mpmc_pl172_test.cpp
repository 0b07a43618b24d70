#include "peripherals/misc/mpmc_pl172.hpp"

#include "tests/unit/bench.hpp"

using namespace test;
using namespace peripherals::mpmc_pl172;

TEST_CASE("mpmc: id and reset values (DDI 0215E table 3-1)") {
  Bench<MpmcPl172> b;
  CHECK(b.read_at(0xfe0) == 0x72);
  CHECK(b.read_at(0xfe4) == 0x11);
  CHECK(b.read<MPMCControl>() == 3);
  CHECK(b.read<MPMCDynamictRFC>() == 0x1f);
  CHECK(b.read<MPMCDynamicRasCas>(3) == 0x303);
}
TEST_CASE("mpmc: it is never busy and configuration is storage") {
  Bench<MpmcPl172> b;
  CHECK(b.read<MPMCStatus>() == 0);
  b.write<MPMCStaticConfig>(2, 0x81);
  CHECK(b.read_at(0x240) == 0x81);
  b.reset();
  CHECK(b.read_at(0x240) == 0);
}
