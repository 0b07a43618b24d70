#pragma once
#include "core/clock.hpp"
#include "core/reg.hpp"
#include "peripherals/pci/bus.hpp"
#include "peripherals/pci/piix4_smbus.hpp"

#include <algorithm>

namespace peripherals::piix4_pm {
using namespace core;

// Function 3 of the Intel 82371AB (PIIX4): power management and SMBus — Intel 290562-001, chapter 7.
// Pins: out sci (level; also the SMBus interrupt while SMBHSTCFG says IRQ9).
// Window on the page: 0xb2, the APM ports.  PMBA and SMBBA of configuration space say where the others are.
// Board options: eeproms, bit n for a 24C02 at SMBus address 50 + n, the first holding what the memory module says of
// itself; acpi, 1 where SCI_EN is set from the start; smbus_at, where firmware has put the SMBus registers.
// There is no system management mode: F1 and F0 in APMC, firmware's commands to turn ACPI on and off, do just that.
// Not modelled: device monitors, clock control, GPI pins (registers are storage), the SMBus slave; suspend to RAM wakes
// at once.
struct Regs {
  Reg8<struct APMC, 0x000, R | Wfn> apmc;  // §7.2.1
  Reg8<struct APMS, 0x001, R | W> apms;
  // At PMBA (§7.2).
  Reg16<struct PMSTS, 0x100, Rfn | Wfn | W1C, 0, Bits<struct TMROF_STS, 0>, Bits<struct BM_STS, 4>,
        Bits<struct GBL_STS, 5>, Bits<struct PWRBTN_STS, 8>, Bits<struct RTC_STS, 10>, Bits<struct RSM_STS, 15>>
      pmsts;
  Reg16<struct PMEN, 0x102, R | Wfn, 0, Bits<struct TMROF_EN, 0>, Bits<struct GBL_EN, 5>, Bits<struct PWRBTN_EN, 8>,
        Bits<struct RTC_EN, 10>>
      pmen;
  Reg16<struct PMCNTRL, 0x104, R | Wfn, 0, Bits<struct SCI_EN, 0>, Bits<struct BRLD_EN_BM, 1>, Bits<struct GBL_RLS, 2>,
        Bits<struct SUS_TYP, 10, 3>, Bits<struct SUS_EN, 13>>
      pmcntrl;
  Reg<struct PMTMR, 0x108, Rfn, 0, Bits<struct TMR_VAL, 0, 24>> pmtmr;
  Reg16<struct GPSTS, 0x10c, R | Wfn | W1C, 0, Bits<struct THRM_STS, 0>, Bits<struct USB_STS, 8>,
        Bits<struct GPI_STS, 9>, Bits<struct RI_STS, 10>, Bits<struct LID_STS, 11>>
      gpsts;
  Reg16<struct GPEN, 0x10e, R | Wfn, 0, Bits<struct THRM_EN, 0>, Bits<struct USB_EN, 8>, Bits<struct GPI_EN, 9>,
        Bits<struct RI_EN, 10>, Bits<struct LID_EN, 11>>
      gpen;
  Reg<struct PCNTRL, 0x110, R | W> pcntrl;
  Reg8<struct PLVL2, 0x114, R> plvl2;
  Reg8<struct PLVL3, 0x115, R> plvl3;
  Reg16<struct GLBSTS, 0x118, R | W1C> glbsts;
  Reg<struct DEVSTS, 0x11c, R | W1C> devsts;
  Reg16<struct GLBEN, 0x120, R | W> glben;
  Reg<struct GLBCTL, 0x128, R | W> glbctl;
  Reg<struct DEVCTL, 0x12c, R | W> devctl;
  Reg8Array<struct GPIREG, 0x130, 3, 1, R> gpireg;
  Reg<struct GPOREG, 0x134, R | W, 0x7fff'bfff> gporeg;
  // At SMBBA (§7.3).
  Reg8<struct SMBHSTSTS, 0x200, Rfn | Wfn | W1C, 0, Bits<struct HOST_BUSY, 0>, Bits<struct INTER, 1>,
       Bits<struct DEV_ERR, 2>, Bits<struct BUS_ERR, 3>, Bits<struct FAILED, 4>>
      smbhststs;
  Reg8<struct SMBSLVSTS, 0x201, R | W1C> smbslvsts;
  Reg8<struct SMBHSTCNT, 0x202, Rfn | Wfn, 0, Bits<struct INTEREN, 0>, Bits<struct KILL, 1>,
       Bits<struct SMB_CMD_PROT, 2, 3>, Bits<struct START, 6>>
      smbhstcnt;
  Reg8<struct SMBHSTCMD, 0x203, R | W> smbhstcmd;
  Reg8<struct SMBHSTADD, 0x204, R | W> smbhstadd;
  Reg8<struct SMBHSTDAT0, 0x205, Rfn | Wfn> smbhstdat0;
  Reg8<struct SMBHSTDAT1, 0x206, Rfn | Wfn> smbhstdat1;
  Reg8<struct SMBBLKDAT, 0x207, Rfn | Wfn> smbblkdat;
  Reg8<struct SMBSLVCNT, 0x208, R | W> smbslvcnt;
  Reg8<struct SMBSHDWCMD, 0x209, R> smbshdwcmd;
  Reg16<struct SMBSLVEVT, 0x20a, R | W> smbslvevt;
  Reg16<struct SMBSLVDAT, 0x20c, R> smbslvdat;
};

template <class Wires>
struct Piix4Pm {
  static constexpr std::string_view kind = "piix4_pm";
  static constexpr Ports ports{.window = 2, .outputs = {"sci"}, .timers = 1, .narrow = Narrow::lanes};
  static constexpr pci::Identity pci_identity{.vendor = 0x8086,
                                              .device = 0x7113,
                                              .revision = 3,
                                              .class_code = 0x068000,
                                              .subsystem_vendor = 0,
                                              .subsystem = 0,
                                              .interrupt_pin = 1,
                                              .status = 0x0280};
  static constexpr u32 pm_size = 64, smbus_size = 16;
  static constexpr u32 smbus_at() {
    if constexpr (requires { Wires::smbus_at; }) return u32(Wires::smbus_at);
    return 0;
  }
  static constexpr pci::BarMap pci_bars[] = {{pci::window_bar, 0x100}, {pci::window_bar + 1, 0x200}};
  static constexpr u32 pmba = 0x40, devactb = 0x58, pmregmisc = 0x80, smbba = 0x90, smbhstcfg = 0xd2;
  static constexpr u64 timer_hz = 3'579'545;
  Wires wires;
  Regs r;
  struct Hidden {
    u64 halves_seen = 0;   // changes of the timer's top bit that TMROF_STS knows
    bool started = false;  // a driver sees an SMBus transaction as busy once
    Smbus smbus;
  } x;

