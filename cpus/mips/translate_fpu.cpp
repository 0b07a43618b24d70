// What each instruction of fpu.isa does.  Registers are words; a double is two of them, the low half first, and with
// Status.FR = 0 its number is even: an odd one is reserved (volume I, §5.4), as are the formats that need 64-bit
// registers.

#include "cpus/mips/translator.hpp"

#include "fpu_decode.hpp"

namespace mips {
namespace {
using namespace fpu;
using tcg::Fp, tcg::Op;

constexpr u8 whole = 2, doubleword = 3;

// Formats of an instruction's registers.
enum class Width : u8 { single, wide, integer64 };
using enum Width;

struct FpuVisitor {
  Translator& t;
  u32 w;

  bool fr() const { return t.facts.fr; }
  Ref r(u32 n, Width width) const {
    return guest(slot::f + (width == single ? single_slot(n, fr()) : double_slot(n, fr())));
  }
  bool exists(u32 n, Width width) const { return width == single || fr() || (width == wide && n % 2 == 0); }
  // Each instruction begins with this.  False: it is not to be translated.
  bool usable() { return t.require_fpu(); }
  bool registers_exist(std::initializer_list<std::pair<u32, Width>> all) {
    if (!usable()) return false;
    for (const auto& [n, width] : all)
      if (!exists(n, width)) {
        t.reserved();
        return false;
      }
    return true;
  }

  // ---- arithmetic ----

  // By the helper alone.
  void call() { t.call({}, helper_fp, w); }
  void fp(Fp op, bool is_double, Ref d, Ref a, Ref b = {}, Ref c = {}) { t.out.fp(op, is_double, d, a, b, w, c); }

  void two(Fp op, Width width, u32 d, u32 s, u32 t_) {
    if (registers_exist({{d, width}, {s, width}, {t_, width}}))
      fp(op, width == wide, r(d, width), r(s, width), r(t_, width));
  }
  void operator()(const add_s& i) { two(Fp::add, single, i.d, i.s, i.t); }
  void operator()(const add_d& i) { two(Fp::add, wide, i.d, i.s, i.t); }
  void operator()(const sub_s& i) { two(Fp::sub, single, i.d, i.s, i.t); }
  void operator()(const sub_d& i) { two(Fp::sub, wide, i.d, i.s, i.t); }
  void operator()(const mul_s& i) { two(Fp::mul, single, i.d, i.s, i.t); }
  void operator()(const mul_d& i) { two(Fp::mul, wide, i.d, i.s, i.t); }
  void operator()(const div_s& i) { two(Fp::div, single, i.d, i.s, i.t); }
  void operator()(const div_d& i) { two(Fp::div, wide, i.d, i.s, i.t); }

  template <class I>
  void four(Fp op, Width width, const I& i) {
    if (registers_exist({{i.d, width}, {i.r, width}, {i.s, width}, {i.t, width}}))
      fp(op, width == wide, r(i.d, width), r(i.s, width), r(i.t, width), r(i.r, width));
  }
  void operator()(const madd_s& i) { four(Fp::madd, single, i); }
  void operator()(const madd_d& i) { four(Fp::madd, wide, i); }
  void operator()(const msub_s& i) { four(Fp::msub, single, i); }
  void operator()(const msub_d& i) { four(Fp::msub, wide, i); }
  void operator()(const nmadd_s& i) { four(Fp::nmadd, single, i); }
  void operator()(const nmadd_d& i) { four(Fp::nmadd, wide, i); }
  void operator()(const nmsub_s& i) { four(Fp::nmsub, single, i); }
  void operator()(const nmsub_d& i) { four(Fp::nmsub, wide, i); }

  // `op` works in its result's or its operand's size, whichever `is_double` says.
  template <class I>
  void one(Fp op, bool is_double, Width d, Width s, const I& i) {
    if (registers_exist({{i.d, d}, {i.s, s}})) fp(op, is_double, r(i.d, d), r(i.s, s));
  }
  template <class I>
  void by_helper(Width d, Width s, const I& i) {
    if (registers_exist({{i.d, d}, {i.s, s}})) call();
  }
  void operator()(const sqrt_s& i) { one(Fp::sqrt, false, single, single, i); }
  void operator()(const sqrt_d& i) { one(Fp::sqrt, true, wide, wide, i); }
  void operator()(const abs_s& i) { one(Fp::abs, false, single, single, i); }
  void operator()(const abs_d& i) { one(Fp::abs, true, wide, wide, i); }
  void operator()(const mov_s& i) { one(Fp::copy, false, single, single, i); }
  void operator()(const mov_d& i) { one(Fp::copy, true, wide, wide, i); }
  void operator()(const neg_s& i) { one(Fp::neg, false, single, single, i); }
  void operator()(const neg_d& i) { one(Fp::neg, true, wide, wide, i); }
  void operator()(const recip_s& i) { by_helper(single, single, i); }
  void operator()(const recip_d& i) { by_helper(wide, wide, i); }
  void operator()(const rsqrt_s& i) { by_helper(single, single, i); }
  void operator()(const rsqrt_d& i) { by_helper(wide, wide, i); }

