#pragma once
// The MSI-X capability of a function: its table of messages and its pending bits.  PCI Local Bus 3.0 §6.8.2.
// The function puts both in a memory region and forwards accesses here.  Thread: vCPU.

#include "peripherals/pci/function.hpp"

#include <functional>
#include <vector>

namespace peripherals::pci {

class Msix {
 public:
  using Send = std::function<void(u64 address, u32 data)>;
  // Table at offset 0 of region `bar`, pending bits at half of its size.  `vectors` 1…2048.
  Msix(Function& f, unsigned bar, unsigned vectors, Send send);

  unsigned vectors() const { return unsigned(entries_.size()); }
  bool enabled() const { return control() & 0x8000; }
  void raise(unsigned vector) noexcept;  // sends the message, or keeps it pending while masked
  void capability_written() noexcept;    // the guest wrote the capability: pending messages may go
  u64 read(u64 off, unsigned size) noexcept;
  void write(u64 off, unsigned size, u64 value) noexcept;
  void reset() noexcept;

 private:
  u32 control() const { return function_.get(capability_ + 2, 2); }
  bool masked(unsigned vector) const;
  void send_pending() noexcept;
  u32 word(u64 off) const;

  Function& function_;
  u32 capability_;
  u64 pending_at_;
  Send send_;
  struct Entry {
    u32 address = 0, address_high = 0, data = 0, control = 1;  // control bit 0: masked, so from reset on
  };
  std::vector<Entry> entries_;
  std::vector<bool> pending_;
};
}  // namespace peripherals::pci
