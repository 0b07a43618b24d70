#include "cpus/arm/print.hpp"

#include <bit>
#include <cstdio>

namespace arm::print {
namespace {

constexpr u32 sp = 13, pc_number = 15;

std::string decimal(u32 v) { return std::to_string(static_cast<core::s32>(v)); }

std::string sign(u32 u) { return u ? "" : "-"; }

// Unlike +0, -0 is printed: it is another encoding.
std::string plus_or_minus(u32 u, u32 v) { return u && !v ? "" : ", #" + sign(u) + std::to_string(v); }

std::string shifted(u32 u, u32 m, u32 y, u32 k) { return sign(u) + reg(m) + shift(y, k); }

std::string hex_address(u32 v) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%x", v);
  return text;
}

bool is_push(u32 n, u32 p, u32 u, u32 w) { return n == sp && p && !u && w; }
bool is_pop(u32 n, u32 p, u32 u, u32 w) { return n == sp && !p && u && w; }

// The single-register forms write back by being post-indexed, so W is clear in a pop.
bool moves_sp(u32 n, u32 p, u32 u, u32 w, u32 o, const char* name) {
  return o == 4 && (name == std::string("str") ? is_push(n, p, u, w) : is_pop(n, p, u, !w));
}

// One register is pushed and popped by str and ldr; objdump keeps stm and ldm for it.
bool block_moves_sp(u32 p, u32 u, u32 w, u32 n, u32 l, const char* name) {
  return std::popcount(l) > 1 && (name == std::string("stm") ? is_push(n, p, u, w) : is_pop(n, p, u, w));
}

}  // namespace

std::string undefined(u32 w, int width) {
  char text[24];
  std::snprintf(text, sizeof text, width == 16 ? ".short 0x%04x" : ".word 0x%08x", w);
  return text;
}

std::string cond(u32 c) {
  static const char* const names[] = {"eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc",
                                      "hi", "ls", "ge", "lt", "gt", "le", "",   "nv"};
  return names[c];
}

std::string flag(u32 set, const char* text) { return set ? text : ""; }

std::string reg(u32 r) {
  static const char* const names[] = {"r0", "r1", "r2",  "r3",  "r4",  "r5", "r6", "r7",
                                      "r8", "r9", "r10", "r11", "r12", "sp", "lr", "pc"};
  return names[r];
}

std::string sreg(u32 r) { return "s" + std::to_string(r); }
std::string dreg(u32 r) { return "d" + std::to_string(r); }
std::string creg(u32 r) { return "cr" + std::to_string(r); }
std::string mrc_reg(u32 t) { return t == pc_number ? "APSR_nzcv" : reg(t); }

std::string system_reg(u32 r) {
  switch (r) {
    case 0: return "fpsid";
    case 1: return "fpscr";
    case 6: return "mvfr1";
    case 7: return "mvfr0";
    case 8: return "fpexc";
    case 9: return "fpinst";
    case 10: return "fpinst2";
  }
  return "<impl def " + hex_address(r) + ">";
}

std::string flags_reg(u32 r, u32 t) { return r == 1 ? mrc_reg(t) : reg(t); }
std::string status(u32 r) { return r ? "SPSR" : "CPSR"; }

std::string status_fields(u32 f) {
  return std::string(f & 8 ? "f" : "") + (f & 4 ? "s" : "") + (f & 2 ? "x" : "") + (f & 1 ? "c" : "");
}

std::string spair(u32 m) { return sreg(m) + ", " + sreg(m + 1); }

std::string number(u32 v) { return std::to_string(v); }
std::string braced(u32 v) { return "{" + std::to_string(v) + "}"; }

std::string hex(u32 v, int digits) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%0*x", digits, v);
  return text;
}

std::string times(u32 x, u32 scale) { return std::to_string(x * scale); }
std::string amount32(u32 k) { return std::to_string(k ? k : 32); }

std::string expand_imm(u32 x) {
  const u32 byte = x & 0xff, rotate = (x >> 8) * 2;
  const u32 value = std::rotr(byte, static_cast<int>(rotate));
  u32 least = 0;  // the assembler's choice: the smallest rotation that yields the value
  while (std::rotl(value, static_cast<int>(least)) > 0xff) least += 2;
  return least == rotate ? "#" + decimal(value) : "#" + std::to_string(byte) + ", " + std::to_string(rotate);
}

std::string half(u32 top) { return top ? "t" : "b"; }

std::string shift_name(u32 y) {
  static const char* const names[] = {"lsl", "lsr", "asr", "ror"};
  return names[y];
}

std::string shift(u32 y, u32 k) {
  if (!y && !k) return "";
  return ", " + move_name(y, k) + (y == 3 && !k ? "" : " #" + amount32(k));
}

std::string move_name(u32 y, u32 k) {
  if (k || y == 1 || y == 2) return shift_name(y);
  return y ? "rrx" : "mov";
}