  // Translated code computes under round to nearest only, so ROUND is CVT there.
  void operator()(const round_l_s& i) { by_helper(integer64, single, i); }
  void operator()(const round_l_d& i) { by_helper(integer64, wide, i); }
  void operator()(const trunc_l_s& i) { by_helper(integer64, single, i); }
  void operator()(const trunc_l_d& i) { by_helper(integer64, wide, i); }
  void operator()(const ceil_l_s& i) { by_helper(integer64, single, i); }
  void operator()(const ceil_l_d& i) { by_helper(integer64, wide, i); }
  void operator()(const floor_l_s& i) { by_helper(integer64, single, i); }
  void operator()(const floor_l_d& i) { by_helper(integer64, wide, i); }
  void operator()(const round_w_s& i) { one(Fp::to_s32, false, single, single, i); }
  void operator()(const round_w_d& i) { one(Fp::to_s32, true, single, wide, i); }
  void operator()(const trunc_w_s& i) { one(Fp::to_s32_trunc, false, single, single, i); }
  void operator()(const trunc_w_d& i) { one(Fp::to_s32_trunc, true, single, wide, i); }
  void operator()(const ceil_w_s& i) { by_helper(single, single, i); }
  void operator()(const ceil_w_d& i) { by_helper(single, wide, i); }
  void operator()(const floor_w_s& i) { by_helper(single, single, i); }
  void operator()(const floor_w_d& i) { by_helper(single, wide, i); }
  void operator()(const cvt_s_d& i) { one(Fp::narrow, true, single, wide, i); }
  void operator()(const cvt_s_w& i) { one(Fp::from_s32, false, single, single, i); }
  void operator()(const cvt_s_l& i) { by_helper(single, integer64, i); }
  void operator()(const cvt_d_s& i) { one(Fp::widen, false, wide, single, i); }
  void operator()(const cvt_d_w& i) { one(Fp::from_s32, true, wide, single, i); }
  void operator()(const cvt_d_l& i) { by_helper(wide, integer64, i); }
  void operator()(const cvt_w_s& i) { one(Fp::to_s32, false, single, single, i); }
  void operator()(const cvt_w_d& i) { one(Fp::to_s32, true, single, wide, i); }
  void operator()(const cvt_l_s& i) { by_helper(integer64, single, i); }
  void operator()(const cvt_l_d& i) { by_helper(integer64, wide, i); }

  // ---- comparisons, and what they decide ----

  static Ref fcc(u32 c) { return guest(slot::fcc + c); }

  // Of numbers that are ordered, bits 1 and 2 of the condition decide; the helper knows the others.
  template <class I>
  void compare(Width width, const I& i) {
    if (!registers_exist({{i.s, width}, {i.t, width}})) return;
    switch (i.k >> 1 & 3) {
      case 1: return fp(Fp::test_eq, width == wide, fcc(i.c), r(i.s, width), r(i.t, width));
      case 2: return fp(Fp::test_lt, width == wide, fcc(i.c), r(i.s, width), r(i.t, width));
      case 3: return fp(Fp::test_le, width == wide, fcc(i.c), r(i.s, width), r(i.t, width));
      default: return call();
    }
  }
  void operator()(const c_s& i) { compare(single, i); }
  void operator()(const c_d& i) { compare(wide, i); }

  template <class I>
  void branch(const I& i, bool on, bool likely) {
    if (!usable()) return;
    t.jump({.target = t.branch_target(i.j),
            .always = false,
            .cond = on ? Cond::ne : Cond::eq,
            .a = fcc(i.c),
            .likely = likely});
  }
  void operator()(const bc1f& i) { branch(i, false, false); }
  void operator()(const bc1t& i) { branch(i, true, false); }
  void operator()(const bc1fl& i) { branch(i, false, true); }
  void operator()(const bc1tl& i) { branch(i, true, true); }

