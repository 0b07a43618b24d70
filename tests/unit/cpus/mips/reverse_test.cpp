// Status.RE: user mode with the other byte order (MD00090 Status; MD00086: ReverseEndian in the operations).

#include "guest.hpp"

#include "cpus/mips/cp0.hpp"

#include <random>

namespace mips::test {
namespace {
constexpr u32 user = 0x0040'0000, phys = 0x4000, window = 0x400;

void leave_exception(AnyGuest& g) {
  g.s.cp0.status &= ~status_exl;
  settle_status(g.s);
}
void prepare(AnyGuest& g, bool reverse) {
  g.map(0, user, phys, phys + 0x1000, 6);
  g.s.cp0.status = (reverse ? status_re : 0) | 2 << 3;
  settle_status(g.s);
}

// A processor of one byte order with RE is one of the other order, on memory that holds the same words.
TEST_CASE("mips RE: loads and stores are those of the other byte order") {
  constexpr u32 ops[] = {0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x28, 0x29, 0x2a, 0x2b, 0x2e};
  std::mt19937 random(1);
  for (const bool interpret : {true, false}) {
    LittleGuest little(interpret), little_reversed(interpret);
    BigGuest big(interpret), big_reversed(interpret);
    AnyGuest* const pairs[2][2] = {{&little, &big_reversed}, {&big, &little_reversed}};
    for (auto& pair : pairs) {
      for (AnyGuest* g : pair) prepare(*g, g == pair[1]);
      for (unsigned n = 0; n < 400; ++n) {
        const u32 op = ops[random() % std::size(ops)], size = op == 0x21 || op == 0x25 || op == 0x29 ? 2 : op == 0x23 || op == 0x2b ? 4 : 1;
        const u32 instruction = i_type(op, v0, a0, window + (random() % 64 & ~(size - 1))), value = u32(random());
        for (AnyGuest* g : pair) {
          leave_exception(*g);
          for (u32 at = 0; at < 64; at += 4)
            if (n == 0) g->set_word(phys + window + at, 0x0102'0304 * (at + 3));
          g->s.r[a0] = user;
          g->s.r[v0] = value;
          g->put(phys, {instruction});
          g->go(user, user + 4);
          CHECK(g->s.pc == user + 4);
        }
        CAPTURE(instruction);
        CHECK(pair[0]->s.r[v0] == pair[1]->s.r[v0]);
        for (u32 at = 0; at < 64; at += 4) CHECK(pair[0]->word(phys + window + at) == pair[1]->word(phys + window + at));
      }
    }
  }
}

TEST_CASE("mips RE: kernel and supervisor mode do not care") {
  all_four([](AnyGuest& g) {
    const u32 lb = i_type(0x24, v0, a0, window);
    g.set_word(phys + window, 0x1122'3344);
    prepare(g, true);
    g.s.r[a0] = user;
    const auto loaded = [&] {
      g.put(phys, {lb, nop});
      g.go(user, user + 8);
      return g.s.r[v0];
    };
    const u32 plain = g.s.big_endian ? 0x11 : 0x44, reverse = g.s.big_endian ? 0x44 : 0x11;
    CHECK(loaded() == reverse);
    for (const u32 mode : {0u, 1u << 3}) {
      g.s.cp0.status = status_re | mode;
      settle_status(g.s);
      CHECK(loaded() == plain);
    }
    g.s.cp0.status = 2 << 3;
    settle_status(g.s);
    CHECK(loaded() == plain);
    g.s.cp0.status = status_re | 2 << 3;
    settle_status(g.s);
    CHECK(loaded() == reverse);
  });
}

TEST_CASE("mips RE: BadVAddr is the address of the program") {
  all_four([](AnyGuest& g) {
    prepare(g, true);
    g.s.r[a0] = 0x0080'0000;
    for (const auto& load : {std::pair{0x20u, 1u}, std::pair{0x21u, 2u}, std::pair{0x29u, 4u}, std::pair{0x23u, 8u},
                                     std::pair{0x2au, 5u}, std::pair{0x26u, 7u}, std::pair{0x21u, 3u}}) {
      const u32 op = load.first, offset = load.second;
      g.put(phys, {i_type(op, v0, a0, offset)});
      g.go(user, user + 4);
      CAPTURE(op);
      CHECK(g.s.cp0.bad_vaddr == 0x0080'0000 + offset);
      leave_exception(g);
    }
  });
}

TEST_CASE("mips RE: MIPS16e code has its halfwords the other way round, across pages too") {
  both([](AnyGuest& g) {
    prepare(g, true);
    // li v0, 1; addiu v0, 2; extend and li v1, 0x123: the second halfword of a word is first
    g.set_word(phys, 0x6a01'4a02);
    g.set_word(phys + 4, 0xf120'6b03);
    g.set_word(phys + 8, 0x6500'6500);  // nop
    g.go(user | 1, user + 8);
    CHECK((g.s.pc == user + 8 && g.s.r[v0] == 3 && g.s.r[v1] == 0x123));
    g.set_word(phys + 0xffc, 0x4a04'f120);  // addiu v0, 4; extend |
    g.set_word(phys + 0x1000, 0x6b05'6500);
    g.go((user + 0xffc) | 1, user + 0x1002);
    CHECK((g.s.pc == user + 0x1002 && g.s.r[v0] == 7 && g.s.r[v1] == 0x125));
    // b .+6 over an instruction, which has no delay slot; jr ra with one
    g.set_word(phys, 0x1001'4a10);
    g.set_word(phys + 4, 0xe820'4a01);
    g.set_word(phys + 8, 0x6500'6500);
    g.s.r[ra] = (user + 8) | 1;
    g.go(user | 1, user + 8);
    CHECK((g.s.pc == user + 8 && g.s.r[v0] == 8));
  });
}
}  // namespace
}  // namespace mips::test
