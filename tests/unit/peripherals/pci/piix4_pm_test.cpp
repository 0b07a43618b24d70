#include "peripherals/pci/piix4_pm.hpp"

#include "peripherals/pci/device.hpp"
#include "tests/unit/bench.hpp"

using namespace test;
using namespace peripherals::piix4_pm;
namespace pci = peripherals::pci;

namespace {
pci::Function* function_of_device;
struct Board : TestWires {
  static constexpr u64 eeproms = 0x41;
  void sci(bool on) const { drive("sci", on); }
  u64 ram_size() const { return 256 * MiB; }
  pci::Function& function() const { return *function_of_device; }
};
using Dev = Piix4Pm<Board>;

// As Linux on Malta sets it up: PM at 0x1000, SMBus at 0x1100.
struct Power : World {
  Dev dev;
  pci::Soldered<Dev> function{dev};
  pci::Bus bus{0,
               {.dma_read = {},
                .dma_write = {},
                .set_line = [](unsigned, bool) {},
                .route = [](unsigned, unsigned pin) { return pin; },
                .addresses_moved = {}}};
  Power() {
    timers.resize(1);
    dev.wires.world = this;
    function_of_device = &function;
    bus.attach(function, 10, 3);
    bus.reset();
    reset_device(dev);
  }
  void config(u32 reg, unsigned size, u32 v) { bus.config_write(0, 0x53, reg, size, v); }
  u32 config(u32 reg, unsigned size) { return bus.config_read(0, 0x53, reg, size); }
  void open() { config(0x40, 4, 0x1000), config(0x80, 1, 1), config(0x90, 4, 0x1100); }
  u64 in(u64 port, unsigned size) {
    u64 v = ~u64(0);
    return bus.read(true, port, size, v) ? v : ~u64(0);
  }
  void out(u64 port, unsigned size, u64 v) { bus.write(true, port, size, v); }
  bool sci() { return pins["sci"].level; }
  void run_for(u64 ns) {
    for (const u64 end = now + ns;;) {
      if (timers.next() > end) return void(now = end);
      now = timers.next();
      timers.take_due(now);
      dev.expire(Timer<0>{});
    }
  }
  // One SMBus transaction; the status a driver sees when it is over.
  u64 transact(u8 protocol, u8 address, u8 command) {
    out(0x1103, 1, command), out(0x1104, 1, address), out(0x1102, 1, 0x40 | protocol << 2);
    CHECK(in(0x1100, 1) == 0x01);
    const u64 status = in(0x1100, 1);
    out(0x1100, 1, status);
    CHECK(in(0x1100, 1) == 0);
    return status;
  }
};
}  // namespace

