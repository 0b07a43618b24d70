// One binary per board: this file, compiled with the board's generated header.

#include PINSTRAP_BOARD_HEADER

#include "accel/board_port.hpp"
#include "boards/app.hpp"
#include "boards/cpu_arm.hpp"
#include "boards/cpu_mips.hpp"
#include "boards/plugs.hpp"
#include "peripherals/pci/plug.hpp"
#include "peripherals/scsi/plug.hpp"

extern const unsigned char pinstrap_device_tree[];
extern const unsigned long pinstrap_device_tree_size;

namespace {
using Machine = boards::PINSTRAP_BOARD::Machine;
using namespace core;

// A device that takes characters gets what waits for it, as far as it has room.
template <class Device>
void pump(CharPort& port, Device& device) {
  if (port.break_pending.exchange(false)) device.receive_break();
  for (u8 c; device.can_receive() && port.to_guest.pop(c);) device.receive(c);
  device.host_drained();
}

void expire(void* machine, unsigned timer) {
  auto& m = *static_cast<Machine*>(machine);
  if (!m.expire_added(timer)) m.expire(timer);
}
void service(void* machine) {
  auto& m = *static_cast<Machine*>(machine);
  m.completions.run();
  m.serve_plugged();
  each_serial(m, [&](unsigned port, auto& device) { pump(m.serial[port], device); });
}
bool create_memory(MachineBase& m, u64 ram_size, std::string& error) { return static_cast<Machine&>(m).create_memory(ram_size, error); }
// An adapter of the page that is on its bus takes drives by -device.
template <class Device>
void add_targets(std::vector<std::unique_ptr<PlugBus>>& buses, Device& device) {
  if constexpr (requires { device.scsi_targets(); })
    if (device.wires.function().bus) {
      const std::string name = "scsi." + std::to_string(buses.size());
      buses.push_back(std::make_unique<peripherals::scsi::ScsiPlugBus>(name, device.scsi_targets(), Device::last_target));
    }
}
std::vector<std::unique_ptr<PlugBus>> fit_devices(MachineBase& machine, bool graphics) {
  auto& m = static_cast<Machine&>(machine);
  m.fit_devices(graphics);
  std::vector<std::unique_ptr<PlugBus>> buses;
  each_device(m, [&buses](std::string_view, auto& device) { add_targets(buses, device); });
  return buses;
}
void reset_devices(MachineBase& m) { static_cast<Machine&>(m).reset_devices(); }
void store(MachineBase* m, GuestPhys at, u32 value) { static_cast<Machine*>(m)->write(at, 4, value); }
u64 fetch(MachineBase* m, GuestPhys at) { return static_cast<Machine*>(m)->read(at, 4); }

// A board with a PCI bus takes devices on it.
template <class M>
void add_plugs(boards::App& app, M& m) {
  if constexpr (requires { m.pci_bus(); }) {
    app.plug_kinds = boards::pci_plug_kinds();
    app.plug_buses.push_back(std::make_unique<peripherals::pci::PciPlugBus>("pci.0", *m.pci_bus(), m.pci_bus()->first_plug_slot));
  }
}
}  // namespace

int main(int argc, char** argv) {
  Machine machine;
  machine.fetch_device = fetch;
  machine.store_device = store;
  boards::App app{.info = Machine::info(),
                  .machine = machine,
                  .cpu = boards::make_cpu(machine, machine.cpu),
                  .cpu_models = boards::cpu_model_names(machine.cpu),
                  .port = accel::BoardPort<Machine>::make(),
                  .calls = {&machine, expire, nullptr, service},
                  .devices = blocks_of(machine),
                  .create_memory = create_memory,
                  .fit_devices = fit_devices,
                  .reset_devices = reset_devices,
                  .device_tree = {pinstrap_device_tree, pinstrap_device_tree_size}};
  add_plugs(app, machine);
  return boards::run(app, argc, argv);
}
