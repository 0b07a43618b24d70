// The decoders generated from a32.isa, t16.isa and vfp.isa: what ARMv5TEJ and VFPv2 are, and are not.
// Vectors are assembled by hand from DDI 0100I.
#include "a32_decode.hpp"
#include "t16_decode.hpp"
#include "vfp_decode.hpp"

#include <doctest/doctest.h>

#include <iterator>
#include <random>

using namespace core;

namespace {

// A visitor that takes T and nothing else.
template <class T>
struct Only {
  T* found;
  bool operator()(const T& i) const { return *found = i, true; }
  template <class Other>
  bool operator()(const Other&) const { return false; }
};

template <class T>
T a32(u32 w) {
  T i{};
  REQUIRE(arm::a32::decode(w, Only<T>{&i}));
  return i;
}
template <class T>
T t16(u32 w) {
  T i{};
  REQUIRE(arm::t16::decode(w, Only<T>{&i}));
  return i;
}
template <class T>
T vfp(u32 w) {
  T i{};
  REQUIRE(arm::vfp::decode(w, Only<T>{&i}));
  return i;
}

bool undefined(u32 w) { return arm::a32::op_of(w) == arm::a32::Op::undefined; }
bool undefined_thumb(u32 w) { return arm::t16::op_of(w) == arm::t16::Op::undefined; }
bool undefined_vfp(u32 w) { return arm::vfp::claims(w) && arm::vfp::op_of(w) == arm::vfp::Op::undefined; }

// Bits of a word that are fixed or should be, in a condition that is always true.
template <class Info>
u32 canonical(const Info& i, u32 always) {
  return i.bits | i.ones | (i.mask & always ? 0 : always);
}

}  // namespace

TEST_CASE("a32: operands are the raw bits of the word") {
  const auto add = a32<arm::a32::add_imm>(0xe29214ff);  // adds r1, r2, #0xff000000
  CHECK((add.c == 14 && add.s == 1 && add.n == 2 && add.d == 1 && add.x == 0x4ff));
  const auto mov = a32<arm::a32::mov_reg>(0x11a01fc2);  // asrne r1, r2, #31
  CHECK((mov.c == 1 && mov.s == 0 && mov.d == 1 && mov.k == 31 && mov.y == 2 && mov.m == 2));
  const auto load = a32<arm::a32::ldrh_imm>(0xe05230bf);  // ldrh r3, [r2], #-15
  CHECK((load.p == 0 && load.u == 0 && load.w == 0 && load.n == 2 && load.t == 3 && load.o == 15));
  CHECK(a32<arm::a32::strh_imm>(0xe1c23fbf).o == 0xff);
  CHECK(a32<arm::a32::bkpt>(0xe1212374).i == 0x1234);
  const auto exception = a32<arm::a32::ldm_exception>(0xe8fd8001);  // ldm sp!, {r0, pc}^
  CHECK((exception.l == 1 && exception.w == 1 && exception.n == 13 && exception.p == 0 && exception.u == 1));
  const auto mcr = a32<arm::a32::mcr>(0xee470f9a);  // mcr p15, 2, r0, c7, c10, 4
  CHECK((mcr.i == 2 && mcr.n == 7 && mcr.t == 0 && mcr.q == 15 && mcr.j == 4 && mcr.m == 10));
}

TEST_CASE("a32: condition 1111 is the unconditional space, never a conditional instruction (§A3.2)") {
  using enum arm::a32::Op;
  std::mt19937 random(2);
  for (int n = 0; n < 1'000'000; ++n) {
    const auto op = arm::a32::op_of(random() | 0xf0000000);
    const bool unconditional = op == undefined || op == blx_imm || op == pld_imm || op == pld_reg || op == cdp2 ||
                               op == mcr2 || op == mrc2 || op == stc2 || op == ldc2;
    if (!unconditional) FAIL(arm::a32::op_info[static_cast<int>(op)].name);
  }
  CHECK(a32<arm::a32::blx_imm>(0xfb000001).h == 1);
  CHECK(a32<arm::a32::pld_imm>(0xf5d1f004).o == 4);
}

TEST_CASE("a32: instructions of ARMv6 and later are undefined") {
  CHECK(undefined(0xe1910f9f));  // ldrex r0, [r1]
  CHECK(undefined(0xe1812f90));  // strex r2, r0, [r1]
  CHECK(undefined(0xe1b10f9f));  // ldrexd
  CHECK(undefined(0xf57ff01f));  // clrex
  CHECK(undefined(0xf57ff05f));  // dmb sy
  CHECK(undefined(0xf10c0080));  // cpsid i
  CHECK(undefined(0xf1010200));  // setend be
  CHECK(undefined(0xf8bd0a00));  // rfeia sp!
  CHECK(undefined(0xe6bf0f31));  // rev r0, r1
  CHECK(undefined(0xe6af0071));  // sxtb r0, r1
  CHECK(undefined(0xe3010234));  // movw r0, #0x1234
  CHECK(undefined(0xe3410234));  // movt r0, #0x1234
  CHECK(undefined(0xe0400291));  // umaal
  CHECK(undefined(0xe0603291));  // mls
  CHECK(undefined(0xe0f100b4));  // ldrht r0, [r1], #4
  CHECK(undefined(0xe0f100d4));  // ldrsbt r0, [r1], #4
  CHECK(undefined(0xe1600070));  // smc #0
  CHECK(undefined(0xe1000240));  // mrs r0, banked
  CHECK(undefined(0xe7f000f0));  // udf #0
  CHECK(undefined(0xf4210a0f));  // vld1.8: Advanced SIMD
}

