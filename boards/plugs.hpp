#pragma once
// Devices on a machine's buses that the command line asked for: -device, -drive if=virtio, -nic model=.
//
//     Plugs plugs({machine, kinds, network});
//     plugs.add_bus(std::make_unique<pci::PciPlugBus>("pci.0", *app.pci, first_slot));
//     TRY(plug_devices(options, plugs));
//
// Thread: before the machine runs; the texts: vCPU.

#include "host/device_options.hpp"
#include "host/options.hpp"

#include "core/machine.hpp"
#include "core/plug.hpp"

#include <optional>
#include <set>

namespace boards {

class Plugs {
 public:
  // The network plug of a card; `netdev` empty: no cable.  Null: cards have none.
  using Network = std::function<core::Result<core::NetPort*>(std::string_view netdev, std::string_view model,
                                                             std::string_view id, std::optional<core::MacAddress> mac)>;
  struct Site {
    core::MachineBase& machine;
    host::PlugKinds kinds;
    Network network = nullptr;
  };
  explicit Plugs(Site site) : site_(std::move(site)) {}
  Plugs(const Plugs&) = delete;

  // The buses on the board, before anything else; of several of one type the first takes what names none.
  void add_bus(std::unique_ptr<core::PlugBus> bus) { buses_.push_back(std::move(bus)); }

  // Errors: usage, one sentence that begins with the option.
  core::Status add(std::string_view option);                           // -device OPTION
  core::Status add_drive(core::BlockPort& drive);                      // -drive if=virtio
  core::Status add_card(std::string_view model, core::NetPort& port);  // -nic model=MODEL

  std::string info_pci() const;
  // The buses with what is on them, as `info qtree` shows it.
  std::string tree() const;

 private:
  struct Plugged {
    const core::PlugKind* kind;
    std::string id, bus;
    std::map<std::string, std::string> properties;
    std::vector<std::string> brought;  // names of buses
  };
  core::Status plug(host::DeviceOption option, core::NetPort* port = nullptr);
  core::Status check_id(const std::string& id) const;
  core::Result<core::PlugBus*> find_bus(const host::DeviceOption& option) const;
  core::Status give_drive(const host::DeviceOption& option, core::PlugContext& context);
  core::Status give_network(const host::DeviceOption& option, core::PlugContext& context) const;
  core::Status give_chardev(const host::DeviceOption& option, core::PlugContext& context);
  core::PlugBus* named(std::string_view name) const;
  void bus_tree(std::string& out, const core::PlugBus& bus, unsigned indent) const;
  void device_tree(std::string& out, const Plugged& device, const std::string& place, unsigned indent) const;

  Site site_;
  std::vector<std::unique_ptr<core::PlugBus>> buses_;
  std::vector<Plugged> plugged_;
  std::set<const core::BlockPort*> used_drives_;
};

// Everything on the command line.  Errors: as above.
core::Status plug_devices(const host::Options& options, Plugs& plugs, core::MachineBase& machine);

// What boards with a PCI bus take.
host::PlugKinds pci_plug_kinds();
}  // namespace boards
