#include "peripherals/sysctl/versatile_pci_regs.hpp"

#include "tests/unit/bench.hpp"

using namespace test;
using namespace peripherals::versatile_pci_regs;

TEST_CASE("versatile pci: IMAP keeps the top four address bits of each window (DUI 0224I table 4-52)") {
  Bench<VersatilePciRegs> b;
  b.write<PCI_IMAP>(1, 0xfffffff5);
  CHECK(b.read_at(0x4) == 5);
  CHECK(b.dev.window_page(1) == 0x5000'0000);
  CHECK(b.dev.window_page(0) == 0);
  CHECK(b.dev.window_page(9) == 0);
}
TEST_CASE("versatile pci: SELFID, FLAGS and SMAP are storage, cleared by reset") {
  Bench<VersatilePciRegs> b;
  b.write<PCI_SELFID>(0xb);
  b.write<PCI_FLAGS>(0x1234);
  b.write<PCI_SMAP>(2, 0x7000'0000);
  CHECK(b.dev.self_slot() == 11);
  CHECK(b.read_at(0x10) == 0x1234);
  CHECK(b.read_at(0x1c) == 0x7000'0000);
  b.reset();
  CHECK(b.read_at(0x1c) == 0);
}
TEST_CASE("versatile pci: registers answer words only") {
  Bench<VersatilePciRegs> b;
  b.write_at(0x4, 1, 5);
  CHECK(b.strays == 1);
  CHECK(b.read_at(0x4) == 0);
}
