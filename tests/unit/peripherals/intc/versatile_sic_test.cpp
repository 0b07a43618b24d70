#include "peripherals/intc/versatile_sic.hpp"

#include "tests/unit/bench.hpp"

namespace {
using namespace test;
using namespace peripherals::versatile_sic;

struct Board : TestWires {
  static constexpr u64 mask = 0x7fe003ff;
  void pic21(bool on) const { drive("pic21", on); }
  void pic22(bool on) const { drive("pic22", on); }
  void pic23(bool on) const { drive("pic23", on); }
  void pic24(bool on) const { drive("pic24", on); }
  void pic25(bool on) const { drive("pic25", on); }
  void pic26(bool on) const { drive("pic26", on); }
  void pic27(bool on) const { drive("pic27", on); }
  void pic28(bool on) const { drive("pic28", on); }
  void pic29(bool on) const { drive("pic29", on); }
  void pic30(bool on) const { drive("pic30", on); }
};
using Sic = Bench<VersatileSic, Board>;

TEST_CASE("versatile_sic: an enabled input raises irq (§4.10)") {
  Sic b;
  b.write<SIC_ENABLE>(8);
  b.set_line(3, true);
  CHECK(b.pin("irq"));
  CHECK(b.read<SIC_STATUS>() == 8);
  b.set_line(3, false);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("versatile_sic: an input that is not enabled shows only in RAWSTAT") {
  Sic b;
  b.set_line(3, true);
  CHECK_FALSE(b.pin("irq"));
  CHECK(b.read<SIC_STATUS>() == 0);
  CHECK(b.read<SIC_RAWSTAT>() == 8);
}
TEST_CASE("versatile_sic: ENSET sets and ENCLR clears bits") {
  Sic b;
  b.write<SIC_ENABLE>(0x0f);
  b.write<SIC_ENABLE>(0x30);
  b.write<SIC_ENCLR>(0x03);
  CHECK(b.read<SIC_ENABLE>() == 0x3c);
}
TEST_CASE("versatile_sic: inputs the board does not have stay silent (mask)") {
  Sic b;
  b.write<SIC_ENABLE>(~0u);
  b.set_line(10, true);
  b.set_line(31, true);
  CHECK(b.read<SIC_RAWSTAT>() == 0);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("versatile_sic: the software interrupt is source 0") {
  Sic b;
  b.write<SIC_ENABLE>(1);
  b.write<SIC_SOFTINTSET>(~0u);
  CHECK(b.read<SIC_STATUS>() == 1);
  CHECK(b.pin("irq"));
  b.write<SIC_SOFTINTCLR>(1);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("versatile_sic: PICENABLE takes bits 21 to 30 only (Linux writes 0xFFD00000)") {
  Sic b;
  b.write<SIC_PICENABLE>(0xffd00000);
  CHECK(b.read<SIC_PICENABLE>() == 0x7fc00000);
}
TEST_CASE("versatile_sic: a passed input goes straight to its own pin, without irq") {
  Sic b;
  b.write<SIC_PICENABLE>(1u << 25);
  b.set_line(25, true);
  CHECK(b.pin("pic25"));
  CHECK_FALSE(b.pin("pic24"));
  CHECK_FALSE(b.pin("irq"));
  b.set_line(25, false);
  CHECK_FALSE(b.pin("pic25"));
}
TEST_CASE("versatile_sic: every pass-through pin carries its input") {
  for (u32 n = 21; n <= 30; ++n) {
    Sic b;
    b.write<SIC_PICENABLE>(1u << n);
    b.set_line(n, true);
    for (u32 m = 21; m <= 30; ++m) CHECK(b.pin("pic" + std::to_string(m)) == (m == n));
  }
}
TEST_CASE("versatile_sic: pass-through follows a change of PICENABLE") {
  Sic b;
  b.set_line(24, true);
  CHECK_FALSE(b.pin("pic24"));
  b.write<SIC_PICENABLE>(1u << 24);
  CHECK(b.pin("pic24"));
  b.write<SIC_PICENCLR>(1u << 24);
  CHECK_FALSE(b.pin("pic24"));
}
TEST_CASE("versatile_sic: cascade and pass-through work at the same time") {
  Sic b;
  b.write<SIC_ENABLE>(1u << 22);
  b.write<SIC_PICENABLE>(1u << 22);
  b.set_line(22, true);
  CHECK(b.pin("irq"));
  CHECK(b.pin("pic22"));
}
TEST_CASE("versatile_sic: Linux's write to FIQ_ENABLE_CLEAR is known") {
  Sic b;
  b.write<SIC_FIQENCLR>(~0u);
  CHECK(b.strays == 0);
}
TEST_CASE("versatile_sic: reset drops the outputs and keeps the input levels") {
  Sic b;
  b.write<SIC_ENABLE>(~0u);
  b.write<SIC_PICENABLE>(~0u);
  b.set_line(22, true);
  b.reset();
  CHECK_FALSE(b.pin("irq"));
  CHECK_FALSE(b.pin("pic22"));
  CHECK(b.read<SIC_RAWSTAT>() == 1u << 22);
}
}  // namespace
