// Coprocessor 1 by itself: every operation on the values where rules change, against integer arithmetic; then FCSR.

#include "cpus/mips/fpu.hpp"
#include "cpus/mips/models.hpp"

#include "fpu_reference.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <random>
#include <tuple>
#include <vector>

using namespace mips;
using reference::Mode, reference::Result, reference::Shape;

namespace {
constexpr u32 cop1(u32 format, u32 function) { return 0x11u << 26 | format << 21 | function; }
constexpr u32 s_format = 16, d_format = 17, w_format = 20, l_format = 21;
constexpr u32 add_ = 0, sub_ = 1, mul_ = 2, div_ = 3, sqrt_ = 4, abs_ = 5, neg_ = 7, recip_ = 0x15, rsqrt_ = 0x16,
              cvt_s = 0x20, cvt_d = 0x21, cvt_w = 0x24, cvt_l = 0x25, compare_ = 0x30;

// Values at which an operation changes its ways, and neighbours of each.
std::vector<u64> corners(const Shape& f) {
  const u64 one = u64(f.bias()) << f.fraction_bits, min = u64(1) << f.fraction_bits, unit = u64(1) << f.fraction_bits;
  const auto power = [&](int n) { return u64(f.bias() + n) << f.fraction_bits; };
  std::vector<u64> v{0,
                     1,
                     2,
                     3,
                     min - 1,
                     min,
                     min + 1,
                     2 * min,
                     one,
                     one + 1,
                     one - 1,
                     one / 2,
                     power(1),
                     power(2),
                     power(1) + 1,
                     one + unit / 2,
                     f.infinity(),
                     f.infinity() - 1,
                     f.infinity() - unit,
                     f.infinity() + 1,
                     f.default_nan(),
                     f.infinity() | f.quiet(),
                     f.infinity() | f.quiet() | 5,
                     f.quiet() >> 1 | f.infinity(),
                     power(31),
                     power(31) - 1,
                     power(30) + 5,
                     power(63),
                     power(63) - 1,
                     power(53),
                     power(24),
                     power(24) + 1,
                     power(-1),
                     power(-1) + 1,
                     power(-f.fraction_bits),
                     power(-f.fraction_bits - 1),
                     power(-f.fraction_bits - 1) + 1,
                     power(-f.fraction_bits - 2),
                     power(f.bias() / 2),
                     power(-f.bias() / 2),
                     power(-f.bias() / 2 - 1),
                     power(127),
                     power(-126),
                     power(-127),
                     power(-149),
                     power(-150)};
  for (std::size_t i = 0, n = v.size(); i < n; ++i) v.push_back(v[i] | f.sign());
  std::mt19937_64 rng(1);
  for (int i = 0; i < 24; ++i) v.push_back(rng() & (f.sign() | (f.sign() - 1)));
  for (int i = 0; i < 24; ++i)
    v.push_back((rng() & (f.sign() | (min - 1))) | u64(f.bias() - 4 + int(rng() % 40)) << f.fraction_bits);
  for (u64& x : v) x &= f.sign() | (f.sign() - 1);
  return v;
}

struct Failures {
  unsigned count = 0;
  void compare(const char* what, u32 rm, u64 a, u64 b, const FpResult& got, const Result& want) {
    if (got.value == want.value && got.cause == want.flags) return;
    if (++count > 5) return;
    char text[160];
    std::snprintf(text, sizeof text, "%s, rounding %u, of %llx and %llx: %llx cause %x, should be %llx cause %x", what,
                  rm, (unsigned long long)a, (unsigned long long)b, (unsigned long long)got.value, got.cause,
                  (unsigned long long)want.value, want.flags);
    MESSAGE(std::string(text));
  }
};
Result joined(const Result& first, Result second) {
  second.flags |= first.flags;
  return second;
}

void two_operands(const Shape& f, u32 format) {
  Failures bad;
  const u64 one = u64(f.bias()) << f.fraction_bits;
  const auto all = corners(f);
  for (u32 rm = 0; rm < 4; ++rm) {
    const Mode m{rm};
    for (const u64 a : all) {
      const auto got = [&](u32 function, u64 b) { return fp_compute(cop1(format, function), rm, a, b, 0); };
      const Result root = reference::square_root(f, a, m);
      bad.compare("sqrt", rm, a, 0, got(sqrt_, 0), root);
      bad.compare("recip", rm, a, 0, got(recip_, 0), reference::div(f, one, a, m));
      bad.compare("rsqrt", rm, a, 0, got(rsqrt_, 0), joined(root, reference::div(f, one, root.value, m)));
      for (const u64 b : all) {
        const u64 minus_b = f.is_nan(b) ? b : b ^ f.sign();
        bad.compare("add", rm, a, b, got(add_, b), reference::add(f, a, b, m));
        bad.compare("sub", rm, a, b, got(sub_, b), reference::add(f, a, minus_b, m));
        bad.compare("mul", rm, a, b, got(mul_, b), reference::mul(f, a, b, m));
        bad.compare("div", rm, a, b, got(div_, b), reference::div(f, a, b, m));
      }
    }
  }
  CHECK(bad.count == 0);
}

void conversions(const Shape& f, const Shape& other, u32 format, u32 to_other) {
  Failures bad;
  for (u32 rm = 0; rm < 4; ++rm)
    for (const u64 a : corners(f)) {
      const auto got = [&](u32 function) { return fp_compute(cop1(format, function), rm, a, 0, 0); };
      bad.compare("to the other format", rm, a, 0, got(to_other), reference::convert(f, other, a, Mode{rm}));
      bad.compare("cvt.w", rm, a, 0, got(cvt_w), reference::to_integer(f, a, 32, Mode{rm}));
      bad.compare("cvt.l", rm, a, 0, got(cvt_l), reference::to_integer(f, a, 64, Mode{rm}));
      for (u32 way = 0; way < 4; ++way) {  // round, trunc, ceil, floor
        bad.compare("to l", way, a, 0, got(8 + way), reference::to_integer(f, a, 64, Mode{way}));
        bad.compare("to w", way, a, 0, got(12 + way), reference::to_integer(f, a, 32, Mode{way}));
      }
    }
  CHECK(bad.count == 0);
}

void comparisons(const Shape& f, u32 format) {
  const auto all = corners(f);
  unsigned wrong = 0;
  for (u32 k = 0; k < 16; ++k)
    for (const u64 a : all)
      for (const u64 b : all) {
        // A sign and magnitude order without arithmetic.
        const auto place = [&](u64 x) { return x & f.sign() ? -s64(f.magnitude(x)) : s64(x); };
        const bool unordered = f.is_nan(a) || f.is_nan(b), equal = !unordered && place(a) == place(b),
                   less = !unordered && place(a) < place(b);
        const bool want = ((k & 1) && unordered) || ((k & 2) && equal) || ((k & 4) && less);
        const u32 cause = f.is_signalling(a) || f.is_signalling(b) || (unordered && (k & 8)) ? u32(fp_invalid) : 0;
        const FpResult got = fp_compute(cop1(format, compare_ + k), 0, a, b, 0);
        wrong += got.value != u64(want) || got.cause != cause;
      }
  CHECK(wrong == 0);
}

void multiply_adds(const Shape& f, u32 d) {
  Failures bad;
  auto all = corners(f);
  std::mt19937_64 rng(7);
  for (u32 n = 0; n < 200'000; ++n) {
    const u64 a = all[rng() % all.size()], b = all[rng() % all.size()], c = all[rng() % all.size()];
    const u32 rm = u32(rng() & 3), op = u32(rng() & 3);
    const Mode m{rm};
    const Result product = reference::mul(f, a, b, m);
    const u64 addend = (op & 1) && !f.is_nan(c) ? c ^ f.sign() : c;
    Result want = joined(product, reference::add(f, product.value, addend, m));
    if ((op & 2) && !f.is_nan(want.value)) want.value ^= f.sign();
    bad.compare("multiply-add", op << 2 | rm, a, b, fp_compute(0x13u << 26 | 4u << 3 | op << 3 | d, rm, a, b, c), want);
  }
  CHECK(bad.count == 0);
}

struct Cpu {
  CpuState s;
  explicit Cpu(u32 fcsr) {
    s.model = find_model("24Kf");
    s.cp0.status = status_cu1 | status_fr;
    fp_write_fcsr(s, fcsr);
  }
  u64 run(u32 insn, u32 a, u32 b = 0) {  // of singles in f2 and f4, to f6
    s.f[4] = a;
    s.f[8] = b;
    return fp_operate(&s, insn | 4 << 16 | 2 << 11 | 6 << 6, 0, 0);
  }
  u32 result() const { return s.f[12]; }
  u32 code() const { return s.cp0.cause >> 2 & 31; }
};
constexpr u32 one_s = 0x3f80'0000, three_s = 0x4040'0000, inf_s = 0x7f80'0000, least_s = 0x0080'0000;
constexpr u32 enable(u32 cause) { return cause << 7; }
constexpr u32 both(u32 cause) { return cause << 12 | cause << 2; }
}  // namespace

