#pragma once
#include "core/reg.hpp"
#include "peripherals/dma/pl080_core.hpp"

#include <algorithm>

namespace peripherals::pl080 {

// Arm PrimeCell DMA controller PL080 — DDI 0196G; with two channels PL081 — DDI 0218E.
// Pins: out irq (DMACINTR), inttc (DMACINTTC), interr (DMACINTERR), all levels.
// Board option channels: 8 (PL080) or 2 (PL081).
// Memory-to-memory transfers run at once, in slices, lowest channel first.  Channels that wait for a
// peripheral move on the software request registers; no peripheral drives the request lines.
// Not modelled: bus masters, protection, lock and endianness bits (stored only); devices as DMA
// targets (an AHB error); test registers (stored only).
template <u64 Channels>
struct Regs {  // table 3-1
  Reg<struct DMACIntStatus,         0x000, Rfn> int_status;
  Reg<struct DMACIntTCStatus,       0x004, Rfn> int_tc_status;
  Reg<struct DMACIntTCClear,        0x008, Wfn> int_tc_clear;
  Reg<struct DMACIntErrorStatus,    0x00c, Rfn> int_error_status;
  Reg<struct DMACIntErrClr,         0x010, Wfn> int_err_clr;
  Reg<struct DMACRawIntTCStatus,    0x014, R> raw_tc;
  Reg<struct DMACRawIntErrorStatus, 0x018, R> raw_error;
  Reg<struct DMACEnbldChns,         0x01c, Rfn> enabled;
  Reg<struct DMACSoftBReq,          0x020, R | Wfn> burst_request;
  Reg<struct DMACSoftSReq,          0x024, R | Wfn> single_request;
  Reg<struct DMACSoftLBReq,         0x028, R | Wfn> last_burst_request;
  Reg<struct DMACSoftLSReq,         0x02c, R | Wfn> last_single_request;
  Reg<struct DMACConfiguration,     0x030, R | Wfn, 0, Bits<struct E, 0>, Bits<struct M1, 1>, Bits<struct M2, 2>> configuration;
  Reg<struct DMACSync,              0x034, R | W, 0, Bits<struct SYNC, 0, 16>> sync;
  RegArray<struct DMACCxSrcAddr,       0x100, Channels, 0x20, R | W> source;
  RegArray<struct DMACCxDestAddr,      0x104, Channels, 0x20, R | W> destination;
  RegArray<struct DMACCxLLI,           0x108, Channels, 0x20, R | W, 0, Bits<struct LM, 0>, Bits<struct LLI, 2, 30>> next;
  RegArray<struct DMACCxControl,       0x10c, Channels, 0x20, R | W> control;
  RegArray<struct DMACCxConfiguration, 0x110, Channels, 0x20, R | Wfn, 0, Bits<struct CE, 0>, Bits<struct SrcPeripheral, 1, 4>, Bits<struct DestPeripheral, 6, 4>, Bits<struct FlowCntrl, 11, 3>, Bits<struct IE, 14>, Bits<struct ITC, 15>, Bits<struct L, 16>, Bits<struct H, 18>> channel;
  Reg<struct DMACITCR,  0x500, R | W, 0, Bits<struct T, 0>> itcr;
  Reg<struct DMACITOP1, 0x504, R | W, 0, Bits<struct TOP1, 0, 16>> itop1;
  Reg<struct DMACITOP2, 0x508, R | W, 0, Bits<struct TOP2, 0, 16>> itop2;
  Reg<struct DMACITOP3, 0x50c, R | W, 0, Bits<struct TOP3, 0, 2>> itop3;
  PrimecellId<Channels == 2 ? 0x00041081 : 0x0a041080> id;
};

template <class Wires>
struct Pl080 {
  static constexpr std::string_view kind = "pl080";
  static constexpr Ports ports{.outputs = {"irq", "inttc", "interr"}, .timers = 1};
  static_assert(Wires::channels == 8 || Wires::channels == 2, "pl080: 'set: channels' is 8 (PL080) or 2 (PL081)");
  static constexpr u32 channels = u32(Wires::channels);
  // Work done per slice, in elements; a list item counts as item_cost.  A list without end must not
  // stop the machine: the rest follows slice_ns later.
  static constexpr u32 slice = 8192, item_cost = 16;
  static constexpr u64 slice_ns = 50'000;
  Wires wires;
  Regs<Wires::channels> r;

  // DMACCxConfiguration (table 3-19).
  bool is_enabled(u32 i) const { return r.channel[i] & 1; }
  bool is_halted(u32 i) const { return r.channel[i] >> 18 & 1; }
  u32 flow(u32 i) const { return r.channel[i] >> 11 & 7; }
  u32 with(u32 configuration_bit) const {
    u32 set = 0;
    for (u32 i = 0; i < channels; ++i) set |= (r.channel[i] >> configuration_bit & 1) << i;
    return set;
  }
  u32 tc_status() const { return r.raw_tc.v & with(15); }
  u32 error_status() const { return r.raw_error.v & with(14); }

