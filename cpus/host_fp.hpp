#pragma once
// IEEE 754 arithmetic on the host's SSE unit, for guests' floating-point units: formats as bits, and a scope in which
// the host rounds as the guest does and collects exceptions.  What a NaN or a tiny result means is the guest's
// business.

#include "core/base.hpp"

#include <bit>
#include <cmath>

#include <xmmintrin.h>

namespace host_fp {
using namespace core;

template <class F>
struct Format;
template <>
struct Format<float> {
  using Bits = u32;
  static constexpr unsigned fraction = 23;
};
template <>
struct Format<double> {
  using Bits = u64;
  static constexpr unsigned fraction = 52;
};
template <class F>
using Bits = typename Format<F>::Bits;

template <class F>
inline constexpr Bits<F> sign_bit = Bits<F>(1) << (8 * sizeof(F) - 1);
template <class F>
inline constexpr Bits<F> min_normal = Bits<F>(1) << Format<F>::fraction;
template <class F>
inline constexpr Bits<F> quiet_bit = min_normal<F> >> 1;  // of a NaN; older MIPS give it the opposite sense
template <class F>
inline constexpr Bits<F> infinity = Bits<F>(~sign_bit<F>) & ~(min_normal<F> - 1);

template <class F>
constexpr Bits<F> magnitude(Bits<F> a) {
  return a & ~sign_bit<F>;
}
template <class F>
constexpr bool is_nan(Bits<F> a) {
  return magnitude<F>(a) > infinity<F>;
}
template <class F>
constexpr bool is_denormal(Bits<F> a) {
  return magnitude<F>(a) - 1 < min_normal<F> - 1;
}

template <class F>
F value(Bits<F> a) {
  return std::bit_cast<F>(a);
}
template <class F>
Bits<F> bits(F a) {
  return std::bit_cast<Bits<F>>(a);
}

// Keeps the compiler from moving arithmetic over the changes of MXCSR around it.
template <class F>
[[gnu::always_inline]] inline void pin(F& a) {
  asm volatile("" : "+x"(a) : : "memory");
}

// MXCSR.RC
enum class Rounding : u32 { nearest, down, up, zero };
// MXCSR's exception flags; underflow is tiny after rounding, and inexact.
inline constexpr u32 host_invalid = 1 << 0, host_zero_divide = 1 << 2, host_overflow = 1 << 3, host_underflow = 1 << 4,
                     host_inexact = 1 << 5;

// The host in a rounding mode, with clear flags at first; after that it rounds to nearest again, as everybody else here expects.
// MXCSR is written only where that changes something, since a change takes some hosts 50 ns.
class HostFp {
 public:
  explicit HostFp(Rounding r) { round(r); }
  HostFp(const HostFp&) = delete;
  HostFp& operator=(const HostFp&) = delete;
  ~HostFp() {
    if (set_ != plain) _mm_setcsr(plain);
  }
  u32 flags() const { return _mm_getcsr() & 0x3f; }
  void round(Rounding r) {
    set_ = plain | u32(r) << 13;
    if (_mm_getcsr() != set_) _mm_setcsr(set_);
  }

 private:
  static constexpr u32 plain = 0x1f80;  // what programs begin with: to nearest, exceptions masked
  u32 set_ = plain;
};

struct Add {
  template <class F>
  F operator()(F a, F b) const {
    return a + b;
  }
};
struct Sub {
  template <class F>
  F operator()(F a, F b) const {
    return a - b;
  }
};
struct Mul {
  template <class F>
  F operator()(F a, F b) const {
    return a * b;
  }
};
struct Div {
  template <class F>
  F operator()(F a, F b) const {
    return a / b;
  }
};

// The integer at x, |x| < 2^63, by exact steps that no rounding mode of the host changes.
inline s64 to_s64(double x, Rounding r, bool& inexact) {
  s64 n = s64(x);
  const double rest = x - double(n);  // of x's sign
  inexact = rest != 0;
  switch (r) {
    case Rounding::nearest: {
      const double half = std::fabs(rest);
      if (half > 0.5 || (half == 0.5 && (n & 1))) n += rest < 0 ? -1 : 1;
      break;
    }
    case Rounding::up: n += rest > 0; break;
    case Rounding::down: n -= rest < 0; break;
    case Rounding::zero: break;
  }
  return n;
}
}  // namespace host_fp
