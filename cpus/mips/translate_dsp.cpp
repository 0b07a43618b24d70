// What each instruction of dsp.isa does.  Sections of MD00374 are in that file, instruction by instruction; what is
// more than a few operations, dsp.cpp computes.

#include "cpus/mips/dsp.hpp"
#include "cpus/mips/mips16.hpp"
#include "cpus/mips/translator.hpp"

#include "dsp_decode.hpp"

namespace mips {
namespace {
using namespace dsp;
using DspOp = dsp::Op;
using tcg::Op, tcg::mem_signed;

constexpr u8 byte = 0, half = 1, whole = 2;
constexpr Ref control = guest(slot::dsp_control);

struct DspVisitor {
  Translator& t;

  // ---- by dsp.cpp

  void operate(DspOp op, Ref d, Operand a, Operand b = 0u, u32 ac = 0) {
    t.call(d, helper_dsp, dsp_operation(u32(op), ac), a, b);
  }
  void compute(DspOp op, u32 d, Operand a, Operand b = 0u) { t.call(t.target(d), helper_dsp_compute, u32(op), a, b); }

  template <class I>
  void two(const I& i) {
    operate(I::op, t.target(i.d), t.reg(i.s), t.reg(i.t));
  }
  void operator()(const addq_ph& i) { two(i); }
  void operator()(const addq_s_ph& i) { two(i); }
  void operator()(const addq_s_w& i) { two(i); }
  void operator()(const addu_qb& i) { two(i); }
  void operator()(const addu_s_qb& i) { two(i); }
  void operator()(const subq_ph& i) { two(i); }
  void operator()(const subq_s_ph& i) { two(i); }
  void operator()(const subq_s_w& i) { two(i); }
  void operator()(const subu_qb& i) { two(i); }
  void operator()(const subu_s_qb& i) { two(i); }
  void operator()(const addwc& i) { two(i); }
  void operator()(const precrq_rs_ph_w& i) { two(i); }
  void operator()(const precrqu_s_qb_ph& i) { two(i); }
  void operator()(const muleu_s_ph_qbl& i) { two(i); }
  void operator()(const muleu_s_ph_qbr& i) { two(i); }
  void operator()(const mulq_rs_ph& i) { two(i); }
  void operator()(const muleq_s_w_phl& i) { two(i); }
  void operator()(const muleq_s_w_phr& i) { two(i); }
  void operator()(const pick_qb& i) { two(i); }
  void operator()(const pick_ph& i) { two(i); }
  void operator()(const absq_s_ph& i) { operate(i.op, t.target(i.d), t.reg(i.t)); }
  void operator()(const absq_s_w& i) { operate(i.op, t.target(i.d), t.reg(i.t)); }
  void operator()(const insv& i) { operate(i.op, t.target(i.t), t.reg(i.t), t.reg(i.s)); }

  template <class I>
  void pure(const I& i) {
    compute(I::op, i.d, t.reg(i.s), t.reg(i.t));
  }
  void operator()(const modsub& i) { pure(i); }
  void operator()(const precrq_qb_ph& i) { pure(i); }
  void operator()(const cmpgu_eq_qb& i) { pure(i); }
  void operator()(const cmpgu_lt_qb& i) { pure(i); }
  void operator()(const cmpgu_le_qb& i) { pure(i); }
  void operator()(const raddu_w_qb& i) { compute(i.op, i.d, t.reg(i.s)); }
  void operator()(const bitrev& i) { compute(i.op, i.d, t.reg(i.t)); }

