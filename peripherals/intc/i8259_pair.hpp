#pragma once
#include "core/reg.hpp"
#include "peripherals/intc/i8259_core.hpp"

namespace peripherals::i8259_pair {
using namespace core;

// The two interrupt controllers 8259A of a PC — Intel data sheet 231468 — and the edge/level registers of its south
// bridge — 82371AB (PIIX4) data sheet §4.2.5.  Inputs: IRQ0 to IRQ15; the slave takes input 2 of the master. Pins: out
// intr (INT of the master).  A processor or host bridge answers intr with acknowledge(). Windows: 0x20 the master, 0xa0
// the slave, 0x4d0 ELCR.
struct Regs {
  Reg8<struct MASTER_COMMAND, 0x000, Rfn | Wfn> master_command;
  Reg8<struct MASTER_DATA, 0x001, Rfn | Wfn> master_data;
  Reg8<struct SLAVE_COMMAND, 0x100, Rfn | Wfn> slave_command;
  Reg8<struct SLAVE_DATA, 0x101, Rfn | Wfn> slave_data;
  Reg8<struct ELCR1, 0x200, R | Wfn, 0, Bits<struct IRQ3_7, 3, 5>> elcr1;  // IRQ0 to 2 are edges
  Reg8<struct ELCR2, 0x201, R | Wfn, 0, Bits<struct IRQ9_12, 1, 4>, Bits<struct IRQ14_15, 6, 2>>
      elcr2;  // and so are 8 and 13
};

template <class Wires>
struct I8259Pair {
  static constexpr std::string_view kind = "i8259_pair";
  static constexpr Ports ports{
      .window = 2, .inputs = 16, .outputs = {"intr"}, .narrow = Narrow::lanes, .more_windows = {2, 2}};
  static constexpr unsigned cascade = 2;
  Wires wires;
  Regs r;
  struct Hidden {
    i8259::Chip master{.slaves = 1 << cascade}, slave;
  } x;

  u8 on_read(At<MASTER_COMMAND>) { return read(x.master, false); }
  u8 on_read(At<MASTER_DATA>) { return read(x.master, true); }
  u8 on_read(At<SLAVE_COMMAND>) { return read(x.slave, false); }
  u8 on_read(At<SLAVE_DATA>) { return read(x.slave, true); }
  void on_write(At<MASTER_COMMAND>, u8 v) { x.master.write(false, v), update(); }
  void on_write(At<MASTER_DATA>, u8 v) { x.master.write(true, v), update(); }
  void on_write(At<SLAVE_COMMAND>, u8 v) { x.slave.write(false, v), update(); }
  void on_write(At<SLAVE_DATA>, u8 v) { x.slave.write(true, v), update(); }
  void on_write(At<ELCR1>, u8 v) {
    r.elcr1.write(v);
    x.master.set_edge_level(r.elcr1.v);
    update();
  }
  void on_write(At<ELCR2>, u8 v) {
    r.elcr2.write(v);
    x.slave.set_edge_level(r.elcr2.v);
    update();
  }

  void set_line(unsigned n, bool on) {
    if (n == cascade) return;
    i8259::Chip& chip = n >= 8 ? x.slave : x.master;
    const u8 before = chip.irr;
    chip.set_line(n & 7, on);
    if (chip.irr != before) update();  // devices say again and again what is so already
  }
  // The interrupt acknowledge cycles of both chips: the vector.  Without a request it is the master's seventh.
  u8 acknowledge() {
    const bool asked = x.master.pending() >= 0;
    const unsigned n = x.master.acknowledge();
    u8 vector = u8(x.master.vector_base() + n);
    if (asked && n == cascade) {
      vector = u8(x.slave.vector_base() + x.slave.acknowledge());
      x.master.set_line(cascade, false);  // INT falls with the cycle and may rise again at once
    }
    update();
    return vector;
  }
  void on_reset() { update(); }

 private:
  u8 read(i8259::Chip& chip, bool a0) {
    const u8 v = chip.read(a0);
    update();
    return v;
  }
  void update() {
    x.master.set_line(cascade, x.slave.pending() >= 0);
    wires.intr(x.master.pending() >= 0);
  }
};
}  // namespace peripherals::i8259_pair
