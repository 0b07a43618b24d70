// Names of guest code: ELF symbol tables of both classes and orders, lists as System.map, and files that lie.

#include "boards/boot/symbols.hpp"

#include "files.hpp"

#include <doctest/doctest.h>

using namespace boards;
using core::u32, core::u64, core::u8;

namespace {
// An ELF file of nothing but a symbol table.
struct Elf {
  struct Symbol {
    const char* name;
    u64 at, size;
    u8 type;
  };
  bool wide, big;
  Bytes bytes;

  void put(u64 at, u64 v, unsigned size) { test::number(bytes, at, v, size, big); }
  Elf(bool wide, bool big, u32 machine, std::vector<Symbol> symbols) : wide(wide), big(big) {
    const unsigned word = wide ? 8 : 4, entry = wide ? 24 : 16, header = wide ? 64 : 40, count = unsigned(symbols.size());
    const u64 sections = 0x100, table = 0x400, names = table + entry * count;
    bytes = {0x7f, 'E', 'L', 'F', u8(wide ? 2 : 1), u8(big ? 2 : 1)};
    put(18, machine, 2);
    put(wide ? 40 : 32, sections, word);
    put(wide ? 58 : 46, header, 2);
    put(wide ? 60 : 48, 3, 2);
    const auto section = [&](u64 n, u64 type, u64 at, u64 size, u64 link) {
      const u64 s = sections + n * header;
      put(s + 4, type, 4);
      put(s + (wide ? 24 : 16), at, word);
      put(s + (wide ? 32 : 20), size, word);
      put(s + (wide ? 40 : 24), link, 4);
    };
    u64 name = 1;
    for (unsigned n = 0; n < count; ++n) {
      const Symbol& s = symbols[n];
      const u64 at = table + n * entry;
      put(at, name, 4);
      put(at + (wide ? 8 : 4), s.at, word);
      put(at + (wide ? 16 : 8), s.size, word);
      put(at + (wide ? 4 : 12), s.type, 1);
      put(at + (wide ? 6 : 14), 1, 2);
      for (const char* c = s.name; *c; ++c) put(names + name++, u8(*c), 1);
      put(names + name++, 0, 1);
    }
    section(0, 0, 0, 0, 0);
    section(1, 2, table, entry * count, 2);
    section(2, 3, names, name, 0);
    put(names + name, 0, 1);  // so long, without a symbol too
  }
};
std::span<const u8> text(std::string_view s) { return {reinterpret_cast<const u8*>(s.data()), s.size()}; }
}  // namespace

TEST_CASE("symbols: ELF of both classes and byte orders") {
  for (const bool wide : {false, true})
    for (const bool big : {false, true}) {
      CAPTURE(wide);
      CAPTURE(big);
      const Elf elf(wide, big, 20, {{"start", 0x1000, 0x20, 2}, {"$d", 0x1010, 0, 0}, {"data", 0x1014, 4, 1}, {"after", 0x1040, 0, 0}});
      Symbols s;
      REQUIRE(s.add_elf(elf.bytes));
      CHECK(s.name(0x1000) == "start");
      CHECK(s.name(0x1014) == "start+0x14");
      CHECK(s.name(0x1020) == "");
      CHECK(s.name(0x1044) == "after+0x4");
      CHECK(s.name(0xfff) == "");
      CHECK(s.name(0x1040 + core::MiB) == "");
    }
}

TEST_CASE("symbols: the mode bit of Arm's and MIPS's functions is no address") {
  for (const u32 machine : {40u, 8u}) {
    Symbols s;
    REQUIRE(s.add_elf(Elf(false, false, machine, {{"thumb", 0x2001, 8, 2}}).bytes));
    CHECK(s.name(0x2000) == "thumb");
  }
}

TEST_CASE("symbols: of names for one place, that with a size") {
  Symbols s;
  REQUIRE(s.add_elf(Elf(false, false, 20, {{"label", 0x1000, 0, 0}, {"function", 0x1000, 16, 2}, {"alias", 0x1000, 0, 0}}).bytes));
  CHECK(s.name(0x1004) == "function+0x4");
}

TEST_CASE("symbols: lines of nm, System.map and /proc/kallsyms") {
  Symbols s;
  REQUIRE(s.add_text(text("80100000 T _text\n80100400 t run_init_process\t[init]\n80200000 D jiffies\nffffffff80300000 W weak\n")));
  CHECK(s.size() == 3);
  CHECK(s.name(0x80100004) == "_text+0x4");
  CHECK(s.name(0x80100400) == "run_init_process");
  CHECK(s.name(0xffffffff80300000) == "weak");
}

TEST_CASE("symbols: files that name nothing are told") {
  const test::Folder folder;
  Symbols s;
  CHECK(s.add_file(folder.path + "/absent").error().text.find("symbols: ") == 0);
  CHECK(s.add_file(folder.put("x", "hello\n")).error().text.find("line 1 is not `address type name`") != std::string::npos);
  CHECK(s.add_file(folder.put("d", "80100000 D data\n")).error().text.find("names no code") != std::string::npos);
  CHECK(s.add_file(folder.put("e", Elf(false, false, 8, {}).bytes)).error().text.find("names no code") != std::string::npos);
}

TEST_CASE("symbols: a file cut anywhere, or with any byte wrong, is read within its bounds") {
  const Elf elf(false, true, 8, {{"start", 0x1000, 0x20, 2}, {"other", 0x1040, 0, 0}});
  for (std::size_t n = 0; n < elf.bytes.size(); ++n) {
    Symbols cut, wrong;
    (void)cut.add_elf(std::span(elf.bytes).first(n));
    Bytes bytes = elf.bytes;
    bytes[n] ^= 0xff;
    (void)wrong.add_elf(bytes);
    (void)wrong.name(0x1000);
  }
}
