#pragma once
// SCSI by -device: the adapter, and the drives on the bus it brings.  Thread: before the machine runs.

#include "peripherals/scsi/scsi_bus.hpp"

#include "core/plug.hpp"

namespace peripherals::scsi {

inline constexpr std::string_view plug_type = "SCSI";

class ScsiPlugBus final : public PlugBus {
 public:
  // `targets` are 0 to `last`; the adapter is above them.
  ScsiPlugBus(std::string name, Bus& targets, unsigned last)
      : PlugBus(plug_type, std::move(name)), targets(targets), last(last) {}
  unsigned free_target() const;
  bool full() const override { return free_target() > last; }

  Bus& targets;
  const unsigned last;
};

// lsi53c895a; scsi-hd and scsi-cd.
std::span<const PlugKind> plug_kinds();
}  // namespace peripherals::scsi
