// Exactness over millions of operations is vfp_unicorn's business; these are the rules one by one.

#include "cpus/arm/vfp.hpp"

#include "fake_softmmu.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <tuple>

using namespace arm;
using fake::Cpu;

namespace {
constexpr u32 one = 0x3f80'0000, two = 0x4000'0000, three = 0x4040'0000, infinity = 0x7f80'0000, minus = 0x8000'0000,
              min_normal = 0x0080'0000, qnan = 0x7fc0'1234, snan = 0x7f80'4321, default_nan = 0x7fc0'0000,
              max_finite = 0x7f7f'ffff;
struct Fpu : Cpu {
  explicit Fpu(u32 fpscr = 0) { s.vfp.fpscr = fpscr, s.vfp.fpexc = fpexc_en; }
  u32 nzcv() const { return s.vfp.nzcv >> 28; }
  u32 flags() const { return s.vfp.fpscr & 0x9f; }
  u32 run(u32 insn) {
    vfp_data_processing(s, insn);
    return s.vfp.s[insn >> 11 & 0x1e];
  }
};
constexpr u32 fpscr_rp = 1 << 22, fpscr_rm = 2 << 22, fpscr_rz = 3 << 22;
}  // namespace

TEST_CASE("vfp: rounding modes (DDI 0100I C2.8.2)") {
  for (auto [mode, up, down] : {std::tuple{0u, 0u, 0u}, {fpscr_rp, 1u, 0u}, {fpscr_rm, 0u, 1u}, {fpscr_rz, 0u, 0u}}) {
    Fpu v(mode);
    CHECK(vfp_add32(v.s, one, 0x3300'0000) == one + up);                  // 1 + 2^-25
    CHECK(v.flags() == fpscr_ixc);
    CHECK(vfp_add32(v.s, one | minus, 0xb300'0000) == (one | minus) + down);
  }
}

TEST_CASE("vfp: NaN operands: the first signalling, else the first, quiet; or the default NaN (C2.5.5)") {
  Fpu v;
  CHECK(vfp_add32(v.s, qnan, one) == qnan);
  CHECK(v.flags() == 0);
  CHECK(vfp_mul32(v.s, qnan, snan) == (snan | 0x40'0000));
  CHECK(v.flags() == fpscr_ioc);
  CHECK(vfp_sub32(v.s, one, qnan) == qnan);
  CHECK(vfp_div32(v.s, qnan, qnan + 1) == qnan);
  CHECK(vfp_narrow(v.s, 0xfff4'0000'0000'0000) == 0xffe0'0000);
  CHECK(vfp_widen(v.s, qnan) == 0x7ff8'0246'8000'0000);
  v.s.vfp.fpscr = fpscr_dn;
  CHECK(vfp_add32(v.s, qnan | minus, one) == default_nan);
  CHECK(vfp_widen(v.s, qnan) == 0x7ff8'0000'0000'0000);
}

TEST_CASE("vfp: invalid operations give the default NaN and IOC (C2.6.1)") {
  for (int i = 0; i < 5; ++i) {
    Fpu v;
    const u32 r[] = {vfp_sub32(v.s, infinity, infinity), vfp_mul32(v.s, 0, infinity), vfp_div32(v.s, 0, 0),
                     vfp_div32(v.s, infinity, infinity), vfp_sqrt32(v.s, one | minus)};
    CHECK(r[i] == default_nan);
    CHECK(v.flags() == fpscr_ioc);
  }
  Fpu v;
  CHECK(vfp_sqrt32(v.s, minus) == minus);
  CHECK(v.flags() == 0);
}

TEST_CASE("vfp: division by zero, overflow, underflow (C2.6.1)") {
  Fpu v;
  CHECK(vfp_div32(v.s, one | minus, 0) == (infinity | minus));
  CHECK(v.flags() == fpscr_dzc);
  v.s.vfp.fpscr = 0;
  CHECK(vfp_mul32(v.s, max_finite, two) == infinity);
  CHECK(v.flags() == (fpscr_ofc | fpscr_ixc));
  v.s.vfp.fpscr = fpscr_rz;
  CHECK(vfp_mul32(v.s, max_finite, two) == max_finite);
  v.s.vfp.fpscr = 0;
  CHECK(vfp_mul32(v.s, min_normal, 0x3f00'0000) == 0x0040'0000);  // exact: no underflow
  CHECK(v.flags() == 0);
  CHECK(vfp_mul32(v.s, min_normal + 1, 0x3f00'0000) == 0x0040'0000);
  CHECK(v.flags() == (fpscr_ufc | fpscr_ixc));
}

TEST_CASE("vfp: tininess is found before rounding (C2.6.2)") {
  Fpu v;
  // (2 - 2^-23) * 2^-127 lies just below the least normal number and rounds to it.
  CHECK(vfp_mul32(v.s, 0x3fff'ffff, 0x0040'0000) == min_normal);
  CHECK(v.flags() == (fpscr_ufc | fpscr_ixc));
  Fpu z(fpscr_fz);
  CHECK(vfp_narrow(z.s, 0x380f'ffff'ffff'ffff) == 0);  // the same by narrowing, flushed
  CHECK(z.flags() == fpscr_ufc);
}

TEST_CASE("vfp: flush-to-zero takes denormal operands and tiny results as zeros of their sign (C3.2.2)") {
  Fpu v(fpscr_fz);
  CHECK(vfp_add32(v.s, 0x8000'0001, 0) == 0);  // -0 + +0
  CHECK(v.flags() == fpscr_idc);
  v.s.vfp.fpscr = fpscr_fz;
  CHECK(vfp_mul32(v.s, min_normal | minus, 0x3f00'0000) == minus);
  CHECK(v.flags() == fpscr_ufc);
  v.s.vfp.fpscr = fpscr_fz;
  CHECK(vfp_sub32(v.s, min_normal + 1, min_normal) == 0);  // exact, flushed all the same
  CHECK(v.flags() == fpscr_ufc);
  v.s.vfp.fpscr = fpscr_fz;
  vfp_compare32(v.s, 1, minus | 1, false);
  CHECK(v.nzcv() == 0b0110);
  CHECK(v.flags() == fpscr_idc);
}

TEST_CASE("vfp: comparisons set N Z C V of FPSCR; quiet NaNs are invalid only for the E forms (C4.1)") {
  Fpu v;
  vfp_compare32(v.s, one, one, false);
  CHECK(v.nzcv() == 0b0110);
  vfp_compare32(v.s, one, two, false);
  CHECK(v.nzcv() == 0b1000);
  vfp_compare32(v.s, two, one, false);
  CHECK(v.nzcv() == 0b0010);
  vfp_compare32(v.s, qnan, one, false);
  CHECK(v.nzcv() == 0b0011);
  CHECK(v.flags() == 0);
  vfp_compare32(v.s, qnan, one, true);
  CHECK(v.flags() == fpscr_ioc);
}

TEST_CASE("vfp: integer conversions saturate with IOC and never with IXC (C4.1, FTOSI)") {
  Fpu v;
  CHECK(vfp_to_s32_from32(v.s, 0x4f00'0000, true) == 0x7fff'ffff);
  CHECK(vfp_to_u32_from32(v.s, one | minus, true) == 0);
  CHECK(vfp_to_s32_from32(v.s, qnan, true) == 0);
  CHECK(vfp_to_u32_from64(v.s, 0x41ef'ffff'fff0'0000, false) == 0xffff'ffff);  // 2^32 - 0.5 rounds out of range
  CHECK(v.flags() == fpscr_ioc);
  v.s.vfp.fpscr = 0;
  CHECK(vfp_to_s32_from32(v.s, 0xc020'0000, false) == u32(-2));  // -2.5 to even
  CHECK(v.flags() == fpscr_ixc);
  v.s.vfp.fpscr = fpscr_rm;
  CHECK(vfp_to_s32_from32(v.s, 0xc020'0000, false) == u32(-3));
  CHECK(vfp_to_s32_from32(v.s, 0xc020'0000, true) == u32(-2));
  v.s.vfp.fpscr = fpscr_rp;
  CHECK(vfp_from_u32_to32(v.s, 0x0100'0001) == 0x4b80'0001);
  CHECK(v.flags() == fpscr_ixc);
  CHECK(vfp_from_s32_to64(v.s, 0x8000'0000) == 0xc1e0'0000'0000'0000);
}

TEST_CASE("vfp: multiply-accumulate rounds twice, and its four signs (C4.1)") {
  Fpu v;
  auto& s = v.s.vfp.s;
  auto reset = [&] { s[0] = one, s[2] = two, s[4] = three; };
  reset();
  CHECK(v.run(0xee01'0a02) == 0x40e0'0000);  // fmacs s0, s2, s4: 1 + 6
  reset();
  CHECK(v.run(0xee01'0a42) == 0xc0a0'0000);  // fnmacs: 1 - 6
  reset();
  CHECK(v.run(0xee11'0a02) == 0x40a0'0000);  // fmscs: -1 + 6
  reset();
  CHECK(v.run(0xee11'0a42) == 0xc0e0'0000);  // fnmscs: -1 - 6
  // (1 + 2^-12)^2 = 1 + 2^-11 + 2^-24: the product loses 2^-24 before the sum.
  s[0] = 0xbf80'1000, s[2] = s[4] = 0x3f80'0800;
  CHECK(v.run(0xee01'0a02) == 0);
}

TEST_CASE("vfp: short vectors wrap around their bank, a second operand of bank 0 is scalar (C5.1)") {
  Fpu v(3 << 16);  // length 4, stride 1
  auto& s = v.s.vfp.s;
  for (u32 i = 0; i < 32; ++i) s[i] = std::bit_cast<u32>(float(i));
  vfp_data_processing(v.s, 0xee3b'7a01);  // fadds s14, s22, s2: vector + scalar
  const float expected[] = {24, 25, 18, 19};
  const unsigned at[] = {14, 15, 8, 9};  // s22 s23 s16 s17 in s14 s15 s8 s9
  for (unsigned i = 0; i < 4; ++i) CHECK(std::bit_cast<float>(s[at[i]]) == expected[i]);
  CHECK(std::bit_cast<float>(s[10]) == 10);

  Fpu w(1 << 16 | 3 << 20);  // length 2, stride 2
  for (u32 i = 0; i < 16; ++i) store_le(&w.s.vfp.s[2 * i], double(i));
  vfp_data_processing(w.s, 0xeeb0'7b4a);  // fcpyd d7, d10
  CHECK(load_le<double>(&w.s.vfp.s[14]) == 10);
  CHECK(load_le<double>(&w.s.vfp.s[10]) == 8);  // d5 from d8

  vfp_data_processing(w.s, 0xee34'0b04);  // faddd d0, d4, d4: scalar, because the result is in bank 0
  CHECK(load_le<double>(&w.s.vfp.s[0]) == 8);
  CHECK(load_le<double>(&w.s.vfp.s[4]) == 2);
}

TEST_CASE("vfp: system registers and who may touch them") {
  Fpu v;
  bool ok = false;
  CHECK(vfp_read_system(v.s, vfp_fpsid, ok) == 0x4101'1090);
  CHECK(ok);
  CHECK(vfp_write_system(v.s, vfp_fpscr, ~0u));
  CHECK(vfp_read_system(v.s, vfp_fpscr, ok) == 0xf3f7'009f);  // no trap enables
  CHECK(vfp_write_system(v.s, vfp_fpexc, ~0u));
  CHECK(vfp_read_system(v.s, vfp_fpexc, ok) == fpexc_en);
  for (u32 absent : {2, 3, 4, 5, 6, 7, 11, 15}) {
    vfp_read_system(v.s, absent, ok);
    CHECK_FALSE(ok);
    CHECK_FALSE(vfp_write_system(v.s, absent, 0));
  }
  write_cpsr(v.s, usr);
  CHECK_FALSE(vfp_write_system(v.s, vfp_fpexc, 0));
  CHECK_FALSE(vfp_write_system(v.s, vfp_fpinst, 0));
  CHECK(vfp_write_system(v.s, vfp_fpscr, 0));
  v.s.vfp.fpexc = 0;
  CHECK_FALSE(vfp_write_system(v.s, vfp_fpscr, 0));
  vfp_read_system(v.s, vfp_fpsid, ok);
  CHECK_FALSE(ok);
  write_cpsr(v.s, svc);
  vfp_read_system(v.s, vfp_fpsid, ok);
  CHECK(ok);
  CHECK(vfp_write_system(v.s, vfp_fpexc, fpexc_en));
  v.s.model = find_model("arm926-novfp");
  vfp_read_system(v.s, vfp_fpsid, ok);
  CHECK_FALSE(ok);
}
