#pragma once
#include "core/reg.hpp"

#include <algorithm>

namespace peripherals::pl110 {
using namespace core;

// Arm PrimeCell colour LCD controller PL110 — DDI 0161E — with the interrupt registers of the PL111
// (DDI 0293C §3.2) that the Versatile boards have.
// Pins: out irq (CLCDINTR, level).
// Board option versatile: 1 puts LCDControl at 0x18 and LCDIMSC at 0x1C as the Versatile development
// chip does (DUI 0224I §4.6); 0 keeps the manual's order.
// Frames are counted at 60 Hz whatever the timing registers say.
// Not modelled: FIFO underflow and bus errors; the panel's own timing.
struct Regs {  // table 3-1
  Reg<struct LCDTiming0, 0x000, R | W, 0, Bits<struct PPL, 2, 6>, Bits<struct HSW, 8, 8>, Bits<struct HFP, 16, 8>, Bits<struct HBP, 24, 8>> timing0;
  Reg<struct LCDTiming1, 0x004, R | W, 0, Bits<struct LPP, 0, 10>, Bits<struct VSW, 10, 6>, Bits<struct VFP, 16, 8>, Bits<struct VBP, 24, 8>> timing1;
  Reg<struct LCDTiming2, 0x008, R | W, 0, Bits<struct PCD_LO, 0, 5>, Bits<struct CLKSEL, 5>, Bits<struct ACB, 6, 5>, Bits<struct IVS, 11>, Bits<struct IHS, 12>, Bits<struct IPC, 13>, Bits<struct IOE, 14>, Bits<struct CPL, 16, 10>, Bits<struct BCD, 26>, Bits<struct PCD_HI, 27, 5>> timing2;
  Reg<struct LCDTiming3, 0x00c, R | W, 0, Bits<struct LED, 0, 7>, Bits<struct LEE, 16>> timing3;
  Reg<struct LCDUPBASE,  0x010, R | W, 0, Bits<struct UPBASE, 2, 30>> upbase;
  Reg<struct LCDLPBASE,  0x014, R | W, 0, Bits<struct LPBASE, 2, 30>> lpbase;
  Reg<struct LCDIMSC,    0x018, R | Wfn, 0, Bits<struct FUFIM, 1>, Bits<struct LNBUIM, 2>, Bits<struct VCompIM, 3>, Bits<struct MBERRORIM, 4>> imsc;
  Reg<struct LCDControl, 0x01c, R | Wfn, 0, Bits<struct LcdEn, 0>, Bits<struct LcdBpp, 1, 3>, Bits<struct LcdBW, 4>, Bits<struct LcdTFT, 5>, Bits<struct LcdMono8, 6>, Bits<struct LcdDual, 7>, Bits<struct BGR, 8>, Bits<struct BEBO, 9>, Bits<struct BEPO, 10>, Bits<struct LcdPwr, 11>, Bits<struct LcdVComp, 12, 2>, Bits<struct WATERMARK, 16>> control;
  Reg<struct LCDRIS,     0x020, R, 0, Bits<struct FUF, 1>, Bits<struct LNBU, 2>, Bits<struct VComp, 3>, Bits<struct MBERROR, 4>> ris;
  Reg<struct LCDMIS,     0x024, Rfn> mis;
  Reg<struct LCDICR,     0x028, Wfn> icr;
  Reg<struct LCDUPCURR,  0x02c, Rfn> upcurr;
  Reg<struct LCDLPCURR,  0x030, Rfn> lpcurr;
  RegArray<struct LCDPalette, 0x200, 128, 4, R | W> palette;
  PrimecellId<0x00041110> id;
};

// How a pixel is stored in the frame buffer (§3.2.7, LcdBpp).
enum class Format : u8 { bpp1, bpp2, bpp4, bpp8, bpp16, bpp24, bpp16_565, bpp12_444 };

template <class Wires>
struct Pl110 {
  static constexpr std::string_view kind = "pl110";
  static constexpr Ports ports{.outputs = {"irq"}, .timers = 1};
  static constexpr u64 frame_ns = 1'000'000'000 / 60;
  Wires wires;
  Regs r;
  struct Hidden {
    u32 upper = 0, lower = 0;  // frame bases in use, taken over at each frame (§3.2.5)
    u64 frame_start = 0;       // ns
    bool running = false;
  } x;

  // What a screen needs to know.
  bool display_on() const { return r.control.is<LcdEn>() && r.control.is<LcdPwr>(); }
  u32 width() const { return 16 * (r.timing0.get<PPL>() + 1); }
  u32 height() const { return r.timing1.get<LPP>() + 1; }
  Format format() const { return Format(r.control.get<LcdBpp>()); }
  u32 bits_per_pixel() const {
    constexpr u8 bits[] = {1, 2, 4, 8, 16, 32, 16, 16};
    return bits[r.control.get<LcdBpp>()];
  }
  bool blue_first() const { return r.control.is<BGR>(); }
  bool big_endian_bytes() const { return r.control.is<BEBO>(); }
  bool big_endian_pixels() const { return r.control.is<BEPO>(); }
  GuestPhys frame_base() const { return GuestPhys{x.upper}; }
  u32 frame_bytes() const { return u32(u64(width()) * height() * bits_per_pixel() / 8); }
  // Palette entry as 1:5:5:5, red in the low bits (§3.2.11).
  u16 colour(u8 index) const { return u16(r.palette[index / 2] >> index % 2 * 16); }

  u32 map_offset(u32 off) const {
    if constexpr (Wires::versatile != 0)
      if (off == 0x18 || off == 0x1c) return off ^ 0x4;
    return off;
  }

  void on_write(At<LCDIMSC>, u32 v) {
    r.imsc.write(v);
    update();
  }
  void on_write(At<LCDControl>, u32 v) {
    r.control.write(v);
    const bool on = r.control.is<LcdEn>();
    if (on && !x.running) start_frame();
    if (!on) wires.disarm(0);
    x.running = on;
  }
  u32 on_read(At<LCDMIS>) { return r.ris.v & r.imsc.v; }
  void on_write(At<LCDICR>, u32 v) {
    r.ris.v &= ~v;
    update();
  }
  u32 on_read(At<LCDUPCURR>) { return x.upper + progress(); }
  u32 on_read(At<LCDLPCURR>) { return r.control.is<LcdDual>() ? x.lower + progress() : 0; }

  void expire(Timer<0>) {
    start_frame();
    r.ris.v |= r.ris.mask<LNBU>() | r.ris.mask<VComp>();
    update();
  }
  void on_reset() {
    wires.disarm(0);
    update();
  }

  void start_frame() {
    x.upper = r.upbase.v;
    x.lower = r.lpbase.v;
    x.frame_start = wires.now();
    wires.arm(0, frame_ns);
  }
  // Bytes of the frame fetched so far, whole words.
  u32 progress() const {
    if (!x.running) return 0;
    const u64 elapsed = std::min(wires.now() - x.frame_start, frame_ns);
    return u32(frame_bytes() * elapsed / frame_ns) & ~3u;
  }

  void update() { wires.irq((r.ris.v & r.imsc.v) != 0); }
};
}  // namespace peripherals::pl110
