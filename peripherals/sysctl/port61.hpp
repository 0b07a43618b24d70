#pragma once
#include "core/reg.hpp"

namespace peripherals::port61 {
using namespace core;

// NMI status and control port of a PC, 0x61: the speaker's gate and what became of RAM refresh — 82371AB (PIIX4) data
// sheet §4.2.6.1, IBM PC/AT Technical Reference.
// Pins: none.  Uses: pit, the 8254 whose counter 2 makes the tone.
// Not modelled: the sound, NMIs from parity or the bus (their status reads 0, their enables are storage).
struct Regs {
  Reg8<struct NMISC, 0, Rfn | Wfn, 0, Bits<struct TIM_CNT2_EN, 0>, Bits<struct SPKR_DAT_EN, 1>,
       Bits<struct PCI_SERR_EN, 2>, Bits<struct IOCHK_NMI_EN, 3>>
      nmisc;
};

template <class Wires>
struct Port61 {
  static constexpr std::string_view kind = "port61";
  static constexpr Ports ports{.window = 1, .narrow = Narrow::lanes};
  static constexpr u64 refresh_ns = 15'085;  // 18 clocks of the timer; bit 4 turns with each
  Wires wires;
  Regs r;

  u8 on_read(At<NMISC>) {
    const bool refresh = wires.now() / refresh_ns & 1;
    return u8(r.nmisc.v | refresh << 4 | wires.pit().out2() << 5);
  }
  void on_write(At<NMISC>, u8 v) {
    r.nmisc.write(v);
    wires.pit().set_gate2(r.nmisc.is<TIM_CNT2_EN>());
  }
};
}  // namespace peripherals::port61
