// What each instruction of mips32.isa does.  Sections of MD00086 are in that file, instruction by instruction.

#include "cpus/mips/cp0.hpp"
#include "cpus/mips/translator.hpp"

#include "mips32_decode.hpp"

namespace mips {
namespace {
using namespace mips32;
using MOp = mips32::Op;
using tcg::Op, tcg::mem_signed;

constexpr u8 byte = 0, half = 1, whole = 2;
constexpr u32 ra = slot::ra;

constexpr u32 extended(u32 i) { return u32(s32(s16(i))); }

struct Mips32Visitor {
  Translator& t;

  // ---- arithmetic and logic ----

  void three(Op op, u32 d, u32 s, u32 m) { t.compute(op, d, t.reg(s), t.reg(m)); }
  void operator()(const addu& i) { three(Op::add, i.d, i.s, i.t); }
  void operator()(const subu& i) { three(Op::sub, i.d, i.s, i.t); }
  void operator()(const and_& i) { three(Op::and_, i.d, i.s, i.t); }
  void operator()(const or_& i) { three(Op::or_, i.d, i.s, i.t); }
  void operator()(const xor_& i) { three(Op::xor_, i.d, i.s, i.t); }
  void operator()(const mul& i) { three(Op::mul, i.d, i.s, i.t); }
  void operator()(const nor& i) {
    if (!i.d) return;
    if (!i.t || !i.s) return t.compute(Op::not_, i.d, t.value(i.s | i.t));
    t.compute(Op::not_, i.d, t.out.value(Op::or_, guest(i.s), guest(i.t)));
  }
  void operator()(const addiu& i) { t.compute(Op::add, i.t, t.reg(i.s), extended(i.i)); }
  void operator()(const andi& i) { t.compute(Op::and_, i.t, t.reg(i.s), i.u); }
  void operator()(const ori& i) { t.compute(Op::or_, i.t, t.reg(i.s), i.u); }
  void operator()(const xori& i) { t.compute(Op::xor_, i.t, t.reg(i.s), i.u); }
  void operator()(const lui& i) { t.move(i.t, i.u << 16); }

  // The sum has another sign than both operands; for a difference, than the first, and the second has it.
  void trapping(Op op, u32 d, u32 s, Operand m) {
    const Ref a = t.value(s), b = t.in(m), sum = t.out.value(op, a, b);
    const Ref other = op == Op::add ? t.out.value(Op::xor_, b, sum) : t.out.value(Op::xor_, a, b);
    const Ref overflow = t.out.value(Op::and_, t.out.value(Op::xor_, a, sum), other);
    const unsigned fits = t.unless(Cond::ge, overflow, 0u);
    t.raise(ExcCode::Ov);
    t.close(fits);
    t.compute(op, d, t.reg(s), m);
  }
  void operator()(const add& i) { trapping(Op::add, i.d, i.s, t.reg(i.t)); }
  void operator()(const sub& i) { trapping(Op::sub, i.d, i.s, t.reg(i.t)); }
  void operator()(const addi& i) { trapping(Op::add, i.t, i.s, extended(i.i)); }

  void operator()(const slt& i) { t.compare(Cond::lt, i.d, t.reg(i.s), t.reg(i.t)); }
  void operator()(const sltu& i) { t.compare(Cond::cc, i.d, t.reg(i.s), t.reg(i.t)); }
  void operator()(const slti& i) { t.compare(Cond::lt, i.t, t.reg(i.s), extended(i.i)); }
  void operator()(const sltiu& i) { t.compare(Cond::cc, i.t, t.reg(i.s), extended(i.i)); }

  void operator()(const clz& i) {
    if (i.d) t.compute(Op::clz, i.d, t.value(i.s));
  }
  void operator()(const clo& i) {
    if (i.d) t.compute(Op::clz, i.d, t.out.value(Op::not_, t.value(i.s)));
  }
  void operator()(const seb& i) { t.compute(Op::sext8, i.d, t.value(i.t)); }
  void operator()(const seh& i) { t.compute(Op::sext16, i.d, t.value(i.t)); }
  void operator()(const wsbh& i) {
    if (i.d) t.compute(Op::ror, i.d, t.out.value(Op::bswap, t.value(i.t)), 16u);
  }

