// Register declarations: decode, access rules, widths, reset, and what is derived from them as data.

#include "core/reg.hpp"

#include "../bench.hpp"
#include "log_file.hpp"

#include <cstring>

namespace core {
namespace {
using test::Bench;

struct Regs {
  Reg<struct PLAIN, 0x00, R | W, 0x1234'5678> plain;
  Reg<struct FIELDS, 0x04, R | W, 0xff00'0000, Bits<struct EN, 0>, Bits<struct MODE, 4, 3>> fields;
  Reg8<struct BYTE, 0x08, R | W, 0xa5> byte;
  Reg16<struct HALF, 0x0a, R | W, 0xbeef> half;
  Reg64<struct WIDE, 0x10, R | W, 0x0123'4567'89ab'cdef> wide;
  Reg<struct READONLY, 0x18, R, 7> read_only;
  Reg<struct WRITEONLY, 0x1c, W, 9> write_only;
  Reg<struct CLEAR, 0x20, R | W1C, 0xff, Bits<struct ALL, 0, 8>> clear;
  Reg<struct SET, 0x24, R | W1S, 0, Bits<struct SOME, 0, 8>> set;
  Reg<struct ONCE, 0x28, RC, 0x55> once;
  Reg<struct HANDLED, 0x2c, Rfn | Wfn> handled;
  RegArray<struct TABLE, 0x40, 4, 8, R | W, 0x11, Bits<struct LOW, 0, 16>> table;
  RegArray<struct CALLED, 0x80, 2, 0x10, Rfn | Wfn> called;
  Reg8<struct ODD, 0xa1, R | W> odd;
  RegRom<struct SIGNATURE, 0xb0, 4, 0xdead, 0xbeef> signature;
  PrimecellId<0x0034'1011> id;
};

template <class Wires>
struct Device {
  static constexpr std::string_view kind = "device";
  static constexpr Ports ports{.timers = 1, .widths = 1 | 2 | 4 | 8};
  Wires wires;
  Regs r;
  struct Hidden {
    u32 level = 3, count = 0;
  } x;
  u32 last_index = 99, reads = 0, resets = 0, count_at_reset = 99;

  u32 on_read(At<HANDLED>) { return ++reads; }
  void on_write(At<HANDLED>, u32 v) { r.plain.v = v; }
  u32 on_read(At<CALLED>, u32 i) { return 0x100 + i; }
  void on_write(At<CALLED>, u32 i, u32 v) { last_index = i, r.called[i] = v; }
  void expire(Timer<0>) {}
  void on_reset() { ++resets, count_at_reset = x.count; }
};

// Byte lanes, and only some widths.
template <class Wires>
struct Lanes {
  static constexpr std::string_view kind = "lanes";
  static constexpr Ports ports{.widths = 1 | 2 | 4, .narrow = Narrow::lanes};
  struct Map {
    Reg<struct WORD, 0x00, R | W, 0x4433'2211> word;
    Reg<struct NEXT, 0x04, R | W> next;
  };
  Wires wires;
  Map r;
};

// Registers of several widths side by side, as on a PC's I/O ports.
template <class Wires>
struct Mixed {
  static constexpr std::string_view kind = "mixed";
  static constexpr Ports ports{.widths = 1 | 2 | 4 | 8, .narrow = Narrow::lanes};
  struct Map {
    Reg16<struct STS, 0x00, R | W1C, 0x8421> sts;
    Reg16<struct EN, 0x02, R | W> en;
    Reg8<struct INDEX, 0x04, R | Wfn> index;
    Reg8Array<struct CELLS, 0x05, 2, 1, Rfn | Wfn> cells;
    Reg<struct TMR, 0x08, R, 0x0012'3456> tmr;
  };
  Wires wires;
  Map r;
  std::string order;

