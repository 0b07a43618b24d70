#include "cpus/arm/vfp.hpp"

#include "cpus/arm/models.hpp"
#include "cpus/host_fp.hpp"

namespace arm {
namespace {
using namespace host_fp;
using host_fp::Bits;

// Registers in a vector bank.
template <class F>
inline constexpr unsigned bank = sizeof(F) == 4 ? 8 : 4;
template <class F>
inline constexpr Bits<F> default_nan = infinity<F> | quiet_bit<F>;

template <class F>
constexpr bool is_signalling(Bits<F> a) { return is_nan<F>(a) && !(a & quiet_bit<F>); }

// FPSCR.RMode: nearest, up, down, zero.
constexpr Rounding rounding(u32 fpscr) {
  constexpr Rounding modes[] = {Rounding::nearest, Rounding::up, Rounding::down, Rounding::zero};
  return modes[fpscr >> 22 & 3];
}

// Flush-to-zero, operand side (§C3.2.2): a denormal counts as a zero of its sign.
template <class F>
Bits<F> flushed_input(Bits<F> a, u32 fpscr, u32& flags) {
  if (!(fpscr & fpscr_fz) || !is_denormal<F>(a)) return a;
  flags |= fpscr_idc;
  return a & sign_bit<F>;
}

// The NaN that an operation with a NaN operand gives (§C2.5.5): the first signalling one, else the first one, made
// quiet; or the default NaN.
template <class F>
Bits<F> propagate(Bits<F> a, Bits<F> b, u32 fpscr, u32& flags) {
  const bool signalling = is_signalling<F>(a) || is_signalling<F>(b);
  if (signalling) flags |= fpscr_ioc;
  if (fpscr & fpscr_dn) return default_nan<F>;
  const bool first = signalling ? is_signalling<F>(a) : is_nan<F>(a);
  return (first ? a : b) | quiet_bit<F>;
}

// Runs `op`, which gives an F from opaque operands, and turns what the host says into what VFP says.  Operands are
// not NaN.  The host finds tininess after rounding, VFP before (§C2.6.2): they differ when the result is the least
// normal number, and then rounding toward zero tells.
template <class F, class Op>
Bits<F> compute(u32 fpscr, u32& flags, Op op) {
  HostFp host(rounding(fpscr));
  const Bits<F> r = bits<F>(op());
  const u32 raised = host.flags();
  if (raised & host_invalid) {
    flags |= fpscr_ioc;
    return default_nan<F>;
  }
  bool tiny = is_denormal<F>(r) || (raised & host_underflow);
  if (magnitude<F>(r) == min_normal<F> && (raised & host_inexact)) {
    host.round(Rounding::zero);
    tiny = magnitude<F>(bits<F>(op())) < min_normal<F>;
  }
  if (tiny && (fpscr & fpscr_fz)) {  // flushed results are not inexact (§C3.2.2)
    flags |= fpscr_ufc;
    return r & sign_bit<F>;
  }
  flags |= fpscr_flags_of_mxcsr(raised);
  if (tiny && (raised & host_inexact)) flags |= fpscr_ufc;
  return r;
}

template <class F, class Op>
[[gnu::noinline]] Bits<F> binary_slow(CpuState& s, Bits<F> a, Bits<F> b, Op op) noexcept {
  const u32 fpscr = s.vfp.fpscr;
  u32 flags = 0;
  a = flushed_input<F>(a, fpscr, flags);
  b = flushed_input<F>(b, fpscr, flags);
  const Bits<F> r = is_nan<F>(a) || is_nan<F>(b) ? propagate<F>(a, b, fpscr, flags)
                                                 : compute<F>(fpscr, flags, [&] {
                                                     F x = value<F>(a), y = value<F>(b);
                                                     pin(x);
                                                     pin(y);
                                                     F z = op(x, y);
                                                     pin(z);
                                                     return z;
                                                   });
  s.vfp.fpscr |= flags;
  return r;
}

// With round to nearest, no flushing and IXC set already, an ordinary result raises no flag that is not there.
bool flags_settled(const CpuState& s) {
  return (s.vfp.fpscr & (fpscr_rmode | fpscr_fz | fpscr_ixc)) == fpscr_ixc;
}

// Finite and above the least normal number: neither overflow nor underflow nor NaN.
template <class F>
constexpr bool is_ordinary(Bits<F> r) {
  return magnitude<F>(r) - min_normal<F> - 1 < infinity<F> - min_normal<F> - 1;
}

// An infinite result is exact if an operand is infinite; else it overflowed, or something was divided by zero.
template <class F, class Op>
Bits<F> infinite(CpuState& s, Bits<F> a, Bits<F> b, Bits<F> r) {
  if (magnitude<F>(a) != infinity<F> && magnitude<F>(b) != infinity<F>)
    s.vfp.fpscr |= std::is_same_v<Op, Div> && !magnitude<F>(b) ? fpscr_dzc : fpscr_ofc;
  return r;
}

// Sums are exact where they are tiny.
template <class F, class Op>
[[gnu::always_inline]] inline Bits<F> sum(CpuState& s, Bits<F> a, Bits<F> b, Op op) {
  if (flags_settled(s)) [[likely]] {
    const Bits<F> r = bits<F>(op(value<F>(a), value<F>(b)));
    if (magnitude<F>(r) < infinity<F>) [[likely]] return r;
    if (magnitude<F>(r) == infinity<F>) return infinite<F, Op>(s, a, b, r);
  }
  return binary_slow<F>(s, a, b, op);
}
// Products and quotients may underflow, or divide by zero.  A zero is exact when an operand made it.
template <class F, class Op>
[[gnu::always_inline]] inline Bits<F> product(CpuState& s, Bits<F> a, Bits<F> b, Op op) {
  if (flags_settled(s)) [[likely]] {
    const Bits<F> r = bits<F>(op(value<F>(a), value<F>(b)));
    if (is_ordinary<F>(r)) [[likely]] return r;
    if (!magnitude<F>(r) && !magnitude<F>(a)) return r;
    if (std::is_same_v<Op, Mul> && !magnitude<F>(r) && !magnitude<F>(b)) return r;
    if (magnitude<F>(r) == infinity<F>) return infinite<F, Op>(s, a, b, r);
  }
  return binary_slow<F>(s, a, b, op);
}

template <class F>
Bits<F> square_root(CpuState& s, Bits<F> a) noexcept {
  if (flags_settled(s) && a - 1 < infinity<F> - 1) [[likely]] return bits<F>(std::sqrt(value<F>(a)));
  const u32 fpscr = s.vfp.fpscr;
  u32 flags = 0;
  a = flushed_input<F>(a, fpscr, flags);
  Bits<F> r;
  if (is_nan<F>(a)) {
    r = propagate<F>(a, a, fpscr, flags);
  } else if (a > sign_bit<F>) {  // below -0
    flags |= fpscr_ioc;
    r = default_nan<F>;
  } else {
    r = compute<F>(fpscr, flags, [&] {
      F x = value<F>(a);
      pin(x);
      F z = std::sqrt(x);
      pin(z);
      return z;
    });
  }
  s.vfp.fpscr |= flags;
  return r;
}

template <class F>
void compare(CpuState& s, Bits<F> a, Bits<F> b, bool signalling) noexcept {
  u32 flags = 0, nzcv;
  a = flushed_input<F>(a, s.vfp.fpscr, flags);
  b = flushed_input<F>(b, s.vfp.fpscr, flags);
  if (is_nan<F>(a) || is_nan<F>(b)) {
    nzcv = 0b0011;
    if (signalling || is_signalling<F>(a) || is_signalling<F>(b)) flags |= fpscr_ioc;
  } else {
    const F x = value<F>(a), y = value<F>(b);
    nzcv = x == y ? 0b0110 : x < y ? 0b1000 : 0b0010;  // §C4.1, FCMP
  }
  s.vfp.nzcv = nzcv << 28;
  s.vfp.fpscr |= flags;
}

// Integer conversion by exact steps, independent of the host's rounding mode (§C4.1, FTOSI).
template <class F, bool Signed>
u32 to_integer(CpuState& s, Bits<F> a, bool truncate) noexcept {
  constexpr s64 least = Signed ? -s64(0x8000'0000) : 0, most = Signed ? 0x7fff'ffff : 0xffff'ffff;
  u32 flags = 0;
  a = flushed_input<F>(a, s.vfp.fpscr, flags);
  s64 r = 0;
  if (is_nan<F>(a)) {
    flags |= fpscr_ioc;
  } else if (const double x = value<F>(a); !(std::fabs(x) < 0x1p40)) {
    flags |= fpscr_ioc;
    r = x < 0 ? least : most;
  } else {
    bool inexact;
    r = to_s64(x, truncate ? Rounding::zero : rounding(s.vfp.fpscr), inexact);
    if (r < least || r > most) {
      flags |= fpscr_ioc;
      r = r < least ? least : most;
    } else if (inexact) {
      flags |= fpscr_ixc;
    }
  }
  s.vfp.fpscr |= flags;
  return u32(r);
}

u32 single_from_integer(CpuState& s, s64 a) noexcept {
  u32 flags = 0;
  const u32 r = compute<float>(s.vfp.fpscr, flags, [&] {
    double x = double(a);
    pin(x);
    float z = float(x);
    pin(z);
    return z;
  });
  s.vfp.fpscr |= flags;
  return r;
}

// Register numbers are S0…S31 or D0…D15.
template <class F>
Bits<F> get(const CpuState& s, unsigned n) {
  if constexpr (sizeof(F) == 4) return s.vfp.s[n];
  else return load_le<u64>(&s.vfp.s[2 * n]);
}
template <class F>
void set(CpuState& s, unsigned n, Bits<F> v) {
  if constexpr (sizeof(F) == 4) s.vfp.s[n] = v;
  else store_le(&s.vfp.s[2 * n], v);
}

// The next element of a vector: register banks wrap around (§C5.2.1).
template <class F>
unsigned advance(unsigned n, unsigned stride) {
  constexpr unsigned in_bank = bank<F> - 1;
  return (n & ~in_bank) | ((n + stride) & in_bank);
}

// Fields of a CDP: the register fields of either size, and the opcode p q r s (§C3.1, table C3-1).
struct Fields {
  u32 d, n, m, opcode;
};
template <class F>
Fields fields_of(u32 w) {
  const u32 opcode = (w >> 20 & 8) | (w >> 19 & 6) | (w >> 6 & 1);
  if constexpr (sizeof(F) == 4)
    return {(w >> 11 & 0x1e) | (w >> 22 & 1), (w >> 15 & 0x1e) | (w >> 7 & 1), (w << 1 & 0x1e) | (w >> 5 & 1), opcode};
  else return {w >> 12 & 0xf, w >> 16 & 0xf, w & 0xf, opcode};
}
constexpr u32 extension = 0b1111;
enum Extension : u32 {  // Fn:N (table C3-2)
  fcpy = 0x00, fabs_ = 0x01, fneg = 0x02, fsqrt = 0x03, fcmp = 0x08, fcmpe = 0x09, fcmpz = 0x0a, fcmpez = 0x0b,
  fcvt = 0x0f, fuito = 0x10, fsito = 0x11, ftoui = 0x18, ftouiz = 0x19, ftosi = 0x1a, ftosiz = 0x1b,
};

template <class F>
Bits<F> add(CpuState& s, Bits<F> a, Bits<F> b) { return sum<F>(s, a, b, Add{}); }
template <class F>
Bits<F> mul(CpuState& s, Bits<F> a, Bits<F> b) { return product<F>(s, a, b, Mul{}); }

template <class F>
Bits<F> two_operands(CpuState& s, u32 opcode, Bits<F> d, Bits<F> n, Bits<F> m) {
  constexpr Bits<F> minus = sign_bit<F>;
  switch (opcode) {
    case 0b0000: return add<F>(s, d, mul<F>(s, n, m));                   // FMAC
    case 0b0001: return add<F>(s, d, mul<F>(s, n, m) ^ minus);           // FNMAC
    case 0b0010: return add<F>(s, d ^ minus, mul<F>(s, n, m));           // FMSC
    case 0b0011: return add<F>(s, d ^ minus, mul<F>(s, n, m) ^ minus);   // FNMSC
    case 0b0100: return mul<F>(s, n, m);                                 // FMUL
    case 0b0101: return mul<F>(s, n, m) ^ minus;                         // FNMUL
    case 0b0110: return add<F>(s, n, m);                                 // FADD
    case 0b0111: return sum<F>(s, n, m, Sub{});                          // FSUB
    case 0b1000: return product<F>(s, n, m, Div{});                      // FDIV
    default: return d;
  }
}

template <class F>
Bits<F> one_operand(CpuState& s, u32 op, Bits<F> m) {
  switch (op) {
    case fcpy: return m;
    case fabs_: return m & ~sign_bit<F>;
    case fneg: return m ^ sign_bit<F>;
    default: return square_root<F>(s, m);
  }
}

// Vectors (§C5.1): a destination in bank 0 makes the operation scalar; else a second operand in bank 0 is a scalar
// for every element.  A vector that does not fit its bank, and the reserved strides, are UNPREDICTABLE.
template <class F>
void arithmetic(CpuState& s, const Fields& f, u32 op) {
  unsigned d = f.d, n = f.n, m = f.m, left = 1, stride = 0, stride_m = 0;
  if (const u32 len = s.vfp.fpscr & fpscr_len; len && d >= bank<F>) {
    left = 1 + (len >> 16);
    stride = 1 + (s.vfp.fpscr >> 21 & 1);
    if (m >= bank<F>) stride_m = stride;
  }
  for (;;) {
    const Bits<F> r = f.opcode == extension ? one_operand<F>(s, op, get<F>(s, m))
                                            : two_operands<F>(s, f.opcode, get<F>(s, d), get<F>(s, n), get<F>(s, m));
    set<F>(s, d, r);
    if (--left == 0) return;
    d = advance<F>(d, stride);
    n = advance<F>(n, stride);
    m = advance<F>(m, stride_m);
  }
}

// The conversions and comparisons, which are scalar always.  Single registers of a double operation are named like
// those of a single one.
template <class F>
void scalar_extension(CpuState& s, u32 w, const Fields& f, u32 op) {
  constexpr bool single = sizeof(F) == 4;
  const Fields f32 = fields_of<float>(w);
  const Bits<F> m = get<F>(s, f.m);
  switch (op) {
    case fcmp: case fcmpe: compare<F>(s, get<F>(s, f.d), m, op == fcmpe); return;
    case fcmpz: case fcmpez: compare<F>(s, get<F>(s, f.d), 0, op == fcmpez); return;
    case fcvt:
      if constexpr (single) set<double>(s, w >> 12 & 0xf, vfp_widen(s, m));
      else s.vfp.s[f32.d] = vfp_narrow(s, m);
      return;
    case fuito: case fsito: {
      const u32 i = s.vfp.s[f32.m];
      if constexpr (single) s.vfp.s[f.d] = op == fsito ? vfp_from_s32_to32(s, i) : vfp_from_u32_to32(s, i);
      else set<double>(s, f.d, op == fsito ? vfp_from_s32_to64(s, i) : vfp_from_u32_to64(s, i));
      return;
    }
    case ftoui: case ftouiz: s.vfp.s[f32.d] = to_integer<F, false>(s, m, op == ftouiz); return;
    case ftosi: case ftosiz: s.vfp.s[f32.d] = to_integer<F, true>(s, m, op == ftosiz); return;
    default: return;  // not defined: the decoder does not let it through
  }
}

template <class F>
void data_processing(CpuState& s, u32 w) {
  const Fields f = fields_of<F>(w);
  const u32 op = (w >> 15 & 0x1e) | (w >> 7 & 1);
  if (f.opcode != extension || op <= fsqrt) arithmetic<F>(s, f, op);
  else scalar_extension<F>(s, w, f, op);
}

bool accessible(const CpuState& s, u32 reg) {
  if (s.model && !s.model->vfp) return false;
  switch (reg) {
    case vfp_fpsid: return vfp_enabled(s) || privileged(s);
    case vfp_fpscr: return vfp_enabled(s);
    case vfp_fpexc:
    case vfp_fpinst:
    case vfp_fpinst2: return privileged(s);
    default: return false;
  }
}
}  // namespace

void vfp_data_processing(CpuState& s, u32 insn) noexcept {
  if (insn & 0x100) data_processing<double>(s, insn);
  else data_processing<float>(s, insn);
  vfp_settle(s);
}

u32 vfp_read_system(CpuState& s, u32 reg, bool& ok) noexcept {
  ok = accessible(s, reg);
  if (!ok) return 0;
  switch (reg) {
    case vfp_fpsid: return s.vfp.fpsid;
    case vfp_fpscr: return read_fpscr(s);
    case vfp_fpexc: return s.vfp.fpexc;
    case vfp_fpinst: return s.vfp.fpinst;
    default: return s.vfp.fpinst2;
  }
}

bool vfp_write_system(CpuState& s, u32 reg, u32 value) noexcept {
  if (!accessible(s, reg)) return false;
  switch (reg) {
    case vfp_fpscr: write_fpscr(s, value); break;
    case vfp_fpexc: s.vfp.fpexc = value & fpexc_en; break;  // EX is never set: nothing bounces
    case vfp_fpinst: s.vfp.fpinst = value; break;
    case vfp_fpinst2: s.vfp.fpinst2 = value; break;
    default: break;  // FPSID is read-only
  }
  vfp_settle(s);
  return true;
}

u32 vfp_add32(CpuState& s, u32 a, u32 b) noexcept { return add<float>(s, a, b); }
u32 vfp_sub32(CpuState& s, u32 a, u32 b) noexcept { return sum<float>(s, a, b, Sub{}); }
u32 vfp_mul32(CpuState& s, u32 a, u32 b) noexcept { return mul<float>(s, a, b); }
u32 vfp_div32(CpuState& s, u32 a, u32 b) noexcept { return product<float>(s, a, b, Div{}); }
u32 vfp_sqrt32(CpuState& s, u32 a) noexcept { return square_root<float>(s, a); }
u64 vfp_add64(CpuState& s, u64 a, u64 b) noexcept { return add<double>(s, a, b); }
u64 vfp_sub64(CpuState& s, u64 a, u64 b) noexcept { return sum<double>(s, a, b, Sub{}); }
u64 vfp_mul64(CpuState& s, u64 a, u64 b) noexcept { return mul<double>(s, a, b); }
u64 vfp_div64(CpuState& s, u64 a, u64 b) noexcept { return product<double>(s, a, b, Div{}); }
u64 vfp_sqrt64(CpuState& s, u64 a) noexcept { return square_root<double>(s, a); }

void vfp_compare32(CpuState& s, u32 a, u32 b, bool signalling) noexcept { compare<float>(s, a, b, signalling); }
void vfp_compare64(CpuState& s, u64 a, u64 b, bool signalling) noexcept { compare<double>(s, a, b, signalling); }

// A NaN keeps its sign and the top of its payload (§C2.5.5).
u64 vfp_widen(CpuState& s, u32 a) noexcept {
  u32 flags = 0;
  a = flushed_input<float>(a, s.vfp.fpscr, flags);
  u64 r;
  if (is_nan<float>(a)) {
    a = propagate<float>(a, a, s.vfp.fpscr, flags);
    r = u64(a & sign_bit<float>) << 32 | infinity<double> | u64(a & (min_normal<float> - 1)) << 29;
  } else {
    r = bits<double>(value<float>(a));
  }
  s.vfp.fpscr |= flags;
  return r;
}

u32 vfp_narrow(CpuState& s, u64 a) noexcept {
  u32 flags = 0, r = bits(float(value<double>(a)));
  if (flags_settled(s) && is_ordinary<float>(r)) [[likely]] return r;
  a = flushed_input<double>(a, s.vfp.fpscr, flags);
  if (is_nan<double>(a)) {
    a = propagate<double>(a, a, s.vfp.fpscr, flags);
    r = u32(a >> 32 & sign_bit<float>) | infinity<float> | u32(a >> 29 & (min_normal<float> - 1));
  } else {
    r = compute<float>(s.vfp.fpscr, flags, [&] {
      double x = value<double>(a);
      pin(x);
      float z = float(x);
      pin(z);
      return z;
    });
  }
  s.vfp.fpscr |= flags;
  return r;
}

u32 vfp_to_s32_from32(CpuState& s, u32 a, bool truncate) noexcept { return to_integer<float, true>(s, a, truncate); }
u32 vfp_to_u32_from32(CpuState& s, u32 a, bool truncate) noexcept { return to_integer<float, false>(s, a, truncate); }
u32 vfp_to_s32_from64(CpuState& s, u64 a, bool truncate) noexcept { return to_integer<double, true>(s, a, truncate); }
u32 vfp_to_u32_from64(CpuState& s, u64 a, bool truncate) noexcept { return to_integer<double, false>(s, a, truncate); }

// 24 bits fit a single exactly; the common small integers need no look at MXCSR.
u32 vfp_from_s32_to32(CpuState& s, u32 a) noexcept {
  if (a + 0x100'0000 <= 0x200'0000) return bits(float(s32(a)));
  return single_from_integer(s, s32(a));
}
u32 vfp_from_u32_to32(CpuState& s, u32 a) noexcept {
  if (a <= 0x100'0000) return bits(float(s32(a)));
  return single_from_integer(s, s64(a));
}
u64 vfp_from_s32_to64(CpuState&, u32 a) noexcept { return bits(double(s32(a))); }
u64 vfp_from_u32_to64(CpuState&, u32 a) noexcept { return bits(double(a)); }
}  // namespace arm
