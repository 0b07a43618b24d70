#pragma once
#include "peripherals/pci/function.hpp"
#include "peripherals/usb/uhci_core.hpp"

#include "core/reg.hpp"

#include <array>

namespace peripherals::piix4_uhci {
using namespace core;

// Function 2 of the Intel 82371AB (PIIX4): USB host controller — UHCI Design Guide 1.1; 290562-001 chapter 6.
// Pins: out inta (INTD# of the slot, level).  Two ports; attach() plugs devices in.
// Not modelled: legacy keyboard emulation (LEGSUP is storage), over-current, the single step of SWDBG.
struct Regs {  // §2.1
  Reg16<struct USBCMD, 0x00, R | Wfn, 0, Bits<struct RS, 0>, Bits<struct HCRESET, 1>, Bits<struct GRESET, 2>,
        Bits<struct EGSM, 3>, Bits<struct FGR, 4>, Bits<struct SWDBG, 5>, Bits<struct CF, 6>, Bits<struct MAXP, 7>>
      usbcmd;
  Reg16<struct USBSTS, 0x02, R | Wfn, 0x20, Bits<struct USBINT, 0>, Bits<struct USBERR, 1>, Bits<struct RESUME, 2>,
        Bits<struct HSE, 3>, Bits<struct HCPE, 4>, Bits<struct HCHALTED, 5>>
      usbsts;
  Reg16<struct USBINTR, 0x04, R | Wfn, 0, Bits<struct TIMEOUT, 0>, Bits<struct RESUME_E, 1>, Bits<struct IOC, 2>,
        Bits<struct SHORT, 3>>
      usbintr;
  Reg16<struct FRNUM, 0x06, R | Wfn, 0, Bits<struct NUMBER, 0, 11>> frnum;
  Reg<struct FLBASEADD, 0x08, R | W, 0, Bits<struct BASE, 12, 20>> flbaseadd;
  Reg8<struct SOFMOD, 0x0c, R | W, 0x40, Bits<struct TIMING, 0, 7>> sofmod;
  Reg16<struct PORTSC1, 0x10, R | Wfn, 0x80, Bits<struct CCS, 0>, Bits<struct CSC, 1>, Bits<struct PE, 2>,
        Bits<struct PEC, 3>, Bits<struct LINE, 4, 2>, Bits<struct RD, 6>, Bits<struct ONE, 7>, Bits<struct LSDA, 8>,
        Bits<struct PR, 9>, Bits<struct SUSP, 12>>
      portsc1;
  Reg16<struct PORTSC2, 0x12, R | Wfn, 0x80> portsc2;
};

template <class Wires>
struct Piix4Uhci {
  static constexpr std::string_view kind = "piix4_uhci";
  static constexpr Ports ports{.window = 32, .outputs = {"inta"}, .timers = 1, .narrow = Narrow::lanes};
  static constexpr pci::Identity pci_identity{
      .vendor = 0x8086,
      .device = 0x7112,
      .revision = 1,
      .class_code = 0x0c0300,
      .subsystem_vendor = 0,
      .subsystem = 0,
      .interrupt_pin = 4,
      .bars = {pci::Bar{}, pci::Bar{}, pci::Bar{}, pci::Bar{}, pci::Bar{pci::BarKind::io, 32}}};
  static constexpr pci::BarMap pci_bars[] = {{4, 0}};
  static constexpr u64 frame_ns = 1'000'000;
  Wires wires;
  Regs r;
  struct Hidden {
    bool complete = false, short_packet = false;  // which of the two reasons USBINT stands for
  } x;
  std::array<usb::UsbDevice*, 2> plugged{};

  void pci_attached(pci::Function& f) {
    f.preset(0x60, 1, 0x10);  // SBRN: USB 1.0
    f.preset(0x6a, 1, 0x01);
    f.preset(0xc0, 2, 0x2000);  // LEGSUP
    f.allow(0xc0, 2, 0x20bf);
    f.allow_clear(0xc0, 2, 0x8f00);
    f.allow(0xc4, 1, 0x03);
  }
  void attach(unsigned port, usb::UsbDevice* device) {
    plugged[port] = device;
    u16& v = port_word(port);
    v = u16((v & ~(ccs | lsda | pe)) | csc | (device ? ccs : 0) | (device && device->low_speed() ? lsda : 0));
    if (r.usbcmd.is<EGSM>()) resume();
  }