  void pci_attached(pci::Function& f) {
    f.allow(pci::cfg_command, 2, pci::command_io);
    f.preset(pmba, 4, 1);
    f.allow(pmba, 4, 0xffc0);
    for (u32 at = 0x44; at < pmregmisc; at += 4) f.allow(at, 4, 0xffff'ffff);
    f.allow(pmregmisc, 1, 1);
    f.preset(smbba, 4, 1 | smbus_at());
    f.allow(smbba, 4, 0xfff0);
    f.preset(smbhstcfg, 1, 0x09);  // on, IRQ9
    f.allow(smbhstcfg, 1, 0x0f);
    f.allow(smbhstcfg + 1, 3, 0xff'ffff);
  }
  void pci_config_write(pci::Function& f, u32 reg, unsigned size, u32 v) {
    f.Function::config_write(reg, size, v);
    if (f.bus) f.bus->addresses_changed();
    update();
  }
  // PMREGMISC opens the registers at PMBA, COMMAND with SMBHSTCFG those at SMBBA (§7.1).  The order is that of
  // pci_bars: a closed window is one nobody reaches.
  template <class Found>
  void pci_windows(const pci::Function& f, Found&& found) const {
    const bool pm = f.get(pmregmisc, 1) & 1, smb = f.get(smbhstcfg, 1) & 1;
    window(found, pm, f.get(pmba, 2) & 0xffc0, pm_size);
    window(found, smb, f.get(smbba, 2) & 0xfff0, smbus_size);
  }

  // Host side.
  void press_power_button() {
    r.pmsts.set<PWRBTN_STS>();
    update();
  }

  void on_write(At<APMC>, u8 v) {
    r.apmc.v = v;
    if (v == 0xf1 || v == 0xf0) r.pmcntrl.set<SCI_EN>(v & 1);
    update();
  }
  u16 on_read(At<PMSTS>) {
    note_timer();
    return r.pmsts.v;
  }
  void on_write(At<PMSTS>, u16 v) {
    note_timer();
    r.pmsts.v &= u16(~v);
    update();
  }
  void on_write(At<PMEN>, u16 v) { r.pmen.write(v), update(); }
  void on_write(At<PMCNTRL>, u16 v) {
    r.pmcntrl.write(v);
    if (r.pmcntrl.is<SUS_EN>()) suspend();
    r.pmcntrl.put<SUS_EN>(0);  // write only
    r.pmcntrl.put<GBL_RLS>(0);
    update();
  }
  u32 on_read(At<PMTMR>) { return u32(ticks() & 0xff'ffff); }
  void on_write(At<GPSTS>, u16 v) { r.gpsts.v &= u16(~v), update(); }
  void on_write(At<GPEN>, u16 v) { r.gpen.write(v), update(); }

  u8 on_read(At<SMBHSTSTS>) {
    if (!x.started) return r.smbhststs.v;
    x.started = false;
    return r.smbhststs.mask<HOST_BUSY>();
  }
  void on_write(At<SMBHSTSTS>, u8 v) { r.smbhststs.v &= u8(~v), update(); }
  u8 on_read(At<SMBHSTCNT>) {
    x.smbus.block_at = 0;  // reading it starts the block's data over (§7.3.8)
    return r.smbhstcnt.v;
  }
  void on_write(At<SMBHSTCNT>, u8 v) {
    r.smbhstcnt.write(v);
    r.smbhstcnt.put<START>(0);
    if (r.smbhstcnt.is<KILL>()) r.smbhststs.set<FAILED>(), x.started = false;
    else if (v & r.smbhstcnt.mask<START>()) transact();
    update();
  }
  u8 on_read(At<SMBHSTDAT0>) { return x.smbus.data0; }
  void on_write(At<SMBHSTDAT0>, u8 v) { x.smbus.data0 = v; }
  u8 on_read(At<SMBHSTDAT1>) { return x.smbus.data1; }
  void on_write(At<SMBHSTDAT1>, u8 v) { x.smbus.data1 = v; }
  u8 on_read(At<SMBBLKDAT>) { return x.smbus.next_block_byte(); }
  void on_write(At<SMBBLKDAT>, u8 v) { x.smbus.put_block_byte(v); }

  void expire(Timer<0>) { update(); }
  void on_reset() {
    x.smbus.present = u8(option_eeproms);
    for (auto& e : x.smbus.eeproms) e.data.fill(0xff);
    x.smbus.eeproms[0].data = eeprom_24c02::sdram_presence(wires.ram_size());
    r.pmcntrl.set<SCI_EN>(option_acpi);
    x.halves_seen = ticks() >> 23;
    update();
  }

 private:
  static constexpr u64 option_eeproms = [] {
    if constexpr (requires { Wires::eeproms; }) return u64(Wires::eeproms);
    else return u64(0);
  }();
  static constexpr bool option_acpi = [] {
    if constexpr (requires { Wires::acpi; }) return Wires::acpi != 0;
    else return false;
  }();

  template <class Found>
  static void window(Found& found, bool open, u64 at, u64 size) {
    constexpr u64 nowhere = ~u64(0);
    if (open && at) found(true, at, at + size - 1);
    else found(true, nowhere, nowhere);
  }
  u64 ticks() const { return ns_to_ticks(wires.now(), timer_hz); }
  // TMROF_STS tells each change of bit 23 (§7.2.1).
  void note_timer() {
    const u64 halves = ticks() >> 23;
    if (halves != x.halves_seen) r.pmsts.set<TMROF_STS>();
    x.halves_seen = halves;
  }
  // 0 is soft off, and 2 what PC firmware calls suspend to disk (§7.2.3).
  void suspend() {
    const u16 type = r.pmcntrl.get<SUS_TYP>();
    if (type == 0 || type == 2) return wires.shutdown(0);
    wires.unimp("suspend to RAM");
    r.pmsts.set<RSM_STS>();
  }
  void transact() {
    const bool acknowledged = x.smbus.transact(r.smbhstcnt.get<SMB_CMD_PROT>(), r.smbhstadd.v, r.smbhstcmd.v);
    r.smbhststs.set<INTER>(acknowledged);
    r.smbhststs.set<DEV_ERR>(!acknowledged);
    x.started = true;
  }
  bool smbus_interrupts() const {
    const bool to_irq9 = (wires.function().get(smbhstcfg, 1) & 0x0f) == 0x09;
    return to_irq9 && r.smbhstcnt.is<INTEREN>() && r.smbhststs.v;
  }
  void update() {
    note_timer();
    const bool events = (r.pmsts.v & r.pmen.v) || (r.gpsts.v & r.gpen.v);
    wires.sci((r.pmcntrl.is<SCI_EN>() && events) || smbus_interrupts());
    const u64 now = wires.now(), next = ticks_to_ns((x.halves_seen + 1) << 23, timer_hz);
    if (r.pmen.is<TMROF_EN>()) wires.arm(0, std::max<u64>(next - std::min(next, now), 1'000));
    else wires.disarm(0);
  }
};
}  // namespace peripherals::piix4_pm