  // Shifts take their amount modulo 32, as the intermediate code does.
  void operator()(const sll& i) { t.compute(Op::shl, i.d, t.value(i.t), i.k); }
  void operator()(const srl& i) { t.compute(Op::shr, i.d, t.value(i.t), i.k); }
  void operator()(const sra& i) { t.compute(Op::sar, i.d, t.value(i.t), i.k); }
  void operator()(const rotr& i) { t.compute(Op::ror, i.d, t.value(i.t), i.k); }
  void operator()(const sllv& i) { t.compute(Op::shl, i.d, t.value(i.t), t.value(i.s)); }
  void operator()(const srlv& i) { t.compute(Op::shr, i.d, t.value(i.t), t.value(i.s)); }
  void operator()(const srav& i) { t.compute(Op::sar, i.d, t.value(i.t), t.value(i.s)); }
  void operator()(const rotrv& i) { t.compute(Op::ror, i.d, t.value(i.t), t.value(i.s)); }

  // A field that does not fit in the word is UNPREDICTABLE and cut there.
  void operator()(const ext& i) {
    if (!i.t) return;
    const u32 size = i.m + 1, mask = ~0u >> (32 - size);
    if (i.k + size >= 32) return t.compute(Op::shr, i.t, t.value(i.s), i.k);
    if (!i.k) return t.compute(Op::and_, i.t, t.reg(i.s), mask);
    t.compute(Op::and_, i.t, t.out.value(Op::shr, t.value(i.s), i.k), mask);
  }
  void operator()(const ins& i) {
    if (!i.t || i.m < i.k) return;
    const u32 size = i.m - i.k + 1, mask = ~0u >> (32 - size) << i.k;
    const Ref kept = t.out.value(Op::and_, guest(i.t), ~mask);
    if (!i.s) return t.move(i.t, kept);
    const Ref shifted = i.k ? t.out.value(Op::shl, guest(i.s), i.k) : guest(i.s);
    t.compute(Op::or_, i.t, kept, t.out.value(Op::and_, shifted, mask));
  }

  void move_if(Op skip, u32 d, u32 s, u32 m) {
    if (!d) return;
    const unsigned over = t.out.label();
    skip == Op::br_zero ? t.out.br_zero(t.value(m), over) : t.out.br_nonzero(t.value(m), over);
    t.move(d, t.reg(s));
    t.out.place(over);
  }
  void operator()(const movz& i) { move_if(Op::br_nonzero, i.d, i.s, i.t); }
  void operator()(const movn& i) { move_if(Op::br_zero, i.d, i.s, i.t); }

  // ---- multiplication and division ----

  static constexpr Ref lo = guest(slot::lo), hi = guest(slot::hi);
  void operator()(const mfhi& i) { t.compute(Op::mov, i.d, hi); }
  void operator()(const mflo& i) { t.compute(Op::mov, i.d, lo); }
  void operator()(const mthi& i) { t.out.mov(hi, t.reg(i.s)); }
  void operator()(const mtlo& i) { t.out.mov(lo, t.reg(i.s)); }
  void operator()(const mult& i) { t.out.multiply_long(true, lo, hi, t.value(i.s), t.value(i.t)); }
  void operator()(const multu& i) { t.out.multiply_long(false, lo, hi, t.value(i.s), t.value(i.t)); }
  void operator()(const div& i) { t.out.divide(true, lo, hi, t.value(i.s), t.value(i.t)); }
  void operator()(const divu& i) { t.out.divide(false, lo, hi, t.value(i.s), t.value(i.t)); }

  void operator()(const madd& i) { t.accumulate(0, true, false, i.s, i.t); }
  void operator()(const maddu& i) { t.accumulate(0, false, false, i.s, i.t); }
  void operator()(const msub& i) { t.accumulate(0, true, true, i.s, i.t); }
  void operator()(const msubu& i) { t.accumulate(0, false, true, i.s, i.t); }

  // ---- loads and stores ----