  void on_write(At<USBCMD>, u16 v) {
    const bool ran = r.usbcmd.is<RS>();
    if (v & r.usbcmd.template mask<GRESET>()) {  // held by software, reset at once
      reset_controller();
      for (usb::UsbDevice* d : plugged)
        if (d) d->reset();
      r.usbcmd.set<GRESET>();
      return update();
    }
    if (v & r.usbcmd.template mask<HCRESET>()) {
      reset_controller();
      return update();
    }
    r.usbcmd.write(v);
    if (r.usbcmd.is<RS>() && !ran) wires.arm(0, frame_ns);
    if (!r.usbcmd.is<RS>()) wires.disarm(0);
    r.usbsts.set<HCHALTED>(!r.usbcmd.is<RS>());
    update();
  }
  void on_write(At<USBSTS>, u16 v) {
    r.usbsts.v = u16(r.usbsts.v & ~(v & 0x1f));
    if (v & 1) x.complete = x.short_packet = false;
    update();
  }
  void on_write(At<USBINTR>, u16 v) { r.usbintr.write(v), update(); }
  void on_write(At<FRNUM>, u16 v) {
    if (r.usbsts.is<HCHALTED>()) r.frnum.write(v);
    else wires.guest_error("FRNUM written while running");
  }
  void on_write(At<PORTSC1>, u16 v) { write_port(0, v); }
  void on_write(At<PORTSC2>, u16 v) { write_port(1, v); }

  void expire(Timer<0>) {
    if (!r.usbcmd.is<RS>()) return;
    wires.arm(0, frame_ns);
    r.frnum.v = (r.frnum.v + 1) & 0x7ff;
    Host host{*this};
    const usb::UhciFrame f = usb::run_frame(host, r.flbaseadd.v + 4 * (r.frnum.v & 0x3ff));
    x.complete |= f.complete, x.short_packet |= f.short_packet;
    if (f.complete || f.short_packet) r.usbsts.set<USBINT>();
    if (f.error) r.usbsts.set<USBERR>();
    if (f.system_error) r.usbsts.set<HSE>();
    if (f.process_error) r.usbsts.set<HCPE>();
    if (f.system_error || f.process_error) {  // both halt the controller (§2.1.2)
      r.usbcmd.set<RS>(false);
      r.usbsts.set<HCHALTED>();
      wires.disarm(0);
      wires.guest_error("the schedule cannot be executed, the controller halts");
    }
    update();
  }
  void on_reset() {
    reset_controller();
    for (unsigned n = 0; n < plugged.size(); ++n)
      if (plugged[n]) plugged[n]->reset(), attach(n, plugged[n]);
    update();
  }

 private:
  static constexpr u16 ccs = 1, csc = 2, pe = 4, pec = 8, rd = 0x40, one = 0x80, lsda = 0x100, pr = 0x200,
                       susp = 0x1000;

  struct Host final : usb::UhciHost {
    Piix4Uhci& c;
    explicit Host(Piix4Uhci& controller) : c(controller) {}
    bool read(u32 at, std::span<u8> to) override { return c.wires.dma_read(GuestPhys{at}, to); }
    bool write(u32 at, std::span<const u8> from) override { return c.wires.dma_write(GuestPhys{at}, from); }
    usb::UsbDevice* device(u8 address) override {
      for (unsigned n = 0; n < c.plugged.size(); ++n)
        if (c.plugged[n] && (c.port_word(n) & pe) && c.plugged[n]->address() == address) return c.plugged[n];
      return nullptr;
    }
  };

  u16& port_word(unsigned n) { return n ? r.portsc2.v : r.portsc1.v; }
  void write_port(unsigned n, u16 v) {
    u16& p = port_word(n);
    if ((p & pr) && !(v & pr) && plugged[n]) plugged[n]->reset();
    p = u16(p & ~(v & (csc | pec)));
    p = u16((p & ~(pe | rd | pr | susp)) | (v & (rd | pr | susp)) | one);
    if ((v & pe) && (p & ccs)) p |= pe;
  }
  void resume() {
    r.usbsts.set<RESUME>();
    update();
  }
  // Registers as at power-on; what is plugged in stays (§2.1.1).
  void reset_controller() {
    wires.disarm(0);
    reset_regs(reg_info<Regs>, &r);
    x = {};
    for (unsigned n = 0; n < plugged.size(); ++n)
      if (plugged[n]) port_word(n) = u16(one | ccs | csc | (plugged[n]->low_speed() ? lsda : 0));
  }
  void update() {
    const auto on = [&](bool status, bool enabled) { return status && enabled; };
    wires.inta(on(x.complete && r.usbsts.is<USBINT>(), r.usbintr.is<IOC>()) ||
               on(x.short_packet && r.usbsts.is<USBINT>(), r.usbintr.is<SHORT>()) ||
               on(r.usbsts.is<USBERR>(), r.usbintr.is<TIMEOUT>()) ||
               on(r.usbsts.is<RESUME>(), r.usbintr.is<RESUME_E>()) || r.usbsts.is<HSE>() || r.usbsts.is<HCPE>());
  }
};
}  // namespace peripherals::piix4_uhci
