// Floating point on SSE.  Translated code computes by itself only while GuestLayout::fp_fast holds, and keeps a result
// only if it can have raised no flag but inexact, which is set already; then IEEE leaves no choice about the result.
// Anything else (NaN, overflow, underflow, other modes) goes to the front end's helper, which does the whole operation
// again.

#include "accel/tcg/x86_64/emitter.hpp"

#include "core/log.hpp"

namespace tcg::x86_64 {
using asmjit::imm;

namespace {
const x86::Xmm result = x86::xmm0, other = x86::xmm1;
}

void Emitter::fp_load(const x86::Xmm& x, Ref r, bool wide) {
  const u16 at = layout_.slots[r.index()].offset;
  wide ? a_.movsd(x, x86::qword_ptr(env, at)) : a_.movss(x, x86::dword_ptr(env, at));
}

void Emitter::fp_store(Ref r, const x86::Xmm& x, bool wide) {
  const u16 at = layout_.slots[r.index()].offset;
  wide ? a_.movsd(x86::qword_ptr(env, at), x) : a_.movss(x86::dword_ptr(env, at), x);
}

// Leaves for `slow` unless x is finite and, when tiny results may be inexact, well above the least normal number.
void Emitter::fp_require_ordinary(const x86::Xmm& x, bool wide, bool tiny_is_exact, const asmjit::Label& slow) {
  const Gp e = scratch();
  if (wide) {
    a_.movq(e.r64(), x);
    a_.add(e.r64(), e.r64());  // the sign goes
    a_.shr(e.r64(), 53);
  } else {
    a_.movd(e, x);
    a_.add(e, e);
    a_.shr(e, 24);
  }
  const int infinite = wide ? 0x7ff : 0xff;
  if (tiny_is_exact) {
    a_.cmp(e, infinite);
    a_.jae(slow);
  } else {
    a_.sub(e, 2);
    a_.cmp(e, infinite - 2);
    a_.jae(slow);
  }
}

void Emitter::fp_arithmetic(const Insn& i, Fp op, bool wide, const asmjit::Label& slow) {
  const bool accumulates = op <= Fp::nmsc;
  const auto operand_b = wide ? x86::qword_ptr(env, layout_.slots[i.b.index()].offset) : x86::dword_ptr(env, layout_.slots[i.b.index()].offset);
  fp_load(result, i.a, wide);
  switch (op) {
    case Fp::add: wide ? a_.addsd(result, operand_b) : a_.addss(result, operand_b); break;
    case Fp::sub: wide ? a_.subsd(result, operand_b) : a_.subss(result, operand_b); break;
    case Fp::div: wide ? a_.divsd(result, operand_b) : a_.divss(result, operand_b); break;
    default: wide ? a_.mulsd(result, operand_b) : a_.mulss(result, operand_b); break;
  }
  fp_require_ordinary(result, wide, op == Fp::add || op == Fp::sub, slow);
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
  if (op == Fp::nmul) negate(result);
  if (accumulates) {
    fp_load(other, i.d, wide);
    if (op == Fp::msc || op == Fp::nmsc) negate(other);
    if (op == Fp::mac || op == Fp::msc) wide ? a_.addsd(other, result) : a_.addss(other, result);
    else wide ? a_.subsd(other, result) : a_.subss(other, result);
    fp_require_ordinary(other, wide, true, slow);
    return fp_store(i.d, other, wide);
  }
  fp_store(i.d, result, wide);
}

void Emitter::fp_compare(const Insn& i, bool with_zero, bool wide, const asmjit::Label& slow) {
  fp_load(result, i.d, wide);
  if (with_zero) a_.xorps(other, other);
  else fp_load(other, i.a, wide);
  wide ? a_.ucomisd(result, other) : a_.ucomiss(result, other);
  a_.jp(slow);
  const Gp nzcv = scratch(), t = scratch();
  a_.mov(nzcv, 0x2000'0000);  // greater
  a_.mov(t, imm(s32(0x8000'0000)));
  a_.cmovb(nzcv, t);
  a_.mov(t, 0x6000'0000);
  a_.cmove(nzcv, t);
  a_.and_(header32(layout_.fp_flags), 0x0fff'ffff);
  a_.or_(header32(layout_.fp_flags), nzcv);
}

void Emitter::fp_convert(const Insn& i, Fp op, bool wide, const asmjit::Label& slow) {
  const auto word = [&](Ref r) { return slot_memory(layout_, r.index()); };
  const Gp t = scratch();
  switch (op) {
    case Fp::widen:
      a_.mov(t, word(i.a));
      a_.add(t, t);
      a_.cmp(t, imm(s32(0xff00'0000)));
      a_.ja(slow);  // NaN
      fp_load(result, i.a, false);
      a_.cvtss2sd(result, result);
      return fp_store(i.d, result, true);
    case Fp::narrow:
      fp_load(result, i.a, true);
      a_.cvtsd2ss(result, result);
      fp_require_ordinary(result, false, false, slow);
      return fp_store(i.d, result, false);
    case Fp::from_s32: case Fp::from_u32:
      a_.mov(t, word(i.a));
      if (op == Fp::from_s32) a_.movsxd(t.r64(), t);
      a_.xorps(result, result);
      wide ? a_.cvtsi2sd(result, t.r64()) : a_.cvtsi2ss(result, t.r64());
      return fp_store(i.d, result, wide);
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
  a_.mov(word(i.d), t);
}

void Emitter::floating_point(const Insn& i) {
  const Fp op = Fp(i.aux & ~fp_double);
  const bool wide = i.aux & fp_double;
  SlowFp slow{a_.newLabel(), a_.newLabel(), i.imm, pc_, slot_};
  host_flags_ = HostFlags::none;
  // Both paths must leave temporaries in the same places: those in registers are spilled before the paths part.
  for (unsigned n = 0; n < temp_count; ++n) scratch();
  holder_.fill(-1);
  a_.cmp(x86::byte_ptr(env, layout_.fp_fast), 0);
  a_.je(slow.entry);
  switch (op) {
    case Fp::copy: case Fp::abs: case Fp::neg: {
      const Gp high = scratch();
      const unsigned d = i.d.index(), a = i.a.index(), top = wide ? 1 : 0;
      a_.mov(high, slot_memory(layout_, a + top));
      if (op == Fp::abs) a_.btr(high, 31);
      if (op == Fp::neg) a_.btc(high, 31);
      if (wide) {
        const Gp low = scratch();
        a_.mov(low, slot_memory(layout_, a));
        a_.mov(slot_memory(layout_, d), low);
      }
      a_.mov(slot_memory(layout_, d + top), high);
      break;
    }
    case Fp::sqrt: {  // of positive normal numbers
      const Gp e = scratch();
      const unsigned top = i.a.index() + (wide ? 1 : 0);
      a_.mov(e, slot_memory(layout_, top));
      a_.shr(e, wide ? 20 : 23);
      a_.sub(e, 1);
      a_.cmp(e, wide ? 0x7fe : 0xfe);
      a_.jae(slow.entry);
      fp_load(result, i.a, wide);
      wide ? a_.sqrtsd(result, result) : a_.sqrtss(result, result);
      fp_store(i.d, result, wide);
      break;
    }
    case Fp::compare: case Fp::compare_zero: fp_compare(i, op == Fp::compare_zero, wide, slow.entry); break;
    default:
      if (op <= Fp::div) fp_arithmetic(i, op, wide, slow.entry);
      else fp_convert(i, op, wide, slow.entry);
  }
  a_.bind(slow.back);
  slow_fp_.push_back(slow);
}
}  // namespace tcg::x86_64
