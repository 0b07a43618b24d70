#include "accel/tcg/block_store.hpp"

#include "../toy.hpp"

#include <doctest/doctest.h>

namespace tcg {
namespace {
struct Bench : toy::Guest {
  CodeBuffer buffer = *CodeBuffer::create(64 * KiB);
  BlockStore store{c, &buffer};
  // Host code is eight bytes here, the second half of which stands for a jump's displacement.
  u32 add(u32 phys, u32 pc, u32 mode = 0, u16 bytes = 4) {
    const u64 nothing = 0;
    return store.add({.phys = phys, .pc = pc, .mode = mode, .code = buffer.append(&nothing, 8), .bytes = bytes});
  }
  const accel::ProbeEntry& probe(u32 pc, u32 privilege) { return accel::probe_table(&c, privilege)[accel::probe_index(pc)]; }
};
}  // namespace

TEST_CASE("block store: a block is found by physical address, pc and mode together") {
  Bench b;
  const u32 one = b.add(0x1000, 0x8000'1000), two = b.add(0x1000, 0x1000), three = b.add(0x1000, 0x1000, 1), four = b.add(0x1000, 0x1001);
  CHECK(b.store.find(0x1000, 0x8000'1000, 0) == one);
  CHECK(b.store.find(0x1000, 0x1000, 0) == two);
  CHECK(b.store.find(0x1000, 0x1000, 1) == three);
  CHECK(b.store.find(0x1000, 0x1001, 0) == four);
  CHECK(b.store.find(0x2000, 0x1000, 0) == no_block);
  CHECK(b.store.count() == 4);
  b.store.clear();
  CHECK(b.store.count() == 0);
  CHECK(b.store.find(0x1000, 0x1000, 0) == no_block);
}

TEST_CASE("block store: thousands of blocks are found, and only those written over go") {
  Bench b;
  std::vector<u32> ids;
  for (u32 i = 0; i < 4000; ++i) ids.push_back(b.add(i * 64, i * 64, 0, 64));
  for (u32 i = 0; i < 4000; ++i) REQUIRE(b.store.find(i * 64, i * 64, 0) == ids[i]);
  b.store.code_written(GuestPhys{64 * 100 + 63}, 2);
  b.store.code_written(GuestPhys{64 * 1000}, 64 * 200);
  for (u32 i = 0; i < 4000; ++i) {
    const bool gone = i == 100 || i == 101 || (i >= 1000 && i < 1200);
    REQUIRE((b.store.find(i * 64, i * 64, 0) == no_block) == gone);
  }
  CHECK(b.store.invalidated == 202);
}

TEST_CASE("block store: a write drops exactly the blocks it overlaps, byte for byte") {
  for (const u32 at : {0x2ffcu, 0x2fffu, 0x3000u, 0x3003u, 0x3004u, 0x300bu, 0x300cu, 0x3010u}) {
    CAPTURE(at);
    Bench b;
    const u32 one = b.add(0x3004, 0x3004, 0, 8);
    b.store.code_written(GuestPhys{at}, 1);
    CHECK(b.store[one].valid == (at < 0x3004 || at >= 0x300c));
  }
  Bench b;
  const u32 first = b.add(0x0ffc, 0xffc), last = b.add(0x2000, 0x2000), outside = b.add(0x2004, 0x2004);
  b.store.code_written(GuestPhys{0x0ffe}, 0x2001 - 0x0ffe);
  CHECK_FALSE(b.store[first].valid);
  CHECK_FALSE(b.store[last].valid);
  CHECK(b.store[outside].valid);
  b.store.code_written(GuestPhys{0x8000'0000}, 0x1000);  // not memory
  b.store.code_written(GuestPhys{0x2004}, 0);
  CHECK(b.store[outside].valid);
}

TEST_CASE("block store: overlapping blocks, one in many lines, all go with a common byte") {
  Bench b;
  const u32 longest = b.add(0x3000, 0x3000, 0, 256), inner = b.add(0x3080, 0x3080, 0, 4), beside = b.add(0x30c0, 0x30c0, 0, 4);
  b.store.code_written(GuestPhys{0x3080}, 4);
  CHECK_FALSE(b.store[longest].valid);
  CHECK_FALSE(b.store[inner].valid);
  CHECK(b.store[beside].valid);
}

TEST_CASE("block store: a region goes with its code, also before its entry, and with the block that it falls back on") {
  using Tier = TranslatedBlock::Tier;
  for (const u32 at : {0x30f8u, 0x30fcu, 0x3100u, 0x3108u, 0x310cu, 0x3110u}) {
    CAPTURE(at);
    Bench b;
    const u64 nothing = 0;
    const u32 plain = b.add(0x3100, 0x3100, 0, 16);
    b.store[plain].tier = Tier::unlikely;
    const u32 region = b.store.add({.phys = 0x3100, .pc = 0x3100, .mode = 0, .code = b.buffer.append(&nothing, 8), .bytes = 8, .before = 4, .tier = Tier::region});
    CHECK(b.store.find(0x3100, 0x3100, 0) == region);
    b.c.exit_request = 0;
    b.store.code_written(GuestPhys{at}, 4);
    CHECK(b.store[region].valid == (at < 0x30fc || at >= 0x3110));
    CHECK(b.store[plain].valid == (at < 0x3100 || at >= 0x3110));
    CHECK((b.c.exit_request == request_kick) == !b.store[region].valid);
    if (b.store[plain].valid && !b.store[region].valid) CHECK(b.store[plain].tier == Tier::block);
  }
}

TEST_CASE("block store: a linked jump is unlinked when its target goes, and may be linked anew") {
  Bench b;
  const u32 from = b.add(0x1000, 0x1000), to = b.add(0x1100, 0x1100);
  const u8* displacement = b.store[from].code + 5;
  const u32 slot = b.store.add_slot(displacement, 0x1234, 0x1100), second = b.store.add_slot(displacement - 4, 0x5678, 0x1100);
  for (int round = 0; round < 2; ++round) {
    const u32 target = round ? b.add(0x1100, 0x1100) : to;
    b.store.link(slot, target);
    b.store.link(second, target);
    CHECK(load_le<u32>(displacement) == u32(b.store[target].code - (displacement + 4)));
    CHECK(load_le<u32>(displacement - 4) == u32(b.store[target].code - displacement));
    b.store.code_written(GuestPhys{0x1100}, 4);
    CHECK(load_le<u32>(displacement) == 0x1234);
    CHECK(load_le<u32>(displacement - 4) == 0x5678);
  }
  CHECK(b.store.slots() == 2);
}

TEST_CASE("block store: a probe goes with its block, with a TLB flush, and with a flush of its page") {
  Bench b;
  for (const u32 pc : {0u, 0x3004u, 0xffff'fffcu, 0xffff'ffffu}) {
    CAPTURE(pc);
    for (int how = 0; how < 3; ++how) {
      CAPTURE(how);
      const u32 block = b.add(0x3004, pc);
      CHECK(b.probe(pc, 1).tag != pc);
      b.store.fill_probe(pc, 1, b.store[block].code, 0x3004);
      CHECK(b.probe(pc, 1).tag == pc);
      CHECK(b.probe(pc, 1).code == b.store[block].code);
      CHECK(b.probe(pc, 0).tag != pc);
      if (how == 1) b.store.flush_tlb();
      if (how == 2) b.store.flush_tlb_page(pc);
      if (how == 0) b.store.code_written(GuestPhys{0x3004}, 4);
      CHECK(b.probe(pc, 1).tag != pc);
      b.store.clear();
    }
  }
}

TEST_CASE("block store: an unrelated page flush leaves probes alone") {
  Bench b;
  const u32 block = b.add(0x3004, 0x3004);
  b.store.fill_probe(0x3004, 0, b.store[block].code, 0x3004);
  b.store.flush_tlb_page(0x4000);
  CHECK(b.probe(0x3004, 0).tag == 0x3004);
}

TEST_CASE("block store: a page mapped again to where it was keeps its probes and its stores") {
  Bench b;
  const u32 block = b.add(0x3004, 0x7004);
  b.store.fill_probe(0x7004, 0, b.store[block].code, 0x3004);
  REQUIRE(b.store.map_page(0x8000, GuestPhys{0x5000}, 1, true, true));
  REQUIRE(b.store.map_page(0x8000, GuestPhys{0x5000}, 1, false, true));
  const auto entry = [&](bool store) { return accel::page_table(&b.c, 1, store)[8]; };
  b.store.remap_page(0x7000, GuestPhys{0x3000}, false);
  b.store.remap_page(0x8000, GuestPhys{0x5000}, true);
  CHECK(b.probe(0x7004, 0).tag == 0x7004);
  CHECK(entry(true) != 0);
  b.store.remap_page(0x8000, GuestPhys{0x5000}, false);
  CHECK(entry(true) == 0);
  CHECK(entry(false) != 0);
  b.store.remap_page(0x8000, GuestPhys{0x6000}, true);
  CHECK(entry(false) == 0);
  b.store.remap_page(0x7000, GuestPhys{0x4000}, true);
  CHECK(b.probe(0x7004, 0).tag != 0x7004);
}

TEST_CASE("block store: memory is known by page, the last byte of a region too") {
  Bench b;
  CHECK(b.store.page_index(GuestPhys{0}) == 0);
  CHECK(b.store.page_index(GuestPhys{MiB - 1}) == 255);
  CHECK(b.store.page_index(GuestPhys{MiB}) == -1);
  CHECK(b.store.page_index(GuestPhys{toy::rom_at}) == 256);
  CHECK(b.store.page_index(GuestPhys{~u64(0)}) == -1);
  CHECK(b.store.page_host(GuestPhys{0x1fff}) == b.board.ram[0].host + 0x1000);
  CHECK(b.store.page_host(GuestPhys{MiB}) == nullptr);
}
}  // namespace tcg
