#pragma once
#include "core/reg.hpp"
#include "peripherals/pci/device.hpp"
#include "peripherals/pci/function.hpp"
#include "peripherals/storage/ide_core.hpp"

#include <algorithm>

namespace peripherals::piix4_ide {
using namespace core;

// The IDE function of the 82371AB (PIIX4) — Intel 290562-001, chapter 4 and §2.3; two channels, ide_core.hpp.
// Windows: the primary command block 0x1F0 (8) and control block 0x3F6 (1), the secondary 0x170 and 0x376; the bus
// master is base address 4.  Drives 0 to 3: primary device 0 and 1, secondary device 0 and 1.
// Pins: out irq14, irq15 (levels).  A channel answers while its IDETIM decode bit is set.
// Not modelled: timing registers (storage); PCICMD bit 0 does not hide the compatibility ports.
struct Regs {
  RegArray<struct DATA, 0x000, 2, 0x200, R | W> data;         // 16 or 32 bits wide; claims() serves it
  Reg8Array<struct ERROR, 0x001, 2, 0x200, Rfn | Wfn> error;  // write: features
  Reg8Array<struct COUNT, 0x002, 2, 0x200, Rfn | Wfn> count;
  Reg8Array<struct LBA_LOW, 0x003, 2, 0x200, Rfn | Wfn> lba_low;
  Reg8Array<struct LBA_MID, 0x004, 2, 0x200, Rfn | Wfn> lba_mid;
  Reg8Array<struct LBA_HIGH, 0x005, 2, 0x200, Rfn | Wfn> lba_high;
  Reg8Array<struct DEVICE, 0x006, 2, 0x200, Rfn | Wfn> device;
  Reg8Array<struct STATUS, 0x007, 2, 0x200, Rfn | Wfn> status;    // write: command
  Reg8Array<struct CONTROL, 0x100, 2, 0x200, Rfn | Wfn> control;  // read: alternate status
  Reg8Array<struct BMICX, 0x400, 2, 8, Rfn | Wfn> bm_command;
  Reg8Array<struct BMISX, 0x402, 2, 8, Rfn | Wfn> bm_status;
  RegArray<struct BMIDTPX, 0x404, 2, 8, Rfn | Wfn> bm_table;
};

template <class Wires>
struct Piix4Ide {
  static constexpr std::string_view kind = "piix4_ide";
  static constexpr Ports ports{.window = 8, .outputs = {"irq14", "irq15"}, .more_windows = {1, 8, 1}};
  static constexpr pci::Identity pci_identity{
      .vendor = 0x8086,
      .device = 0x7111,
      .revision = 1,
      .class_code = 0x010180,
      .bars = {pci::Bar{}, pci::Bar{}, pci::Bar{}, pci::Bar{}, pci::Bar{pci::BarKind::io, 16}}};
  static constexpr pci::BarMap pci_bars[] = {{4, 0x400}};
  Wires wires;
  Regs r;
  struct Hidden {
    ide::ChannelState channel[2];
    void reset() { channel[0].reset(), channel[1].reset(); }
  } x;
  pci::Function* function = nullptr;  // null on a table, where both channels answer

