#include "peripherals/net/plug.hpp"

#include "peripherals/net/pcnet.hpp"
#include "peripherals/pci/device.hpp"
#include "peripherals/pci/plug.hpp"

namespace peripherals {
using namespace core;

namespace {
constexpr PlugProperty properties[] = {
    {"mac", "str", "Ethernet 6-byte MAC Address, example: 52:54:00:12:34:56"},
    {"netdev", "str", "ID of a netdev to use as a backend"},
};
}  // namespace

std::span<const PlugKind> network_kinds() {
  static const PlugKind kinds[] = {{.name = "pcnet",
                                    .description = "AMD PCnet-PCI II (Am79C970A) Ethernet",
                                    .bus = pci::plug_type,
                                    .category = PlugCategory::network,
                                    .properties = properties,
                                    .bus_properties = pci::plug_properties(),
                                    .netdev = PlugNeed::may,
                                    .plug = pci::plug_device<pci::Plugged<pcnet::Pcnet>>}};
  return kinds;
}
}  // namespace peripherals
