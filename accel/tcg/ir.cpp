#include "accel/tcg/ir.hpp"

#include "core/log.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace tcg {
namespace {
constexpr const char* names[] = {
    "mov",   "add",   "adc",   "sub",   "sbc",   "and",   "andn",   "or",     "xor",      "not",      "shl",      "shr",
    "sar",   "ror",   "rrx",   "shl_s", "shr_s", "sar_s", "mul",    "mulu2",  "muls2",    "divu",   "divs",   "clz",      "sext8",    "sext16",
    "zext8", "zext16", "bswap", "setcmp", "set_flag", "get_flag", "cond", "fp_flags", "nz64", "load", "store", "label", "br", "br_cond",
    "br_zero", "br_nonzero", "br_cmp", "exit_jump", "exit_indirect", "exit_state", "fp", "call", "insn"};
static_assert(std::size(names) == std::size_t(Op::count));
constexpr const char* fp_names[] = {"mac", "nmac", "msc", "nmsc", "mul", "nmul", "add", "sub", "div", "copy", "abs", "neg", "sqrt",
                                    "compare", "compare_zero", "widen", "narrow", "from_u32", "from_s32", "to_u32", "to_u32_trunc",
                                    "to_s32", "to_s32_trunc", "madd", "msub", "nmadd", "nmsub", "test_eq", "test_lt", "test_le"};
constexpr const char* cond_names[] = {"eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le"};

u8 reads_flags(const Insn& i) {
  switch (i.op) {
    case Op::adc: case Op::sbc: case Op::rrx: return flag_c;
    case Op::get_flag: return i.aux;
    case Op::cond: case Op::br_cond: return flags_read(Cond(i.aux));
    default: return 0;
  }
}
}  // namespace

u8 flags_read(Cond c) {
  constexpr u8 by_pair[] = {flag_z, flag_c, flag_n, flag_v, flag_c | flag_z, flag_n | flag_v, flag_n | flag_z | flag_v};
  return by_pair[u8(c) / 2];
}

std::string to_text(const Block& block, const GuestLayout& layout) {
  std::string out;
  char text[96];
  auto operand = [&](Ref r, u32 imm) -> std::string {
    if (r.is_guest()) return layout.slots[r.index()].name;
    if (r.is_temp()) return "t" + std::to_string(r.index());
    std::snprintf(text, sizeof text, "$0x%x", imm);
    return text;
  };
  for (const Insn& i : block.code) {
    if (i.op == Op::insn) {
      std::snprintf(text, sizeof text, i.c.bits ? " ---- %08x slot %u\n" : " ---- %08x\n", i.imm, i.c.bits);
      out += text;
      continue;
    }
    out += std::string(" ") + names[u8(i.op)];
    if (i.op == Op::cond || i.op == Op::br_cond || i.op == Op::setcmp || i.op == Op::br_cmp) out += std::string(".") + cond_names[i.aux];
    if (i.op == Op::fp) out += std::string(".") + fp_names[i.aux & ~fp_double] + (i.aux & fp_double ? "64" : "32");
    if (i.op == Op::load || i.op == Op::store) {
      out += std::to_string(8 << (i.aux & mem_size));
      if (i.aux & mem_signed) out += "s";
      if (i.aux & mem_user) out += ".user";
      if (i.aux & mem_big) out += ".be";
    }
    if (i.flags) {
      out += '{';
      for (int f = 0; f < 4; ++f)
        if (i.flags >> f & 1) out += "nzcv"[f];
      out += '}';
    }
    if (i.op == Op::call) out += std::string(" ") + layout.helpers[i.imm].name;
    const char* comma = " ";
    for (const Ref r : {i.d, i.a, i.b}) {
      if (r.is_none()) continue;
      out += comma + operand(r, i.imm);
      comma = ", ";
    }
    if (i.op >= Op::label && i.op <= Op::br_cmp) out += std::string(comma) + "L" + std::to_string(i.c.bits);
    else if (!i.c.is_none()) out += comma + operand(i.c, 0);
    if (i.op == Op::exit_jump) out += " " + operand(Ref::imm(), i.imm) + (i.aux & poll_aux ? " poll" : "");
    if ((i.op == Op::load || i.op == Op::store) && i.imm && !i.a.is_imm()) out += comma + operand(Ref::imm(), i.imm);
    out += '\n';
  }
  return out;
}

