#include <cstdlib>

int main() {
  static boards::variant::Machine m;
  std::string error;
  const bool ok = m.create_memory(0, error) && m.ram[0].size == 4 * core::MiB && m.uart2.wires.clock_hz == 32768 &&
                  m.uart0.wires.clock_hz == 1000000 && boards::variant::info.machines.size() == 1 && boards::variant::known_regions[0].size == core::MiB;
  core::HostClock clock;
  m.clock = &clock;
  m.reset_devices();
  m.uart2.wires.irq(true);
  m.uart7.wires.irq(true);
  return ok && m.vic.x.levels == 1u << 9 ? 0 : 1;
}
