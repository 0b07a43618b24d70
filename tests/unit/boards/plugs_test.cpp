#include "boards/plugs.hpp"

#include "boards/pci_text.hpp"
#include "peripherals/pci/plug.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <fstream>

using namespace boards;
using namespace core;
namespace pci = peripherals::pci;

namespace {
class Card final : public pci::Function {
 public:
  Card()
      : Function({.vendor = 0x11ab,
                  .device = 0x4620,
                  .class_code = 0x060000,
                  .interrupt_pin = 1,
                  .bars = {pci::Bar{pci::BarKind::io, 16}, pci::Bar{pci::BarKind::memory, 4096}}}) {
    id = "gt";
    kind = "gt64120";
  }
  u64 bar_read(unsigned, u64, unsigned) noexcept override { return 0; }
  void bar_write(unsigned, u64, unsigned, u64) noexcept override {}
};

struct Nothing final : BlockBackend {
  void submit(BlockRequest, std::function<void(BlockRequest)>) override {}
};

struct Fixture {
  MachineBase machine;
  Nothing nothing;
  Card card;
  pci::Bus bus{0, {.dma_read = {}, .dma_write = {}, .set_line = {}, .route = {}, .addresses_moved = {}}};
  NetPort net;
  std::string asked;
  Plugs plugs{{machine, pci_plug_kinds(),
               [this](std::string_view netdev, std::string_view model, std::string_view id,
                      std::optional<MacAddress> mac) -> Result<NetPort*> {
                 if (netdev == "none") return Error{Kind::usage, "there is no netdev 'none'"};
                 asked = std::string(netdev) + " " + std::string(model) + " " + std::string(id);
                 net.mac = mac.value_or(MacAddress{0x52, 0x54, 0, 1, 2, 3});
                 return &net;
               }}};
  Fixture() {
    REQUIRE(bus.attach(card, 0));
    plugs.add_bus(std::make_unique<pci::PciPlugBus>("pci.0", bus, 0));
  }
  BlockPort& drive(const char* id, BlockInterface interface = BlockInterface::none) {
    BlockPort& p = machine.drives.emplace_back();
    p.id = id;
    p.interface = interface;
    p.backend = &nothing;
    p.size = 1 * MiB;
    return p;
  }
  std::string add(std::string_view option) {
    const auto done = plugs.add(option);
    return done ? "good" : done.error().text;
  }
};
}  // namespace

TEST_CASE("plugs: devices go to the first free slot, or where addr= says") {
  Fixture f;
  CHECK(f.add("virtio-rng-pci,id=r0") == "good");
  CHECK(f.add("virtio-rng,addr=1f.7") == "good");
  CHECK(f.add("virtio-rng-pci,addr=0x3,multifunction=on") == "good");
  REQUIRE(f.bus.at(1, 0));
  CHECK(f.bus.at(1, 0)->id == "r0");
  CHECK(f.bus.at(1, 0)->kind == "virtio-rng-pci");
  CHECK_FALSE(f.bus.at(1, 0)->soldered);
  CHECK(f.bus.at(31, 7));
  REQUIRE(f.bus.at(3, 0));
  CHECK((f.bus.at(3, 0)->get(0x0e, 1) & 0x80) != 0);
  CHECK(f.add("virtio-rng-pci,addr=0") ==
        "-device virtio-rng-pci,addr=0: slot 0 function 0 of bus 'pci.0' already holds 'gt'; leave addr= out for a "
        "free one");
  CHECK(f.add("virtio-rng-pci,addr=20") ==
        "-device virtio-rng-pci,addr=20: addr='20' must be SLOT or SLOT.FUNCTION in hexadecimal, slots up to 1f");
  for (const char* bad : {"1.8", "x", "1.", ".1", "1.1.1"})
    CHECK(f.add(std::string("virtio-rng-pci,addr=") + bad) != "good");
}