  void shift(DspOp op, u32 d, u32 r, Operand amount) { operate(op, t.target(d), t.reg(r), amount); }
  void operator()(const shll_qb& i) { shift(DspOp::shll_qb, i.d, i.t, i.k); }
  void operator()(const shllv_qb& i) { shift(DspOp::shll_qb, i.d, i.t, t.reg(i.s)); }
  void operator()(const shll_ph& i) { shift(DspOp::shll_ph, i.d, i.t, i.k); }
  void operator()(const shllv_ph& i) { shift(DspOp::shll_ph, i.d, i.t, t.reg(i.s)); }
  void operator()(const shll_s_ph& i) { shift(DspOp::shll_s_ph, i.d, i.t, i.k); }
  void operator()(const shllv_s_ph& i) { shift(DspOp::shll_s_ph, i.d, i.t, t.reg(i.s)); }
  void operator()(const shll_s_w& i) { shift(DspOp::shll_s_w, i.d, i.t, i.k); }
  void operator()(const shllv_s_w& i) { shift(DspOp::shll_s_w, i.d, i.t, t.reg(i.s)); }
  void shift_right(DspOp op, u32 d, u32 r, Operand amount) { compute(op, d, t.reg(r), amount); }
  void operator()(const shrl_qb& i) { shift_right(DspOp::shrl_qb, i.d, i.t, i.k); }
  void operator()(const shrlv_qb& i) { shift_right(DspOp::shrl_qb, i.d, i.t, t.reg(i.s)); }
  void operator()(const shra_ph& i) { shift_right(DspOp::shra_ph, i.d, i.t, i.k); }
  void operator()(const shrav_ph& i) { shift_right(DspOp::shra_ph, i.d, i.t, t.reg(i.s)); }
  void operator()(const shra_r_ph& i) { shift_right(DspOp::shra_r_ph, i.d, i.t, i.k); }
  void operator()(const shrav_r_ph& i) { shift_right(DspOp::shra_r_ph, i.d, i.t, t.reg(i.s)); }
  void operator()(const shra_r_w& i) { shift_right(DspOp::shra_r_w, i.d, i.t, i.k); }
  void operator()(const shrav_r_w& i) { shift_right(DspOp::shra_r_w, i.d, i.t, t.reg(i.s)); }

  template <class I>
  void dot(const I& i) {
    operate(I::op, {}, t.reg(i.s), t.reg(i.t), i.a);
  }
  void operator()(const dpau_h_qbl& i) { dot(i); }
  void operator()(const dpau_h_qbr& i) { dot(i); }
  void operator()(const dpsu_h_qbl& i) { dot(i); }
  void operator()(const dpsu_h_qbr& i) { dot(i); }
  void operator()(const dpaq_s_w_ph& i) { dot(i); }
  void operator()(const dpsq_s_w_ph& i) { dot(i); }
  void operator()(const mulsaq_s_w_ph& i) { dot(i); }
  void operator()(const dpaq_sa_l_w& i) { dot(i); }
  void operator()(const dpsq_sa_l_w& i) { dot(i); }
  void operator()(const maq_s_w_phl& i) { dot(i); }
  void operator()(const maq_s_w_phr& i) { dot(i); }
  void operator()(const maq_sa_w_phl& i) { dot(i); }
  void operator()(const maq_sa_w_phr& i) { dot(i); }

  template <class I>
  void condition(const I& i) {
    operate(I::op, {}, t.reg(i.s), t.reg(i.t));
  }
  void operator()(const cmpu_eq_qb& i) { condition(i); }
  void operator()(const cmpu_lt_qb& i) { condition(i); }
  void operator()(const cmpu_le_qb& i) { condition(i); }
  void operator()(const cmp_eq_ph& i) { condition(i); }
  void operator()(const cmp_lt_ph& i) { condition(i); }
  void operator()(const cmp_le_ph& i) { condition(i); }

