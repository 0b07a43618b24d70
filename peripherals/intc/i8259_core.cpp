#include "peripherals/intc/i8259_core.hpp"

namespace peripherals::i8259 {

unsigned Chip::priority(u8 inputs) const {
  for (unsigned p = 0; p < 8; ++p)
    if (inputs >> at_priority(p) & 1) return p;
  return 8;
}

// Masked inputs do not hold off others in the special mask mode; a slave may interrupt itself in the special fully
// nested mode ("Special Mask Mode", "The Special Fully Nested Mode").
int Chip::pending() const {
  const unsigned asking = priority(irr & ~imr);
  u8 in_service = isr;
  if (special_mask) in_service &= u8(~imr);
  if (sfnm) in_service &= u8(~slaves);
  return asking < priority(in_service) ? int(at_priority(asking)) : -1;
}

unsigned Chip::acknowledge() {
  const int n = pending();
  if (n < 0) return 7;
  const u8 bit = u8(1 << n);
  if (!aeoi) isr |= bit;
  else if (rotate_in_aeoi) lowest = u8(n);
  if (!(levels() & bit)) irr &= u8(~bit);
  return unsigned(n);
}

void Chip::set_line(unsigned n, bool on) {
  const u8 bit = u8(1 << (n & 7));
  const bool rises = on && !(lines & bit);
  lines = u8(on ? lines | bit : lines & ~bit);
  if (levels() & bit) irr = u8((irr & ~bit) | (lines & bit));
  else if (rises) irr |= bit;
  else if (!on && slaves & bit) irr &= u8(~bit);
}

void Chip::set_edge_level(u8 new_levels) {
  elcr = new_levels;
  irr = u8((irr & ~levels()) | (lines & levels()));
}

u8 Chip::read(bool a0) {
  if (poll) {  // the read is the acknowledge ("Poll Command")
    poll = false;
    const bool asked = pending() >= 0;
    return u8(acknowledge() | (asked ? 0x80 : 0));
  }
  if (a0) return imr;
  return read_isr ? isr : irr;
}

void Chip::write(bool a0, u8 v) {
  if (!a0 && v & 0x10) return initialize(v);
  if (!a0) return v & 0x08 ? command3(v) : command2(v);
  if (expects) return initialization_word(v);
  imr = v;  // OCW1
}

void Chip::initialize(u8 icw1) {
  has_icw4 = icw1 & 1;
  single = icw1 & 2;
  all_level = icw1 & 8;
  imr = isr = 0;
  irr = lines & levels();
  lowest = 7;
  aeoi = sfnm = rotate_in_aeoi = special_mask = read_isr = poll = false;
  expects = 2;
}

void Chip::initialization_word(u8 v) {
  if (expects == 2) base = v & 0xf8;
  if (expects == 4) aeoi = v & 2, sfnm = v & 0x10;
  if (expects == 2 && !single) expects = 3;
  else expects = expects < 4 && has_icw4 ? 4 : 0;
}

// End of interrupt and rotation ("Operation Command Word 2").
void Chip::command2(u8 v) {
  const u8 named = v & 7;
  const unsigned highest = priority(special_mask ? isr & ~imr : isr);
  const u8 served = highest < 8 ? u8(at_priority(highest)) : 8;
  switch (v >> 5) {
    case 0: rotate_in_aeoi = false; break;
    case 4: rotate_in_aeoi = true; break;
    case 5:
      if (served < 8) lowest = served;
      [[fallthrough]];
    case 1: isr &= u8(~(1 << served)); break;
    case 7: lowest = named; [[fallthrough]];
    case 3: isr &= u8(~(1 << named)); break;
    case 6: lowest = named; break;
    default: break;  // no operation
  }
}

void Chip::command3(u8 v) {
  if (v & 0x40) special_mask = v & 0x20;
  if (v & 4) poll = true;
  else if (v & 2) read_isr = v & 1;
}
}  // namespace peripherals::i8259
