#include "cpus/mips/fpu.hpp"

#include "cpus/host_fp.hpp"
#include "cpus/mips/models.hpp"

#include <cstring>

namespace mips {
namespace {
using namespace host_fp;
using host_fp::Bits;

// Fields of an instruction word (volume II, §3).
enum Format_field : u32 { fmt_s = 16, fmt_d = 17, fmt_w = 20, fmt_l = 21 };
enum Function : u32 {
  f_add,
  f_sub,
  f_mul,
  f_div,
  f_sqrt,
  f_abs,
  f_mov,
  f_neg,
  f_round_l,
  f_trunc_l,
  f_ceil_l,
  f_floor_l,
  f_round_w,
  f_trunc_w,
  f_ceil_w,
  f_floor_w, f_movcf = 0x11, f_movz, f_movn, f_recip = 0x15,
  f_rsqrt,
  f_cvt_s = 0x20,
  f_cvt_d,
  f_cvt_w = 0x24,
  f_cvt_l,
  f_compare = 0x30
};
constexpr u32 opcode_cop1x = 0x13;
constexpr u32 format_of(u32 w) { return w >> 21 & 31; }
constexpr u32 function_of(u32 w) { return w & 63; }
constexpr bool is_cop1x(u32 w) { return w >> 26 == opcode_cop1x; }

template <class F>
inline constexpr Bits<F> default_nan = infinity<F> | (quiet_bit<F> - 1);  // 0x7FBFFFFF, 0x7FF7FFFFFFFFFFFF
template <class F>
constexpr bool is_signalling(Bits<F> a) {
  return is_nan<F>(a) && (a & quiet_bit<F>);
}

// FCSR.RM: nearest, zero, up, down.
constexpr Rounding rounding(u32 fcsr) {
  constexpr Rounding modes[] = {Rounding::nearest, Rounding::zero, Rounding::up, Rounding::down};
  return modes[fcsr & fcsr_rm];
}

// One instruction being computed: the modes it runs under, and the Cause bits so far.
class Unit {
 public:
  explicit Unit(u32 fcsr) : fcsr_(fcsr) {}
  u32 cause = 0;

  template <class F>
  Bits<F> operand(Bits<F> a) const {
    return (fcsr_ & fcsr_fs) && is_denormal<F>(a) ? a & sign_bit<F> : a;
  }

  template <class F, class Op>
  Bits<F> binary(Bits<F> a, Bits<F> b, Op op) {
    a = operand<F>(a);
    b = operand<F>(b);
    if (is_nan<F>(a) || is_nan<F>(b)) return propagate<F>(a, b);
    return rounded<F>([&] {
      F x = value<F>(a), y = value<F>(b);
      pin(x);
      pin(y);
      F z = op(x, y);
      pin(z);
      return z;
    });
  }

  template <class F>
  Bits<F> square_root(Bits<F> a) {
    a = operand<F>(a);
    if (is_nan<F>(a)) return propagate<F>(a, a);
    if (a > sign_bit<F>) return invalid<F>();
    return rounded<F>([&] {
      F x = value<F>(a);
      pin(x);
      F z = std::sqrt(x);
      pin(z);
      return z;
    });
  }

  // ABS and NEG are arithmetic: a signalling NaN is invalid (volume II, ABS.fmt).
  template <class F>
  Bits<F> with_sign(Bits<F> a, Bits<F> sign) {
    a = operand<F>(a);
    return is_signalling<F>(a) ? invalid<F>() : magnitude<F>(a) | sign;
  }

  // c.cond (volume II, C.cond.fmt): condition bit 0 unordered, 1 equal, 2 less, 3 every NaN is invalid.
  template <class F>
  bool compare(Bits<F> a, Bits<F> b, u32 condition) {
    a = operand<F>(a);
    b = operand<F>(b);
    if (is_nan<F>(a) || is_nan<F>(b)) {
      if ((condition & 8) || is_signalling<F>(a) || is_signalling<F>(b)) cause |= fp_invalid;
      return condition & 1;
    }
    const F x = value<F>(a), y = value<F>(b);
    return ((condition & 2) && x == y) || ((condition & 4) && x < y);
  }