  // IDETIM of both channels, SIDETIM, UDMACTL, UDMATIM (§4.1.10 to §4.1.13).
  void pci_attached(pci::Function& f) {
    function = &f;
    f.allow(0x40, 4, 0xf3ff'f3ff);
    f.allow(0x44, 1, 0xff);
    f.allow(0x48, 1, 0x0f);
    f.allow(0x4a, 2, 0x3333);
  }

  // The data registers take any width.
  bool claims(u32 off) const { return off == 0x000 || off == 0x200; }
  u64 read_window(u32 off, unsigned size) {
    const u32 n = off / 0x200;
    if (size == 1) return wires.stray(off), 0;
    return answers(n) ? at(n)->read_data(std::min(size, 4u)) : ~u64(0);
  }
  void write_window(u32 off, unsigned size, u64 v) {
    const u32 n = off / 0x200;
    if (size == 1) return wires.stray(off);
    if (answers(n)) at(n)->write_data(std::min(size, 4u), u32(v));
  }

  u32 on_read(At<ERROR>, u32 n) { return read(n, ide::reg_error); }
  u32 on_read(At<COUNT>, u32 n) { return read(n, ide::reg_count); }
  u32 on_read(At<LBA_LOW>, u32 n) { return read(n, ide::reg_low); }
  u32 on_read(At<LBA_MID>, u32 n) { return read(n, ide::reg_mid); }
  u32 on_read(At<LBA_HIGH>, u32 n) { return read(n, ide::reg_high); }
  u32 on_read(At<DEVICE>, u32 n) { return read(n, ide::reg_device); }
  u32 on_read(At<STATUS>, u32 n) { return read(n, ide::reg_status); }
  u32 on_read(At<CONTROL>, u32 n) { return answers(n) ? at(n)->alternate_status() : 0xff; }
  u32 on_read(At<BMICX>, u32 n) { return x.channel[n].bm.command; }
  u32 on_read(At<BMISX>, u32 n) { return x.channel[n].bm.status; }
  u32 on_read(At<BMIDTPX>, u32 n) { return x.channel[n].bm.table; }

  void on_write(At<ERROR>, u32 n, u8 v) { write(n, ide::reg_error, v); }
  void on_write(At<COUNT>, u32 n, u8 v) { write(n, ide::reg_count, v); }
  void on_write(At<LBA_LOW>, u32 n, u8 v) { write(n, ide::reg_low, v); }
  void on_write(At<LBA_MID>, u32 n, u8 v) { write(n, ide::reg_mid, v); }
  void on_write(At<LBA_HIGH>, u32 n, u8 v) { write(n, ide::reg_high, v); }
  void on_write(At<DEVICE>, u32 n, u8 v) { write(n, ide::reg_device, v); }
  void on_write(At<STATUS>, u32 n, u8 v) { write(n, ide::reg_status, v); }
  void on_write(At<CONTROL>, u32 n, u8 v) {
    if (answers(n)) at(n)->write_control(v);
  }
  void on_write(At<BMICX>, u32 n, u8 v) { at(n)->bm_command(v); }
  void on_write(At<BMISX>, u32 n, u8 v) { at(n)->bm_status(v); }
  void on_write(At<BMIDTPX>, u32 n, u32 v) { at(n)->bm_table(v); }

  void on_reset() {
    for (unsigned unit = 0; unit < 4; ++unit) {
      BlockPort* p = wires.drive(unit);
      if (!p) continue;
      p->done = [this, unit](BlockRequest& request) { at(unit / 2)->answered(request); };
      p->medium_changed = [this, unit] { at(unit / 2)->medium_changed(unit % 2); };
    }
    for (u32 n : {0u, 1u}) at(n)->power_on();
  }

 private:
  struct Side final : ide::Pins {
    Side(Piix4Ide& d, u32 n) : d(d), n(n) {}
    void intrq(bool level) override { n == 0 ? d.wires.irq14(level) : d.wires.irq15(level); }
    bool dma_read(GuestPhys from, std::span<u8> to) override { return d.wires.dma_read(from, to); }
    bool dma_write(GuestPhys to, std::span<const u8> from) override { return d.wires.dma_write(to, from); }
    BlockPort* drive(unsigned unit) override { return d.wires.drive(n * 2 + unit); }
    void guest_error(const char* what) override { d.wires.guest_error(what); }
    Piix4Ide& d;
    u32 n;
  };
  // The channel with its way out, for one call.
  struct Attached {
    Attached(Piix4Ide& d, u32 n) : side(d, n), channel(d.x.channel[n], side, n) {}
    ide::Channel* operator->() { return &channel; }
    Side side;
    ide::Channel channel;
  };
  Attached at(u32 n) { return {*this, n}; }

  bool answers(u32 n) const { return !function || (function->get(0x40 + 2 * n, 2) & 0x8000); }
  u32 read(u32 n, u32 reg) { return answers(n) ? at(n)->read(reg) : 0xff; }
  void write(u32 n, u32 reg, u8 v) {
    if (answers(n)) at(n)->write(reg, v);
  }
};
}  // namespace peripherals::piix4_ide
