// Guest flags: in the host's flags behind the operation that made them, in memory where they must be, and between the two
// as a note of what was compared (Deferred).  Most comparisons are followed by the next one before anybody looks at the flags
// in memory, so that what would have to be stored for an access that might fault is made up in its slow path instead.

#include "accel/tcg/x86_64/emitter.hpp"

#include "core/log.hpp"

#include <algorithm>
#include <bit>

namespace tcg::x86_64 {
using asmjit::imm;

x86::Mem Emitter::flag_byte(u8 f) const {
  const u16 at = f == flag_n ? layout_.flag_n : f == flag_z ? layout_.flag_z : f == flag_c ? layout_.flag_c : layout_.flag_v;
  return x86::byte_ptr(env, from_env(at));
}

// From the host's flags to memory.
void Emitter::store_flags(u8 flags, HostFlags kind) {
  if (flags & flag_n) a_.sets(flag_byte(flag_n));
  if (flags & flag_z) a_.setz(flag_byte(flag_z));
  if (flags & flag_c) kind == HostFlags::sub ? a_.setnc(flag_byte(flag_c)) : a_.setc(flag_byte(flag_c));
  if (flags & flag_v) a_.seto(flag_byte(flag_v));
}

// The host's flags are those of an operation of that kind; `from` says what of, or nothing that lasts.
void Emitter::save_flags(u8 flags, HostFlags kind, const Deferred& from) {
  if (!layers_.has(accel::Layer::hostflags)) {
    host_flags_ = HostFlags::none;
    return store_flags(flags, kind);
  }
  host_flags_ = flags ? kind : HostFlags::none;
  host_flag_mask_ = flags;
  if (flags && from.mask) {
    deferred_ = from;
    deferred_.mask = flags;
    if (from.kind == HostFlags::none) deferred_.kind = kind;
  } else {
    store_flags(flags, kind);
  }
}

// N and Z of a result that is in `d`, when that is a guest register.
void Emitter::test_nz(u8 flags, const Gp& value, Ref d) {
  if (!(flags & flags_nz)) return;
  a_.test(value, value);
  save_flags(flags & flags_nz, HostFlags::logic, of_result(d));
}

bool Emitter::lasts(Ref r) const { return r.is_guest() && fp_pin_of(r) < 0; }
bool Emitter::is_pinned(Ref r) const { return r.is_guest() && pin_of_slot_[r.index()] >= 0; }

Emitter::Deferred Emitter::of_result(Ref d) const {
  Deferred r;
  if (is_pinned(d)) r = {.mask = flags_all, .kind = HostFlags::logic, .a = d, .b = d};
  return r;
}

// Of `sub` or `and_` with flags: its operands when they stay as they are, or can be told from the result.
Emitter::Deferred Emitter::of_operands(const Insn& i) const {
  Deferred r;
  if (!lasts(i.a) || !(lasts(i.b) || i.b.is_imm()) || (!is_pinned(i.a) && !is_pinned(i.b) && !i.b.is_imm())) return r;
  if (i.d == i.b && !i.d.is_none()) return r;
  if (i.d == i.a) {
    if (i.op != Op::sub || !i.b.is_imm() || !is_pinned(i.a)) return r;
    return {.mask = flags_all, .a = i.a, .b = i.b, .a_add = i.imm, .imm = i.imm};
  }
  return {.mask = flags_all, .a = i.a, .b = i.b, .imm = i.imm};
}

// From fp_flags to the flags' bytes.
void Emitter::store_fp_flags(u8 flags, bool slow_path) {
  const Gp word = slow_path ? x86::eax : temps[take_register()];
  if (slow_path) a_.push(x86::rax);
  a_.mov(word, header32(layout_.fp_flags));
  u8 passed = 0;
  for (const u8 f : {flag_n, flag_z, flag_c, flag_v}) {
    ++passed;
    if (!(flags & f)) continue;
    a_.shl(word, passed);
    a_.setc(flag_byte(f));
    passed = 0;
  }
  if (slow_path) a_.pop(x86::rax);
}

// Repeats the comparison and stores its flags.  In a slow path no register is free.
void Emitter::store_deferred(const Deferred& d, bool slow_path) {
  if (!d.mask) return;
  if (d.kind == HostFlags::fp) return store_fp_flags(d.mask, slow_path);
  repeat_comparison(d, slow_path);
  if (slow_path && std::popcount(d.mask) > 1) a_.call(imm(u64(thunks_.store_flags[d.kind == HostFlags::sub][d.mask])));
  else store_flags(d.mask, d.kind);
}

void Emitter::repeat_comparison(const Deferred& d, bool slow_path) {
  const auto place = [&](Ref r) -> asmjit::Operand {
    if (r.is_imm()) return imm(s32(d.imm));
    return is_pinned(r) ? asmjit::Operand(pins[pin_of_slot_[r.index()]]) : asmjit::Operand(slot_memory(layout_, r.index()));
  };
  asmjit::Operand a = place(d.a), b = place(d.b);
  if (d.b_add) {
    const Gp sum = slow_path ? x86::eax : temps[take_register()];
    if (slow_path) a_.push(x86::rax);
    a_.lea(sum, x86::ptr(b.as<Gp>().r64(), s32(d.b_add)));
    b = sum;
  }
  if (d.a_add && d.b == d.a) {
    a = b;
  } else if (d.a_add && slow_path) {
    const auto sum = header32(at_argument + 8);
    a_.emit(x86::Inst::kIdMov, sum, a);
    a_.add(sum, imm(s32(d.a_add)));
    a = sum;
  } else if (d.a_add) {
    if (b.isReg() && d.b_add) holder_[index_of_temp(b.as<Gp>())] = -2;
    const Gp sum = temps[take_register()];  // for the comparison only
    if (b.isReg() && d.b_add) holder_[index_of_temp(b.as<Gp>())] = -1;
    a_.lea(sum, x86::ptr(a.as<Gp>().r64(), s32(d.a_add)));
    a = sum;
  }
  if (d.kind == HostFlags::logic && b.isMem()) std::swap(a, b);
  a_.emit(d.kind == HostFlags::logic ? x86::Inst::kIdTest : x86::Inst::kIdCmp, a, b);
  if (d.b_add && slow_path) a_.pop(x86::rax);
}

// The deferred comparison's flags to the host's.
void Emitter::bring_deferred() {
  repeat_comparison(deferred_, false);
  host_flags_ = deferred_.kind;
  host_flag_mask_ = deferred_.mask;
}

// Stores what is deferred of `flags`; a part keeps the rest deferred.
void Emitter::flush_flags(u8 flags) {
  const u8 due = deferred_.mask & flags;
  if (!due) return;
  if (deferred_.kind == HostFlags::fp) {
    host_flags_ = HostFlags::none;
    store_fp_flags(due, false);
    deferred_.mask &= u8(~due);
    return;
  }
  if (host_flags_ == HostFlags::none || (due & ~host_flag_mask_)) bring_deferred();
  store_flags(due, host_flags_);
  deferred_.mask &= u8(~due);
}

// Whether the host's carry says what C is, or its opposite behind a subtraction.
bool Emitter::has_carry() const {
  return (host_flags_ == HostFlags::add || host_flags_ == HostFlags::sub) && (host_flag_mask_ & flag_c);
}

// C to the host's flags or to memory.
void Emitter::bring_carry() {
  if (has_carry() || !(deferred_.mask & flag_c)) return;
  deferred_.kind == HostFlags::sub ? bring_deferred() : flush_flags(flag_c);
}

bool Emitter::writes_fp_flags(const Insn& i) {
  const Fp op = Fp(i.aux & ~fp_double);
  return op == Fp::compare || op == Fp::compare_zero;
}

// The next operation but for insn, and where it is.
const Insn* Emitter::operation_behind(u32& position) const {
  const auto& code = request_->block->code;
  while (++position < code.size())
    if (code[position].op != Op::insn) return &code[position];
  return nullptr;
}

// Before the operation: what it leaves of the flags must not depend on what it writes.
void Emitter::keep_flags(const Insn& i) {
  if (!deferred_.mask) return;
  switch (i.op) {
    case Op::adc: case Op::sbc: case Op::rrx: bring_carry(); break;
    case Op::get_flag: flush_flags(i.aux); break;
    case Op::exit_jump: case Op::exit_indirect: case Op::exit_state: flush_flags(flags_all); return;
    case Op::call:
      if (layout_.helpers[i.imm].state) flush_flags(flags_all);
      break;
    case Op::fp:
      if (deferred_.kind == HostFlags::fp && writes_fp_flags(i)) {
        u32 next = position_;
        if (const Insn* o = operation_behind(next); o && o->op == Op::fp_flags) deferred_.mask = 0;
        flush_flags(flags_all);
      }
      break;
    default: break;
  }
  if (i.op > Op::br && i.op <= Op::br_cmp)
    if (const Insn* jump = jump_behind(i)) make_version_possible(jump->c.bits);
  if (i.op >= Op::label && i.op <= Op::br_cmp) return;
  if (const u8 written = i.flags | i.dead) {
    flush_flags(u8(~written));
    deferred_.mask = 0;
  }
  const auto touches = [&](Ref d) { return !d.is_none() && (d == deferred_.a || d == deferred_.b); };
  if (has_two_results(i.op) && touches(i.c)) return flush_flags(flags_all);
  if (i.d.is_guest() && is_double(i, 0) && touches(Ref::guest(i.d.index() + 1))) return flush_flags(flags_all);
  if (!touches(i.d)) return;
  // r + n, with what was compared being r: now that is n less.
  const bool moves = (i.op == Op::add || i.op == Op::sub) && !i.flags && i.a == i.d && i.b.is_imm() && is_pinned(i.d) && can_add();
  if (!moves) return flush_flags(flags_all);
  const u32 less = i.op == Op::add ? -i.imm : i.imm;
  if (i.d == deferred_.a) deferred_.a_add += less;
  if (i.d == deferred_.b) deferred_.b_add += less;
}

// Both sides in registers or constant.
bool Emitter::can_add() const { return is_pinned(deferred_.a) && (deferred_.b.is_imm() || is_pinned(deferred_.b)); }

// ---- paths that meet

// Where a path that goes to label l now must jump.
asmjit::Label Emitter::way_to(unsigned l) {
  for (Way& w : ways_[l])
    if (w.deferred == deferred_) {
      w.host_flags = HostFlags::none;
      return w.label;
    }
  ways_[l].push_back({a_.newLabel(), deferred_, host_flags_, host_flag_mask_});
  return ways_[l].back().label;
}

// All ways here come to agree on where the flags are.
void Emitter::place_label(unsigned l, bool falls_in) {
  std::vector<Way>& ways = ways_[l];
  if (ways.empty() && falls_in) return;
  const bool alone = !falls_in && ways.size() == 1;
  if (alone) {
    const Way& w = ways[0];
    a_.bind(w.label);
    deferred_ = w.deferred;
    host_flags_ = w.host_flags;
    host_flag_mask_ = w.host_flag_mask;
  } else {
    const bool agree = std::ranges::all_of(ways, [&](const Way& w) { return w.deferred == (falls_in ? deferred_ : ways[0].deferred); });
    if (ways.empty()) {
      deferred_ = {};
    } else if (agree) {
      deferred_ = ways[0].deferred;
      a_.bind(ways[0].label);
    } else {
      const auto join = a_.newLabel();
      if (falls_in) flush_flags(flags_all);
      holder_.fill(-1);
      bool through = falls_in;
      for (const Way& w : ways) {
        if (!w.deferred.mask) continue;
        if (through) a_.jmp(join);
        a_.bind(w.label);
        store_deferred(w.deferred, false);
        holder_.fill(-1);
        through = true;
      }
      a_.bind(join);
      for (const Way& w : ways)
        if (!w.deferred.mask) a_.bind(w.label);
      deferred_ = {};
    }
    host_flags_ = HostFlags::none;
  }
  ways.clear();
}
}  // namespace tcg::x86_64