namespace {
// What later code may still read of the guest's state.
struct Live {
  u64 guest[2];
  u8 flags;
  bool has(unsigned slot) const { return guest[slot >> 6] >> (slot & 63) & 1; }
  void set(unsigned slot) { guest[slot >> 6] |= u64(1) << (slot & 63); }
  void reset(unsigned slot) { guest[slot >> 6] &= ~(u64(1) << (slot & 63)); }
};
static_assert(max_slots <= 128);
constexpr Live everything{{~u64(0), ~u64(0)}, flags_all};
}  // namespace

// One backward pass.  Labels are forward, so what is live at a label is known before its branches are met; where a region
// jumps back, everything is.
void optimise(Block& block, accel::Layers layers) {
  const bool dead_flags = layers.has(accel::Layer::deadflags), dead_code = layers.has(accel::Layer::deadcode);
  Live live = everything;
  std::array<Live, 16> few_labels;
  std::vector<Live> many_labels;
  Live* at_label = few_labels.data();
  if (block.labels > few_labels.size()) {
    many_labels.resize(block.labels);
    at_label = many_labels.data();
  }
  std::fill_n(at_label, block.labels, everything);
  constexpr u32 never = ~u32(0);
  block.last_use.assign(block.temps, never);
  Insn* const code = block.code.data();
  std::size_t out = block.code.size();
  const auto wanted = [&](Ref r) { return r.is_guest() ? live.has(r.index()) : r.is_temp() && block.last_use[r.index()] != never; };
  const auto use_temp = [&](Ref r) {
    if (u32& last = block.last_use[r.index()]; last == never) last = u32(out);
  };
  const auto use = [&](Ref r) {
    if (r.is_guest()) live.set(r.index());
    else if (r.is_temp()) use_temp(r);
  };

  for (std::size_t n = out; n-- > 0;) {
    Insn& i = code[n];
    --out;
    switch (i.op) {
      case Op::insn: break;
      case Op::label: at_label[i.c.bits] = live; break;
      case Op::br: live = at_label[i.c.bits]; break;
      case Op::br_cond: case Op::br_zero: case Op::br_nonzero: case Op::br_cmp: {
        const Live& other = at_label[i.c.bits];
        for (unsigned k = 0; k < 2; ++k) live.guest[k] |= other.guest[k];
        live.flags |= other.flags | reads_flags(i);
        use(i.a);
        use(i.b);
        break;
      }
      case Op::load: case Op::store: case Op::fp: case Op::call: case Op::exit_jump: case Op::exit_indirect: case Op::exit_state:
        live = everything;
        if (!((i.d.bits | i.a.bits | i.b.bits | i.c.bits) & Ref::temp(0).bits)) break;
        for (const Ref r : {i.d, i.a, i.b, i.c})
          if (r.is_temp()) use_temp(r);
        break;
      default: {
        if (dead_flags) {
          i.dead = u8(i.dead | (i.flags & ~live.flags));
          i.flags &= live.flags;
        }
        const bool wide = has_two_results(i.op);
        if (dead_code && !wanted(i.d) && !(wide && wanted(i.c))) {
          if (!i.flags) {
            ++out;
            continue;
          }
          if (!wide) i.d = Ref::none();
        }
        live.flags = u8((live.flags & ~i.flags) | reads_flags(i));
        const auto defined = [&](Ref r) {
          if (r.is_guest()) live.reset(r.index());
          else if (r.is_temp()) use_temp(r);
        };
        defined(i.d);
        if (wide) defined(i.c);
        use(i.a);
        use(i.b);
      }
    }
    if (out != n) code[out] = i;
  }
  block.code.erase(block.code.begin(), block.code.begin() + std::ptrdiff_t(out));
  for (u32& last : block.last_use) last -= u32(out);
}
}  // namespace tcg
