#include "cpus/mips/dsp.hpp"

#include "core/log.hpp"

#include "dsp_decode.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

namespace mips {
namespace {
using dsp::Op;
static_assert(std::size(dsp::op_info) <= 256, "an Op fits into dsp_operation()");

// ---- vectors: four bytes (QB) or two halfwords (PH), the first in the low bits

template <class F>
u32 bytes(u32 a, u32 b, F f) {
  u32 r = 0;
  for (unsigned n = 0; n < 32; n += 8) r |= (u32(f(s32(a >> n & 0xff), s32(b >> n & 0xff))) & 0xff) << n;
  return r;
}
template <class F>
u32 halves(u32 a, u32 b, F f) {
  const auto element = [&](unsigned n) { return u32(f(s32(s16(a >> n)), s32(s16(b >> n)))) & 0xffff; };
  return element(16) << 16 | element(0);
}
// A bit for each element, where f holds.
template <class F>
u32 bytes_where(u32 a, u32 b, F f) {
  u32 r = 0;
  for (unsigned n = 0; n < 4; ++n) r |= u32(f(a >> 8 * n & 0xff, b >> 8 * n & 0xff)) << n;
  return r;
}
template <class F>
u32 halves_where(u32 a, u32 b, F f) {
  return u32(f(s16(a >> 16), s16(b >> 16))) << 1 | u32(f(s16(a), s16(b)));
}
constexpr auto equal = [](s32 x, s32 y) { return x == y; };
constexpr auto less = [](s32 x, s32 y) { return x < y; };
constexpr auto less_or_equal = [](s32 x, s32 y) { return x <= y; };

s32 rounded_shift(s64 v, unsigned amount) { return s32(amount ? ((v >> (amount - 1)) + 1) >> 1 : v); }

u32 reversed16(u32 v) {
  u32 r = 0;
  for (unsigned n = 0; n < 16; ++n) r |= (v >> n & 1) << (15 - n);
  return r;
}

// ---- what changes accumulators and DSPControl

struct Unit {
  CpuState& s;
  u32 ac;

  // Bits of ouflag: 16 to 19 an accumulation, 20 a sum, 21 a product, 22 a shift or a loss of precision, 23 an
  // extraction.
  void flag(unsigned bit) { s.dsp_control |= 1u << bit; }
  template <class T>
  s64 wrap(s64 v, unsigned bit) {
    if (v != T(v)) flag(bit);
    return v;
  }
  template <class T>
  s64 saturate(s64 v, unsigned bit) {
    if (v == T(v)) return v;
    flag(bit);
    return v < 0 ? std::numeric_limits<T>::min() : std::numeric_limits<T>::max();
  }

  u64 accumulator() const { return u64(s.hi[ac]) << 32 | s.lo[ac]; }
  void accumulator(u64 v) { s.hi[ac] = u32(v >> 32), s.lo[ac] = u32(v); }
  void add(s64 v) { accumulator(accumulator() + u64(v)); }

  // Fractions: only -1 * -1 does not fit.
  s64 q15(s32 x, s32 y, unsigned bit) { return saturate<s32>(s64(x) * y * 2, bit); }
  s64 q15_high(u32 a, u32 b, unsigned bit) { return q15(s16(a >> 16), s16(b >> 16), bit); }
  s64 q15_low(u32 a, u32 b, unsigned bit) { return q15(s16(a), s16(b), bit); }
  s64 q31(u32 a, u32 b) {
    if (a != 0x8000'0000 || b != 0x8000'0000) return s64(s32(a)) * s32(b) * 2;
    flag(16 + ac);
    return std::numeric_limits<s64>::max();
  }
  // An accumulator of 64 bits that stays at its limits.
  void add_saturated(s64 v, bool subtract) {
    const s64 before = s64(accumulator());
    s64 sum;
    if (subtract ? __builtin_sub_overflow(before, v, &sum) : __builtin_add_overflow(before, v, &sum)) {
      flag(16 + ac);
      sum = before < 0 ? std::numeric_limits<s64>::min() : std::numeric_limits<s64>::max();
    }
    accumulator(u64(sum));
  }
  // … of 32: bits 32 and 31 of the sum decide, whatever is above them (MAQ_SA, sat32AccumulateQ31).
  void add_saturated_word(s64 v) {
    const u64 sum = accumulator() + u64(v);
    u32 low = u32(sum);
    if ((sum >> 32 & 1) != (sum >> 31 & 1)) {
      flag(16 + ac);
      low = sum >> 32 & 1 ? 0x8000'0000 : 0x7fff'ffff;
    }
    accumulator(u64(s64(s32(low))));
  }

