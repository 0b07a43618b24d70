// What each instruction of mips16.isa and mips16_extended.isa does.  Sections of MD00076 are in those files.

#include "cpus/mips/mips16.hpp"
#include "cpus/mips/translator.hpp"

#include "mips16_decode.hpp"
#include "mips16_extended_decode.hpp"

namespace mips {
namespace {
using mips16e::reg, mips16e::sign_extended, mips16e::sp, mips16e::ra;
using tcg::Op, tcg::mem_signed;
constexpr u32 condition = mips16e::t;

constexpr u8 byte = 0, half = 1, whole = 2;

// What the short and the extended form of an instruction share.  Registers are numbers of general registers.
struct Common {
  Translator& t;

  void add(u32 d, u32 s, u32 v) { t.compute(Op::add, d, t.reg(s), v); }
  void shift(Op op, u32 d, u32 s, u32 amount) { t.compute(op, d, t.value(s), amount); }
  // In a delay slot PC is that of the jump, and the extended form counts from EXTEND (§3.9, ADDIUPC).
  u32 near(u32 offset) const { return (t.base_pc() & ~3u) + offset; }
  void load_near(u32 d, u32 offset) { t.load(d, 0, near(offset), whole); }

  void branch(u32 offset) { t.branch({.target = (t.next() + offset) | 1}); }
  void branch_on(Cond c, u32 s, u32 offset) {
    t.branch({.target = (t.next() + offset) | 1, .always = false, .cond = c, .a = guest(s)});
  }

  void save(const mips16e::Frame& f) {
    for (u32 n = 0; n < f.arguments; ++n) t.store(4 + n, sp, 4 * n, whole);
    u32 offset = 0;
    for (u32 n = 31; n > 3; --n)
      if (f.saved >> n & 1) t.store(n, sp, offset -= 4, whole);
    add(sp, sp, -f.bytes);
  }
  void restore(const mips16e::Frame& f) {
    u32 offset = f.bytes;
    for (u32 n = 31; n > 3; --n)
      if (f.saved >> n & 1) t.load(n, sp, offset -= 4, whole);
    add(sp, sp, f.bytes);
  }
};

struct ShortVisitor : Common {
  // ---- immediates

  void operator()(const mips16::addiu_sp& i) { add(reg(i.x), sp, i.i << 2); }
  void operator()(const mips16::addiu_pc& i) { t.move(reg(i.x), near(i.i << 2)); }
  void operator()(const mips16::addiu3& i) { add(reg(i.y), reg(i.x), sign_extended(i.i, 4)); }
  void operator()(const mips16::addiu& i) { add(reg(i.x), reg(i.x), sign_extended(i.i, 8)); }
  void operator()(const mips16::slti& i) { t.compare(Cond::lt, condition, guest(reg(i.x)), i.i); }
  void operator()(const mips16::sltiu& i) { t.compare(Cond::cc, condition, guest(reg(i.x)), i.i); }
  void operator()(const mips16::addiu_adjust& i) { add(sp, sp, sign_extended(i.i, 8) << 3); }
  void operator()(const mips16::li& i) { t.move(reg(i.x), i.i); }
  void operator()(const mips16::cmpi& i) { t.compute(Op::xor_, condition, guest(reg(i.x)), i.i); }

  // ---- branches and jumps

  void operator()(const mips16::b& i) { branch(sign_extended(i.b, 11) << 1); }
  void operator()(const mips16::beqz& i) { branch_on(Cond::eq, reg(i.x), sign_extended(i.b, 8) << 1); }
  void operator()(const mips16::bnez& i) { branch_on(Cond::ne, reg(i.x), sign_extended(i.b, 8) << 1); }
  void operator()(const mips16::bteqz& i) { branch_on(Cond::eq, condition, sign_extended(i.b, 8) << 1); }
  void operator()(const mips16::btnez& i) { branch_on(Cond::ne, condition, sign_extended(i.b, 8) << 1); }
  void operator()(const mips16::jr& i) { t.jump({.target = guest(reg(i.x))}); }
  void operator()(const mips16::jr_ra&) { t.jump({.target = guest(ra)}); }
  void operator()(const mips16::jalr& i) { t.jump({.target = guest(reg(i.x)), .link = ra}); }
  void operator()(const mips16::jrc& i) { t.branch({.target = guest(reg(i.x))}); }
  void operator()(const mips16::jrc_ra&) { t.branch({.target = guest(ra)}); }
  void operator()(const mips16::jalrc& i) { t.branch({.target = guest(reg(i.x)), .link = ra}); }

  // ---- shifts and moves

  static u32 amount(u32 k) { return k ? k : 8; }
  void operator()(const mips16::sll& i) { shift(Op::shl, reg(i.x), reg(i.y), amount(i.k)); }
  void operator()(const mips16::srl& i) { shift(Op::shr, reg(i.x), reg(i.y), amount(i.k)); }
  void operator()(const mips16::sra& i) { shift(Op::sar, reg(i.x), reg(i.y), amount(i.k)); }
  void operator()(const mips16::nop&) {}
  void operator()(const mips16::move_to& i) { t.move(i.r, guest(reg(i.z))); }
  void operator()(const mips16::move_from& i) { t.move(reg(i.y), t.reg(i.r)); }

