#pragma once
#include "peripherals/pci/device.hpp"
#include "peripherals/scsi/lsi53c895a_core.hpp"

namespace peripherals::lsi53c895a {

inline constexpr unsigned last_target = 6;  // of its bus; 7 is the chip itself

// LSI 53C895A PCI to Ultra2 SCSI controller — LSI53C895A Technical Manual, version 2.2 (2001).
// Pins: out inta.  Its host drives are the targets 0 to 6 of its bus (unit N is target N); it is 7 itself.
// Regions: 0 the registers (I/O), 1 the same (memory), 2 on-chip memory of 8 KiB.
// Selection of an absent target times out after 1 ms or what STIME0 says, whichever is less.
// Not modelled: target mode, low-level mode (SCNTL0.START), the serial EEPROM, parity, transfer speeds.
template <class Wires>
struct Link final : Outside {
  Wires* wires = nullptr;
  pci::Function* function = nullptr;
  bool read(u64 at, std::span<u8> to) override { return wires->dma_read(GuestPhys{at}, to); }
  bool write(u64 at, std::span<const u8> from) override { return wires->dma_write(GuestPhys{at}, from); }
  bool own_memory(unsigned bar, u64& at) const override { return function && function->decodes(bar, at); }
  void irq(bool level) override { wires->inta(level); }
  void arm(unsigned timer, u64 ns) override { wires->arm(timer, ns); }
  void disarm(unsigned timer) override { wires->disarm(timer); }
  void guest_error(const char* what) override { wires->guest_error(what); }
};

template <class Wires>
struct Lsi53c895a {
  static constexpr std::string_view kind = "lsi53c895a";
  static constexpr unsigned last_target = lsi53c895a::last_target;
  static constexpr Ports ports{.window = 0x400, .outputs = {"inta"}, .timers = timer_count};
  static constexpr pci::Identity pci_identity{.vendor = 0x1000,
                                              .device = 0x0012,
                                              .class_code = 0x010000,
                                              .subsystem_vendor = 0x0000,
                                              .subsystem = 0x1000,
                                              .interrupt_pin = 1,
                                              .status = 0x0200,
                                              .bars = {pci::Bar{pci::BarKind::io, 256}, pci::Bar{pci::BarKind::memory, 1024},
                                                       pci::Bar{pci::BarKind::memory, script_ram_size}}};
  Wires wires;
  Regs r;
  Hidden x;
  scsi::ParallelBus bus;
  Link<Wires> link;

  Chip chip() {
    link.wires = &wires;
    return {r, x, bus, link};
  }
  void pci_attached(pci::Function& f) {
    link.function = &f;
    f.preset(pci::cfg_cache_line + 1, 1, 0xff);  // latency timer
  }

  u64 pci_bar_read(unsigned bar, u64 off, unsigned size) {
    if (bar < 2) return reg_read(*this, u32(off & 0xff), size);
    if (off > script_ram_size - size) return 0;
    u64 v = 0;
    std::copy_n(x.ram.begin() + long(off), size, reinterpret_cast<u8*>(&v));
    return v;
  }
  void pci_bar_write(unsigned bar, u64 off, unsigned size, u64 v) {
    if (bar < 2) return reg_write(*this, u32(off & 0xff), size, v);
    if (off <= script_ram_size - size) std::copy_n(reinterpret_cast<const u8*>(&v), size, x.ram.begin() + long(off));
  }

  // All registers are bytes; wider accesses go up byte by byte.
  bool claims(u32) const { return true; }
  u64 read_window(u32 off, unsigned size) {
    u64 v = 0;
    for (unsigned n = 0; n < size; ++n) v |= u64(chip().read_byte(off + n)) << 8 * n;
    if (trace_registers) trace_access(wires.name, reg_info<Regs>, off, size, v, false);
    return v;
  }
  void write_window(u32 off, unsigned size, u64 v) {
    if (trace_registers) trace_access(wires.name, reg_info<Regs>, off, size, v, true);
    for (unsigned n = 0; n < size; ++n) chip().write_byte(off + n, u8(v >> 8 * n));
  }

  template <unsigned N>
  void expire(Timer<N>) {
    chip().expired(N);
  }

  // Its bus, with its host drives on it.
  scsi::Bus& scsi_targets() {
    for (unsigned n = 0; n <= last_target; ++n)
      if (BlockPort* port = wires.drive(n)) bus.targets.attach(n, port);
    return bus.targets;
  }

  void on_reset() {
    for (unsigned n = 0; n < timer_count; ++n) wires.disarm(n);
    scsi_targets();
    bus.release();
    bus.targets.reset(scsi::sense::power_on);
    bus.changed = [this] { chip().bus_changed(); };
    chip().update();
  }
};
}  // namespace peripherals::lsi53c895a
