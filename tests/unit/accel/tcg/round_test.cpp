// Engine::run_round: which loops can only repeat.

#include "tests/unit/accel/toy.hpp"

#include <doctest/doctest.h>

namespace {
using namespace toy;

struct Bench : Guest {
  explicit Bench(bool interpret = false) { with_engine(interpret); }
  // The loop is at 0x1000, r2 points to the device, r4 to memory.
  bool repeats(std::initializer_list<u32> loop, unsigned most = 50) {
    put(0x1000, loop);
    s.r[2] = device, s.r[4] = 0x8000;
    front.set_pc(c, 0x1000);
    for (int rounds = 0, n = 0; rounds < 2 && n < 100; ++n) {  // opens pages, and brings registers where the loop leaves them
      engine->step();
      rounds += c.pc == 0x1000;
    }
    return engine->run_round(most);
  }
};
}  // namespace

TEST_CASE("round: asking a device and going back only repeats") {
  for (const bool interpret : {false, true}) {
    Bench b(interpret);
    CHECK(b.repeats({load(1, 2), jump(-1)}));
    CHECK(b.c.pc == 0x1000);
    CHECK(b.repeats({load(1, 2), movi(3, 5), shl(3, 3, 2), bnz(1, -3)}));
    CHECK(b.repeats({store(3, 2), load(1, 2, 4), jump(-2)}));  // an index and a data register
  }
}
TEST_CASE("round: a loop that counts does not repeat, in a register or in memory") {
  Bench b;
  CHECK_FALSE(b.repeats({load(1, 2), addi(3, 3, 1), jump(-2)}));
  CHECK_FALSE(b.repeats({load(1, 2), load(3, 4), addi(3, 3, 1), store(3, 4), movi(3, 0), jump(-5)}));
}
TEST_CASE("round: storing what is there already changes nothing") {
  Bench b;
  CHECK(b.repeats({movi(3, 7), store(3, 4), load(1, 2), jump(-3)}));
  CHECK(b.word(0x8000) == 7);
  CHECK_FALSE(b.repeats({movi(3, 7), store(3, 4), movi(3, 8), store(3, 4), load(1, 2), jump(-5)}));
}
TEST_CASE("round: a store to a page of code is not judged") {
  Bench b;
  b.put(0x1100, {halt()});
  b.run(0x1100);
  CHECK_FALSE(b.repeats({movi(4, 0x10), shl(4, 4, 8), load(1, 2), store(1, 4, 64), jump(-4)}));
}
TEST_CASE("round: flags count as state") {
  Bench b;
  CHECK_FALSE(b.repeats({addi(3, 3, 64), addi(5, 3, 0), movi(3, 0), bnz(2, -3)}, 3));
  CHECK(b.repeats({addi(3, 5, 1), bnz(2, -1)}));
}
TEST_CASE("round: helpers, faults and halts are not judged") {
  Bench b;
  CHECK_FALSE(b.repeats({trap(1), load(1, 2), jump(-2)}));
  CHECK_FALSE(b.repeats({halt(), load(1, 2), jump(-2)}));
  b.c.halted = 0;
  b.board.faults.insert(device >> 12);
  CHECK_FALSE(b.repeats({load(1, 2), jump(-1)}));
}
TEST_CASE("round: a loop too long is not judged") {
  Bench b;
  CHECK_FALSE(b.repeats({load(1, 2), nop(), nop(), nop(), jump(-4)}, 4));
  CHECK(b.repeats({load(1, 2), nop(), nop(), nop(), jump(-4)}, 5));
}
TEST_CASE("round: under breakpoints no instruction runs") {
  Bench b;
  b.engine->set_breakpoint(0x1004, true);
  b.put(0x1000, {addi(1, 1, 1), jump(-1)});
  b.front.set_pc(b.c, 0x1000);
  CHECK_FALSE(b.engine->run_round(50));
  CHECK(b.s.r[1] == 0);
}