  void operator()(const lb& i) { t.load(i.t, i.s, extended(i.i), byte | mem_signed); }
  void operator()(const lbu& i) { t.load(i.t, i.s, extended(i.i), byte); }
  void operator()(const lh& i) { t.load(i.t, i.s, extended(i.i), half | mem_signed); }
  void operator()(const lhu& i) { t.load(i.t, i.s, extended(i.i), half); }
  void operator()(const lw& i) { t.load(i.t, i.s, extended(i.i), whole); }
  void operator()(const sb& i) { t.store(i.t, i.s, extended(i.i), byte); }
  void operator()(const sh& i) { t.store(i.t, i.s, extended(i.i), half); }
  void operator()(const sw& i) { t.store(i.t, i.s, extended(i.i), whole); }
  void operator()(const lwl& i) { t.load_part(i.t, i.s, extended(i.i), true); }
  void operator()(const lwr& i) { t.load_part(i.t, i.s, extended(i.i), false); }
  void operator()(const swl& i) { t.store_part(i.t, i.s, extended(i.i), true); }
  void operator()(const swr& i) { t.store_part(i.t, i.s, extended(i.i), false); }
  void operator()(const ll& i) { t.load_linked(i.t, i.s, extended(i.i)); }
  void operator()(const sc& i) { t.store_conditional(i.t, i.s, extended(i.i)); }

  // Caches are not modelled, and code that was stored to is noticed without being told.
  void operator()(const cache&) { t.require_cp0(); }
  void operator()(const synci&) {}
  void operator()(const pref&) {}
  void operator()(const sync&) {}
  void operator()(const nop&) {}
  void operator()(const ssnop&) {}
  void operator()(const ehb&) {}
  void operator()(const pause&) {}

  // ---- branches ----

  void relative(const Jump& j, u32 words) {
    Jump whole_jump = j;
    whole_jump.target = t.branch_target(words);
    t.jump(whole_jump);
  }
  void with_zero(Cond c, u32 s, u32 words, bool likely = false, u32 link = 0) {
    relative({.target = 0u, .link = link, .always = !s && (c == Cond::ge || c == Cond::le), .cond = c, .a = guest(s), .likely = likely}, words);
  }
  void with_register(Cond c, u32 s, u32 m, u32 words, bool likely = false) {
    const u32 a = s ? s : m, b = s ? m : s;
    relative({.target = 0u, .always = s == m && c == Cond::eq, .cond = c, .a = guest(a), .b = t.reg(b), .likely = likely}, words);
  }
  void operator()(const beq& i) { with_register(Cond::eq, i.s, i.t, i.b); }
  void operator()(const bne& i) { with_register(Cond::ne, i.s, i.t, i.b); }
  void operator()(const blez& i) { with_zero(Cond::le, i.s, i.b); }
  void operator()(const bgtz& i) { with_zero(Cond::gt, i.s, i.b); }
  void operator()(const bltz& i) { with_zero(Cond::lt, i.s, i.b); }
  void operator()(const bgez& i) { with_zero(Cond::ge, i.s, i.b); }
  void operator()(const beql& i) { with_register(Cond::eq, i.s, i.t, i.b, true); }
  void operator()(const bnel& i) { with_register(Cond::ne, i.s, i.t, i.b, true); }
  void operator()(const blezl& i) { with_zero(Cond::le, i.s, i.b, true); }
  void operator()(const bgtzl& i) { with_zero(Cond::gt, i.s, i.b, true); }
  void operator()(const bltzl& i) { with_zero(Cond::lt, i.s, i.b, true); }
  void operator()(const bgezl& i) { with_zero(Cond::ge, i.s, i.b, true); }
  void operator()(const bltzal& i) { with_zero(Cond::lt, i.s, i.b, false, ra); }
  void operator()(const bgezal& i) { with_zero(Cond::ge, i.s, i.b, false, ra); }
  void operator()(const bltzall& i) { with_zero(Cond::lt, i.s, i.b, true, ra); }
  void operator()(const bgezall& i) { with_zero(Cond::ge, i.s, i.b, true, ra); }

