#pragma once
// What the monitor says about PCI functions, in QEMU's form.  Thread: vCPU.

#include "peripherals/pci/bus.hpp"

namespace boards {
// `info pci`: the functions of the bus and of those behind its bridges.
std::string pci_text(const peripherals::pci::Bus& bus);
// The lines about one function in `info qtree`: class, place, regions; each behind `indent` blanks.
std::string pci_tree_lines(const peripherals::pci::Function& f, unsigned indent);
}  // namespace boards
