// Runs features.yaml: each check is a property of the generated machine.
#include <cstdio>
#include <cstdlib>

using namespace core;
#define CHECK(what) ((what) ? void() : (std::printf("line %d: %s\n", __LINE__, #what), std::exit(1)))

int main() {
  static boards::features::Machine m;
  std::string error;
  CHECK(!m.create_memory(17 * MiB, error));
  CHECK(error == "17 MiB of RAM is too much, at most 16 MiB: 'vic' begins at 0x1000000");
  CHECK(!m.create_memory(MiB + 1, error));
  CHECK(error == "RAM comes in whole MiB, 1048577 bytes are not");
  CHECK(m.create_memory(0, error));
  CHECK(m.ram.size() == 2 && m.ram[0].size == 2 * MiB);
  HostClock clock;
  m.clock = &clock;
  m.reset_devices();

  // Two drivers of one line.
  const auto uart0 = GuestPhys{0x1001004}, uart1 = GuestPhys{0x1001014};
  m.write(uart0, 4, 1), m.write(uart1, 4, 1), m.write(uart0, 4, 0);
  CHECK(m.read(GuestPhys{0x1000000}, 4) == 1u << 3 && m.cpu.lines == 1);
  m.write(uart1, 4, 0);
  CHECK(m.cpu.lines == 0);
  m.write(uart1, 4, 1), m.reset_devices();
  CHECK(m.joined[0] == 0 && m.cpu.lines == 0);

  // One driver of two lines, in the port space; its ports are not memory.
  m.write_io(GuestPhys{0x3f4}, 4, 1);
  CHECK(m.vic.x.levels == (1u << 4 | 1u << 5));
  CHECK(m.read_io(GuestPhys{0x3f4}, 4) == 1 && m.read_io(GuestPhys{0x404}, 4) == 0);

  // One device at two places, which looks into another; 0x62 lies between them.
  m.write_io(GuestPhys{0x60}, 1, 0x5a);
  CHECK(m.read_io(GuestPhys{0x60}, 1) == 0x5a && m.read_io(GuestPhys{0x62}, 1) == 0 && m.read_io(GuestPhys{0x64}, 2) == 0x30);
  CHECK(m.ports.wires.ram_size() == 2 * MiB);

  // A window that moves.
  CHECK(m.read(GuestPhys{0x8013004}, 4) == 0);
  std::atomic<u32> request{0};
  m.request = &request;
  m.write(GuestPhys{0x1002000}, 4, 0x8000000);
  CHECK(request & request_flush);
  m.write(GuestPhys{0x8013004}, 4, 7);
  CHECK(m.read(GuestPhys{0x8013004}, 4) == 7 && (m.vic.x.levels & 1u << 6));
  m.write(GuestPhys{0x1002000}, 4, 0x9000000);
  CHECK(m.read(GuestPhys{0x8013004}, 4) == 0 && m.read(GuestPhys{0x9013004}, 4) == 7);

  // Large windows.
  m.write(GuestPhys{0x1200004}, 4, 1);
  CHECK((m.vic.x.levels & 1u << 11) && m.read(GuestPhys{0x1200004}, 4) == 1);

  // Flash: status until read-array mode comes back.
  CHECK(m.ram[1].direct);
  m.write(GuestPhys{0x2000123}, 1, 0x41);
  CHECK(!m.ram[1].direct && m.ram[1].host[0x123] == 0x41 && m.read(GuestPhys{0x2000123}, 1) == 0xc1);
  m.write(GuestPhys{0x2000123}, 1, 0xff);
  CHECK(m.ram[1].direct);

  // Timers are numbered over the machine, characters go to the port of the page.
  m.serial[1].wake_host = [](void*) {};  // a host side is connected
  m.write(GuestPhys{0x1001010}, 4, 'B');
  u8 c = 0;
  CHECK(m.serial[1].to_host.pop(c) && c == 'B' && m.serial[0].to_host.empty());
  CHECK(boards::features::uart1_timers == 2 && m.timers.armed(3) && m.uart1.wires.armed(1));
  m.expire(3);
  CHECK(m.uart1.x.expired == 2 && m.uart0.x.expired == 0);
  m.uart1.wires.disarm(1);
  CHECK(!m.timers.armed(3) && boards::features::timer_count == 14);

  unsigned ports = 0, devices = 0, edges = 0;
  each_serial(m, [&](unsigned port, auto& d) { ports |= 1u << port, d.receive(u8('0' + port)); });
  each_device(m, [&](std::string_view, auto&) { ++devices; });
  each_edge(m, [&](auto) { ++edges; });
  CHECK(ports == 7 && m.uart2.x.last == '2' && devices == 11 && edges == 9);
  CHECK(blocks_of(m)[1].name == "uart0" && m.uart3.wires.id == 0x12);

  const BoardInfo& info = m.info();
  CHECK(info.machines.size() == 2 && std::string_view(info.machines[1]) == "everything");
  CHECK(info.clocks[0].hz == 1500000 && info.ram_default == 2 * MiB && info.ram_max == 16 * MiB);
  CHECK(std::string_view(info.wiring).find("uart1.irq -> vic.3 (joined)\n") != std::string_view::npos);
}
