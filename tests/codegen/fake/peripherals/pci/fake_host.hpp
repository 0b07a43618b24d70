#pragma once
// A host bridge that owns a bus and answers where no device of the page does.
#include "peripherals/pci/bus.hpp"

#include "core/machine.hpp"
#include "core/reg.hpp"

namespace peripherals::fake_host {
using namespace core;
struct Regs {
  Reg<struct BASE, 0x0, R | W, 0x0900'0000> base;
};
template <class Wires>
struct FakeHost {
  static constexpr std::string_view kind = "fake_host";
  static constexpr Ports ports{.window = 4, .outputs = {"pirq"}};
  Wires wires;
  Regs r{};
  pci::Bus bus{0,
               {.dma_read = [this](GuestPhys at, std::span<u8> to) { return wires.machine().dma_read(at, to); },
                .dma_write = [this](GuestPhys at, std::span<const u8> from) { return wires.machine().dma_write(at, from); },
                .set_line = [this](unsigned line, bool level) { line == Wires::turn[1] ? wires.pirq(level) : void(); },
                .route = [](unsigned slot, unsigned pin) { return slot + pin; },
                .addresses_moved = {}}};
  u64 window_base(unsigned) const { return r.base.v; }
  bool mem_plug_read(GuestPhys at, unsigned size, u64& v) { return bus.read(false, raw(at), size, v); }
  bool mem_plug_write(GuestPhys at, unsigned size, u64 v) { return bus.write(false, raw(at), size, v); }
  bool io_plug_read(GuestPhys at, unsigned size, u64& v) { return bus.read(true, raw(at), size, v); }
  bool io_plug_write(GuestPhys at, unsigned size, u64 v) { return bus.write(true, raw(at), size, v); }
  void on_reset() { bus.reset(); }
};
}  // namespace peripherals::fake_host
