#include "peripherals/storage/pl181.hpp"

#include "tests/unit/bench.hpp"

using namespace test;
using namespace peripherals::pl181;

namespace {
using MciBench = Bench<Pl181>;  // 1 MHz MCLK
constexpr u32 enable = 1u << 10, response = 1u << 6;
}  // namespace

TEST_CASE("pl181: the PrimeCell id is 0x00041181 (DDI 0205B §3.3.17)") {
  MciBench b;
  CHECK(b.read_at(0xfe0) == 0x81);
  CHECK(b.read_at(0xfe4) == 0x11);
  CHECK(b.read_at(0xfe8) == 0x04);
}
TEST_CASE("pl181: a command that wants an answer times out in an empty socket (§3.3.11)") {
  MciBench b;
  b.write<MCICommand>(enable | response | 8);
  CHECK(b.read<MCIStatus>() == 0x4);
  CHECK(b.read<MCICommand>() == (response | 8));
}
TEST_CASE("pl181: a command without answer is sent (§3.3.11)") {
  MciBench b;
  b.write<MCICommand>(enable | 0);
  CHECK(b.read<MCIStatus>() == 0x80);
}
TEST_CASE("pl181: a command word without Enable does nothing") {
  MciBench b;
  b.write<MCICommand>(response | 8);
  CHECK(b.read<MCIStatus>() == 0);
}
TEST_CASE("pl181: each mask selects the conditions of its own interrupt (§3.3.13)") {
  MciBench b;
  b.write<MCIMask0>(0x80);
  b.write<MCIMask1>(0x04);
  b.write<MCICommand>(enable | response | 8);
  CHECK_FALSE(b.pin("irq0"));
  CHECK(b.pin("irq1"));
  b.write<MCIClear>(0x7ff);
  CHECK_FALSE(b.pin("irq1"));
  b.write<MCICommand>(enable);
  CHECK(b.pin("irq0"));
}
TEST_CASE("pl181: a command that waits for an interrupt stays active until it is stopped (§2.2.3)") {
  MciBench b;
  b.write<MCICommand>(enable | response | 1u << 8 | 40);
  CHECK(b.read<MCIStatus>() == 0x800);
  b.write<MCICommand>(0);
  CHECK(b.read<MCIStatus>() == 0);
}
TEST_CASE("pl181: reading data from no card times out after MCIDataTimer (§2.2.5)") {
  MciBench b;
  b.write<MCIMask0>(0x8);
  b.write<MCIClock>(0x500);  // bypass: MCICLK is MCLK
  b.write<MCIDataTimer>(1000);
  b.write<MCIDataLength>(512);
  b.write<MCIDataCtrl>(0x93);
  CHECK(b.read<MCIStatus>() == (1u << 13 | 1u << 19));
  CHECK(b.read<MCIDataCnt>() == 512);
  CHECK(b.read<MCIFifoCnt>() == 128);
  b.run_for(900_us);
  CHECK_FALSE(b.pin("irq0"));
  b.run_for(200_us);
  CHECK(b.pin("irq0"));
  CHECK(b.read<MCIStatus>() == 0x8);
  CHECK(b.read<MCIDataCtrl>() == 0x92);
}
TEST_CASE("pl181: only the bits of the running direction are set (§3.3.11)") {
  MciBench b;
  b.write<MCIDataTimer>(0xffff'ffff);
  b.write<MCIDataLength>(512);
  b.write<MCIDataCtrl>(0x91);
  CHECK(b.read<MCIStatus>() == (1u << 12 | 1u << 14 | 1u << 18));
  for (u32 i = 0; i < 9; ++i) b.write_at(0x80 + 4 * (i % 16), 4, i);
  CHECK(b.read<MCIStatus>() == (1u << 12 | 1u << 20));
  for (u32 i = 9; i < 16; ++i) b.write_at(0xbc, 4, i);
  CHECK(b.read<MCIStatus>() == (1u << 12 | 1u << 16 | 1u << 20));
  CHECK(b.read<MCIFifoCnt>() == 112);
  b.write_at(0x80, 4, 0);
  CHECK(b.guest_errors == 1);
}
TEST_CASE("pl181: disabling the data path stops its timeout and empties the FIFO") {
  MciBench b;
  b.write<MCIDataLength>(512);
  b.write<MCIDataCtrl>(0x91);
  b.write_at(0x80, 4, 1);
  b.write<MCIDataCtrl>(0);
  CHECK(b.timers.next() == never);
  CHECK(b.read<MCIStatus>() == 0);
}
TEST_CASE("pl181: a pending command goes out when the data path ends (§2.2.3)") {
  MciBench b;
  b.write<MCIDataLength>(512);
  b.write<MCIDataCtrl>(0x97);
  b.write<MCICommand>(enable | response | 1u << 9 | 12);
  CHECK((b.read<MCIStatus>() & 0x800));
  b.run_for(1_s);
  CHECK(b.read<MCIStatus>() == 0xc);
}
TEST_CASE("pl181: the FIFO reads 0 while it holds nothing") {
  MciBench b;
  CHECK(b.read_at(0x80) == 0);
  CHECK(b.read_at(0xbc) == 0);
}
