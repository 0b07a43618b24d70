#pragma once
#include "core/reg.hpp"

namespace peripherals::pl190 {
using namespace core;

// Arm PrimeCell VIC PL190 (r1p2) — DDI 0181E, chapter 3.
// Pins: in 0…31 (level), out irq (nVICIRQ), fiq (nVICFIQ), both active high here.
// Not modelled: the daisy chain inputs; VICPROTECTION is stored but the bus does not tell privilege; the test
// registers (storage).
struct Regs {  // table 3-1
  Reg<struct VICIRQSTATUS, 0x000, Rfn> irqstatus;
  Reg<struct VICFIQSTATUS, 0x004, Rfn> fiqstatus;
  Reg<struct VICRAWINTR, 0x008, Rfn> rawintr;
  Reg<struct VICINTSELECT, 0x00c, R | Wfn> intselect;
  Reg<struct VICINTENABLE, 0x010, R | Wfn> intenable;
  Reg<struct VICINTENCLEAR, 0x014, Wfn> intenclear;
  Reg<struct VICSOFTINT, 0x018, R | Wfn> softint;
  Reg<struct VICSOFTINTCLEAR, 0x01c, Wfn> softintclear;
  Reg<struct VICPROTECTION, 0x020, R | W, 0, Bits<struct Protection, 0>> protection;
  Reg<struct VICVECTADDR, 0x030, Rfn | Wfn> vectaddr;
  Reg<struct VICDEFVECTADDR, 0x034, R | W> defvectaddr;
  RegArray<struct VICVECTADDRn, 0x100, 16, 4, R | W> vectaddrs;
  RegArray<struct VICVECTCNTLn, 0x200, 16, 4, R | Wfn, 0, Bits<struct IntSource, 0, 5>, Bits<struct E, 5>> vectcntl;
  Reg<struct VICITCR, 0x300, R | W, 0, Bits<struct ITEN, 0>> itcr;
  Reg<struct VICITIP1, 0x304, R> itip1;
  Reg<struct VICITIP2, 0x308, R> itip2;
  Reg<struct VICITOP1, 0x30c, R> itop1;
  Reg<struct VICITOP2, 0x310, R> itop2;
  PrimecellId<0x00041190> id;
};

template <class Wires>
struct Pl190 {
  static constexpr std::string_view kind = "pl190";
  static constexpr Ports ports{.inputs = 32, .outputs = {"irq", "fiq"}};
  static constexpr unsigned non_vectored = 16;  // priority below slots 0…15, which are priorities themselves
  static constexpr unsigned idle = 17;          // below everything
  Wires wires;
  Regs r;
  struct Hidden {
    u32 level = 0;       // inputs
    u32 in_service = 0;  // bit p: the handler of priority p has read VICVECTADDR and not written it yet
    void reset() { in_service = 0; }
  } x;

  void set_line(unsigned n, bool on) {
    x.level = on ? x.level | 1u << n : x.level & ~(1u << n);
    update();
  }

  u32 on_read(At<VICIRQSTATUS>) { return irqs(); }
  u32 on_read(At<VICFIQSTATUS>) { return raw() & r.intenable.v & r.intselect.v; }
  u32 on_read(At<VICRAWINTR>) { return raw(); }
  void on_write(At<VICINTSELECT>, u32 v) { r.intselect.v = v, update(); }
  void on_write(At<VICINTENABLE>, u32 v) { r.intenable.v |= v, update(); }
  void on_write(At<VICINTENCLEAR>, u32 v) { r.intenable.v &= ~v, update(); }
  void on_write(At<VICSOFTINT>, u32 v) { r.softint.v |= v, update(); }
  void on_write(At<VICSOFTINTCLEAR>, u32 v) { r.softint.v &= ~v, update(); }
  void on_write(At<VICVECTCNTLn>, u32 i, u32 v) { r.vectcntl.write(i, v), update(); }

  // Start of service: the vector of the most urgent request, which then masks its own priority and those below
  // (§3.3.10).  With nothing more urgent than the current service no priority is entered: Linux
  // drivers/irqchip/irq-vic.c reads this register 19 times and writes it 20 times at start to drain it.
  u32 on_read(At<VICVECTADDR>) {
    const unsigned p = most_urgent();
    if (p < current()) x.in_service |= 1u << p;
    update();
    return p < non_vectored ? r.vectaddrs[p] : r.defvectaddr.v;
  }
  // End of service, whatever the value: back to the priority that was interrupted.
  void on_write(At<VICVECTADDR>, u32) {
    x.in_service &= x.in_service - 1;
    update();
  }
  void on_reset() { update(); }

 private:
  u32 raw() const { return x.level | r.softint.v; }
  u32 irqs() const { return raw() & r.intenable.v & ~r.intselect.v; }
  // Priority in service: a smaller number is more urgent.
  unsigned current() const { return x.in_service ? unsigned(std::countr_zero(x.in_service)) : idle; }
  unsigned most_urgent() const {
    const u32 pending = irqs();
    for (unsigned i = 0; pending && i < 16; ++i)
      if (r.vectcntl.is<E>(i) && (pending >> r.vectcntl.get<IntSource>(i) & 1)) return i;
    return pending ? non_vectored : idle;
  }
  void update() {
    wires.irq(irqs() && (!x.in_service || most_urgent() < current()));
    wires.fiq((raw() & r.intenable.v & r.intselect.v) != 0);
  }
};
}  // namespace peripherals::pl190
