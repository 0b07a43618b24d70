#pragma once
#include "core/base.hpp"

namespace peripherals::i8259 {
using namespace core;

// One interrupt controller 8259A — Intel data sheet 231468 — in its 8086 mode.  The bits of irr, imr and isr are those
// of the registers; IR0 is bit 0. A device's edge stays latched when its line falls before the acknowledge; the chip
// would then answer with level 7, and for a slave's INT it does. Not modelled: the 8080 mode, reading the cascade
// address of ICW3 (which chip is the slave is the board's affair).
struct Chip {
  // Bus side; `a0` is the address pin.
  u8 read(bool a0);
  void write(bool a0, u8 v);
  void set_edge_level(u8 levels);  // ELCR: 1 for level sense, line by line
  u8 edge_level() const { return elcr; }

  void set_line(unsigned n, bool on);
  // The input that INT stands for now; -1 with INT low.
  int pending() const;
  // One INTA cycle: the input served, 7 when none asks any more (nothing is then in service).
  unsigned acknowledge();
  u8 vector_base() const { return base; }

  u8 irr = 0, imr = 0, isr = 0, elcr = 0, lines = 0;
  u8 base = 0;                                               // ICW2
  u8 lowest = 7;                                             // input of lowest priority
  u8 expects = 0;                                            // the initialization word that comes next: 2, 3, 4; 0 none
  bool single = false, has_icw4 = false, all_level = false;  // ICW1
  bool aeoi = false, sfnm = false;                           // ICW4; sfnm: special fully nested mode
  bool rotate_in_aeoi = false, special_mask = false, read_isr = false, poll = false;
  u8 slaves = 0;  // inputs with a slave behind them

 private:
  void initialize(u8 icw1);
  void initialization_word(u8 v);
  void command2(u8 v);
  void command3(u8 v);
  u8 levels() const { return all_level ? 0xff : elcr; }
  unsigned priority(u8 inputs) const;  // 0 is the highest, 8 when there is none
  unsigned at_priority(unsigned p) const { return (lowest + 1u + p) & 7; }
};
}  // namespace peripherals::i8259