  // S to D and back.  A NaN keeps its sign and the top of its fraction; where that is nothing, it becomes the default.
  u64 widen(u32 a) {
    a = operand<float>(a);
    if (is_signalling<float>(a)) return invalid<double>();
    if (!is_nan<float>(a)) return bits(double(value<float>(a)));
    return u64(a & sign_bit<float>) << 32 | infinity<double> | u64(a & (min_normal<float> - 1)) << 29;
  }
  u32 narrow(u64 a) {
    a = operand<double>(a);
    if (is_signalling<double>(a)) return invalid<float>();
    if (is_nan<double>(a)) {
      const u32 fraction = u32(a >> 29) & (min_normal<float> - 1);
      return fraction ? u32(a >> 32 & sign_bit<float>) | infinity<float> | fraction : default_nan<float>;
    }
    return rounded<float>([&] {
      double x = value<double>(a);
      pin(x);
      float z = float(x);
      pin(z);
      return z;
    });
  }

  // To W and L: what does not fit is invalid and gives the greatest integer (volume II, CVT.W.fmt).
  template <class F, class Integer>
  u64 to_integer(Bits<F> a, Rounding mode) {
    constexpr Integer greatest = std::numeric_limits<Integer>::max(), least = std::numeric_limits<Integer>::min();
    const auto unsigned_bits = [](s64 v) { return u64(std::make_unsigned_t<Integer>(v)); };
    a = operand<F>(a);
    const double x = is_nan<F>(a) ? 0x1p63 : double(value<F>(a));
    if (std::fabs(x) >= 0x1p63) {
      if (x == -0x1p63 && sizeof(Integer) == 8) return unsigned_bits(least);
      cause |= fp_invalid;
      return unsigned_bits(greatest);
    }
    bool inexact;
    const s64 n = to_s64(x, mode, inexact);
    if (n < least || n > greatest) {
      cause |= fp_invalid;
      return unsigned_bits(greatest);
    }
    if (inexact) cause |= fp_inexact;
    return unsigned_bits(n);
  }
  template <class F>
  Bits<F> from_integer(s64 a) {
    return rounded<F>([&] {
      asm volatile("" : "+r"(a) : : "memory");
      F z = F(a);
      pin(z);
      return z;
    });
  }

 private:
  template <class F>
  Bits<F> invalid() {
    cause |= fp_invalid;
    return default_nan<F>;
  }
  template <class F>
  Bits<F> propagate(Bits<F> a, Bits<F> b) {
    if (is_signalling<F>(a) || is_signalling<F>(b)) return invalid<F>();
    return is_nan<F>(a) ? a : b;
  }

  // Runs `op`, whose operands are not NaN, in the guest's rounding mode, and translates what the host raises.  The host
  // raises underflow when a tiny result is inexact; with the trap enabled tininess alone is underflow (§5.8.1.4).
  template <class F, class Op>
  Bits<F> rounded(Op op) {
    Bits<F> r;
    u32 raised;
    {
      const HostFp host(rounding(fcsr_));
      r = bits<F>(op());
      raised = host.flags();
    }
    if (raised & host_invalid) return invalid<F>();
    const bool tiny = is_denormal<F>(r) || (raised & host_underflow);
    if (raised & host_inexact) cause |= fp_inexact;
    if (raised & host_overflow) cause |= fp_overflow;
    if (raised & host_zero_divide) cause |= fp_zero_divide;
    if (tiny && ((raised & host_inexact) || (fcsr_ & fp_underflow << 7))) cause |= fp_underflow;
    return tiny && (fcsr_ & fcsr_fs) ? flushed<F>(r) : r;
  }
  template <class F>
  Bits<F> flushed(Bits<F> r) {
    cause |= fp_underflow | fp_inexact;
    const Bits<F> sign = r & sign_bit<F>;
    const bool away = rounding(fcsr_) == (sign ? Rounding::down : Rounding::up);
    return away ? sign | min_normal<F> : sign;
  }