  // ---- stack frames

  void operator()(const mips16::save& i) { save(mips16e::frame(i.a, i.s, i.t, i.f)); }
  void operator()(const mips16::restore& i) { restore(mips16e::frame(i.a, i.s, i.t, i.f)); }

  // ---- loads and stores

  void operator()(const mips16::lb& i) { t.load(reg(i.y), reg(i.x), i.i, byte | mem_signed); }
  void operator()(const mips16::lbu& i) { t.load(reg(i.y), reg(i.x), i.i, byte); }
  void operator()(const mips16::lh& i) { t.load(reg(i.y), reg(i.x), i.i << 1, half | mem_signed); }
  void operator()(const mips16::lhu& i) { t.load(reg(i.y), reg(i.x), i.i << 1, half); }
  void operator()(const mips16::lw& i) { t.load(reg(i.y), reg(i.x), i.i << 2, whole); }
  void operator()(const mips16::lw_sp& i) { t.load(reg(i.x), sp, i.i << 2, whole); }
  void operator()(const mips16::lw_pc& i) { load_near(reg(i.x), i.i << 2); }
  void operator()(const mips16::sb& i) { t.store(reg(i.y), reg(i.x), i.i, byte); }
  void operator()(const mips16::sh& i) { t.store(reg(i.y), reg(i.x), i.i << 1, half); }
  void operator()(const mips16::sw& i) { t.store(reg(i.y), reg(i.x), i.i << 2, whole); }
  void operator()(const mips16::sw_sp& i) { t.store(reg(i.x), sp, i.i << 2, whole); }
  void operator()(const mips16::sw_ra& i) { t.store(ra, sp, i.i << 2, whole); }

  // ---- registers

  void two(Op op, u32 d, u32 x, u32 y) { t.compute(op, reg(d), guest(reg(x)), guest(reg(y))); }
  void operator()(const mips16::addu& i) { two(Op::add, i.z, i.x, i.y); }
  void operator()(const mips16::subu& i) { two(Op::sub, i.z, i.x, i.y); }
  void operator()(const mips16::slt& i) { t.compare(Cond::lt, condition, guest(reg(i.x)), guest(reg(i.y))); }
  void operator()(const mips16::sltu& i) { t.compare(Cond::cc, condition, guest(reg(i.x)), guest(reg(i.y))); }
  void operator()(const mips16::sllv& i) { two(Op::shl, i.y, i.y, i.x); }
  void operator()(const mips16::srlv& i) { two(Op::shr, i.y, i.y, i.x); }
  void operator()(const mips16::srav& i) { two(Op::sar, i.y, i.y, i.x); }
  void operator()(const mips16::cmp& i) { t.compute(Op::xor_, condition, guest(reg(i.x)), guest(reg(i.y))); }
  void operator()(const mips16::neg& i) { t.compute(Op::sub, reg(i.x), 0u, guest(reg(i.y))); }
  void operator()(const mips16::and_& i) { two(Op::and_, i.x, i.x, i.y); }
  void operator()(const mips16::or_& i) { two(Op::or_, i.x, i.x, i.y); }
  void operator()(const mips16::xor_& i) { two(Op::xor_, i.x, i.x, i.y); }

  void one(Op op, u32 d, Ref a) { t.compute(op, reg(d), a); }
  void operator()(const mips16::not_& i) { one(Op::not_, i.x, guest(reg(i.y))); }
  void operator()(const mips16::zeb& i) { one(Op::zext8, i.x, guest(reg(i.x))); }
  void operator()(const mips16::zeh& i) { one(Op::zext16, i.x, guest(reg(i.x))); }
  void operator()(const mips16::seb& i) { one(Op::sext8, i.x, guest(reg(i.x))); }
  void operator()(const mips16::seh& i) { one(Op::sext16, i.x, guest(reg(i.x))); }

  static constexpr Ref lo = guest(slot::lo), hi = guest(slot::hi);
  void operator()(const mips16::mfhi& i) { one(Op::mov, i.x, hi); }
  void operator()(const mips16::mflo& i) { one(Op::mov, i.x, lo); }
  void operator()(const mips16::mult& i) { t.out.multiply_long(true, lo, hi, guest(reg(i.x)), guest(reg(i.y))); }
  void operator()(const mips16::multu& i) { t.out.multiply_long(false, lo, hi, guest(reg(i.x)), guest(reg(i.y))); }
  void operator()(const mips16::div& i) { t.out.divide(true, lo, hi, guest(reg(i.x)), guest(reg(i.y))); }
  void operator()(const mips16::divu& i) { t.out.divide(false, lo, hi, guest(reg(i.x)), guest(reg(i.y))); }

  // ---- exceptions