std::string move_amount(u32 y, u32 k) { return k || y == 1 || y == 2 ? ", #" + amount32(k) : ""; }
std::string lsl_name(u32 k) { return k ? "lsls" : "movs"; }
std::string lsl_amount(u32 k) { return k ? ", #" + std::to_string(k) : ""; }

std::string address(u32 n, u32 p, u32 u, u32 w, u32 o) {
  if (!p) return post(n, u, o);
  return w ? "[" + reg(n) + ", #" + sign(u) + std::to_string(o) + "]!" : offset(n, u, o);
}

std::string address_reg(u32 n, u32 p, u32 u, u32 w, u32 m, u32 y, u32 k) {
  return p ? offset_reg(n, u, m, y, k) + flag(w, "!") : post_reg(n, u, m, y, k);
}

// Neither pre-indexed nor written back: the offset is an option for the coprocessor.
std::string address_coproc(u32 n, u32 p, u32 u, u32 w, u32 o) {
  return p || w ? address(n, p, u, w, o * 4) : "[" + reg(n) + "], " + braced(o);
}

std::string offset(u32 n, u32 u, u32 o) { return "[" + reg(n) + plus_or_minus(u, o) + "]"; }

std::string offset_reg(u32 n, u32 u, u32 m, u32 y, u32 k) {
  return "[" + reg(n) + ", " + shifted(u, m, y, k) + "]";
}

std::string post(u32 n, u32 u, u32 o) { return "[" + reg(n) + "], #" + sign(u) + std::to_string(o); }

std::string post_reg(u32 n, u32 u, u32 m, u32 y, u32 k) { return "[" + reg(n) + "], " + shifted(u, m, y, k); }

std::string vfp_address(u32 n, u32 u, u32 o) { return offset(n, u, o * 4); }
std::string long_form(u32 z) { return z ? "l" : ""; }

std::string branch24(u32 b, u32 h, u32 pc) {
  const u32 step = static_cast<u32>(static_cast<core::s32>(b << 8) >> 6);
  return hex_address(pc + 8 + step + h * 2);
}

std::string branch_thumb(u32 b, int bits, u32 pc) {
  const u32 step = static_cast<u32>(static_cast<core::s32>(b << (32 - bits)) >> (31 - bits));
  return hex_address(pc + 4 + step);
}

std::string word(u32 n, u32 p, u32 u, u32 w, u32 o, const char* name) {
  if (!moves_sp(n, p, u, w, o, name)) return name;
  return p ? "push" : "pop";
}

std::string word_rest(u32 t, u32 n, u32 p, u32 u, u32 w, u32 o, const char* name) {
  return moves_sp(n, p, u, w, o, name) ? "{" + reg(t) + "}" : reg(t) + ", " + address(n, p, u, w, o);
}

std::string block(u32 p, u32 u, u32 w, u32 n, u32 l, const char* name) {
  if (block_moves_sp(p, u, w, n, l, name)) return p ? "push" : "pop";
  if (name == std::string("stm")) return name + store_mode(p, u, w);
  return name + (is_pop(n, p, u, w) ? "fd" : mode(p, u));
}

std::string block_rest(u32 p, u32 u, u32 w, u32 n, u32 l, const char* name) {
  return (block_moves_sp(p, u, w, n, l, name) ? "" : reg(n) + flag(w, "!") + ", ") + list(l);
}

std::string vpush(u32 n) { return n == sp ? "vpush" : "vstmdb"; }
std::string vpush_base(u32 n) { return n == sp ? "" : reg(n) + "!, "; }
std::string vpop(u32 w, u32 n) { return w && n == sp ? "vpop" : "vldmia"; }
std::string vpop_base(u32 w, u32 n) { return w && n == sp ? "" : reg(n) + flag(w, "!") + ", "; }

std::string mode(u32 p, u32 u) {
  static const char* const names[] = {"da", "", "db", "ib"};
  return names[p * 2 + u];
}

std::string store_mode(u32 p, u32 u, u32 w) { return w && !p && u ? "ia" : mode(p, u); }

std::string list(u32 l) {
  std::string text;
  for (u32 r = 0; r < 16; ++r)
    if (l >> r & 1) text += (text.empty() ? "" : ", ") + reg(r);
  return "{" + text + "}";
}

std::string list_pc(u32 l) { return list(l | 1u << pc_number); }
std::string list_and(u32 l, u32 r, u32 extra) { return list(l | r << extra); }
std::string thumb_base(u32 n, u32 l) { return flag(!(l >> n & 1), "!"); }

std::string vlist(u32 d, u32 i, const char* prefix) {
  if (!i) return "{}";
  const std::string first = prefix + std::to_string(d);
  return "{" + first + (i == 1 ? "" : "-" + (prefix + std::to_string(d + i - 1))) + "}";
}

}  // namespace arm::print