  void on_write(At<INDEX>, u8 v) { order += 'i', r.index.v = v; }
  u8 on_read(At<CELLS>, u32 i) { return u8(r.cells[i] + 1); }
  void on_write(At<CELLS>, u32 i, u8 v) { order += char('0' + i), r.cells[i] = v; }
};

template <class Wires>
struct WordsOnly {
  static constexpr std::string_view kind = "words_only";
  static constexpr Ports ports{.widths = 4};
  struct Map {
    Reg<struct ONLY, 0x00, R | W, 0x4433'2211> only;
  };
  Wires wires;
  Map r;
};

// A window of memory, two banks of registers, and hidden state that outlives a reset.
template <class Wires>
struct Banked {
  static constexpr std::string_view kind = "banked";
  static constexpr Ports ports{.widths = 2};
  struct Map {
    Reg16<struct BANK, 0x00, R | W> bank;
    Reg16<struct FIRST, 0x10, R | W, 0x1111> first;
    Reg16<struct SECOND, 0x20, R | W, 0x2222> second;
  };
  Wires wires;
  Map r;
  struct Hidden {
    u32 kept = 0, lost = 0;
    void reset() { lost = 0; }
  } x;
  u64 window = 0x8877'6655'4433'2211;

  static constexpr bool claims(u32 off) { return off >= 0x100 && off < 0x108; }
  u64 read_window(u32 off, unsigned) { return window >> (off - 0x100) * 8; }
  void write_window(u32, unsigned size, u64 v) { window = v + (u64(size) << 60); }
  u32 map_offset(u32 off) const { return off == 2 ? (r.bank.v ? 0x20 : 0x10) : off; }
};
}  // namespace

TEST_CASE("registers: values after reset, of every width") {
  Bench<Device> b;
  CHECK(b.read<PLAIN>() == 0x1234'5678);
  CHECK(b.read<BYTE>() == 0xa5);
  CHECK(b.read<HALF>() == 0xbeef);
  CHECK(b.read_at(0x10, 8) == 0x0123'4567'89ab'cdef);
  CHECK(b.read<TABLE>(3) == 0x11);
  CHECK(b.strays == 0);
}

TEST_CASE("registers: written values come back at the register's width") {
  Bench<Device> b;
  b.write<PLAIN>(0xffff'ffff);
  b.write_at(0x08, 4, 0x123);
  b.write_at(0x0a, 4, 0x1'2345);
  b.write_at(0x10, 8, 0xffee'ddcc'bbaa'9988);
  CHECK(b.read<PLAIN>() == 0xffff'ffff);
  CHECK(b.read_at(0x08, 4) == 0x23);
  CHECK(b.read_at(0x0a, 4) == 0x2345);
  CHECK(b.read_at(0x10, 8) == 0xffee'ddcc'bbaa'9988);
  CHECK(b.read_at(0x10, 4) == 0xbbaa'9988);
  CHECK(b.dev.r.half.v == 0x2345);
}

TEST_CASE("registers: where fields are declared, only they take writes") {
  Bench<Device> b;
  b.write<FIELDS>(0x00ff'ffff);
  CHECK(b.read<FIELDS>() == 0xff00'0071);
  CHECK(b.dev.r.fields.is<EN>());
  CHECK(b.dev.r.fields.get<MODE>() == 7);
  b.dev.r.fields.put<MODE>(0xfa);
  b.dev.r.fields.set<EN>(false);
  CHECK(b.read<FIELDS>() == 0xff00'0020);
  CHECK(Regs{}.fields.mask<MODE>() == 0x70);
  CHECK(Bits<struct WHOLE, 0, 64>::mask == ~u64(0));
}

TEST_CASE("registers: read-only, write-only, write one to clear or set, clear on read") {
  Bench<Device> b;
  b.write<READONLY>(1);
  CHECK(b.read<READONLY>() == 7);
  b.write<WRITEONLY>(1);
  CHECK(b.read<WRITEONLY>() == 0);
  CHECK(b.dev.r.write_only.v == 1);
  b.write<CLEAR>(0xf0f);
  CHECK(b.read<CLEAR>() == 0xf0);
  b.write<SET>(0x101);
  b.write<SET>(0x080);
  CHECK(b.read<SET>() == 0x81);
  CHECK(b.read<ONCE>() == 0x55);
  CHECK(b.read<ONCE>() == 0);
  b.write<ONCE>(1);
  CHECK(b.read<ONCE>() == 0);
  CHECK(b.strays == 0);
}

TEST_CASE("registers: handlers answer for their register, of arrays with the index") {
  Bench<Device> b;
  CHECK(b.read<HANDLED>() == 1);
  CHECK(b.read<HANDLED>() == 2);
  b.write<HANDLED>(77);
  CHECK(b.read<PLAIN>() == 77);
  CHECK(b.read<CALLED>(1) == 0x101);
  b.write<CALLED>(1, 5);
  CHECK(b.dev.last_index == 1);
  CHECK(b.dev.r.called[1] == 5);
  CHECK(b.dev.r.called[0] == 0);
}

TEST_CASE("registers: an array answers at its strides, with its fields, and between them nobody does") {
  Bench<Device> b;
  for (u32 i = 0; i < 4; ++i) b.write<TABLE>(i, 0x9'0000 + i);
  for (u32 i = 0; i < 4; ++i) CHECK(b.read_at(0x40 + 8 * i, 4) == i);
  CHECK(b.dev.r.table.get<LOW>(2) == 2);
  CHECK(b.dev.r.table.is<LOW>(3));
  CHECK_FALSE(b.dev.r.table.is<LOW>(0));
  CHECK(b.strays == 0);
  for (const u32 off : {0x44u, 0x5cu, 0x60u, 0x88u, 0xa0u}) {
    CHECK(b.read_at(off, 4) == 0);
    CHECK(b.last_stray == off);
  }
  CHECK(b.strays == 5);
}

TEST_CASE("registers: an offset without a register reads zero, ignores writes, and is reported") {
  Bench<Device> b;
  CHECK(b.read_at(0x30, 4) == 0);
  b.write_at(0xffc'0000, 4, 1);
  CHECK(b.last_stray == 0xffc'0000);
  CHECK(b.read_at(0xffff'fffc, 4) == 0);
  CHECK(b.strays == 3);
}

TEST_CASE("narrow access, low: at the register's own address with its low part, elsewhere nobody") {
  Bench<Device> b;
  CHECK(b.read_at(0x00, 1) == 0x78);
  CHECK(b.read_at(0x00, 2) == 0x5678);
  CHECK(b.read_at(0x01, 1) == 0);
  CHECK(b.strays == 1);
  b.write_at(0x00, 1, 0xfff);
  CHECK(b.read<PLAIN>() == 0xff);
  b.write_at(0x02, 2, 1);
  CHECK(b.strays == 2);
  b.write_at(0xa1, 1, 0x42);  // a byte register at an odd address
  CHECK(b.read_at(0xa1, 1) == 0x42);
  CHECK(b.strays == 2);
}

TEST_CASE("narrow access, lanes: reads take the bytes, writes replace only them") {
  Bench<Lanes> b;
  for (u32 i = 0; i < 4; ++i) CHECK(b.read_at(i, 1) == 0x11 * (i + 1));
  CHECK(b.read_at(2, 2) == 0x4433);
  b.write_at(1, 1, 0xaa);
  CHECK(b.read_at(0, 4) == 0x4433'aa11);
  b.write_at(2, 2, 0x1'beef);
  CHECK(b.read_at(0, 4) == 0xbeef'aa11);
  b.write_at(4, 4, 0x8765'4321);
  CHECK(b.read_at(7, 1) == 0x87);
  CHECK(b.read_at(0, 4) == 0xbeef'aa11);
  CHECK(b.strays == 0);
}
TEST_CASE("wide access, lanes: each register takes its bytes, lowest address first") {
  Bench<Mixed> b;
  b.write_at(4, 2, 0x2211);
  CHECK(b.dev.order == "i0");
  CHECK(b.dev.r.index.v == 0x11);
  CHECK(b.read_at(4, 2) == 0x2311);
  b.write_at(4, 4, 0x99'665544);  // a hole behind the second cell
  CHECK(b.dev.order == "i0i01");
  CHECK(b.read_at(5, 2) == 0x6756);
  CHECK(b.strays == 1);
  CHECK(b.last_stray == 7);
}
TEST_CASE("narrow access, lanes: bytes not addressed do not clear in registers where ones clear") {
  Bench<Mixed> b;
  b.write_at(0, 1, 0x01);
  CHECK(b.read_at(0, 2) == 0x8420);
  b.write_at(0, 4, 0x1234'8000);
  CHECK(b.read_at(0, 4) == 0x1234'0420);
  b.write_at(3, 1, 0xab);
  CHECK(b.read_at(2, 2) == 0xab34);
}
TEST_CASE("lanes: an access across registers and holes stays in the map") {
  Bench<Mixed> b;
  CHECK(b.read_at(6, 8) == 0x1234'5600'01);
  CHECK(b.strays == 2);  // the byte at 7, the two behind TMR
  CHECK(b.read_at(9, 1) == 0x34);
  CHECK(b.read_at(0xffff'ffff, 8) == 0x0101'0000'0084'2100);
  b.write_at(0xffff'fffe, 8, ~u64(0));
  CHECK(b.read_at(0, 4) == 0xffff'0000);
}

TEST_CASE("widths: a size the window does not answer is a stray access and does nothing") {
  Bench<WordsOnly> b;
  for (const unsigned size : {1u, 2u, 8u}) {
    CHECK(b.read_at(0, size) == 0);
    b.write_at(0, size, 0xff);
  }
  CHECK(b.strays == 6);
  CHECK(b.read_at(0, 4) == 0x4433'2211);
  CHECK(b.strays == 6);
}

TEST_CASE("windows: claimed offsets go to the device at any width, others through map_offset") {
  Bench<Banked> b;
  CHECK(b.read_at(0x101, 1) == 0x22);
  CHECK(b.read_at(0x100, 8) == 0x8877'6655'4433'2211);
  b.write_at(0x104, 4, 0xffff'ffff'0000'0001);
  CHECK(b.dev.window == 0x4000'0000'0000'0001);
  CHECK(b.strays == 0);
  CHECK(b.read_at(2, 2) == 0x1111);
  b.write<BANK>(1);
  CHECK(b.read_at(2, 2) == 0x2222);
  b.write_at(2, 2, 0x3333);
  CHECK(b.read<SECOND>() == 0x3333);
  CHECK(b.read<FIRST>() == 0x1111);
  CHECK(b.read_at(0x108, 2) == 0);
  CHECK(b.strays == 1);
}

TEST_CASE("constants: identification registers are read, not written") {
  Bench<Device> b;
  CHECK(b.read_at(0xb0, 4) == 0xdead);
  CHECK(b.read_at(0xb4, 4) == 0xbeef);
  static constexpr u32 want[] = {0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1};
  for (u32 i = 0; i < 8; ++i) {
    b.write_at(0xfe0 + 4 * i, 4, 0xff);
    CHECK(b.read_at(0xfe0 + 4 * i, 4) == want[i]);
  }
  CHECK(b.read_at(0xb8, 4) == 0);
  CHECK(b.strays == 1);
}

TEST_CASE("reset: registers and hidden state go back, then the device recomputes its outputs") {
  Bench<Device> b;
  b.write<PLAIN>(1), b.write<TABLE>(2, 5), b.write<CALLED>(1, 6), b.write_at(0x10, 8, 0), b.write_at(0x08, 1, 0);
  b.dev.x = {9, 9};
  b.reset();
  CHECK(b.read<PLAIN>() == 0x1234'5678);
  CHECK(b.read<TABLE>(2) == 0x11);
  CHECK(b.dev.r.called[1] == 0);
  CHECK(b.read_at(0x10, 8) == 0x0123'4567'89ab'cdef);
  CHECK(b.read<BYTE>() == 0xa5);
  CHECK(b.dev.x.level == 3);
  CHECK(b.dev.x.count == 0);
  CHECK(b.dev.count_at_reset == 0);
  CHECK(b.dev.resets == 2);  // with the one at power-on
}

TEST_CASE("reset: hidden state with a reset of its own keeps what that keeps") {
  Bench<Banked> b;
  b.dev.x.kept = b.dev.x.lost = 5;
  b.reset();
  CHECK(b.dev.x.kept == 5);
  CHECK(b.dev.x.lost == 0);
}

TEST_CASE("register info: names, places and positions agree with the aggregate") {
  constexpr auto& info = reg_info<Regs>;
  static_assert(info.size() == 16);
  Regs r;
  const auto position = [&](const void* member) { return u32(static_cast<const char*>(member) - reinterpret_cast<const char*>(&r)); };
  const auto named = [&](std::string_view name) -> const RegInfo& {
    for (const RegInfo& i : info)
      if (i.name == name) return i;
    FAIL("no register " << name);
    return info[0];
  };
  CHECK(named("PLAIN").pos == position(&r.plain));
  CHECK(named("BYTE").pos == position(&r.byte));
  CHECK(named("HALF").pos == position(&r.half));
  CHECK(named("WIDE").pos == position(&r.wide));
  CHECK(named("TABLE").pos == position(&r.table));
  CHECK(named("CALLED").pos == position(&r.called));
  CHECK(named("ODD").pos == position(&r.odd));
  CHECK(named("HALF").width == 2);
  CHECK(named("WIDE").reset == 0x0123'4567'89ab'cdef);
  CHECK(named("WIDE").writable == ~u64(0));
  CHECK(named("FIELDS").writable == 0x71);
  REQUIRE(named("FIELDS").fields.size() == 2);
  CHECK(named("FIELDS").fields[1].name == "MODE");
  CHECK(named("FIELDS").fields[1].lsb == 4);
  CHECK(named("FIELDS").fields[1].width == 3);
  CHECK(named("TABLE").count == 4);
  CHECK(named("TABLE").stride == 8);
  CHECK(named("SIGNATURE").rom[1] == 0xbeef);
  CHECK(named("PeriphID").at == 0xfe0);
  CHECK(named("TABLE").covers(0x59));
  CHECK_FALSE(named("TABLE").covers(0x5c));
  CHECK_FALSE(named("TABLE").covers(0x3f));
  CHECK(find_reg(info, 0x58) == &named("TABLE"));
  CHECK(find_reg(info, 0x59) == nullptr);
}

TEST_CASE("blocks: a device as data, with or without hidden state") {
  Bench<Device> b;
  const Block block = block_of("uart0", b.dev);
  CHECK(block.name == "uart0");
  CHECK(block.kind == "device");
  CHECK(block.regs == &b.dev.r);
  CHECK(block.hidden == &b.dev.x);
  CHECK(block.hidden_size == 8);
  CHECK(block.info.size() == 16);
  // Saved and loaded by that data alone.
  Regs saved = b.dev.r;
  b.write<PLAIN>(1);
  std::memcpy(block.regs, &saved, sizeof saved);
  CHECK(b.read<PLAIN>() == 0x1234'5678);
  Bench<Lanes> bare;
  CHECK(block_of("bare", bare.dev).hidden == nullptr);
  CHECK(block_of("bare", bare.dev).hidden_size == 0);
}

TEST_CASE("trace: each access by name, with its size and value") {
  test::LogFile f(0);
  trace_registers = true;
  Bench<Device> b;
  b.read<PLAIN>();
  b.write_at(0x48, 2, 0x1'2345);
  b.read_at(0x30, 1);
  trace_registers = false;
  b.read<PLAIN>();
  CHECK(f.text() == "device: R32 PLAIN+0x000 0x12345678\ndevice: W16 TABLE+0x048 0x2345\ndevice: R8 ?+0x030 0x0\n");
}

TEST_CASE("ports: pins a device drives, and whether all are wired") {
  constexpr Ports p{.outputs = {"irq", "dreq"}};
  static_assert(p.drives("irq") && !p.drives("fiq") && !p.drives(""));
  static_assert(p.all_wired("dreq", "irq") && !p.all_wired("irq") && Ports{}.all_wired());
  static_assert(type_name<PLAIN>() == "PLAIN");
}
}  // namespace core
