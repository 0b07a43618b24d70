#pragma once
// A PCI function with one register in a memory and in an I/O region; writing it copies it to memory.
#include "peripherals/pci/function.hpp"

#include "core/block_port.hpp"
#include "core/net_port.hpp"
#include "core/reg.hpp"

namespace peripherals::fake_card {
using namespace core;
struct Regs {
  Reg<struct DATA, 0x0, R | Wfn> data;
};
template <class Wires>
struct FakeCard {
  static constexpr std::string_view kind = "fake_card";
  static constexpr Ports ports{.window = 16, .outputs = {"inta"}};
  static constexpr pci::Identity pci_identity{
      .vendor = 1, .device = 2, .interrupt_pin = 1, .bars = {pci::Bar{pci::BarKind::memory, 4096}, pci::Bar{pci::BarKind::io, 16}}};
  static constexpr pci::BarMap pci_bars[] = {{0, 0}, {1, 0}};
  Wires wires;
  Regs r{};
  bool copied = false;
  void on_write(At<DATA>, u32 v) {
    r.data.v = v;
    u8 bytes[4];
    store_le(bytes, v);
    copied = wires.dma_write(GuestPhys{0x100}, bytes);
    wires.inta(v != 0);
  }
};
}  // namespace peripherals::fake_card
