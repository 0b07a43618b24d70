// What each instruction of t16.isa does.  Sections of DDI 0100I are in that file, instruction by instruction.

#include "cpus/arm/translator.hpp"

#include "t16_decode.hpp"

namespace arm {
namespace {
using namespace t16;
using tcg::mem_signed;

constexpr u8 byte = 0, halfword = 1, word = 2;

constexpr u32 sign_extend(u32 v, unsigned bits) { return u32(s32(v << (32 - bits)) >> (32 - bits)); }

struct T16Visitor {
  Translator& t;

  // Most operations set all the flags the operation has; those on high registers and addresses set none.
  void set(Alu op, u32 d, Operand n, Operand m) { t.data(op, true, d, n, m); }
  void keep(Alu op, u32 d, Operand n, Operand m) { t.data(op, false, d, n, m); }
  void two(Alu op, u32 d, u32 m) { set(op, d, t.reg(d), t.reg(m)); }
  void shift_immediate(u32 d, u32 m, u32 type, u32 k) {
    set(Alu::mov, d, Ref::none(), t.shifted(m, {type, k}, true, guest(d)));
  }
  void shift_register(u32 d, u32 by, u32 type) {
    set(Alu::mov, d, Ref::none(), t.shifted_by_register(d, type, by, true, guest(d)));
  }

  void operator()(const lsl_imm& i) { shift_immediate(i.d, i.m, lsl, i.k); }
  void operator()(const lsr_imm& i) { shift_immediate(i.d, i.m, lsr, i.k); }
  void operator()(const asr_imm& i) { shift_immediate(i.d, i.m, asr, i.k); }
  void operator()(const add_reg& i) { set(Alu::add, i.d, t.reg(i.n), t.reg(i.m)); }
  void operator()(const sub_reg& i) { set(Alu::sub, i.d, t.reg(i.n), t.reg(i.m)); }
  void operator()(const add_imm3& i) { set(Alu::add, i.d, t.reg(i.n), i.x); }
  void operator()(const sub_imm3& i) { set(Alu::sub, i.d, t.reg(i.n), i.x); }
  void operator()(const mov_imm& i) { set(Alu::mov, i.d, Ref::none(), i.x); }
  void operator()(const cmp_imm& i) { set(Alu::cmp, 0, t.reg(i.d), i.x); }
  void operator()(const add_imm8& i) { set(Alu::add, i.d, t.reg(i.d), i.x); }
  void operator()(const sub_imm8& i) { set(Alu::sub, i.d, t.reg(i.d), i.x); }

  void operator()(const and_& i) { two(Alu::and_, i.d, i.m); }
  void operator()(const eor& i) { two(Alu::eor, i.d, i.m); }
  void operator()(const lsl_reg& i) { shift_register(i.d, i.m, lsl); }
  void operator()(const lsr_reg& i) { shift_register(i.d, i.m, lsr); }
  void operator()(const asr_reg& i) { shift_register(i.d, i.m, asr); }
  void operator()(const adc& i) { two(Alu::adc, i.d, i.m); }
  void operator()(const sbc& i) { two(Alu::sbc, i.d, i.m); }
  void operator()(const t16::ror& i) { shift_register(i.d, i.m, arm::ror); }
  void operator()(const tst& i) { two(Alu::tst, i.d, i.m); }
  void operator()(const neg& i) { set(Alu::rsb, i.d, t.reg(i.m), 0u); }
  void operator()(const cmp_reg& i) { two(Alu::cmp, i.d, i.m); }
  void operator()(const cmn& i) { two(Alu::cmn, i.d, i.m); }
  void operator()(const orr& i) { two(Alu::orr, i.d, i.m); }
  void operator()(const mul& i) { t.multiply(i.d, i.m, i.d, true); }
  void operator()(const bic& i) { two(Alu::bic, i.d, i.m); }
  void operator()(const mvn& i) { two(Alu::mvn, i.d, i.m); }
  void operator()(const add_hi& i) { keep(Alu::add, i.d, t.reg(i.d), t.reg(i.m)); }
  void operator()(const cmp_hi& i) { two(Alu::cmp, i.d, i.m); }
  void operator()(const mov_hi& i) { keep(Alu::mov, i.d, Ref::none(), t.reg(i.m)); }
  void operator()(const bx& i) { t.branch_exchange(t.value(i.m)); }
  void operator()(const blx_reg& i) { t.branch_exchange_link(i.m); }

  void load(u32 reg, u8 mem, u32 n, Operand offset) { t.load(reg, mem, {n, true, true, false, offset}); }
  void store(u32 reg, u8 mem, u32 n, Operand offset) { t.store(reg, mem, {n, true, true, false, offset}); }
  // The pc as a base, and in add_pc, has its bit 1 cleared.
  u32 aligned_pc() const { return (t.pc() + 4) & ~3u; }

