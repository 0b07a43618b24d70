// What each instruction of vfp.isa does.  Sections of DDI 0100I are in that file, instruction by instruction.
// Registers are words; a double is two of them, the low half first.

#include "cpus/arm/translator.hpp"

#include "cpus/arm/vfp.hpp"

#include "vfp_decode.hpp"

#include <algorithm>

namespace arm {
namespace {
using namespace vfp;
using VOp = vfp::Op;
using tcg::Fp;

constexpr u8 plain_word = 2 | tcg::mem_plain, plain_double = 3 | tcg::mem_plain;
constexpr u32 s_registers = 32;

// A fault part of the way leaves the registers loaded so far changed, which running the instruction again mends.
struct Words {
  bool load;
  u32 first, count;  // S registers
};

struct VfpVisitor {
  Translator& t;
  u32 w;

  static Ref s(u32 n) { return guest(slot::s0 + n % s_registers); }

  // ---- arithmetic ----

  // A register of that size as its first word.
  static Ref r(u32 n, bool is_double) { return s(is_double ? 2 * n : n); }

  // `wide` is the size of the operation; a conversion names where its source and its result differ from that.
  struct Sizes {
    Fp op;
    bool wide, wide_d, wide_m;
  };
  template <class I>
  static constexpr Sizes sizes() {
    constexpr u16 n = u16(I::op);
    if constexpr (I::op <= VOp::fdivs) return {Fp(n - u16(VOp::fmacs)), false, false, false};
    else if constexpr (I::op <= VOp::fdivd) return {Fp(n - u16(VOp::fmacd)), true, true, true};
    else return extension<I>();
  }
  template <class I>
  static constexpr Sizes extension() {
    switch (I::op) {
      case VOp::fcpys: return {Fp::copy, false, false, false};
      case VOp::fcpyd: return {Fp::copy, true, true, true};
      case VOp::fabss: return {Fp::abs, false, false, false};
      case VOp::fabsd: return {Fp::abs, true, true, true};
      case VOp::fnegs: return {Fp::neg, false, false, false};
      case VOp::fnegd: return {Fp::neg, true, true, true};
      case VOp::fsqrts: return {Fp::sqrt, false, false, false};
      case VOp::fsqrtd: return {Fp::sqrt, true, true, true};
      case VOp::fcmps: case VOp::fcmpes: return {Fp::compare, false, false, false};
      case VOp::fcmpd: case VOp::fcmped: return {Fp::compare, true, true, true};
      case VOp::fcmpzs: case VOp::fcmpezs: return {Fp::compare_zero, false, false, false};
      case VOp::fcmpzd: case VOp::fcmpezd: return {Fp::compare_zero, true, true, true};
      case VOp::fcvtds: return {Fp::widen, false, true, false};
      case VOp::fcvtsd: return {Fp::narrow, true, false, true};
      case VOp::fuitos: return {Fp::from_u32, false, false, false};
      case VOp::fuitod: return {Fp::from_u32, true, true, false};
      case VOp::fsitos: return {Fp::from_s32, false, false, false};
      case VOp::fsitod: return {Fp::from_s32, true, true, false};
      case VOp::ftouis: return {Fp::to_u32, false, false, false};
      case VOp::ftouid: return {Fp::to_u32, true, false, true};
      case VOp::ftouizs: return {Fp::to_u32_trunc, false, false, false};
      case VOp::ftouizd: return {Fp::to_u32_trunc, true, false, true};
      case VOp::ftosis: return {Fp::to_s32, false, false, false};
      case VOp::ftosid: return {Fp::to_s32, true, false, true};
      case VOp::ftosizs: return {Fp::to_s32_trunc, false, false, false};
      default: return {Fp::to_s32_trunc, true, false, true};  // ftosizd
    }
  }
  template <class I>
  requires(I::op >= VOp::fmacs && I::op <= VOp::ftosizd) void operator()(const I& i) {
    constexpr Sizes x = sizes<I>();
    static_assert(Fp(0) == Fp::mac && Fp(8) == Fp::div && u16(VOp::fdivs) - u16(VOp::fmacs) == 8 && u16(VOp::fdivd) - u16(VOp::fmacd) == 8);
    t.require_vfp();
    Ref a, b;
    if constexpr (requires { i.n; }) a = r(i.n, x.wide), b = r(i.m, x.wide);
    else if constexpr (requires { i.m; }) a = r(i.m, x.wide_m);
    t.out.fp(x.op, x.wide, r(i.d, x.wide_d), a, b, w);
  }

  // ---- core registers ----

  void to_core(u32 core, Ref v) {
    t.require_vfp();
    t.write(core, v);
  }
  void from_core(Ref v, u32 core) {
    t.require_vfp();
    t.out.mov(v, t.reg(core));
  }
  void operator()(const fmsr& i) { from_core(s(i.n), i.t); }
  void operator()(const fmrs& i) { to_core(i.t, s(i.n)); }
  void operator()(const fmdlr& i) { from_core(s(2 * i.n), i.t); }
  void operator()(const fmrdl& i) { to_core(i.t, s(2 * i.n)); }
  void operator()(const fmdhr& i) { from_core(s(2 * i.n + 1), i.t); }
  void operator()(const fmrdh& i) { to_core(i.t, s(2 * i.n + 1)); }