TEST_CASE("piix4_pm: configuration space of function 3 (§7.1)") {
  Power b;
  CHECK(b.config(0x00, 4) == 0x7113'8086);
  CHECK(b.config(0x08, 4) == 0x0680'0003);
  CHECK(b.config(0x3d, 1) == 1);
  CHECK(b.config(0x40, 4) == 1);
  b.config(0x40, 4, 0xffff'ffff);
  CHECK(b.config(0x40, 4) == 0xffc1);
  b.config(0x90, 4, 0xffff'ffff);
  CHECK(b.config(0x90, 4) == 0xfff1);
}
TEST_CASE("piix4_pm: PMBA and SMBBA say where the registers are, PMREGMISC opens the first") {
  Power b;
  CHECK(b.in(0x1008, 4) == ~u64(0));
  b.config(0x40, 4, 0x1000);
  CHECK(b.in(0x1008, 4) == ~u64(0));
  b.open();
  CHECK(b.in(0x1134, 4) == ~u64(0));
  CHECK(b.in(0x1034, 4) == 0x7fff'bfff);
  CHECK(b.in(0x1100, 1) == 0);
  b.config(0x40, 4, 0x0600);
  CHECK(b.in(0x0634, 4) == 0x7fff'bfff);
  CHECK(b.in(0x1034, 4) == ~u64(0));
  b.config(0xd2, 1, 0x08);
  CHECK(b.in(0x1100, 1) == ~u64(0));
}
TEST_CASE("piix4_pm: the timer counts 24 bits at 3.579545 MHz (§7.2.4)") {
  Power b;
  b.open();
  CHECK(b.in(0x1008, 4) == 0);
  b.run_for(1_s);
  CHECK(b.in(0x1008, 4) == 3'579'545);
  b.run_for(4_s);
  CHECK(b.in(0x1008, 4) == (5 * 3'579'545 & 0xff'ffff));
  CHECK(b.in(0x1009, 1) == (5 * 3'579'545 >> 8 & 0xff));
}
TEST_CASE("piix4_pm: TMROF_STS tells changes of the top bit, with SCI_EN and its enable it interrupts") {
  Power b;
  b.open();
  b.out(0x1002, 2, 0x0001), b.out(0x1004, 2, 0x0001);
  b.run_for(2'343_ms);
  CHECK_FALSE(b.sci());
  b.run_for(1_ms);
  CHECK(b.sci());
  CHECK(b.in(0x1000, 2) == 0x0001);
  b.out(0x1001, 1, 0xff);  // the other byte: nothing clears
  CHECK(b.sci());
  b.out(0x1000, 2, 0x0001);
  CHECK_FALSE(b.sci());
  b.run_for(2'344_ms);
  CHECK(b.sci());
}
TEST_CASE("piix4_pm: the power button") {
  Power b;
  b.open();
  b.out(0x1002, 2, 0x0100);
  b.dev.press_power_button();
  CHECK_FALSE(b.sci());
  CHECK(b.in(0x1000, 4) == 0x0100'0100);
  reg_write(b.dev, 0, 1, 0xf1);  // ACPI on
  CHECK((b.in(0x1004, 2) & 1) == 1);
  CHECK(b.sci());
  b.out(0x1000, 2, 0x0100);
  CHECK_FALSE(b.sci());
  reg_write(b.dev, 0, 1, 0xf0);
  CHECK((b.in(0x1004, 2) & 1) == 0);
  reg_write(b.dev, 1, 1, 0x5a);
  CHECK(reg_read(b.dev, 0, 2) == 0x5af0);
}
TEST_CASE("piix4_pm: SUS_EN with type 0 turns the machine off (§7.2.3)") {
  Power b;
  b.open();
  b.out(0x1004, 2, 0x2400);  // suspend to RAM: wakes at once
  CHECK(b.shutdowns == 0);
  CHECK((b.in(0x1000, 2) & 0x8000) == 0x8000);
  b.out(0x1004, 2, 0x2000);
  CHECK(b.shutdowns == 1);
  CHECK(b.exit_status == 0);
  CHECK((b.in(0x1004, 2) & 0x2000) == 0);
}
TEST_CASE("piix4_pm: SMBus reads the memory module's EEPROM") {
  Power b;
  b.open();
  CHECK(b.transact(Smbus::byte_data, 0xa1, 0x02) == 0x02);
  CHECK(b.in(0x1105, 1) == 4);
  CHECK(b.transact(Smbus::byte, 0xa1, 0) == 0x02);
  CHECK(b.in(0x1105, 1) == 13);  // row addresses, byte 3
  CHECK(b.transact(Smbus::word_data, 0xa1, 0x00) == 0x02);
  CHECK(b.in(0x1105, 2) == 0x0880);
  CHECK(b.transact(Smbus::quick, 0xa0, 0) == 0x02);
}
TEST_CASE("piix4_pm: SMBus writes and block transfers") {
  Power b;
  b.open();
  b.out(0x1105, 1, 0x5a);
  CHECK(b.transact(Smbus::byte_data, 0xac, 0x10) == 0x02);
  CHECK(b.transact(Smbus::byte_data, 0xad, 0x10) == 0x02);
  CHECK(b.in(0x1105, 1) == 0x5a);
  b.in(0x1102, 1);
  b.out(0x1105, 1, 3);
  for (u8 v : {7, 8, 9}) b.out(0x1107, 1, v);
  CHECK(b.transact(Smbus::block, 0xac, 0x20) == 0x02);
  CHECK(b.transact(Smbus::block, 0xad, 0x20) == 0x02);
  CHECK(b.in(0x1105, 1) == 3);
  b.in(0x1102, 1);
  CHECK(b.in(0x1107, 1) == 7);
  CHECK(b.in(0x1107, 1) == 8);
}
TEST_CASE("piix4_pm: SMBus addresses nobody has") {
  Power b;
  b.open();
  for (u8 address : {0xa3, 0x2d, 0xff}) CHECK(b.transact(Smbus::byte_data, address, 0) == 0x04);
}
TEST_CASE("piix4_pm: the SMBus interrupt goes to IRQ9") {
  Power b;
  b.open();
  b.out(0x1104, 1, 0xa1), b.out(0x1102, 1, 0x49);
  CHECK(b.sci());
  b.out(0x1100, 1, 0x02);
  CHECK_FALSE(b.sci());
}
TEST_CASE("piix4_pm: any protocol, block count and offset stays in bounds") {
  Power b;
  b.open();
  for (int protocol = 0; protocol < 8; ++protocol)
    for (int v = 0; v < 256; ++v) {
      b.out(0x1105, 2, u64(v * 0x0101)), b.out(0x1103, 1, u64(v)), b.out(0x1104, 1, 0xa0 | (v & 0xf));
      b.out(0x1102, 1, u64(0x40 | protocol << 2 | (v & 3)));
      b.in(0x1107, 4), b.out(0x1107, 1, u64(v));
    }
  CHECK(b.in(0x1100, 1) != ~u64(0));
}
