// The soft MMU: which accesses translated code may do by itself, and when that ends.

#include "accel/softmmu.hpp"

#include "accel/tcg/block_store.hpp"
#include "toy.hpp"

#include <doctest/doctest.h>

namespace accel {
namespace {
struct Bench : toy::Guest {
  tcg::BlockStore store{c, nullptr};
  Bench() { c.blocks = &store; }
  u8* ram() { return board.ram[0].host; }
  // Where translated code gets to at `va`, or null for the slow path.
  u8* direct(u32 va, unsigned privilege, bool is_store) {
    const u64 e = page_table(&c, privilege, is_store)[va >> 12];
    return e ? reinterpret_cast<u8*>(e + va) : nullptr;
  }
  u32 add_code(u32 phys, u16 bytes, u32 pc) {
    return store.add({.phys = phys, .pc = pc, .mode = 0, .code = nullptr, .bytes = bytes});
  }
  u8* map(u32 va, u32 pa, unsigned privilege, bool is_store, bool single = true) {
    return map_page(c, va, GuestPhys{pa}, privilege, is_store, single);
  }
};
}  // namespace

TEST_CASE("soft MMU: a mapped page is reached directly, by that privilege and kind of access only") {
  Bench b;
  for (unsigned privilege = 0; privilege < 2; ++privilege)
    for (const bool is_store : {false, true}) {
      b.map(0xffff'e000, 0x3000, privilege, is_store);
      for (unsigned p = 0; p < 2; ++p)
        for (const bool k : {false, true})
          CHECK(b.direct(0xffff'e123, p, k) == (p == privilege && k == is_store ? b.ram() + 0x3123 : nullptr));
      flush_tlb(b.c);
    }
}

TEST_CASE("soft MMU: only memory is mapped; rom not for stores, nor for loads while it must be read by the bus") {
  Bench b;
  CHECK(b.map(0x1000, 0x8000'0000, 0, false) == nullptr);
  CHECK(b.map(0x1000, 0x000f'f000, 0, true) == b.ram() + 0xff000);
  CHECK(b.map(0x1000, 0x0010'0000, 0, true) == nullptr);
  CHECK(b.map(0x1000, toy::rom_at, 0, true) == nullptr);
  CHECK(b.map(0x1000, toy::rom_at, 0, false) == b.board.ram[1].host);
  CHECK(ram_page(b.c, GuestPhys{toy::rom_at + 0x1000}, false) == b.board.ram[1].host + 0x1000);
  b.board.ram[1].direct = false;
  CHECK(ram_page(b.c, GuestPhys{toy::rom_at}, false) == nullptr);
  CHECK(ram_page(b.c, GuestPhys{0}, true) == b.ram());
}

TEST_CASE("soft MMU: flush_tlb forgets everything, flush_tlb_page one page or its MiB of larger mappings") {
  Bench b;
  const auto fill = [&](bool single) {
    for (const u32 va : {0x0010'0000u, 0x001f'f000u, 0x0020'0000u})
      for (unsigned t = 0; t < 4; ++t) b.map(va, 0x5000, t >> 1, t & 1, single);
  };
  const auto left = [&](u32 va) {
    unsigned n = 0;
    for (unsigned t = 0; t < 4; ++t) n += b.direct(va, t >> 1, t & 1) != nullptr;
    return n;
  };
  fill(true);
  flush_tlb_page(b.c, 0x0010'0abc);
  CHECK(left(0x0010'0000) == 0);
  CHECK(left(0x001f'f000) == 4);
  fill(false);
  flush_tlb_page(b.c, 0x0018'0000);
  CHECK(left(0x0010'0000) == 0);
  CHECK(left(0x001f'f000) == 0);
  CHECK(left(0x0020'0000) == 4);
  flush_tlb(b.c);
  CHECK(left(0x0020'0000) == 0);
  // After that a MiB of single pages is one of single pages again.
  fill(true);
  flush_tlb_page(b.c, 0x0010'0000);
  CHECK(left(0x001f'f000) == 4);
}

TEST_CASE("soft MMU: a page with code is not opened for stores, and closed when code comes") {
  Bench b;
  b.add_code(0x3000, 8, 0x3000);
  CHECK(b.map(0x3000, 0x3000, 0, true) == b.ram() + 0x3000);
  CHECK(b.direct(0x3000, 0, true) == nullptr);
  b.map(0x3000, 0x3000, 0, false);
  CHECK(b.direct(0x3000, 0, false) != nullptr);
  // One writer, then several for the same page and privilege.
  b.map(0x4000, 0x4000, 0, true);
  b.map(0x5000, 0x5000, 0, true), b.map(0x8000, 0x5000, 0, true), b.map(0x9000, 0x5000, 0, true), b.map(0x9000, 0x5000, 1, true);
  b.map(0xa000, 0x6000, 0, true);
  b.add_code(0x4100, 4, 0x4100);
  b.add_code(0x5100, 4, 0x5100);
  for (const u32 va : {0x4000u, 0x5000u, 0x8000u, 0x9000u}) CHECK(b.direct(va, 0, true) == nullptr);
  CHECK(b.direct(0x9000, 1, true) == nullptr);
  CHECK(b.direct(0xa000, 0, true) != nullptr);
}

TEST_CASE("soft MMU: a page whose first writer was flushed and mapped again closes all of its writers") {
  Bench b;
  b.map(0x4000, 0x6000, 0, true);
  flush_tlb_page(b.c, 0x4000);
  b.map(0x5000, 0x6000, 0, true);
  b.map(0x4000, 0x6000, 0, true);
  b.add_code(0x6000, 4, 0x6000);
  CHECK(b.direct(0x4000, 0, true) == nullptr);
  CHECK(b.direct(0x5000, 0, true) == nullptr);
}

TEST_CASE("soft MMU: a page is opened for stores again once its code was overwritten") {
  Bench b;
  b.add_code(0x3000, 8, 0x3000);
  code_written(b.c, GuestPhys{0x3004}, 1);
  b.map(0x3000, 0x3000, 0, true);
  CHECK(b.direct(0x3000, 0, true) != nullptr);
}

TEST_CASE("soft MMU: store_memory writes its size, drops the code it hits, and stops at the block being executed") {
  Bench b;
  const u32 own = b.add_code(0x3000, 8, 0x3000), other = b.add_code(0x3008, 8, 0x3008);
  b.c.pc = 0x3004;
  store_le<u32>(b.ram() + 0x300c, 0xaabbccdd);
  CHECK(store_memory(b.c, GuestPhys{0x300d}, b.ram() + 0x300d, 1, 0x12345678) == 0);
  CHECK(load_le<u32>(b.ram() + 0x300c) == 0xaabb78dd);
  CHECK_FALSE(b.store[other].valid);
  CHECK(store_memory(b.c, GuestPhys{0x300e}, b.ram() + 0x300e, 2, 0x12345678) == 0);
  CHECK(load_le<u32>(b.ram() + 0x300c) == 0x567878dd);
  CHECK(store_memory(b.c, GuestPhys{0x3010}, b.ram() + 0x3010, 4, 0x12345678) == 0);
  CHECK(load_le<u32>(b.ram() + 0x3010) == 0x12345678);
  CHECK(b.store[own].valid);
  CHECK_FALSE(b.store.step_wanted);

  store_le<u32>(b.ram() + 0x3000, 1);
  CHECK(store_memory(b.c, GuestPhys{0x3000}, b.ram() + 0x3000, 4, 2) == outcome_leave);
  CHECK(b.store.step_wanted);
  CHECK(b.store[own].valid);
  CHECK(load_le<u32>(b.ram() + 0x3000) == 1);
  b.store.stepping = true;
  CHECK(store_memory(b.c, GuestPhys{0x3000}, b.ram() + 0x3000, 4, 2) == 0);
  CHECK_FALSE(b.store[own].valid);
}

TEST_CASE("soft MMU: a page of devices is known by that privilege and direction, until mappings go") {
  Bench b;
  const auto at = [&](u32 va, unsigned privilege, bool store) {
    const DevicePage* d = device_page(b.c, va, privilege, store);
    return d ? store ? d->writer.at : d->reader.at : 0;
  };
  const auto fill = [&] { map_device(b.c, 0xf000'1000, GuestPhys{0x1000'2000}, 0, true); };
  CHECK(at(0, 0, false) == 0);
  fill();
  for (unsigned t = 0; t < 4; ++t) CHECK(at(0xf000'1ffc, t >> 1, t & 1) == (t == 1 ? 0x1000'2000 : 0));
  CHECK(at(0xf000'2000, 0, true) == 0);
  CHECK(at(0xf001'1000, 0, true) == 0);  // the same place in the cache
  using Forget = void (*)(VcpuHeader&);
  for (const Forget forget : {Forget([](VcpuHeader& c) { flush_tlb(c); }), Forget([](VcpuHeader& c) { flush_tlb_mapped(c); }),
                              Forget([](VcpuHeader& c) { forget_devices(c); }),
                              Forget([](VcpuHeader& c) { flush_tlb_page(c, 0xf000'1000); }),
                              Forget([](VcpuHeader& c) { remap_page(c, 0xf000'1000, GuestPhys{0x1000'3000}, true); }),
                              Forget([](VcpuHeader& c) { rom_mapping_changed(c, GuestPhys{toy::rom_at}, 4); }),
                              Forget([](VcpuHeader& c) { map_device(c, 0xf001'1000, GuestPhys{0x1000'2000}, 0, true); })}) {
    fill();
    CHECK(at(0xf000'1000, 0, true) == 0x1000'2000);
    forget(b.c);
    CHECK(at(0xf000'1000, 0, true) == 0);
  }
}

TEST_CASE("soft MMU: memory is no device, not even where it cannot be reached directly") {
  Bench b;
  b.board.ram[1].direct = false;
  for (const u32 page : {0u, toy::rom_at})
    for (const bool store : {false, true}) {
      map_device(b.c, 0x5000, GuestPhys{page}, 0, store);
      CHECK(device_page(b.c, 0x5000, false, store) == nullptr);
    }
}

TEST_CASE("soft MMU: without an engine the calls do nothing") {
  Bench b;
  b.c.blocks = nullptr;
  flush_tlb(b.c);
  flush_tlb_page(b.c, 0);
  code_written(b.c, GuestPhys{0}, 4);
  rom_mapping_changed(b.c, GuestPhys{0}, 4);
}
}  // namespace accel
