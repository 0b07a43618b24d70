#include "cpus/mips/translator.hpp"

#include "cpus/mips/mips16.hpp"

namespace mips {
namespace {
bool is_wide(const tcg::Insn& i) {
  return i.op == Op::mulu2 || i.op == Op::muls2 || i.op == Op::divu || i.op == Op::divs;
}
bool writes(const tcg::Insn& i, Ref r) {
  if (!r.is_guest()) return false;
  // Helpers and floating point keep their results in the state by themselves; general registers they name.
  if ((i.op == Op::call || i.op == Op::fp) && r.index() >= slot::fpu_mode) return true;
  return i.d == r || (is_wide(i) && i.c == r);
}
}  // namespace

bool is_fpu_word(u32 w) {
  switch (w >> 26) {
    case 0x00: return (w & 0x3f) == 1;
    case 0x11: case 0x13: case 0x31: case 0x35: case 0x39: case 0x3d: return true;
    default: return false;
  }
}

// A bit of the number of an accumulator says that the word is not MIPS32's.
bool is_dsp_word(u32 w) {
  const u32 function = w & 0x3f, ac = w >> 11 & 3, moved = w >> 21 & 3;
  switch (w >> 26) {
    case 0x00: return ((function & ~2u) == 0x10 && moved) || (((function & ~2u) == 0x11 || (function & ~1u) == 0x18) && ac);
    case 0x01: return (w >> 16 & 31) == 0x1c;
    case 0x1c: return (function & ~5u) == 0 && ac;
    case 0x1f:
      return function == 0x0a || function == 0x0c || (function & ~3u) == 0x10 || function == 0x18 ||
             (function & ~1u) == 0x30 || function == 0x38;
    default: return false;
  }
}

Translator::Translator(tcg::Request& request, const CodeFacts& code_facts)
    : facts(code_facts), out(*request.out), request_(request), p_{.pc = request.pc & ~1u, .length = 4}, isa16_(request.pc & 1) {}

u32 Translator::word(u32 at) const {
  if (facts.aside.length) return facts.aside.word;
  if (isa16_ && p_.length == 2) return halfword(at);
  if (isa16_) return u32(halfword(at)) << 16 | halfword(at + 2);
  const u32 w = load_le<u32>(request_.code + offset(at));
  return facts.big_endian ? __builtin_bswap32(w) : w;
}
u16 Translator::halfword(u32 at) const {
  const u16 w = load_le<u16>(request_.code + offset(at));
  return facts.big_endian ? __builtin_bswap16(w) : w;
}
u32 Translator::length_at(u32 at) const {
  if (!isa16_) return 4;
  return facts.aside.length ? facts.aside.length : mips16e::length(halfword(at));
}

// Whether the instruction at `at` can be part of this block.
bool Translator::can_join(u32 at) const {
  const u32 least = isa16_ ? 2 : 4;
  if (offset(at) + least > request_.bytes || (isa16_ && offset(at) + length_at(at) > request_.bytes)) return false;
  return !request_.breakpoints || request_.breakpoints->empty() || !request_.breakpoints->contains(at);
}

void Translator::begin(u32 at, u16 slot) {
  p_.pc = at;
  p_.length = isa16_ ? length_at(at) : 4;
  p_.slot = slot;
  p_.left = false;
  p_.after = at + p_.length;
  p_.used = offset(p_.after);
  ++p_.instructions;
  out.insn(at | isa16_, u8(p_.length), slot);
  // MIPS32 code that jumps to a register leaves it to MIPS16e blocks to say what they are.
  if (isa16_ && p_.instructions == 1) out.mov(guest(slot::isa16), 1u);
}

void Translator::one() {
  const u32 w = word(p_.pc);
  // Major opcodes with instructions that are not mips32.isa's.
  constexpr u64 elsewhere = 1ull << 0x00 | 1ull << 0x01 | 1ull << 0x11 | 1ull << 0x13 | 1ull << 0x1c | 1ull << 0x1f | 1ull << 0x31 | 1ull << 0x35 |
                            1ull << 0x39 | 1ull << 0x3d;
  if (!isa16_ && !(elsewhere >> (w >> 26) & 1)) return translate_mips32(*this, w);
  if (isa16_) return p_.length == 2 ? translate_mips16(*this, w) : translate_mips16_extended(*this, w);
  if (is_fpu_word(w)) return translate_fpu(*this, w);
  is_dsp_word(w) ? translate_dsp(*this, w) : translate_mips32(*this, w);
}

void Translator::run() {
  out.clear();
  if (request_.mode & tcg::mode_transient) {
    pending_slot();
  } else {
    do {
      begin(p_.after ? p_.after : p_.pc, 0);
      one();
      if (!p_.left && (p_.instructions >= request_.limit || !can_join(p_.after))) {
        out.exit_jump(p_.after | isa16_, false);
        break;
      }
    } while (!p_.left);
  }
  request_.used = p_.used < request_.bytes ? p_.used : request_.bytes;
  request_.instructions = p_.instructions;
}

// The branch has run, and left its target in the state.
void Translator::pending_slot() {
  begin(p_.pc, u16(request_.mode >> 8 & 0xff));
  one();
  if (p_.left) return;
  out.mov(guest(slot::delay_slot), 0u);
  if (facts.mips16) out.emit(Op::and_, guest(slot::isa16), guest(slot::branch_target), 1u);
  out.exit_indirect(guest(slot::branch_target));
}

// ---- branches

void Translator::jump(const Jump& j) {
  if (in_slot()) return reserved();  // UNPREDICTABLE
  const Position before = p_;
  const std::size_t code = out.code.size();
  const unsigned temps = out.temps, labels = out.labels;
  if (can_join(next())) {
    for (const Hold hold : {Hold::late, Hold::temporaries, Hold::slots}) {
      const Tried how = unit(j, hold);
      if (how == Tried::done) return;
      p_ = before;
      out.code.resize(code);
      out.temps = temps;
      out.labels = labels;
      if (how == Tried::must_be_apart) break;
    }
  }
  apart(j);
}

void Translator::branch_unless(const Jump& j, unsigned label) {
  const Ref a = tested(j);
  out.br_cmp(inverse(j.cond), a, j.b, label);
}

// What the slot's operations, from `from` on, do to what waits for their end.
Translator::Tried Translator::disturbed(std::size_t from, const Jump& j, Hold hold) const {
  bool touched = false, label = false;
  for (std::size_t n = from; n < out.code.size(); ++n) {
    const tcg::Insn& i = out.code[n];
    if (i.op == Op::call && i.imm >= helper_system) return Tried::must_be_apart;
    label |= i.op == Op::label;
    touched |= writes(i, j.a) || writes(i, j.b.ref) || writes(i, j.target.ref);
  }
  const bool held = !(j.likely || j.always) || !j.target.ref.is_imm();
  if (held && hold == Hold::late && touched) return Tried::disturbed;
  if (held && hold == Hold::temporaries && label) return Tried::disturbed;
  return Tried::done;
}

Translator::Tried Translator::unit(const Jump& j, Hold hold) {
  const Position branch = p_;
  const u32 slot_at = next(), after = after_slot();
  const bool conditional = !j.always, indirect = !j.target.ref.is_imm(), early = hold != Hold::late;
  const Ref link = j.link ? guest(j.link) : Ref::none();
  const bool link_is_read = j.link && (j.a == link || j.b.ref == link || j.target.ref == link);
  if (link_is_read && !early) return Tried::disturbed;

  Ref taken, target;
  const auto hold_in = [&](unsigned at, Op op, Ref a, Operand b, u8 aux) {
    const Ref d = hold == Hold::slots ? guest(at) : out.temp();
    out.emit(op, d, a, b, 0, aux);
    return d;
  };
  if (conditional && early) taken = hold_in(slot::branch_taken, Op::setcmp, tested(j), j.b, u8(j.cond));
  if (indirect && early) target = hold_in(slot::branch_target, Op::mov, j.target.ref, Ref::none(), 0);
  if (j.link) out.mov(link, after | isa16_);
  const unsigned not_taken = conditional ? out.label() : 0;
  const auto test = [&] { early ? out.br_zero(taken, not_taken) : branch_unless(j, not_taken); };
  if (j.likely && conditional) test();

  const std::size_t from = out.code.size();
  begin(slot_at, u16(branch.length));
  one();
  if (const Tried how = disturbed(from, j, hold); how != Tried::done) return how;
  const bool slot_left = p_.left;
  p_.slot = 0;
  if (!slot_left) {
    if (conditional && !j.likely) test();
    leave(indirect ? Operand(early ? target : j.target.ref) : j.target, branch.pc);
  }
  p_.left = !conditional || (slot_left && !j.likely);
  if (conditional && !p_.left) {
    out.place(not_taken);
    if (j.likely) p_.fpu_checked = branch.fpu_checked, p_.dsp_checked = branch.dsp_checked;
  }
  return Tried::done;
}

// The slot is another block's, which begins with VcpuHeader::slot set.
void Translator::apart(const Jump& j) {
  const u32 slot_at = next(), after = after_slot();
  const auto set_link = [&] {
    if (j.link) out.mov(guest(j.link), after | isa16_);
  };
  const auto to_slot = [&] {
    set_link();
    out.mov(guest(slot::pc), slot_at);
    out.mov(guest(slot::delay_slot), p_.length | 1);
    out.exit_state();
  };
  p_.left = true;
  if (j.always) {
    out.mov(guest(slot::branch_target), j.target);
    return to_slot();
  }
  const unsigned not_taken = out.label();
  branch_unless(j, not_taken);
  out.mov(guest(slot::branch_target), j.target);
  if (j.likely) {
    to_slot();
    out.place(not_taken);
    set_link();
    return out.exit_jump(after | isa16_, false);
  }
  const unsigned join = out.label();
  out.br(join);
  out.place(not_taken);
  out.mov(guest(slot::branch_target), after | isa16_);
  out.place(join);
  to_slot();
}

void Translator::branch(const Jump& j) {
  if (in_slot()) return reserved();  // UNPREDICTABLE
  const unsigned not_taken = j.always ? 0 : out.label();
  if (!j.always) branch_unless(j, not_taken);
  if (j.link) out.mov(guest(j.link), next() | isa16_);
  leave(j.target, p_.pc);
  p_.left = j.always;
  if (!j.always) out.place(not_taken);
}

// Interrupts are looked for where code goes backwards.
void Translator::leave(Operand target, u32 from) {
  if (target.ref.is_imm()) {
    if ((target.value & 1) != isa16_) out.mov(guest(slot::isa16), target.value & 1);
    return out.exit_jump(target.value, (target.value & ~1u) <= from);
  }
  if (isa16_) out.emit(Op::and_, guest(slot::isa16), target, 1u);
  out.exit_indirect(target.ref);
}

// ---- the rest

void Translator::compute(Op op, u32 d, Operand a, Operand b) {
  if (!d) return;
  const bool a_is_zero = a.ref.is_imm() && !a.value, b_is_zero = b.ref.is_imm() && !b.value;
  const bool is_sum = op == Op::add || op == Op::or_ || op == Op::xor_;
  if (is_sum && a_is_zero && !b.ref.is_none()) return out.mov(guest(d), b);
  if ((is_sum || op == Op::sub) && b_is_zero) return out.mov(guest(d), a);
  if (a.ref.is_imm() && b.ref.is_imm()) a = in(a);
  out.emit(op, guest(d), a, b);
}

void Translator::accumulate(u32 ac, bool is_signed, bool subtract, u32 s, u32 m) {
  const Ref lo = guest(slot::lo + ac), hi = guest(slot::hi + ac), low = out.temp(), high = out.temp();
  out.multiply_long(is_signed, low, high, value(s), value(m));
  if (subtract) {
    const Ref borrow = out.value(Op::setcmp, lo, low, 0, u8(Cond::cc));
    out.emit(Op::sub, lo, lo, low);
    out.emit(Op::sub, hi, out.value(Op::sub, hi, high), borrow);
  } else {
    out.emit(Op::add, lo, lo, low);
    const Ref carry = out.value(Op::setcmp, lo, low, 0, u8(Cond::cc));
    out.emit(Op::add, hi, out.value(Op::add, hi, high), carry);
  }
}

void Translator::compare(Cond c, u32 d, Operand a, Operand b) {
  if (!d) return;
  if (a.ref.is_imm() && b.ref.is_imm()) a = in(a);
  out.emit(Op::setcmp, guest(d), a, b, 0, u8(c));
}

void Translator::call(Ref d, HelperIndex helper, Operand a, Operand b, Operand c) {
  const auto argument = [&](Operand v) { return v.ref.is_none() ? Ref::none() : in(v); };
  const Ref first = argument(a), second = argument(b), third = argument(c);
  out.call(d, helper, first, second, third);
}

void Translator::end_block() {
  out.exit_state();
  p_.left = true;
}

void Translator::raise(ExcCode code, u32 coprocessor) {
  call({}, helper_exception, u32(code), coprocessor);
  end_block();
}
void Translator::reserved() { raise(ExcCode::RI); }
void Translator::debug_break(u32 code) {
  call({}, helper_debug_break, code);
  end_block();
}

unsigned Translator::unless(Cond c, Operand a, Operand b) {
  const unsigned label = out.label();
  out.br_cmp(c, in(a), b, label);
  return label;
}
void Translator::close(unsigned label) {
  out.place(label);
  p_.left = false;
}

void Translator::require_cp0() {
  if (facts.user) call({}, helper_check_cp0);
}

bool Translator::require_fpu() {
  if (!facts.fpu) {
    raise(ExcCode::CpU, 1);
    return false;
  }
  if (p_.fpu_checked) return true;
  const unsigned yes = unless(Cond::eq, guest(slot::fpu_mode), 1u | u32(facts.fr) << 1);
  call({}, helper_fpu_mode);
  end_block();
  close(yes);
  p_.fpu_checked = true;
  return true;
}

bool Translator::require_dsp() {
  if (!facts.dsp) {
    reserved();
    return false;
  }
  if (p_.dsp_checked) return true;
  const unsigned yes = unless(Cond::ne, guest(slot::dsp_mode), 0u);
  raise(ExcCode::DSPDis);
  close(yes);
  p_.dsp_checked = true;
  return true;
}
}  // namespace mips
