#include "peripherals/pci/device.hpp"

#include <doctest/doctest.h>

using namespace peripherals::pci;
using namespace core;

namespace {
// Two registers behind an I/O and a memory region.
namespace toy {
struct Regs {
  Reg<struct DATA, 0x00, R | W> data;
  Reg<struct LEVEL, 0x04, R | Wfn, 0, Bits<struct UP, 0>> level;
};
template <class Wires>
struct Toy {
  static constexpr std::string_view kind = "toy";
  static constexpr Ports ports{.outputs = {"inta"}, .timers = 1};
  static constexpr Identity pci_identity{.vendor = 0x1234,
                                         .device = 0x5678,
                                         .class_code = 0x020000,
                                         .interrupt_pin = 1,
                                         .bars = {Bar{BarKind::io, 32}, Bar{BarKind::memory64, 4096}},
                                         .rom_size = 2048};
  static constexpr BarMap pci_bars[] = {{0, 0}, {1, 0}};
  Wires wires;
  Regs r;
  struct Hidden {
    u32 expired = 0;
  } x;
  void on_write(At<LEVEL>, u32 v) {
    r.level.write(v);
    wires.inta(r.level.is<UP>());
    wires.arm(0, 1000);
  }
  void expire(Timer<0>) { ++x.expired, r.data.v = 0x1111; }
};
}  // namespace toy

struct StillClock final : Clock {
  u64 t = 0;
  u64 now() const noexcept override { return t; }
  void pause() override {}
  void resume() override {}
};

struct Fixture {
  StillClock clock;
  MachineBase machine;
  unsigned line = 99, moved = 0;
  bool level = false;
  Bus bus{0,
          {.dma_read = [this](GuestPhys at, std::span<u8> to) { return machine.dma_read(at, to); },
           .dma_write = [this](GuestPhys at, std::span<const u8> from) { return machine.dma_write(at, from); },
           .set_line = [this](unsigned l, bool on) { line = l, level = on; },
           .route = [](unsigned slot, unsigned pin) { return slot + pin; },
           .addresses_moved = [this] { ++moved; }}};
  Function* toy = nullptr;
  Fixture() {
    machine.clock = &clock;
    auto f = std::make_unique<Plugged<toy::Toy>>(PlugContext{machine, "toy0", nullptr, {}, {}});
    toy = f.get();
    REQUIRE(bus.attach(std::move(f), 5));
    bus.reset();
  }
  u32 config(u32 reg, unsigned size = 4) { return bus.config_read(0, 5 << 3, reg, size); }
  void config(u32 reg, unsigned size, u32 v) { bus.config_write(0, 5 << 3, reg, size, v); }
};
}  // namespace

TEST_CASE("pci: an absent function reads as all ones, at the width asked (§6.1)") {
  Fixture f;
  CHECK(f.bus.config_read(0, 6 << 3, 0, 4) == 0xffff'ffff);
  CHECK(f.bus.config_read(1, 5 << 3, 0, 2) == 0xffff);
  CHECK(f.config(0) == 0x5678'1234);
  CHECK(f.config(0x3d, 1) == 1);
}

TEST_CASE("pci: base address registers tell their size (§6.2.5.1)") {
  Fixture f;
  for (u32 r : {0x10u, 0x14u, 0x18u, 0x1cu, 0x30u}) f.config(r, 4, 0xffff'ffff);
  CHECK(f.config(0x10) == 0xffff'ffe1);
  CHECK(f.config(0x14) == 0xffff'f004);
  CHECK(f.config(0x18) == 0xffff'ffff);
  CHECK(f.config(0x1c) == 0);
  CHECK(f.config(0x30) == 0xffff'f801);
}

TEST_CASE("pci: regions answer only while COMMAND decodes them and an address is set (§6.2.2)") {
  Fixture f;
  u64 v = 7;
  f.config(0x10, 4, 0x1000);
  CHECK_FALSE(f.bus.read(true, 0x1000, 4, v));
  f.config(4, 2, 1);
  CHECK(f.bus.write(true, 0x1000, 4, 0xabcd));
  CHECK(f.bus.read(true, 0x1000, 4, v));
  CHECK(v == 0xabcd);
  CHECK_FALSE(f.bus.read(true, 0x1020, 4, v));
  CHECK_FALSE(f.bus.read(false, 0x1000, 4, v));
  f.config(0x14, 4, 0xffff'ffff), f.config(0x18, 4, 0xffff'ffff), f.config(4, 2, 2);
  CHECK_FALSE(f.bus.read(false, 0xffff'ffff'ffff'f000, 4, v));
  f.config(0x14, 4, 0x8000'0000), f.config(0x18, 4, 1);
  CHECK(f.bus.read(false, 0x1'8000'0000, 4, v));
  CHECK(f.moved > 0);
}

TEST_CASE("pci: the interrupt pin follows the routing, and COMMAND bit 10 masks it (§6.2.2, §6.2.3)") {
  Fixture f;
  f.config(0x10, 4, 0x1000), f.config(4, 2, 1);
  f.bus.write(true, 0x1004, 4, 1);
  CHECK(f.line == 1);
  CHECK(f.level);
  CHECK((f.config(6, 2) & 8) == 8);
  f.config(4, 2, 0x401);
  CHECK_FALSE(f.level);
  CHECK((f.config(6, 2) & 8) == 8);
  f.config(4, 2, 1);
  CHECK(f.level);
  f.bus.reset();
  CHECK_FALSE(f.level);
}

TEST_CASE("pci: a function reaches memory only as bus master (§6.2.2)") {
  Fixture f;
  REQUIRE(f.machine.add_ram("ram", GuestPhys{0}, 8192, false));
  u8 byte[4] = {1, 2, 3, 4};
  CHECK_FALSE(f.toy->dma_write(GuestPhys{16}, byte));
  f.config(4, 2, 4);
  CHECK(f.toy->dma_write(GuestPhys{16}, byte));
  CHECK(f.machine.ram[0].host[17] == 2);
  CHECK_FALSE(f.toy->dma_write(GuestPhys{8190}, byte));
}

TEST_CASE("pci: timers of plugged devices run out on the machine's clock") {
  Fixture f;
  f.config(0x10, 4, 0x1000), f.config(4, 2, 1);
  f.bus.write(true, 0x1004, 4, 0);
  f.clock.t = 2000;
  const int id = f.machine.timers.take_due(2000);
  REQUIRE(id >= 0);
  CHECK(f.machine.expire_added(unsigned(id)));
  u64 v = 0;
  CHECK(f.bus.read(true, 0x1000, 4, v));
  CHECK(v == 0x1111);
}

TEST_CASE("pci: a place is taken once; the next free slot is found") {
  Fixture f;
  CHECK_FALSE(f.bus.attach(*f.toy, 5));
  CHECK(f.bus.free_slot(5) == 6);
  CHECK(f.bus.free_slot(32) == slot_count);
}

TEST_CASE("pci: capabilities form a list (§6.7)") {
  Fixture f;
  CHECK(f.toy->add_capability(0x05, 10) == 0x40);
  CHECK(f.toy->add_capability(0x11, 12) == 0x4c);
  CHECK(f.config(0x34, 1) == 0x40);
  CHECK(f.config(0x40, 2) == 0x4c05);
  CHECK((f.config(6, 2) & 0x10) == 0x10);
}
