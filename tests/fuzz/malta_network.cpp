// The PCnet: an initialization block, rings of descriptors, buffers (Am79C970A data sheet 19436, "Descriptors").

#include "tests/fuzz/malta_programs.hpp"

namespace fuzz {
namespace {
// Of a card's memory: the block, both rings, buffers.
constexpr u32 receive_at = 0x1000, transmit_at = 0x4000, buffers_at = 0x8000, memory_size = 0x40000;
constexpr u32 rdp = 0, rap = 1, bdp = 3;  // data ports, as words from 0x10 on
constexpr u32 own = 0x8000, stp = 0x0200, enp = 0x0100;

u32 descriptor_size(u32 style) { return style ? 16 : 8; }
}  // namespace

void MaltaPrograms::pcnet(PcnetCard& card) {
  if (!card.started || s_.one_in(24)) return start_pcnet(card);
  switch (s_.below(8)) {
    case 0:  // any registers
      for (u32 n = 1 + s_.below(6); n--;) {
        pcnet_port(card, true, rap, s_.one_in(8) ? u32(value()) : s_.below(128));
        pcnet_port(card, s_.one_in(2), s_.pick({rdp, rdp, bdp}), u32(value()));
      }
      return;
    case 1:
      if (s_.one_in(12)) return void(pcnet_port(card, false, 2, 0)), void(card.wide_io = card.started = false);
      if (s_.one_in(3)) pcnet_write(card, false, 3, s_.one_in(4) ? u32(value()) : 4u * s_.below(2) | s_.below(2) << 6);
      if (s_.one_in(3)) pcnet_write(card, false, 4, s_.one_in(4) ? u32(value()) : 0x0915);
      if (s_.one_in(3)) pcnet_write(card, false, 5, s_.one_in(4) ? u32(value()) : s_.below(2));
      return pcnet_write(card, false, 0, s_.pick({0x7f40u, 0x04u, 0x42u, 0x48u, 0x43u, u32(value())}));
    case 2:
    case 3: {  // room for frames, and some
      const u32 first = s_.below(card.receive);
      for (u32 n = 0, count = s_.below(9); n < count; ++n) pcnet_descriptor(card, false, (first + n) % card.receive);
      for (u32 n = s_.below(4); n--;) frame();
      if (s_.one_in(4)) pass_time();
      return pcnet_write(card, false, 0, 0x7f40);
    }
    default: pcnet_transmit(card); return;
  }
}

void MaltaPrograms::start_pcnet(PcnetCard& card) {
  card.started = true;
  card.in_memory = s_.one_in(2);
  card.memory = in_ram(memory_size, 4096);
  card.style = s_.one_in(16) ? s_.below(256) : s_.below(4);
  pcnet_port(card, false, 2, 0);  // reset
  card.wide_io = s_.one_in(2);
  if (card.wide_io)
    one(true, card.in_memory ? space_pci_memory : space_io, region(*card.function, card.in_memory) + 0x10, 4, 0);
  pcnet_write(card, false, 0, 4);
  pcnet_write(card, true, 20, card.style);
  card.style &= 3;
  const u32 receive_code = s_.below(s_.one_in(8) ? 16 : 6), transmit_code = s_.below(s_.one_in(8) ? 16 : 6);
  card.receive = 1u << std::min(receive_code, 9u), card.transmit = 1u << std::min(transmit_code, 9u);
  const bool wide = card.style;
  const u32 block = card.memory, rings = block + (wide ? 20 : 16);
  u32 mode = s_.pick({0u, 0u, 0x8000u, 0x0004u, 0x0044u, 0x8044u, 0x0008u, s_.below(0x10000)});
  poke<u16>(block, u16(mode));
  if (wide) poke<u16>(block + 2, u16(receive_code << 4 | transmit_code << 12));
  poke<u32>(block + (wide ? 4 : 2), 0x1200'5452), poke<u16>(block + (wide ? 8 : 6), 0x5634);
  for (u32 n = 0; n < 8; n += 4) poke<u32>(block + (wide ? 12 : 8) + n, s_.one_in(2) ? ~0u : u32(value()));
  const u32 receive = s_.one_in(40) ? address() : card.memory + receive_at,
            transmit = s_.one_in(40) ? address() : card.memory + transmit_at;
  poke<u32>(rings, wide ? receive : (receive & 0xff'ffff) | receive_code << 29);
  poke<u32>(rings + 4, wide ? transmit : (transmit & 0xff'ffff) | transmit_code << 29);
  for (u32 n = 0; n < card.receive; ++n) pcnet_descriptor(card, false, n);
  for (u32 n = 0; n < card.transmit; ++n) poke<u64>(card.memory + transmit_at + n * descriptor_size(card.style), 0);
  const u32 at = s_.one_in(40) ? address() : block;
  pcnet_write(card, false, 1, at & 0xffff), pcnet_write(card, false, 2, at >> 16);
  pcnet_write(card, false, 0, s_.one_in(2) ? 0x43 : 0x41);
  pcnet_write(card, false, 0, 0x142);
}

void MaltaPrograms::pcnet_port(const PcnetCard& card, bool write, u32 word, u32 v) {
  const unsigned size = card.wide_io ? 4 : 2;
  one(write, card.in_memory ? space_pci_memory : space_io, region(*card.function, card.in_memory) + 0x10 + word * size,
      size, v);
}
void MaltaPrograms::pcnet_write(const PcnetCard& card, bool bus_register, u32 n, u32 v) {
  pcnet_port(card, true, rap, n);
  pcnet_port(card, true, bus_register ? bdp : rdp, v);
}
u32 MaltaPrograms::pcnet_read(const PcnetCard& card, u32 n) {
  pcnet_port(card, true, rap, n);
  return u32(load(card.in_memory ? space_pci_memory : space_io, region(*card.function, card.in_memory) + 0x10,
                  card.wide_io ? 4 : 2));
}

// One of the card's, whole in one buffer but sometimes.
void MaltaPrograms::pcnet_descriptor(const PcnetCard& card, bool transmit, u32 n) {
  const u32 at = card.memory + (transmit ? transmit_at : receive_at) + n * descriptor_size(card.style);
  const u32 buffer = s_.one_in(60) ? address() : card.memory + buffers_at + s_.below(memory_size - buffers_at - 0x1000);
  const u32 length = s_.one_in(3) ? s_.below(0x1000) : s_.one_in(2) ? 1536 : 1 + s_.below(128);
  const u32 count = s_.one_in(24) ? u32(value()) & 0xffff : (0u - length) & 0xffff;
  u32 status = s_.one_in(16) ? 0 : own;
  if (transmit)
    status |= s_.pick({stp | enp, stp | enp, stp | enp, stp, enp, 0u}) | (s_.one_in(4) ? s_.below(0x8000) : 0);
  if (card.style == 0) {
    poke<u32>(at, (buffer & 0xff'ffff) | (status >> 8) << 24), poke<u32>(at + 4, count);
    return;
  }
  poke<u32>(at + (card.style == 3 ? 8 : 0), buffer);
  poke<u32>(at + 4, count | status << 16);
  poke<u32>(at + (card.style == 3 ? 0 : 8), 0);
}

// From where the chip stands, that is what its current descriptor's register says.
void MaltaPrograms::pcnet_transmit(PcnetCard& card) {
  const u32 low = pcnet_read(card, 34), high = pcnet_read(card, 35), base = card.memory + transmit_at;
  const u32 here = ((low & 0xffff) | high << 16) - base, size = descriptor_size(card.style);
  const u32 first = here < card.transmit * size && !s_.one_in(16) ? here / size : s_.below(card.transmit);
  for (u32 n = 0, count = 1 + s_.below(s_.one_in(16) ? 512 : 4); n < count; ++n)
    pcnet_descriptor(card, true, (first + n) % card.transmit);
  if (s_.one_in(4)) pass_time();
  else pcnet_write(card, false, 0, 0x48);
}
}  // namespace fuzz
