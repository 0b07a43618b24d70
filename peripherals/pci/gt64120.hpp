#pragma once
#include "peripherals/pci/bus.hpp"

#include "core/machine.hpp"
#include "core/reg.hpp"

namespace peripherals::gt64120 {
using namespace core;

// Galileo GT-64120A system controller — data sheet revision 1.1 (register appendix A).
// It decodes processor addresses, and is the bridge to PCI bus 0, which it owns.  As the function 00:00.0 of that bus
// it shows configuration registers that do not move anything.
// Windows on the processor's bus: 0 PCI_0 I/O, 1 its own registers ("internal space").
// Pins: out pirqa … pirqd, the interrupt lines of the bus (level).  Board facts: rotation[slot], how far the board
// turns the four interrupt pins of that slot.  Uses: pic, whose vector PCI_0 interrupt acknowledge cycles return.
// Not modelled: SDRAM and device timing, DMA engine, timers, I2O, PCI_1, parity (registers are storage; the DMA
// engine does not start); addresses above 4 GiB.
struct Regs {
  Reg<struct CPU_CONFIG, 0x000, R | W, 0, Bits<struct CacheOpMap, 0, 9>, Bits<struct WriteMode, 11>,
      Bits<struct Endianess, 12>, Bits<struct R5KL2, 14>, Bits<struct Tout, 15, 2>>
      cpu;
  Reg<struct SCS10LD, 0x008, R | W, 0x000, Bits<struct Low, 0, 15>> scs10ld;
  Reg<struct SCS10HD, 0x010, R | W, 0x007, Bits<struct High, 0, 7>> scs10hd;
  Reg<struct SCS32LD, 0x018, R | W, 0x008, Bits<struct Low, 0, 15>> scs32ld;
  Reg<struct SCS32HD, 0x020, R | W, 0x00f, Bits<struct High, 0, 7>> scs32hd;
  Reg<struct CS20LD, 0x028, R | W, 0x0e0, Bits<struct Low, 0, 15>> cs20ld;
  Reg<struct CS20HD, 0x030, R | W, 0x070, Bits<struct High, 0, 7>> cs20hd;
  Reg<struct CS3BOOTLD, 0x038, R | W, 0x0f8, Bits<struct Low, 0, 15>> cs3bootld;
  Reg<struct CS3BOOTHD, 0x040, R | W, 0x07f, Bits<struct High, 0, 7>> cs3boothd;
  Reg<struct PCI0IOLD, 0x048, R | Wfn, 0x080, Bits<struct Low, 0, 15>> pci0iold;
  Reg<struct PCI0IOHD, 0x050, R | Wfn, 0x00f, Bits<struct High, 0, 7>> pci0iohd;
  Reg<struct PCI0M0LD, 0x058, R | Wfn, 0x090, Bits<struct Low, 0, 15>> pci0m0ld;
  Reg<struct PCI0M0HD, 0x060, R | Wfn, 0x01f, Bits<struct High, 0, 7>> pci0m0hd;
  Reg<struct ISD, 0x068, R | Wfn, 0x0a0, Bits<struct Low, 0, 15>> isd;
  Reg<struct CPUERR_ADDRLO, 0x070, R> cpuerr_addrlo;
  Reg<struct CPUERR_ADDRHI, 0x078, R> cpuerr_addrhi;
  Reg<struct PCI0M1LD, 0x080, R | Wfn, 0x790, Bits<struct Low, 0, 15>> pci0m1ld;
  Reg<struct PCI0M1HD, 0x088, R | Wfn, 0x01f, Bits<struct High, 0, 7>> pci0m1hd;
  Reg<struct PCI1IOLD, 0x090, R | Wfn, 0x100, Bits<struct Low, 0, 15>> pci1iold;
  Reg<struct PCI1IOHD, 0x098, R | W, 0x00f, Bits<struct High, 0, 7>> pci1iohd;
  Reg<struct PCI1M0LD, 0x0a0, R | Wfn, 0x110, Bits<struct Low, 0, 15>> pci1m0ld;
  Reg<struct PCI1M0HD, 0x0a8, R | W, 0x01f, Bits<struct High, 0, 7>> pci1m0hd;
  Reg<struct PCI1M1LD, 0x0b0, R | Wfn, 0x120, Bits<struct Low, 0, 15>> pci1m1ld;
  Reg<struct PCI1M1HD, 0x0b8, R | W, 0x02f, Bits<struct High, 0, 7>> pci1m1hd;
  Reg<struct PCI0SYNC, 0x0c0, R> pci0sync;  // a read waits for writes that are posted: there are none
  Reg<struct PCI1SYNC, 0x0c8, R> pci1sync;
  Reg<struct SCS10AR, 0x0d0, R | W, 0x000, Bits<struct Remap, 0, 11>> scs10ar;
  Reg<struct SCS32AR, 0x0d8, R | W, 0x008, Bits<struct Remap, 0, 11>> scs32ar;
  Reg<struct CS20R, 0x0e0, R | W, 0x0e0, Bits<struct Remap, 0, 11>> cs20r;
  Reg<struct CS3BOOTR, 0x0e8, R | W, 0x0f8, Bits<struct Remap, 0, 11>> cs3bootr;
  Reg<struct PCI0IOREMAP, 0x0f0, R | W, 0x080, Bits<struct Remap, 0, 11>> pci0ioremap;
  Reg<struct PCI0M0REMAP, 0x0f8, R | W, 0x090, Bits<struct Remap, 0, 11>> pci0m0remap;
  Reg<struct PCI0M1REMAP, 0x100, R | W, 0x790, Bits<struct Remap, 0, 11>> pci0m1remap;
  Reg<struct PCI1IOREMAP, 0x108, R | W, 0x100, Bits<struct Remap, 0, 11>> pci1ioremap;
  Reg<struct PCI1M0REMAP, 0x110, R | W, 0x110, Bits<struct Remap, 0, 11>> pci1m0remap;
  Reg<struct PCI1M1REMAP, 0x118, R | W, 0x120, Bits<struct Remap, 0, 11>> pci1m1remap;
  Reg<struct MULTI, 0x120, R, 3> multi;
  Reg<struct CPUERR_DATALO, 0x128, R, 0xffff'ffff> cpuerr_datalo;
  Reg<struct CPUERR_DATAHI, 0x130, R, 0xffff'ffff> cpuerr_datahi;
  Reg<struct CPUERR_PARITY, 0x138, R, 0xff> cpuerr_parity;
  // Chip selects on the memory bus: low and high decode of SCS0…3, CS0…3 and BOOT, in pairs.
  RegArray<struct DEVICE_DECODE, 0x400, 18, 4, R | W, 0, Bits<struct Decode, 0, 8>> device_decode;
  Reg<struct SDRAM_CFG, 0x448, R | W, 0x200> sdram_cfg;
  RegArray<struct SDRAM_B, 0x44c, 4, 4, R | W, 5> sdram_b;
  RegArray<struct DEV_B, 0x45c, 4, 4, R | W, 0x386f'ffff> dev_b;
  Reg<struct DEV_BOOT, 0x46c, R | W, 0x146f'ffff> dev_boot;
  Reg<struct ADERR, 0x470, R> aderr;
  Reg<struct SDRAM_OPMODE, 0x474, R | W> sdram_opmode;
  Reg<struct SDRAM_BM, 0x478, R | W, 7> sdram_bm;
  Reg<struct SDRAM_ADDRDECODE, 0x47c, R | W, 2> sdram_addrdecode;
  RegArray<struct ECC, 0x480, 5, 4, R> ecc;
  RegArray<struct DMA, 0x800, 20, 4, R | W> dma;  // counts, addresses, pointers of four channels
  RegArray<struct TC, 0x850, 4, 4, R | W, 0x00ff'ffff> tc;
  Reg<struct TC_CONTROL, 0x864, R | W> tc_control;
  Reg<struct PCI0_CMD, 0xc00, R | W, 0, Bits<struct MByteSwap, 0>, Bits<struct SyncMode, 1, 3>,
      Bits<struct MWordSwap, 10>, Bits<struct SWordSwap, 11>, Bits<struct SSBWordSwap, 12>, Bits<struct MReq, 13, 3>,
      Bits<struct SByteSwap, 16>, Bits<struct Sw, 26>>
      pci0_cmd;
  Reg<struct PCI0_TOR, 0xc04, R | W, 0x70f> pci0_tor;
  RegArray<struct PCI0_BS, 0xc08, 4, 4, R | W, 0x00ff'f000> pci0_bs;
  Reg<struct INTRCAUSE, 0xc18, R | Wfn, 0, Bits<struct MasAbort0, 18>, Bits<struct TarAbort0, 19>> intrcause;
  Reg<struct INTRMASK, 0xc1c, R | W> intrmask;
  Reg<struct PCI0_ICMASK, 0xc24, R | W> pci0_icmask;
  Reg<struct PCI0_SERR0MASK, 0xc28, R | W> pci0_serr0mask;
  Reg<struct PCI1_IACK, 0xc30, R> pci1_iack;
  Reg<struct PCI0_IACK, 0xc34, Rfn> pci0_iack;
  Reg<struct PCI0_BARE, 0xc3c, R | W, 0xf> pci0_bare;
  Reg<struct PCI0_PREFMBR, 0xc40, R | W, 0x40> pci0_prefmbr;
  Reg<struct PCI0_CFGADDR, 0xcf8, R | W, 0, Bits<struct RegNum, 2, 6>, Bits<struct FunctNum, 8, 3>,
      Bits<struct DevNum, 11, 5>, Bits<struct BusNum, 16, 8>, Bits<struct ConfigEn, 31>>
      pci0_cfgaddr;
  Reg<struct PCI0_CFGDATA, 0xcfc, Rfn | Wfn> pci0_cfgdata;
};

template <class Wires>
struct Gt64120 {
  static constexpr std::string_view kind = "gt64120";
  static constexpr Ports ports{.window = 0x1000, .outputs = {"pirqa", "pirqb", "pirqc", "pirqd"}, .widths = 4};
  static constexpr pci::Identity pci_identity{.vendor = 0x11ab,
                                              .device = 0x4620,
                                              .revision = 0x10,
                                              .class_code = 0x060000,
                                              .subsystem_vendor = 0,
                                              .subsystem = 0,
                                              .interrupt_pin = 1};
  static constexpr pci::BarMap pci_bars[] = {{0, 0}};
  Wires wires;
  Regs r;
  pci::Bus bus{
      0,
      {.dma_read = [this](GuestPhys at, std::span<u8> to) { return wires.machine().dma_read(at, to); },
       .dma_write = [this](GuestPhys at, std::span<const u8> from) { return wires.machine().dma_write(at, from); },
       .set_line = [this](unsigned line, bool level) { set_pirq(line, level); },
       .route = [](unsigned slot, unsigned pin) { return unsigned(pin + Wires::rotation[slot]) & 3; },
       .addresses_moved = {}}};