  // In the 256 MiB of the delay slot.
  u32 region(u32 words) const { return (t.next() & 0xf000'0000) | words << 2; }
  void operator()(const j& i) { t.jump({.target = region(i.j)}); }
  void operator()(const jal& i) { t.jump({.target = region(i.j), .link = ra}); }
  void operator()(const jalx& i) { t.facts.mips16 ? t.jump({.target = region(i.j) | 1, .link = ra}) : t.reserved(); }
  void operator()(const jr& i) { t.jump({.target = t.reg(i.s)}); }
  void operator()(const jr_hb& i) { t.jump({.target = t.reg(i.s)}); }
  void operator()(const jalr& i) { t.jump({.target = t.reg(i.s), .link = i.d}); }
  void operator()(const jalr_hb& i) { t.jump({.target = t.reg(i.s), .link = i.d}); }

  // ---- exceptions ----

  void operator()(const syscall&) { t.raise(ExcCode::Sys); }
  void operator()(const break_&) { t.raise(ExcCode::Bp); }
  void operator()(const sdbbp& i) { t.debug_break(i.c); }
  void trap(Cond c, u32 s, Operand m) {
    const unsigned past = t.unless(inverse(c), t.reg(s), m.ref.is_imm() || s ? m : Operand(t.in(m)));
    t.raise(ExcCode::Tr);
    t.close(past);
  }
  void operator()(const tge& i) { trap(Cond::ge, i.s, t.reg(i.t)); }
  void operator()(const tgeu& i) { trap(Cond::cs, i.s, t.reg(i.t)); }
  void operator()(const tlt& i) { trap(Cond::lt, i.s, t.reg(i.t)); }
  void operator()(const tltu& i) { trap(Cond::cc, i.s, t.reg(i.t)); }
  void operator()(const teq& i) { trap(Cond::eq, i.s, t.reg(i.t)); }
  void operator()(const tne& i) { trap(Cond::ne, i.s, t.reg(i.t)); }
  void operator()(const tgei& i) { trap(Cond::ge, i.s, extended(i.i)); }
  void operator()(const tgeiu& i) { trap(Cond::cs, i.s, extended(i.i)); }
  void operator()(const tlti& i) { trap(Cond::lt, i.s, extended(i.i)); }
  void operator()(const tltiu& i) { trap(Cond::cc, i.s, extended(i.i)); }
  void operator()(const teqi& i) { trap(Cond::eq, i.s, extended(i.i)); }
  void operator()(const tnei& i) { trap(Cond::ne, i.s, extended(i.i)); }

  // ---- CP0 ----

  void system(HelperIndex helper) {
    t.require_cp0();
    t.call({}, helper);
  }
  void operator()(const mfc0& i) { t.read_cp0(i.t, cp0_register(i.d, i.e)); }
  void operator()(const mtc0& i) { t.write_cp0(cp0_register(i.d, i.e), i.t); }
  // There is one set of general registers.
  void operator()(const rdpgpr& i) {
    t.require_cp0();
    t.move(i.d, t.reg(i.t));
  }
  void operator()(const wrpgpr& i) {
    t.require_cp0();
    t.move(i.d, t.reg(i.t));
  }
  void operator()(const di& i) { t.enable_interrupts(false, i.t); }
  void operator()(const ei& i) { t.enable_interrupts(true, i.t); }
  void operator()(const tlbr&) { system(helper_tlbr); }
  void operator()(const tlbwi&) { system(helper_tlbwi); }
  void operator()(const tlbwr&) { system(helper_tlbwr); }
  void operator()(const tlbp&) { system(helper_tlbp); }
  void leaving(HelperIndex helper) {
    system(helper);
    t.end_block();
  }
  void operator()(const eret&) { leaving(helper_eret); }
  void operator()(const deret&) { leaving(helper_deret); }
  void operator()(const wait&) { leaving(helper_wait); }
  void operator()(const rdhwr& i) {
    if (i.d > last_hardware_register) return t.reserved();
    t.call(t.target(i.t), helper_rdhwr, i.d);
  }

  void operator()(const mips32::Undefined& i) {
    constexpr u32 cop0 = 0x10, cop2 = 0x12, lwc2 = 0x32, ldc2 = 0x36, swc2 = 0x3a, sdc2 = 0x3e;
    const u32 major = i.w >> 26;
    if (major == cop2 || major == lwc2 || major == ldc2 || major == swc2 || major == sdc2) return t.raise(ExcCode::CpU, 2);
    if (major == cop0) t.require_cp0();
    t.reserved();
  }
};

// Instructions of a later release than the CPU's are reserved.
template <class V>
struct Gate {
  V v;
  template <class I>
  void operator()(const I& i) {
    constexpr std::string_view since = mips32::op_info[int(I::op)].since;
    if constexpr (since == "mips32r2") {
      if (!v.t.facts.release2) return v.t.reserved();
    }
    v(i);
  }
};
}  // namespace

void translate_mips32(Translator& t, u32 w) { mips32::decode(w, Gate<Mips32Visitor>{{t}}); }
}  // namespace mips
