#include "peripherals/sysctl/sp810.hpp"

#include "tests/unit/bench.hpp"

namespace {
using namespace test;
using namespace peripherals::sp810;
using Controller = Bench<Sp810>;

TEST_CASE("sp810: RemapClear ends the boot memory at address 0") {
  Controller b;
  b.write<SCCTRL>(1u << 15);
  CHECK(b.alias_ends == 0);
  b.write<SCCTRL>(1u << 8);
  CHECK(b.alias_ends == 1);
}

TEST_CASE("sp810: resets into DOZE mode (§3.3.1)") {
  Controller b;
  CHECK(b.read<SCCTRL>() == 0x9);
}
TEST_CASE("sp810: timer clock selects keep their value (Linux sets bits 15, 17, 19, 21)") {
  Controller b;
  b.write<SCCTRL>(b.read<SCCTRL>() | 0x2a8000);
  CHECK(b.read<SCCTRL>() == 0x2a8009);
}
TEST_CASE("sp810: mode status follows mode control (§3.3.1)") {
  const u32 status[8] = {0, 1, 2, 2, 4, 4, 4, 4};
  for (u32 mode = 0; mode < 8; ++mode) {
    Controller b;
    b.write<SCCTRL>(mode);
    CHECK(b.read<SCCTRL>() == (mode | status[mode] << 3));
  }
}
TEST_CASE("sp810: status bits cannot be written (§3.3.1)") {
  Controller b;
  b.write<SCCTRL>(0x279);
  CHECK(b.read<SCCTRL>() == 0x9);
}
TEST_CASE("sp810: REMAPSTAT follows REMAPCLR (§3.3.1)") {
  Controller b;
  b.write<SCCTRL>(0x101);
  CHECK(b.read<SCCTRL>() == 0x309);
}
TEST_CASE("sp810: writing SCSYSSTAT resets the system (§3.3.2)") {
  Controller b;
  b.write<SCSYSSTAT>(0);
  CHECK(b.resets == 1);
}
TEST_CASE("sp810: SCPEREN and SCPERDIS set and clear peripheral clocks") {
  Controller b;
  b.write<SCPERDIS>(0xff);
  b.write<SCPEREN>(0x0f);
  CHECK(b.read<SCPERCLKEN>() == 0xffffff0f);
  CHECK(b.read<SCPERSTAT>() == 0xffffff0f);
}
}  // namespace