TEST_CASE("mips fpu: add, sub, mul, div, sqrt, recip and rsqrt of singles") {
  two_operands(reference::single, s_format);
}
TEST_CASE("mips fpu: add, sub, mul, div, sqrt, recip and rsqrt of doubles") { two_operands(reference::wide, d_format); }
TEST_CASE("mips fpu: conversions of singles") { conversions(reference::single, reference::wide, s_format, cvt_d); }
TEST_CASE("mips fpu: conversions of doubles") { conversions(reference::wide, reference::single, d_format, cvt_s); }
TEST_CASE("mips fpu: all sixteen comparisons (C.cond.fmt)") {
  comparisons(reference::single, s_format);
  comparisons(reference::wide, d_format);
}
TEST_CASE("mips fpu: multiply-add rounds the product and the sum (MADD.fmt)") {
  multiply_adds(reference::single, 0);
  multiply_adds(reference::wide, 1);
}

TEST_CASE("mips fpu: integers to floating point (CVT.S.fmt, CVT.D.fmt)") {
  Failures bad;
  std::mt19937_64 rng(3);
  for (u32 rm = 0; rm < 4; ++rm)
    for (int n = 0; n < 2000; ++n) {
      const s64 a = n < 64 ? s64((u64(1) << n) - (n & 1)) : s64(rng()) >> (rng() & 63), w = s32(a);
      bad.compare("cvt.s.w", rm, u64(a), 0, fp_compute(cop1(w_format, cvt_s), rm, u32(a), 0, 0),
                  reference::from_integer(reference::single, w, Mode{rm}));
      bad.compare("cvt.d.w", rm, u64(a), 0, fp_compute(cop1(w_format, cvt_d), rm, u32(a), 0, 0),
                  reference::from_integer(reference::wide, w, Mode{rm}));
      bad.compare("cvt.s.l", rm, u64(a), 0, fp_compute(cop1(l_format, cvt_s), rm, u64(a), 0, 0),
                  reference::from_integer(reference::single, a, Mode{rm}));
      bad.compare("cvt.d.l", rm, u64(a), 0, fp_compute(cop1(l_format, cvt_d), rm, u64(a), 0, 0),
                  reference::from_integer(reference::wide, a, Mode{rm}));
    }
  CHECK(bad.count == 0);
}