  static u32 byte_products(u32 a, u32 b) { return (a >> 8 & 0xff) * (b >> 8 & 0xff) + (a & 0xff) * (b & 0xff); }
  u32 muleu(u32 two_bytes, u32 b) {
    const auto product = [&](u32 x, u32 y) {
      if (x * y > 0xffff) flag(21);
      return std::min(x * y, 0xffffu);
    };
    return product(two_bytes >> 8 & 0xff, b >> 16) << 16 | product(two_bytes & 0xff, b & 0xffff);
  }

  u32 precision_to_byte(u32 h) {
    const s32 v = s16(h);
    if (v >= 0 && v <= 0x7f80) return u32(v) >> 7;
    flag(22);
    return v < 0 ? 0 : 0xff;
  }
  u32 precision_to_half(u32 w) { return u32(saturate<s32>(s64(s32(w)) + 0x8000, 22)) >> 16; }

  // The flag tells of an overflow with or without rounding, whichever the instruction gives (EXTR[_RS].W).
  struct Extracted {
    s64 cut, rounded;
  };
  Extracted extract(u32 amount) {
    const s64 v = s64(accumulator());
    amount &= 31;
    const Extracted e{v >> amount, amount ? (v >> amount) + (v >> (amount - 1) & 1) : v};
    wrap<s32>(e.cut, 23);
    wrap<s32>(e.rounded, 23);
    return e;
  }
  // A register that a failed extraction leaves UNPREDICTABLE becomes 0.
  u32 extract_field(u32 size, bool decrement) {
    size &= 31;
    const u32 pos = s.dsp_control & dsp_pos;
    if (pos < size) {
      s.dsp_control |= dsp_efi;
      return 0;
    }
    s.dsp_control &= ~dsp_efi;
    if (decrement) s.dsp_control = (s.dsp_control & ~dsp_pos) | ((pos - size - 1) & dsp_pos);
    return u32(accumulator() >> (pos - size)) & (~0u >> (31 - size));
  }
  void shift_accumulator(u32 amount) {
    const s32 right = s32(amount << 26) >> 26;
    accumulator(right >= 0 ? accumulator() >> right : accumulator() << -right);
  }
  // A position above 32 becomes UNPREDICTABLE, and stays here.
  void shift_in(u32 v) {
    s.hi[ac] = s.lo[ac];
    s.lo[ac] = v;
    const u32 pos = s.dsp_control & dsp_pos;
    if (pos <= 32) s.dsp_control = (s.dsp_control & ~dsp_pos) | ((pos + 32) & dsp_pos);
  }
  // What does not fit is UNPREDICTABLE, and leaves the register as it is here.
  u32 insert(u32 into, u32 v) const {
    const u32 pos = s.dsp_control & dsp_pos, size = (s.dsp_control & dsp_scount) >> 7;
    if (!size || pos + size > 32) return into;
    const u32 mask = ~0u >> (32 - size) << pos;
    return (into & ~mask) | (v << pos & mask);
  }

  void conditions(u32 bits, u32 of) { s.dsp_control = (s.dsp_control & ~(of << 24)) | bits << 24; }
  bool condition(unsigned n) const { return s.dsp_control >> (24 + n) & 1; }

  static s64 product_high(u32 a, u32 b) { return s64(s16(a >> 16)) * s16(b >> 16); }
  static s64 product_low(u32 a, u32 b) { return s64(s16(a)) * s16(b); }
  static u32 crossed(u32 v) { return v << 16 | v >> 16; }
  // A fraction of a word: -1 * -1 is saturated, and not rounded.
  u32 q31_word(u32 a, u32 b, u32 rounding) {
    if (a != 0x8000'0000 || b != 0x8000'0000) return u32((s64(s32(a)) * s32(b) * 2 + rounding) >> 32);
    flag(21);
    return 0x7fff'ffff;
  }

