// Branches, exceptions, status registers, coprocessors.

#include "cpus/arm/cp15.hpp"
#include "cpus/arm/state.hpp"
#include "cpus/arm/translator.hpp"

namespace arm {
using tcg::flag_c, tcg::flag_n, tcg::flag_v, tcg::flag_z;

namespace {
constexpr u32 status_nzcv = 0xf000'0000, status_q = 1u << 27;
// The bits MSR changes in the CPSR, by field (§A4.1.39): control without T, flags without J.
constexpr u32 cpsr_control = 0x0000'00df, cpsr_flags = status_nzcv | status_q;
// An SPSR keeps every bit an exception can put there.
constexpr u32 spsr_bits = cpsr_flags | 0x0100'00ff;

constexpr u32 field_mask(u32 fields) {
  u32 mask = 0;
  for (u32 i = 0; i < 4; ++i)
    if (fields >> i & 1) mask |= 0xffu << 8 * i;
  return mask;
}
}  // namespace

// Interrupts are looked for where code goes backwards.
void Translator::jump(u32 to) {
  out.exit_jump(to, (to & ~1u) <= pc_);
  left_ = true;
}

void Translator::change_state_and_jump(u32 to) {
  out.mov(guest(slot::thumb), to & 1);
  jump(to);
}

void Translator::branch(Ref to) {
  out.exit_indirect(thumb_ ? out.value(Op::or_, to, 1u) : out.value(Op::and_, to, ~3u));
  left_ = true;
}

void Translator::branch_exchange(Ref to) {
  out.emit(Op::and_, guest(slot::thumb), to, 1u);
  out.exit_indirect(to);
  left_ = true;
}

// The target is read before the link is written: it may be in the link register.
void Translator::branch_exchange_link(u32 m) {
  const Ref to = out.value(Op::mov, reg(m));
  out.mov(guest(slot::lr), thumb_ ? (pc_ + 2) | 1 : pc_ + 4);
  branch_exchange(to);
}

void Translator::raise(HelperIndex exception, Operand argument) {
  call({}, exception, argument);
  out.exit_state();
  left_ = true;
}

// UNPREDICTABLE in user mode, which has no SPSR; an ordinary branch there.
void Translator::exception_return(Ref to) {
  if (user_) return branch(to);
  call({}, helper_exception_return, to);
  out.exit_state();
  left_ = true;
}

// read_cpsr()
void Translator::read_status(u32 d, bool spsr) {
  if (spsr) return write(d, guest(slot::spsr));
  Ref all = out.value(Op::or_, guest(slot::cpsr_low), out.value(Op::shl, guest(slot::q), 27u));
  constexpr u8 flags[] = {flag_v, flag_c, flag_z, flag_n};
  for (u32 i = 0; i < 4; ++i) {
    const Ref flag = out.temp();
    out.get_flag(flag, flags[i]);
    all = out.value(Op::or_, all, out.value(Op::shl, flag, 28 + i));
  }
  write(d, all);
}

void Translator::set_nzcv(Ref v) {
  constexpr u8 flags[] = {flag_v, flag_c, flag_z};
  for (u32 i = 0; i < 3; ++i) out.set_flag(flags[i], out.value(Op::and_, out.value(Op::shr, v, 28 + i), 1u));
  out.set_flag(flag_n, out.value(Op::shr, v, 31u));
}

// User mode changes only the flags, and T is never changed (§A4.1.38).
void Translator::write_status(Operand operand, u32 fields, bool spsr) {
  const u32 written = field_mask(fields);
  if (spsr) {
    const u32 mask = written & spsr_bits;
    if (user_ || !mask) return;
    const Ref changed = out.value(Op::and_, in(operand), mask);
    const Ref kept = out.value(Op::and_, guest(slot::spsr), ~mask);
    return out.emit(Op::or_, guest(slot::spsr), kept, changed);
  }
  if (!user_ && (written & cpsr_control)) return write_control(operand, written);
  if (written & cpsr_flags) write_flags(in(operand));
}

// write_cpsr(): in line where only I changes, no interrupt line is up and nobody asks for the run loop.
void Translator::write_control(Operand operand, u32 written) {
  const unsigned slow = out.label(), done = out.label();
  const Ref changed = out.value(Op::and_, out.value(Op::xor_, in(operand), guest(slot::cpsr_low)), cpsr_control & ~cpsr_i);
  out.br_nonzero(out.value(Op::or_, out.value(Op::or_, changed, guest(slot::irq_lines)), guest(slot::exit_request)), slow);
  const Ref masked = out.value(Op::and_, in(operand), cpsr_i);
  out.emit(Op::or_, guest(slot::cpsr_low), out.value(Op::and_, guest(slot::cpsr_low), ~cpsr_i), masked);
  if (written & cpsr_flags) write_flags(in(operand));
  out.br(done);
  out.place(slow);
  call({}, helper_write_cpsr, operand, written & (cpsr_control | cpsr_flags));
  out.place(done);
}

void Translator::write_flags(Ref v) {
  set_nzcv(v);
  out.emit(Op::and_, guest(slot::q), out.value(Op::shr, v, 27u), 1u);
}

// CP15 and CP14 answer privileged code; there are no other coprocessors here.  Register 15 as destination of a read
// is the condition flags (§A4.1.37).
void Translator::coprocessor_read(const CoprocessorTransfer& x) {
  if (user_ || (x.coprocessor != 15 && x.coprocessor != 14)) return undefined();
  const Ref d = x.t == pc_number ? out.temp() : guest(x.t);
  call(d, x.coprocessor == 15 ? helper_cp15_read : helper_cp14_read,
       coprocessor_register(x.opc1, x.crn, x.crm, x.opc2));
  if (x.t == pc_number) set_nzcv(d);
}

void Translator::coprocessor_write(const CoprocessorTransfer& x) {
  if (user_ || (x.coprocessor != 15 && x.coprocessor != 14)) return undefined();
  if (x.coprocessor == 15 && is_cache_operation(x.opc1, x.crn, x.crm, x.opc2)) return;
  call({}, x.coprocessor == 15 ? helper_cp15_write : helper_cp14_write,
       coprocessor_register(x.opc1, x.crn, x.crm, x.opc2), reg(x.t));
}
}  // namespace arm
