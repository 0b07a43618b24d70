// Data processing, multiplies, saturating arithmetic.  DDI 0100I §A4.1 by instruction, §A5.1 for the shifter.

#include "cpus/arm/translator.hpp"

#include <bit>
#include <utility>

namespace arm {
using tcg::flag_c, tcg::flags_all, tcg::flags_nz;

namespace {
// What an opcode does with its operands.
struct Form {
  Op op;
  enum Kind { arithmetic, logical } kind;
  enum Operands { both, swapped, second_only } operands = both;
  bool result = true;  // false: only the flags
};
constexpr Form forms[] = {
    {Op::and_, Form::logical},                       // and
    {Op::xor_, Form::logical},                       // eor
    {Op::sub, Form::arithmetic},                     // sub
    {Op::sub, Form::arithmetic, Form::swapped},      // rsb
    {Op::add, Form::arithmetic},                     // add
    {Op::adc, Form::arithmetic},                     // adc
    {Op::sbc, Form::arithmetic},                     // sbc
    {Op::sbc, Form::arithmetic, Form::swapped},      // rsc
    {Op::and_, Form::logical, Form::both, false},    // tst
    {Op::xor_, Form::logical, Form::both, false},    // teq
    {Op::sub, Form::arithmetic, Form::both, false},  // cmp
    {Op::add, Form::arithmetic, Form::both, false},  // cmn
    {Op::or_, Form::logical},                        // orr
    {Op::mov, Form::logical, Form::second_only},     // mov
    {Op::andn, Form::logical},                       // bic
    {Op::not_, Form::logical, Form::second_only},    // mvn
};
}  // namespace

Operand Translator::rotated_immediate(u32 x, bool carry) {
  const int rotation = int(x >> 8) * 2;
  const u32 v = std::rotr(x & 0xff, rotation);
  if (carry && rotation) out.set_flag(flag_c, v >> 31);
  return v;
}

Operand Translator::shifted(u32 m, Shift by, bool carry, Ref d) {
  const u32 k = by.amount;
  if (by.type == lsl && k == 0) return reg(m);
  const Ref v = value(m);
  if (d.is_none()) d = out.temp();
  if (k == 0 && by.type != ror) {  // lsr and asr by 32
    if (carry) out.set_flag(flag_c, out.value(Op::shr, v, 31u));
    if (by.type == lsr) return 0u;
    out.emit(Op::sar, d, v, 31u);
    return d;
  }
  const u8 flags = carry ? flag_c : u8(0);
  constexpr Op ops[] = {Op::shl, Op::shr, Op::sar, Op::ror};
  if (k == 0)
    out.emit(Op::rrx, d, v, Ref::none(), flags);
  else
    out.emit(ops[by.type], d, v, k, flags);
  return d;
}

// Amounts are the low byte of a register.  The pc as an operand reads 12 ahead here (§A2.4.3), which only code that
// is UNPREDICTABLE anyway can see, so it is left at 8.
Operand Translator::shifted_by_register(u32 m, u32 type, u32 by, bool carry, Ref d) {
  constexpr Op ops[] = {Op::shl_s, Op::shr_s, Op::sar_s, Op::ror};
  if (carry) {
    Ref how = out.value(Op::zext8, value(by));
    if (type) how = out.value(Op::or_, how, type << 8);
    const Ref c = out.temp(), result = out.temp();
    out.get_flag(c, flag_c);
    out.call(result, helper_shift_carry, value(m), how, c);
    out.set_flag(flag_c, result);
  }
  const Ref v = value(m), amount = value(by);
  if (d.is_none()) d = out.temp();
  out.emit(ops[type], d, v, amount);
  return d;
}

void Translator::data(Alu op, bool s, u32 d, Operand n, Operand m) {
  const Form& f = forms[u8(op)];
  const bool to_pc = f.result && d == pc_number;
  const Ref to = !f.result ? Ref::none() : to_pc ? out.temp() : guest(d);
  // S with the pc as destination restores the CPSR instead.
  const u8 flags = !s || to_pc ? 0 : f.kind == Form::logical ? flags_nz : flags_all;
  if (f.operands == Form::second_only) {
    if (op == Alu::mvn && m.ref.is_imm())
      out.mov(to, ~m.value, flags);
    else if (op == Alu::mvn)
      out.emit(Op::not_, to, m, Ref::none(), flags);
    else if (m.ref != to)
      out.mov(to, m, flags);
    else if (flags)
      out.mov(Ref::none(), m, flags);
  } else {
    if (f.operands == Form::swapped) std::swap(n, m);
    if (n.ref.is_imm() && m.ref.is_imm()) n = in(n);
    out.emit(f.op, to, n, m, flags);
  }
  if (!to_pc) return;
  if (s)
    exception_return(to);
  else
    branch(to);
}

// C and V are left alone, as they are from ARMv5 on.
void Translator::multiply(u32 d, u32 m, u32 h, bool s) {
  const Ref to = target(d);
  out.emit(Op::mul, to, value(m), value(h), s ? flags_nz : u8(0));
  write(d, to);
}

void Translator::multiply_add(u32 d, u32 m, u32 h, u32 n, bool s) {
  const Ref product = out.value(Op::mul, value(m), value(h));
  const Ref to = target(d);
  out.emit(Op::add, to, product, value(n), s ? flags_nz : u8(0));
  write(d, to);
}

void Translator::multiply_long(bool is_signed, bool accumulate, u32 low, u32 high, u32 m, u32 h, bool s) {
  if (low == pc_number || high == pc_number) return undefined();  // UNPREDICTABLE
  if (accumulate) {
    const Ref l = out.temp(), u = out.temp();
    out.multiply_long(is_signed, l, u, value(m), value(h));
    add_long(low, high, l, u);
  } else {
    const Ref first = value(m), second = value(h);
    out.multiply_long(is_signed, guest(low), guest(high), first, second);
  }
  if (s) out.nz64(guest(low), guest(high));
}

// {high, low} += {by_high, by_low} without touching C: the carry of a sum s = a + b is the top bit of
// (a & b) | ((a | b) & ~s).
void Translator::add_long(u32 low, u32 high, Ref by_low, Ref by_high) {
  const Ref sum = out.value(Op::add, guest(low), by_low);
  const Ref either = out.value(Op::andn, out.value(Op::or_, guest(low), by_low), sum);
  const Ref both = out.value(Op::and_, guest(low), by_low);
  const Ref carry = out.value(Op::shr, out.value(Op::or_, both, either), 31u);
  const Ref upper = out.value(Op::add, by_high, carry);
  out.emit(Op::add, guest(high), guest(high), upper);
  out.mov(guest(low), sum);
}

// The signed top or bottom half of a register.
Ref Translator::half(u32 n, bool top) {
  return top ? out.value(Op::sar, value(n), 16u) : out.value(Op::sext16, value(n));
}

Ref Translator::multiply_halves(u32 m, bool m_top, u32 h, bool h_top) {
  const Ref a = half(m, m_top), b = half(h, h_top);
  return out.value(Op::mul, a, b);
}

// Bits 47 to 16 of the product.
Ref Translator::multiply_word_half(u32 m, u32 h, bool top) {
  const Ref low = out.temp(), high = out.temp();
  const Ref a = value(m), b = half(h, top);
  out.multiply_long(true, low, high, a, b);
  const Ref upper = out.value(Op::shl, high, 16u);
  return out.value(Op::or_, upper, out.value(Op::shr, low, 16u));
}

// The sum wraps; Q remembers a signed overflow.
void Translator::add_setting_q(u32 d, Ref product, u32 n) {
  const Ref addend = value(n);
  const Ref sum = out.value(Op::add, product, addend);
  const Ref from_product = out.value(Op::xor_, product, sum), from_addend = out.value(Op::xor_, addend, sum);
  const Ref changed = out.value(Op::and_, from_product, from_addend);
  out.emit(Op::or_, guest(slot::q), guest(slot::q), out.value(Op::shr, changed, 31u));
  write(d, sum);
}

void Translator::saturating(u32 d, u32 m, u32 n, bool subtract, bool twice) {
  auto saturated = [&](Ref a, Ref b, bool minus) {
    const Ref sum = out.value(minus ? Op::sub : Op::add, a, b);
    const Ref sign = out.value(Op::xor_, a, sum);
    const Ref overflow = out.value(Op::and_, out.value(Op::xor_, b, minus ? a : sum), sign);
    out.emit(Op::or_, guest(slot::q), guest(slot::q), out.value(Op::shr, overflow, 31u));
    // Overflow goes to the limit on the side of a.
    const Ref limit = out.value(Op::xor_, out.value(Op::sar, a, 31u), 0x7fff'ffffu);
    const Ref correction = out.value(Op::xor_, sum, limit);
    const Ref all = out.value(Op::sar, overflow, 31u);
    return out.value(Op::xor_, sum, out.value(Op::and_, correction, all));
  };
  Ref second = value(n);
  if (twice) second = saturated(second, second, false);
  write(d, saturated(value(m), second, subtract));
}
}  // namespace arm
