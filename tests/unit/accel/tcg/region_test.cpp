// Regions: which blocks become one, and what makes one go.

#include "accel/tcg/region.hpp"

#include "../toy.hpp"
#include "accel/softmmu.hpp"

#include <doctest/doctest.h>

namespace accel {
namespace {
using namespace toy;

struct Bench : Guest {
  explicit Bench(unsigned region_after) { with_engine(false, 1, 64, region_after); }
  u64 regions() const { return engine->stats().regions; }
};

// r0 times: r1 += 3, and r2 counts the turns of an inner loop of four.
void nested_loops(Bench& b, u32 at) {
  b.put(at, {movi(0, 100), movi(1, 0), movi(2, 0), movi(3, 4), addi(2, 2, 1), addi(3, 3, -1), bnz(3, -2), addi(1, 1, 3), addi(0, 0, -1), bnz(0, -6), halt()});
}
}  // namespace

TEST_CASE("region: a loop becomes one after so many jumps back, and computes the same") {
  if (!has_translator) return;
  for (const unsigned after : {1u, 7u, 0u}) {
    CAPTURE(after);
    Bench b(after);
    nested_loops(b, 0x1000);
    b.run(0x1000);
    CHECK(b.s.r[1] == 300);
    CHECK(b.s.r[2] == 400);
    CHECK((b.regions() > 0) == (after > 0));
    b.run(0x1000);
    CHECK(b.s.r[2] == 400);
  }
  Bench never(8192);
  nested_loops(never, 0x1000);
  never.run(0x1000);
  CHECK(never.regions() == 0);
}

TEST_CASE("region: it has the blocks from which its entry can be reached, and ends with the last of them") {
  Bench b(0);
  nested_loops(b, 0x1000);
  const std::set<u32> none;
  tcg::Region region;
  tcg::RegionRequest q{.pc = 0x1010, .mode = 0, .page = b.board.ram[0].host + 0x1000, .breakpoints = &none, .has_run = [](u32) { return true; }};
  REQUIRE(tcg::make_region(b.front, q, region));
  CHECK(region.first == 0x100c);
  CHECK(region.last == 0x1027);
  CHECK(region.blocks >= 2);
  // Only the inner loop, when the outer one's block is not there.
  q.has_run = [](u32 pc) { return pc == 0x1010; };
  REQUIRE(tcg::make_region(b.front, q, region));
  CHECK(region.first == 0x1010);
  CHECK(region.last == 0x101b);
  CHECK(region.blocks == 1);
  // A breakpoint in the loop leaves no loop.
  const std::set<u32> inside{0x1014};
  q.breakpoints = &inside;
  CHECK_FALSE(tcg::make_region(b.front, q, region));
  q.breakpoints = &none;
  q.pc = 0x1028;
  CHECK_FALSE(tcg::make_region(b.front, q, region));
}

TEST_CASE("region: a loop that rewrites itself runs what it wrote") {
  if (!has_translator) return;
  Bench b(1);
  // r5 = address of the second addi, r6 its new word; the store happens in every turn, the change in turn 50.
  b.put(0x2000, {addi(1, 1, 1)});
  b.put(0x2004, {addi(1, 1, 2)});
  b.put(0x1000, {movi(0, 100), movi(1, 0), movi(5, 0x20), shl(5, 5, 8), load(6, 5, 0), movi(7, 0x10), shl(7, 7, 8),
                 /* 101c */ addi(1, 1, 1), store(6, 7, 0x1c), load(6, 5, 0), addi(8, 0, -51), bnz(8, 2), load(6, 5, 4), addi(0, 0, -1), bnz(0, -7), halt()});
  b.run(0x1000);
  CHECK(b.s.r[1] == 101);  // one turn of 100 added 2
}

TEST_CASE("region: a list is followed wherever its pages lie, also when they never lie alike") {
  if (!has_translator) return;
  // One ring in memory, one that goes to and fro between memory and rom, and for longer than anybody guesses.
  for (const u32 second : {0x5000u, rom_at}) {
    Bench b(1);
    b.put(0x4000, {second});
    store_le<u32>(b.board.host_memory(GuestPhys{second}, 4), 0x4000);
    b.put(0x1000, {movi(0, 75), shl(0, 0, 12), addi(0, 0, 1), movi(1, 0x40), shl(1, 1, 8), load(1, 1, 0), addi(0, 0, -1), bnz(0, -2), halt()});
    b.run(0x1000);
    CHECK(b.regions() > 0);
    CHECK(b.s.r[1] == second);
    CHECK((guess_table(&b.c)[0].page == guess_nothing) == (second == rom_at));
  }
}

TEST_CASE("region: a device that writes its code makes it leave") {
  if (!has_translator) return;
  Bench b(1);
  // An endless loop; a store to the device in turn 100 turns its jump into a halt.
  b.put(0x1000, {movi(0, 0), movi(5, -112), shl(5, 5, 24), addi(0, 0, 1), addi(1, 0, -100), bnz(1, 2), trap(1), bnz(0, -4), halt()});
  b.board.on_trap = [&](VcpuHeader& c, u32) {
    b.poke(0x101c, halt());
    accel::code_written(c, GuestPhys{0x101c}, 4);
  };
  b.front.set_pc(b.c, 0x1000);
  CHECK(b.engine->run() == Engine::Stop::request);  // the way out of a region that is gone
  CHECK(b.regions() > 0);
  b.c.exit_request = 0;
  CHECK(b.engine->run() == Engine::Stop::halted);
  CHECK(b.s.r[0] >= 100);
  CHECK(b.s.r[0] <= 101);
}

TEST_CASE("region: a request is seen in the next turn") {
  if (!has_translator) return;
  Bench b(1);
  b.put(0x1000, {movi(0, 0), addi(0, 0, 1), addi(1, 0, -90), bnz(1, 2), trap(1), bnz(0, -4), halt()});
  b.board.on_trap = [](VcpuHeader& c, u32) { c.exit_request = request_kick; };
  b.front.set_pc(b.c, 0x1000);
  CHECK(b.engine->run() == Engine::Stop::request);
  CHECK(b.s.r[0] == 90);
  CHECK(b.regions() > 0);
}
}  // namespace accel
