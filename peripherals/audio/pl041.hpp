#pragma once
#include "core/clock.hpp"
#include "core/reg.hpp"
#include "peripherals/audio/lm4549.hpp"

#include <algorithm>
#include <bit>

namespace peripherals::pl041 {
using namespace core;

// Arm PrimeCell advanced audio codec interface PL041 (AACI) — DDI 0173B — with an LM4549 codec on the
// link.  Pins: out irq (AACIINTR, level).
// One channel with a 512-word transmit FIFO (1024 samples in compact mode), as its id says.  Samples
// leave at the codec's rate; there is no sound output, they are counted and dropped.
// Not modelled: recording (receive FIFOs stay empty), loopback, slot 12 and GPIO, DMA.
struct Regs {  // table 3-1; four channels 0x14 apart
  RegArray<struct AACIRXCR, 0x00, 4, 0x14, R | W> rxcr;
  RegArray<struct AACITXCR, 0x04, 4, 0x14, R | Wfn> txcr;  // 0 TxEN, 12:1 slots, 14:13 TSIZE, 15 TxCM, 16 TxFEN
  RegArray<struct AACISR,   0x08, 4, 0x14, Rfn> sr;
  RegArray<struct AACIISR,  0x0c, 4, 0x14, Rfn> isr;
  RegArray<struct AACIIE,   0x10, 4, 0x14, R | Wfn, 0, Bits<struct IE, 0, 7>> ie;
  Reg<struct AACISL1RX,   0x50, Rfn> sl1rx;
  Reg<struct AACISL1TX,   0x54, R | Wfn, 0, Bits<struct SL1, 0, 20>> sl1tx;
  Reg<struct AACISL2RX,   0x58, Rfn> sl2rx;
  Reg<struct AACISL2TX,   0x5c, R | W, 0, Bits<struct SL2, 0, 20>> sl2tx;
  Reg<struct AACISL12RX,  0x60, R> sl12rx;
  Reg<struct AACISL12TX,  0x64, R | W, 0, Bits<struct SL12, 0, 20>> sl12tx;
  Reg<struct AACISLFR,    0x68, R, 0xa80, Bits<struct SL1RxValid, 6>, Bits<struct SL1TxEmpty, 7>, Bits<struct SL2RxValid, 8>, Bits<struct SL2TxEmpty, 9>, Bits<struct SL12RxValid, 10>, Bits<struct SL12TxEmpty, 11>> slfr;
  Reg<struct AACISLISTAT, 0x6c, Rfn> slistat;
  Reg<struct AACISLIEN,   0x70, R | Wfn, 0, Bits<struct SLIEN, 0, 14>> slien;
  Reg<struct AACIINTCLR,  0x74, Wfn> intclr;
  Reg<struct AACIMAINCR,  0x78, R | Wfn, 0, Bits<struct AACIFE, 0>, Bits<struct LOOPBK, 1>, Bits<struct LPM, 2>, Bits<struct SL1RxEn, 3>, Bits<struct SL1TxEn, 4>, Bits<struct SL2RxEn, 5>, Bits<struct SL2TxEn, 6>, Bits<struct SL12RxEn, 7>, Bits<struct SL12TxEn, 8>, Bits<struct DMAEnable, 9>, Bits<struct SCRA, 10, 2>> maincr;
  Reg<struct AACIRESET,   0x7c, R | Wfn, 0, Bits<struct RESET, 0>> reset;
  Reg<struct AACISYNC,    0x80, R | W, 0, Bits<struct FORCED, 0>> sync;
  Reg<struct AACIALLINTS, 0x84, Rfn> allints;
  Reg<struct AACIMAINFR,  0x88, R> mainfr;
  RegArray<struct AACIDR, 0x90, 32, 4, Rfn | Wfn> dr;  // eight words for each channel
  PrimecellId<0x29041041> id;                          // one channel, depth code 5
};

template <class Wires>
struct Pl041 {
  static constexpr std::string_view kind = "pl041";
  static constexpr Ports ports{.outputs = {"irq"}, .timers = 1};
  static constexpr u32 depth = 512;  // words of one sample; compact words hold two
  Wires wires;
  Regs r;
  struct Hidden {
    lm4549::Codec codec;
    u32 samples = 0;      // in the transmit FIFO; ≤ capacity()
    bool underrun = false;
    u64 since = 0;        // ns; `samples` was right then
    u64 played = 0;       // samples that left the FIFO
  } x;

  // Channel 1, AACITXCR1 (§3.3.2).
  bool is_on() const { return r.maincr.is<AACIFE>() && (r.txcr[0] & 1); }
  bool is_compact() const { return r.txcr[0] >> 15 & 1; }
  u32 capacity() const { return is_compact() ? 2 * depth : depth; }
  // Samples a second; 0 while nothing is played.
  u64 drain_rate() const {
    return is_on() ? u64(std::popcount(r.txcr[0] >> 1 & 0xfff)) * x.codec.playback_rate() : 0;
  }

  // Brings the FIFO to the present.
  void catch_up() {
    const u64 rate = drain_rate(), now = wires.now();
    if (!rate) {
      x.since = now;
      return;
    }
    const u64 left = ns_to_ticks(now - x.since, rate);
    x.since += left ? std::min(ticks_to_ns(left, rate), now - x.since) : 0;
    x.underrun |= left > x.samples && x.samples;
    x.played += std::min<u64>(left, x.samples);
    x.samples -= u32(std::min<u64>(left, x.samples));
  }
  // Arms the timer for the next moment the FIFO status changes by itself.
  void schedule() {
    const u64 rate = drain_rate();
    if (!rate || !x.samples) return wires.disarm(0);
    const u32 half = capacity() / 2;
    const u64 until = x.samples > half ? x.samples - half : x.samples + 1;
    wires.arm(0, std::max<u64>(1, x.since + ticks_to_ns(until, rate) - wires.now()));
  }

