#include "peripherals/dma/i8237_core.hpp"

namespace peripherals::i8237 {

u8 Controller::read_channel(unsigned reg) {
  const Channel& c = channels[reg / 2 % 4];
  const u16 v = reg % 2 ? c.count : c.address;
  high_byte = !high_byte;
  return u8(high_byte ? v : v >> 8);
}

// Base and current register are written together ("Base Address and Base Word Count Registers").
void Controller::write_channel(unsigned reg, u8 v) {
  Channel& c = channels[reg / 2 % 4];
  u16& base = reg % 2 ? c.base_count : c.base_address;
  u16& current = reg % 2 ? c.count : c.address;
  base = u16(high_byte ? (base & 0xff) | v << 8 : (base & 0xff00) | v);
  current = u16(high_byte ? (current & 0xff) | v << 8 : (current & 0xff00) | v);
  high_byte = !high_byte;
}

u8 Controller::read_status() {
  const u8 v = u8((dreq | request) << 4 | terminal);
  terminal = 0;
  return v;
}

void Controller::master_clear() {
  command = request = terminal = 0;
  mask = 0x0f;
  high_byte = false;
}

bool Controller::accepts(unsigned n) const {
  return !(command & 4) && !(mask >> n & 1) && !channels[n].cascades() && channels[n].type() != Channel::illegal;
}

bool Controller::advance(unsigned n, u32 units) {
  Channel& c = channels[n];
  const bool ends = units >= c.left();
  c.address = u16(c.decrements() ? c.address - units : c.address + units);
  c.count = u16(c.count - units);
  if (!ends) return false;
  terminal |= u8(1 << n);
  put(request, n, false);
  if (c.autoinitialize()) c.address = c.base_address, c.count = c.base_count;
  else put(mask, n, true);
  return true;
}
}  // namespace peripherals::i8237
