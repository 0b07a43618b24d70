// Floating point on SSE.  Translated code computes by itself only while GuestLayout::fp_fast holds, and keeps a result
// only if it can have raised no flag but inexact, which is set already, or is 0 because an operand is; then IEEE leaves no choice
// about the result.
// Anything else (NaN, overflow, underflow, other modes) goes to the front end's helper, which does the whole operation
// again.  A family with fp_last is told what the inline code computed, so that it can find out whether it was inexact.

#include "accel/tcg/x86_64/emitter.hpp"

#include "core/log.hpp"

#include <utility>

namespace tcg::x86_64 {
using asmjit::imm;

namespace {
const x86::Xmm result = x86::xmm0, other = x86::xmm1, third = x86::xmm2;

// Operations whose inline results raise nothing.
bool fp_is_exact(Fp op, bool wide) {
  switch (op) {
    case Fp::abs:
    case Fp::neg:
    case Fp::widen:
    case Fp::test_eq:
    case Fp::test_lt:
    case Fp::test_le: return true;
    case Fp::from_s32:
    case Fp::from_u32: return wide;
    default: return false;
  }
}
}  // namespace

void Emitter::fp_load(const x86::Xmm& x, Ref r, bool wide) {
  if (const int pin = fp_pin_of(r); pin >= 0) {
    !wide && fp_is_upper(r) ? a_.movshdup(x, fp_pin(u32(pin))) : a_.movaps(x, fp_pin(u32(pin)));
    return;
  }
  const u16 at = layout_.slots[r.index()].offset;
  wide ? a_.movsd(x, x86::qword_ptr(env, from_env(at))) : a_.movss(x, x86::dword_ptr(env, from_env(at)));
}

void Emitter::fp_store(Ref r, const x86::Xmm& x, bool wide) {
  if (const int pin = fp_pin_of(r); pin >= 0) {
    if (x.id() == fp_pin(u32(pin)).id()) return;
    if (wide || !(fp_paired_ >> pin & 1)) a_.movaps(fp_pin(u32(pin)), x);
    else if (fp_is_upper(r)) a_.insertps(fp_pin(u32(pin)), x, 0x10);
    else a_.movss(fp_pin(u32(pin)), x);
    return;
  }
  const u16 at = layout_.slots[r.index()].offset;
  wide ? a_.movsd(x86::qword_ptr(env, from_env(at)), x) : a_.movss(x86::dword_ptr(env, from_env(at)), x);
}

// A second operand: memory, or the register that holds it.
asmjit::Operand Emitter::fp_operand(Ref r, bool wide) {
  if (const int pin = fp_pin_of(r); pin < 0) {
    const u16 at = layout_.slots[r.index()].offset;
    return wide ? x86::qword_ptr(env, from_env(at)) : x86::dword_ptr(env, from_env(at));
  } else if (wide || !fp_is_upper(r)) {
    return fp_pin(u32(pin));
  }
  fp_load(third, r, false);
  return third;
}

// A single or double in a register of its own: its pin, else x.
x86::Xmm Emitter::fp_register(const x86::Xmm& x, Ref r, bool wide) {
  if (const int pin = fp_pin_of(r); pin >= 0 && (wide || !fp_is_upper(r))) return fp_pin(u32(pin));
  fp_load(x, r, wide);
  return x;
}

// d = a op b; all of what follows a product is one.
void Emitter::fp_compute(Fp op, bool wide, const x86::Xmm& d, const x86::Xmm& a, const asmjit::Operand& b) {
  namespace I = x86::Inst;
  static constexpr u32 plain[][2] = {{I::kIdAddss, I::kIdAddsd}, {I::kIdSubss, I::kIdSubsd}, {I::kIdDivss, I::kIdDivsd}, {I::kIdMulss, I::kIdMulsd}};
  static constexpr u32 three[][2] = {{I::kIdVaddss, I::kIdVaddsd}, {I::kIdVsubss, I::kIdVsubsd}, {I::kIdVdivss, I::kIdVdivsd}, {I::kIdVmulss, I::kIdVmulsd}};
  const unsigned n = op == Fp::add ? 0 : op == Fp::sub ? 1 : op == Fp::div ? 2 : 3;
  if (d.id() == a.id()) {
    a_.emit(plain[n][wide], d, b);
  } else if (has_avx_) {
    a_.emit(three[n][wide], d, a, b);
  } else {
    a_.movaps(d, a);
    a_.emit(plain[n][wide], d, b);
  }
}

// Leaves for `slow` unless x is finite and, when tiny results may be inexact, well above the least normal number.  Without
// its sign the number is ordered as an integer is.
void Emitter::fp_require(const x86::Xmm& x, bool wide, Range range, const asmjit::Label& slow) {
  static constexpr u64 least64 = u64(2) << 53, infinite64 = u64(0x7ff) << 53;
  static constexpr u32 least32 = 2u << 24, infinite32 = 0xffu << 24;
  const Gp e = scratch();
  if (range == Range::not_tiny) {
    if (wide) {
      a_.movq(e.r64(), x);
      a_.test(x86::qword_ptr(env, from_env(offsetof(VcpuHeader, not_tiny))), e.r64());
    } else {
      a_.movd(e, x);
      a_.test(e, 0x7f00'0000);
    }
    return void(a_.jz(slow));
  }
  if (!wide) {
    a_.movd(e, x);
    if (range == Range::ordinary) a_.lea(e, x86::ptr(e.r64(), e.r64(), 0, -s32(least32)));
    else a_.add(e, e);
    a_.cmp(e, imm(s32(range == Range::finite ? infinite32 : infinite32 - least32)));
  } else {
    const auto constant = [&](unsigned n) { return x86::qword_ptr(env, from_env(offsetof(VcpuHeader, fp_limit) + 8 * n)); };
    static_assert(accel::fp_limits[0] == least64 && accel::fp_limits[1] == infinite64 && accel::fp_limits[2] == infinite64 - least64);
    a_.movq(e.r64(), x);
    a_.add(e.r64(), e.r64());
    if (range == Range::ordinary) a_.sub(e.r64(), constant(0));
    a_.cmp(e.r64(), constant(range == Range::finite ? 1 : 2));
  }
  a_.jae(slow);
}

// Products and quotients that are 0 because a factor or the dividend is are exact too.
void Emitter::fp_require_or_zero(const x86::Xmm& x, bool wide, Range range, const asmjit::Label& slow, Ref a, Ref b, bool wide_operands) {
  const SlowZero s{a_.newLabel(), a_.newLabel(), slow, x, {}, wide, wide_operands, a, b};
  fp_require(x, wide, range, s.entry);
  a_.bind(s.back);
  slow_zeros_.push_back(s);
}

// A finite sum with a product that is not tiny, by one branch: where loops are bound by the host's units for branches and for
// moves between its kinds of registers, as filters are.
void Emitter::fp_require_sum(const x86::Xmm& sum, const x86::Xmm& product, const Insn& i, bool wide, const asmjit::Label& slow) {
  const SlowZero s{a_.newLabel(), a_.newLabel(), slow, product, sum, wide, wide, i.a, i.b};
  const Gp both = scratch().r64();
  const auto constant = [&](std::size_t at) { return x86::qword_ptr(env, from_env(accel::fp_pair_offset + at)); };
  const std::size_t pair = wide * sizeof(accel::FpPair);
  if (wide) a_.vinsertps(third, product, sum, 0x40);  // the upper half of the sum in place of the product's lower
  else a_.vunpcklps(third, sum, product);
  a_.movq(both, third);
  a_.and_(both, constant(pair + offsetof(accel::FpPair, mask)));
  a_.add(both, constant(pair + offsetof(accel::FpPair, bias)));
  a_.test(constant(sizeof accel::fp_pairs), both);
  a_.jnz(s.entry);
  a_.bind(s.back);
  slow_zeros_.push_back(s);
}

void Emitter::fp_zero_path(const SlowZero& s) {
  const auto compare = [&](bool wide, const x86::Xmm& x, const asmjit::Operand& y) { a_.emit(wide ? x86::Inst::kIdUcomisd : x86::Inst::kIdUcomiss, x, y); };
  const x86::Xmm zero = s.x.id() == other.id() ? result : s.sum.isValid() ? x86::xmm3 : other;
  a_.bind(s.entry);
  holder_.fill(-1);
  if (s.sum.isValid()) fp_require(s.sum, s.wide, Range::finite, s.slow);
  a_.xorps(zero, zero);
  compare(s.wide, s.x, zero);
  a_.jp(s.slow);
  a_.jne(s.slow);
  for (const Ref r : {s.a, s.a == s.b ? Ref::none() : s.b}) {
    if (r.is_none()) continue;
    compare(s.wide_operands, zero, fp_operand(r, s.wide_operands));
    a_.je(s.back);
  }
  a_.jmp(s.slow);
}

// Whether a register of its own holds it, and nothing else.
bool Emitter::fp_is_whole(Ref r, bool wide) const {
  const int pin = fp_pin_of(r);
  return pin >= 0 && (wide || !(fp_paired_ >> pin & 1));
}

// Where to compute the result of i.  The destination itself keeps what it has while the slow path may need that: as an operand,
// or since the instruction may not complete.
x86::Xmm Emitter::fp_destination(const Insn& i, bool wide) const {
  if (layout_.fp_last || !fp_is_whole(i.d, wide)) return result;
  const int pin = fp_pin_of(i.d);
  for (const Ref r : {i.a, i.b, i.c})
    if (!r.is_none() && fp_pin_of(r) == pin) return result;
  return fp_pin(u32(pin));
}

// Whether nothing can see fp_last before the next operation writes it.
bool Emitter::fp_is_overwritten() const {
  for (std::size_t n = position_ + 1; n < request_->block->code.size(); ++n) {
    const Insn& i = request_->block->code[n];
    if (i.op == Op::fp) {
      if (Fp(i.aux & ~fp_double) != Fp::copy) return true;
      continue;
    }
    if (i.op >= Op::load && i.op != Op::insn) return false;
  }
  return false;
}

void Emitter::fp_note(u32 instruction) {
  a_.mov(x86::dword_ptr(env, from_env(layout_.fp_last + offsetof(accel::FpLast, instruction))), imm(s32(instruction)));
}
void Emitter::fp_note_operand(unsigned n, const x86::Xmm& x, bool wide) {
  const unsigned at = layout_.fp_last + unsigned(offsetof(accel::FpLast, operand)) + 8 * n;
  wide ? a_.movsd(x86::qword_ptr(env, from_env(at)), x) : a_.movss(x86::dword_ptr(env, from_env(at)), x);
}

void Emitter::fp_arithmetic(const Insn& i, Fp op, bool wide, const asmjit::Label& slow) {
  const bool four = op >= Fp::madd && op <= Fp::nmsub, accumulates = op <= Fp::nmsc || four;
  const bool noted = layout_.fp_last && !fp_is_overwritten();
  const x86::Xmm a = fp_register(result, i.a, wide);
  if (noted) {
    fp_note(i.imm);
    fp_note_operand(0, a, wide);
    fp_load(other, i.b, wide);
    fp_note_operand(1, other, wide);
    if (four) {
      fp_load(other, i.c, wide);
      fp_note_operand(2, other, wide);
    }
  }
  const asmjit::Operand b = fp_operand(i.b, wide);
  const x86::Xmm d = accumulates ? result : fp_destination(i, wide);
  fp_compute(op, wide, d, a, b);
  // A product that goes on into a sum: infinities and NaNs show there.
  if (op == Fp::add || op == Fp::sub) fp_require(d, wide, Range::finite, slow);
  else if (!accumulates || !has_avx_) fp_require_or_zero(d, wide, accumulates ? Range::not_tiny : Range::ordinary, slow, i.a, op == Fp::div ? Ref::none() : i.b, wide);
  const auto negate = [&](const x86::Xmm& x) {
    const Gp t = scratch();
    if (wide) {
      a_.movq(t.r64(), x);
      a_.btc(t.r64(), 63);
      a_.movq(x, t.r64());
    } else {
      a_.movd(t, x);
      a_.btc(t, 31);
      a_.movd(x, t);
    }
  };
  if (op == Fp::nmul) negate(d);
  if (four) {
    const asmjit::Operand c = fp_operand(i.c, wide);
    const x86::Xmm sum = has_avx_ ? other : result;
    fp_compute(op == Fp::madd || op == Fp::nmadd ? Fp::add : Fp::sub, wide, sum, result, c);
    if (has_avx_) fp_require_sum(sum, result, i, wide, slow);
    else fp_require(sum, wide, Range::finite, slow);
    if (op == Fp::nmadd || op == Fp::nmsub) negate(sum);
    return fp_store(i.d, sum, wide);
  }
  if (accumulates) {
    x86::Xmm sum = other;
    if (op == Fp::msc || op == Fp::nmsc) {
      fp_load(other, i.d, wide);
      negate(other);
    } else {
      sum = fp_register(other, i.d, wide);
    }
    fp_compute(op == Fp::mac || op == Fp::msc ? Fp::add : Fp::sub, wide, other, sum, result);
    if (has_avx_) fp_require_sum(other, result, i, wide, slow);
    else fp_require(other, wide, Range::finite, slow);
    return fp_store(i.d, other, wide);
  }
  fp_store(i.d, d, wide);
}

// N Z C V of a comparison to fp_flags.
void Emitter::fp_compare(const Insn& i, bool with_zero, bool wide, SlowFp& slow) {
  if (with_zero) a_.xorps(other, other);
  const x86::Xmm x = fp_register(result, i.d, wide);
  a_.emit(wide ? x86::Inst::kIdUcomisd : x86::Inst::kIdUcomiss, x, with_zero ? asmjit::Operand(other) : fp_operand(i.a, wide));
  a_.jp(slow.entry);
  const Gp nzcv = scratch(), t = scratch();
  a_.mov(nzcv, 0x2000'0000);  // greater
  a_.mov(t, imm(s32(0x8000'0000)));
  a_.cmovb(nzcv, t);
  a_.mov(t, 0x6000'0000);
  a_.cmove(nzcv, t);
  a_.mov(header32(layout_.fp_flags), nzcv);
  fp_branch(slow);
}

// Where a branch on the comparison's flags comes behind it, as is the rule, it takes them from the host's, which are still
// those of ordered numbers; what the helper compared instead branches in the slow path.
void Emitter::fp_branch(SlowFp& slow) {
  using CC = x86::CondCode;
  static constexpr CC after_comparison[] = {CC::kE, CC::kNE, CC::kAE, CC::kB, CC::kB, CC::kAE, CC::kO, CC::kNO,
                                            CC::kA, CC::kBE, CC::kAE, CC::kB, CC::kA, CC::kBE};
  u32 at = position_;
  const Insn* const flags = operation_behind(at);
  if (!layers_.has(accel::Layer::hostflags) || !flags || flags->op != Op::fp_flags) return;
  const Insn* const way = operation_behind(at);
  if (!way || way->op != Op::br_cond || (flags_read(Cond(way->aux)) & ~flags->flags)) return;
  const Deferred before = std::exchange(deferred_, {.mask = flags->flags, .kind = HostFlags::fp});
  const u32 here = std::exchange(position_, at);
  const Insn* const jump = jump_behind(*way);
  if (jump && !version_is_possible(jump->c.bits)) {
    deferred_ = before;
    position_ = here;
    return;
  }
  for (const Insn& i : std::span(request_->block->code).subspan(here, at - here))
    if (i.op == Op::insn) pc_ = i.imm & ~layout_.mode_bits, slot_ = i.c.bits;
  const Cond when = Cond(way->aux);
  slow.flags = {};
  slow.when = jump ? inverse(when) : when;
  slow.taken = branch(*way, after_comparison[u8(when)]);
}

// The condition from fp_flags; what it leaves in the host's flags.
x86::CondCode Emitter::test_fp_flags(Cond c, const Gp& nzcv, const Gp& when) {
  static constexpr u16 holds[] = {0xf0f0, 0xcccc, 0xff00, 0xaaaa, 0x0c0c, 0xaa55, 0x0a05};  // by N Z C V, of every other condition
  a_.mov(nzcv, header32(layout_.fp_flags));
  a_.shr(nzcv, 28);
  a_.mov(when, holds[u8(c) / 2]);
  a_.bt(when, nzcv);
  return u8(c) & 1 ? x86::CondCode::kAE : x86::CondCode::kB;
}

void Emitter::fp_slow_path(const SlowFp& s) {
  a_.bind(s.entry);
  fp_call(s.instruction, s.pc, s.delay_slot, s.flags);
  if (s.taken.isValid()) a_.j(test_fp_flags(s.when, x86::eax, x86::ecx), s.taken);
  a_.jmp_back(s.back);
}

void Emitter::fp_test(const Insn& i, Fp op, bool wide, const asmjit::Label& slow) {
  const Gp t = scratch();
  const x86::Xmm x = fp_register(result, i.a, wide);
  a_.emit(wide ? x86::Inst::kIdUcomisd : x86::Inst::kIdUcomiss, x, fp_operand(i.b, wide));
  a_.jp(slow);
  a_.set(op == Fp::test_eq ? x86::CondCode::kE : op == Fp::test_lt ? x86::CondCode::kB : x86::CondCode::kBE, t.r8());
  a_.movzx(t, t.r8());
  finish(i.d, t);
}

// One-operand moves and the sign.
void Emitter::fp_move(const Insn& i, Fp op, bool wide, const asmjit::Label& slow) {
  const Gp v = scratch();
  const auto part = [&](const Gp& g) { return wide ? g.r64() : g; };
  if (op == Fp::copy && fp_is_whole(i.d, wide) && fp_pin_of(i.a) >= 0 && (wide || !fp_is_upper(i.a))) {
    if (i.d != i.a) a_.movaps(fp_pin(u32(fp_pin_of(i.d))), fp_pin(u32(fp_pin_of(i.a))));
    return;
  }
  if (op == Fp::copy && (fp_pin_of(i.a) >= 0 || fp_pin_of(i.d) >= 0)) {
    fp_load(result, i.a, wide);
    return fp_store(i.d, result, wide);
  }
  fp_get(v, i.a, wide);
  if (op != Fp::copy && layout_.fp_last) {
    const Gp e = scratch();
    a_.mov(part(e), part(v));
    a_.add(part(e), part(e));
    a_.shr(part(e), wide ? 53 : 24);
    a_.cmp(e, wide ? 0x7ff : 0xff);
    a_.je(slow);
  }
  if (op == Fp::abs) a_.btr(part(v), wide ? 63 : 31);
  if (op == Fp::neg) a_.btc(part(v), wide ? 63 : 31);
  fp_put(i.d, v, wide);
}

void Emitter::fp_convert(const Insn& i, Fp op, bool wide, const asmjit::Label& slow) {
  const Gp t = scratch();
  if (layout_.fp_last && !fp_is_exact(op, wide) && !fp_is_overwritten()) {
    fp_note(i.imm);
    const bool from_word = op == Fp::from_s32 || op == Fp::from_u32;
    fp_load(other, i.a, wide && !from_word);
    fp_note_operand(0, other, wide && !from_word);
  }
  switch (op) {
    case Fp::widen:
      fp_get(t, i.a, false);
      a_.add(t, t);
      a_.cmp(t, imm(s32(0xff00'0000)));
      a_.ja(slow);  // NaN
      fp_load(result, i.a, false);
      a_.cvtss2sd(result, result);
      return fp_store(i.d, result, true);
    case Fp::narrow:
      fp_load(result, i.a, true);
      a_.cvtsd2ss(result, result);
      fp_require_or_zero(result, false, Range::ordinary, slow, i.a, Ref::none(), true);
      return fp_store(i.d, result, false);
    case Fp::from_s32:
    case Fp::from_u32: {
      fp_get(t, i.a, false);
      if (op == Fp::from_s32) a_.movsxd(t.r64(), t);
      const x86::Xmm d = fp_is_whole(i.d, wide) && !layout_.fp_last ? fp_pin(u32(fp_pin_of(i.d))) : result;
      a_.xorps(d, d);
      wide ? a_.cvtsi2sd(d, t.r64()) : a_.cvtsi2ss(d, t.r64());
      return fp_store(i.d, d, wide);
    }
    default: break;
  }
  // To integers.  In 64 bits every operand below 2^63 converts; what does not fit the target saturates, slowly.
  const bool truncate = op == Fp::to_u32_trunc || op == Fp::to_s32_trunc;
  const bool is_signed = op == Fp::to_s32 || op == Fp::to_s32_trunc;
  const Gp check = scratch();
  fp_load(result, i.a, wide);
  if (wide) truncate ? a_.cvttsd2si(t.r64(), result) : a_.cvtsd2si(t.r64(), result);
  else truncate ? a_.cvttss2si(t.r64(), result) : a_.cvtss2si(t.r64(), result);
  if (is_signed) a_.movsxd(check.r64(), t);
  else a_.mov(check, t);
  a_.cmp(check.r64(), t.r64());
  a_.jne(slow);
  fp_put(i.d, t, false);
}

// The front end's helper does the whole instruction.
void Emitter::fp_call(u32 instruction, u32 pc, u16 delay_slot, const Deferred& flags) {
  store_deferred(flags, true);
  a_.mov(header32(at_argument), imm(s32(instruction)));
  put_pc(pc, delay_slot);
  spill();
  a_.call(imm(u64(thunks_.helper[layout_.fp_helper])));
  fill();
  leave_slot(delay_slot);
}

void Emitter::floating_point(const Insn& i) {
  const Fp op = Fp(i.aux & ~fp_double);
  const bool wide = i.aux & fp_double;
  SlowFp slow{a_.newLabel(), 0, i.imm, pc_, slot_, deferred_};
  host_flags_ = HostFlags::none;
  // Both paths must leave temporaries in the same places: those in registers are spilled before the paths part.
  for (unsigned n = 0; n < temp_count; ++n) scratch();
  holder_.fill(-1);
  const bool needs_nothing = layout_.fp_last && op == Fp::copy;
  if (!needs_nothing && !layers_.has(accel::Layer::fp)) return fp_call(i.imm, pc_, slot_, deferred_);
  if (!needs_nothing && !fp_known_) {
    a_.cmp(x86::byte_ptr(env, from_env(layout_.fp_fast)), 0);
    a_.je(slow.entry);
  }
  if (layout_.fp_last && fp_is_exact(op, wide) && !fp_is_overwritten()) fp_note(accel::FpLast::exact);
  switch (op) {
    case Fp::copy:
    case Fp::abs:
    case Fp::neg: fp_move(i, op, wide, slow.entry); break;
    case Fp::sqrt: {  // of 0 and positive normal numbers
      const Gp e = scratch();
      fp_get(e, i.a, wide);
      wide ? a_.shr(e.r64(), 52) : a_.shr(e, 23);  // with the sign
      a_.sub(e, 1);
      a_.cmp(e, wide ? 0x7fe : 0xfe);
      fp_load(result, i.a, wide);
      const SlowZero zero{a_.newLabel(), a_.newLabel(), slow.entry, result, {}, wide, wide, i.a, Ref::none()};
      slow_zeros_.push_back(zero);
      a_.jae(zero.entry);
      a_.bind(zero.back);
      if (layout_.fp_last && !fp_is_overwritten()) {
        fp_note(i.imm);
        fp_note_operand(0, result, wide);
      }
      wide ? a_.sqrtsd(result, result) : a_.sqrtss(result, result);
      fp_store(i.d, result, wide);
      break;
    }
    case Fp::compare:
    case Fp::compare_zero: fp_compare(i, op == Fp::compare_zero, wide, slow); break;
    case Fp::test_eq:
    case Fp::test_lt:
    case Fp::test_le: fp_test(i, op, wide, slow.entry); break;
    default:
      if (op <= Fp::div || op >= Fp::madd) fp_arithmetic(i, op, wide, slow.entry);
      else fp_convert(i, op, wide, slow.entry);
  }
  slow.back = a_.here();
  slow_fp_.push_back(slow);
}
}  // namespace tcg::x86_64
