#pragma once
#include "core/reg.hpp"
#include "peripherals/storage/fdc82077_core.hpp"

namespace peripherals::fdc82077 {
using namespace core;

// Floppy disk controller 82077AA in its PC/AT mode (no SRA and SRB) — Intel data sheet 290166.
// Pins: out irq (INT), dreq.  Input 0: DACK.  Uses: dma, the DMA controller; without it only transfers by the processor
// end.  Drives: up to two, `host: floppyN`; the size of the image says what disk it is.
// Board option channel: the DMA channel, 2 on a PC.
// Windows: 0x3f2 DOR to FIFO, 0x3f7 DIR and CCR.
// Everything moves at once.  Not modelled: deleted data marks (Write Deleted writes plain data), CRC errors, power
// down.
struct Regs {  // §2.1
  Reg8<struct DOR, 0x000, Rfn | Wfn, 0, Bits<struct DRIVE_SEL, 0, 2>, Bits<struct RESET, 2>, Bits<struct DMAGATE, 3>,
       Bits<struct MOT, 4, 4>>
      dor;
  Reg8<struct TDR, 0x001, R | W, 0, Bits<struct TAPE_SEL, 0, 2>> tdr;
  Reg8<struct MSR, 0x002, Rfn | Wfn> msr;  // write: DSR
  Reg8<struct FIFO, 0x003, Rfn | Wfn> fifo;
  Reg8<struct DIR, 0x100, Rfn | Wfn> dir;  // write: CCR
};

template <class Wires>
struct Fdc82077 {
  static constexpr std::string_view kind = "fdc82077";
  static constexpr Ports ports{
      .window = 4, .inputs = 1, .outputs = {"irq", "dreq"}, .narrow = Narrow::lanes, .more_windows = {1}};
  Wires wires;
  Regs r;
  struct Hidden {
    Fdc fdc;
    void reset() { fdc.forget(); }
  } x;

  u8 on_read(At<DOR>) { return x.fdc.dor; }
  void on_write(At<DOR>, u8 v) {
    Board o(*this);
    x.fdc.write_dor(v, o);
  }
  u8 on_read(At<MSR>) { return x.fdc.msr(); }
  void on_write(At<MSR>, u8 v) {
    Board o(*this);
    x.fdc.set_rate(v);
    if (v & 0x80) x.fdc.software_reset(o);
  }
  u8 on_read(At<FIFO>) {
    Board o(*this);
    return x.fdc.read_fifo(o);
  }
  void on_write(At<FIFO>, u8 v) {
    Board o(*this);
    x.fdc.write_fifo(v, o);
  }
  u8 on_read(At<DIR>) {
    Board o(*this);
    return x.fdc.dir(o);
  }
  void on_write(At<DIR>, u8 v) { x.fdc.set_rate(v); }

  void set_line(unsigned, bool dack) {
    if (!dack) return;
    Board o(*this);
    x.fdc.serve_dma(o);
  }
  void on_reset() {
    for (unsigned unit = 0; unit < 2; ++unit) {
      BlockPort* drive = wires.drive(unit);
      if (!drive) continue;
      drive->done = [this](BlockRequest& request) { answered(request); };
      drive->medium_changed = [this, unit] { x.fdc.medium_changed(unit); };
    }
    Board o(*this);
    x.fdc.update(o);
  }

 private:
  struct Board final : Outside {
    explicit Board(Fdc82077& d) : d(d) {}
    Fdc82077& d;
    BlockPort* drive(unsigned unit) override { return unit < 2 ? d.wires.drive(unit) : nullptr; }
    Moved transfer(std::span<u8> data) override {
      if constexpr (requires { d.wires.dma(); }) {
        const auto moved = d.wires.dma().transfer(unsigned(Wires::channel), data);
        return {moved.bytes, moved.terminal_count};
      } else {
        return {};
      }
    }
    void irq(bool level) override { d.wires.irq(level); }
    void dreq(bool level) override { d.wires.dreq(level); }
  };
  void answered(BlockRequest& request) {
    Board o(*this);
    x.fdc.completed(request, o);
  }
};
}  // namespace peripherals::fdc82077