  void extract(DspOp op, u32 d, Operand amount, u32 ac) { operate(op, t.target(d), amount, 0u, ac); }
  void operator()(const extr_w& i) { extract(DspOp::extr_w, i.t, i.k, i.a); }
  void operator()(const extrv_w& i) { extract(DspOp::extr_w, i.t, t.reg(i.s), i.a); }
  void operator()(const extr_r_w& i) { extract(DspOp::extr_r_w, i.t, i.k, i.a); }
  void operator()(const extrv_r_w& i) { extract(DspOp::extr_r_w, i.t, t.reg(i.s), i.a); }
  void operator()(const extr_rs_w& i) { extract(DspOp::extr_rs_w, i.t, i.k, i.a); }
  void operator()(const extrv_rs_w& i) { extract(DspOp::extr_rs_w, i.t, t.reg(i.s), i.a); }
  void operator()(const extr_s_h& i) { extract(DspOp::extr_s_h, i.t, i.k, i.a); }
  void operator()(const extrv_s_h& i) { extract(DspOp::extr_s_h, i.t, t.reg(i.s), i.a); }
  void operator()(const extp& i) { extract(DspOp::extp, i.t, i.k, i.a); }
  void operator()(const extpv& i) { extract(DspOp::extp, i.t, t.reg(i.s), i.a); }
  void operator()(const extpdp& i) { extract(DspOp::extpdp, i.t, i.k, i.a); }
  void operator()(const extpdpv& i) { extract(DspOp::extpdp, i.t, t.reg(i.s), i.a); }
  void operator()(const shilo& i) { operate(DspOp::shilo, {}, i.h, 0u, i.a); }
  void operator()(const shilov& i) { operate(DspOp::shilo, {}, t.reg(i.s), 0u, i.a); }
  void operator()(const mthlip& i) { operate(i.op, {}, t.reg(i.s), 0u, i.a); }

  // ---- revision 2, by dsp.cpp

  void operator()(const absq_s_qb& i) { operate(i.op, t.target(i.d), t.reg(i.t)); }
  void operator()(const addu_ph& i) { two(i); }
  void operator()(const addu_s_ph& i) { two(i); }
  void operator()(const subu_ph& i) { two(i); }
  void operator()(const subu_s_ph& i) { two(i); }
  void operator()(const mul_ph& i) { two(i); }
  void operator()(const mul_s_ph& i) { two(i); }
  void operator()(const mulq_s_ph& i) { two(i); }
  void operator()(const mulq_s_w& i) { two(i); }
  void operator()(const mulq_rs_w& i) { two(i); }
  void operator()(const cmpgdu_eq_qb& i) { two(i); }
  void operator()(const cmpgdu_lt_qb& i) { two(i); }
  void operator()(const cmpgdu_le_qb& i) { two(i); }
  void operator()(const adduh_qb& i) { pure(i); }
  void operator()(const adduh_r_qb& i) { pure(i); }
  void operator()(const subuh_qb& i) { pure(i); }
  void operator()(const subuh_r_qb& i) { pure(i); }
  void operator()(const addqh_ph& i) { pure(i); }
  void operator()(const addqh_r_ph& i) { pure(i); }
  void operator()(const subqh_ph& i) { pure(i); }
  void operator()(const subqh_r_ph& i) { pure(i); }
  void operator()(const addqh_w& i) { pure(i); }
  void operator()(const addqh_r_w& i) { pure(i); }
  void operator()(const subqh_w& i) { pure(i); }
  void operator()(const subqh_r_w& i) { pure(i); }
  void operator()(const shra_qb& i) { shift_right(DspOp::shra_qb, i.d, i.t, i.k); }
  void operator()(const shrav_qb& i) { shift_right(DspOp::shra_qb, i.d, i.t, t.reg(i.s)); }
  void operator()(const shra_r_qb& i) { shift_right(DspOp::shra_r_qb, i.d, i.t, i.k); }
  void operator()(const shrav_r_qb& i) { shift_right(DspOp::shra_r_qb, i.d, i.t, t.reg(i.s)); }
  void operator()(const shrl_ph& i) { shift_right(DspOp::shrl_ph, i.d, i.t, i.k); }
  void operator()(const shrlv_ph& i) { shift_right(DspOp::shrl_ph, i.d, i.t, t.reg(i.s)); }
  void operator()(const dpa_w_ph& i) { dot(i); }
  void operator()(const dps_w_ph& i) { dot(i); }
  void operator()(const dpax_w_ph& i) { dot(i); }
  void operator()(const dpsx_w_ph& i) { dot(i); }
  void operator()(const mulsa_w_ph& i) { dot(i); }
  void operator()(const dpaqx_s_w_ph& i) { dot(i); }
  void operator()(const dpsqx_s_w_ph& i) { dot(i); }
  void operator()(const dpaqx_sa_w_ph& i) { dot(i); }
  void operator()(const dpsqx_sa_w_ph& i) { dot(i); }

