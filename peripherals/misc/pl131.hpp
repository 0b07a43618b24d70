#pragma once
#include "core/reg.hpp"

namespace peripherals::pl131 {
using namespace core;

// Arm PrimeCell smart card interface PL131 (SCI) — DDI 0228A, chapter 3 — with no card inserted.
// Pins: out irq (SCIINTR, level; no card, no cause).
// Modelled: registers and their storage, empty FIFOs.  Not modelled: everything a card would do.
struct Regs {  // table 3-1
  Reg<struct SCIDATA,       0x00, Access{}> data;
  Reg<struct SCICR0,        0x04, R | W, 0, Bits<struct CR0, 0, 8>> cr0;
  Reg<struct SCICR1,        0x08, R | W, 0, Bits<struct CR1, 0, 7>> cr1;
  Reg<struct SCICR2,        0x0c, W, 0, Bits<struct CR2, 0, 3>> cr2;
  Reg<struct SCICLKICC,     0x10, R | W, 0, Bits<struct CLKICC, 0, 8>> clkicc;
  Reg<struct SCIVALUE,      0x14, R | W, 0, Bits<struct VALUE, 0, 8>> value;
  Reg<struct SCIBAUD,       0x18, R | W, 0, Bits<struct BAUD, 0, 16>> baud;
  Reg<struct SCITIDE,       0x1c, R | W, 0, Bits<struct TXTIDE, 0, 4>, Bits<struct RXTIDE, 4, 4>> tide;
  Reg<struct SCIDMACR,      0x20, R | W, 0, Bits<struct DMACR, 0, 2>> dmacr;
  Reg<struct SCISTABLE,     0x24, R | W, 0, Bits<struct STABLE, 0, 10>> stable;
  Reg<struct SCIATIME,      0x28, R | W, 0, Bits<struct ATIME, 0, 16>> atime;
  Reg<struct SCIDTIME,      0x2c, R | W, 0, Bits<struct DTIME, 0, 16>> dtime;
  Reg<struct SCIATRSTIME,   0x30, R | W, 0, Bits<struct ATRSTIME, 0, 16>> atrstime;
  Reg<struct SCIATRDTIME,   0x34, R | W, 0, Bits<struct ATRDTIME, 0, 16>> atrdtime;
  Reg<struct SCISTOPTIME,   0x38, R | W, 0, Bits<struct STOPTIME, 0, 12>> stoptime;
  Reg<struct SCISTARTTIME,  0x3c, R | W, 0, Bits<struct STARTTIME, 0, 12>> starttime;
  Reg<struct SCIRETRY,      0x40, R | W, 0, Bits<struct TXRETRY, 0, 3>, Bits<struct RXRETRY, 3, 3>> retry;
  Reg<struct SCICHTIMELS,   0x44, R | W, 0, Bits<struct CHTIMELS, 0, 16>> chtimels;
  Reg<struct SCICHTIMEMS,   0x48, R | W, 0, Bits<struct CHTIMEMS, 0, 16>> chtimems;
  Reg<struct SCIBLKTIMELS,  0x4c, R | W, 0, Bits<struct BLKTIMELS, 0, 16>> blktimels;
  Reg<struct SCIBLKTIMEMS,  0x50, R | W, 0, Bits<struct BLKTIMEMS, 0, 16>> blktimems;
  Reg<struct SCICHGUARD,    0x54, R | W, 0, Bits<struct CHGUARD, 0, 8>> chguard;
  Reg<struct SCIBLKGUARD,   0x58, R | W, 0, Bits<struct BLKGUARD, 0, 8>> blkguard;
  Reg<struct SCIRXTIME,     0x5c, R | W, 0, Bits<struct RXTIME, 0, 16>> rxtime;
  Reg<struct SCIFIFOSTATUS, 0x60, R, 0xa, Bits<struct TXFF, 0>, Bits<struct TXFE, 1>, Bits<struct RXFF, 2>, Bits<struct RXFE, 3>> fifostatus;
  Reg<struct SCITXCOUNT,    0x64, R> txcount;  // a write empties the FIFO, which is empty
  Reg<struct SCIRXCOUNT,    0x68, R> rxcount;
  Reg<struct SCIIMSC,       0x6c, R | W, 0, Bits<struct IMSC, 0, 15>> imsc;
  Reg<struct SCIRIS,        0x70, R> ris;
  Reg<struct SCIMIS,        0x74, R> mis;
  Reg<struct SCIICR,        0x78, Access{}> icr;
  Reg<struct SCISYNCACT,    0x7c, R | W, 0, Bits<struct SYNCACT, 0, 6>> syncact;
  Reg<struct SCISYNCTX,     0x80, R | W, 0, Bits<struct SYNCTX, 0, 6>> synctx;
  Reg<struct SCISYNCRX,     0x84, R> syncrx;
  PrimecellId<0x00041131> id;
};

template <class Wires>
struct Pl131 {
  static constexpr std::string_view kind = "pl131";
  static constexpr Ports ports{.outputs = {"irq"}};
  Wires wires;
  Regs r;

  void on_reset() { update(); }
  void update() { wires.irq((r.ris.v & r.imsc.v) != 0); }
};
}  // namespace peripherals::pl131