  u32 on_read(At<DMACIntStatus>) { return tc_status() | error_status(); }
  u32 on_read(At<DMACIntTCStatus>) { return tc_status(); }
  u32 on_read(At<DMACIntErrorStatus>) { return error_status(); }
  u32 on_read(At<DMACEnbldChns>) { return with(0); }
  void on_write(At<DMACIntTCClear>, u32 v) {
    r.raw_tc.v &= ~v;
    update();
  }
  void on_write(At<DMACIntErrClr>, u32 v) {
    r.raw_error.v &= ~v;
    update();
  }
  void on_write(At<DMACSoftBReq>, u32 v) { request(r.burst_request.v, v); }
  void on_write(At<DMACSoftSReq>, u32 v) { request(r.single_request.v, v); }
  void on_write(At<DMACSoftLBReq>, u32 v) { request(r.last_burst_request.v, v); }
  void on_write(At<DMACSoftLSReq>, u32 v) { request(r.last_single_request.v, v); }
  void on_write(At<DMACConfiguration>, u32 v) {
    r.configuration.write(v);
    run();
  }
  void on_write(At<DMACCxConfiguration>, u32 i, u32 v) {
    r.channel[i] = v & r.channel.writable;
    run();
  }
  void expire(Timer<0>) { run(); }
  void on_reset() {
    wires.disarm(0);
    update();
  }

  // A software request stays up until its transfer is done (§3.4.9).
  void request(u32& requests, u32 v) {
    requests |= v & 0xffff;
    run();
  }

  void run() {
    u32 budget = slice;
    if (r.configuration.template is<E>())
      for (u32 i = 0; i < channels; ++i)
        if (is_enabled(i) && !is_halted(i)) serve(i, budget);
    if (budget == 0) wires.arm(0, slice_ns);
    else wires.disarm(0);
    update();
  }

  void serve(u32 i, u32& budget) {
    if (flow(i) == 0) return transfer(i, ~0u, budget);
    const u32 peripherals = paced_by(i);
    const u32 burst = r.burst_request.v | r.last_burst_request.v, single = r.single_request.v | r.last_single_request.v;
    if (peripherals & ~(burst | single)) return;
    if (!budget) return;
    const bool last = flow(i) >= 4 && ((r.last_burst_request.v | r.last_single_request.v) & peripherals);
    const u32 elements = peripherals & ~burst ? 1 : channel(i).burst();
    for (u32* requests : {&r.burst_request.v, &r.single_request.v, &r.last_burst_request.v, &r.last_single_request.v})
      *requests &= ~peripherals;
    if (flow(i) >= 4) peripheral_transfer(i, elements, last, budget);
    else transfer(i, elements, budget);
  }

  // The request lines a channel waits for, by flow control (table 3-20).
  u32 paced_by(u32 i) const {
    const u32 source = 1u << (r.channel[i] >> 1 & 15), destination = 1u << (r.channel[i] >> 6 & 15);
    switch (flow(i)) {
      case 1: case 5: return destination;
      case 2: case 6: return source;
      default: return source | destination;
    }
  }

  // Up to `elements` source elements, through list items, until the channel ends, errs or the budget is used up.
  void transfer(u32 i, u32 elements, u32& budget) {
    while (is_enabled(i) && budget && elements) {
      u32 left = std::min(elements, budget);
      const u32 asked = left;
      Channel c = channel(i);
      Bus memory(wires);
      const bool ok = c.move(left, memory);
      elements -= elements == ~0u ? 0 : asked - left;
      budget -= asked - left;
      if (!ok) return fail(i);
      if (c.size() == 0) finish(i, budget);
    }
  }

  // The peripheral, not TransferSize, says when the transfer is over (§3.1.5).
  void peripheral_transfer(u32 i, u32 elements, bool last, u32& budget) {
    Channel c = channel(i);
    Bus memory(wires);
    c.control = (c.control & ~0xfffu) | elements;
    u32 left = elements;
    if (!c.move(left, memory)) return fail(i);
    budget -= std::min(budget, elements);
    if (last) finish(i, budget);
  }

  // A list item is done: terminal count, then the next item or the end of the channel (§3.4.14).
  void finish(u32 i, u32& budget) {
    Channel c = channel(i);
    budget -= std::min(budget, item_cost);
    if (c.interrupts_at_end()) r.raw_tc.v |= 1u << i;
    if (!(c.next & ~3u)) {
      r.channel[i] &= ~1u;
      return;
    }
    Bus memory(wires);
    if (!c.follow(memory)) fail(i);
  }

  void fail(u32 i) {
    wires.guest_error("transfer to or from an address that is not memory");
    r.raw_error.v |= 1u << i;
    r.channel[i] &= ~1u;
  }

  struct Bus final : Memory {
    explicit Bus(const Wires& w) : wires(w) {}
    bool read(GuestPhys at, std::span<u8> to) override { return wires.dma_read(at, to); }
    bool write(GuestPhys at, std::span<const u8> from) override { return wires.dma_write(at, from); }
    const Wires& wires;
  };
  Channel channel(u32 i) { return {r.source[i], r.destination[i], r.next[i], r.control[i]}; }

  void update() {  // §2.6
    wires.inttc(tc_status() != 0);
    wires.interr(error_status() != 0);
    wires.irq((tc_status() | error_status()) != 0);
  }
};
}  // namespace peripherals::pl080