  void operator()(const mips16::sdbbp& i) { t.debug_break(i.c); }
  void operator()(const mips16::break_&) { t.raise(ExcCode::Bp); }
  void operator()(const mips16::Undefined&) { t.reserved(); }
};

struct ExtendedVisitor : Common {
  // In the 256 MiB of the delay slot; JALX goes to MIPS32 code.
  u32 region(u32 words) const { return (t.next() & 0xf000'0000) | words << 2; }
  void operator()(const mips16_extended::jal& i) { t.jump({.target = region(i.j) | 1, .link = ra}); }
  void operator()(const mips16_extended::jalx& i) { t.jump({.target = region(i.j), .link = ra}); }

  static u32 wide(u32 n) { return sign_extended(n, 16); }
  void operator()(const mips16_extended::addiu_sp& i) { add(reg(i.x), sp, wide(i.n)); }
  void operator()(const mips16_extended::addiu_pc& i) { t.move(reg(i.x), near(wide(i.n))); }
  void operator()(const mips16_extended::addiu3& i) { add(reg(i.y), reg(i.x), sign_extended(i.m, 15)); }
  void operator()(const mips16_extended::addiu& i) { add(reg(i.x), reg(i.x), wide(i.n)); }
  void operator()(const mips16_extended::slti& i) { t.compare(Cond::lt, condition, guest(reg(i.x)), wide(i.n)); }
  void operator()(const mips16_extended::sltiu& i) { t.compare(Cond::cc, condition, guest(reg(i.x)), wide(i.n)); }
  void operator()(const mips16_extended::addiu_adjust& i) { add(sp, sp, wide(i.n)); }
  void operator()(const mips16_extended::li& i) { t.move(reg(i.x), i.n); }
  void operator()(const mips16_extended::cmpi& i) { t.compute(Op::xor_, condition, guest(reg(i.x)), i.n); }

  void operator()(const mips16_extended::b& i) { branch(wide(i.n) << 1); }
  void operator()(const mips16_extended::beqz& i) { branch_on(Cond::eq, reg(i.x), wide(i.n) << 1); }
  void operator()(const mips16_extended::bnez& i) { branch_on(Cond::ne, reg(i.x), wide(i.n) << 1); }
  void operator()(const mips16_extended::bteqz& i) { branch_on(Cond::eq, condition, wide(i.n) << 1); }
  void operator()(const mips16_extended::btnez& i) { branch_on(Cond::ne, condition, wide(i.n) << 1); }

  void operator()(const mips16_extended::sll& i) { shift(Op::shl, reg(i.x), reg(i.y), i.k); }
  void operator()(const mips16_extended::srl& i) { shift(Op::shr, reg(i.x), reg(i.y), i.k); }
  void operator()(const mips16_extended::sra& i) { shift(Op::sar, reg(i.x), reg(i.y), i.k); }

  void operator()(const mips16_extended::save& i) { save(mips16e::frame(i.a, i.s, i.t, i.f, i.g, i.v)); }
  void operator()(const mips16_extended::restore& i) { restore(mips16e::frame(i.a, i.s, i.t, i.f, i.g, i.v)); }

  void operator()(const mips16_extended::lb& i) { t.load(reg(i.y), reg(i.x), wide(i.n), byte | mem_signed); }
  void operator()(const mips16_extended::lbu& i) { t.load(reg(i.y), reg(i.x), wide(i.n), byte); }
  void operator()(const mips16_extended::lh& i) { t.load(reg(i.y), reg(i.x), wide(i.n), half | mem_signed); }
  void operator()(const mips16_extended::lhu& i) { t.load(reg(i.y), reg(i.x), wide(i.n), half); }
  void operator()(const mips16_extended::lw& i) { t.load(reg(i.y), reg(i.x), wide(i.n), whole); }
  void operator()(const mips16_extended::lw_sp& i) { t.load(reg(i.x), sp, wide(i.n), whole); }
  void operator()(const mips16_extended::lw_pc& i) { load_near(reg(i.x), wide(i.n)); }
  void operator()(const mips16_extended::sb& i) { t.store(reg(i.y), reg(i.x), wide(i.n), byte); }
  void operator()(const mips16_extended::sh& i) { t.store(reg(i.y), reg(i.x), wide(i.n), half); }
  void operator()(const mips16_extended::sw& i) { t.store(reg(i.y), reg(i.x), wide(i.n), whole); }
  void operator()(const mips16_extended::sw_sp& i) { t.store(reg(i.x), sp, wide(i.n), whole); }
  void operator()(const mips16_extended::sw_ra& i) { t.store(ra, sp, wide(i.n), whole); }

  void operator()(const mips16_extended::Undefined&) { t.reserved(); }
};
}  // namespace

void translate_mips16(Translator& t, u32 w) { mips16::decode(w, ShortVisitor{{t}}); }
void translate_mips16_extended(Translator& t, u32 w) { mips16_extended::decode(w, ExtendedVisitor{{t}}); }
}  // namespace mips
