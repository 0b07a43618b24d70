// Loads and stores in both byte orders.  Sections of MD00086.

#include "guest.hpp"

namespace mips::test {
namespace {
constexpr u32 at_data = 0x8000'3000, phys_data = 0x3000;

u8 byte_of(const AnyGuest& g, u32 phys) { return *g.s.machine->host_memory(GuestPhys{phys}, 1); }
void set_bytes(AnyGuest& g, u32 phys, std::initializer_list<u8> bytes) {
  for (const u8 b : bytes) *g.s.machine->host_memory(GuestPhys{phys++}, 1) = b;
}

TEST_CASE("mips: the first byte of a word is its most significant one on a big-endian CPU") {
  all_four([](AnyGuest& g) {
    set_bytes(g, phys_data, {0x81, 0x92, 0xa3, 0xb4});
    g.s.r[a0] = at_data;
    for (int pass = 0; pass < 2; ++pass) {  // the first opens the page
      g.run({lw(v0, a0, 0), i_type(0x21, v1, a0, 0), i_type(0x25, a1, a0, 2), i_type(0x20, a2, a0, 1), i_type(0x24, a3, a0, 3)});
      const bool big = g.s.big_endian;
      CHECK(g.s.r[v0] == (big ? 0x8192'a3b4 : 0xb4a3'9281));
      CHECK(g.s.r[v1] == (big ? 0xffff'8192 : 0xffff'9281));
      CHECK(g.s.r[a1] == (big ? 0xa3b4 : 0xb4a3));
      CHECK(g.s.r[a2] == 0xffff'ff92);
      CHECK(g.s.r[a3] == 0xb4);
      g.s.r[t0] = 0x0102'0304;
      g.run({sw(t0, a0, 16), i_type(0x29, t0, a0, 20), i_type(0x28, t0, a0, 22)});
      CHECK(byte_of(g, phys_data + 16) == (big ? 1 : 4));
      CHECK(byte_of(g, phys_data + 19) == (big ? 4 : 1));
      CHECK(byte_of(g, phys_data + 20) == (big ? 3 : 4));
      CHECK(byte_of(g, phys_data + 22) == 4);
    }
  });
}

TEST_CASE("mips: devices see bytes at their own addresses in either order") {
  LittleGuest little(false);
  BigGuest big(false);
  for (AnyGuest* g : {static_cast<AnyGuest*>(&little), static_cast<AnyGuest*>(&big)}) {
    g->s.r[a0] = 0xb000'0000;
    g->s.r[t0] = 0x0102'0304;
    g->run({sw(t0, a0, 4), i_type(0x29, t0, a0, 8), lw(v0, a0, 1 * 4)});
  }
  REQUIRE((little.machine.stores.size() == 2 && big.machine.stores.size() == 2));
  CHECK((little.machine.stores[0].at == device_at + 4 && little.machine.stores[0].value == 0x0102'0304));
  CHECK(big.machine.stores[0].value == 0x0403'0201);
  CHECK(big.machine.stores[1].value == 0x0403);
  CHECK(little.s.r[v0] == __builtin_bswap32(big.s.r[v0]));
}

// As the manual's figures have it: memory I J K L (M …), register e f g h.
TEST_CASE("mips: LWL, LWR, SWL, SWR at every alignment") {
  all_four([](AnyGuest& g) {
    const bool big = g.s.big_endian;
    for (int pass = 0; pass < 2; ++pass)
      for (u32 b = 0; b < 4; ++b) {
        CAPTURE(b);
        const u8 memory[4] = {0x10, 0x20, 0x30, 0x40};
        const u8 value[4] = {0xa1, 0xb2, 0xc3, 0xd4};  // most significant first
        // Byte `n` of the register, most significant first, is byte place(n) of the word in memory.
        const auto place = [&](u32 n) { return big ? n : 3 - n; };
        const auto packed = [](const u8* v) { return u32(v[0]) << 24 | v[1] << 16 | v[2] << 8 | v[3]; };
        const u32 left_count = big ? 4 - b : b + 1, right_count = big ? b + 1 : 4 - b;
        u8 left[4], right[4], left_memory[4], right_memory[4];
        for (u32 n = 0; n < 4; ++n) {
          left[n] = right[n] = value[n];
          left_memory[n] = right_memory[n] = memory[n];
        }
        // Left: the register's high bytes and the bytes of memory from the address on (big endian) or down from it.
        for (u32 n = 0; n < left_count; ++n) {
          const u32 at = big ? b + n : b - n;
          left[n] = memory[at];
          left_memory[at] = value[n];
        }
        for (u32 n = 0; n < right_count; ++n) {
          const u32 at = big ? b - n : b + n;
          right[3 - n] = memory[at];
          right_memory[at] = value[3 - n];
        }
        (void)place;
        g.s.r[a0] = at_data + b;
        set_bytes(g, phys_data, {memory[0], memory[1], memory[2], memory[3]});
        g.s.r[v0] = g.s.r[v1] = g.s.r[t0] = packed(value);
        g.run({i_type(0x22, v0, a0, 0), i_type(0x26, v1, a0, 0)});
        CHECK(g.s.r[v0] == packed(left));
        CHECK(g.s.r[v1] == packed(right));
        g.run({i_type(0x2a, t0, a0, 0)});
        for (u32 n = 0; n < 4; ++n) CHECK(byte_of(g, phys_data + n) == left_memory[n]);
        set_bytes(g, phys_data, {memory[0], memory[1], memory[2], memory[3]});
        g.run({i_type(0x2e, t0, a0, 0)});
        for (u32 n = 0; n < 4; ++n) CHECK(byte_of(g, phys_data + n) == right_memory[n]);
      }
  });
}

TEST_CASE("mips: LWL and SWR fault with the address they were given") {
  both([](AnyGuest& g) {
    for (const u32 op : {0x22u, 0x26u, 0x2au, 0x2eu}) {
      g.s.cp0.status = 0;
      settle_status(g.s);
      g.s.r[a0] = 0x0040'0000;
      g.run({i_type(op, t0, a0, 3)});
      CHECK(g.s.pc == AnyGuest::refill);
      CHECK(g.s.cp0.bad_vaddr == 0x0040'0003);
    }
  });
}

TEST_CASE("mips: SC stores after LL, and not after an exception return or another LL") {
  all_four([](AnyGuest& g) {
    constexpr u32 ll = i_type(0x30, v0, a0, 0), sc = i_type(0x38, t0, a0, 0);
    g.s.r[a0] = at_data;
    g.set_word(phys_data, 5);
    g.s.r[t0] = 6;
    g.run({ll, sc});
    CHECK((g.s.r[v0] == 5 && g.s.r[t0] == 1 && g.word(phys_data) == 6));
    g.s.r[t0] = 7;
    g.run({sc});
    CHECK((g.s.r[t0] == 0 && g.word(phys_data) == 6));
    g.s.r[t0] = 8;
    g.s.cp0.epc = AnyGuest::code + 8;
    g.s.cp0.status |= status_exl;
    settle_status(g.s);
    g.run({ll, eret, sc});
    CHECK((g.s.r[t0] == 0 && g.word(phys_data) == 6));
  });
}

TEST_CASE("mips: misaligned and privileged addresses (MD00090 AdEL, AdES)") {
  both([](AnyGuest& g) {
    g.s.r[a0] = at_data;
    g.run({sw(v0, a0, 2)});
    CHECK((g.s.pc == AnyGuest::general && g.code_of_exception() == u32(ExcCode::AdES) && g.s.cp0.bad_vaddr == at_data + 2));
    g.s.cp0.status = 0;
    settle_status(g.s);
    g.map(0, 0x0040'0000, 0x4000, 0x5000);
    g.put(0x4000, {lw(v0, a0, 0)});
    g.user_mode();
    g.go(0x0040'0000, 0x0040'0004);
    CHECK((g.s.pc == AnyGuest::general && g.code_of_exception() == u32(ExcCode::AdEL) && g.s.cp0.epc == 0x0040'0000));
  });
}

TEST_CASE("mips: no memory and no board: bus errors of data and of fetches") {
  both([](AnyGuest& g) {
    g.map(0, 0xc000'0000, 0x3000'0000, 0x3000'1000);
    g.s.r[a0] = 0xc000'0000;
    for (unsigned time = 0; time < 2; ++time) {  // nothing is remembered of the first
      g.run({lw(v0, a0, 0)});
      CHECK((g.s.pc == AnyGuest::general && g.code_of_exception() == u32(ExcCode::DBE)));
      g.s.cp0.status = 0;
      settle_status(g.s);
    }
    g.run({jr(a0), nop});
    CHECK((g.s.pc == AnyGuest::general && g.code_of_exception() == u32(ExcCode::IBE) && g.s.cp0.epc == 0xc000'0000));
  });
}
}  // namespace
}  // namespace mips::test
