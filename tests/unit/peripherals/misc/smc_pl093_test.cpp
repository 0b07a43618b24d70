#include "peripherals/misc/smc_pl093.hpp"

#include "tests/unit/bench.hpp"

using namespace test;
using namespace peripherals::smc_pl093;

TEST_CASE("smc: id and bank timing after reset (DDI 0236H table 3-1)") {
  Bench<SmcPl093> b;
  CHECK(b.read_at(0xfe0) == 0x93);
  CHECK(b.read_at(0xfe4) == 0x10);
  for (u32 n = 0; n < 8; ++n) CHECK(b.read<SMBWSTRDR>(n) == 0x1f);
}
TEST_CASE("smc: bank registers are storage, status is not") {
  Bench<SmcPl093> b;
  b.write<SMBCR>(7, 0x303021);
  CHECK(b.read_at(0xf4) == 0x303021);
  b.write_at(0xf8, 4, 0xff);
  CHECK(b.read_at(0xf8) == 0);
}
