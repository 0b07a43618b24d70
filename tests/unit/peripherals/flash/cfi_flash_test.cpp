#include "peripherals/flash/cfi_flash.hpp"

#include "tests/unit/bench.hpp"

using namespace test;
using namespace peripherals::cfi_flash;

namespace {
template <u64 Width, u64 Size, u64 Sector>
struct Board : TestWires {
  static constexpr std::size_t backing_size = Size;
  static constexpr u64 width = Width, size = Size, sector = Sector, id = 0x8918;
};
// Two x16 parts of 512 KiB with 64 KiB blocks: 1 MiB, 128 KiB blocks.
struct FlashBench : Bench<CfiFlash, Board<4, MiB, 128 * KiB>> {
  FlashBench() { std::fill(backing.begin(), backing.end(), u8(0xff)); }
  void command(u32 c, u32 at = 0) { write_at(at, 4, c | c << 16); }
  u32 word(u32 at) { return u32(read_at(at)); }
  u32 status() {
    command(0x70);
    return word(0);
  }
};
}  // namespace

TEST_CASE("cfi flash: it powers up as plain memory") {
  FlashBench b;
  b.backing[0x1234] = 0x56;
  CHECK(b.mapped_direct);
  CHECK(b.read_at(0x1234, 1) == 0x56);
  CHECK(b.word(0x1234) == 0xffff'ff56);
}
TEST_CASE("cfi flash: any command ends direct mapping, read array brings it back (FF)") {
  FlashBench b;
  for (u32 c : {0x70, 0x90, 0x98, 0x40, 0x20, 0xe8}) {
    b.command(c);
    CHECK_FALSE(b.mapped_direct);
    b.reset();
    CHECK(b.mapped_direct);
  }
  b.command(0x70);
  b.command(0xff);
  CHECK(b.mapped_direct);
}
TEST_CASE("cfi flash: the query answers in both halves, indexed by bus words (JESD68.01)") {
  FlashBench b;
  b.command(0x98, 0x55 * 4);
  CHECK(b.word(0x10 * 4) == 0x0051'0051);
  CHECK(b.word(0x11 * 4) == 0x0052'0052);
  CHECK(b.word(0x12 * 4) == 0x0059'0059);
  CHECK(b.word(0x13 * 4) == 0x0001'0001);
  CHECK(b.word(0x15 * 4) == 0x0031'0031);
  CHECK(b.word(0x27 * 4) == 0x0013'0013);  // each part 2^19 bytes
  CHECK(b.word(0x2a * 4) == 0x000b'000b);
  CHECK(b.word(0x2d * 4) == 0x0007'0007);  // eight blocks
  CHECK(b.word(0x30 * 4) == 0x0001'0001);  // of 256 * 256 bytes
  CHECK(b.word(0x31 * 4) == 0x0050'0050);
  CHECK(b.read_at(0x10 * 4 + 2, 2) == 0x51);
}
TEST_CASE("cfi flash: read identifier gives maker, device and unlocked blocks (90)") {
  FlashBench b;
  b.command(0x90);
  CHECK(b.word(0) == 0x0089'0089);
  CHECK(b.word(4) == 0x0018'0018);
  CHECK(b.word(8) == 0);
  CHECK(b.word(0x20000 + 8) == 0);
}
TEST_CASE("cfi flash: status is ready in both halves (70)") {
  FlashBench b;
  CHECK(b.status() == 0x0080'0080);
}
TEST_CASE("cfi flash: programming only clears bits (40)") {
  FlashBench b;
  b.command(0x40);
  b.write_at(0x100, 4, 0x1234'00ff);
  CHECK(b.word(0x100) == 0x0080'0080);
  b.command(0x10);
  b.write_at(0x100, 4, 0xffff'0f0f);
  b.command(0xff);
  CHECK(b.word(0x100) == 0x1234'000f);
}
TEST_CASE("cfi flash: erase sets one block to FF and no other byte (20, D0)") {
  FlashBench b;
  std::fill(b.backing.begin(), b.backing.end(), u8(0));
  b.command(0x20, 0x25678 & ~3u);
  b.command(0xd0, 0x25678 & ~3u);
  CHECK(b.word(0) == 0x0080'0080);
  CHECK(std::count(b.backing.begin(), b.backing.end(), 0xff) == 0x20000);
  CHECK(b.backing[0x1ffff] == 0);
  CHECK(b.backing[0x20000] == 0xff);
  CHECK(b.backing[0x3ffff] == 0xff);
  CHECK(b.backing[0x40000] == 0);
}
TEST_CASE("cfi flash: an erase without confirmation is a sequence error, cleared by 50") {
  FlashBench b;
  b.backing[0] = 0;
  b.command(0x20);
  b.command(0xff);
  CHECK(b.word(0) == 0x00b0'00b0);
  CHECK(b.backing[0] == 0);
  b.command(0x50);
  CHECK(b.status() == 0x0080'0080);
}
TEST_CASE("cfi flash: a buffered write programs all its words at the confirmation (E8)") {
  FlashBench b;
  b.command(0xe8, 0x200);
  CHECK(b.word(0x200) == 0x0080'0080);
  b.command(3, 0x200);
  for (u32 i = 0; i < 4; ++i) b.write_at(0x200 + 4 * i, 4, 0x1111'0000 * (i + 1) | i);
  CHECK(b.backing[0x204] == 0xff);
  b.command(0xd0, 0x200);
  CHECK(b.word(0) == 0x0080'0080);
  b.command(0xff);
  for (u32 i = 0; i < 4; ++i) CHECK(b.word(0x200 + 4 * i) == (0x1111'0000 * (i + 1) | i));
}
TEST_CASE("cfi flash: a buffer count past 1024 words or an address outside is refused (E8)") {
  FlashBench b;
  b.command(0xe8);
  b.command(0x400);
  CHECK(b.word(0) == 0x00b0'00b0);
  b.command(0x50);
  b.command(0xe8);
  b.command(1);
  b.write_at(0x8000, 4, 0);
  b.write_at(0x4, 4, 0);
  b.command(0xd0);
  CHECK(b.word(0) == 0x00b0'00b0);
  CHECK(b.backing[0x8000] == 0xff);
}
TEST_CASE("cfi flash: locks are accepted (60)") {
  FlashBench b;
  for (u32 c : {0xd0, 0x01, 0x2f}) {
    b.command(0x60);
    b.command(c);
    CHECK(b.word(0) == 0x0080'0080);
  }
}
TEST_CASE("cfi flash: a read-only image keeps its content and reports the error") {
  FlashBench b;
  b.dev.read_only = true;
  b.command(0x40);
  b.write_at(0x100, 4, 0);
  CHECK(b.word(0) == 0x0090'0090);
  b.command(0x50);
  b.command(0x20);
  b.command(0xd0);
  CHECK(b.word(0) == 0x00a0'00a0);
  CHECK(b.backing[0x100] == 0xff);
}
TEST_CASE("cfi flash: halfword accesses command one part alone") {
  FlashBench b;
  b.write_at(2, 2, 0x70);
  CHECK(b.word(0) == 0x0080'ffff);
  CHECK_FALSE(b.mapped_direct);
}
TEST_CASE("cfi flash: an 8-bit bank is one part") {
  Bench<CfiFlash, Board<1, 64 * KiB, 4 * KiB>> b;
  b.write_at(0x55, 1, 0x98);
  CHECK(b.read_at(0x10, 1) == 'Q');
  CHECK(b.read_at(0x27, 1) == 16);
  b.write_at(0, 1, 0xff);
  b.backing[7] = 0xff;
  b.write_at(7, 1, 0x40);
  b.write_at(7, 1, 0x5a);
  CHECK(b.backing[7] == 0x5a);
}
TEST_CASE("cfi flash: offsets past the memory are strays") {
  FlashBench b;
  CHECK(b.read_at(MiB) == 0);
  b.write_at(MiB - 2, 4, 0);
  b.write_at(0xffff'ffff, 8, 0);
  CHECK(b.strays == 3);
}
TEST_CASE("cfi flash: any writes leave it defined") {
  FlashBench b;
  u32 seed = 11;
  const auto next = [&] { return seed = seed * 1664525 + 1013904223; };
  constexpr u32 commands[] = {0x20, 0x40, 0xe8, 0xd0, 0x60, 0x90, 0x98, 0xff, 0x50, 0x03};
  for (int i = 0; i < 20000; ++i) {
    const u32 off = next() >> 11;
    const unsigned size = 1u << (next() >> 30);
    const u32 c = commands[(next() >> 16) % 10];
    b.write_at(off, size, (next() >> 31) ? (c | c << 16) : next());
    b.read_at(next() >> 11, size);
  }
  b.reset();
  CHECK(b.mapped_direct);
}
