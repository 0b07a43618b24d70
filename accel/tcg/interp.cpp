#include "accel/tcg/interp.hpp"

#include <bit>
#include <cstring>

namespace tcg {
using accel::outcome_leave;

u8& Interpreter::flag(u8 f) const {
  const u16 at = f == flag_n ? layout_.flag_n : f == flag_z ? layout_.flag_z : f == flag_c ? layout_.flag_c : layout_.flag_v;
  return *(reinterpret_cast<u8*>(&c_) + at);
}

bool Interpreter::holds(Cond c) const {
  const bool n = flag(flag_n), z = flag(flag_z), cf = flag(flag_c), v = flag(flag_v);
  bool yes = false;
  switch (Cond(u8(c) & ~1)) {
    case Cond::eq: yes = z; break;
    case Cond::cs: yes = cf; break;
    case Cond::mi: yes = n; break;
    case Cond::vs: yes = v; break;
    case Cond::hi: yes = cf && !z; break;
    case Cond::ge: yes = n == v; break;
    default: yes = !z && n == v; break;
  }
  return yes != bool(u8(c) & 1);
}

bool Interpreter::compares(Cond c, u32 a, u32 b) {
  switch (c) {
    case Cond::eq: return a == b;
    case Cond::ne: return a != b;
    case Cond::cs: return a >= b;
    case Cond::cc: return a < b;
    case Cond::hi: return a > b;
    case Cond::ls: return a <= b;
    case Cond::ge: return s32(a) >= s32(b);
    case Cond::lt: return s32(a) < s32(b);
    case Cond::gt: return s32(a) > s32(b);
    case Cond::le: return s32(a) <= s32(b);
    default: return false;
  }
}

void Interpreter::set_nz(const Insn& i, u32 v) {
  if (i.flags & flag_n) flag(flag_n) = v >> 31;
  if (i.flags & flag_z) flag(flag_z) = v == 0;
}
void Interpreter::set_cv(const Insn& i, bool carry, bool overflow) {
  if (i.flags & flag_c) flag(flag_c) = carry;
  if (i.flags & flag_v) flag(flag_v) = overflow;
}

// a + b + carry_in; subtraction passes ~b.
void Interpreter::arithmetic(const Insn& i, u32 a, u32 b, bool carry_in) {
  const u64 sum = u64(a) + b + carry_in;
  const u32 v = u32(sum);
  set(i.d, v);
  set_nz(i, v);
  set_cv(i, sum >> 32, ((a ^ v) & (b ^ v)) >> 31);
}

void Interpreter::shift(const Insn& i, u32 a, u32 b) {
  const u32 n = b & 31;
  u32 v = 0;
  bool carry = false;
  switch (i.op) {
    case Op::shl: v = a << n; carry = n && a >> (32 - n) & 1; break;
    case Op::shr: v = a >> n; carry = n && a >> (n - 1) & 1; break;
    case Op::sar: v = u32(s32(a) >> n); carry = n && a >> (n - 1) & 1; break;
    default: v = std::rotr(a, int(n)); carry = v >> 31; break;
  }
  set(i.d, v);
  set_nz(i, v);
  if (i.flags & flag_c) flag(flag_c) = carry;
}

// Both words of an eight-byte access.
template <class One>
bool Interpreter::pair(const Insn& i, One one) {
  const u32 va = address_of(i);
  const bool is_store = i.op == Op::store;
  const unsigned user = i.aux & mem_user ? 1 : c_.privilege;
  const bool open = accel::page_table(&c_, user, is_store)[va >> accel::page_bits] && !(va & 7);
  if (!open) {  // what translated code does on its slow path
    const auto load = port_.load[i.aux & 63];
    const auto store = port_.store[i.aux & 63];
    if (is_store ? store && (store(&c_, va, 0) & outcome_leave) : load && (load(&c_, va) & outcome_leave)) return false;
  }
  for (unsigned n = 0; n < 2; ++n) {
    Insn word = i;
    word.aux = u8((i.aux & ~mem_size) | 2);
    word.imm += 4 * n;
    Ref& slot = i.op == Op::load ? word.d : word.b;
    slot = Ref::guest(slot.index() + (i.aux & mem_big ? 1 - n : n));
    if (!(this->*one)(word)) return false;
  }
  return true;
}

bool Interpreter::load(const Insn& i) {
  if ((i.aux & mem_size) == 3) return pair(i, &Interpreter::load);
  const u32 va = address_of(i), size = 1u << (i.aux & mem_size);
  const unsigned user = i.aux & mem_user ? 1 : c_.privilege;
  const u64 page = accel::page_table(&c_, user, false)[va >> accel::page_bits];
  if (page && !(va & (size - 1))) {
    const u8* p = reinterpret_cast<const u8*>(page + va);
    u32 v = size == 4 ? load_le<u32>(p) : size == 2 ? load_le<u16>(p) : *p;
    if (i.aux & mem_big) v = swapped(v, size);
    if (i.aux & mem_signed) v = size == 2 ? u32(s32(s16(v))) : u32(s32(s8(v)));
    set(i.d, v);
    return true;
  }
  const u64 out = port_.load[i.aux & 63](&c_, va);
  if (out & outcome_leave) return false;
  set(i.d, u32(out));
  return true;
}

bool Interpreter::store(const Insn& i) {
  if ((i.aux & mem_size) == 3) return pair(i, &Interpreter::store);
  const u32 va = address_of(i), size = 1u << (i.aux & mem_size);
  u32 v = get(i.b, 0);
  const unsigned user = i.aux & mem_user ? 1 : c_.privilege;
  const u64 page = accel::page_table(&c_, user, true)[va >> accel::page_bits];
  if (page && !(va & (size - 1))) {
    u8* p = reinterpret_cast<u8*>(page + va);
    if (i.aux & mem_big) v = swapped(v, size);
    const auto put = [&]<class Word>(Word word) {
      changed |= load_le<Word>(p) != word;
      store_le(p, word);
    };
    size == 4 ? put(v) : size == 2 ? put(u16(v)) : put(u8(v));
    return true;
  }
  return slow_store(i.aux, va, v);
}

// To a device, which says itself what it changed, or to memory.
bool Interpreter::slow_store(u8 aux, u32 va, u32 v) {
  const u64 before = c_.machine->polls.accesses();
  const u64 out = port_.store[aux & 63](&c_, va, v);
  changed |= c_.machine->polls.accesses() == before;
  return !(out & outcome_leave);
}

void Interpreter::run(const Block& block) {
  const std::vector<Insn>& code = block.code;
  if (temps_.size() < block.temps) temps_.resize(block.temps);
  label_at_.assign(block.labels, 0);
  for (u32 n = 0; n < code.size(); ++n)
    if (code[n].op == Op::label) label_at_[code[n].c.bits] = n;

  for (u32 at = 0; at < code.size(); ++at) {
    const Insn& i = code[at];
    const u32 a = get(i.a, i.imm), b = get(i.b, i.imm);
    u32 v = 0;
    switch (i.op) {
      case Op::insn:
        front_.set_pc(c_, i.imm);
        c_.slot = i.c.bits;
        ++c_.instructions;
        continue;
      case Op::add: arithmetic(i, a, b, false); continue;
      case Op::adc: arithmetic(i, a, b, flag(flag_c)); continue;
      case Op::sub: arithmetic(i, a, ~b, true); continue;
      case Op::sbc: arithmetic(i, a, ~b, flag(flag_c)); continue;
      case Op::shl: case Op::shr: case Op::sar: case Op::ror: shift(i, a, b); continue;
      case Op::rrx:
        v = a >> 1 | u32(flag(flag_c)) << 31;
        if (i.flags & flag_c) flag(flag_c) = a & 1;
        break;
      case Op::mov: v = a; break;
      case Op::and_: v = a & b; break;
      case Op::andn: v = a & ~b; break;
      case Op::or_: v = a | b; break;
      case Op::xor_: v = a ^ b; break;
      case Op::not_: v = ~a; break;
      case Op::shl_s: v = (b & 0xff) < 32 ? a << (b & 31) : 0; break;
      case Op::shr_s: v = (b & 0xff) < 32 ? a >> (b & 31) : 0; break;
      case Op::sar_s: v = u32(s32(a) >> ((b & 0xff) < 32 ? b & 31 : 31)); break;
      case Op::mul: v = a * b; break;
      case Op::mulu2: case Op::muls2: {
        const u64 wide = i.op == Op::mulu2 ? u64(a) * b : u64(s64(s32(a)) * s32(b));
        set(i.d, u32(wide));
        set(i.c, u32(wide >> 32));
        continue;
      }
      case Op::divu: case Op::divs: {
        const bool as_is = b == 0 || (i.op == Op::divs && b == ~0u && a == 0x8000'0000);
        const u32 divisor = as_is ? 1 : b;
        const bool is_signed = i.op == Op::divs;
        set(i.d, is_signed ? u32(s32(a) / s32(divisor)) : a / divisor);
        set(i.c, is_signed ? u32(s32(a) % s32(divisor)) : a % divisor);
        continue;
      }
      case Op::clz: v = u32(std::countl_zero(a)); break;
      case Op::sext8: v = u32(s32(s8(a))); break;
      case Op::sext16: v = u32(s32(s16(a))); break;
      case Op::zext8: v = u8(a); break;
      case Op::zext16: v = u16(a); break;
      case Op::bswap: v = __builtin_bswap32(a); break;
      case Op::setcmp: v = compares(Cond(i.aux), a, b); break;
      case Op::set_flag:
        if (i.flags) flag(i.aux) = u8(a);
        continue;
      case Op::get_flag: v = flag(i.aux); break;
      case Op::cond: v = holds(Cond(i.aux)); break;
      case Op::fp_flags: {
        u32 nzcv;
        std::memcpy(&nzcv, reinterpret_cast<const u8*>(&c_) + layout_.fp_flags, sizeof nzcv);
        for (u32 f = 0; f < 4; ++f)
          if (i.flags >> f & 1) flag(u8(1 << f)) = nzcv >> (31 - f) & 1;
        continue;
      }
      case Op::nz64:
        if (i.flags & flag_n) flag(flag_n) = b >> 31;
        if (i.flags & flag_z) flag(flag_z) = (a | b) == 0;
        continue;
      case Op::load:
        if (!load(i)) return void(changed = true);
        continue;
      case Op::store:
        if (!store(i)) return void(changed = true);
        continue;
      case Op::label: continue;
      case Op::br: at = label_at_[i.c.bits]; continue;
      case Op::br_cond:
        if (holds(Cond(i.aux))) at = label_at_[i.c.bits];
        continue;
      case Op::br_zero:
        if (!a) at = label_at_[i.c.bits];
        continue;
      case Op::br_nonzero:
        if (a) at = label_at_[i.c.bits];
        continue;
      case Op::br_cmp:
        if (compares(Cond(i.aux), a, b)) at = label_at_[i.c.bits];
        continue;
      case Op::exit_jump: return front_.set_pc(c_, i.imm);
      case Op::exit_indirect: return front_.set_pc(c_, a);
      case Op::exit_state: return;
      case Op::fp: {
        const Helper& h = layout_.helpers[layout_.fp_helper];
        changed = true;
        if ((h.run(&c_, i.imm, 0, 0) & outcome_leave) && h.may_leave) return;
        continue;
      }
      case Op::call: {
        const Helper& h = layout_.helpers[i.imm];
        changed |= h.state;
        const u64 out = h.run(&c_, get(i.a, 0), get(i.b, 0), get(i.c, 0));
        if (h.may_leave && (out & outcome_leave)) return;
        set(i.d, u32(out));
        continue;
      }
      case Op::count: continue;
    }
    set(i.d, v);
    set_nz(i, v);
  }
}
}  // namespace tcg
