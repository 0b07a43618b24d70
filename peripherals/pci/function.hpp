#pragma once
// One PCI function: its configuration space, its base addresses, its interrupt pin and its way to memory.
// PCI Local Bus Specification 3.0 (section numbers below), chapter 6.
//
// A device on the bus is a Function, soldered or plugged; the accesses into its base address regions are the only
// virtual calls between a guest and a device.  Peripherals written as templates become Functions by pci/device.hpp.
// Thread: vCPU.

#include "core/base.hpp"

#include <array>
#include <functional>
#include <string>
#include <vector>

namespace peripherals::pci {
using namespace core;

class Bus;

enum class BarKind : u8 { none, memory, prefetchable, memory64, prefetchable64, io };

struct Bar {
  BarKind kind = BarKind::none;
  u64 size = 0;  // a power of two; memory at least 16, I/O at least 4
};
inline constexpr unsigned bar_count = 6, rom_bar = 6, window_bar = 7;  // window_bar + n: each_window's n-th

// Region `bar` shows the registers of a device from `offset` on (pci/device.hpp).
struct BarMap {
  unsigned bar;
  u32 offset;
};

// What configuration space says of the function (§6.2.1).
struct Identity {
  u16 vendor, device;
  u8 revision = 0;
  u32 class_code = 0;  // base class, subclass, interface: 24 bits
  u16 subsystem_vendor = 0x1af4, subsystem = 0x1100;
  u8 interrupt_pin = 0;  // 0: none, 1: INTA#, … 4: INTD#
  u16 status = 0x0280;   // fast back-to-back, medium DEVSEL
  std::array<Bar, bar_count> bars{};
  u64 rom_size = 0;  // a power of two, 0: no expansion ROM
};

// A peripheral that can be a PCI function.
template <class Device>
concept IsFunction = requires { Device::pci_identity; };

// Offsets in configuration space and bits of COMMAND and STATUS (§6.2).
inline constexpr u32 cfg_vendor = 0x00, cfg_command = 0x04, cfg_status = 0x06, cfg_revision = 0x08,
                     cfg_cache_line = 0x0c, cfg_header = 0x0e, cfg_bar = 0x10, cfg_subsystem = 0x2c, cfg_rom = 0x30,
                     cfg_capability = 0x34, cfg_line = 0x3c, cfg_pin = 0x3d;
inline constexpr u16 command_io = 1, command_memory = 2, command_master = 4, command_intx_off = 0x400;
inline constexpr u16 status_intx = 8, status_capabilities = 0x10, status_errors = 0xf900;

class Function {
 public:
  explicit Function(const Identity& identity);
  Function(const Function&) = delete;
  virtual ~Function() = default;

  // Configuration accesses of 1, 2 or 4 bytes inside one word.  A device with registers of its own there overrides
  // these and calls the base for the rest.
  virtual u32 config_read(u32 reg, unsigned size) noexcept;
  virtual void config_write(u32 reg, unsigned size, u32 value) noexcept;
  // Accesses of 1, 2, 4 or 8 bytes at offset `off` of base address region `bar` (rom_bar: the expansion ROM).
  virtual u64 bar_read(unsigned bar, u64 off, unsigned size) noexcept = 0;
  virtual void bar_write(unsigned bar, u64 off, unsigned size, u64 value) noexcept = 0;
  // Power-on state of the device; overriding, call the base: configuration space, interrupt down.
  virtual void reset() noexcept;

  // A bridge to another bus says which, which bus numbers are behind it, and which cycles it lets through.  Another
  // function has windows where registers of its own say; they are regions window_bar and up.
  virtual Bus* behind() noexcept { return nullptr; }
  virtual bool leads_to(unsigned /*bus*/) const noexcept { return false; }
  virtual void each_window(const std::function<void(bool io, u64 first, u64 last)>&) const {}

  // Contents of the expansion ROM (romfile=), a power of two; before it is attached.  The bus reads them itself.
  void set_rom(std::vector<u8> contents);
  const std::vector<u8>& rom() const { return rom_; }

  // For the device.
  void set_intx(bool level) noexcept;  // the device's own interrupt condition; COMMAND may mask it
  // Bus mastering: false, with nothing done, while COMMAND forbids it or the address is no memory.
  bool dma_read(GuestPhys at, std::span<u8> to) noexcept;
  bool dma_write(GuestPhys at, std::span<const u8> from) noexcept;

  // Configuration space as bytes: `set` changes what the guest reads and reset restores, `allow` what it may write.
  u32 get(u32 reg, unsigned size) const;
  void set(u32 reg, unsigned size, u32 value);         // now, not over a reset
  void preset(u32 reg, unsigned size, u32 value);      // now and at every reset
  void allow(u32 reg, unsigned size, u32 writable);    // bits the guest may write
  void allow_clear(u32 reg, unsigned size, u32 bits);  // bits the guest clears by writing 1
  // Adds a capability of `size` bytes (§6.7), returns its offset; the first two bytes are filled in.
  u32 add_capability(u8 id, unsigned size);
  void set_multifunction() { preset(cfg_header, 1, get(cfg_header, 1) | 0x80); }

  u16 command() const { return u16(get(cfg_command, 2)); }
  bool is_master() const { return command() & command_master; }
  const Identity& identity() const { return identity_; }
  // Where region `bar` answers now; false when it does not (decode off, address 0 or all ones).
  bool decodes(unsigned bar, u64& at) const;
  bool is_io(unsigned bar) const { return bar < bar_count && identity_.bars[bar].kind == BarKind::io; }
  u64 bar_size(unsigned bar) const { return bar == rom_bar ? identity_.rom_size : identity_.bars[bar].size; }

  // Where it sits; set by the bus.
  Bus* bus = nullptr;
  u8 slot = 0, number = 0;
  std::string id;    // the device's name on the page, or id= of -device
  std::string kind;  // "pcnet"
  bool soldered = true;

  std::span<u8> state() { return bytes_; }  // for snapshots

 protected:
  void interrupt_changed() noexcept;

 private:
  bool is_64_bit(unsigned bar) const;
  Identity identity_;
  std::vector<u8> rom_;
  std::array<u8, 256> bytes_{}, power_on_{}, writable_{}, clearable_{};
  bool intx_ = false;    // the device's condition
  bool driven_ = false;  // what the bus was told
  u32 next_capability_ = 0x40;
  u8 last_capability_ = cfg_capability;
};
}  // namespace peripherals::pci