  // Base addresses of 00:00.0 after reset: they tell the defaults of the windows and cannot be sized.
  void pci_attached(pci::Function& f) {
    if constexpr (requires { Wires::plug_from; }) bus.first_plug_slot = Wires::plug_from;
    constexpr u32 bars[] = {0x0000'0008, 0x0100'0008, 0x1c00'0000, 0x1f00'0000, 0x1400'0000, 0x1400'0001};
    for (u32 i = 0; i < std::size(bars); ++i) f.preset(pci::cfg_bar + 4 * i, 4, bars[i]);
  }

  // Where the windows are now: an unused one far outside.
  u64 window_base(unsigned n) const {
    if (n == 1) return u64(r.isd.v) << 21;
    return Window{r.pci0iold.v, r.pci0iohd.v}.base();
  }
  // PCI cycles: I/O by port number, memory by processor address, which is the PCI address.
  bool io_plug_read(GuestPhys at, unsigned size, u64& v) { return bus.read(true, raw(at), size, v) || absent(v); }
  bool io_plug_write(GuestPhys at, unsigned size, u64 v) { return bus.write(true, raw(at), size, v) || absent(v); }
  bool mem_plug_read(GuestPhys at, unsigned size, u64& v) {
    return in_pci_memory(raw(at)) && (bus.read(false, raw(at), size, v) || absent(v));
  }
  bool mem_plug_write(GuestPhys at, unsigned size, u64 v) {
    return in_pci_memory(raw(at)) && (bus.write(false, raw(at), size, v) || absent(v));
  }