  // AACISR (§3.3.3).
  u32 status(u32 channel) const {
    constexpr u32 rxfe = 1, txfe = 2, txhe = 8, txff = 0x20, txbusy = 0x80, txund = 0x200;
    if (channel != 0) return rxfe | txfe | txhe;
    const u32 n = x.samples;
    return rxfe | (n == 0 ? txfe : 0) | (n <= capacity() / 2 ? txhe : 0) | (n >= capacity() ? txff : 0) |
           (n && drain_rate() ? txbusy : 0) | (x.underrun ? txund : 0);
  }
  // AACIISR (§3.3.4): bit 0 transmit complete, 2 transmit half empty, 5 underrun.
  u32 interrupts(u32 channel) const {
    if (channel != 0 || !is_on()) return x.underrun && channel == 0 ? 0x20 : 0;
    return u32(x.samples == 0) | u32(x.samples <= capacity() / 2) << 2 | u32(x.underrun) << 5;
  }
  // Seven bits for each channel (Linux sound/arm/aaci.c).
  u32 all_interrupts() const {
    u32 all = 0;
    for (u32 c = 0; c < 4; ++c) all |= (interrupts(c) & r.ie[c]) << 7 * c;
    return all;
  }
  u32 on_read(At<AACISR>, u32 i) {
    catch_up();
    return status(i);
  }
  u32 on_read(At<AACIISR>, u32 i) {
    catch_up();
    return interrupts(i);
  }
  u32 on_read(At<AACIALLINTS>) {
    catch_up();
    return all_interrupts();
  }
  void on_write(At<AACIIE>, u32 i, u32 v) {
    r.ie[i] = v & r.ie.writable;
    update();
  }
  void on_write(At<AACITXCR>, u32 i, u32 v) {
    catch_up();
    const bool was_on = is_on();
    r.txcr[i] = v & 0x3fff'ffff;
    if (was_on && !is_on()) x.samples = 0;  // a disabled channel empties its FIFO (§2.2.3)
    x.samples = std::min(x.samples, capacity());
    update();
  }
  // Clears latched conditions; bit 5 is the underrun of channel 1 (§3.3.13).
  void on_write(At<AACIINTCLR>, u32 v) {
    if (v >> 5 & 1) x.underrun = false;
    update();
  }

  u32 on_read(At<AACIDR>, u32) { return 0; }
  // Without slots the FIFO fills and keeps what it has: Linux finds the depth this way.
  void on_write(At<AACIDR>, u32 i, u32) {
    catch_up();
    const u32 more = is_compact() ? 2 : 1;
    if (i >= 8 || !is_on()) return wires.guest_error("data for a channel that is off");
    if (x.samples + more > capacity()) return wires.guest_error("transmit FIFO is full");
    if (x.samples == 0) x.since = wires.now();
    x.samples += more;
    update();
  }

  // Writing slot 1 starts a codec access: 18:12 register, 19 read; data is in slot 2 from bit 4 (§3.3.6).
  void on_write(At<AACISL1TX>, u32 v) {
    r.sl1tx.write(v);
    if (!r.maincr.is<AACIFE>() || !r.maincr.is<SL1TxEn>()) return;
    const u8 address = v >> 12 & 0x7f;
    catch_up();
    if (v >> 19 & 1) {
      r.sl1rx.v = u32(address) << 12;
      r.sl2rx.v = u32(x.codec.read(address)) << 4;
      r.slfr.set<SL1RxValid>();
      r.slfr.set<SL2RxValid>();
    } else {
      x.codec.write(address, u16(r.sl2tx.v >> 4));
    }
    update();
  }
  u32 on_read(At<AACISL1RX>) {
    r.slfr.set<SL1RxValid>(false);
    update();
    return r.sl1rx.v;
  }
  u32 on_read(At<AACISL2RX>) {
    r.slfr.set<SL2RxValid>(false);
    update();
    return r.sl2rx.v;
  }
  u32 slot_interrupts() const { return r.slfr.v & r.slien.v; }
  u32 on_read(At<AACISLISTAT>) { return slot_interrupts(); }
  void on_write(At<AACISLIEN>, u32 v) {
    r.slien.write(v);
    update();
  }

  // Disabling the interface resets the block (§3.3.14); the codec keeps its registers.
  void on_write(At<AACIMAINCR>, u32 v) {
    catch_up();
    r.maincr.write(v);
    if (!r.maincr.is<AACIFE>()) {
      x.samples = 0;
      x.underrun = false;
      r.slfr.v = r.slfr.reset;
    }
    update();
  }
  // The AC-link reset pin, low while bit 0 is 0.
  void on_write(At<AACIRESET>, u32 v) {
    catch_up();
    r.reset.write(v);
    if (!r.reset.is<RESET>()) x.codec = {};
    update();
  }

  void expire(Timer<0>) {
    catch_up();
    update();
  }
  void on_reset() { update(); }
  void update() {
    catch_up();  // or the deadline may lie in the past
    schedule();
    wires.irq(all_interrupts() || slot_interrupts());
  }
};
}  // namespace peripherals::pl041
