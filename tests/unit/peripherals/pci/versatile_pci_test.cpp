#include "peripherals/pci/versatile_pci.hpp"
#include "peripherals/pci/device.hpp"

#include "tests/unit/bench.hpp"

using namespace test;
using namespace peripherals;
using namespace peripherals::versatile_pci;

namespace {
struct Board : TestWires {
  static inline MachineBase* board;
  void pci0(bool on) const { drive("pci0", on); }
  void pci1(bool on) const { drive("pci1", on); }
  void pci2(bool on) const { drive("pci2", on); }
  void pci3(bool on) const { drive("pci3", on); }
  MachineBase& machine() const { return *board; }
};

// A card with one memory and one I/O region that tells where it was asked; a write sets its interrupt.
struct Card final : pci::Function {
  Card()
      : Function({.vendor = 0x1234,
                  .device = 0x0001,
                  .interrupt_pin = 1,
                  .bars = {pci::Bar{pci::BarKind::memory, 4096}, pci::Bar{pci::BarKind::io, 16}}}) {}
  u64 bar_read(unsigned bar, u64 off, unsigned) noexcept override { return 0x1000 * (bar + 1) + off; }
  void bar_write(unsigned, u64, unsigned, u64 v) noexcept override { set_intx(v != 0); }
};

struct Fixture {
  MachineBase machine;
  Card card;
  Bench<VersatilePci, Board> b;
  pci::Soldered<decltype(b)::Dev> self;
  Fixture() : self((Board::board = &machine, b.dev)) {
    REQUIRE(b.dev.bus.attach(self, 11));
    REQUIRE(b.dev.bus.attach(card, 12));
    b.reset();
  }
  u64 read(u64 at, unsigned size = 4) {
    u64 v = 0x5555;
    REQUIRE(b.dev.mem_plug_read(GuestPhys{at}, size, v));
    return v & (size == 4 ? ~0u : (1u << size * 8) - 1);
  }
  void write(u64 at, unsigned size, u64 v) { REQUIRE(b.dev.mem_plug_write(GuestPhys{at}, size, v)); }
  void enable() { write(0x4200'6010, 4, 0x5000'2000), write(0x4200'6014, 4, 0x1001), write(0x4200'6004, 2, 7); }
};
}  // namespace

TEST_CASE(
    "versatile pci: the bridge is found by scanning its own window; empty slots read as all ones (DUI 0224I §4.15)") {
  Fixture f;
  CHECK(f.read(0x4100'5800) == 0x0300'10ee);
  CHECK(f.read(0x4100'5808) == 0x0b40'0000);
  CHECK(f.read(0x4200'5804) == 0x0220'0000);
  CHECK(f.read(0x4200'6000, 2) == 0x1234);
  CHECK(f.read(0x4200'6002, 2) == 0x0001);
  CHECK(f.read(0x4200'6800) == 0xffff'ffff);
  CHECK(f.read(0x4201'6000) == 0xffff'ffff);
}

TEST_CASE("versatile pci: memory windows show the page IMAP names, I/O the low 16 MiB (table 4-50, table 4-52)") {
  Fixture f;
  f.enable();
  CHECK(f.read(0x5000'2004) == 0xffff'ffff);  // IMAP1 is 0 after reset
  f.b.write<PCI_IMAP>(1, 0xffff'fff5);
  CHECK(f.b.read_at(4) == 5);
  CHECK(f.read(0x5000'2004) == 0x1004);
  CHECK(f.read(0x6000'2004) == 0xffff'ffff);
  f.b.write<PCI_IMAP>(2, 5);
  CHECK(f.read(0x6000'2004) == 0x1004);
  CHECK(f.read(0x4300'1003, 1) == 0x03);
  CHECK(f.read(0x4300'2000, 1) == 0xff);
  u64 v;
  CHECK_FALSE(f.b.dev.mem_plug_read(GuestPhys{0x40ff'ffff}, 1, v));
  CHECK_FALSE(f.b.dev.mem_plug_read(GuestPhys{0x7000'0000}, 4, v));
  CHECK_FALSE(f.b.dev.mem_plug_write(GuestPhys{0x1'5000'2000}, 4, 0));
}

TEST_CASE("versatile pci: interrupt pins turn from slot to slot (§4.15.3)") {
  Fixture f;
  f.enable();
  f.write(0x4200'603c, 1, 0x42);
  f.write(0x4300'1000, 4, 1);
  CHECK(f.b.pin("pci2"));  // slot 12, INTA
  f.b.reset();
  CHECK_FALSE(f.b.pin("pci2"));
}

TEST_CASE("versatile pci: a kernel that counts the lines the old way gets them so") {
  for (u8 line : {27, 39, 103}) {
    Fixture f;
    f.enable();
    f.write(0x4200'603c, 1, line);
    f.write(0x4300'1000, 4, 1);
    CHECK(f.b.pin("pci0"));
    f.b.reset();
    CHECK_FALSE(f.b.pin("pci0"));
  }
}

TEST_CASE("versatile pci: SELFID, FLAGS and SMAP are storage, cleared by reset; registers answer words only") {
  Fixture f;
  f.b.write<PCI_SELFID>(0xb), f.b.write<PCI_FLAGS>(0x1234), f.b.write<PCI_SMAP>(2, 0x7000'0000);
  CHECK(f.b.read_at(0x0c) == 11);
  CHECK(f.b.read_at(0x10) == 0x1234);
  CHECK(f.b.read_at(0x1c) == 0x7000'0000);
  f.b.reset();
  CHECK(f.b.read_at(0x1c) == 0);
  f.b.write_at(0x4, 1, 5);
  CHECK(f.b.strays == 1);
  CHECK(f.b.read_at(0x4) == 0);
}