  // d = s when the condition holds.
  void move_if(Ref d, Ref s, bool is_double, Cond c, Ref a) {
    const unsigned skip = t.unless(inverse(c), a, 0u);
    fp(Fp::copy, is_double, d, s);
    t.close(skip);
  }
  template <class I>
  void move_if_fcc(const I& i, Width width, bool on) {
    if (registers_exist({{i.d, width}, {i.s, width}}))
      move_if(r(i.d, width), r(i.s, width), width == wide, on ? Cond::ne : Cond::eq, fcc(i.c));
  }
  template <class I>
  void move_if_zero(const I& i, Width width, Cond c) {
    if (registers_exist({{i.d, width}, {i.s, width}}))
      move_if(r(i.d, width), r(i.s, width), width == wide, c, t.value(i.g));
  }
  void operator()(const movf_s& i) { move_if_fcc(i, single, false); }
  void operator()(const movf_d& i) { move_if_fcc(i, wide, false); }
  void operator()(const movt_s& i) { move_if_fcc(i, single, true); }
  void operator()(const movt_d& i) { move_if_fcc(i, wide, true); }
  void operator()(const movz_s& i) { move_if_zero(i, single, Cond::eq); }
  void operator()(const movz_d& i) { move_if_zero(i, wide, Cond::eq); }
  void operator()(const movn_s& i) { move_if_zero(i, single, Cond::ne); }
  void operator()(const movn_d& i) { move_if_zero(i, wide, Cond::ne); }
  template <class I>
  void move_general(const I& i, Cond c) {
    if (!usable()) return;
    const unsigned skip = t.unless(inverse(c), fcc(i.c), 0u);
    t.move(i.g, t.reg(i.b));
    t.close(skip);
  }
  void operator()(const movf& i) { move_general(i, Cond::eq); }
  void operator()(const movt& i) { move_general(i, Cond::ne); }

  // ---- general and control registers ----

  // The high half is the odd register of the pair where registers have 32 bits.
  Ref high(u32 n) const { return guest(slot::f + double_slot(n, fr()) + 1); }
  void to_general(u32 g, Ref v) {
    if (usable()) t.move(g, v);
  }
  void from_general(Ref v, u32 g) {
    if (usable()) t.out.mov(v, t.reg(g));
  }
  void operator()(const mfc1& i) { to_general(i.g, r(i.s, single)); }
  void operator()(const mtc1& i) { from_general(r(i.s, single), i.g); }
  void operator()(const mfhc1& i) { to_general(i.g, high(i.s)); }
  void operator()(const mthc1& i) { from_general(high(i.s), i.g); }
  void operator()(const cfc1& i) {
    if (usable()) t.call(t.target(i.g), helper_fp_control_read, i.n);
  }
  void operator()(const ctc1& i) {
    if (usable()) t.call({}, helper_fp_control_write, i.n, t.value(i.g));
  }

  // ---- loads and stores ----

  void load(u32 d, Width width, u32 base, Operand offset) {
    if (!registers_exist({{d, width}})) return;
    t.load_slot(r(d, width), base, offset, width == single ? whole : doubleword);
  }
  void store(u32 s, Width width, u32 base, Operand offset) {
    if (!registers_exist({{s, width}})) return;
    t.store_slot(r(s, width), base, offset, width == single ? whole : doubleword);
  }
  static Operand offset(u32 i) { return u32(s32(s16(i))); }
  void operator()(const lwc1& i) { load(i.t, single, i.b, offset(i.i)); }
  void operator()(const ldc1& i) { load(i.t, wide, i.b, offset(i.i)); }
  void operator()(const swc1& i) { store(i.t, single, i.b, offset(i.i)); }
  void operator()(const sdc1& i) { store(i.t, wide, i.b, offset(i.i)); }
  void operator()(const lwxc1& i) { load(i.d, single, i.b, t.reg(i.x)); }
  void operator()(const ldxc1& i) { load(i.d, wide, i.b, t.reg(i.x)); }
  void operator()(const swxc1& i) { store(i.s, single, i.b, t.reg(i.x)); }
  void operator()(const sdxc1& i) { store(i.s, wide, i.b, t.reg(i.x)); }

  // The low bits of the address are ignored, and 64-bit registers needed.
  Ref aligned(u32 base, u32 index) {
    return t.out.value(Op::and_, t.out.value(Op::add, t.value(base), t.reg(index)), ~7u);
  }
  void operator()(const luxc1& i) {
    if (registers_exist({{i.d, integer64}})) t.load_slot(r(i.d, wide), 0, aligned(i.b, i.x), doubleword);
  }
  void operator()(const suxc1& i) {
    if (registers_exist({{i.s, integer64}})) t.store_slot(r(i.s, wide), 0, aligned(i.b, i.x), doubleword);
  }
  void operator()(const prefx&) { usable(); }

  void operator()(const fpu::Undefined&) {
    if (usable()) t.reserved();
  }
};
}  // namespace

void translate_fpu(Translator& t, u32 w) { fpu::decode(w, FpuVisitor{t, w}); }
}  // namespace mips