  u32 fcsr_;
};

template <class F>
u64 one_format(Unit& u, u32 w, u32 fcsr, Bits<F> a, Bits<F> b) {
  constexpr Bits<F> one = sizeof(F) == 4 ? Bits<F>(0x3f80'0000) : Bits<F>(0x3ff0'0000'0000'0000);
  switch (const u32 f = function_of(w)) {
    case f_add: return u.binary<F>(a, b, Add{});
    case f_sub: return u.binary<F>(a, b, Sub{});
    case f_mul: return u.binary<F>(a, b, Mul{});
    case f_div: return u.binary<F>(a, b, Div{});
    case f_sqrt: return u.square_root<F>(a);
    case f_abs: return u.with_sign<F>(a, 0);
    case f_neg: return u.with_sign<F>(a, ~a & sign_bit<F>);
    case f_round_l: return u.to_integer<F, s64>(a, Rounding::nearest);
    case f_trunc_l: return u.to_integer<F, s64>(a, Rounding::zero);
    case f_ceil_l: return u.to_integer<F, s64>(a, Rounding::up);
    case f_floor_l: return u.to_integer<F, s64>(a, Rounding::down);
    case f_cvt_l: return u.to_integer<F, s64>(a, rounding(fcsr));
    case f_round_w: return u.to_integer<F, s32>(a, Rounding::nearest);
    case f_trunc_w: return u.to_integer<F, s32>(a, Rounding::zero);
    case f_ceil_w: return u.to_integer<F, s32>(a, Rounding::up);
    case f_floor_w: return u.to_integer<F, s32>(a, Rounding::down);
    case f_cvt_w: return u.to_integer<F, s32>(a, rounding(fcsr));
    case f_recip: return u.binary<F>(one, a, Div{});
    case f_rsqrt: return u.binary<F>(one, u.square_root<F>(a), Div{});
    case f_cvt_d:
      if constexpr (sizeof(F) == 4) return u.widen(a);
      return a;
    case f_cvt_s:
      if constexpr (sizeof(F) == 8) return u.narrow(a);
      return a;
    default: return f >= f_compare ? u.compare<F>(a, b, f & 15) : a;
  }
}

// MADD, MSUB, NMADD and NMSUB: product and sum round each (volume II, MADD.fmt).
template <class F>
u64 multiply_add(Unit& u, u32 w, Bits<F> a, Bits<F> b, Bits<F> c) {
  const bool subtract = w >> 3 & 1, negate = w >> 4 & 1;
  const Bits<F> product = u.binary<F>(a, b, Mul{});
  const Bits<F> sum = subtract ? u.binary<F>(product, c, Sub{}) : u.binary<F>(product, c, Add{});
  return negate && !is_nan<F>(sum) ? sum ^ sign_bit<F> : sum;
}

// The sizes of what an instruction works on.
bool source_is_wide(u32 w) { return is_cop1x(w) ? w & 1 : format_of(w) & 1; }
bool result_is_wide(u32 w) {
  if (is_cop1x(w)) return w & 1;
  const u32 f = function_of(w);
  if (f >= f_round_l && f <= f_floor_l) return true;
  if (f >= f_round_w && f <= f_floor_w) return false;
  return f >= f_cvt_s && f < f_compare ? f & 1 : format_of(w) & 1;
}

u64 get(const CpuState& s, u32 n, bool wide, bool fr) {
  if (!wide) return s.f[single_slot(n, fr)];
  return load_le<u64>(&s.f[double_slot(n, fr)]);
}
void set(CpuState& s, u32 n, bool wide, bool fr, u64 v) {
  if (wide) store_le(&s.f[double_slot(n, fr)], v);
  else s.f[single_slot(n, fr)] = u32(v);
}

// MOV.fmt, and the conditional moves where the condition holds: not arithmetic, so FCSR stays.
bool is_move(u32 w) {
  const u32 f = function_of(w);
  return !is_cop1x(w) && (f == f_mov || (f >= f_movcf && f <= f_movn));
}

// Puts the Cause bits in FCSR.  True: one of them traps, FPE was raised, and the result must not be written.
bool conclude(CpuState& s, u32 cause) {
  s.fcsr = (s.fcsr & ~fcsr_cause) | cause << 12;
  if (cause & ((s.fcsr & fcsr_enables) >> 7 | fp_unimplemented)) {
    take_exception(s, ExcCode::FPE);
    return true;
  }
  s.fcsr |= cause << 2;
  fp_settle(s);
  return false;
}

constexpr unsigned fcc_bit(unsigned n) { return n ? 24 + n : 23; }
}  // namespace

FpResult fp_compute(u32 w, u32 fcsr, u64 a, u64 b, u64 c) noexcept {
  Unit u(fcsr);
  u64 r;
  if (is_cop1x(w)) {
    r = w & 1 ? multiply_add<double>(u, w, a, b, c) : multiply_add<float>(u, w, u32(a), u32(b), u32(c));
  } else {
    switch (format_of(w)) {
      case fmt_s: r = one_format<float>(u, w, fcsr, u32(a), u32(b)); break;
      case fmt_d: r = one_format<double>(u, w, fcsr, a, b); break;
      default: {
        const s64 n = format_of(w) == fmt_w ? s64(s32(a)) : s64(a);
        r = result_is_wide(w) ? u.from_integer<double>(n) : u.from_integer<float>(n);
      }
    }
  }
  return {r, u.cause};
}

u64 fp_operate(CpuState* state, u32 w, u32, u32) noexcept {
  CpuState& s = *state;
  const bool wide = source_is_wide(w), fr = s.cp0.status & status_fr;
  const u64 a = get(s, w >> 11 & 31, wide, fr), b = get(s, w >> 16 & 31, wide, fr);
  const u64 c = is_cop1x(w) ? get(s, w >> 21 & 31, wide, fr) : 0;
  if (is_move(w)) {
    set(s, w >> 6 & 31, wide, fr, a);
    return 0;
  }
  s.fp_last.instruction = 0;
  const FpResult r = fp_compute(w, s.fcsr, a, b, c);
  if (conclude(s, r.cause)) return accel::outcome_leave;
  if (!is_cop1x(w) && function_of(w) >= f_compare) s.fcc[w >> 8 & 7] = u32(r.value);
  else set(s, w >> 6 & 31, result_is_wide(w), fr, r.value);
  return 0;
}

u32 fp_read_fcsr(const CpuState& s) noexcept {
  u32 v = s.fcsr;
  if (const accel::FpLast& last = s.fp_last; last.instruction) {
    v &= ~fcsr_cause;
    if (last.instruction != last.exact)
      v |= fp_compute(last.instruction, s.fcsr, last.operand[0], last.operand[1], last.operand[2]).cause << 12;
  }
  for (unsigned n = 0; n < 8; ++n) v |= s.fcc[n] << fcc_bit(n);
  return v;
}

void fp_write_fcsr(CpuState& s, u32 v) noexcept {
  s.fp_last.instruction = 0;
  s.fcsr = v & (fcsr_fs | fcsr_cause | fcsr_enables | fcsr_flags | fcsr_rm);
  for (unsigned n = 0; n < 8; ++n) s.fcc[n] = v >> fcc_bit(n) & 1;
  fp_settle(s);
}

// FCCR, FEXR and FENR are views of FCSR (volume I, §5.6.2 to §5.6.4): FENR has FS in bit 2.
u64 fp_read_control(CpuState* state, u32 number, u32, u32) noexcept {
  if (number == fp_fir) return state->model->fir;
  const u32 v = fp_read_fcsr(*state);
  switch (number) {
    case fp_fccr: return (v >> 24 & 0xfe) | (v >> 23 & 1);
    case fp_fexr: return v & (fcsr_cause | fcsr_flags);
    case fp_fenr: return (v & (fcsr_enables | fcsr_rm)) | (v & fcsr_fs) >> 22;
    case fp_fcsr: return v;
    default: return 0;
  }
}

u64 fp_write_control(CpuState* state, u32 number, u32 value, u32) noexcept {
  CpuState& s = *state;
  const u32 old = fp_read_fcsr(s);
  const auto merge = [&](u32 mask, u32 v) { fp_write_fcsr(s, (old & ~mask) | (v & mask)); };
  switch (number) {
    case fp_fccr: merge(fcsr_fcc, (value & 0xfe) << 24 | (value & 1) << 23); break;
    case fp_fexr: merge(fcsr_cause | fcsr_flags, value); break;
    case fp_fenr: merge(fcsr_enables | fcsr_rm | fcsr_fs, (value & ~fcsr_fs) | (value & 4) << 22); break;
    case fp_fcsr: merge(~0u, value); break;
    default: return 0;  // FIR is read-only, and there are no others
  }
  if (((s.fcsr & fcsr_enables) >> 7 | fp_unimplemented) & s.fcsr >> 12) {
    take_exception(s, ExcCode::FPE);
    return accel::outcome_leave;
  }
  return 0;
}
}  // namespace mips
