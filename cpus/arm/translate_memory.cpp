// Loads and stores.  A base register changes only after the last access succeeded, so that an aborted instruction
// can be run again as it was (base restored abort model, DDI 0198E §1.1; DDI 0100I §A2.6.5).

#include "cpus/arm/translator.hpp"

#include <bit>

namespace arm {
using tcg::mem_plain, tcg::mem_size;

namespace {
constexpr u8 word = 2;
// What a store of the pc puts in memory, from the instruction's own address: implementation defined as 8 or 12
// (§A2.4.3), 12 here.
constexpr u32 stored_pc_ahead = 12;
}  // namespace

Translator::Place Translator::locate(const Address& a) {
  const bool moves = (a.writeback || !a.pre) && a.n != pc_number;  // writing back the pc: UNPREDICTABLE, ignored
  if (a.offset.ref.is_imm()) {
    const u32 delta = a.up ? a.offset.value : -a.offset.value;
    if (a.n == pc_number) return {Ref::imm(), reg(a.n).value + (a.pre ? delta : 0), delta, false};
    return {guest(a.n), a.pre ? delta : 0, delta, moves};
  }
  if (!a.pre && !moves) return {value(a.n), 0, 0u, false};
  const Ref base = value(a.n);
  const Ref sum = out.value(a.up ? Op::add : Op::sub, base, a.offset);
  return {a.pre ? sum : base, 0, sum, moves};
}

void Translator::write_back(const Address& a, const Place& p) {
  if (!p.moves) return;
  if (!p.after.ref.is_imm())
    out.mov(guest(a.n), p.after);
  else if (p.after.value)
    out.emit(Op::add, guest(a.n), guest(a.n), p.after);
}

// A loaded pc selects the instruction set (§A4.1.23); that of bytes and halfwords is UNPREDICTABLE.  Loading the
// register that is written back is UNPREDICTABLE too; the loaded value wins.
void Translator::load(u32 t, u8 mem, const Address& a) {
  const Place p = locate(a);
  const bool late = t == pc_number || (p.moves && t == a.n);
  const Ref d = late ? out.temp() : guest(t);
  out.load(d, p.at, p.offset, mem);
  write_back(a, p);
  if (t != pc_number)
    write(t, late ? d : guest(t));
  else if ((mem & mem_size) == word)
    branch_exchange(d);
  else
    branch(d);
}

void Translator::store(u32 t, u8 mem, const Address& a) {
  const Ref v = t == pc_number ? in(pc_ + stored_pc_ahead) : guest(t);
  const Place p = locate(a);
  out.store(v, p.at, p.offset, mem);
  write_back(a, p);
}

// Both words are there before either register changes: they may be the base or the offset.
void Translator::load_double(u32 t, const Address& a) {
  if (t == slot::lr) return undefined();  // would load the pc: UNPREDICTABLE
  const Place p = locate(a);
  const Ref low = out.temp(), high = out.temp();
  out.load(low, p.at, p.offset, word | mem_plain);
  out.load(high, p.at, p.offset + 4, word | mem_plain);
  write_back(a, p);
  out.mov(guest(t), low);
  out.mov(guest(t + 1), high);
}

void Translator::store_double(u32 t, const Address& a) {
  if (t == slot::lr) return undefined();  // would store the pc: UNPREDICTABLE
  const Place p = locate(a);
  out.store(guest(t), p.at, p.offset, word | mem_plain);
  out.store(guest(t + 1), p.at, p.offset + 4, word | mem_plain);
  write_back(a, p);
}

void Translator::swap(u32 t, u32 m, u32 n, u8 mem) {
  const Ref address = value(n), old = out.temp();
  out.load(old, address, 0, mem);
  out.store(value(m), address, 0, mem);
  write(t, old);
}

// Registers lie at rising addresses in the order of their numbers, whatever the direction (§A5.4).
//   Base in the list of a load: the loaded value wins.  Of a store: the old value is stored, in every position.
//   Empty list: nothing is moved, and the base moves by 16 words.
// The architecture leaves all three partly open (§A4.1.20, §A4.1.97).
void Translator::block_transfer(const BlockTransfer& x) {
  if (x.n == pc_number) return undefined();  // UNPREDICTABLE
  const u32 bytes = 4 * u32(std::popcount(x.list));
  const bool base_listed = x.list >> x.n & 1, pc_listed = x.list >> pc_number & 1;

  // The user bank may contain a register with the base's number.
  const bool banked_base = x.user_bank && x.n >= 8;
  const Ref base = banked_base ? out.value(Op::mov, guest(x.n)) : guest(x.n);
  const Ref late_base = x.load && base_listed ? out.temp() : Ref::none();
  const Ref late_pc = x.load && pc_listed ? out.temp() : Ref::none();
  u32 at = (x.up ? 0 : -bytes) + (x.pre == x.up ? 4 : 0);
  for (u32 r = 0; r < 16; ++r) {
    if (!(x.list >> r & 1)) continue;
    const bool banked = x.user_bank && r >= 8 && r != pc_number;
    if (x.load) {
      const Ref to = banked ? out.temp() : r == pc_number ? late_pc : r == x.n ? late_base : guest(r);
      out.load(to, base, at, word | mem_plain);
      if (banked) call({}, helper_write_user, r, to);
    } else {
      Ref v = guest(r);
      if (banked)
        call(v = out.temp(), helper_read_user, r);
      else if (r == pc_number)
        v = in(pc_ + stored_pc_ahead);
      out.store(v, base, at, word | mem_plain);
    }
    at += 4;
  }
  if (x.load && base_listed && !banked_base)
    out.mov(guest(x.n), late_base);
  else if (x.writeback)
    out.emit(Op::add, guest(x.n), guest(x.n), x.list ? (x.up ? bytes : -bytes) : x.up ? 64u : -64u);
  if (!x.load || !pc_listed) return;
  if (x.exception_return)
    exception_return(late_pc);
  else
    branch_exchange(late_pc);
}
}  // namespace arm
