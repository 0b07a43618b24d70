#include "peripherals/misc/pl022.hpp"

#include "tests/unit/bench.hpp"

using namespace test;
using namespace peripherals::pl022;

namespace {
struct SspBench : Bench<Pl022> {
  SspBench() {
    write<SSPCR0>(7);  // 8 bits
    write<SSPCPSR>(2);
  }
};
constexpr u32 loop = 1, enable = 2, slave = 4;
}  // namespace

TEST_CASE("pl022: reset values and id (DDI 0194G table 3-1)") {
  SspBench b;
  CHECK(b.read<SSPSR>() == 0x3);
  CHECK(b.read<SSPRIS>() == 0x8);
  CHECK(b.read_at(0xfe0) == 0x22);
}
TEST_CASE("pl022: in loopback what is sent comes back, cut to the data size (§3.3.1, §3.3.2)") {
  SspBench b;
  b.write<SSPCR1>(enable | loop);
  b.write<SSPDR>(0x1a5);
  CHECK((b.read<SSPSR>() & 4));
  CHECK(b.read<SSPDR>() == 0xa5);
  CHECK(b.read<SSPSR>() == 0x3);
}
TEST_CASE("pl022: words wait in the FIFO until the port is enabled (§3.3.2)") {
  SspBench b;
  for (u32 i = 0; i < 8; ++i) b.write<SSPDR>(i);
  CHECK(b.read<SSPSR>() == 0x10);  // full, busy
  CHECK(b.read<SSPRIS>() == 0);
  b.write<SSPDR>(99);
  CHECK(b.guest_errors == 1);
  b.write<SSPCR1>(enable | loop);
  for (u32 i = 0; i < 8; ++i) CHECK(b.read<SSPDR>() == i);
}
TEST_CASE("pl022: with nothing on the bus zeros are received") {
  SspBench b;
  b.write<SSPCR1>(enable);
  b.write<SSPDR>(0xff);
  CHECK((b.read<SSPSR>() & 4));
  CHECK(b.read<SSPDR>() == 0);
}
TEST_CASE("pl022: a slave without a master keeps its words") {
  SspBench b;
  b.write<SSPCR1>(enable | slave);
  b.write<SSPDR>(1);
  CHECK((b.read<SSPSR>() & 0x14) == 0x10);
}
TEST_CASE("pl022: a full receive FIFO overruns, cleared by SSPICR (§3.3.7)") {
  SspBench b;
  b.write<SSPIMSC>(1);
  b.write<SSPCR1>(enable | loop);
  for (u32 i = 0; i < 8; ++i) b.write<SSPDR>(i);
  CHECK_FALSE(b.pin("irq"));
  b.write<SSPDR>(8);
  CHECK(b.pin("irq"));
  CHECK((b.read<SSPSR>() & 8));
  b.write<SSPICR>(1);
  CHECK_FALSE(b.pin("irq"));
  CHECK(b.read<SSPDR>() == 0);
}
TEST_CASE("pl022: the receive interrupt follows half full (§3.3.7)") {
  SspBench b;
  b.write<SSPIMSC>(4);
  b.write<SSPCR1>(enable | loop);
  for (u32 i = 0; i < 3; ++i) b.write<SSPDR>(i);
  CHECK_FALSE(b.pin("irq"));
  b.write<SSPDR>(3);
  CHECK(b.pin("irq"));
  b.read<SSPDR>();
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("pl022: data left alone for 32 bit periods raises the timeout (§2.4.5)") {
  SspBench b;
  b.write<SSPIMSC>(2);
  b.write<SSPCR1>(enable | loop);
  b.write<SSPDR>(1);
  b.run_for(60_us);
  CHECK_FALSE(b.pin("irq"));
  b.run_for(10_us);
  CHECK(b.pin("irq"));
  CHECK(b.read<SSPMIS>() == 2);
  b.read<SSPDR>();
  CHECK_FALSE(b.pin("irq"));
}