  // Writing a low decode sets the remap register too (§4.1).
  void on_write(At<PCI0IOLD>, u32 v) { r.pci0iold.write(v), r.pci0ioremap.write(v), wires.window_moved(); }
  void on_write(At<PCI0IOHD>, u32 v) { r.pci0iohd.write(v), wires.window_moved(); }
  void on_write(At<PCI0M0LD>, u32 v) { r.pci0m0ld.write(v), r.pci0m0remap.write(v), wires.window_moved(); }
  void on_write(At<PCI0M0HD>, u32 v) { r.pci0m0hd.write(v), wires.window_moved(); }
  void on_write(At<PCI0M1LD>, u32 v) { r.pci0m1ld.write(v), r.pci0m1remap.write(v), wires.window_moved(); }
  void on_write(At<PCI0M1HD>, u32 v) { r.pci0m1hd.write(v), wires.window_moved(); }
  void on_write(At<PCI1IOLD>, u32 v) { r.pci1iold.write(v), r.pci1ioremap.write(v); }
  void on_write(At<PCI1M0LD>, u32 v) { r.pci1m0ld.write(v), r.pci1m0remap.write(v); }
  void on_write(At<PCI1M1LD>, u32 v) { r.pci1m1ld.write(v), r.pci1m1remap.write(v); }
  void on_write(At<ISD>, u32 v) { r.isd.write(v), wires.window_moved(); }
  void on_write(At<INTRCAUSE>, u32 v) { r.intrcause.v &= v; }  // zeros clear
  u32 on_read(At<PCI0_IACK>) { return wires.pic().acknowledge(); }