TEST_CASE(
    "mips fpu: a signalling NaN, whose top fraction bit is set, gives the default NaN; else the first operand (volume "
    "I 5.8.1)") {
  CHECK(fp_compute(cop1(s_format, add_), 0, 0x7fc0'0000, 0x7f80'0001, 0).value == 0x7fbf'ffff);
  CHECK(fp_compute(cop1(s_format, add_), 0, one_s, 0xff80'0001, 0).value == 0xff80'0001);
  CHECK(fp_compute(cop1(s_format, mul_), 0, 0x7f80'0002, 0xff80'0001, 0).value == 0x7f80'0002);
  CHECK(fp_compute(cop1(d_format, sub_), 0, 0x7ff8'0000'0000'0000, 0, 0).value == 0x7ff7'ffff'ffff'ffff);
  for (const u32 f : {abs_, neg_}) {
    CHECK(fp_compute(cop1(s_format, f), 0, 0x7fc0'0000, 0, 0).cause == fp_invalid);
    CHECK(fp_compute(cop1(s_format, f), 0, 0x7f80'0001, 0, 0).cause == 0);
  }
  CHECK(fp_compute(cop1(s_format, neg_), 0, one_s, 0, 0).value == (one_s | 1u << 31));
  CHECK(fp_compute(cop1(s_format, abs_), 0, one_s | 1u << 31, 0, 0).value == one_s);
}

TEST_CASE("mips fpu: Cause is each operation's own, Flags stay (volume I 5.6.5)") {
  Cpu c(0);
  CHECK(c.run(cop1(s_format, div_), one_s, 0) == 0);
  CHECK(c.result() == inf_s);
  CHECK(fp_read_fcsr(c.s) == both(fp_zero_divide));
  c.run(cop1(s_format, div_), one_s, three_s);
  CHECK(fp_read_fcsr(c.s) == (fp_inexact << 12 | fp_inexact << 2 | fp_zero_divide << 2));
  CHECK(c.s.fp_fast);
  c.run(cop1(s_format, add_), one_s, one_s);
  CHECK(fp_read_fcsr(c.s) == (fp_inexact << 2 | fp_zero_divide << 2));
}

TEST_CASE("mips fpu: an enabled exception traps: Cause is set, Flags and the result are not (volume I 5.8.1)") {
  for (const auto& [cause, function, a, b] : {std::tuple{u32(fp_invalid), sqrt_, one_s | 1u << 31, 0u},
                                              {u32(fp_zero_divide), div_, one_s, 0u},
                                              {fp_overflow | fp_inexact, mul_, inf_s - 1, inf_s - 1},
                                              {fp_underflow | fp_inexact, mul_, least_s, one_s - 1},
                                              {u32(fp_inexact), div_, one_s, three_s}})
    for (u32 bit = 1; bit <= 16; bit <<= 1) {
      if (!(cause & bit)) continue;
      Cpu c(enable(bit));
      c.s.f[12] = 77;
      CHECK(c.run(cop1(s_format, function), a, b) == accel::outcome_leave);
      CHECK(c.code() == u32(ExcCode::FPE));
      CHECK(fp_read_fcsr(c.s) == (enable(bit) | cause << 12));
      CHECK(c.result() == 77);
    }
}

TEST_CASE("mips fpu: with the underflow trap an exact denormal is underflow (volume I 5.8.1.4)") {
  Cpu c(0);
  CHECK(c.run(cop1(s_format, add_), least_s, 0x8000'0001) == 0);
  CHECK(fp_read_fcsr(c.s) == 0);
  Cpu trapping(enable(fp_underflow));
  CHECK(trapping.run(cop1(s_format, add_), least_s, 0x8000'0001) == accel::outcome_leave);
  CHECK(fp_read_fcsr(trapping.s) == (enable(fp_underflow) | fp_underflow << 12));
}

TEST_CASE("mips fpu: FS replaces tiny numbers by zero, or by the least normal away from zero (FCSR.FS)") {
  constexpr u32 minus = 1u << 31, tiny = least_s - 1;
  for (const auto& [rm, positive, negative] :
       {std::tuple{0u, 0u, minus}, {1u, 0u, minus}, {2u, least_s, minus}, {3u, 0u, least_s | minus}}) {
    Cpu c(fcsr_fs | rm);
    c.run(cop1(s_format, mul_), least_s, one_s - 1);
    CHECK(c.result() == positive);
    CHECK(fp_read_fcsr(c.s) == (fcsr_fs | rm | both(fp_underflow | fp_inexact)));
    c.run(cop1(s_format, mul_), least_s | minus, one_s - 0x0080'0000);
    CHECK(c.result() == negative);
  }
  Cpu c(fcsr_fs);
  c.run(cop1(s_format, add_), tiny, tiny);
  CHECK(c.result() == 0);
  CHECK(fp_read_fcsr(c.s) == fcsr_fs);
}

TEST_CASE("mips fpu: FCCR, FEXR and FENR are views of FCSR (volume I 5.6.2 to 5.6.4)") {
  Cpu c(0);
  CHECK(fp_write_control(&c.s, fp_fccr, 0x81, 0) == 0);
  CHECK(fp_read_fcsr(c.s) == 0x8080'0000);
  CHECK(fp_write_control(&c.s, fp_fexr, ~0u & ~(fp_unimplemented << 12), 0) == 0);
  CHECK(fp_read_fcsr(c.s) == (0x8080'0000 | 0x1f << 12 | fcsr_flags));
  CHECK(fp_write_control(&c.s, fp_fexr, 0, 0) == 0);
  CHECK(fp_write_control(&c.s, fp_fenr, ~0u, 0) == 0);
  CHECK(fp_read_fcsr(c.s) == (0x8180'0000 | fcsr_enables | fcsr_rm));
  CHECK(fp_read_control(&c.s, fp_fenr, 0, 0) == (fcsr_enables | 4 | fcsr_rm));
  CHECK(fp_read_control(&c.s, fp_fccr, 0, 0) == 0x81);
  CHECK(fp_read_control(&c.s, fp_fexr, 0, 0) == 0);
  CHECK(fp_read_control(&c.s, fp_fir, 0, 0) == 0x0073'9300);
}

TEST_CASE("mips fpu: CTC1 raises FPE for a Cause bit with its Enable, and for E always (CTC1)") {
  Cpu c(0);
  CHECK(fp_write_control(&c.s, fp_fcsr, both(fp_invalid), 0) == 0);
  CHECK(fp_write_control(&c.s, fp_fcsr, fp_overflow << 12 | enable(fp_overflow), 0) == accel::outcome_leave);
  CHECK(c.code() == u32(ExcCode::FPE));
  CHECK(fp_read_fcsr(c.s) == (fp_overflow << 12 | enable(fp_overflow)));
  CHECK(fp_write_control(&c.s, fp_fexr, fp_unimplemented << 12, 0) == accel::outcome_leave);
}

TEST_CASE("mips fpu: registers pair up with FR = 0 (volume I 5.4)") {
  Cpu c(0);
  c.s.cp0.status = status_cu1;
  c.s.f[single_slot(2, false)] = one_s;
  c.s.f[single_slot(3, false)] = three_s;
  CHECK(fp_operate(&c.s, cop1(s_format, add_) | 3 << 16 | 2 << 11 | 5 << 6, 0, 0) == 0);
  CHECK(c.s.f[double_slot(4, false) + 1] == 0x4080'0000);
}
