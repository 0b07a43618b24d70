// The interpreter of the intermediate code against values worked out by hand: it is the oracle of the back ends.

#include "accel/tcg/interp.hpp"

#include "../toy.hpp"

#include <doctest/doctest.h>

namespace tcg {
namespace {
constexpr u8 N = flag_n, Z = flag_z, C = flag_c, V = flag_v;
constexpr Ref r0 = Ref::guest(0), r1 = Ref::guest(1), r2 = Ref::guest(2), r3 = Ref::guest(3);

struct Bench : toy::Guest {
  BlockStore store{c, nullptr};
  Interpreter interpreter{c, front, toy::port()};
  Bench() { c.blocks = &store; }
  void run(const Block& b) { interpreter.run(b); }
  void set_flags(u8 f) { s.n = f & 1, s.z = f >> 1 & 1, s.c = f >> 2 & 1, s.v = f >> 3; }
  // r0 = op(a, b) with the flags `old` before.
  u32 eval(Op op, u32 a, Operand b, u8 writes, u8 old = 0) {
    s.r[1] = a;
    set_flags(old);
    Block ir;
    ir.emit(op, r0, r1, b, writes);
    run(ir);
    return s.r[0];
  }
};
struct Row {
  Op op;
  u32 a, b;
  u8 old;
  u32 want;
  u8 flags;
};
}  // namespace

TEST_CASE("interpreter: arithmetic and its flags") {
  static constexpr Row rows[] = {
      {Op::add, 1, 2, 15, 3, 0},
      {Op::add, ~0u, 1, 0, 0, Z | C},
      {Op::add, 0x7fff'ffff, 1, 0, 0x8000'0000, N | V},
      {Op::add, 0x8000'0000, 0x8000'0000, 0, 0, Z | C | V},
      {Op::adc, ~0u, 0, C, 0, Z | C},
      {Op::adc, ~0u, ~0u, C, ~0u, N | C},
      {Op::adc, 0x7fff'ffff, 0, C, 0x8000'0000, N | V},
      {Op::adc, 1, 1, 0, 2, 0},
      {Op::sub, 5, 5, 0, 0, Z | C},
      {Op::sub, 4, 5, C, ~0u, N},
      {Op::sub, 0x8000'0000, 1, 0, 0x7fff'ffff, C | V},
      {Op::sub, 0, 0x8000'0000, 0, 0x8000'0000, N | V},
      {Op::sub, 7, 0, 0, 7, C},
      {Op::sbc, 5, 5, 0, ~0u, N},
      {Op::sbc, 5, 5, C, 0, Z | C},
      {Op::sbc, 0, ~0u, 0, 0, Z},
      {Op::sbc, 0x8000'0000, 0, 0, 0x7fff'ffff, C | V},
  };
  Bench b;
  for (const Row& k : rows) {
    CAPTURE(int(k.op));
    CAPTURE(k.a);
    CAPTURE(k.b);
    CHECK(b.eval(k.op, k.a, k.b, flags_all, k.old) == k.want);
    CHECK(b.s.flags() == k.flags);
  }
}

TEST_CASE("interpreter: shifts by constants and by registers") {
  static constexpr Row rows[] = {
      {Op::shl, 0x8000'0001, 1, 0, 2, C},           {Op::shl, 1, 31, 0, 0x8000'0000, N},   {Op::shr, 3, 1, 0, 1, C},
      {Op::shr, 0x8000'0000, 31, C, 1, 0},          {Op::sar, 0x8000'0001, 1, 0, 0xc000'0000, N | C},
      {Op::sar, 0x8000'0000, 31, 0, ~0u, N},        {Op::ror, 1, 1, 0, 0x8000'0000, N | C}, {Op::ror, 0x10, 4, C, 1, 0},
  };
  Bench b;
  for (const Row& k : rows) {
    CHECK(b.eval(k.op, k.a, k.b, N | Z | C, k.old) == k.want);
    CHECK(b.s.flags() == k.flags);
  }
  CHECK(b.eval(Op::rrx, 3, Ref::none(), N | Z | C, C) == 0x8000'0001);
  CHECK(b.s.flags() == (N | C));
  CHECK(b.eval(Op::rrx, 0, Ref::none(), N | Z | C, 0) == 0);
  CHECK(b.s.flags() == Z);
  for (const u32 n : {32u, 33u, 255u, 0x1ffu}) {
    CHECK(b.eval(Op::shl_s, ~0u, n, 0) == 0);
    CHECK(b.eval(Op::shr_s, ~0u, n, 0) == 0);
    CHECK(b.eval(Op::sar_s, 0x8000'0000, n, 0) == ~0u);
    CHECK(b.eval(Op::sar_s, 0x7fff'ffff, n, 0) == 0);
  }
  CHECK(b.eval(Op::shl_s, 1, 0x104u, 0) == 16);  // the low eight bits count
  CHECK(b.eval(Op::shl, 1, 36u, 0) == 16);       // modulo 32
}

TEST_CASE("interpreter: logic, counting, extension") {
  Bench b;
  CHECK(b.eval(Op::andn, 0xff, 0xf0u, flags_nz) == 0x0f);
  CHECK(b.eval(Op::xor_, 0xff, 0xffu, flags_nz, C | V) == 0);
  CHECK(b.s.flags() == (Z | C | V));
  CHECK(b.eval(Op::not_, 0, Ref::none(), flags_nz) == ~0u);
  CHECK(b.eval(Op::clz, 0, Ref::none(), 0) == 32);
  CHECK(b.eval(Op::clz, 0x0001'0000, Ref::none(), 0) == 15);
  CHECK(b.eval(Op::sext8, 0x180, Ref::none(), 0) == 0xffff'ff80);
  CHECK(b.eval(Op::sext16, 0x1'8000, Ref::none(), 0) == 0xffff'8000);
  CHECK(b.eval(Op::zext8, 0x1ff, Ref::none(), 0) == 0xff);
  CHECK(b.eval(Op::zext16, 0x1'ffff, Ref::none(), 0) == 0xffff);
  CHECK(b.eval(Op::bswap, 0x1122'3344, Ref::none(), 0) == 0x4433'2211);
  CHECK(b.eval(Op::mul, 0x8000'0001, 3u, flags_nz) == 0x8000'0003);
  CHECK(b.s.flags() == N);
}

TEST_CASE("interpreter: long multiplication, signed and not, also into its own operands") {
  Bench b;
  Block u, i;
  u.multiply_long(false, r0, r1, r0, r1);
  i.multiply_long(true, r0, r1, r0, r1);
  b.s.r[0] = ~0u, b.s.r[1] = 2;
  b.run(u);
  CHECK(b.s.r[0] == 0xffff'fffe);
  CHECK(b.s.r[1] == 1);
  b.s.r[0] = ~0u, b.s.r[1] = 2;
  b.run(i);
  CHECK(b.s.r[0] == 0xffff'fffe);
  CHECK(b.s.r[1] == ~0u);
}

TEST_CASE("interpreter: conditions over all sixteen sets of flags") {
  Bench b;
  for (u8 f = 0; f < 16; ++f) {
    const bool n = f & N, z = f & Z, c = f & C, v = f & V;
    const bool want[] = {z, !z, c, !c, n, !n, v, !v, c && !z, !c || z, n == v, n != v, !z && n == v, z || n != v};
    for (u8 k = 0; k < 14; ++k) {
      Block ir;
      const unsigned taken = ir.label();
      ir.cond(r0, Cond(k));
      ir.mov(r1, 1u);
      ir.br_cond(Cond(k), taken);
      ir.mov(r1, 0u);
      ir.place(taken);
      b.set_flags(f);
      b.run(ir);
      CHECK(b.s.r[0] == want[k]);
      CHECK(b.s.r[1] == want[k]);
      CHECK(inverse(inverse(Cond(k))) == Cond(k));
    }
  }
}

TEST_CASE("interpreter: flags are set, read, and taken from 64 bits") {
  Bench b;
  Block ir;
  ir.set_flag(flag_v, 1u);
  ir.get_flag(r0, flag_v);
  ir.nz64(r1, r2);
  b.s.r[1] = 0, b.s.r[2] = 0x8000'0000;
  b.run(ir);
  CHECK(b.s.r[0] == 1);
  CHECK(b.s.flags() == (N | V));
  b.s.r[1] = 1, b.s.r[2] = 0;
  b.run(ir);
  CHECK(b.s.flags() == V);
  b.s.r[1] = 0;
  b.run(ir);
  CHECK(b.s.flags() == (Z | V));
}

TEST_CASE("interpreter: branches go forward to their label and nowhere else") {
  Bench b;
  Block ir;
  const unsigned zero = ir.label(), nonzero = ir.label(), end = ir.label();
  ir.br_zero(r0, zero);
  ir.br_nonzero(r0, nonzero);
  ir.mov(r1, 9u);
  ir.place(zero);
  ir.mov(r1, 1u);
  ir.br(end);
  ir.place(nonzero);
  ir.mov(r1, 2u);
  ir.place(end);
  ir.exit_jump(0x2000, false);
  b.s.r[0] = 0;
  b.run(ir);
  CHECK(b.s.r[1] == 1);
  b.s.r[0] = 5;
  b.run(ir);
  CHECK(b.s.r[1] == 2);
  CHECK(b.c.pc == 0x2000);
}

TEST_CASE("interpreter: loads and stores of every size and signedness, directly and through the slow path") {
  for (const bool direct : {false, true}) {
    CAPTURE(direct);
    Bench b;
    b.board.map = direct;
    b.poke(0x100, 0x8899'aabb);
    b.s.r[1] = 0x110;
    const auto load = [&](u8 mem) {
      Block ir;
      ir.load(r0, r1, u32(-16), mem);
      b.run(ir);
      return b.s.r[0];
    };
    CHECK(load(2) == 0x8899'aabb);
    CHECK(load(1) == 0xaabb);
    CHECK(load(1 | mem_signed) == 0xffff'aabb);
    CHECK(load(0) == 0xbb);
    CHECK(load(0 | mem_signed) == 0xffff'ffbb);
    CHECK(b.board.slow_loads == (direct ? 1 : 5));
    b.s.r[2] = 0x1122'3344;
    const auto store = [&](u8 mem) {
      b.poke(0x110, 0);
      Block ir;
      ir.store(r2, r1, 0, mem);
      b.run(ir);
      return b.word(0x110);
    };
    CHECK(store(2) == 0x1122'3344);
    CHECK(store(1) == 0x3344);
    CHECK(store(0) == 0x44);
    CHECK(b.board.slow_stores == (direct ? 1 : 3));
  }
}

TEST_CASE("interpreter: accesses with user privilege use the user's tables") {
  Bench b;
  Block ir;
  ir.load(r0, r1, 0, 2 | mem_user);
  b.s.r[1] = 0x100;
  b.run(ir);
  CHECK(accel::page_table(&b.c, 1, false)[0] != 0);
  CHECK(accel::page_table(&b.c, 0, false)[0] == 0);
}

TEST_CASE("interpreter: exits set the pc with its mode bits; exit_state leaves it") {
  Bench b;
  Block ir;
  ir.exit_indirect(r0);
  b.s.r[0] = 0x1235;
  b.run(ir);
  CHECK(b.c.pc == 0x1234);
  CHECK(b.s.odd == 1);
  Block state;
  state.insn(0x1000, 4);
  state.call({}, toy::help_jump, r0);
  state.exit_state();
  b.s.r[0] = 0x3000;
  b.run(state);
  CHECK(b.c.pc == 0x3000);
  CHECK(b.s.odd == 0);
  CHECK(b.c.instructions == 1);
}

TEST_CASE("interpreter: helpers get their arguments in order and may change everything") {
  Bench b;
  b.board.record = true;
  Block ir;
  ir.insn(0x1000, 4);
  ir.call(r3, toy::help_state, r1, r2, r1);
  b.s.r[1] = 5, b.s.r[2] = 6;
  b.run(ir);
  REQUIRE(b.board.events.size() == 1);
  CHECK(b.board.events[0].at == 5);
  CHECK(b.board.events[0].value == (6 ^ 5));
  CHECK(b.board.events[0].pc == 0x1000);
  CHECK(b.s.r[6] != 0);
}
}  // namespace tcg
