#include "peripherals/pci/gt64120.hpp"
#include "peripherals/pci/device.hpp"
#include "peripherals/pci/piix4_isa.hpp"

#include "tests/unit/bench.hpp"

using namespace test;
using namespace peripherals;
using namespace peripherals::gt64120;

namespace {
struct Pic {
  u8 acknowledge() { return 0x2c; }
};

// A Malta without its other devices: the bridge, its bus, and the ISA bridge in slot 10.
template <bool Big>
struct GtWires : TestWires {
  static constexpr bool big_endian = Big;
  static constexpr u64 rotation[32] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2};
  static inline MachineBase* board;
  static inline Pic controller;
  static inline unsigned moves;
  void pirqa(bool on) const { drive("pirqa", on); }
  void pirqb(bool on) const { drive("pirqb", on); }
  void pirqc(bool on) const { drive("pirqc", on); }
  void pirqd(bool on) const { drive("pirqd", on); }
  void window_moved() const { ++moves; }
  MachineBase& machine() const { return *board; }
  Pic& pic() const { return controller; }
};

// A card with one memory and one I/O region that tells where it was asked.
struct Card final : pci::Function {
  Card()
      : Function({.vendor = 0x1234,
                  .device = 0x0001,
                  .interrupt_pin = 1,
                  .bars = {pci::Bar{pci::BarKind::memory, 4096}, pci::Bar{pci::BarKind::io, 16}}}) {}
  u64 bar_read(unsigned bar, u64 off, unsigned) noexcept override { return 0x100 * (bar + 1) + off; }
  void bar_write(unsigned, u64, unsigned, u64 v) noexcept override { set_intx(v != 0); }
};

