// The Cirrus CL-GD5446: modes, BLTs and the windows on its memory (Technical Reference Manual, chapters 4 to 9).

#include "tests/fuzz/malta_programs.hpp"

namespace fuzz {
namespace {
constexpr u32 legacy_at = 0xa'0000, data_port = 16 * MiB, memory_size = 4 * MiB;
constexpr u32 sequencer = 0x3c4, mask = 0x3c6, graphics = 0x3ce, attribute = 0x3c0, crtc = 0x3d4;
// Where a graphics register stands among the memory-mapped ones (chapter 9).
u32 mapped(u32 n) { return n == 0x31 ? 0x40 : n >= 0x20 ? n - 0x18 : n >= 0x10 ? 0 : n * 4; }
enum How : u32 { by_ports, by_region, by_legacy, by_linear };
}  // namespace

void MaltaPrograms::cirrus(const pci::Function& f) {
  switch (s_.below(6)) {
    case 0: cirrus_mode(); break;
    case 1:
    case 2: cirrus_blt(f); break;
    default: cirrus_memory(f);
  }
  if (s_.one_in(4)) look();
}

// The ways memory is seen: planes and latches, write modes, banks, extensions, memory-mapped registers.
void MaltaPrograms::cirrus_mode() {
  if (s_.one_in(4)) out(0x3c2, s_.one_in(2) ? 0x67 : value());
  if (s_.one_in(2)) indexed(sequencer, 2, s_.below(16)), indexed(sequencer, 4, s_.below(16));
  if (s_.one_in(2)) indexed(sequencer, 7, s_.one_in(2) ? s_.pick({0u, 1u, 7u, 5u, 9u}) : u32(value()));
  if (s_.one_in(2)) indexed(sequencer, 0x17, s_.pick({0u, 4u, 0x44u, u32(value())}));
  if (s_.one_in(2)) indexed(graphics, 5, s_.one_in(2) ? s_.below(8) : u32(value()));
  if (s_.one_in(2)) indexed(graphics, 6, s_.below(16));
  if (s_.one_in(2)) indexed(graphics, 0x0b, s_.below(64));
  for (u32 n = s_.below(4); n--;) indexed(graphics, s_.below(s_.one_in(2) ? 16 : 64), u32(value()));
  for (u32 n = s_.below(4); n--;) indexed(sequencer, s_.below(s_.one_in(8) ? 256 : 32), u32(value()));
  for (u32 n = s_.below(6); n--;) indexed(crtc, s_.below(s_.one_in(8) ? 256 : 0x28), u32(value()));
  for (u32 n = s_.below(4); n--;) in(0x3da), out(attribute, s_.below(64)), out(attribute, u32(value()));
  if (s_.one_in(4)) {  // the hidden DAC register, and colours
    for (u32 n = 4; n--;) in(mask);
    out(mask, u32(value())), out(0x3c8, u32(value()));
    for (u32 n = s_.below(12); n--;) one(s_.one_in(2), space_io, 0x3c9, 1, value());
  }
}

void MaltaPrograms::cirrus_blt_register(const pci::Function& f, u32 how, u32 n, unsigned size, u32 v) {
  const u32 off = mapped(n);
  switch (how) {
    case by_ports:
      for (unsigned i = 0; i < size; ++i) indexed(graphics, n + i, v >> 8 * i & 0xff);
      return;
    case by_region: return put(space_pci_memory, region(f, 1) + 0x100 + off, size == 3 ? 4 : size, v);
    case by_legacy: return put(space_pci_memory, legacy_at + 0x1'8000 + off, size == 3 ? 4 : size, v);
    default: put(space_pci_memory, region(f, 0) + memory_size - 256 + off, size == 3 ? 4 : size, v);
  }
}

// A BLT that is mostly small, near an end of the memory or not, and the data of one that waits for them.
void MaltaPrograms::cirrus_blt(const pci::Function& f) {
  const u32 how = s_.pick<u32>({by_ports, by_region, by_region, by_legacy, by_linear});
  if (how == by_legacy) indexed(sequencer, 0x17, 4);
  if (how == by_linear) indexed(sequencer, 0x17, 0x44);
  const auto set = [&](u32 n, unsigned size, u32 v) { cirrus_blt_register(f, how, n, size, v); };
  const auto place = [&] {
    return s_.one_in(4) ? memory_size - s_.below(64) : s_.one_in(4) ? s_.below(64) : s_.below(memory_size);
  };
  const bool large = s_.one_in(200);
  const u8 mode = u8(s_.one_in(2) ? s_.below(256) & ~2u
                                  : s_.pick({0x00u, 0x01u, 0x40u, 0x80u, 0xc0u, 0x84u, 0x04u, 0x44u, 0xc4u, 0x88u}) |
                                        s_.below(4) << 4);
  if (s_.one_in(4)) indexed(graphics, 0x31, s_.pick({0u, 4u, 0x80u}));
  set(0x20, 2, large ? s_.below(0x2000) : s_.below(s_.one_in(8) ? 2048 : 64));
  set(0x22, 2, large ? s_.below(0x2000) : s_.below(s_.one_in(8) ? 64 : 8));
  for (u32 n : {0x24u, 0x26u}) set(n, 2, s_.one_in(2) ? s_.below(0x2000) : s_.pick({0u, 64u, 640u, 1024u}));
  for (u32 n : {0x2cu, 0x28u}) set(n, 3, place() & 0x3f'ffff);  // the latter starts it with autostart
  set(0x2f, 1, u32(value())), set(0x30, 1, mode);
  set(0x32, 1,
      s_.one_in(16) ? u32(value())
                    : s_.pick<u8>({0x00, 0x05, 0x06, 0x09, 0x0b, 0x0d, 0x0e, 0x50, 0x59, 0x6d, 0x90, 0x95, 0xad, 0xd0,
                                   0xd6, 0xda}));
  set(0x33, 1, s_.below(8));
  if (s_.one_in(3)) set(0x34, 2, u32(value())), set(0x38, 2, u32(value()));
  set(0x31, 1, s_.one_in(16) ? u32(value()) : 2);
  if (!(mode & 4)) return;
  const u64 port = s_.one_in(2) ? region(f, 0) + (s_.one_in(4) ? 0 : data_port) : legacy_at;
  for (u32 n = s_.below(s_.one_in(8) ? 4000 : 100); n--;)
    put(space_pci_memory, port + s_.below(64), s_.pick({1u, 2u, 4u, 8u}), value());
  if (s_.one_in(2)) indexed(graphics, 0x31, s_.pick({0u, 4u}));
}

// Accesses at and around the ends of every window.
void MaltaPrograms::cirrus_memory(const pci::Function& f) {
  for (u32 n = 1 + s_.below(12); n--;) {
    const u64 linear = region(f, 0), ends[] = {linear,
                                               linear + memory_size,
                                               linear + 4 * memory_size,
                                               linear + 8 * memory_size,
                                               legacy_at,
                                               legacy_at + 0x8000,
                                               legacy_at + 0x1'0000,
                                               legacy_at + 0x1'8000,
                                               legacy_at + 0x2'0000,
                                               region(f, 1) + 0x20,
                                               region(f, 1) + 0x100,
                                               region(f, 1) + 0x1000};
    const u64 at = s_.one_in(2)   ? ends[s_.below(std::size(ends))] + s_.below(33) - 16
                   : s_.one_in(2) ? linear + s_.below(8 * memory_size)
                                  : legacy_at + s_.below(0x2'0000);
    one(s_.one_in(2), space_pci_memory, at, 1u << s_.below(4), value());
  }
}
}  // namespace fuzz