  // ---- by the intermediate code

  Ref in(Op op, Operand a, Operand b) { return t.out.value(op, a, b); }

  void operator()(const addsc& i) {
    const Ref a = t.value(i.s), sum = in(Op::add, a, t.reg(i.t));
    const Ref carry = in(Op::shl, t.out.value(Op::setcmp, sum, a, 0, u8(Cond::cc)), 13u);
    t.out.emit(Op::or_, control, in(Op::and_, control, ~dsp_c), carry);
    t.move(i.d, sum);
  }

  void operator()(const precrq_ph_w& i) {
    if (i.d) t.compute(Op::or_, i.d, in(Op::and_, t.value(i.s), 0xffff'0000), in(Op::shr, t.value(i.t), 16u));
  }
  void operator()(const packrl_ph& i) {
    if (i.d) t.compute(Op::or_, i.d, in(Op::shl, t.value(i.s), 16u), in(Op::shr, t.value(i.t), 16u));
  }
  void operator()(const precr_qb_ph& i) {
    const auto pair = [&](u32 r) {
      const Ref v = in(Op::and_, t.value(r), 0x00ff'00ff);
      return in(Op::and_, in(Op::or_, in(Op::shr, v, 8u), v), 0xffff);
    };
    if (i.d) t.compute(Op::or_, i.d, in(Op::shl, pair(i.s), 16u), pair(i.t));
  }
  // The halfwords are cut from words that may have been rounded; nothing is saturated.
  void precr_sra(u32 d, u32 s, u32 amount, bool rounded) {
    const auto cut = [&](u32 r) {
      if (!amount) return t.value(r);
      if (!rounded) return in(Op::sar, t.value(r), amount);
      return in(Op::sar, in(Op::add, in(Op::sar, t.value(r), amount - 1), 1u), 1u);
    };
    if (d) t.compute(Op::or_, d, in(Op::shl, cut(d), 16u), in(Op::and_, cut(s), 0xffff));
  }
  void operator()(const precr_sra_ph_w& i) { precr_sra(i.t, i.s, i.k, false); }
  void operator()(const precr_sra_r_ph_w& i) { precr_sra(i.t, i.s, i.k, true); }
  // rt moves left or right, and bits of rs come in there.
  void operator()(const append& i) {
    if (i.t && i.k) t.compute(Op::or_, i.t, in(Op::shl, t.value(i.t), i.k), in(Op::and_, t.value(i.s), ~(~0u << i.k)));
  }
  void operator()(const prepend& i) {
    if (i.t && i.k) t.compute(Op::or_, i.t, in(Op::shr, t.value(i.t), i.k), in(Op::shl, t.value(i.s), 32 - i.k));
  }
  // By 0 and 2 bytes it is UNPREDICTABLE: rt stays.
  void operator()(const balign& i) {
    if (!i.t || i.k % 2 == 0) return;
    t.compute(Op::or_, i.t, in(Op::shl, t.value(i.t), 8 * i.k), in(Op::shr, t.value(i.s), 32 - 8 * i.k));
  }
  void operator()(const preceq_w_phl& i) { t.compute(Op::and_, i.d, t.reg(i.t), 0xffff'0000); }
  void operator()(const preceq_w_phr& i) { t.compute(Op::shl, i.d, t.value(i.t), 16u); }

  // Two bytes in a halfword each: those next to each other in the low bits of v, or those that are there already.
  Ref apart(Ref v) { return in(Op::and_, in(Op::or_, in(Op::shl, v, 8u), v), 0x00ff'00ff); }
  Ref left(u32 r) { return apart(in(Op::shr, t.value(r), 16u)); }
  Ref right(u32 r) { return apart(in(Op::and_, t.value(r), 0xffff)); }
  Ref left_alternate(u32 r) { return in(Op::and_, in(Op::shr, t.value(r), 8u), 0x00ff'00ff); }
  Ref right_alternate(u32 r) { return in(Op::and_, t.value(r), 0x00ff'00ff); }
  void operator()(const preceu_ph_qbl& i) { t.move(i.d, left(i.t)); }
  void operator()(const preceu_ph_qbr& i) { t.move(i.d, right(i.t)); }
  void operator()(const preceu_ph_qbla& i) { t.move(i.d, left_alternate(i.t)); }
  void operator()(const preceu_ph_qbra& i) { t.move(i.d, right_alternate(i.t)); }
  void operator()(const precequ_ph_qbl& i) { t.compute(Op::shl, i.d, left(i.t), 7u); }
  void operator()(const precequ_ph_qbr& i) { t.compute(Op::shl, i.d, right(i.t), 7u); }
  void operator()(const precequ_ph_qbla& i) { t.compute(Op::shl, i.d, left_alternate(i.t), 7u); }
  void operator()(const precequ_ph_qbra& i) { t.compute(Op::shl, i.d, right_alternate(i.t), 7u); }

  void operator()(const repl_qb& i) { t.move(i.d, i.i * 0x0101'0101); }
  void operator()(const repl_ph& i) { t.move(i.d, (mips16e::sign_extended(i.w, 10) & 0xffff) * 0x0001'0001); }
  void operator()(const replv_qb& i) { t.compute(Op::mul, i.d, in(Op::and_, t.value(i.t), 0xff), 0x0101'0101u); }
  void operator()(const replv_ph& i) { t.compute(Op::mul, i.d, in(Op::and_, t.value(i.t), 0xffff), 0x0001'0001u); }

  static Ref lo(u32 ac) { return guest(slot::lo + ac); }
  static Ref hi(u32 ac) { return guest(slot::hi + ac); }
  void operator()(const mfhi& i) { t.compute(Op::mov, i.d, hi(i.a)); }
  void operator()(const mflo& i) { t.compute(Op::mov, i.d, lo(i.a)); }
  void operator()(const mthi& i) { t.out.mov(hi(i.a), t.reg(i.s)); }
  void operator()(const mtlo& i) { t.out.mov(lo(i.a), t.reg(i.s)); }
  void operator()(const mult& i) { t.out.multiply_long(true, lo(i.a), hi(i.a), t.value(i.s), t.value(i.t)); }
  void operator()(const multu& i) { t.out.multiply_long(false, lo(i.a), hi(i.a), t.value(i.s), t.value(i.t)); }
  void operator()(const madd& i) { t.accumulate(i.a, true, false, i.s, i.t); }
  void operator()(const maddu& i) { t.accumulate(i.a, false, false, i.s, i.t); }
  void operator()(const msub& i) { t.accumulate(i.a, true, true, i.s, i.t); }
  void operator()(const msubu& i) { t.accumulate(i.a, false, true, i.s, i.t); }

  void operator()(const rddsp& i) { t.compute(Op::and_, i.d, control, dsp_fields(i.m)); }
  void operator()(const wrdsp& i) {
    const u32 bits = dsp_fields(i.m);
    t.out.emit(Op::or_, control, in(Op::and_, control, ~bits), in(Op::and_, t.value(i.s), bits));
  }

  void operator()(const lwx& i) { t.load_slot(t.target(i.d), i.s, t.reg(i.t), whole); }
  void operator()(const lhx& i) { t.load_slot(t.target(i.d), i.s, t.reg(i.t), half | mem_signed); }
  void operator()(const lbux& i) { t.load_slot(t.target(i.d), i.s, t.reg(i.t), byte); }

  void operator()(const bposge32& i) {
    t.jump({.target = t.branch_target(i.b), .always = false, .cond = Cond::ne, .a = control, .mask = 32});
  }
};

// Reserved words, and instructions of a later revision, are that also where the DSP is off.
struct Gate {
  DspVisitor v;
  template <class I>
  void operator()(const I& i) {
    constexpr std::string_view since = dsp::op_info[int(I::op)].since;
    if constexpr (since == "dspr2") {
      if (v.t.facts.dsp < 2) return v.t.reserved();
    }
    if (v.t.require_dsp()) v(i);
  }
  void operator()(const dsp::Undefined&) { v.t.reserved(); }
};
}  // namespace

void translate_dsp(Translator& t, u32 w) { dsp::decode(w, Gate{{t}}); }
}  // namespace mips
