#include "accel/tcg/ir.hpp"

#include "core/log.hpp"

#include <bitset>
#include <cstdio>

namespace tcg {
namespace {
constexpr const char* names[] = {
    "mov",   "add",   "adc",   "sub",   "sbc",   "and",   "andn",   "or",     "xor",      "not",      "shl",      "shr",
    "sar",   "ror",   "rrx",   "shl_s", "shr_s", "sar_s", "mul",    "mulu2",  "muls2",    "divu",   "divs",   "clz",      "sext8",    "sext16",
    "zext8", "zext16", "bswap", "setcmp", "set_flag", "get_flag", "cond", "nz64", "load", "store", "label", "br", "br_cond",
    "br_zero", "br_nonzero", "br_cmp", "exit_jump", "exit_indirect", "exit_state", "fp", "call", "insn"};
static_assert(std::size(names) == std::size_t(Op::count));
constexpr const char* fp_names[] = {"mac", "nmac", "msc", "nmsc", "mul", "nmul", "add", "sub", "div", "copy", "abs", "neg", "sqrt",
                                    "compare", "compare_zero", "widen", "narrow", "from_u32", "from_s32", "to_u32", "to_u32_trunc",
                                    "to_s32", "to_s32_trunc", "madd", "msub", "nmadd", "nmsub", "test_eq", "test_lt", "test_le"};
constexpr const char* cond_names[] = {"eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le"};

// May the operation leave the block, so that everything written before it must be in place?
bool is_barrier(const Insn& i) {
  switch (i.op) {
    case Op::load: case Op::store: case Op::fp: case Op::call: case Op::exit_jump: case Op::exit_indirect: case Op::exit_state: return true;
    default: return false;
  }
}
u8 reads_flags(const Insn& i) {
  switch (i.op) {
    case Op::adc: case Op::sbc: case Op::rrx: return flag_c;
    case Op::get_flag: return i.aux;
    case Op::cond: case Op::br_cond: return flags_read(Cond(i.aux));
    default: return 0;
  }
}
bool has_effect(const Insn& i) {
  return is_barrier(i) || i.flags || (i.op >= Op::label && i.op <= Op::br_cmp) || i.op == Op::insn;
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
  std::bitset<max_slots> guest;
  u8 flags = flags_all;
};
const Live everything{~std::bitset<max_slots>(), flags_all};
}  // namespace

namespace {
// Temporaries are assigned once, so one that is a constant is one everywhere.
void fold_addresses(Block& block) {
  std::vector<const Insn*> constant(block.temps);
  for (Insn& i : block.code) {
    if (i.op == Op::mov && i.d.is_temp() && i.a.is_imm()) constant[i.d.index()] = &i;
    if ((i.op != Op::load && i.op != Op::store) || !i.a.is_temp()) continue;
    if (const Insn* c = constant[i.a.index()]) {
      i.imm += c->imm;
      i.a = Ref::imm();
    }
  }
}
}  // namespace

// One backward pass.  Labels are forward, so what is live at a label is known before its branches are met; where a region
// jumps back, everything is.
void optimise(Block& block, accel::Layers layers) {
  const bool dead_flags = layers.has(accel::Layer::deadflags), dead_code = layers.has(accel::Layer::deadcode);
  if (dead_code) fold_addresses(block);
  Live live = everything;
  std::vector<bool> used_temp(block.temps);
  std::vector<Live> at_label(block.labels, everything);
  const auto wanted = [&](Ref r) { return r.is_guest() ? live.guest[r.index()] : r.is_temp() && used_temp[r.index()]; };
  const auto kill = [&](Ref r) {
    if (r.is_guest()) live.guest[r.index()] = false;
  };
  const auto use = [&](Ref r) {
    if (r.is_guest()) live.guest[r.index()] = true;
    else if (r.is_temp()) used_temp[r.index()] = true;
  };

  std::size_t out = block.code.size();
  for (std::size_t n = block.code.size(); n-- > 0;) {
    Insn i = block.code[n];
    if (i.op == Op::label) {
      at_label[i.c.bits] = live;
    } else if (i.op == Op::br) {
      live = at_label[i.c.bits];
    } else if (i.op == Op::br_cond || i.op == Op::br_zero || i.op == Op::br_nonzero || i.op == Op::br_cmp) {
      live.guest |= at_label[i.c.bits].guest;
      live.flags |= at_label[i.c.bits].flags;
    } else if (is_barrier(i)) {
      live = everything;
    } else if (i.op != Op::insn) {
      if (dead_flags) {
        i.dead = u8(i.dead | (i.flags & ~live.flags));
        i.flags &= live.flags;
      }
      const bool wide = has_two_results(i.op);
      const bool result_wanted = !dead_code || wanted(i.d) || (wide && wanted(i.c));
      if (!result_wanted && !has_effect(i)) continue;
      if (!result_wanted && !wide) i.d = Ref::none();
      live.flags = u8(live.flags & ~i.flags);
      kill(i.d);
      if (wide) kill(i.c);
    }
    live.flags |= reads_flags(i);
    use(i.a);
    use(i.b);
    if (i.op == Op::call) use(i.c);
    block.code[--out] = i;
  }
  block.code.erase(block.code.begin(), block.code.begin() + std::ptrdiff_t(out));
}
}  // namespace tcg
