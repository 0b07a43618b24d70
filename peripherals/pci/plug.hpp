#pragma once
// PCI devices by -device: the bus as one that takes devices at run time, and how a function gets onto it.
// Thread: before the machine runs.

#include "peripherals/pci/bus.hpp"

#include "core/plug.hpp"

namespace peripherals::pci {

inline constexpr std::string_view plug_type = "PCI";
// addr=, multifunction=, romfile=, rombar=, bootindex=: what every function takes.
std::span<const PlugProperty> plug_properties();

class PciPlugBus final : public PlugBus {
 public:
  // Without addr= a device goes to the first free slot from `first_slot` on.
  PciPlugBus(std::string name, Bus& bus, unsigned first_slot)
      : PlugBus(plug_type, std::move(name)), bus(bus), first_slot(first_slot) {}
  bool full() const override { return bus.free_slot(first_slot) == slot_count; }

  Bus& bus;
  const unsigned first_slot;
};

// Puts the function where `request` says, and writes there where that is: `addr` as 06.0.  Errors: usage, the place is
// taken or there is none.
Status plug_function(PlugRequest& request, std::unique_ptr<Function> f);

// The `plug` of a peripheral made by pci/device.hpp: plug_device<Plugged<Pcnet>>.
template <class F>
Status plug_device(PlugRequest& request) {
  PlugContext context = request.context;
  return plug_function(request, std::make_unique<F>(std::move(context)));
}

// pci-bridge.
std::span<const PlugKind> bridge_kinds();
}  // namespace peripherals::pci
