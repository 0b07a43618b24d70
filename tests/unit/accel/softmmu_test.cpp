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

// A first-level table at 0x8000; MiB n of the tests has 0x100 + n as its descriptor.
namespace {
constexpr u32 table_at = 0x8000;
struct Sections : Bench {
  void describe(u32 mib, u32 word, u32 table = table_at) { store_le<u32>(ram() + table + 4 * mib, word); }
  // As a walk does.
  void open(u32 mib, bool is_store = false, u32 table = table_at) {
    note_section(c, mib << 20, load_le<u32>(ram() + table + 4 * mib), GuestPhys{table});
    map(mib << 20, 0x3000, 0, is_store, false);
  }
  bool is_open(u32 mib) { return direct(mib << 20, 0, false); }
  void flush(u32 table = table_at) { flush_tlb_but_sections(c, GuestPhys{table}); }
  Sections() {
    for (const u32 table : {table_at, table_at + 0x4000})
      for (u32 mib = 0; mib < 8; ++mib) describe(mib, 0x100 + mib, table);
    flush();
  }
};
}  // namespace

TEST_CASE("soft MMU: sections stay when the table has the same descriptors, pages do not") {
  Sections b;
  b.open(1);
  b.open(2);
  note_section(b.c, 3 << 20, 0, GuestPhys{table_at});
  b.map(3 << 20, 0x3000, 0, false);
  b.describe(2, 0x777, table_at + 0x4000);
  b.flush();
  CHECK(b.is_open(1));
  CHECK(b.is_open(2));
  CHECK_FALSE(b.is_open(3));
  b.flush(table_at + 0x4000);
  CHECK(b.is_open(1));
  CHECK_FALSE(b.is_open(2));
  flush_tlb(b.c);
  CHECK_FALSE(b.is_open(1));
  // Nothing is kept before a flush says which table it is.
  b.open(1);
  b.flush();
  CHECK_FALSE(b.is_open(1));
}

TEST_CASE("soft MMU: a section goes when its descriptor is written or a walk finds another") {
  Sections b;
  b.open(1), b.open(2);
  b.describe(1, 0x777);
  CHECK(store_memory(b.c, GuestPhys{table_at + 8}, b.ram() + table_at + 8, 4, 0x102) == 0);  // as it was
  CHECK(b.is_open(2));
  CHECK(b.is_open(1));
  code_written(b.c, GuestPhys{table_at - 2}, 8);
  CHECK_FALSE(b.is_open(1));
  CHECK(b.is_open(2));
  b.store.code_written(GuestPhys{table_at + 0x4000}, 16);
  note_section(b.c, 2 << 20, 0, GuestPhys{table_at});
  CHECK_FALSE(b.is_open(2));
  // What was open before the MiB was a section goes: it was not listed as one.
  b.map((4 << 20) + 0x1000, 0x3000, 0, false);
  b.open(4);
  CHECK(b.direct((4 << 20) + 0x1000, 0, false) == nullptr);
}

TEST_CASE("soft MMU: the table is closed for stores while it is the table") {
  Sections b;
  const auto opens = [&](u32 phys) {
    b.map(0x0070'0000, phys, 1, true);
    return b.direct(0x0070'0000, 1, true) != nullptr;
  };
  for (u32 page = table_at; page < table_at + 0x4000; page += 0x1000) CHECK_FALSE(opens(page));
  CHECK(opens(table_at + 0x4000));
  b.flush(table_at + 0x4000);
  CHECK(b.direct(0x0070'0000, 1, true) == nullptr);
  CHECK_FALSE(opens(table_at + 0x4000));
  CHECK(opens(table_at));
  // Not memory, or not all of it: no sections.
  for (const u32 nowhere : {0x8000'0000u, 0x000f'd000u}) {
    b.flush();
    b.open(1);
    b.flush(nowhere);
    CHECK_FALSE(b.is_open(1));
    CHECK(opens(table_at));
  }
}

TEST_CASE("soft MMU: code in sections is found again without a walk") {
  Sections b;
  const int code = 0;
  const u32 in_section = 0x0010'0040, in_page = 0x0030'0080;
  b.open(1);
  const auto has_probe = [&](u32 pc) { return probe_table(&b.c, 0)[probe_index(pc)].tag == pc; };
  b.store.fill_probe(in_section, 0, &code, 0x3040);
  b.store.fill_probe(in_page, 0, &code, 0x3080);
  b.flush();
  CHECK(has_probe(in_section));
  CHECK_FALSE(has_probe(in_page));
  b.describe(1, 0);
  b.flush();
  CHECK_FALSE(has_probe(in_section));
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