TEST_CASE("plugs: a full bus says so") {
  Fixture f;
  for (unsigned n = 0; n < 31; ++n) CHECK(f.add("virtio-rng-pci") == "good");
  CHECK(f.add("virtio-rng-pci") == "-device virtio-rng-pci: virtio-rng-pci: no place is free on pci.0");
  CHECK(f.add("virtio-rng-pci,bus=pci.0") ==
        "-device virtio-rng-pci,bus=pci.0: bus 'pci.0' has no free slot; add a pci-bridge and say bus=");
}

TEST_CASE("plugs: buses that are named, of the wrong type, or not there") {
  Fixture f;
  CHECK(f.add("virtio-rng-pci,bus=pci.0") == "good");
  CHECK(f.add("virtio-rng-pci,bus=pci") == "good");
  CHECK(f.add("virtio-rng-pci,bus=pci.1") ==
        "-device virtio-rng-pci,bus=pci.1: there is no bus 'pci.1' (did you mean 'pci.0'?); virtio-rng-pci fits on "
        "pci.0");
  CHECK(f.add("virtconsole") ==
        "-device virtconsole: there is no virtio-serial-bus bus for virtconsole; put '-device virtio-serial-pci' "
        "before it");
  CHECK(f.add("virtio-serial-pci,id=s") == "good");
  CHECK(f.add("virtio-rng-pci,bus=s.0") ==
        "-device virtio-rng-pci,bus=s.0: bus 's.0' is of type virtio-serial-bus, virtio-rng-pci needs one of type PCI");
  CHECK(f.add("virtconsole,bus=s.0") == "good");
  CHECK(f.add("virtconsole,bus=s.0,nr=0").find("has no place for this port") != std::string::npos);
}

TEST_CASE("plugs: a bridge brings a bus by its id, which takes devices") {
  Fixture f;
  CHECK(f.add("pci-bridge,id=br1,chassis_nr=3,addr=5") == "good");
  CHECK(f.add("virtio-rng-pci,bus=br1,addr=2") == "good");
  CHECK(f.add("pci-bridge,bus=br1") == "good");
  CHECK(f.add("virtio-rng-pci,bus=pci.1") == "good");
  pci::Bus* const behind = f.bus.at(5, 0)->behind();
  REQUIRE(behind);
  CHECK(behind->at(2, 0)->kind == "virtio-rng-pci");
  CHECK(behind->at(1, 0)->behind()->at(1, 0)->kind == "virtio-rng-pci");
}

TEST_CASE("plugs: drives are found, and go into one device") {
  Fixture f;
  f.drive("d0"), f.drive("hda", BlockInterface::ide);
  CHECK(f.add("virtio-blk-pci") ==
        "-device virtio-blk-pci: virtio-blk-pci needs drive=; add '-drive if=none,id=d0,file=FILE' and say drive=d0");
  CHECK(f.add("virtio-blk-pci,drive=d1") ==
        "-device virtio-blk-pci,drive=d1: there is no drive 'd1' (did you mean 'd0'?); '-drive "
        "if=none,id=d1,file=FILE' makes it");
  CHECK(f.add("virtio-blk-pci,drive=hda") ==
        "-device virtio-blk-pci,drive=hda: drive 'hda' is at a place of the board; give it if=none to put it here");
  CHECK(f.add("virtio-blk-pci,drive=d0,serial=X,id=blk") == "good");
  CHECK(f.add("virtio-blk-pci,drive=d0") ==
        "-device virtio-blk-pci,drive=d0: drive 'd0' is in another device already; a drive goes into one");
  CHECK(f.add("virtio-rng-pci,id=blk") ==
        "-device virtio-rng-pci,id=blk: id='blk' is given twice; every device has its own");
}

