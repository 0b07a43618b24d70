// The optimiser of the intermediate code, by the text of what it leaves.

#include "accel/tcg/ir.hpp"

#include "../toy.hpp"

#include <doctest/doctest.h>

namespace tcg {
namespace {
constexpr Ref r0 = Ref::guest(0), r1 = Ref::guest(1), r2 = Ref::guest(2), r3 = Ref::guest(3);

std::string text(const Block& b) { return to_text(b, toy::FrontEnd().layout()); }
std::string optimised(Block b) { return optimise(b), text(b); }
}  // namespace

TEST_CASE("IR text: operands, constants, flags, conditions, sizes") {
  Block b;
  b.insn(0x1000, 4);
  b.emit(Op::add, r0, r1, 5u, flags_all);
  b.emit(Op::sub, Ref::none(), r0, r1, flag_c);
  const unsigned l = b.label();
  b.br_cond(Cond::hi, l);
  b.load(r2, r1, 8, 1 | mem_signed | mem_user);
  b.store(r2, r1, 0, 0);
  b.place(l);
  b.call(r3, toy::help_pure, r1, r2);
  b.exit_jump(0x2000, true);
  CHECK(text(b) ==
        " ---- 00001000\n add{nzcv} r0, r1, $0x5\n sub{c} r0, r1\n br_cond.hi L0\n load16s.user r2, r1, $0x8\n store8 r1, r2\n label L0\n"
        " call pure r3, r1, r2\n exit_jump $0x2000 poll\n");
}

TEST_CASE("optimiser: flags nobody reads go, those written again too") {
  Block b;
  b.emit(Op::add, r0, r1, r2, flags_all);
  b.emit(Op::and_, r0, r0, r2, flags_nz);
  b.emit(Op::adc, r0, r0, r2, flags_all);
  b.exit_jump(0, false);
  CHECK(optimised(b) == " add{c} r0, r1, r2\n and r0, r0, r2\n adc{nzcv} r0, r0, r2\n exit_jump $0x0\n");
}

TEST_CASE("optimiser: every reader of flags keeps exactly its own") {
  struct Reader {
    Cond c;
    const char* kept;
  };
  for (const Reader& k : {Reader{Cond::eq, "z"}, {Cond::cc, "c"}, {Cond::mi, "n"}, {Cond::vc, "v"}, {Cond::hi, "zc"}, {Cond::lt, "nv"}, {Cond::gt, "nzv"}}) {
    Block b;
    b.emit(Op::sub, Ref::none(), r0, r1, flags_all);
    b.cond(r2, k.c);
    b.emit(Op::sub, Ref::none(), r0, 1u, flags_all);
    b.exit_jump(0, false);
    CHECK(optimised(b).find(std::string(" sub{") + k.kept + "} r0, r1\n") == 0);
  }
  Block b;
  b.emit(Op::sub, Ref::none(), r0, r1, flags_all);
  b.get_flag(r2, flag_v);
  b.emit(Op::rrx, r3, r3);
  b.emit(Op::sub, Ref::none(), r0, 1u, flags_all);
  b.exit_jump(0, false);
  CHECK(optimised(b).find(" sub{cv} r0, r1\n") == 0);
}

TEST_CASE("optimiser: flags stay for the path around a label that does not write them") {
  Block b;
  const unsigned skip = b.label();
  b.emit(Op::add, r0, r0, 1u, flags_all);
  b.br_zero(r1, skip);
  b.emit(Op::sub, r0, r0, 1u, flag_n | flag_c);
  b.place(skip);
  b.emit(Op::xor_, r2, r2, r3, flags_nz);
  b.exit_jump(0, false);
  // N is written on both paths before the end, Z at the end; C on one path; V on none.
  CHECK(optimised(b) ==
        " add{cv} r0, r0, $0x1\n br_zero r1, L0\n sub{c} r0, r0, $0x1\n label L0\n xor{nz} r2, r2, r3\n exit_jump $0x0\n");
}

TEST_CASE("optimiser: what is live at the target of a jump, not behind it, counts before the jump") {
  Block b;
  const unsigned end = b.label();
  b.emit(Op::add, r0, r0, 1u, flags_all);
  b.mov(r1, 1u);
  b.br(end);
  b.cond(r2, Cond::vs);  // unreachable reader
  b.emit(Op::add, r1, r1, 1u);
  b.place(end);
  b.mov(r1, 2u);
  b.emit(Op::sub, Ref::none(), r0, 3u, flags_all);
  b.exit_jump(0, false);
  CHECK(optimised(b).find(" add r0, r0, $0x1\n br L0\n") == 0);
}

TEST_CASE("optimiser: chains of unread temporaries and overwritten registers go") {
  Block b;
  const Ref t = b.value(Op::add, r0, 1u);
  const Ref u = b.value(Op::shl, t, 2u);
  b.value(Op::xor_, u, t);
  b.mov(r1, t);
  b.mov(r1, 7u);
  const Ref high = b.temp();
  b.multiply_long(false, b.temp(), high, r0, r1);
  b.exit_jump(0, false);
  CHECK(optimised(b) == " mov r1, $0x7\n exit_jump $0x0\n");
}

TEST_CASE("optimiser: a wanted half keeps a long multiplication; a wanted flag keeps its operation without result") {
  Block b;
  const Ref low = b.temp(), high = b.temp();
  b.multiply_long(true, low, high, r0, r1);
  b.mov(r2, high);
  b.value(Op::add, r0, r1, flags_all);
  b.exit_jump(0, false);
  CHECK(optimised(b) == " muls2 t0, r0, r1, t1\n mov r2, t1\n add{nzcv} r0, r1\n exit_jump $0x0\n");
}

TEST_CASE("optimiser: before anything that may leave the block, every register and flag is in place") {
  using Emit = void (*)(Block&);
  static constexpr Emit barriers[] = {
      [](Block& b) { b.load(r3, r2, 0, 2); },       [](Block& b) { b.load(Ref::none(), r2, 0, 0); },
      [](Block& b) { b.store(r3, r2, 0, 2); },      [](Block& b) { b.call(r3, toy::help_leave, r2); },
      [](Block& b) { b.exit_indirect(r2); },        [](Block& b) { b.exit_state(); },
      [](Block& b) { b.exit_jump(0x3000, true); },  [](Block& b) { b.code.push_back({Op::fp, 0, u8(Fp::add), 0, r3, r2, r2, {}, 0}); }};
  for (const Emit barrier : barriers) {
    Block b;
    b.emit(Op::add, r0, r0, 1u, flags_all);
    b.mov(r1, 1u);
    barrier(b);
    b.emit(Op::sub, r0, r1, 2u, flags_all);
    b.mov(r0, 3u);
    b.mov(r1, 3u);
    b.exit_jump(0, false);
    CHECK(optimised(b).find(" add{nzcv} r0, r0, $0x1\n mov r1, $0x1\n") == 0);
  }
}

TEST_CASE("optimiser: a register read after its overwriting operation reads it stays") {
  Block b;
  b.mov(r0, 1u);
  b.emit(Op::add, r0, r0, r0);
  b.exit_jump(0, false);
  CHECK(optimised(b) == " mov r0, $0x1\n add r0, r0, r0\n exit_jump $0x0\n");
}

TEST_CASE("optimiser: nothing happens twice") {
  Block b;
  const unsigned l = b.label();
  b.insn(0x1000, 4);
  b.emit(Op::sbc, r0, r1, r2, flags_all);
  b.br_cond(Cond::le, l);
  b.store(r0, r1, 4, 2);
  b.place(l);
  b.nz64(r0, r1);
  b.exit_state();
  optimise(b);
  const std::string once = text(b);
  CHECK(optimised(b) == once);
}
}  // namespace tcg
