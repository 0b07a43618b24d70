// Loads and stores of general registers.  MD00086 chapter 3, instruction by instruction.

#include "cpus/mips/translator.hpp"

namespace mips {
using tcg::mem_big, tcg::mem_plain;

namespace {
constexpr u8 byte = 0, half = 1, whole = 2;
}

// The address when it is not a register and a constant.
Ref Translator::computed_address(u32 base, Operand offset, u8 mem) {
  const u32 flip = facts.reversed ? reverse_bits(1u << (mem & tcg::mem_size)) : 0;
  if (offset.ref.is_imm() && !flip) return {};
  const Ref sum = out.value(Op::add, value(base), offset);
  return flip ? out.value(Op::xor_, sum, flip) : sum;
}

void Translator::load_slot(Ref d, u32 base, Operand offset, u8 mem) {
  const u8 how = u8(mem | (facts.big_endian ? mem_big : 0));
  if (const auto at = computed_address(base, offset, mem); !at.is_none()) return out.load(d, at, 0, how);
  out.load(d, reg(base).ref, offset.value, how);
}
void Translator::store_slot(Ref v, u32 base, Operand offset, u8 mem) {
  const u8 how = u8(mem | (facts.big_endian ? mem_big : 0));
  if (const auto at = computed_address(base, offset, mem); !at.is_none()) return out.store(v, at, 0, how);
  out.store(v, reg(base).ref, offset.value, how);
}

void Translator::load(u32 t, u32 base, u32 offset, u8 mem) { load_slot(target(t), base, offset, mem); }
void Translator::store(u32 t, u32 base, u32 offset, u8 mem) { store_slot(value(t), base, offset, mem); }

// The aligned word around the address, shifted over the part of the register that is kept.  The amount is eight times
// the byte in the word, or what that is short of 24, in its low five bits.
void Translator::load_part(u32 t, u32 base, u32 offset, bool left) {
  const Ref address = out.value(Op::add, value(base), offset);
  const Ref aligned = out.value(Op::and_, address, ~3u), loaded = out.temp();
  out.load(loaded, aligned, 0, u8(whole | mem_plain | (facts.big_endian ? mem_big : 0)));
  Ref amount = out.value(Op::shl, address, 3u);
  if (left != cpu_is_big()) amount = out.value(Op::xor_, amount, 24u);
  const Op shift = left ? Op::shl : Op::shr;
  const Ref part = out.value(shift, loaded, amount);
  if (!t) return;
  const Ref mask = out.value(shift, in(~0u), amount), kept = out.value(Op::andn, guest(t), mask);
  out.emit(Op::or_, guest(t), kept, part);
}

namespace {
// What SWL and SWR store, by the low bits of their address: one or two pieces of the register, each naturally aligned.
struct Piece {
  s8 delta;  // from the address
  u8 size, shift;
};
struct Pieces {
  unsigned count;
  Piece piece[2];
};
constexpr Pieces pieces[2][2][4] = {
    // little endian: SWL, SWR
    {{{1, {{0, byte, 24}}}, {1, {{-1, half, 16}}}, {2, {{-2, half, 8}, {0, byte, 24}}}, {1, {{-3, whole, 0}}}},
     {{1, {{0, whole, 0}}}, {2, {{0, byte, 0}, {1, half, 8}}}, {1, {{0, half, 0}}}, {1, {{0, byte, 0}}}}},
    // big endian
    {{{1, {{0, whole, 0}}}, {2, {{0, byte, 24}, {1, half, 8}}}, {1, {{0, half, 16}}}, {1, {{0, byte, 24}}}},
     {{1, {{0, byte, 0}}}, {1, {{-1, half, 0}}}, {2, {{-2, half, 8}, {0, byte, 0}}}, {1, {{-3, whole, 0}}}}},
};
}  // namespace

// Only the bytes that change are written, so that a device or another bus master sees no others.
void Translator::store_part(u32 t, u32 base, u32 offset, bool left) {
  const auto& by_byte = pieces[cpu_is_big()][left ? 0 : 1];
  const unsigned done = out.label();
  for (u32 n = 0; n < 4; ++n) {
    const unsigned next = n < 3 ? out.label() : done;
    if (n < 3) out.br_cmp(Cond::ne, out.value(Op::and_, out.value(Op::add, value(base), offset), 3u), n, next);
    for (unsigned i = 0; i < by_byte[n].count; ++i) {
      const Piece& p = by_byte[n].piece[i];
      const Ref v = p.shift ? out.value(Op::shr, value(t), u32(p.shift)) : value(t);
      store_slot(v, base, offset + u32(s32(p.delta)), u8(p.size | mem_plain));
    }
    if (n < 3) {
      out.br(done);
      out.place(next);
    }
  }
  out.place(done);
}

void Translator::load_linked(u32 t, u32 base, u32 offset) {
  const Ref address = out.value(Op::add, value(base), offset);
  out.load(target(t), address, 0, u8(whole | (facts.big_endian ? mem_big : 0)));
  out.mov(guest(slot::ll_address), address);
  out.mov(guest(slot::llbit), 1u);
}

// Another address than that of LL fails, which is UNPREDICTABLE.  One processor: nobody else can have stored between.
// A watched address is one also when nothing is stored (MD00090, Watch exception).
void Translator::store_conditional(u32 t, u32 base, u32 offset) {
  const unsigned fail = out.label(), end = out.label();
  out.br_zero(guest(slot::llbit), fail);
  out.br_cmp(Cond::ne, out.value(Op::add, value(base), offset), guest(slot::ll_address), fail);
  store(t, base, offset, whole);
  out.mov(guest(slot::llbit), 0u);
  move(t, 1u);
  out.br(end);
  out.place(fail);
  call({}, helper_watch_store, out.value(Op::add, value(base), offset));
  out.mov(guest(slot::llbit), 0u);
  move(t, 0u);
  out.place(end);
}
}  // namespace mips
