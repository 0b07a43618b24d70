#pragma once
// A virtio device as a PCI function.  VIRTIO 1.1 §4.1; the legacy registers are §4.1.4.8.
//
//   BAR0  I/O       legacy registers, numbers as the PCI bus carries them; the device's own part in the guest's order
//   BAR1  memory    MSI-X table and pending bits; only where the board takes messages
//   BAR4  memory64  modern structures, little-endian: common 0x0000, ISR 0x1000, device 0x2000, notify 0x3000
//
// A transitional function has both; disable-legacy=on leaves BAR0 out, disable-modern=on BAR4.
// Thread: vCPU.

#include "peripherals/pci/msix.hpp"
#include "peripherals/virtio/device.hpp"

#include "core/reg.hpp"

#include <memory>
#include <optional>

namespace peripherals::virtio {

class VirtioPci;

// What the register files below need of their surroundings (core/reg.hpp).
struct RegisterWires {
  const char* name = "";
  void stray(u32 off) const;
};

// §4.1.4.3: struct virtio_pci_common_cfg.
struct CommonRegs {
  Reg<struct device_feature_select, 0x00, R | W> device_select;
  Reg<struct device_feature, 0x04, Rfn> device_bits;
  Reg<struct driver_feature_select, 0x08, R | W> driver_select;
  Reg<struct driver_feature, 0x0c, Rfn | Wfn> driver_bits;
  Reg16<struct msix_config, 0x10, Rfn | Wfn> config_vector;
  Reg16<struct num_queues, 0x12, Rfn> queues;
  Reg8<struct device_status, 0x14, Rfn | Wfn> status;
  Reg8<struct config_generation, 0x15, Rfn> generation;
  Reg16<struct queue_select, 0x16, R | W> selected;
  Reg16<struct queue_size, 0x18, Rfn | Wfn> size;
  Reg16<struct queue_msix_vector, 0x1a, Rfn | Wfn> vector;
  Reg16<struct queue_enable, 0x1c, Rfn | Wfn> enable;
  Reg16<struct queue_notify_off, 0x1e, Rfn> notify_off;
  RegArray<struct queue_desc, 0x20, 2, 4, Rfn | Wfn> desc;      // low and high half, and so below
  RegArray<struct queue_driver, 0x28, 2, 4, Rfn | Wfn> driver;  // available ring
  RegArray<struct queue_device, 0x30, 2, 4, Rfn | Wfn> device;  // used ring
};

struct Common {
  static constexpr Ports ports{.window = 0x1000};
  RegisterWires wires;
  CommonRegs r;
  VirtioPci* pci = nullptr;

  Queue* queue() const;
  Queue* writable_queue() const;
  u32 on_read(At<device_feature>) const;
  u32 on_read(At<driver_feature>) const;
  void on_write(At<driver_feature>, u32 v);
  u16 on_read(At<msix_config>) const;
  void on_write(At<msix_config>, u16 v);
  u16 on_read(At<num_queues>) const;
  u8 on_read(At<device_status>) const;
  void on_write(At<device_status>, u8 v);
  u8 on_read(At<config_generation>) const;
  u16 on_read(At<queue_size>) const;
  void on_write(At<queue_size>, u16 v);
  u16 on_read(At<queue_msix_vector>) const;
  void on_write(At<queue_msix_vector>, u16 v);
  u16 on_read(At<queue_enable>) const;
  void on_write(At<queue_enable>, u16 v);
  u16 on_read(At<queue_notify_off>) const;
  u32 on_read(At<queue_desc>, u32 half) const;
  void on_write(At<queue_desc>, u32 half, u32 v);
  u32 on_read(At<queue_driver>, u32 half) const;
  void on_write(At<queue_driver>, u32 half, u32 v);
  u32 on_read(At<queue_device>, u32 half) const;
  void on_write(At<queue_device>, u32 half, u32 v);
};

// §4.1.4.8.  The two vectors are there only while MSI-X is enabled; the device's configuration follows.
struct LegacyRegs {
  Reg<struct legacy_device_features, 0x00, Rfn> device_bits;
  Reg<struct legacy_driver_features, 0x04, Rfn | Wfn> driver_bits;
  Reg<struct queue_address, 0x08, Rfn | Wfn> address;  // in pages of 4096 bytes
  Reg16<struct legacy_queue_size, 0x0c, Rfn> size;
  Reg16<struct legacy_queue_select, 0x0e, R | W> selected;
  Reg16<struct queue_notify, 0x10, Wfn> notify;
  Reg8<struct legacy_status, 0x12, Rfn | Wfn> status;
  Reg8<struct isr_status, 0x13, Rfn> isr;
  Reg16<struct config_msix_vector, 0x14, Rfn | Wfn> config_vector;
  Reg16<struct legacy_queue_msix_vector, 0x16, Rfn | Wfn> vector;
};

struct Legacy {
  static constexpr Ports ports{.window = 0x18};
  RegisterWires wires;
  LegacyRegs r;
  VirtioPci* pci = nullptr;