TEST_CASE("plugs: -drive if=virtio and -nic model= make their devices") {
  Fixture f;
  f.drive("v0", BlockInterface::virtio), f.drive("v1", BlockInterface::virtio);
  host::Options options;
  options.device = {"virtio-blk-pci,drive=v1"};
  CHECK(plug_devices(options, f.plugs, f.machine));
  CHECK(f.bus.at(1, 0)->kind == "virtio-blk-pci");
  CHECK(f.bus.at(2, 0)->kind == "virtio-blk-pci");
  CHECK_FALSE(f.bus.at(3, 0));
  f.net.id = "n0";
  CHECK(f.plugs.add_card("virtio", f.net));
  CHECK(f.bus.at(3, 0)->id == "n0");
  CHECK(f.plugs.add_card("virtio-rng-pci", f.net).error().text == "-nic model=virtio-rng-pci: this is no network card");
}

TEST_CASE("plugs: a card gets its plug and its address") {
  Fixture f;
  CHECK(f.add("virtio-net-pci,netdev=u,id=n,mac=52:54:00:aa:bb:cc") == "good");
  CHECK(f.asked == "u virtio-net-pci n");
  CHECK(f.net.mac == MacAddress{0x52, 0x54, 0, 0xaa, 0xbb, 0xcc});
  CHECK(f.add("virtio-net-pci,netdev=none") == "-device virtio-net-pci,netdev=none: there is no netdev 'none'");
  for (const char* mac :
       {"52:54:00:aa:bb", "52:54:00:aa:bb:cc:dd", "x", "52:54:00:aa:bb:cg", "01:54:00:aa:bb:cc", "52540:0:aa:bb:cc"})
    CHECK(f.add(std::string("virtio-net-pci,mac=") + mac).find("mac=") != std::string::npos);
}

TEST_CASE("plugs: without a network a card has the address that was asked for, or a usual one") {
  Fixture f;
  Plugs alone({f.machine, pci_plug_kinds()});
  alone.add_bus(std::make_unique<pci::PciPlugBus>("pci.0", f.bus, 0));
  REQUIRE(alone.add("virtio-net-pci,mac=52:54:00:aa:bb:cc"));
  REQUIRE(alone.add("virtio-net-pci"));
  CHECK(f.bus.at(1, 0)->bar_read(0, 0x14 + 5, 1) == 0xcc);
  CHECK(f.bus.at(2, 0)->bar_read(0, 0x14, 1) == 0x52);
  CHECK(alone.add("virtio-net-pci,netdev=n").error().text ==
        "-device virtio-net-pci,netdev=n: netdev='n': this build has no network; leave netdev= out");
}

TEST_CASE("plugs: a chardev joins one port") {
  Fixture f;
  CHECK(f.add("virtio-serial-pci") == "good");
  CHECK(f.add("virtconsole,chardev=c0") == "good");
  REQUIRE(f.machine.plugged_serial.size() == 1);
  CHECK(f.machine.plugged_serial[0].chardev == "c0");
  CHECK(f.add("virtserialport,chardev=c0") ==
        "-device virtserialport,chardev=c0: chardev 'c0' is in another device already; a chardev goes into one");
  CHECK(f.add("virtserialport,name=org.x") == "good");
  CHECK(f.machine.plugged_services.size() == 1);
}

TEST_CASE("plugs: values a device cannot have") {
  Fixture f;
  f.drive("d0");
  CHECK(f.add("virtio-rng-pci,disable-legacy=on,disable-modern=on").find("leave nothing") != std::string::npos);
  CHECK(f.add("virtio-blk-pci,drive=d0,queue-size=100").find("power of two") != std::string::npos);
  CHECK(f.add("virtio-serial-pci,max_ports=32").find("1 to 31") != std::string::npos);
  CHECK(f.add("virtio-rng-pci,vectors=500").find("at most 128") != std::string::npos);
}

TEST_CASE("plugs: romfile= is seen in the expansion ROM region, in a power of two") {
  Fixture f;
  const std::string path = "plugs_test_rom.bin";
  std::ofstream(path, std::ios::binary) << std::string(3000, 'r');
  CHECK(f.add("virtio-rng-pci,romfile=" + path) == "good");
  CHECK(f.bus.at(1, 0)->rom().size() == 4096);
  CHECK(f.bus.at(1, 0)->rom()[2999] == 'r');
  CHECK(f.bus.at(1, 0)->rom()[3000] == 0xff);
  CHECK(f.add("virtio-rng-pci,rombar=0,romfile=" + path) == "good");
  CHECK(f.bus.at(2, 0)->rom().empty());
  std::remove(path.c_str());
  CHECK(f.add("virtio-rng-pci,romfile=" + path).find("cannot be read") != std::string::npos);
}