  u32 run(Op op, u32 a, u32 b);
  u32 run_revision2(Op op, u32 a, u32 b);
  void compare(Op op, u32 a, u32 b);
  void accumulate(Op op, u32 a, u32 b);
};

u32 Unit::run(Op op, u32 a, u32 b) {
  switch (op) {
    case Op::addq_ph: return halves(a, b, [&](s32 x, s32 y) { return wrap<s16>(x + y, 20); });
    case Op::addq_s_ph: return halves(a, b, [&](s32 x, s32 y) { return saturate<s16>(x + y, 20); });
    case Op::addq_s_w: return u32(saturate<s32>(s64(s32(a)) + s32(b), 20));
    case Op::addu_qb: return bytes(a, b, [&](s32 x, s32 y) { return wrap<u8>(x + y, 20); });
    case Op::addu_s_qb: return bytes(a, b, [&](s32 x, s32 y) { return saturate<u8>(x + y, 20); });
    case Op::subq_ph: return halves(a, b, [&](s32 x, s32 y) { return wrap<s16>(x - y, 20); });
    case Op::subq_s_ph: return halves(a, b, [&](s32 x, s32 y) { return saturate<s16>(x - y, 20); });
    case Op::subq_s_w: return u32(saturate<s32>(s64(s32(a)) - s32(b), 20));
    case Op::subu_qb: return bytes(a, b, [&](s32 x, s32 y) { return wrap<u8>(x - y, 20); });
    case Op::subu_s_qb: return bytes(a, b, [&](s32 x, s32 y) { return saturate<u8>(x - y, 20); });
    case Op::addwc: return u32(wrap<s32>(s64(s32(a)) + s32(b) + (s.dsp_control & dsp_c ? 1 : 0), 20));
    case Op::absq_s_ph: return halves(a, 0, [&](s32 x, s32) { return saturate<s16>(std::abs(x), 20); });
    case Op::absq_s_w: return u32(saturate<s32>(std::abs(s64(s32(a))), 20));
    case Op::precrq_rs_ph_w: return precision_to_half(a) << 16 | precision_to_half(b);
    case Op::precrqu_s_qb_ph:
      return precision_to_byte(a >> 16) << 24 | precision_to_byte(a) << 16 | precision_to_byte(b >> 16) << 8 |
             precision_to_byte(b);

    case Op::shll_qb: return bytes(a, 0, [&](s32 x, s32) { return wrap<u8>(x << (b & 7), 22); });
    case Op::shll_ph: return halves(a, 0, [&](s32 x, s32) { return wrap<s16>(s64(x) << (b & 15), 22); });
    case Op::shll_s_ph: return halves(a, 0, [&](s32 x, s32) { return saturate<s16>(s64(x) << (b & 15), 22); });
    case Op::shll_s_w: return u32(saturate<s32>(s64(s32(a)) << (b & 31), 22));

    case Op::muleu_s_ph_qbl: return muleu(a >> 16, b);
    case Op::muleu_s_ph_qbr: return muleu(a, b);
    // Rounded like the others, -1 * -1 is saturated all the same.
    case Op::mulq_rs_ph:
      return halves(a, b, [&](s32 x, s32 y) { return std::min<s64>(q15(x, y, 21) + 0x8000, 0x7fff'ffff) >> 16; });
    case Op::muleq_s_w_phl: return u32(q15_high(a, b, 21));
    case Op::muleq_s_w_phr: return u32(q15_low(a, b, 21));

    case Op::insv: return insert(a, b);
    case Op::pick_qb: {
      u32 mask = 0;
      for (unsigned n = 0; n < 4; ++n) mask |= condition(n) ? 0xffu << 8 * n : 0;
      return (a & mask) | (b & ~mask);
    }
    case Op::pick_ph: {
      const u32 mask = (condition(1) ? 0xffff'0000 : 0) | (condition(0) ? 0xffff : 0);
      return (a & mask) | (b & ~mask);
    }

    case Op::extr_w: return u32(extract(a).cut);
    case Op::extr_r_w: return u32(extract(a).rounded);
    case Op::extr_rs_w: return u32(saturate<s32>(extract(a).rounded, 23));
    case Op::extr_s_h: return u32(saturate<s16>(s64(accumulator()) >> (a & 31), 23));
    case Op::extp: return extract_field(a, false);
    case Op::extpdp: return extract_field(a, true);
    case Op::shilo: return shift_accumulator(a), 0;
    case Op::mthlip: return shift_in(a), 0;
    default: return run_revision2(op, a, b);
  }
}

u32 Unit::run_revision2(Op op, u32 a, u32 b) {
  const auto unsigned_halves = [&](auto f) {
    return u32(f(s32(a >> 16), s32(b >> 16)) & 0xffff) << 16 | u32(f(s32(a & 0xffff), s32(b & 0xffff)) & 0xffff);
  };
  switch (op) {
    case Op::absq_s_qb: return bytes(a, 0, [&](s32 x, s32) { return saturate<s8>(std::abs(s32(s8(x))), 20); });
    case Op::addu_ph: return unsigned_halves([&](s32 x, s32 y) { return wrap<u16>(x + y, 20); });
    case Op::addu_s_ph: return unsigned_halves([&](s32 x, s32 y) { return saturate<u16>(x + y, 20); });
    case Op::subu_ph: return unsigned_halves([&](s32 x, s32 y) { return wrap<u16>(x - y, 20); });
    case Op::subu_s_ph: return unsigned_halves([&](s32 x, s32 y) { return saturate<u16>(x - y, 20); });
    case Op::mul_ph: return halves(a, b, [&](s32 x, s32 y) { return wrap<s16>(s64(x) * y, 21); });
    case Op::mul_s_ph: return halves(a, b, [&](s32 x, s32 y) { return saturate<s16>(s64(x) * y, 21); });
    case Op::mulq_s_ph: return halves(a, b, [&](s32 x, s32 y) { return q15(x, y, 21) >> 16; });
    case Op::mulq_s_w: return q31_word(a, b, 0);
    case Op::mulq_rs_w: return q31_word(a, b, 0x8000'0000);
    case Op::cmpgdu_eq_qb: return conditions(bytes_where(a, b, equal), 15), bytes_where(a, b, equal);
    case Op::cmpgdu_lt_qb: return conditions(bytes_where(a, b, less), 15), bytes_where(a, b, less);
    case Op::cmpgdu_le_qb: return conditions(bytes_where(a, b, less_or_equal), 15), bytes_where(a, b, less_or_equal);
    default: return accumulate(op, a, b), 0;
  }
}

void Unit::accumulate(Op op, u32 a, u32 b) {
  const unsigned bit = 16 + ac;
  switch (op) {
    case Op::dpau_h_qbl: return add(byte_products(a >> 16, b >> 16));
    case Op::dpau_h_qbr: return add(byte_products(a, b));
    case Op::dpsu_h_qbl: return add(-s64(byte_products(a >> 16, b >> 16)));
    case Op::dpsu_h_qbr: return add(-s64(byte_products(a, b)));
    case Op::dpaq_s_w_ph: return add(q15_high(a, b, bit) + q15_low(a, b, bit));
    case Op::dpsq_s_w_ph: return add(-(q15_high(a, b, bit) + q15_low(a, b, bit)));
    case Op::mulsaq_s_w_ph: return add(q15_high(a, b, bit) - q15_low(a, b, bit));
    case Op::dpaq_sa_l_w: return add_saturated(q31(a, b), false);
    case Op::dpsq_sa_l_w: return add_saturated(q31(a, b), true);
    case Op::maq_s_w_phl: return add(q15_high(a, b, bit));
    case Op::maq_s_w_phr: return add(q15_low(a, b, bit));
    case Op::maq_sa_w_phl: return add_saturated_word(q15_high(a, b, bit));
    case Op::maq_sa_w_phr: return add_saturated_word(q15_low(a, b, bit));
    case Op::dpa_w_ph: return add(product_high(a, b) + product_low(a, b));
    case Op::dps_w_ph: return add(-(product_high(a, b) + product_low(a, b)));
    case Op::dpax_w_ph: return accumulate(Op::dpa_w_ph, a, crossed(b));
    case Op::dpsx_w_ph: return accumulate(Op::dps_w_ph, a, crossed(b));
    case Op::mulsa_w_ph: return add(product_high(a, b) - product_low(a, b));
    case Op::dpaqx_s_w_ph: return accumulate(Op::dpaq_s_w_ph, a, crossed(b));
    case Op::dpsqx_s_w_ph: return accumulate(Op::dpsq_s_w_ph, a, crossed(b));
    case Op::dpaqx_sa_w_ph:
    case Op::dpsqx_sa_w_ph:
      accumulate(op == Op::dpaqx_sa_w_ph ? Op::dpaqx_s_w_ph : Op::dpsqx_s_w_ph, a, b);
      return accumulator(u64(saturate<s32>(s64(accumulator()), bit)));
    default: return compare(op, a, b);
  }
}

// CMP.cond.PH leaves two of the conditions UNPREDICTABLE, which stay here.
void Unit::compare(Op op, u32 a, u32 b) {
  switch (op) {
    case Op::cmpu_eq_qb: return conditions(bytes_where(a, b, equal), 15);
    case Op::cmpu_lt_qb: return conditions(bytes_where(a, b, less), 15);
    case Op::cmpu_le_qb: return conditions(bytes_where(a, b, less_or_equal), 15);
    case Op::cmp_eq_ph: return conditions(halves_where(a, b, equal), 3);
    case Op::cmp_lt_ph: return conditions(halves_where(a, b, less), 3);
    case Op::cmp_le_ph: return conditions(halves_where(a, b, less_or_equal), 3);
    default: check(false);
  }
}
}  // namespace

u64 dsp_operate(CpuState* s, u32 operation, u32 a, u32 b) noexcept {
  return Unit{*s, operation >> 8}.run(Op(operation & 0xff), a, b);
}

u64 dsp_compute(u32 op, u32 a, u32 b) noexcept {
  const s64 wide_a = s32(a), wide_b = s32(b);
  switch (Op(op)) {
    case Op::adduh_qb: return bytes(a, b, [](s32 x, s32 y) { return (x + y) >> 1; });
    case Op::adduh_r_qb: return bytes(a, b, [](s32 x, s32 y) { return (x + y + 1) >> 1; });
    case Op::subuh_qb: return bytes(a, b, [](s32 x, s32 y) { return (x - y) >> 1; });
    case Op::subuh_r_qb: return bytes(a, b, [](s32 x, s32 y) { return (x - y + 1) >> 1; });
    case Op::addqh_ph: return halves(a, b, [](s32 x, s32 y) { return (x + y) >> 1; });
    case Op::addqh_r_ph: return halves(a, b, [](s32 x, s32 y) { return (x + y + 1) >> 1; });
    case Op::subqh_ph: return halves(a, b, [](s32 x, s32 y) { return (x - y) >> 1; });
    case Op::subqh_r_ph: return halves(a, b, [](s32 x, s32 y) { return (x - y + 1) >> 1; });
    case Op::addqh_w: return u32((wide_a + wide_b) >> 1);
    case Op::addqh_r_w: return u32((wide_a + wide_b + 1) >> 1);
    case Op::subqh_w: return u32((wide_a - wide_b) >> 1);
    case Op::subqh_r_w: return u32((wide_a - wide_b + 1) >> 1);
    case Op::shra_qb: return bytes(a, 0, [&](s32 x, s32) { return s8(x) >> (b & 7); });
    case Op::shra_r_qb: return bytes(a, 0, [&](s32 x, s32) { return rounded_shift(s8(x), b & 7); });
    case Op::shrl_ph: return (a >> 16 >> (b & 15)) << 16 | (a & 0xffff) >> (b & 15);
    case Op::modsub: return a ? a - (b & 0xff) : b >> 8 & 0xffff;
    case Op::raddu_w_qb: return (a >> 24) + (a >> 16 & 0xff) + (a >> 8 & 0xff) + (a & 0xff);
    case Op::precrq_qb_ph: return (a & 0xff00'0000) | (a << 8 & 0x00ff'0000) | (b >> 16 & 0xff00) | (b >> 8 & 0xff);
    case Op::shrl_qb: return bytes(a, 0, [&](s32 x, s32) { return x >> (b & 7); });
    case Op::shra_ph: return halves(a, 0, [&](s32 x, s32) { return x >> (b & 15); });
    case Op::shra_r_ph: return halves(a, 0, [&](s32 x, s32) { return rounded_shift(x, b & 15); });
    case Op::shra_r_w: return u32(rounded_shift(s32(a), b & 31));
    case Op::bitrev: return reversed16(a);
    case Op::cmpgu_eq_qb: return bytes_where(a, b, equal);
    case Op::cmpgu_lt_qb: return bytes_where(a, b, less);
    case Op::cmpgu_le_qb: return bytes_where(a, b, less_or_equal);
    default: check(false);
  }
  return 0;
}
}  // namespace mips
