#pragma once
#include "core/reg.hpp"

namespace peripherals::sp810 {
using namespace core;

// Arm PrimeXsys System Controller SP810 — DDI 0254B, chapter 3.
// Pins: none.
// Not modelled: clocks.  A requested mode is entered at once, timers and watchdog always run from their own clock
// whatever their select bits say, and the crystal, PLL, peripheral clock and test registers are storage.
struct Regs {
  // ModeStatus and RemapStat are read-only; they follow ModeCtrl and RemapClear.
  Reg<struct SCCTRL, 0x000, R | Wfn, 0x009, Bits<struct ModeCtrl, 0, 3>, Bits<struct ModeStatus, 3, 4>,
      Bits<struct RemapClear, 8>, Bits<struct RemapStat, 9>, Bits<struct HCLKDivSel, 12, 3>, Bits<struct TimerEn0Sel, 15>,
      Bits<struct TimerEn0Ov, 16>, Bits<struct TimerEn1Sel, 17>, Bits<struct TimerEn1Ov, 18>, Bits<struct TimerEn2Sel, 19>,
      Bits<struct TimerEn2Ov, 20>, Bits<struct TimerEn3Sel, 21>, Bits<struct TimerEn3Ov, 22>, Bits<struct WDogEnOv, 23>> ctrl;
  Reg<struct SCSYSSTAT, 0x004, R | Wfn> sysstat;
  Reg<struct SCIMCTRL, 0x008, R | W, 0, Bits<struct ItMdEn, 0>, Bits<struct ItMdCtrl, 1, 3>, Bits<struct InMdType, 7>> imctrl;
  Reg<struct SCIMSTAT, 0x00c, R | W, 0, Bits<struct ItMdStat, 0>> imstat;
  Reg<struct SCXTALCTRL, 0x010, R | W, 0, Bits<struct XtalCtrl, 0, 19>> xtalctrl;
  Reg<struct SCPLLCTRL, 0x014, R | W, 0, Bits<struct PllCtrl, 0, 28>> pllctrl;
  Reg<struct SCPLLFCTRL, 0x018, R | W> pllfctrl;
  Reg<struct SCPERCTRL0, 0x01c, R | W> perctrl0;
  Reg<struct SCPERCTRL1, 0x020, R | W> perctrl1;
  Reg<struct SCPEREN, 0x024, Wfn> peren;
  Reg<struct SCPERDIS, 0x028, Wfn> perdis;
  Reg<struct SCPERCLKEN, 0x02c, R, 0xffff'ffff> perclken;
  Reg<struct SCPERSTAT, 0x030, Rfn> perstat;
  Reg<struct SCITCR, 0xf00, R | W, 0, Bits<struct ITEN, 0>> itcr;
  RegArray<struct SCITIR, 0xf04, 2, 4, R> itir;
  Reg<struct SCITOR, 0xf0c, R | W> itor;
  Reg<struct SCCNTCTRL, 0xf10, R | W> cntctrl;
  Reg<struct SCCNTDATA, 0xf14, R | W> cntdata;
  Reg<struct SCCNTSTEP, 0xf18, W> cntstep;
  PrimecellId<0x00041810> id;
};

template <class Wires>
struct Sp810 {
  static constexpr std::string_view kind = "sp810";
  static constexpr Ports ports{};
  Wires wires;
  Regs r;

  // Modes SLEEP, DOZE, SLOW (01x), NORMAL (1xx) report as 0, 1, 2, 4 (§3.3.1).
  void on_write(At<SCCTRL>, u32 v) {
    r.ctrl.write(v);
    const u32 mode = r.ctrl.get<ModeCtrl>();
    r.ctrl.put<ModeStatus>(std::bit_floor(mode));
    r.ctrl.set<RemapStat>(r.ctrl.is<RemapClear>());
    if (r.ctrl.is<RemapClear>()) wires.end_boot_alias();  // the boot memory leaves address 0 (§3.2.2)
  }
  void on_write(At<SCSYSSTAT>, u32) { wires.system_reset(); }  // any value (§3.3.2)
  void on_write(At<SCPEREN>, u32 v) { r.perclken.v |= v; }
  void on_write(At<SCPERDIS>, u32 v) { r.perclken.v &= ~v; }
  u32 on_read(At<SCPERSTAT>) { return r.perclken.v; }
};
}  // namespace peripherals::sp810