TEST_CASE("info pci: functions with their regions, buses behind bridges once they have numbers") {
  Fixture f;
  f.add("pci-bridge,id=br1,addr=2");
  f.add("virtio-rng-pci,bus=br1,id=r");
  CHECK(f.plugs.info_pci() ==
        "  Bus  0, device   0, function 0:\n"
        "    Host bridge: PCI device 11ab:4620\n"
        "      PCI subsystem 1af4:1100\n"
        "      IRQ 0, pin A\n"
        "      BAR0: I/O at 0xffffffffffffffff [0x000e].\n"
        "      BAR1: 32 bit memory at 0xffffffffffffffff [0x00000ffe].\n"
        "      id \"\"\n"
        "  Bus  0, device   2, function 0:\n"
        "    PCI bridge: PCI device 1b36:0001\n"
        "      IRQ 0, pin A\n"
        "      BUS 0.\n"
        "      secondary bus 0.\n"
        "      subordinate bus 0.\n"
        "      IO range [0x0000, 0x0fff]\n"
        "      memory range [0x00000000, 0x000fffff]\n"
        "      prefetchable memory range [0x00000000, 0x000fffff]\n"
        "      id \"br1\"\n");
  f.bus.config_write(0, 2 << 3, 0x18, 4, 0x010100);
  f.bus.config_write(1, 1 << 3, 0x10, 4, 0x1000), f.bus.config_write(1, 1 << 3, 4, 2, 1);
  const std::string text = f.plugs.info_pci();
  CHECK(text.substr(text.find("  Bus  1")) ==
        "  Bus  1, device   1, function 0:\n"
        "    Class 0255: PCI device 1af4:1005\n"
        "      PCI subsystem 1af4:0004\n"
        "      IRQ 0, pin A\n"
        "      BAR0: I/O at 0x1000 [0x101f].\n"
        "      BAR4: 64 bit prefetchable memory at 0xffffffffffffffff [0x00003ffe].\n"
        "      id \"r\"\n");
}

TEST_CASE("info qtree: buses, devices and their properties, one in the other") {
  Fixture f;
  f.add("pci-bridge,id=br1,chassis_nr=1,addr=13");
  f.add("virtio-serial-pci,bus=br1,id=s0,max_ports=4");
  f.add("virtconsole,name=tty");
  const std::string text = f.plugs.tree();
  const char* const parts[] = {
      "  bus: pci.0\n    type PCI\n    dev: gt64120, id \"gt\"\n      addr = 00.0\n      class Host bridge, addr "
      "00:00.0, pci id 11ab:4620 (sub 1af4:1100)\n",
      "    dev: pci-bridge, id \"br1\"\n      chassis_nr = 1 (0x1)\n      addr = 13.0\n",
      "      multifunction = false\n      rombar = 1 (0x1)\n      romfile = \"\"\n      class PCI bridge, addr "
      "00:13.0, pci id 1b36:0001 (sub 0000:0000)\n",
      "      bus: br1\n        type PCI\n        dev: virtio-serial-pci, id \"s0\"\n          emergency-write = true\n "
      "         max_ports = 4 (0x4)\n",
      "          disable-legacy = \"auto\"\n",
      "          bus: s0.0\n            type virtio-serial-bus\n            dev: virtconsole, id \"\"\n              "
      "chardev = \"\"\n              name = \"tty\"\n"};
  std::size_t at = 0;
  for (const char* part : parts) {
    CAPTURE(std::string(part));
    CAPTURE(text);
    const auto found = text.find(part, at);
    REQUIRE(found != text.npos);
    at = found;
  }
}
