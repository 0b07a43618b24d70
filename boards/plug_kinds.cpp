// The devices a board with a PCI bus takes.  One line each; a device brings its description.

#include "boards/plugs.hpp"
#include "peripherals/net/plug.hpp"
#include "peripherals/pci/plug.hpp"
#include "peripherals/scsi/plug.hpp"
#include "peripherals/virtio/plug.hpp"

namespace boards {

host::PlugKinds pci_plug_kinds() {
  static const std::vector<const core::PlugKind*> all = [] {
    std::vector<const core::PlugKind*> kinds;
    for (const auto list : {peripherals::pci::bridge_kinds(), peripherals::scsi::plug_kinds(), peripherals::network_kinds(), peripherals::virtio::plug_kinds()})
      for (const core::PlugKind& k : list) kinds.push_back(&k);
    return kinds;
  }();
  return all;
}
}  // namespace boards