  Queue* queue() const;
  u32 on_read(At<legacy_device_features>) const;
  u32 on_read(At<legacy_driver_features>) const;
  void on_write(At<legacy_driver_features>, u32 v);
  u32 on_read(At<queue_address>) const;
  void on_write(At<queue_address>, u32 v);
  u16 on_read(At<legacy_queue_size>) const;
  void on_write(At<queue_notify>, u16 v);
  u8 on_read(At<legacy_status>) const;
  void on_write(At<legacy_status>, u8 v);
  u8 on_read(At<isr_status>) const;
  u16 on_read(At<config_msix_vector>) const;
  void on_write(At<config_msix_vector>, u16 v);
  u16 on_read(At<legacy_queue_msix_vector>) const;
  void on_write(At<legacy_queue_msix_vector>, u16 v);
};

struct PciOptions {
  bool legacy = true, modern = true;  // at least one
  bool indirect = true, event_index = true;
  unsigned vectors = 0;  // MSI-X; 0: no such capability
  bool big_endian_guest = false;
  pci::Msix::Send msi;
};

class VirtioPci final : public pci::Function, public Transport {
 public:
  VirtioPci(std::unique_ptr<Device> device, std::string id, PciOptions options);

  u32 config_read(u32 reg, unsigned size) noexcept override;
  void config_write(u32 reg, unsigned size, u32 value) noexcept override;
  u64 bar_read(unsigned bar, u64 off, unsigned size) noexcept override;
  void bar_write(unsigned bar, u64 off, unsigned size, u64 value) noexcept override;
  void reset() noexcept override;

  bool is_master() const noexcept override { return Function::is_master(); }
  bool dma_read(GuestPhys at, std::span<u8> to) noexcept override { return Function::dma_read(at, to); }
  bool dma_write(GuestPhys at, std::span<const u8> from) noexcept override { return Function::dma_write(at, from); }
  void queue_interrupt(u16 vector) noexcept override;
  void config_interrupt() noexcept override;
  bool big_endian_guest() const noexcept override { return options_.big_endian_guest; }

  // For the register files.
  Device& device() const { return *device_; }
  bool has_msix() const { return msix_ && msix_->enabled(); }
  // The vector as it may be assigned: none when there is no such vector.
  u16 vector(u16 v) const { return msix_ && v < msix_->vectors() ? v : no_vector; }
  u8 take_isr() noexcept;
  void write_status(u8 v, bool modern) noexcept;

 private:
  u32 window_read(unsigned size) noexcept;
  void window_write(unsigned size, u32 value) noexcept;
  bool window(u32& off, u32& length) const;
  u64 device_config_read(u32 off, unsigned size, ByteOrder order) noexcept;
  void device_config_write(u32 off, unsigned size, u64 value, ByteOrder order) noexcept;
  void add_structure(u8 type, u32 off, unsigned extra);
  void update() noexcept { set_intx(isr_ != 0); }

  std::unique_ptr<Device> device_;
  PciOptions options_;
  std::optional<pci::Msix> msix_;
  Common common_;
  Legacy legacy_;
  u8 isr_ = 0;      // bit 0: a queue, bit 1: the configuration (§4.1.4.5)
  u32 window_ = 0;  // offset of the capability that reaches the structures through configuration space; 0: none
};
}  // namespace peripherals::virtio
