#include "cpus/mips/print.hpp"

#include "cpus/mips/mips16.hpp"

#include <cstdio>

namespace mips::print {
namespace {
constexpr u32 zero = 0, ra = 31;

std::string decimal(u32 i) { return std::to_string(core::s32(core::s16(i))); }
std::string list(const char* name, std::initializer_list<std::string> operands) {
  std::string text = name;
  const char* before = " ";
  for (const std::string& o : operands) text += before + o, before = ",";
  return text;
}
// Names objdump has for CP0 registers of MIPS32 release 2, by number and select; others are $n or $n,sel.
struct Cp0Name {
  core::u8 number, select;
  const char* name;
};
constexpr Cp0Name cp0_names[] = {
    {0, 0, "c0_index"}, {0, 1, "c0_mvpcontrol"}, {0, 2, "c0_mvpconf0"}, {0, 3, "c0_mvpconf1"}, {1, 0, "c0_random"},
    {1, 1, "c0_vpecontrol"}, {1, 2, "c0_vpeconf0"}, {1, 3, "c0_vpeconf1"}, {1, 4, "c0_yqmask"},
    {1, 5, "c0_vpeschedule"}, {1, 6, "c0_vpeschefback"}, {2, 0, "c0_entrylo0"}, {2, 1, "c0_tcstatus"},
    {2, 2, "c0_tcbind"}, {2, 3, "c0_tcrestart"}, {2, 4, "c0_tchalt"}, {2, 5, "c0_tccontext"}, {2, 6, "c0_tcschedule"},
    {2, 7, "c0_tcschefback"}, {3, 0, "c0_entrylo1"}, {4, 0, "c0_context"}, {4, 1, "c0_contextconfig"},
    {5, 0, "c0_pagemask"}, {5, 1, "c0_pagegrain"}, {6, 0, "c0_wired"}, {6, 1, "c0_srsconf0"}, {6, 2, "c0_srsconf1"},
    {6, 3, "c0_srsconf2"}, {6, 4, "c0_srsconf3"}, {6, 5, "c0_srsconf4"}, {7, 0, "c0_hwrena"}, {8, 0, "c0_badvaddr"},
    {9, 0, "c0_count"}, {10, 0, "c0_entryhi"}, {11, 0, "c0_compare"}, {12, 0, "c0_status"}, {12, 1, "c0_intctl"},
    {12, 2, "c0_srsctl"}, {12, 3, "c0_srsmap"}, {13, 0, "c0_cause"}, {14, 0, "c0_epc"}, {15, 0, "c0_prid"},
    {15, 1, "c0_ebase"}, {16, 0, "c0_config"}, {16, 1, "c0_config1"}, {16, 2, "c0_config2"}, {16, 3, "c0_config3"},
    {17, 0, "c0_lladdr"}, {18, 0, "c0_watchlo"}, {18, 1, "c0_watchlo,1"}, {18, 2, "c0_watchlo,2"},
    {18, 3, "c0_watchlo,3"}, {18, 4, "c0_watchlo,4"}, {18, 5, "c0_watchlo,5"}, {18, 6, "c0_watchlo,6"},
    {18, 7, "c0_watchlo,7"}, {19, 0, "c0_watchhi"}, {19, 1, "c0_watchhi,1"}, {19, 2, "c0_watchhi,2"},
    {19, 3, "c0_watchhi,3"}, {19, 4, "c0_watchhi,4"}, {19, 5, "c0_watchhi,5"}, {19, 6, "c0_watchhi,6"},
    {19, 7, "c0_watchhi,7"}, {20, 0, "c0_xcontext"}, {23, 0, "c0_debug"}, {23, 1, "c0_tracecontrol"},
    {23, 2, "c0_tracecontrol2"}, {23, 3, "c0_usertracedata"}, {23, 4, "c0_tracebpc"}, {24, 0, "c0_depc"},
    {25, 0, "c0_perfcnt"}, {25, 1, "c0_perfcnt,1"}, {25, 2, "c0_perfcnt,2"}, {25, 3, "c0_perfcnt,3"},
    {25, 4, "c0_perfcnt,4"}, {25, 5, "c0_perfcnt,5"}, {25, 6, "c0_perfcnt,6"}, {25, 7, "c0_perfcnt,7"},
    {26, 0, "c0_errctl"}, {27, 0, "c0_cacheerr"}, {27, 1, "c0_cacheerr,1"}, {27, 2, "c0_cacheerr,2"},
    {27, 3, "c0_cacheerr,3"}, {28, 0, "c0_taglo"}, {28, 1, "c0_datalo"}, {28, 2, "c0_taglo1"}, {28, 3, "c0_datalo1"},
    {28, 4, "c0_taglo2"}, {28, 5, "c0_datalo2"}, {28, 6, "c0_taglo3"}, {28, 7, "c0_datalo3"}, {29, 0, "c0_taghi"},
    {29, 1, "c0_datahi"}, {29, 2, "c0_taghi1"}, {29, 3, "c0_datahi1"}, {29, 4, "c0_taghi2"}, {29, 5, "c0_datahi2"},
    {29, 6, "c0_taghi3"}, {29, 7, "c0_datahi3"}, {30, 0, "c0_errorepc"}, {31, 0, "c0_desave"},
};
}  // namespace

std::string undefined(u32 w, int width) {
  char text[24];
  std::snprintf(text, sizeof text, width == 16 ? ".short 0x%x" : ".word 0x%x", w);
  return text;
}

std::string reg(u32 r) {
  static const char* const names[] = {"zero", "at", "v0", "v1", "a0", "a1", "a2", "a3", "t0", "t1", "t2",
                                      "t3",   "t4", "t5", "t6", "t7", "s0", "s1", "s2", "s3", "s4", "s5",
                                      "s6",   "s7", "t8", "t9", "k0", "k1", "gp", "sp", "s8", "ra"};
  return names[r];
}

std::string hex(u32 v) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%x", v);
  return text;
}
std::string plain_hex(u32 v) { return hex(v); }
std::string signed_(u32 i) { return decimal(i); }
std::string branch(u32 b, u32 pc) { return hex(pc + 4 + u32(core::s32(b << 16) >> 14)); }
std::string jump(u32 j, u32 pc) { return hex(((pc + 4) & 0xf000'0000) | j << 2); }
std::string jump16(u32 j, u32 pc) { return hex(((pc + 4) & 0xf000'0000) | j << 2 | 1); }
std::string size(u32 m) { return hex(m + 1); }
std::string ins_size(u32 m, u32 k) { return hex(m - k + 1); }

std::string cp0(u32 d, u32 e) {
  for (const Cp0Name& n : cp0_names)
    if (n.number == d && n.select == e) return n.name;
  return "$" + std::to_string(d) + (e ? "," + std::to_string(e) : "");
}
std::string hwr(u32 d) {
  static const char* const names[] = {"hwr_cpunum", "hwr_synci_step", "hwr_cc", "hwr_ccres"};
  return d < 4 ? names[d] : d == 29 ? "hwr_ulr" : "$" + std::to_string(d);
}
std::string sync(u32 a) {
  switch (a) {
    case 0: return "sync";
    case 0x04: return "sync_wmb";
    case 0x10: return "sync_mb";
    case 0x11: return "sync_acquire";
    case 0x12: return "sync_release";
    case 0x13: return "sync_rmb";
    default: return "sync " + hex(a);
  }
}

std::string code(u32 c) { return c ? " " + hex(c) : ""; }
std::string codes(u32 c, u32 q) { return q ? " " + hex(c) + "," + hex(q) : code(c); }
std::string more(u32 q) { return q ? "," + hex(q) : ""; }
std::string only(u32 t) { return t == zero ? "" : " " + reg(t); }
std::string link(u32 d) { return d == ra ? "" : reg(d) + ","; }

std::string addu(u32 d, u32 s, u32 t) { return t == zero ? list("move", {reg(d), reg(s)}) : list("addu", {reg(d), reg(s), reg(t)}); }
std::string or_text(u32 d, u32 s, u32 t) { return t == zero ? list("move", {reg(d), reg(s)}) : list("or", {reg(d), reg(s), reg(t)}); }
std::string nor(u32 d, u32 s, u32 t) { return t == zero && s != zero ? list("not", {reg(d), reg(s)}) : list("nor", {reg(d), reg(s), reg(t)}); }
std::string subtract(u32 d, u32 s, u32 t, const char* negate, const char* name) {
  return s == zero ? list(negate, {reg(d), reg(t)}) : list(name, {reg(d), reg(s), reg(t)});
}
std::string addiu(u32 t, u32 s, u32 i) {
  return s == zero ? list("li", {reg(t), decimal(i)}) : list("addiu", {reg(t), reg(s), decimal(i)});
}
std::string ori(u32 t, u32 s, u32 u) { return s == zero ? list("li", {reg(t), hex(u)}) : list("ori", {reg(t), reg(s), hex(u)}); }

std::string beq(u32 s, u32 t) {
  if (s == zero && t == zero) return "b ";
  return t == zero ? list("beqz", {reg(s), ""}) : list("beq", {reg(s), reg(t), ""});
}
std::string beql(u32 s, u32 t) { return t == zero ? list("beqzl", {reg(s), ""}) : list("beql", {reg(s), reg(t), ""}); }
std::string bne(u32 s, u32 t, const char* likely) {
  const std::string l = likely;
  return t == zero ? list(("bnez" + l).c_str(), {reg(s), ""}) : list(("bne" + l).c_str(), {reg(s), reg(t), ""});
}
std::string bgez(u32 s) { return s == zero ? "b " : list("bgez", {reg(s), ""}); }
std::string bgezal(u32 s) { return s == zero ? "bal " : list("bgezal", {reg(s), ""}); }

std::string reg16(u32 x) { return reg(mips16e::reg(x)); }
std::string moved(u32 d, u32 s) { return d == s ? reg16(d) : reg16(d) + "," + reg16(s); }
std::string two(u32 d, u32 s) { return moved(d, s) + ","; }
std::string number(u32 v) { return std::to_string(v); }
std::string scaled(u32 i, unsigned shift) { return number(i << shift); }
std::string signed_of(u32 i, unsigned bits) { return std::to_string(core::s32(mips16e::sign_extended(i, bits))); }
std::string stack(u32 i) { return std::to_string(core::s32(mips16e::sign_extended(i, 8)) * 8); }
std::string shift16(u32 k) { return number(k ? k : 8); }
std::string near(u32 i, u32 pc) { return hex((pc & ~3u) + i * 4); }
std::string near16(u32 n, u32 pc) { return hex((pc & ~3u) + mips16e::sign_extended(n, 16)); }
std::string branch16(u32 b, unsigned bits, u32 length, u32 pc) { return hex((pc + length + mips16e::sign_extended(b, bits) * 2) | 1); }

namespace {
// ",s0-s2,s8": the registers of `saved` from `first` to `last`, s8 being next to s7.
std::string runs(u32 saved, u32 first, u32 last) {
  const auto there = [&](u32 n) { return n <= last && (saved >> (n == 24 ? 30 : n) & 1) != 0; };
  const auto name = [](u32 n) { return reg(n == 24 ? 30 : n); };
  std::string text;
  for (u32 n = first; n <= last; ++n) {
    if (!there(n)) continue;
    text += "," + name(n);
    const u32 from = n;
    while (there(n + 1)) ++n;
    if (n != from) text += "-" + name(n);
  }
  return text;
}
std::string frame_text(const char* name, const mips16e::Frame& f) {
  std::string text = std::string(name) + " ";
  if (f.arguments) text += runs(~0u, 4, 3 + f.arguments).substr(1) + ",";
  return text + number(f.bytes) + runs(f.saved, 31, 31) + runs(f.saved, 16, 24) + runs(f.saved, 4, 7);
}
}  // namespace
std::string save_text(u32 a, u32 s, u32 t, u32 f) { return frame_text("save", mips16e::frame(a, s, t, f)); }
std::string restore_text(u32 a, u32 s, u32 t, u32 f) { return frame_text("restore", mips16e::frame(a, s, t, f)); }
std::string save_text(u32 a, u32 s, u32 t, u32 f, u32 g, u32 v) { return frame_text("save", mips16e::frame(a, s, t, f, g, v)); }
std::string restore_text(u32 a, u32 s, u32 t, u32 f, u32 g, u32 v) {
  return frame_text("restore", mips16e::frame(a, s, t, f, g, v));
}

std::string freg(u32 r) { return "$f" + std::to_string(r); }
std::string whole_fcc(u32 c) { return "$fcc" + std::to_string(c); }
std::string fcc(u32 c) { return c ? whole_fcc(c) + "," : ""; }
std::string condition(u32 k) {
  static const char* const names[] = {"f",  "un",   "eq",  "ueq", "olt", "ult", "ole", "ule",
                                      "sf", "ngle", "seq", "ngl", "lt",  "nge", "le",  "ngt"};
  return names[k];
}
std::string fp_control(u32 n) {
  switch (n) {
    case 0: return "c1_fir";
    case 1: return "c1_ufr";
    case 4: return "c1_unfr";
    case 25: return "c1_fccr";
    case 26: return "c1_fexr";
    case 28: return "c1_fenr";
    case 31: return "c1_fcsr";
    default: return "$" + std::to_string(n);
  }
}

std::string ac(u32 a) { return "$ac" + std::to_string(a); }
std::string shift6(u32 h) { return std::to_string(core::s32(mips16e::sign_extended(h, 6))); }
std::string halfword(u32 w) { return std::to_string(core::s32(mips16e::sign_extended(w, 10))); }
std::string fields(u32 m) { return m == 0x3ff ? "" : "," + hex(m); }
}  // namespace mips::print
