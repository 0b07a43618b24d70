// Runs pci.yaml: each check is a property of the generated machine.
#include <cstdio>
#include <cstdlib>

using namespace core;
#define CHECK(what) ((what) ? void() : (std::printf("line %d: %s\n", __LINE__, #what), std::exit(1)))

int main() {
  static boards::pci_board::Machine m;
  std::string error;
  CHECK(!m.create_memory(13 * MiB, error));
  CHECK(m.create_memory(7 * MiB, error));
  CHECK(m.ram.size() == 2 && m.ram[0].size == 4 * MiB && m.ram[1].size == 3 * MiB && m.info().ram_max == 12 * MiB);
  static boards::pci_board::Machine small;
  CHECK(small.create_memory(3 * MiB, error) && small.ram.size() == 1 && small.ram[0].size == 3 * MiB);
  HostClock clock;
  m.clock = &clock;
  m.reset_devices();

  // Functions sit where the page says, under their names.
  auto& bus = *m.pci_bus();
  CHECK(bus.config_read(0, 3 << 3, 0, 4) == 0x0002'0001 && bus.config_read(0, 2 << 3 | 1, 0, 2) == 1 && bus.config_read(0, 5 << 3, 0, 2) == 0xffff);
  CHECK(bus.at(3, 0)->id == "ide" && bus.at(2, 1)->soldered);

  // Where nobody of the page answers, the bus does: in memory, and in the port space that shows in a window.
  bus.config_write(0, 3 << 3, 0x10, 4, 0x0700'0000), bus.config_write(0, 3 << 3, 0x14, 4, 0x1000), bus.config_write(0, 3 << 3, 4, 2, 3);
  m.write(GuestPhys{0x0700'0000}, 4, 5);
  CHECK(m.read(GuestPhys{0x0900'1000}, 4) == 5 && m.ide.r.data.v == 5);
  CHECK(m.read(GuestPhys{0x0700'1000}, 4) == 0);

  // The bus wires the interrupt pin; a function reaches memory when it may.
  CHECK((m.vic.x.levels & 1u << 5) && !m.ide.copied);
  bus.config_write(0, 3 << 3, 4, 2, 7);
  m.write(GuestPhys{0x0700'0000}, 4, 6);
  CHECK(m.ide.copied && m.ram[0].host[0x100] == 6);
  m.reset_devices();
  CHECK(!(m.vic.x.levels & 1u << 5));

  // What stands behind host:.
  for (unsigned n : {0u, 1u, 2u, 3u}) {
    m.drives.emplace_back();
    m.drives.back().interface = BlockInterface::ide, m.drives.back().bus = n / 2, m.drives.back().unit = n % 2;
  }
  CHECK(m.ide.wires.drive(2) == &m.drives[2] && !m.ide.wires.drive(4) && !m.net.wires.drive(0) && !m.scsi.wires.drive(0));
  m.nics.emplace_back();
  CHECK(m.net.wires.nic() == &m.nics[0] && !m.ide.wires.nic());
  const BoardInfo& info = m.info();
  CHECK(info.drives.size() == 2 && info.drives[0].interface == BlockInterface::ide && info.drives[0].buses == 2 && info.drives[0].units == 2);
  CHECK(info.drives[1].buses == 2 && info.drives[1].units == 7);
  CHECK(info.nics.size() == 1 && std::string_view(info.nics[0]) == "fake_card");
  CHECK(std::string_view(info.map).find("   3.0                  ide            fake_card\n") != std::string_view::npos);
}
