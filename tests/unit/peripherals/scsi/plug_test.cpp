#include "peripherals/scsi/plug.hpp"
#include "peripherals/pci/plug.hpp"

#include "core/machine.hpp"

#include "tests/unit/peripherals/scsi/fake_drive.hpp"

#include <doctest/doctest.h>

using namespace peripherals;
using namespace core;
using test::FakeDrive;

namespace {
const PlugKind& kind(std::string_view name) {
  for (const PlugKind& k : scsi::plug_kinds())
    if (k.name == name) return k;
  throw std::invalid_argument("no such kind");
}
struct Fixture {
  FakeDrive drive{MiB};
  MachineBase machine;
  scsi::Bus targets;
  scsi::ScsiPlugBus bus{"scsi.0", targets, 6};
  std::vector<std::unique_ptr<PlugBus>> brought;

  Status plug(std::string_view what, PlugBus& on, std::map<std::string, std::string> properties) {
    PlugContext context{
        .machine = machine, .id = "", .nic = nullptr, .drives = {&drive.port}, .properties = std::move(properties)};
    PlugRequest r{kind(what), on, std::move(context), [this](auto b) { brought.push_back(std::move(b)); },
                  [](std::string_view prefix) { return std::string(prefix) + ".0"; }};
    return kind(what).plug(r);
  }
};
}  // namespace

TEST_CASE("scsi-hd: goes to the target it names, or to the first free one") {
  Fixture f;
  CHECK(f.plug("scsi-hd", f.bus, {{"scsi-id", "3"}}));
  CHECK(f.targets.present(3));
  FakeDrive second{MiB};
  f.drive.port.done = nullptr;
  CHECK(f.bus.free_target() == 0);
  const auto taken = f.plug("scsi-hd", f.bus, {{"scsi-id", "3"}});
  REQUIRE_FALSE(taken);
  CHECK(taken.error().text == "scsi-id=3 is taken on bus 'scsi.0'; choose another");
  CHECK_FALSE(f.plug("scsi-hd", f.bus, {{"scsi-id", "7"}}));
  CHECK_FALSE(f.plug("scsi-hd", f.bus, {{"lun", "1"}}));
}

TEST_CASE("scsi-cd: makes its drive a CD drive") {
  Fixture f;
  CHECK(f.plug("scsi-cd", f.bus, {{"serial", "X1"}}));
  CHECK(f.targets.present(0));
  CHECK(f.drive.port.is_cdrom);
  CHECK(f.drive.port.read_only);
  CHECK(f.drive.port.serial == "X1");
}

TEST_CASE("lsi53c895a: a plugged card brings a SCSI bus; its drives stay over a reset") {
  Fixture f;
  f.machine.timers.resize(0);
  pci::Bus pci{0,
               {.dma_read = nullptr,
                .dma_write = nullptr,
                .set_line = [](unsigned, bool) {},
                .route = [](unsigned, unsigned) { return 0u; },
                .addresses_moved = {}}};
  pci::PciPlugBus slots{"pci.0", pci, 12};
  PlugContext context{.machine = f.machine, .id = "hba", .nic = nullptr, .drives = {}, .properties = {}};
  PlugRequest r{kind("lsi53c895a"), slots, std::move(context), [&](auto b) { f.brought.push_back(std::move(b)); },
                nullptr};
  REQUIRE(kind("lsi53c895a").plug(r));
  REQUIRE(pci.at(12, 0));
  CHECK(pci.config_read(0, 12 << 3, 0, 4) == 0x0012'1000);
  REQUIRE(f.brought.size() == 1);
  CHECK(f.brought[0]->name == "hba.0");
  auto& bus = static_cast<scsi::ScsiPlugBus&>(*f.brought[0]);
  CHECK(f.plug("scsi-hd", bus, {}));
  pci.reset();
  CHECK(bus.targets.present(0));
}