template <bool Big>
struct Fixture {
  MachineBase machine;
  Card card;
  Bench<Gt64120, GtWires<Big>> b;
  pci::Soldered<typename decltype(b)::Dev> self;
  Fixture() : self((GtWires<Big>::board = &machine, b.dev)) {
    REQUIRE(b.dev.bus.attach(self, 0));
    REQUIRE(b.dev.bus.attach(card, 11));
    b.reset();
  }
  u32 config(u32 address) {
    return b.template write<PCI0_CFGADDR>(0x8000'0000 | address), b.template read<PCI0_CFGDATA>();
  }
  void config(u32 address, u32 v) {
    b.template write<PCI0_CFGADDR>(0x8000'0000 | address), b.template write<PCI0_CFGDATA>(v);
  }
};
}  // namespace

TEST_CASE("gt64120: reset values tell the byte order (appendix A)") {
  Fixture<false> little;
  CHECK(little.b.read<CPU_CONFIG>() == 0x1000);
  CHECK(little.b.read<PCI0_CMD>() == 0x0001'0001);
  CHECK(little.b.read<DEVICE_DECODE>(17) == 0xff);
  Fixture<true> big;
  CHECK(big.b.read<CPU_CONFIG>() == 0);
  CHECK(big.b.read<PCI0_CMD>() == 0);
}

TEST_CASE("gt64120: configuration cycles reach the bridge and the cards") {
  Fixture<false> f;
  CHECK(f.config(0) == 0x4620'11ab);
  CHECK(f.config(0x0b << 11) == 0x0001'1234);
  CHECK(f.config(0x20) == 0x1400'0000);
  CHECK(f.config(0x05 << 11) == 0xffff'ffff);
  CHECK((f.b.read<INTRCAUSE>() & 1 << 18) != 0);
  f.b.write<INTRCAUSE>(0xfff3'ffff);
  CHECK(f.b.read<INTRCAUSE>() == 0);
  f.b.write<PCI0_CFGADDR>(0x0b << 11);  // not enabled
  CHECK(f.b.read<PCI0_CFGDATA>() == 0xffff'ffff);
}

TEST_CASE("gt64120: without MByteSwap configuration data of other devices is turned") {
  Fixture<true> f;
  CHECK(f.config(0) == 0x4620'11ab);
  CHECK(f.config(0x0b << 11) == 0x3412'0100);
}

TEST_CASE("gt64120: a low decode sets the remap register, which can then be written (§4.1)") {
  Fixture<false> f;
  f.b.write<PCI0IOLD>(0xc0);
  CHECK(f.b.read<PCI0IOREMAP>() == 0xc0);
  f.b.write<PCI0IOREMAP>(0);
  CHECK(f.b.read<PCI0IOREMAP>() == 0);
  CHECK(f.b.read<PCI0IOLD>() == 0xc0);
}

TEST_CASE("gt64120: windows move and close") {
  Fixture<false> f;
  const unsigned before = GtWires<false>::moves;
  CHECK(f.b.dev.window_base(1) == 0x1400'0000);
  f.b.write<ISD>(0xdf);
  CHECK(f.b.dev.window_base(1) == 0x1be0'0000);
  f.b.write<PCI0IOLD>(0xc0), f.b.write<PCI0IOHD>(0x40);
  CHECK(f.b.dev.window_base(0) == 0x1800'0000);
  f.b.write<PCI0IOHD>(0x3f);
  CHECK(f.b.dev.window_base(0) > 0x1'0000'0000);
  CHECK(GtWires<false>::moves > before);
}

TEST_CASE("gt64120: PCI memory and I/O cycles; what nobody claims is a master abort and reads as ones") {
  Fixture<false> f;
  f.b.write<PCI0M0LD>(0x80), f.b.write<PCI0M0HD>(0x3f);
  f.config(0x0b << 11 | 0x10, 0x1000'0000), f.config(0x0b << 11 | 0x14, 0x1000), f.config(0x0b << 11 | 4, 3);
  u64 v = 0;
  CHECK(f.b.dev.mem_plug_read(GuestPhys{0x1000'0008}, 4, v));
  CHECK(v == 0x108);
  CHECK(f.b.dev.io_plug_read(GuestPhys{0x1004}, 2, v));
  CHECK(v == 0x204);
  CHECK(f.b.dev.mem_plug_read(GuestPhys{0x1100'0000}, 4, v));
  CHECK(u32(v) == 0xffff'ffff);
  CHECK_FALSE(f.b.dev.mem_plug_read(GuestPhys{0x1f00'0000}, 4, v));
}

TEST_CASE("gt64120: the board turns interrupt pins by slot; the acknowledge cycle gives the vector") {
  Fixture<false> f;
  f.config(0x0b << 11 | 0x14, 0x1000), f.config(0x0b << 11 | 4, 1);
  f.b.dev.io_plug_write(GuestPhys{0x1000}, 4, 1);
  CHECK(f.b.pin("pirqb"));
  f.b.reset();
  CHECK_FALSE(f.b.pin("pirqb"));
  CHECK(f.b.read<PCI0_IACK>() == 0x2c);
}

namespace {
struct IsaWires : TestWires {
  static inline pci::Function* self;
  pci::Function& function() const { return *self; }
  void irq3(bool on) const { drive("irq3", on); }
  void irq4(bool on) const { drive("irq4", on); }
  void irq5(bool on) const { drive("irq5", on); }
  void irq6(bool on) const { drive("irq6", on); }
  void irq7(bool on) const { drive("irq7", on); }
  void irq9(bool on) const { drive("irq9", on); }
  void irq10(bool on) const { drive("irq10", on); }
  void irq11(bool on) const { drive("irq11", on); }
  void irq12(bool on) const { drive("irq12", on); }
  void irq14(bool on) const { drive("irq14", on); }
  void irq15(bool on) const { drive("irq15", on); }
};
struct Isa {
  struct Unplaced final : pci::Function {
    Unplaced() : Function({.vendor = 0, .device = 0}) {}
    u64 bar_read(unsigned, u64, unsigned) noexcept override { return 0; }
    void bar_write(unsigned, u64, unsigned, u64) noexcept override {}
  } before;
  using Dev = piix4_isa::Piix4Isa<IsaWires>;
  struct Made {
    explicit Made(pci::Function& f) { IsaWires::self = &f; }
  } made{before};
  Bench<piix4_isa::Piix4Isa, IsaWires> b;
  pci::Soldered<Dev> f{b.dev};
  Isa() { IsaWires::self = &f; }
};
}  // namespace

TEST_CASE("piix4_isa: PIRQ lines go where PIRQRC steers them; several may share one (§4.1.10)") {
  Isa i;
  i.b.set_line(0, true);
  CHECK(i.b.pin("irq10"));
  i.b.set_line(1, true);
  i.b.set_line(0, false);
  CHECK(i.b.pin("irq10"));
  i.f.config_write(0x61, 1, 5);
  CHECK_FALSE(i.b.pin("irq10"));
  CHECK(i.b.pin("irq5"));
  i.f.config_write(0x61, 1, 0x85);
  CHECK_FALSE(i.b.pin("irq5"));
  CHECK(i.f.config_read(0x0e, 1) == 0x80);
}

TEST_CASE("piix4_isa: RC resets when RCPU rises (§4.1.4)") {
  Isa i;
  i.b.write<piix4_isa::RC>(2);
  CHECK(i.b.resets == 0);
  i.b.write<piix4_isa::RC>(6);
  i.b.write<piix4_isa::RC>(6);
  CHECK(i.b.resets == 1);
}
