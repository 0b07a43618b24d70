#pragma once
// IEEE 754 arithmetic in integers, one way for all operations: an exact value, or one cut off with a note that
// something is left, is rounded once.  Slow and independent of any floating-point hardware.

#include "core/base.hpp"

#include <bit>

namespace reference {
using namespace core;
using u128 = unsigned __int128;

enum Flag : u32 { inexact = 1, underflow = 2, overflow = 4, zero_divide = 8, invalid = 16 };
enum class Mode : u32 { nearest, zero, up, down };  // as in FCSR.RM

struct Shape {
  int exponent_bits, fraction_bits;
  constexpr int bias() const { return (1 << (exponent_bits - 1)) - 1; }
  constexpr u64 infinity() const { return ((u64(1) << exponent_bits) - 1) << fraction_bits; }
  constexpr u64 sign() const { return u64(1) << (exponent_bits + fraction_bits); }
  constexpr u64 quiet() const { return u64(1) << (fraction_bits - 1); }
  constexpr u64 magnitude(u64 a) const { return a & (sign() - 1); }
  constexpr bool is_nan(u64 a) const { return magnitude(a) > infinity(); }
  constexpr bool is_infinite(u64 a) const { return magnitude(a) == infinity(); }
  constexpr bool is_zero(u64 a) const { return magnitude(a) == 0; }
  constexpr bool is_signalling(u64 a) const { return is_nan(a) && (a & quiet()); }
  constexpr u64 default_nan() const { return infinity() | (quiet() - 1); }
};
inline constexpr Shape single{8, 23}, wide{11, 52};

// (-1)^negative * fraction * 2^exponent, and `sticky` when a little more than that.
struct Number {
  bool negative = false;
  u128 fraction = 0;
  int exponent = 0;
  bool sticky = false;
};

inline int top_bit(u128 v) {
  return u64(v >> 64) ? 127 - std::countl_zero(u64(v >> 64)) : 63 - std::countl_zero(u64(v));
}

inline Number unpack(const Shape& f, u64 a) {
  const u64 exponent = f.magnitude(a) >> f.fraction_bits, fraction = a & ((u64(1) << f.fraction_bits) - 1);
  const u64 hidden = exponent ? u64(1) << f.fraction_bits : 0;
  return {(a & f.sign()) != 0, fraction | hidden, int(exponent ? exponent : 1) - f.bias() - f.fraction_bits};
}

struct Result {
  u64 value;
  u32 flags;
  friend bool operator==(const Result&, const Result&) = default;
};

// Whether a fraction that ends in `rest` (compared with half a unit: -1, 0, 1; something when `left`) goes up by one.
inline bool goes_up(bool negative, bool odd, int half, bool left, Mode m) {
  if (!left) return false;
  switch (m) {
    case Mode::nearest: return half > 0 || (half == 0 && odd);
    case Mode::zero: return false;
    case Mode::up: return !negative;
    default: return negative;
  }
}

// To a multiple of 2^unit.
struct Cut {
  u128 fraction;
  bool inexact;
};
inline Cut cut(const Number& n, int unit, Mode m) {
  const int drop = unit - n.exponent;
  if (drop <= 0) return {n.fraction << -drop, n.sticky};
  const u128 kept = drop > 127 ? 0 : n.fraction >> drop;
  const u128 rest = drop > 127 ? n.fraction : n.fraction & ((u128(1) << drop) - 1);
  const bool left = rest != 0 || n.sticky;
  int half = -1;
  if (drop <= 127) {
    const u128 middle = u128(1) << (drop - 1);
    half = rest < middle ? -1 : rest > middle || n.sticky ? 1 : 0;
  }
  return {kept + goes_up(n.negative, kept & 1, half, left, m), left};
}

inline Result round(const Shape& f, const Number& n, Mode m) {
  const u64 sign = n.negative ? f.sign() : 0;
  if (!n.fraction) return {sign, 0};
  const int least = 1 - f.bias() - f.fraction_bits;  // exponent of the least denormal's bit
  // Tiny after rounding: with an unbounded exponent it would be below the least normal number.
  const Cut unbounded = cut(n, n.exponent + top_bit(n.fraction) - f.fraction_bits, m);
  const int unbounded_exponent = n.exponent + top_bit(n.fraction) - f.fraction_bits;
  const bool tiny = unbounded_exponent + top_bit(unbounded.fraction) < 1 - f.bias();
  const int unit = unbounded_exponent < least ? least : unbounded_exponent;
  const Cut c = cut(n, unit, m);
  u32 flags = c.inexact ? u32(inexact) : 0;
  if (tiny && c.inexact) flags |= underflow;
  u64 fraction = u64(c.fraction);
  int exponent = unit - least + 1;
  if (fraction >> (f.fraction_bits + 1)) {
    fraction >>= 1;
    ++exponent;
  }
  if (!(fraction >> f.fraction_bits)) exponent = 0;
  if (exponent >= (1 << f.exponent_bits) - 1) {
    const bool to_infinity = m == Mode::nearest || m == (n.negative ? Mode::down : Mode::up);
    return {sign | (to_infinity ? f.infinity() : f.infinity() - 1), overflow | inexact};
  }
  return {sign | u64(exponent) << f.fraction_bits | (fraction & ((u64(1) << f.fraction_bits) - 1)), flags};
}

inline Result nan_of(const Shape& f, u64 a, u64 b) {
  if (f.is_signalling(a) || f.is_signalling(b)) return {f.default_nan(), invalid};
  return {f.is_nan(a) ? a : b, 0};
}

inline Result add(const Shape& f, u64 a, u64 b, Mode m) {
  if (f.is_nan(a) || f.is_nan(b)) return nan_of(f, a, b);
  if (f.is_infinite(a) && f.is_infinite(b) && a != b) return {f.default_nan(), invalid};
  if (f.is_infinite(a)) return {a, 0};
  if (f.is_infinite(b)) return {b, 0};
  Number x = unpack(f, a), y = unpack(f, b);
  if (!x.fraction && !y.fraction) return {x.negative == y.negative ? a : m == Mode::down ? f.sign() : 0, 0};
  if (!x.fraction) return {b, 0};
  if (!y.fraction) return {a, 0};
  if (x.exponent < y.exponent) std::swap(x, y);
  // The larger moves left as far as it can; what the smaller loses is far below its last bit.
  const int apart = x.exponent - y.exponent, left = apart < 70 ? apart : 70;
  x.fraction <<= left;
  x.exponent -= left;
  const int right = x.exponent - y.exponent;
  bool lost = false;
  if (right) {
    lost = true;
    y.fraction = right > 60 ? 0 : y.fraction >> right;
  }
  Number r{x.negative, 0, x.exponent, lost};
  if (x.negative == y.negative) {
    r.fraction = x.fraction + y.fraction;
  } else if (x.fraction >= y.fraction + (lost ? 1 : 0)) {
    r.fraction = x.fraction - y.fraction - (lost ? 1 : 0);
  } else {
    r.negative = y.negative;
    r.fraction = y.fraction - x.fraction;
  }
  if (!r.fraction && !lost) return {m == Mode::down ? f.sign() : 0, 0};
  return round(f, r, m);
}

inline Result mul(const Shape& f, u64 a, u64 b, Mode m) {
  if (f.is_nan(a) || f.is_nan(b)) return nan_of(f, a, b);
  const u64 sign = (a ^ b) & f.sign();
  if (f.is_infinite(a) || f.is_infinite(b)) {
    if (f.is_zero(a) || f.is_zero(b)) return {f.default_nan(), invalid};
    return {sign | f.infinity(), 0};
  }
  const Number x = unpack(f, a), y = unpack(f, b);
  return round(f, {sign != 0, x.fraction * y.fraction, x.exponent + y.exponent}, m);
}

inline Result div(const Shape& f, u64 a, u64 b, Mode m) {
  if (f.is_nan(a) || f.is_nan(b)) return nan_of(f, a, b);
  const u64 sign = (a ^ b) & f.sign();
  if ((f.is_infinite(a) && f.is_infinite(b)) || (f.is_zero(a) && f.is_zero(b))) return {f.default_nan(), invalid};
  if (f.is_infinite(a)) return {sign | f.infinity(), 0};
  if (f.is_infinite(b)) return {sign, 0};
  if (f.is_zero(b)) return {sign | f.infinity(), zero_divide};
  Number x = unpack(f, a);
  const Number y = unpack(f, b);
  if (!x.fraction) return {sign, 0};
  const int up = 126 - top_bit(x.fraction);
  x.fraction <<= up;
  return round(f, {sign != 0, x.fraction / y.fraction, x.exponent - up - y.exponent, x.fraction % y.fraction != 0}, m);
}

inline Result square_root(const Shape& f, u64 a, Mode m) {
  if (f.is_nan(a)) return nan_of(f, a, a);
  if (f.is_zero(a)) return {a, 0};
  if (a & f.sign()) return {f.default_nan(), invalid};
  if (f.is_infinite(a)) return {a, 0};
  Number x = unpack(f, a);
  const int up = (125 - top_bit(x.fraction)) & ~1;
  x.fraction <<= up;
  x.exponent -= up;
  if (x.exponent & 1) {
    x.fraction <<= 1;
    --x.exponent;
  }
  u128 root = 0;
  for (int bit = 63; bit >= 0; --bit) {
    const u128 next = root | u128(1) << bit;
    if (next <= x.fraction / next) root = next;
  }
  return round(f, {false, root, x.exponent / 2, root * root != x.fraction}, m);
}

// From one shape to another.
inline Result convert(const Shape& from, const Shape& to, u64 a, Mode m) {
  const u64 sign = a & from.sign() ? to.sign() : 0;
  if (from.is_signalling(a)) return {to.default_nan(), invalid};
  if (from.is_nan(a)) {
    const u64 fraction = a & ((u64(1) << from.fraction_bits) - 1);
    const int up = to.fraction_bits - from.fraction_bits;
    const u64 moved = up > 0 ? fraction << up : fraction >> -up;
    if (!moved) return {to.default_nan(), 0};
    return {sign | to.infinity() | moved, 0};
  }
  if (from.is_infinite(a)) return {sign | to.infinity(), 0};
  return round(to, unpack(from, a), m);
}

// To an integer of so many bits; what does not fit gives the greatest.
inline Result to_integer(const Shape& f, u64 a, int bits, Mode m) {
  const u64 mask = bits == 64 ? ~u64(0) : (u64(1) << bits) - 1, greatest = mask >> 1;
  if (f.is_nan(a) || f.is_infinite(a)) return {greatest, invalid};
  const Number x = unpack(f, a);
  if (x.fraction && x.exponent + top_bit(x.fraction) > 70) return {greatest, invalid};
  const Cut c = cut(x, 0, m);
  if (c.fraction > greatest + (x.negative ? 1 : 0)) return {greatest, invalid};
  const u64 v = u64(c.fraction);
  return {(x.negative ? -v : v) & mask, c.inexact ? u32(inexact) : 0};
}

inline Result from_integer(const Shape& f, s64 a, Mode m) {
  return round(f, {a < 0, a < 0 ? -u128(a) : u128(a), 0}, m);
}
}  // namespace reference
