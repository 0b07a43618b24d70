// Shifts, products and quotients.

#include "accel/tcg/x86_64/emitter.hpp"

namespace tcg::x86_64 {
using asmjit::imm;

void Emitter::shift_immediate(const Insn& i) {
  const u32 n = i.imm & 31;
  const asmjit::Operand a = operand(i.a, i.imm);
  const Gp d = destination(i.d, i);
  host_flags_ = HostFlags::none;
  if (i.op == Op::ror && has_bmi_ && !i.flags) {
    a_.emit(x86::Inst::kIdRorx, d, a, imm(n));
    return finish(i.d, d);
  }
  if (!a.isReg() || a.as<Gp>().id() != d.id()) a_.emit(x86::Inst::kIdMov, d, a);
  if (n) {
    switch (i.op) {
      case Op::shl: a_.shl(d, n); break;
      case Op::shr: a_.shr(d, n); break;
      case Op::sar: a_.sar(d, n); break;
      default: a_.ror(d, n); break;
    }
    if (i.flags & flag_c) a_.setc(flag_byte(flag_c));
  }
  if (n && i.op != Op::ror && (i.flags & flags_nz)) save_flags(i.flags & flags_nz, HostFlags::logic, of_result(i.d));
  else test_nz(i.flags, d, i.d);
  finish(i.d, d);
}

// Without rorx and friends the amount must be in cl; memory stands in for registers that are taken.
void Emitter::shift_by_cl(const Insn& i, const Gp& d, const Gp& value, const Gp& amount) {
  const auto v = header32(at_argument), n = header32(at_argument + 4), saved = header32(at_argument + 8);
  a_.mov(v, value);
  a_.mov(n, amount);
  a_.mov(saved, x86::ecx);
  a_.mov(x86::ecx, n);
  switch (i.op) {
    case Op::shl: case Op::shl_s: a_.shl(v, x86::cl); break;
    case Op::shr: case Op::shr_s: a_.shr(v, x86::cl); break;
    case Op::sar: case Op::sar_s: a_.sar(v, x86::cl); break;
    default: a_.ror(v, x86::cl); break;
  }
  a_.mov(x86::ecx, saved);
  a_.mov(d, v);
}

void Emitter::shift_variable(const Insn& i) {
  const Gp value = in_register(i.a, i.imm), amount = in_register(i.b, i.imm);
  const Gp d = destination(i.d, i);
  host_flags_ = HostFlags::none;
  if (!has_bmi_ || i.op == Op::ror) shift_by_cl(i, d, value, amount);
  else if (i.op == Op::shl) a_.shlx(d, value, amount);
  else if (i.op == Op::shr) a_.shrx(d, value, amount);
  else a_.sarx(d, value, amount);
  test_nz(i.flags, d, i.d);
  finish(i.d, d);
}

void Emitter::shift_saturating(const Insn& i) {
  const Gp value = in_register(i.a, i.imm), amount = in_register(i.b, i.imm);
  const Gp other = scratch(), result = scratch();
  host_flags_ = HostFlags::none;
  if (i.op == Op::sar_s) {
    a_.mov(other, 31);
    a_.test(amount.r8(), 0xe0);
    a_.cmovz(other, amount);
    if (has_bmi_) a_.sarx(result, value, other);
    else shift_by_cl(i, result, value, other);
  } else {
    if (!has_bmi_) shift_by_cl(i, result, value, amount);
    else if (i.op == Op::shl_s) a_.shlx(result, value, amount);
    else a_.shrx(result, value, amount);
    a_.xor_(other, other);
    a_.test(amount.r8(), 0xe0);
    a_.cmovnz(result, other);
  }
  adopt(i.d, result);
  test_nz(i.flags, result, i.d);
}

void Emitter::multiply_long(const Insn& i) {
  const Gp a = in_register(i.a, i.imm), b = in_register(i.b, i.imm);
  const Gp low = scratch(), other = scratch();
  host_flags_ = HostFlags::none;
  if (i.op == Op::mulu2) {
    a_.mov(low, a);
    a_.mov(other, b);
  } else {
    a_.movsxd(low.r64(), a);
    a_.movsxd(other.r64(), b);
  }
  a_.imul(low.r64(), other.r64());
  a_.mov(other.r64(), low.r64());
  a_.shr(other.r64(), 32);
  if (i.d.is_temp()) a_.mov(low, low);  // as an address it must be zero-extended
  adopt(i.d, low);
  adopt(i.c, other);
}

// The quotient and remainder go through memory, since div takes eax and edx whoever has them.
void Emitter::divide(const Insn& i) {
  const Gp a = in_register(i.a, i.imm), b = in_register(i.b, i.imm);
  const auto first = header32(at_argument), second = header32(at_argument + 4);
  host_flags_ = HostFlags::none;
  a_.mov(first, a);
  a_.mov(second, b);
  a_.push(x86::rax);
  a_.push(x86::rdx);
  a_.mov(x86::eax, first);
  if (i.op == Op::divu) {
    a_.cmp(second, 1);  // by 0 is by 1
    a_.adc(second, 0);
    a_.xor_(x86::edx, x86::edx);
    a_.div(second);
  } else {
    const auto ordinary = a_.newLabel(), positive = a_.newLabel(), done = a_.newLabel();
    a_.mov(x86::edx, second);
    a_.inc(x86::edx);
    a_.cmp(x86::edx, 1);
    a_.ja(ordinary);
    a_.jz(positive);  // by 0 is by 1; by -1 negates and cannot trap
    a_.neg(x86::eax);
    a_.bind(positive);
    a_.xor_(x86::edx, x86::edx);
    a_.jmp(done);
    a_.bind(ordinary);
    a_.cdq();
    a_.idiv(second);
    a_.bind(done);
  }
  a_.mov(first, x86::eax);
  a_.mov(second, x86::edx);
  a_.pop(x86::rdx);
  a_.pop(x86::rax);
  const Gp quotient = scratch();
  a_.mov(quotient, first);
  adopt(i.d, quotient);
  if (i.c.is_none()) return;
  const Gp remainder = scratch();
  a_.mov(remainder, second);
  adopt(i.c, remainder);
}
}  // namespace tcg::x86_64
