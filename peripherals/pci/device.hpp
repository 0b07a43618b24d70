#pragma once
// How a peripheral written as a template becomes a PCI function.  The peripheral adds to the usual parts:
//
//     static constexpr pci::Identity pci_identity{.vendor = 0x1022, .device = 0x2000, …};
//     static constexpr pci::BarMap pci_bars[] = {{0, 0x000}, {1, 0x000}};   // region n begins at that register offset
//     void pci_windows(const pci::Function&, found) const;  // optional: calls found(io, first, last) for further windows;
//                                                           // to BarMap they are regions window_bar and up
//     void pci_attached(pci::Function&);                                     // optional: capabilities, presets
//     u32 pci_config_read(pci::Function&, u32 reg, unsigned size);           // optional: registers of its own there
//     void pci_config_write(pci::Function&, u32 reg, unsigned size, u32 v);
//     u64 pci_bar_read(unsigned bar, u64 off, unsigned size);                // optional, instead of pci_bars
//     void pci_bar_write(unsigned bar, u64 off, unsigned size, u64 v);
//
// Its interrupt pin is called `inta`.  Soldered<> is the function of a device on the board page (`pci: BUS.SLOT.FN`);
// Plugged<> owns a device that came with -device.  Both give the device the same wires.

#include "peripherals/pci/bus.hpp"

#include "core/log.hpp"
#include "core/machine.hpp"
#include "core/plug.hpp"
#include "core/reg.hpp"

#include <functional>
#include <vector>

namespace peripherals::pci {

// The part common to both: a Function that forwards to `device()`.
template <class Device>
class Adapter : public Function {
 public:
  explicit Adapter(Device& d) : Function(Device::pci_identity), d_(d) {
    kind = Device::kind;
    if constexpr (requires { d.pci_attached(*this); }) d.pci_attached(*this);
  }
  u32 config_read(u32 reg, unsigned size) noexcept override {
    if constexpr (requires { d_.pci_config_read(*this, reg, size); }) return d_.pci_config_read(*this, reg, size);
    else return Function::config_read(reg, size);
  }
  void config_write(u32 reg, unsigned size, u32 value) noexcept override {
    if constexpr (requires { d_.pci_config_write(*this, reg, size, value); })
      d_.pci_config_write(*this, reg, size, value);
    else Function::config_write(reg, size, value);
  }
  void each_window(const std::function<void(bool io, u64 first, u64 last)>& found) const override {
    if constexpr (requires { d_.pci_windows(*this, found); }) d_.pci_windows(*this, found);
  }
  u64 bar_read(unsigned bar, u64 off, unsigned size) noexcept override {
    if constexpr (requires { d_.pci_bar_read(bar, off, size); }) return d_.pci_bar_read(bar, off, size);
    else {
      for (const BarMap& b : Device::pci_bars)
        if (b.bar == bar) return reg_read(d_, u32(b.offset + off), size);
      return 0;
    }
  }
  Device& peripheral() { return d_; }
  void bar_write(unsigned bar, u64 off, unsigned size, u64 value) noexcept override {
    if constexpr (requires { d_.pci_bar_write(bar, off, size, value); }) d_.pci_bar_write(bar, off, size, value);
    else
      for (const BarMap& b : Device::pci_bars)
        if (b.bar == bar) return reg_write(d_, u32(b.offset + off), size, value);
  }

 protected:
  Device& d_;
};

// The machine resets a soldered device itself; this resets only its configuration space.
template <class Device>
class Soldered final : public Adapter<Device> {
 public:
  using Adapter<Device>::Adapter;
};

// The wires of a plugged device; the same names as those generated from a board page.
struct PluggedWires {
  static constexpr u64 clock_hz = 33'333'333, size = 0;
  const char* name = "";
  MachineBase* board = nullptr;
  Function* self = nullptr;
  const PlugContext* context = nullptr;
  std::span<const unsigned> timers;

  void inta(bool level) const { self->set_intx(level); }
  void arm(unsigned timer, u64 delay_ns) const { board->arm_timer(timers[timer], delay_ns); }
  void disarm(unsigned timer) const { board->disarm_timer(timers[timer]); }
  bool armed(unsigned timer) const { return board->timers.armed(timers[timer]); }
  u64 now() const { return board->now(); }
  void repeats_until(u64 at) const { board->repeats_until(at); }
  s64 wall_clock() const { return HostTime::wall_clock_seconds(); }
  bool dma_read(GuestPhys at, std::span<u8> to) const { return self->dma_read(at, to); }
  bool dma_write(GuestPhys at, std::span<const u8> from) const { return self->dma_write(at, from); }
  [[gnu::cold]] void stray(u32 off) const { log_guest(name, "no register for this access at offset", off); }
  [[gnu::cold]] void unimp(const char* what) const { log_unimp(name, what, 0); }
  [[gnu::cold]] void guest_error(const char* what) const { log_guest(name, what, 0); }
  BlockPort* drive(unsigned unit) const { return unit < context->drives.size() ? context->drives[unit] : nullptr; }
  NetPort* nic() const { return context->nic; }
  Function& function() const { return *self; }
  MachineBase& machine() const { return *board; }
};

// Made before the Function it is part of.
template <class Device>
struct PluggedParts {
  explicit PluggedParts(PlugContext c) : context(std::move(c)) {
    for (unsigned n = 0; n < Device::ports.timers; ++n)
      timers.push_back(context.machine.add_timer([this, n] { expire_timer(device, n); }));
    device.wires.name = context.id.c_str();
    device.wires.board = &context.machine;
    device.wires.context = &context;
    device.wires.timers = timers;
  }
  PluggedParts(const PluggedParts&) = delete;
  PlugContext context;
  std::vector<unsigned> timers;
  Device device;
};

template <template <class> class Device>
class Plugged final : private PluggedParts<Device<PluggedWires>>, public Adapter<Device<PluggedWires>> {
  using Parts = PluggedParts<Device<PluggedWires>>;

 public:
  explicit Plugged(PlugContext context) : Parts(std::move(context)), Adapter<Device<PluggedWires>>(Parts::device) {
    Parts::device.wires.self = this;
    this->id = Parts::context.id;
  }
  void reset() noexcept override {
    Function::reset();
    reset_device(Parts::device);
  }
};
}  // namespace peripherals::pci
