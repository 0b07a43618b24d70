#pragma once
// A PCI bus: who sits in which slot, which addresses they answer, where their interrupt pins go.
// Thread: vCPU.

#include "peripherals/pci/function.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace peripherals::pci {

inline constexpr unsigned slot_count = 32, function_count = 8;

// What the bus needs of the bridge above it.
struct Upstream {
  std::function<bool(GuestPhys, std::span<u8>)> dma_read;
  std::function<bool(GuestPhys, std::span<const u8>)> dma_write;
  // Interrupt pin 0…3 (INTA#…INTD#) of `slot` changed its level; the lines of one pin are joined by the bus.
  std::function<void(unsigned line, bool level)> set_line;
  // Which of the bridge's four lines that pin goes to.
  std::function<unsigned(unsigned slot, unsigned pin)> route;
  std::function<void()> addresses_moved;  // a base address changed; may be empty
};

class Bus {
 public:
  Bus(unsigned number, Upstream up) : number(number), up_(std::move(up)) {}
  Bus(const Bus&) = delete;

  // Places a function; false when the place is taken.
  bool attach(Function& f, unsigned slot, unsigned fn = 0);
  // The same for one that the bus shall own (-device).
  bool attach(std::unique_ptr<Function> f, unsigned slot, unsigned fn = 0);
  Function* at(unsigned slot, unsigned fn) const {
    return slot < slot_count && fn < function_count ? places_[slot][fn] : nullptr;
  }
  // The first free slot from `first` on; slot_count when there is none.
  unsigned free_slot(unsigned first) const;
  void reset() noexcept;

  // Configuration accesses; an absent function reads as all ones.  `bus` is the number the guest asks for; a bridge
  // takes those of the buses behind it.
  u32 config_read(unsigned bus, unsigned devfn, u32 reg, unsigned size) noexcept;
  void config_write(unsigned bus, unsigned devfn, u32 reg, unsigned size, u32 value) noexcept;

  // Memory and I/O cycles: false when nobody answers.
  bool read(bool io, u64 at, unsigned size, u64& value) noexcept;
  bool write(bool io, u64 at, unsigned size, u64 value) noexcept;

  // For functions.
  void set_pin(const Function& f, bool level) noexcept;
  void set_pin(unsigned slot, unsigned pin, bool level) noexcept;  // pin 0…3; from a bridge for those behind it
  void addresses_changed() noexcept;
  const Upstream& up() const { return up_; }
  void each(const std::function<void(Function&)>& f) const;

  unsigned number;
  unsigned first_plug_slot = 1;  // where -device without addr= begins to look for a free one

 private:
  struct Range {
    u64 first, last;
    Function* function;
    unsigned bar;
    Bus* behind;  // a bridge's window: the cycle goes on there
  };
  const Range* find(bool io, u64 at) noexcept;
  Bus* leading_to(unsigned bus) const noexcept;
  void collect();

  Upstream up_;
  std::array<std::array<Function*, function_count>, slot_count> places_{};
  std::vector<std::unique_ptr<Function>> owned_;
  std::vector<Range> ranges_[2];  // memory, I/O; the later attached answers where two overlap
  bool stale_ = true;
  std::array<u16, 4> pulls_{};  // per line: how many functions pull it
};
}  // namespace peripherals::pci