TEST_CASE("a32: a doubleword transfer of an odd register is undefined (§A4.1 LDRD)") {
  CHECK(undefined(0xe1c110d0));  // ldrd r1, [r1]
  CHECK(undefined(0xe1c130f0));  // strd r3, [r1]
  CHECK(a32<arm::a32::ldrd_imm>(0xe1c120d0).t == 2);
  CHECK(a32<arm::a32::strd_reg>(0xe18140f2).t == 4);
}

TEST_CASE("a32: bits that should be zero or one do not matter") {
  using namespace arm::a32;
  CHECK(op_of(0xe12fff11) == Op::bx);
  CHECK(op_of(0xe1200011) == Op::bx);
  CHECK(op_of(0xe35f1000) == Op::cmp_imm);   // Rd
  CHECK(op_of(0xe3b11000) == Op::mov_imm);   // Rn
  CHECK(op_of(0xe0001293) == Op::mul);
  CHECK(op_of(0xe320f000) == Op::msr_imm);   // the nop hint: no field is written
}

TEST_CASE("a32: P and W of a word transfer choose the form that accesses as a user (§A5.2)") {
  using namespace arm::a32;
  CHECK(op_of(0xe4b01004) == Op::ldrt_imm);
  CHECK(op_of(0xe5b01004) == Op::ldr_imm);
  CHECK(op_of(0xe4901004) == Op::ldr_imm);
  CHECK(op_of(0xe6e01002) == Op::strbt_reg);
}

TEST_CASE("each canonical encoding decodes to itself and to text") {
  const auto check = [](const auto& info, auto op_of, auto disassemble, u32 always) {
    for (int n = 1; n < static_cast<int>(std::size(info)); ++n) {
      CAPTURE(info[n].name);
      u32 w = canonical(info[n], always);
      if (static_cast<int>(op_of(w)) != n) w |= 1u << 24 | 1u << 23;  // p, u: 00 belongs to others
      CHECK(static_cast<int>(op_of(w)) == n);
      CHECK(disassemble(w, 0x8000).find('.') != 0);
    }
  };
  check(arm::a32::op_info, arm::a32::op_of, arm::a32::disassemble, 0xe0000000);
  check(arm::t16::op_info, arm::t16::op_of, arm::t16::disassemble, 0);
  check(arm::vfp::op_info, arm::vfp::op_of, arm::vfp::disassemble, 0xe0000000);
}

TEST_CASE("t16: operands are the raw bits of the word") {
  const auto add = t16<arm::t16::add_hi>(0x44ae);  // add lr, r5
  CHECK((add.d == 14 && add.m == 5));
  const auto push = t16<arm::t16::push>(0xb510);  // push {r4, lr}
  CHECK((push.l == 0x10 && push.r == 1));
  CHECK(t16<arm::t16::b_cond>(0xd0fe).b == 0xfe);
  CHECK(t16<arm::t16::blx_suffix>(0xe802).b == 1);
  CHECK(t16<arm::t16::and_>(0x4008).m == 1);
}

TEST_CASE("t16: conditions 1110 and 1111 of a branch are undefined and swi (§A7.1)") {
  CHECK(undefined_thumb(0xde00));
  CHECK(arm::t16::op_of(0xdf00) == arm::t16::Op::swi);
  CHECK(arm::t16::op_of(0xdd00) == arm::t16::Op::b_cond);
}

TEST_CASE("t16: instructions of ARMv6 and later are undefined") {
  CHECK(undefined_thumb(0xb672));  // cpsid i
  CHECK(undefined_thumb(0xba08));  // rev r0, r1
  CHECK(undefined_thumb(0xb248));  // sxtb r0, r1
  CHECK(undefined_thumb(0xb100));  // cbz r0
  CHECK(undefined_thumb(0xbf08));  // it eq
  CHECK(undefined_thumb(0xe801));  // 32-bit instructions; bit 0 of a blx suffix is 0
}

TEST_CASE("vfp: single registers have five bits, Fd:D, doubles four (part C)") {
  const auto single = vfp<arm::vfp::fadds>(0xee711aa2);  // vadd.f32 s3, s3, s5
  CHECK((single.d == 3 && single.n == 3 && single.m == 5));
  const auto wide = vfp<arm::vfp::faddd>(0xee332b04);  // vadd.f64 d2, d3, d4
  CHECK((wide.d == 2 && wide.n == 3 && wide.m == 4));
  CHECK(undefined_vfp(0xee732b04));  // d18
  CHECK(vfp<arm::vfp::fldmiad>(0xecb10b08).i == 4);
  CHECK(vfp<arm::vfp::fldmias>(0xecb10a08).i == 8);
}

TEST_CASE("vfp: what VFPv3 and later added is undefined") {
  CHECK(undefined_vfp(0xeeb70a00));  // vmov.f32 s0, #1.0
  CHECK(undefined_vfp(0xeeba0ac0));  // vcvt.f32.s16, fixed point
  CHECK(undefined_vfp(0xeeb20a40));  // vcvtb.f32.f16
  CHECK(undefined_vfp(0xeea00a00));  // vfma.f32
  CHECK(undefined_vfp(0xee400b10));  // vmov.8 d0[0], r0
  CHECK(undefined_vfp(0xee800b10));  // vdup.32 d0, r0
}

TEST_CASE("vfp: the table claims coprocessors 10 and 11 of conditional words and nothing else") {
  std::mt19937 random(3);
  for (int n = 0; n < 1'000'000; ++n) {
    const u32 w = random(), number = w >> 8 & 15;
    const bool transfer = (w >> 25 & 7) == 6, operation = (w >> 24 & 15) == 14;
    const bool ours = w >> 28 != 15 && (number == 10 || number == 11) && (transfer || operation);
    if (arm::vfp::claims(w) != ours) FAIL(w);
  }
}