  void operator()(const ldr_literal& i) { t.out.load(guest(i.t), Ref::imm(), aligned_pc() + 4 * i.x, word); }
  void operator()(const str_reg& i) { store(i.t, word, i.n, t.reg(i.m)); }
  void operator()(const strh_reg& i) { store(i.t, halfword, i.n, t.reg(i.m)); }
  void operator()(const strb_reg& i) { store(i.t, byte, i.n, t.reg(i.m)); }
  void operator()(const ldrsb_reg& i) { load(i.t, byte | mem_signed, i.n, t.reg(i.m)); }
  void operator()(const ldr_reg& i) { load(i.t, word, i.n, t.reg(i.m)); }
  void operator()(const ldrh_reg& i) { load(i.t, halfword, i.n, t.reg(i.m)); }
  void operator()(const ldrb_reg& i) { load(i.t, byte, i.n, t.reg(i.m)); }
  void operator()(const ldrsh_reg& i) { load(i.t, halfword | mem_signed, i.n, t.reg(i.m)); }
  void operator()(const str_imm& i) { store(i.t, word, i.n, 4 * i.x); }
  void operator()(const ldr_imm& i) { load(i.t, word, i.n, 4 * i.x); }
  void operator()(const strb_imm& i) { store(i.t, byte, i.n, i.x); }
  void operator()(const ldrb_imm& i) { load(i.t, byte, i.n, i.x); }
  void operator()(const strh_imm& i) { store(i.t, halfword, i.n, 2 * i.x); }
  void operator()(const ldrh_imm& i) { load(i.t, halfword, i.n, 2 * i.x); }
  void operator()(const str_sp& i) { store(i.t, word, slot::sp, 4 * i.x); }
  void operator()(const ldr_sp& i) { load(i.t, word, slot::sp, 4 * i.x); }

  void operator()(const add_pc& i) { t.out.mov(guest(i.d), aligned_pc() + 4 * i.x); }
  void operator()(const add_sp& i) { keep(Alu::add, i.d, guest(slot::sp), 4 * i.x); }
  void operator()(const add_sp_imm& i) { keep(Alu::add, slot::sp, guest(slot::sp), 4 * i.x); }
  void operator()(const sub_sp_imm& i) { keep(Alu::sub, slot::sp, guest(slot::sp), 4 * i.x); }
  void operator()(const push& i) { t.block_transfer({false, true, false, true, slot::sp, i.l | i.r << slot::lr}); }
  void operator()(const pop& i) { t.block_transfer({true, false, true, true, slot::sp, i.l | i.r << pc_number}); }
  void operator()(const stmia& i) { t.block_transfer({false, false, true, true, i.n, i.l}); }
  void operator()(const ldmia& i) { t.block_transfer({true, false, true, true, i.n, i.l}); }

  void jump(u32 offset) { t.jump((t.pc() + 4 + offset) | 1); }
  void operator()(const b_cond& i) { jump(sign_extend(i.b, 8) * 2); }  // the condition is the caller's
  void operator()(const b& i) { jump(sign_extend(i.b, 11) * 2); }
  void operator()(const swi& i) { t.raise(helper_swi, i.x); }
  void operator()(const bkpt&) { t.raise(helper_bkpt); }
  void operator()(const t16::Undefined&) { t.undefined(); }

  // The halves of a long branch by themselves, as when a page ends between them (§A7.1.12).
  void operator()(const bl_prefix& i) { t.out.mov(guest(slot::lr), t.pc() + 4 + (sign_extend(i.b, 11) << 12)); }
  void operator()(const bl_suffix& i) { t.branch(suffix_target(2 * i.b)); }
  void operator()(const blx_suffix& i) { t.branch_exchange(t.out.value(tcg::Op::and_, suffix_target(4 * i.b), ~3u)); }
  Ref suffix_target(u32 offset) {
    const Ref to = t.out.value(tcg::Op::add, guest(slot::lr), offset);
    t.out.mov(guest(slot::lr), (t.pc() + 2) | 1);
    return to;
  }
};

constexpr bool is_prefix(u32 w) { return w >> 11 == 0b11110; }
constexpr bool is_bl_suffix(u32 w) { return w >> 11 == 0b11111; }
constexpr bool is_blx_suffix(u32 w) { return w >> 11 == 0b11101 && !(w & 1); }
}  // namespace

void translate_t16(Translator& t, u32 half) { t16::decode(half, T16Visitor{t}); }

bool is_t16_long_branch(u32 first, u32 second) {
  return is_prefix(first) && (is_bl_suffix(second) || is_blx_suffix(second));
}

void translate_t16_long_branch(Translator& t, u32 first, u32 second) {
  const u32 to = t.pc() + 4 + (sign_extend(first & 0x7ff, 11) << 12) + 2 * (second & 0x7ff);
  t.out.mov(guest(slot::lr), (t.pc() + 4) | 1);
  if (is_blx_suffix(second))
    t.change_state_and_jump(to & ~3u);
  else
    t.jump(to | 1);
}
}  // namespace arm