  u32 on_read(At<PCI0_CFGDATA>) {
    if (!r.pci0_cfgaddr.is<ConfigEn>()) return ~0u;
    if (!target()) r.intrcause.set<MasAbort0>();
    return in_order(bus.config_read(r.pci0_cfgaddr.get<BusNum>(), devfn(), r.pci0_cfgaddr.v & 0xfc, 4));
  }
  void on_write(At<PCI0_CFGDATA>, u32 v) {
    if (!r.pci0_cfgaddr.is<ConfigEn>()) return;
    if (!target()) r.intrcause.set<MasAbort0>();
    bus.config_write(r.pci0_cfgaddr.get<BusNum>(), devfn(), r.pci0_cfgaddr.v & 0xfc, 4, in_order(v));
  }

  void on_reset() {
    r.cpu.set<Endianess>(!Wires::big_endian);
    r.pci0_cmd.v =
        Wires::big_endian ? 0 : r.pci0_cmd.template mask<MByteSwap>() | r.pci0_cmd.template mask<SByteSwap>();
    constexpr u8 decode[18] = {0x00, 0x07, 0x08, 0x0f, 0x10, 0x17, 0x18, 0x1f, 0xc0,
                               0xc7, 0xc8, 0xcf, 0xd0, 0xdf, 0xf0, 0xfb, 0xfc, 0xff};
    for (unsigned i = 0; i < 18; ++i) r.device_decode[i] = decode[i];
    r.pci0_bs[2] = 0x01ff'f000;
    r.tc[0] = 0xffff'ffff;
    for (unsigned line = 0; line < 4; ++line) set_pirq(line, false);
    bus.reset();
    wires.window_moved();
  }

 private:
  struct Window {  // active while the low seven bits do not exceed the high decode; steps of 2 MiB (§4.1)
    u32 low, high;
    bool active() const { return (low & 0x7f) <= high; }
    u64 base() const { return active() ? u64(low) << 21 : u64(1) << 48; }
    bool holds(u64 at) const { return active() && at - base() < u64(high + 1 - (low & 0x7f)) << 21; }
  };
  bool in_pci_memory(u64 at) const {
    return Window{r.pci0m0ld.v, r.pci0m0hd.v}.holds(at) || Window{r.pci0m1ld.v, r.pci0m1hd.v}.holds(at);
  }
  // A cycle nobody claims ends in a master abort: reads give all ones.
  bool absent(u64& v) {
    r.intrcause.set<MasAbort0>();
    v = ~u64(0);
    return true;
  }
  unsigned devfn() const { return r.pci0_cfgaddr.v >> 8 & 0xff; }
  bool target() const { return r.pci0_cfgaddr.get<BusNum>() != bus.number || bus.at(devfn() >> 3, devfn() & 7); }
  // Without MByteSwap, data of configuration cycles is turned, but for the bridge's own registers.
  u32 in_order(u32 v) const {
    const bool own = (r.pci0_cfgaddr.v & 0x00ff'f800) == 0;
    return own || r.pci0_cmd.is<MByteSwap>() ? v : __builtin_bswap32(v);
  }
  void set_pirq(unsigned line, bool level) {
    switch (line) {
      case 0: return wires.pirqa(level);
      case 1: return wires.pirqb(level);
      case 2: return wires.pirqc(level);
      default: return wires.pirqd(level);
    }
  }
};
}  // namespace peripherals::gt64120
