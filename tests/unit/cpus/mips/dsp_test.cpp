// The DSP ASE: what its instructions make of values at the limits, and of DSPControl.  Instructions of MD00374
// chapter 6.

#include "guest.hpp"

#include "cpus/mips/debug.hpp"
#include "cpus/mips/dsp.hpp"

#include "dsp_decode.hpp"

#include <iterator>
#include <string>
#include <string_view>

namespace mips::test {
namespace {
constexpr u32 pos(u32 n) { return n; }
constexpr u32 scount(u32 n) { return n << 7; }
constexpr u32 flag(unsigned n) { return 1u << n; }
constexpr u32 ccond(u32 bits) { return bits << 24; }

// rs or the amount is a0 (4), rt a1, rd v0 and the accumulator 2, where the instruction has them.
u32 word(std::string_view name, u32 s = a0) {
  for (const dsp::OpInfo& i : dsp::op_info)
    if (i.name && name == i.name) return i.bits | ((s << 21 | a1 << 16 | v0 << 11) & ~i.mask);
  FAIL("no such instruction: " << name);
  return 0;
}

template <class F>
void with_dsp(F f, const char* model = "34Kf") {
  for (const bool interpret : {true, false}) {
    CAPTURE(interpret);
    LittleGuest little(interpret, model);
    BigGuest big(interpret, model);
    for (AnyGuest* g : {static_cast<AnyGuest*>(&little), static_cast<AnyGuest*>(&big)}) {
      g->s.cp0.status |= status_mx;
      settle_status(g->s);
      f(*g);
    }
  }
}

// ---- results in rd

struct Case {
  const char* name;
  u32 a, b, before, result, after;  // rs, rt, DSPControl, rd, DSPControl
};
constexpr u32 c = dsp_c, efi = dsp_efi;
constexpr Case cases[] = {
    {"addq_ph", 0x4000'8000, 0x3fff'7fff, 0, 0x7fff'ffff, 0},
    {"addq_ph", 0x7fff'0001, 0x0001'ffff, 0, 0x8000'0000, flag(20)},
    {"addq_s_ph", 0x7fff'8000, 0x0001'8000, 0, 0x7fff'8000, flag(20)},
    {"addq_s_w", 0x7fff'ffff, 0xffff'ffff, 0, 0x7fff'fffe, 0},
    {"addq_s_w", 0x7fff'ffff, 1, 0, 0x7fff'ffff, flag(20)},
    {"addq_s_w", 0x8000'0000, 0xffff'ffff, flag(16), 0x8000'0000, flag(20) | flag(16)},
    {"addu_qb", 0x0102'03ff, 0x0101'0100, 0, 0x0203'04ff, 0},
    {"addu_qb", 0xff01'807f, 0x0101'0180, 0, 0x0002'81ff, flag(20)},
    {"addu_s_qb", 0xff01'807f, 0x0101'0180, 0, 0xff02'81ff, flag(20)},
    {"subq_ph", 0x8000'0000, 0x0001'0001, 0, 0x7fff'ffff, flag(20)},
    {"subq_ph", 0x8001'0000, 0x0001'0001, 0, 0x8000'ffff, 0},
    {"subq_s_ph", 0x8000'7fff, 0x0001'ffff, 0, 0x8000'7fff, flag(20)},
    {"subq_s_w", 0x8000'0000, 1, 0, 0x8000'0000, flag(20)},
    {"subq_s_w", 0, 0x8000'0000, 0, 0x7fff'ffff, flag(20)},
    {"subu_qb", 0x0001'0203, 0x0101'0101, 0, 0xff00'0102, flag(20)},
    {"subu_s_qb", 0x0001'0203, 0x0101'0101, 0, 0x0000'0102, flag(20)},
    {"addsc", 0xffff'ffff, 1, 0, 0, c},
    {"addsc", 1, 1, c | flag(20), 2, flag(20)},
    {"addwc", 0x7fff'ffff, 0, c, 0x8000'0000, c | flag(20)},
    {"addwc", 0xffff'ffff, 0, c, 0, c},
    {"addwc", 0x8000'0000, 0xffff'ffff, c, 0x8000'0000, c},
    {"modsub", 0, 0xff12'3404, 0, 0x1234, 0},
    {"modsub", 8, 0x0012'3404, 0, 4, 0},
    {"modsub", 1, 0xff, 0, 0xffff'ff02, 0},
    {"raddu_w_qb", 0xff01'ff01, 0, 0, 0x200, 0},
    {"absq_s_ph", 0, 0x8000'ffff, 0, 0x7fff'0001, flag(20)},
    {"absq_s_ph", 0, 0x8001'7fff, 0, 0x7fff'7fff, 0},
    {"absq_s_w", 0, 0x8000'0000, 0, 0x7fff'ffff, flag(20)},
    {"absq_s_w", 0, 0xffff'fffe, 0, 2, 0},
    {"precrq_qb_ph", 0x1122'3344, 0x5566'7788, 0, 0x1133'5577, 0},
    {"precrq_ph_w", 0x1122'3344, 0x5566'7788, 0, 0x1122'5566, 0},
    {"precrq_rs_ph_w", 0x7fff'7fff, 0x0001'8000, 0, 0x7fff'0002, 0},
    {"precrq_rs_ph_w", 0x7fff'8000, 0x8000'0000, 0, 0x7fff'8000, flag(22)},
    {"precrqu_s_qb_ph", 0x7f80'0000, 0x0080'007f, 0, 0xff00'0100, 0},
    {"precrqu_s_qb_ph", 0x7f81'ffff, 0, 0, 0xff00'0000, flag(22)},
    {"preceq_w_phl", 0, 0x1234'5678, 0, 0x1234'0000, 0},
    {"preceq_w_phr", 0, 0x1234'5678, 0, 0x5678'0000, 0},
    {"precequ_ph_qbl", 0, 0xff01'807f, 0, 0x7f80'0080, 0},
    {"precequ_ph_qbr", 0, 0xff01'807f, 0, 0x4000'3f80, 0},
    {"precequ_ph_qbla", 0, 0xff01'807f, 0, 0x7f80'4000, 0},
    {"precequ_ph_qbra", 0, 0xff01'807f, 0, 0x0080'3f80, 0},
    {"preceu_ph_qbl", 0, 0xff01'807f, 0, 0x00ff'0001, 0},
    {"preceu_ph_qbr", 0, 0xff01'807f, 0, 0x0080'007f, 0},
    {"preceu_ph_qbla", 0, 0xff01'807f, 0, 0x00ff'0080, 0},
    {"preceu_ph_qbra", 0, 0xff01'807f, 0, 0x0001'007f, 0},

    {"shll_qb", 0, 0x0f0f'0f0f, 0, 0xf0f0'f0f0, 0},
    {"shll_qb", 0, 0x0f10'ff00, 0, 0xf000'f000, flag(22)},
    {"shllv_qb", 0xffff'fff9, 0x4000'7f01, 0, 0x8000'fe02, 0},
    {"shll_ph", 0, 0x07ff'f800, 0, 0x7ff0'8000, 0},
    {"shll_ph", 0, 0x0800'f800, 0, 0x8000'8000, flag(22)},
    {"shllv_ph", 16, 0x8000'7fff, 0, 0x8000'7fff, 0},
    {"shll_s_ph", 0, 0x0800'f7ff, 0, 0x7fff'8000, flag(22)},
    {"shllv_s_ph", 15, 0x0000'ffff, 0, 0x0000'8000, 0},
    {"shllv_s_ph", 15, 0x0001'0000, 0, 0x7fff'0000, flag(22)},
    {"shll_s_w", 0, 0xf800'0000, 0, 0x8000'0000, 0},
    {"shll_s_w", 0, 0x0800'0000, 0, 0x7fff'ffff, flag(22)},
    {"shllv_s_w", 31, 0xffff'fffe, 0, 0x8000'0000, flag(22)},
    {"shllv_s_w", 32, 0x7fff'ffff, 0, 0x7fff'ffff, 0},
    {"shrl_qb", 0, 0xf00f'80ff, 0, 0x0f00'080f, 0},
    {"shrlv_qb", 9, 0xff80'0100, 0, 0x7f40'0000, 0},
    {"shra_ph", 0, 0x8000'0800, 0, 0xf800'0080, 0},
    {"shrav_ph", 15, 0x8000'7fff, 0, 0xffff'0000, 0},
    {"shra_r_ph", 0, 0x7fff'fff8, 0, 0x0800'0000, 0},
    {"shrav_r_ph", 15, 0x8000'7fff, 0, 0xffff'0001, 0},
    {"shrav_r_ph", 16, 0x8000'7fff, 0, 0x8000'7fff, 0},
    {"shra_r_w", 0, 0x7fff'ffff, 0, 0x0800'0000, 0},
    {"shrav_r_w", 31, 0xc000'0000, 0, 0, 0},
    {"shrav_r_w", 32, 0x8000'0001, 0, 0x8000'0001, 0},

    {"muleu_s_ph_qbl", 0xff02'0000, 0x0101'0001, 0, 0xffff'0002, 0},
    {"muleu_s_ph_qbl", 0xff02'0000, 0x0102'0001, 0, 0xffff'0002, flag(21)},
    {"muleu_s_ph_qbr", 0x0000'ff02, 0x0102'0001, 0, 0xffff'0002, flag(21)},
    {"mulq_rs_ph", 0x8000'4000, 0x8000'4000, 0, 0x7fff'2000, flag(21)},
    {"mulq_rs_ph", 0x0001'0001, 0x4000'3fff, 0, 0x0001'0000, 0},
    {"mulq_rs_ph", 0x8000'8001, 0x7fff'8000, 0, 0x8001'7fff, 0},
    {"muleq_s_w_phl", 0x8000'0000, 0x8000'0000, 0, 0x7fff'ffff, flag(21)},
    {"muleq_s_w_phl", 0x8000'0000, 0x7fff'0000, 0, 0x8001'0000, 0},
    {"muleq_s_w_phr", 0x8000'4000, 0x8000'4000, 0, 0x2000'0000, 0},

    {"bitrev", 0, 0xffff'0003, 0, 0xc000, 0},
    {"replv_qb", 0, 0x1234'5680, 0, 0x8080'8080, 0},
    {"replv_ph", 0, 0x1234'5680, 0, 0x5680'5680, 0},
    {"cmpgu_eq_qb", 0x0102'ff04, 0x0103'ff05, 0, 10, 0},
    {"cmpgu_lt_qb", 0x0102'ff04, 0x0103'0105, 0, 5, 0},
    {"cmpgu_le_qb", 0x0102'ff04, 0x0103'0105, 0, 13, 0},
    {"pick_qb", 0x1122'3344, 0x5566'7788, ccond(10), 0x1166'3388, ccond(10)},
    {"pick_ph", 0x1122'3344, 0x5566'7788, ccond(14), 0x1122'7788, ccond(14)},
    {"packrl_ph", 0x1122'3344, 0x5566'7788, 0, 0x3344'5566, 0},
};

TEST_CASE("mips dsp: vectors and fractions at their limits, each with its flag") {
  with_dsp([](AnyGuest& g) {
    for (const Case& i : cases) {
      CAPTURE(i.name);
      g.s.r[a0] = i.a, g.s.r[a1] = i.b, g.s.dsp_control = i.before;
      g.run({word(i.name)});
      CHECK(g.s.r[v0] == i.result);
      CHECK(g.s.dsp_control == i.after);
      // A destination that is no register changes DSPControl all the same.
      g.s.dsp_control = i.before;
      g.run({word(i.name) & ~(31u << 11)});
      CHECK((g.s.r[0] == 0 && g.s.dsp_control == i.after));
    }
  });
}

TEST_CASE("mips dsp: comparisons set the conditions they have (CMPU.cond.QB, CMP.cond.PH)") {
  constexpr Case compared[] = {
      {"cmpu_eq_qb", 0x0102'ff04, 0x0103'ff05, ccond(5) | c, 0, ccond(10) | c},
      {"cmpu_lt_qb", 0x0102'ff04, 0x0103'0105, ccond(10), 0, ccond(5)},
      {"cmpu_le_qb", 0x0102'ff04, 0x0103'0105, 0, 0, ccond(13)},
      {"cmp_eq_ph", 0x8000'0001, 0x8000'0002, ccond(13), 0, ccond(14)},
      {"cmp_lt_ph", 0x8000'0001, 0x7fff'0001, ccond(0), 0, ccond(2)},
      {"cmp_le_ph", 0x7fff'0001, 0x8000'0001, ccond(2), 0, ccond(1)},
  };
  with_dsp([&](AnyGuest& g) {
    for (const Case& i : compared) {
      CAPTURE(i.name);
      g.s.r[a0] = i.a, g.s.r[a1] = i.b, g.s.dsp_control = i.before;
      g.run({word(i.name)});
      CHECK(g.s.dsp_control == i.after);
    }
  });
}

TEST_CASE("mips dsp: constants (REPL.QB, REPL.PH)") {
  with_dsp([](AnyGuest& g) {
    g.run({0x7c00'0092 | 0xa5u << 16 | v0 << 11, 0x7c00'0292 | 0x200u << 16 | v1 << 11,
           0x7c00'0292 | 0x1ffu << 16 | a0 << 11});
    CHECK((g.s.r[v0] == 0xa5a5'a5a5 && g.s.r[v1] == 0xfe00'fe00 && g.s.r[a0] == 0x01ff'01ff));
  });
}

TEST_CASE("mips dsp: INSV by scount and pos; what does not fit stays (UNPREDICTABLE)") {
  with_dsp([](AnyGuest& g) {
    const auto insert = [&](u32 control) {
      g.s.r[a0] = 0xffff'fff5, g.s.r[a1] = 0, g.s.dsp_control = control;
      g.run({word("insv")});
      return g.s.r[a1];
    };
    CHECK(insert(scount(4) | pos(8)) == 0x500);
    CHECK(insert(scount(32) | pos(0)) == 0xffff'fff5);
    CHECK(insert(scount(1) | pos(31)) == 0x8000'0000);
    CHECK(insert(scount(2) | pos(31)) == 0);
    CHECK(insert(scount(0) | pos(3)) == 0);
    CHECK(insert(scount(1) | pos(63)) == 0);
  });
}

// ---- accumulators

void set_accumulator(AnyGuest& g, u32 ac, u64 v) { g.s.hi[ac] = u32(v >> 32), g.s.lo[ac] = u32(v); }
u64 accumulator(AnyGuest& g, u32 ac) { return u64(g.s.hi[ac]) << 32 | g.s.lo[ac]; }

TEST_CASE("mips dsp: products into accumulator 2, whose flag is bit 18") {
  constexpr u64 least = u64(1) << 63, most = least - 1;
  struct Dot {
    const char* name;
    u32 a, b;
    u64 before, after;
    u32 control;
  };
  constexpr Dot dots[] = {
      {"dpau_h_qbl", 0xff02'7777, 0xff03'7777, 1, 0xfe08, 0},
      {"dpau_h_qbr", 0x7777'ff02, 0x7777'ff03, 1, 0xfe08, 0},
      {"dpsu_h_qbl", 0xff02'7777, 0xff03'7777, 0, ~u64(0xfe07) + 1, 0},
      {"dpsu_h_qbr", 0x7777'ff02, 0x7777'ff03, 0xfe07, 0, 0},
      {"dpaq_s_w_ph", 0x8000'0001, 0x8000'0001, 0, 0x8000'0001, flag(18)},
      {"dpaq_s_w_ph", 0x4000'ffff, 0x4000'0001, 2, 0x2000'0000, 0},
      {"dpsq_s_w_ph", 0x8000'0001, 0x8000'0001, 0, ~u64(0x8000'0001) + 1, flag(18)},
      {"mulsaq_s_w_ph", 0x8000'8000, 0x8000'8000, 5, 5, flag(18)},
      {"mulsaq_s_w_ph", 0x4000'0001, 0x4000'0001, 0, 0x1fff'fffe, 0},
      {"dpaq_sa_l_w", 0x8000'0000, 0x8000'0000, ~u64(0), most - 1, flag(18)},
      {"dpaq_sa_l_w", 0x8000'0000, 0x8000'0000, 1, most, flag(18)},
      {"dpaq_sa_l_w", 0x4000'0000, 2, most, most, flag(18)},
      {"dpaq_sa_l_w", 0xffff'ffff, 2, 3, ~u64(0), 0},
      {"dpsq_sa_l_w", 0x4000'0000, 2, least, least, flag(18)},
      {"dpsq_sa_l_w", 0x4000'0000, 2, 0, ~u64(0xffff'ffff), 0},
      {"maq_s_w_phl", 0x8000'0000, 0x8000'0000, 0x7fff'ffff, 0xffff'fffe, flag(18)},
      {"maq_s_w_phr", 1, 1, 0x7fff'ffff, 0x8000'0001, 0},
      {"maq_sa_w_phl", 0x0001'0000, 0x0001'0000, 0x7fff'ffff, 0x7fff'ffff, flag(18)},
      {"maq_sa_w_phr", 0xffff, 1, 0xffff'ffff'8000'0000, 0xffff'ffff'8000'0000, flag(18)},
      {"maq_sa_w_phr", 0xffff, 1, 0x8000'0001, 0x7fff'ffff, 0},
      {"mult", 0xffff'fffe, 3, 77, ~u64(5), 0},
      {"multu", 0xffff'fffe, 3, 77, 0x2'ffff'fffa, 0},
      {"madd", 0xffff'fffe, 3, 5, ~u64(0), 0},
      {"maddu", 0xffff'fffe, 3, 6, 0x3'0000'0000, 0},
      {"msub", 0xffff'fffe, 3, ~u64(5), 0, 0},
      {"msubu", 0xffff'fffe, 3, 0, ~u64(0x2'ffff'fffa) + 1, 0},
      {"mthi", 0x1234'5678, 0, 5, 0x1234'5678'0000'0005, 0},
      {"mtlo", 0x1234'5678, 0, u64(5) << 32, 0x5'1234'5678, 0},
      {"shilo", 0, 0, u64(0xff) << 56, u64(0xff) << 48, 0},  // by 8: the field begins at bit 20
      {"shilov", 0x20, 0, 0x1'0000'0001, u64(1) << 32, 0},
      {"shilov", 0x3f, 0, 1, 2, 0},
      {"shilov", 31, 0, least, u64(1) << 32, 0},
      {"shilov", 0x40, 0, most, most, 0},
  };
  with_dsp([&](AnyGuest& g) {
    for (const Dot& i : dots) {
      CAPTURE(i.name);
      for (const u32 ac : {0, 1, 3}) set_accumulator(g, ac, ac);
      set_accumulator(g, 2, i.before);
      g.s.r[a0] = i.a, g.s.r[a1] = i.b, g.s.dsp_control = 0;
      g.run({word(i.name)});
      CHECK(accumulator(g, 2) == i.after);
      CHECK(g.s.dsp_control == i.control);
      for (const u32 ac : {0, 1, 3}) CHECK(accumulator(g, ac) == ac);
    }
    g.s.hi[3] = 8, g.s.lo[1] = 9;
    g.run({word("mfhi", 3), word("mflo", 1) | 1u << 11});  // of $ac3 to v0, of $ac1 to v1
    CHECK((g.s.r[v0] == 8 && g.s.r[v1] == 9));
  });
}

TEST_CASE("mips dsp: extraction (EXTR[_RS].W, EXTR_S.H, EXTP, EXTPDP)") {
  struct Extract {
    const char* name;
    u32 a;  // of the forms with a register; the others shift by 4, or take 5 bits
    u64 accumulator;
    u32 before, result, after;
  };
  constexpr Extract extracts[] = {
      {"extr_w", 0, 0x7'ffff'fff7, 0, 0x7fff'ffff, 0},
      {"extr_w", 0, 0x7'ffff'fff8, 0, 0x7fff'ffff, flag(23)},  // rounded it would overflow
      {"extr_w", 0, 0xf'0000'0000, 0, 0xf000'0000, flag(23)},
      {"extr_r_w", 0, 0x7'ffff'fff8, 0, 0x8000'0000, flag(23)},
      {"extr_r_w", 0, 0x18, 0, 2, 0},
      {"extr_rs_w", 0, 0x7'ffff'fff8, 0, 0x7fff'ffff, flag(23)},
      {"extr_rs_w", 0, u64(1) << 63, 0, 0x8000'0000, flag(23)},
      {"extr_rs_w", 0, ~u64(0x7), 0, 0, 0},
      {"extrv_w", 32, 0xffff'ffff'8000'0000, 0, 0x8000'0000, 0},
      {"extrv_r_w", 31, u64(1) << 30, 0, 1, 0},
      {"extrv_rs_w", 1, 0x1'0000'0000, 0, 0x7fff'ffff, flag(23)},
      {"extr_s_h", 0, 0x7'ffff, 0, 0x7fff, 0},
      {"extr_s_h", 0, 0x8'0000, 0, 0x7fff, flag(23)},
      {"extr_s_h", 0, ~u64(0x8'0000), 0, 0xffff'8000, flag(23)},
      {"extrv_s_h", 4, ~u64(0x7'ffff), 0, 0xffff'8000, 0},
      {"extp", 0, 0xabcd, efi | pos(7), 0x19, pos(7)},
      {"extp", 0, 0xabcd, pos(3), 0, efi | pos(3)},
      {"extpv", 31, 0x1234'5678'9abc'def0, pos(63), 0x1234'5678, pos(63)},
      {"extpv", 32, u64(1) << 40, pos(40), 1, pos(40)},
      {"extpdp", 0, 0xabcd, efi | c | pos(7), 0x19, c | pos(2)},
      {"extpdp", 0, 0x1f, pos(4), 0x1f, pos(63)},  // -1
      {"extpdp", 0, 0xabcd, pos(3), 0, efi | pos(3)},
      {"extpdpv", 31, 0x1234'5678'9abc'def0, pos(63), 0x1234'5678, pos(31)},
  };
  with_dsp([&](AnyGuest& g) {
    for (const Extract& i : extracts) {
      CAPTURE(i.name);
      set_accumulator(g, 2, i.accumulator);
      g.s.r[a0] = i.a, g.s.dsp_control = i.before;
      g.run({word(i.name)});
      CHECK(g.s.r[a1] == i.result);
      CHECK(g.s.dsp_control == i.after);
      CHECK(accumulator(g, 2) == i.accumulator);
    }
  });
}

TEST_CASE("mips dsp: MTHLIP shifts a word in, and pos follows up to 32") {
  with_dsp([](AnyGuest& g) {
    g.s.r[a0] = 0x1234'5678, g.s.dsp_control = pos(5) | c;
    set_accumulator(g, 2, 0x1111'1111'2222'2222);
    g.run({word("mthlip")});
    CHECK(accumulator(g, 2) == 0x2222'2222'1234'5678);
    CHECK(g.s.dsp_control == (pos(37) | c));
    g.run({word("mthlip")});
    CHECK(g.s.dsp_control == (pos(37) | c));  // UNPREDICTABLE
  });
}

TEST_CASE("mips dsp: RDDSP and WRDSP take the fields of their mask, and no reserved bit") {
  constexpr u32 fields[] = {dsp_pos, dsp_scount, dsp_c, dsp_ouflag, dsp_ccond, dsp_efi};
  const auto wrdsp = [](u32 mask) { return 0x7c00'04f8 | a0 << 21 | mask << 11; };
  const auto rddsp = [](u32 mask) { return 0x7c00'04b8 | mask << 16 | v0 << 11; };
  with_dsp([&](AnyGuest& g) {
    for (u32 n = 0; n < 6; ++n) {
      CAPTURE(n);
      g.s.r[a0] = ~0u, g.s.dsp_control = 0;
      g.run({wrdsp(1u << n)});
      CHECK(g.s.dsp_control == fields[n]);
      g.s.r[a0] = 0, g.s.dsp_control = dsp_all_fields;
      g.run({rddsp(1u << n), wrdsp(1u << n)});
      CHECK(g.s.r[v0] == fields[n]);
      CHECK(g.s.dsp_control == (dsp_all_fields & ~fields[n]));
    }
    g.s.r[a0] = ~0u;
    g.run({wrdsp(0x3ff), rddsp(0x3c0)});  // bits 6 to 9 are ignored
    CHECK((g.s.dsp_control == 0x0fff'7fbf && g.s.r[v0] == 0));
  });
}

// ---- revision 2

TEST_CASE("mips dsp: revision 2 is the 74Kf's, and reserved elsewhere") {
  constexpr Case in_d[] = {
      {"absq_s_qb", 0, 0x80ff'7f01, 0, 0x7f01'7f01, flag(20)},
      {"addu_ph", 0xffff'8000, 0x0001'7fff, 0, 0x0000'ffff, flag(20)},
      {"addu_s_ph", 0xffff'8000, 0x0002'7fff, 0, 0xffff'ffff, flag(20)},
      {"subu_ph", 0x0000'0005, 0x0001'0005, 0, 0xffff'0000, flag(20)},
      {"subu_s_ph", 0x0000'ffff, 0x0001'0001, 0, 0x0000'fffe, flag(20)},
      {"adduh_qb", 0xff00'0102, 0xff01'0203, 0, 0xff00'0102, 0},
      {"adduh_r_qb", 0xff00'0102, 0xff01'0203, 0, 0xff01'0203, 0},
      {"subuh_qb", 0x00ff'0001, 0xff00'0100, 0, 0x807f'ff00, 0},
      {"subuh_r_qb", 0x00ff'0001, 0xff00'0100, 0, 0x8180'0001, 0},
      {"addqh_ph", 0x8000'7fff, 0x8000'7ffe, 0, 0x8000'7ffe, 0},
      {"addqh_r_ph", 0x8000'7fff, 0x8000'7ffe, 0, 0x8000'7fff, 0},
      {"subqh_ph", 0x8000'7fff, 0x7fff'8000, 0, 0x8000'7fff, 0},
      {"subqh_r_ph", 0x8000'7ffe, 0x7fff'8000, 0, 0x8001'7fff, 0},
      {"addqh_w", 0x8000'0000, 0x8000'0001, 0, 0x8000'0000, 0},
      {"addqh_r_w", 0x8000'0000, 0x8000'0001, 0, 0x8000'0001, 0},
      {"subqh_w", 0x7fff'ffff, 0x8000'0000, 0, 0x7fff'ffff, 0},
      {"subqh_r_w", 0x8000'0000, 0x7fff'ffff, 0, 0x8000'0001, 0},
      {"precr_qb_ph", 0x1122'3344, 0x5566'7788, 0, 0x2244'6688, 0},
      {"shra_qb", 0, 0x8070'ff0f, 0, 0xf807'ff00, 0},
      {"shra_r_qb", 0, 0x8878'ff07, 0, 0xf908'0000, 0},
      {"shrav_qb", 8, 0x8070'ff0f, 0, 0x8070'ff0f, 0},
      {"shrav_r_qb", 15, 0x8040'c03f, 0, 0xff01'0000, 0},
      {"shrl_ph", 0, 0x8000'ffff, 0, 0x0800'0fff, 0},
      {"shrlv_ph", 15, 0x8000'7fff, 0, 0x0001'0000, 0},
      {"mul_ph", 0x0100'ffff, 0x0100'0002, 0, 0x0000'fffe, flag(21)},
      {"mul_s_ph", 0x0100'8000, 0x0100'0002, 0, 0x7fff'8000, flag(21)},
      {"mulq_s_ph", 0x8000'4000, 0x8000'4000, 0, 0x7fff'2000, flag(21)},
      {"mulq_s_w", 0x8000'0000, 0x8000'0000, 0, 0x7fff'ffff, flag(21)},
      {"mulq_s_w", 0x7fff'ffff, 0x4000'0000, 0, 0x3fff'ffff, 0},
      {"mulq_rs_w", 0x7fff'ffff, 0x4000'0000, 0, 0x4000'0000, 0},
      {"cmpgdu_eq_qb", 0x0102'ff04, 0x0103'ff05, ccond(5) | c, 10, ccond(10) | c},
      {"cmpgdu_lt_qb", 0x0102'ff04, 0x0103'0105, 0, 5, ccond(5)},
      {"cmpgdu_le_qb", 0x0102'ff04, 0x0103'0105, 0, 13, ccond(13)},
  };
  constexpr u64 minus_two = ~u64(1);
  struct Dot {
    const char* name;
    u32 a, b;
    u64 before, after;
    u32 control;
  };
  constexpr Dot dots[] = {
      {"dpa_w_ph", 0x8000'0001, 0x8000'ffff, 0, 0x3fff'ffff, 0},
      {"dps_w_ph", 0x0002'0001, 0x0003'0004, 8, minus_two, 0},
      {"dpax_w_ph", 0x0002'0001, 0x0003'0004, 0, 11, 0},
      {"dpsx_w_ph", 0x0002'0001, 0x0003'0004, 9, minus_two, 0},
      {"mulsa_w_ph", 0x0002'0001, 0x0003'0008, 0, minus_two, 0},
      {"dpaqx_s_w_ph", 0x8000'0001, 0x0001'8000, 0, 0x8000'0001, flag(18)},
      {"dpsqx_s_w_ph", 0x8000'0001, 0x0001'8000, 0x8000'0001, 0, flag(18)},
      {"dpaqx_sa_w_ph", 0x4000'0000, 0x0000'4000, 0x7000'0000, 0x7fff'ffff, flag(18)},
      {"dpaqx_sa_w_ph", 0x4000'0000, 0x0000'4000, 0x1000'0000, 0x3000'0000, 0},
      {"dpsqx_sa_w_ph", 0x4000'0000, 0x0000'4000, 0xffff'ffff'9000'0000, 0xffff'ffff'8000'0000, flag(18)},
  };
  const auto in_t = [](std::string_view name, u32 k) { return (word(name) & ~(31u << 11)) | k << 11; };
  with_dsp(
      [&](AnyGuest& g) {
        for (const Case& i : in_d) {
          CAPTURE(i.name);
          g.s.r[a0] = i.a, g.s.r[a1] = i.b, g.s.dsp_control = i.before;
          g.run({word(i.name)});
          CHECK(g.s.r[v0] == i.result);
          CHECK(g.s.dsp_control == i.after);
        }
        for (const Dot& i : dots) {
          CAPTURE(i.name);
          set_accumulator(g, 2, i.before);
          g.s.r[a0] = i.a, g.s.r[a1] = i.b, g.s.dsp_control = 0;
          g.run({word(i.name)});
          CHECK(accumulator(g, 2) == i.after);
          CHECK(g.s.dsp_control == i.control);
        }
        const auto merged = [&](u32 w) {
          g.s.r[a0] = 0x1234'5678, g.s.r[a1] = 0x9abc'def0;
          g.run({w});
          return g.s.r[a1];
        };
        CHECK(merged(in_t("append", 8)) == 0xbcde'f078);
        CHECK(merged(in_t("append", 0)) == 0x9abc'def0);
        CHECK(merged(in_t("prepend", 8)) == 0x789a'bcde);
        CHECK(merged(in_t("balign", 1)) == 0xbcde'f012);
        CHECK(merged(in_t("balign", 3)) == 0xf012'3456);
        CHECK(merged(in_t("precr_sra_ph_w", 4)) == 0xcdef'4567);
        CHECK(merged(in_t("precr_sra_r_ph_w", 4)) == 0xcdef'4568);
        CHECK(merged(in_t("precr_sra_r_ph_w", 0)) == 0xdef0'5678);
      },
      "74Kf");
  with_dsp([&](AnyGuest& g) {
    for (const char* const name : {"addu_ph", "append", "dpa_w_ph"}) {
      g.run({word(name)});
      CHECK((g.s.pc == AnyGuest::general && g.code_of_exception() == u32(ExcCode::RI)));
      g.s.cp0.status &= ~status_exl;
      settle_status(g.s);
    }
  });
}

// ---- memory, branch, exceptions

TEST_CASE("mips dsp: indexed loads (LWX, LHX, LBUX)") {
  with_dsp([](AnyGuest& g) {
    g.set_word(0x2000, 0x8081'8283);
    g.s.r[a0] = 0x8000'1000, g.s.r[a1] = 0x1000;
    g.run({word("lwx")});
    CHECK(g.s.r[v0] == 0x8081'8283);
    g.run({word("lhx")});
    CHECK(g.s.r[v0] == (g.s.big_endian ? 0xffff'8081 : 0xffff'8283));
    g.run({word("lbux")});
    CHECK(g.s.r[v0] == (g.s.big_endian ? 0x80 : 0x83));
    g.s.r[a1] = 0x1001;
    g.run({word("lhx")});
    CHECK((g.s.pc == AnyGuest::general && g.code_of_exception() == u32(ExcCode::AdEL) &&
           g.s.cp0.bad_vaddr == 0x8000'2001));
  });
}

TEST_CASE("mips dsp: BPOSGE32 has a slot, which cannot change it any more") {
  constexpr u32 bposge32 = 0x041c'0002, wrdsp_pos = 0x7c00'0cf8 | a0 << 21;
  with_dsp([&](AnyGuest& g) {
    const auto taken = [&](u32 control, u32 then) {
      g.s.dsp_control = control, g.s.r[a0] = then, g.s.r[v0] = g.s.r[v1] = 0;
      g.run({bposge32, wrdsp_pos, addiu(v0, zero, 1), addiu(v1, zero, 1)});
      CHECK(g.s.dsp_control == ((control & ~dsp_pos) | then));
      CHECK(g.s.r[v1] == 1);
      return g.s.r[v0] == 0;
    };
    CHECK(taken(pos(32), pos(31)));
    CHECK(taken(pos(63) | c, pos(0)));
    CHECK_FALSE(taken(pos(31), pos(32)));
    CHECK_FALSE(taken(dsp_all_fields & ~pos(32), pos(63)));
  });
}

TEST_CASE("mips dsp: disabled while Status.MX is clear, reserved where there is none (DSPDis, RI)") {
  constexpr u32 mult_ac0 = r_type(0x18, 0, a0, a1), reserved = 0x7c00'0090;
  const auto code_of = [](const char* model, bool mx, std::initializer_list<u32> code) {
    u32 first = 0;
    for (const bool interpret : {true, false}) {
      LittleGuest g(interpret, model);
      if (mx) g.s.cp0.status |= status_mx;
      settle_status(g.s);
      g.run(code);
      const u32 raised = g.s.pc == AnyGuest::general ? g.code_of_exception() : 0;
      if (raised) CHECK(g.s.cp0.epc == AnyGuest::code);
      if (interpret) first = raised;
      else CHECK(raised == first);
    }
    return first;
  };
  constexpr u32 disabled = u32(ExcCode::DSPDis), ri = u32(ExcCode::RI);
  for (const char* const name : {"addq_ph", "addsc", "mult", "mfhi", "lwx", "rddsp", "bposge32"}) {
    CAPTURE(name);
    const u32 w = word(name, std::string_view(name) == "mfhi" ? u32(v1) : u32(a0));
    CHECK(code_of("34Kf", false, {w, nop}) == disabled);
    CHECK(code_of("24KEc", false, {w, nop}) == disabled);
    CHECK(code_of("24Kf", false, {w, nop}) == ri);
    CHECK(code_of("4Kc", false, {w, nop}) == ri);
    CHECK(code_of("34Kf", false, {beq(zero, zero, 1), w}) == disabled);
  }
  for (const char* const model : {"34Kf", "74Kf", "24KEc", "24Kf"}) {
    CHECK(code_of(model, false, {mult_ac0, nop}) == 0);
    CHECK(code_of(model, false, {reserved, nop}) == ri);
  }
  CHECK(code_of("24KEc", true, {word("addq_ph"), word("mthlip"), reserved & 0}) == 0);
}

TEST_CASE("mips dsp: MTC0 that clears Status.MX disables what comes next (MD00374, Status)") {
  with_dsp([](AnyGuest& g) {
    g.s.r[a0] = 0;
    g.run({word("addq_ph"), mtc0(a0, 12), word("addq_ph"), nop});
    CHECK((g.s.pc == AnyGuest::general && g.code_of_exception() == u32(ExcCode::DSPDis) &&
           g.s.cp0.epc == AnyGuest::code + 8));
  });
}

// ---- text, and debuggers

TEST_CASE("mips dsp: each encoding decodes to itself, and the text is objdump's") {
  for (int n = 1; n < int(std::size(dsp::op_info)); ++n) {
    CAPTURE(dsp::op_info[n].name);
    const u32 w = word(dsp::op_info[n].name, 7);
    CHECK(int(dsp::op_of(w)) == n);
    CHECK(dsp::disassemble(w, 0x8000'0000).find(".word") == std::string::npos);
  }
  constexpr std::pair<u32, const char*> texts[] = {
      {0x7c85'1290, "addq.ph v0,a0,a1"},
      {0x7cff'1092, "repl.qb v0,0xff"},
      {0x7e00'1292, "repl.ph v0,-512"},
      {0x7c03'1292, "repl.ph v0,3"},
      {0x7e00'0eb8, "shilo $ac1,-32"},
      {0x7df0'0eb8, "shilo $ac1,31"},
      {0x7c9f'fcf8, "wrdsp a0"},
      {0x7c80'14f8, "wrdsp a0,0x2"},
      {0x7fff'24b8, "rddsp a0"},
      {0x7c02'24b8, "rddsp a0,0x2"},
      {0x0040'1010, "mfhi v0,$ac2"},
      {0x0085'0818, "mult $ac1,a0,a1"},
      {0x7fe2'1838, "extr.w v0,$ac3,0x1f"},
      {0x7ca2'08b8, "extp v0,$ac1,0x5"},
      {0x041c'ffff, "bposge32 0x80000000"},
      {0x7ca4'100a, "lwx v0,a0(a1)"},
      {0x7c80'17f8, "mthlip a0,$ac2"},
      {0x7ce3'1013, "shll.qb v0,v1,0x7"},
  };
  for (const auto& [w, text] : texts) CHECK(dsp::disassemble(w, 0x8000'0000) == text);
}

TEST_CASE("mips dsp: gdb sees its registers where there are any") {
  const auto registers = [](const char* model) {
    LittleGuest g(true, model);
    return MipsDebug(g.s).registers().size();
  };
  CHECK((registers("24Kf") == 72 && registers("24Kc") == 72 && registers("24KEc") == 79 && registers("34Kf") == 79));
  for (const char* const model : {"24KEc", "34Kf"}) {
    LittleGuest g(true, model);
    MipsDebug d(g.s);
    g.s.r[31] = 3, g.s.f[0] = 1, g.s.hi[1] = 72, g.s.lo[3] = 77;
    for (unsigned i = 0; i < d.registers().size(); ++i) {
      const RegisterDesc& r = d.registers()[i];
      CAPTURE(r.name);
      u32 v = 0;
      u8 bytes[4] = {};
      d.read_register(i, bytes);
      v = load_le<u32>(bytes);
      if (r.number == 31) CHECK(v == 3);
      if (r.number == 38) CHECK(v == (g.s.model->has_fpu() ? 1 : 0));
      if (std::string_view(r.name) == "hi1") CHECK((v == 72 && r.number == 72));
      if (std::string_view(r.name) == "lo3") CHECK((v == 77 && r.number == 77));
      if (std::string_view(r.name) != "dspctl") continue;
      CHECK(r.number == 78);
      d.write_register(i, std::array<u8, 4>{0xff, 0xff, 0xff, 0xff});
      CHECK(g.s.dsp_control == dsp_all_fields);
    }
    CHECK(d.dump().find("HI1=0x00000048") != std::string::npos);
  }
}
}  // namespace
}  // namespace mips::test
