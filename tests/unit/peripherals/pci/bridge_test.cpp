#include "peripherals/pci/bridge.hpp"

#include "core/machine.hpp"

#include <doctest/doctest.h>

using namespace peripherals::pci;
using namespace core;

namespace {
// A card with an I/O, a memory and a 64-bit region that answer with their number, and a pin per write.
class Card final : public Function {
 public:
  explicit Card(u8 pin)
      : Function({.vendor = 0x1234,
                  .device = 0x1111,
                  .interrupt_pin = pin,
                  .bars = {Bar{BarKind::io, 16}, Bar{BarKind::memory, 4096}, Bar{BarKind::prefetchable64, 4096}}}) {}
  u64 bar_read(unsigned bar, u64 off, unsigned) noexcept override { return bar << 16 | off; }
  void bar_write(unsigned, u64, unsigned, u64 v) noexcept override { set_intx(v); }
};

struct Fixture {
  MachineBase machine;
  bool lines[4] = {};
  unsigned moved = 0;
  Bus bus{0,
          {.dma_read = [this](GuestPhys at, std::span<u8> to) { return machine.dma_read(at, to); },
           .dma_write = [this](GuestPhys at, std::span<const u8> from) { return machine.dma_write(at, from); },
           .set_line = [this](unsigned l, bool on) { lines[l] = on; },
           .route = [](unsigned, unsigned pin) { return pin; },
           .addresses_moved = [this] { ++moved; }}};
  Bridge bridge{"br", 1};
  Card near{1}, card{1}, other{2};
  Fixture() {
    REQUIRE(bus.attach(near, 2));
    REQUIRE(bus.attach(bridge, 5));
    REQUIRE(bridge.secondary().attach(card, 2));
    REQUIRE(bridge.secondary().attach(other, 3));
    bus.reset();
  }
  u32 read(unsigned n, unsigned slot, u32 reg, unsigned size = 4) { return bus.config_read(n, slot << 3, reg, size); }
  void write(unsigned n, unsigned slot, u32 reg, unsigned size, u32 v) { bus.config_write(n, slot << 3, reg, size, v); }
  // Bus 1 behind the bridge: I/O 0x2000…0x2fff, memory from 0x1000'0000, prefetchable from 0x1'8000'0000, 1 MiB each.
  void set_up() {
    write(0, 5, 0x18, 4, 0x00'01'01'00);
    write(0, 5, 0x1c, 2, 0x2020);
    write(0, 5, 0x20, 4, 0x1000'1000);
    write(0, 5, 0x24, 4, 0x8000'8000), write(0, 5, 0x28, 4, 1), write(0, 5, 0x2c, 4, 1);
    write(0, 5, 4, 2, 7);
    write(1, 2, 0x10, 4, 0x2000), write(1, 2, 0x14, 4, 0x1000'0000);
    write(1, 2, 0x18, 4, 0x8000'0000), write(1, 2, 0x1c, 4, 1), write(1, 2, 4, 2, 7);
  }
  bool answers(bool io, u64 at) {
    u64 v;
    return bus.read(io, at, 4, v);
  }
};
}  // namespace

TEST_CASE("pci bridge: the header is of type 1 (1.1 §3.2)") {
  Fixture f;
  CHECK(f.read(0, 5, 0) == 0x0001'1b36);
  CHECK(f.read(0, 5, 8) == 0x0604'0000);
  CHECK(f.read(0, 5, 0x0e, 1) == 1);
  for (u32 r = 0x10; r < 0x18; r += 4) f.write(0, 5, r, 4, ~0u);
  CHECK(f.read(0, 5, 0x10) == 0);
  f.write(0, 5, 0x1c, 2, 0xffff), f.write(0, 5, 0x20, 4, ~0u), f.write(0, 5, 0x24, 4, ~0u), f.write(0, 5, 0x38, 4, ~0u);
  CHECK(f.read(0, 5, 0x1c, 2) == 0xf0f0);
  CHECK(f.read(0, 5, 0x20) == 0xfff0'fff0);
  CHECK(f.read(0, 5, 0x24) == 0xfff1'fff1);
  CHECK(f.read(0, 5, 0x38) == 0);
  CHECK(f.read(0, 5, 0x34, 1) == 0x40);
  CHECK(f.read(0, 5, 0x40) == 0x0120'0004);
}

TEST_CASE("pci bridge: configuration goes to the bus numbers behind it, when it has any (1.1 §3.2.5.4)") {
  Fixture f;
  CHECK(f.read(1, 2, 0) == ~0u);
  f.set_up();
  CHECK(f.read(1, 2, 0) == 0x1111'1234);
  CHECK(f.read(1, 4, 0) == ~0u);
  CHECK(f.read(2, 2, 0) == ~0u);
  f.write(0, 5, 0x18, 4, 0x00'07'03'00);  // buses 3 to 7, of which there is only 3
  CHECK(f.read(3, 2, 0) == 0x1111'1234);
  CHECK(f.read(1, 2, 0) == ~0u);
  CHECK(f.read(5, 2, 0) == ~0u);
  CHECK(f.read(0, 2, 0) == 0x1111'1234);
}

TEST_CASE("pci bridge: a bridge behind a bridge") {
  Fixture f;
  Bridge inner("inner", 2);
  Card deep(1);
  REQUIRE(f.bridge.secondary().attach(inner, 9));
  REQUIRE(inner.secondary().attach(deep, 1));
  f.set_up();
  f.write(0, 5, 0x18, 4, 0x00'02'01'00);
  f.write(1, 9, 0x18, 4, 0x00'02'02'01);
  CHECK(f.read(2, 1, 0) == 0x1111'1234);
  f.write(2, 1, 0x14, 4, 0x1000'1000), f.write(2, 1, 4, 2, 6);
  CHECK_FALSE(f.answers(false, 0x1000'1000));
  f.write(1, 9, 0x20, 4, 0x1000'1000), f.write(1, 9, 4, 2, 6);
  CHECK(f.answers(false, 0x1000'1000));
  // INTA# of slot 1 becomes INTB# of slot 9, which becomes INTC# of slot 5.
  f.bus.write(false, 0x1000'1000, 4, 1);
  CHECK(f.lines[2]);
  f.bus.write(false, 0x1000'1000, 4, 0);
  CHECK_FALSE(f.lines[2]);
}

TEST_CASE("pci bridge: cycles go through its windows (1.1 §3.2.5.6 to .12)") {
  Fixture f;
  f.set_up();
  u64 v = 0;
  CHECK(f.bus.read(true, 0x2004, 4, v));
  CHECK(v == 4);
  CHECK(f.bus.read(false, 0x1000'0010, 4, v));
  CHECK(v == 0x1'0010);
  CHECK(f.bus.read(false, 0x1'8000'0020, 4, v));
  CHECK(v == 0x2'0020);
  // Outside a window nobody answers, wherever the card is.
  f.write(1, 2, 0x14, 4, 0x1010'0000);
  CHECK_FALSE(f.answers(false, 0x1010'0000));
  f.write(0, 5, 0x20, 4, 0x1010'1000);
  CHECK(f.answers(false, 0x1010'0000));
  f.write(0, 5, 0x20, 4, 0x1000'1010);  // closed
  CHECK_FALSE(f.answers(false, 0x1010'0000));
  f.write(0, 5, 0x2c, 4, 0);
  CHECK_FALSE(f.answers(false, 0x1'8000'0000));
  f.write(0, 5, 4, 2, 6);
  CHECK_FALSE(f.answers(true, 0x2004));
  CHECK(f.moved > 0);
}

TEST_CASE(
    "pci bridge: ISA enable leaves most of each KiB alone, VGA enable lets the card's addresses through (1.1 "
    "§3.2.5.18)") {
  Fixture f;
  f.set_up();
  f.write(1, 2, 0x10, 4, 0x2100);
  CHECK(f.answers(true, 0x2100));
  f.write(0, 5, 0x3e, 2, 4);
  CHECK_FALSE(f.answers(true, 0x2100));
  f.write(1, 2, 0x10, 4, 0x2400);
  CHECK(f.answers(true, 0x2400));
  f.write(1, 2, 0x10, 4, 0x3c0), f.write(1, 2, 0x14, 4, 0xa0000);
  CHECK_FALSE(f.answers(true, 0x3c0));
  f.write(0, 5, 0x3e, 2, 8);
  CHECK(f.answers(true, 0x3c0));
  CHECK(f.answers(false, 0xa0000));
}

TEST_CASE("pci bridge: interrupt pins turn with the slot (1.1 §9.1)") {
  Fixture f;
  f.set_up();
  f.bus.write(false, 0x1000'0000, 4, 1);  // INTA# of slot 2: INTC#
  CHECK(f.lines[2]);
  f.write(1, 3, 0x14, 4, 0x1001'0000), f.write(1, 3, 4, 2, 2);
  f.bus.write(false, 0x1001'0000, 4, 1);  // INTB# of slot 3: INTA#
  CHECK(f.lines[0]);
  f.bus.write(false, 0x1000'0000, 4, 0);
  CHECK_FALSE(f.lines[2]);
  CHECK(f.lines[0]);
}

TEST_CASE("pci bridge: those behind it reach memory while it is a bus master (1.1 §3.2.4.1)") {
  Fixture f;
  f.set_up();
  REQUIRE(f.machine.add_ram("ram", GuestPhys{0}, 4096, false));
  u8 byte[1] = {7};
  CHECK(f.card.dma_write(GuestPhys{5}, byte));
  CHECK(f.machine.ram[0].host[5] == 7);
  f.write(0, 5, 4, 2, 3);
  CHECK_FALSE(f.card.dma_read(GuestPhys{5}, byte));
}

TEST_CASE("pci bridge: the secondary bus is reset by bridge control, and with the bridge (1.1 §3.2.5.18)") {
  Fixture f;
  f.set_up();
  f.bus.write(false, 0x1000'0000, 4, 1);
  f.write(0, 5, 0x3e, 2, 0x40);
  CHECK_FALSE(f.lines[2]);
  CHECK(f.read(1, 2, 0x14) == 0);
  CHECK(f.read(0, 5, 0x19, 1) == 1);
  f.write(0, 5, 0x3e, 2, 0);
  f.write(1, 2, 0x14, 4, 0x1000'0000);
  f.bus.reset();
  CHECK(f.read(0, 5, 0x19, 1) == 0);
  CHECK(f.card.get(0x14, 4) == 0);
}

TEST_CASE("pci: an expansion ROM is sized and read like the specification says (3.0 §6.2.5.2)") {
  Fixture f;
  Card c(1);
  std::vector<u8> contents(2048, 0);
  contents[0] = 0x55, contents[1] = 0xaa, contents[2047] = 0x11;
  c.set_rom(contents);
  REQUIRE(f.bus.attach(c, 7));
  f.bus.reset();
  f.write(0, 7, 0x30, 4, ~0u);
  CHECK(f.read(0, 7, 0x30) == 0xffff'f801);
  f.write(0, 7, 0x30, 4, 0x2000'0000), f.write(0, 7, 4, 2, 2);
  CHECK_FALSE(f.answers(false, 0x2000'0000));
  f.write(0, 7, 0x30, 4, 0x2000'0001);
  u64 v = 0;
  CHECK(f.bus.read(false, 0x2000'0000, 2, v));
  CHECK(v == 0xaa55);
  CHECK(f.bus.read(false, 0x2000'07fc, 8, v));
  CHECK(v == 0x1100'0000);
}