  void pair_to_core(u32 first, u32 second, u32 m) {
    if (first == pc_number || second == pc_number) return t.undefined();  // UNPREDICTABLE
    to_core(first, s(m));
    t.write(second, s(m + 1));
  }
  void pair_from_core(u32 m, u32 first, u32 second) {
    from_core(s(m), first);
    t.out.mov(s(m + 1), t.reg(second));
  }
  void operator()(const fmsrr& i) { pair_from_core(i.m, i.t, i.n); }
  void operator()(const fmrrs& i) { pair_to_core(i.t, i.n, i.m); }
  void operator()(const fmdrr& i) { pair_from_core(2 * i.m, i.t, i.n); }
  void operator()(const fmrrd& i) { pair_to_core(i.t, i.n, 2 * i.m); }

  // Which system registers answer in which mode, and with EN clear, is the helpers' business.
  void operator()(const fmxr& i) { t.call({}, helper_vfp_write, i.r, t.reg(i.t)); }
  void operator()(const fmrx& i) {
    if (i.r == vfp_fpscr) {
      t.require_vfp();
      if (i.t == pc_number) return t.out.fp_flags();  // FMSTAT
      return t.write(i.t, t.out.value(tcg::Op::or_, guest(slot::fpscr), guest(slot::fp_nzcv)));
    }
    const Ref to = t.target(i.t);
    t.call(to, helper_vfp_read, i.r);
    t.write(i.t, to);
  }

  // ---- loads and stores ----

  void transfer(Words x, Ref base, u32 offset) {
    // Doubles move whole, so that what uses them does not wait for two halves to meet in the host's store buffer.
    const u32 step = x.first % 2 == 0 && x.count % 2 == 0 ? 2 : 1;
    const u8 size = step == 2 ? plain_double : plain_word;
    for (u32 i = 0; i < x.count; i += step) {
      if (x.load)
        t.out.load(s(x.first + i), base, offset + 4 * i, size);
      else
        t.out.store(s(x.first + i), base, offset + 4 * i, size);
    }
  }
  template <class I>
  void one(const I& i, Words x) {
    t.require_vfp();
    const u32 offset = i.u ? 4 * i.o : -4 * i.o;
    if (i.n == pc_number)
      transfer(x, Ref::imm(), t.reg(i.n).value + offset);
    else
      transfer(x, guest(i.n), offset);
  }
  void operator()(const fsts& i) { one(i, {false, i.d, 1}); }
  void operator()(const fstd& i) { one(i, {false, 2 * i.d, 2}); }
  void operator()(const flds& i) { one(i, {true, i.d, 1}); }
  void operator()(const fldd& i) { one(i, {true, 2 * i.d, 2}); }

  // `words` is what the base moves by; the x forms move it by one word more than they transfer.  A list that runs
  // over the last register is UNPREDICTABLE and cut there.
  template <class I>
  void several(const I& i, Words x, u32 words) {
    constexpr bool has_w = requires { i.w; };
    const bool down = !has_w;  // decrement-before always writes back
    bool writeback = true;
    if constexpr (has_w) writeback = i.w;
    t.require_vfp();
    x.count = std::min(x.count, s_registers - x.first);
    if (i.n == pc_number) return transfer(x, Ref::imm(), t.reg(i.n).value - (down ? 4 * words : 0));
    transfer(x, guest(i.n), down ? -4 * words : 0);
    if (writeback) t.out.emit(tcg::Op::add, guest(i.n), guest(i.n), down ? -4 * words : 4 * words);
  }
  template <class I>
  void singles(const I& i, bool load) {
    several(i, {load, i.d, i.i}, i.i);
  }
  template <class I>
  void doubles(const I& i, bool load) {
    several(i, {load, 2 * i.d, 2 * i.i}, 2 * i.i);
  }
  template <class I>
  void doubles_x(const I& i, bool load) {
    several(i, {load, 2 * i.d, 2 * i.i}, 2 * i.i + 1);
  }

  void operator()(const fstmias& i) { singles(i, false); }
  void operator()(const fstmdbs& i) { singles(i, false); }
  void operator()(const fldmias& i) { singles(i, true); }
  void operator()(const fldmdbs& i) { singles(i, true); }
  void operator()(const fstmiad& i) { doubles(i, false); }
  void operator()(const fstmdbd& i) { doubles(i, false); }
  void operator()(const fldmiad& i) { doubles(i, true); }
  void operator()(const fldmdbd& i) { doubles(i, true); }
  void operator()(const fstmiax& i) { doubles_x(i, false); }
  void operator()(const fstmdbx& i) { doubles_x(i, false); }
  void operator()(const fldmiax& i) { doubles_x(i, true); }
  void operator()(const fldmdbx& i) { doubles_x(i, true); }

  void operator()(const vfp::Undefined&) { t.undefined(); }
};
}  // namespace

void translate_vfp(Translator& t, u32 w) { vfp::decode(w, VfpVisitor{t, w}); }
}  // namespace arm
