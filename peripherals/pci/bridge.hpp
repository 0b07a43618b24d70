#pragma once
// A PCI-to-PCI bridge with a bus behind it.  PCI-to-PCI Bridge Architecture Specification 1.1, chapter 3 (header type
// 1), §9.1 (interrupts).
// Not modelled: delayed transactions, secondary status errors, hot plugging.
// Thread: vCPU.

#include "peripherals/pci/bus.hpp"

namespace peripherals::pci {

class Bridge final : public Function {
 public:
  // `chassis` is the number of the expansion chassis, shown in the slot numbering capability (§13.4).
  Bridge(std::string id, u8 chassis);

  Bus& secondary() { return secondary_; }
  Bus* behind() noexcept override { return &secondary_; }
  bool leads_to(unsigned bus) const noexcept override;
  void each_window(const std::function<void(bool io, u64 first, u64 last)>& window) const override;

  void config_write(u32 reg, unsigned size, u32 value) noexcept override;
  u64 bar_read(unsigned, u64, unsigned) noexcept override { return 0; }  // it has no regions of its own
  void bar_write(unsigned, u64, unsigned, u64) noexcept override {}
  void reset() noexcept override;

 private:
  Upstream upstream();
  void renumber() noexcept { secondary_.number = get(0x19, 1); }

  Bus secondary_;
};
}  // namespace peripherals::pci
