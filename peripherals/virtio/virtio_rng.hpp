#pragma once
// Entropy device over virtio.  VIRTIO 1.1 §5.4.  The bytes come from MachineBase::entropy.
// Thread: vCPU.

#include "peripherals/virtio/device.hpp"

#include <functional>

namespace peripherals::virtio {

class Rng final : public Device {
 public:
  using Source = std::function<void(std::span<u8>)>;
  explicit Rng(const Source& source) : Device(the_kind), source_(source) { add_queue(8); }

 private:
  static constexpr Facts the_kind{
      .name = "virtio-rng", .type = 4, .transitional_id = 0x1005, .pci_class = 0x00ff00, .config_size = 0};
  static constexpr u64 most = 4096;  // bytes given at once: fewer than asked for is allowed (§5.4.6)
  u64 features() const override { return 0; }
  void fill_config(std::span<u8>, ByteOrder) const override {}
  void notified(unsigned) noexcept override;

  const Source& source_;
};
}  // namespace peripherals::virtio
