#include "ide_bench.hpp"

#include "peripherals/pci/device.hpp"

using namespace test;

namespace {
std::string text(const std::vector<u8>& identify, u32 word, u32 words) {
  std::string out;
  for (u32 i = 0; i < words * 2; ++i) out += char(identify[word * 2 + (i ^ 1)]);
  return out;
}
u16 word(const std::vector<u8>& v, u32 n) { return load_le<u16>(&v[n * 2]); }
}  // namespace

TEST_CASE("ide: after a reset drives show their signatures, and an empty place a status of 0 (§9.12)") {
  Ide b;
  CHECK(b.status() == 0x50);
  CHECK(b.error() == 1);
  CHECK((b.read<COUNT>(0) == 1 && b.read<LBA_LOW>(0) == 1 && b.read<LBA_MID>(0) == 0 && b.read<LBA_HIGH>(0) == 0));
  CHECK(b.read<DEVICE>(0) == 0xa0);
  b.channel = 1;
  CHECK(b.status() == 0);
  CHECK((b.read<LBA_MID>(1) == 0x14 && b.read<LBA_HIGH>(1) == 0xeb));
  // Device 1 is not there: device 0 answers for it, with the registers as they were written.
  b.channel = 0;
  b.write<DEVICE>(0, 0xb0);
  b.write<COUNT>(0, 0x55);
  b.write<LBA_LOW>(0, 0xaa);
  CHECK((b.read<COUNT>(0) == 0x55 && b.read<LBA_LOW>(0) == 0xaa && b.read<DEVICE>(0) == 0xb0));
  CHECK((b.status() == 0 && b.alternate() == 0 && b.error() == 0));
  b.command(0xec);
  CHECK((b.status() == 0 && !b.irq()));
  CHECK(b.strays == 0);
}

TEST_CASE("ide: a channel without drives reads as 0") {
  Ide b;
  IdeBoard::places[2] = nullptr;
  b.reset();
  b.write<COUNT>(1, 0x55), b.write<DEVICE>(1, 0xb0), b.write<STATUS>(1, 0xec);
  CHECK((b.read<COUNT>(1) == 0 && b.read<DEVICE>(1) == 0 && b.read<STATUS>(1) == 0 && b.read_at(0x200, 2) == 0));
}

TEST_CASE("ide: IDENTIFY DEVICE (§8.15)") {
  Ide b;
  b.hd.serial = "abc";
  b.command(0xec);
  CHECK(b.irq());
  CHECK(b.alternate() == 0x58);
  CHECK(b.irq());
  CHECK(b.status() == 0x58);
  CHECK_FALSE(b.irq());
  const auto id = b.take(512);
  CHECK(b.status() == 0x50);
  CHECK_FALSE(b.irq());
  CHECK(text(id, 27, 20) == "PINSTRAP HARDDISK                       ");
  CHECK(text(id, 10, 10) == "abc                 ");
  CHECK((word(id, 1) == 69 && word(id, 3) == 16 && word(id, 6) == 63));
  CHECK((word(id, 60) == (disk_sectors & 0xffff) && word(id, 61) == disk_sectors >> 16));
  CHECK((word(id, 100) == (disk_sectors & 0xffff) && word(id, 101) == disk_sectors >> 16 && word(id, 103) == 0));
  CHECK((word(id, 85) & 0x20) != 0);
  b.hd.serial = "";
  b.command(0xec);
  CHECK(text(b.take(512), 10, 10) == "PS00001             ");
}

TEST_CASE("ide: READ SECTORS interrupts for each sector, not after the last (§9.5)") {
  Ide b;
  b.disk.delayed = true;
  b.address28(5, 3);
  b.command(0x20);
  CHECK(b.alternate() == 0xd0);
  CHECK_FALSE(b.irq());
  b.disk.answer();
  for (u32 sector : {5u, 6u, 7u}) {
    CHECK(b.irq());
    CHECK(b.status() == 0x58);
    CHECK(b.take(512) == b.of(b.disk, sector * 512, 512));
  }
  CHECK((b.status() == 0x50 && !b.irq() && b.rises("irq14") == 3));
  CHECK(b.disk.log == std::vector<std::string>{"read 5+3"});
  CHECK(b.hd.in_flight() == 0);
}

TEST_CASE("ide: data is read and written 16 or 32 bits at a time") {
  Ide b;
  b.address28(9, 1);
  b.command(0x20);
  CHECK(b.read_at(0, 4) == load_le<u32>(&b.disk.bytes[9 * 512]));
  CHECK(b.read_at(0, 2) == load_le<u16>(&b.disk.bytes[9 * 512 + 4]));
  b.take(506);
  CHECK(b.status() == 0x50);
  b.address28(9, 1);
  b.command(0x30);
  for (u32 i = 0; i < 128; ++i) b.write_at(0, 4, 0x01020304 + i);
  CHECK(load_le<u32>(&b.disk.bytes[9 * 512 + 508]) == 0x01020304 + 127);
  b.read_at(0, 1);
  CHECK(b.strays == 1);
}

TEST_CASE("ide: WRITE SECTORS asks for the first sector without an interrupt, then one for each (§9.6)") {
  Ide b;
  b.disk.delayed = true;
  b.address28(20, 2);
  b.command(0x30);
  CHECK((b.alternate() == 0x58 && !b.irq()));
  b.give(std::vector<u8>(512, 0x11));
  CHECK((b.alternate() == 0xd0 && !b.irq()));
  b.disk.answer();
  CHECK((b.irq() && b.status() == 0x58 && !b.irq()));
  b.give(std::vector<u8>(512, 0x22));
  b.disk.answer();
  CHECK((b.irq() && b.status() == 0x50));
  CHECK((b.disk.bytes[20 * 512] == 0x11 && b.disk.bytes[21 * 512 + 511] == 0x22));
  CHECK(b.disk.log == std::vector<std::string>{"write 20+1", "write 21+1"});
}

TEST_CASE("ide: READ and WRITE MULTIPLE move blocks as SET MULTIPLE MODE says (§8.27, §8.54)") {
  Ide b;
  b.write<COUNT>(0, 4);
  b.command(0xc6);
  CHECK(b.status() == 0x50);
  b.address28(0, 10);
  b.command(0xc4);
  std::vector<u8> all;
  for (u32 n : {2048u, 2048u, 1024u}) {
    CHECK(b.irq());
    CHECK(b.status() == 0x58);
    const auto part = b.take(n);
    all.insert(all.end(), part.begin(), part.end());
  }
  CHECK(b.status() == 0x50);
  CHECK(all == b.of(b.disk, 0, 5120));
  b.address48(30, 5);
  b.command(0x39);
  b.give(std::vector<u8>(2048, 1));
  CHECK(b.irq());
  CHECK(b.status() == 0x58);
  b.give(std::vector<u8>(512, 2));
  CHECK((b.irq() && b.status() == 0x50));
  CHECK(b.disk.bytes[34 * 512] == 2);
  // 3 is no power of two; 0 turns the commands off.
  b.write<COUNT>(0, 3), b.command(0xc6);
  CHECK((b.status() == 0x51 && b.error() == 0x04));
  b.write<COUNT>(0, 0), b.command(0xc6);
  CHECK(b.status() == 0x50);
  b.address28(0, 1), b.command(0xc4);
  CHECK((b.status() == 0x51 && b.error() == 0x04));
}

TEST_CASE("ide: a count of 0 is 256 sectors, or 65536 in a command of 48 bits") {
  Ide b;
  b.address28(0, 0);
  b.command(0x20);
  CHECK(b.take(256 * 512) == b.of(b.disk, 0, 256 * 512));
  CHECK(b.status() == 0x50);
  CHECK(b.disk.log == std::vector<std::string>{"read 0+128", "read 128+128"});
  b.address48(4'000, 0);
  b.command(0x42);
  CHECK(b.status() == 0x50);
  b.address48(5'000, 0);
  b.command(0x42);
  CHECK((b.status() == 0x51 && b.error() == 0x10));
}

TEST_CASE("ide: the previous contents of registers are read with HOB (§7.1)") {
  Ide b;
  b.address48(0x0000'1234'5678, 0x0102);
  CHECK((b.read<COUNT>(0) == 0x02 && b.read<LBA_LOW>(0) == 0x78 && b.read<LBA_MID>(0) == 0x56 &&
         b.read<LBA_HIGH>(0) == 0x34));
  b.write<CONTROL>(0, 0x80);
  CHECK(
      (b.read<COUNT>(0) == 0x01 && b.read<LBA_LOW>(0) == 0x12 && b.read<LBA_MID>(0) == 0 && b.read<LBA_HIGH>(0) == 0));
  b.write<ERROR>(0, 0);  // any write of the command block ends it
  CHECK(b.read<COUNT>(0) == 0x02);
}

TEST_CASE("ide: cylinders, heads and sectors, with the translation the guest sets (§8.16 of ATA-5, 0x91)") {
  Ide b;
  const auto chs = [&](u32 c, u32 h, u32 s) {
    b.write<DEVICE>(0, 0xa0 | h), b.write<COUNT>(0, 1);
    b.write<LBA_LOW>(0, s), b.write<LBA_MID>(0, c & 0xff), b.write<LBA_HIGH>(0, c >> 8);
    b.command(0x20);
    return b.status();
  };
  CHECK(chs(2, 3, 4) == 0x58);
  CHECK(b.take(512) == b.of(b.disk, ((2 * 16 + 3) * 63 + 3) * 512, 512));
  CHECK((b.read<LBA_LOW>(0) == 4 && b.read<LBA_MID>(0) == 2 && (b.read<DEVICE>(0) & 0xf) == 3));
  CHECK(chs(0, 0, 0) == 0x51);
  CHECK(b.error() == 0x10);
  CHECK(chs(0, 0, 64) == 0x51);
  CHECK(chs(70, 0, 1) == 0x51);
  b.write<DEVICE>(0, 0xa3), b.write<COUNT>(0, 17), b.command(0x91);
  CHECK(b.status() == 0x50);
  CHECK(chs(2, 3, 4) == 0x58);
  CHECK(b.take(512) == b.of(b.disk, ((2 * 4 + 3) * 17 + 3) * 512, 512));
  CHECK(chs(0, 4, 1) == 0x51);
  b.write<COUNT>(0, 0), b.command(0x91);
  CHECK(b.status() == 0x51);
}

TEST_CASE("ide: errors of the host's disk reach the error register") {
  Ide b;
  b.disk.fail = BlockError::io;
  b.address28(77, 1), b.command(0x20);
  CHECK((b.irq() && b.status() == 0x51 && b.error() == 0x40 && b.read<LBA_LOW>(0) == 77));
  b.address28(78, 1), b.command(0x30), b.give(std::vector<u8>(512));
  CHECK((b.irq() && b.status() == 0x51 && b.error() == 0x04 && b.read<LBA_LOW>(0) == 78));
  b.command(0xe7);
  CHECK((b.status() == 0x51 && b.error() == 0x04));
  b.disk.fail = BlockError::none;
  b.address28(disk_sectors, 1), b.command(0x20);
  CHECK((b.irq() && b.status() == 0x51 && b.error() == 0x10));
  b.address28(disk_sectors - 1, 2), b.command(0x30);
  CHECK((b.status() == 0x51 && b.error() == 0x10));
  b.address48(0xffff'ffff'ffff, 1), b.command(0x24);
  CHECK((b.status() == 0x51 && b.error() == 0x10));
  b.address28(disk_sectors - 1, 1), b.command(0x20);
  CHECK(b.status() == 0x58);
}

TEST_CASE("ide: flushes, and write-through while the write cache is off (§8.12, §8.37)") {
  Ide b;
  b.disk.delayed = true;
  b.command(0xea);
  CHECK((b.alternate() == 0xd0 && !b.irq()));
  b.disk.answer();
  CHECK((b.irq() && b.status() == 0x50));
  b.write<ERROR>(0, 0x82), b.command(0xef);
  CHECK(b.alternate() == 0xd0);
  b.disk.answer();
  CHECK(b.status() == 0x50);
  b.disk.delayed = false;
  b.address28(1, 1), b.command(0x30), b.give(std::vector<u8>(512));
  b.write<ERROR>(0, 0x02), b.command(0xef);
  b.address28(1, 1), b.command(0x30), b.give(std::vector<u8>(512));
  b.address48(1, 1), b.command(0xce), b.give(std::vector<u8>(512));
  CHECK(b.disk.log == std::vector<std::string>{"flush", "flush", "fua 1+1", "write 1+1", "fua 1+1"});
}

TEST_CASE("ide: SRST ends a command, and what the host's disk answers later is dropped (§9.2)") {
  Ide b;
  b.disk.delayed = true;
  b.address28(3, 1), b.command(0x20);
  b.write<CONTROL>(0, 0x04);
  CHECK(b.alternate() == 0x80);
  b.write<CONTROL>(0, 0x00);
  CHECK((b.status() == 0x50 && b.error() == 1 && b.read<COUNT>(0) == 1));
  b.disk.answer();
  CHECK((b.status() == 0x50 && !b.irq()));
  // The same over a reset of the machine, and with a new command under way.
  b.address28(3, 1), b.command(0x20);
  b.reset();
  b.address28(4, 1), b.command(0x20);
  b.disk.answer();
  CHECK(b.alternate() == 0xd0);
  b.disk.answer();
  CHECK(b.status() == 0x58);
  CHECK(b.take(512) == b.of(b.disk, 4 * 512, 512));
}

TEST_CASE("ide: nIEN holds the interrupt off, and another drive does not show it") {
  Ide b;
  b.write<CONTROL>(0, 0x02);
  b.command(0xec);
  CHECK((b.alternate() == 0x58 && !b.irq()));
  b.write<CONTROL>(0, 0x00);
  CHECK(b.irq());
  b.status();
  b.take(512);
  b.command(0xe5);
  CHECK((b.irq() && b.read<COUNT>(0) == 0xff));
  b.write<DEVICE>(0, 0xb0);
  CHECK_FALSE(b.irq());
  b.write<DEVICE>(0, 0xa0);
  CHECK(b.irq());
}

TEST_CASE("ide: commands without data") {
  Ide b;
  for (u32 code : {0x10, 0x1f, 0x40, 0x70, 0x91, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
                   0xc6, 0xe0, 0xe1, 0xe2, 0xe3, 0xe5, 0xe6, 0xe7, 0xf8, 0x27}) {
    b.address28(1, 1);
    b.command(u8(code));
    CAPTURE(code);
    CHECK((b.irq() && b.status() == 0x50));
  }
  for (u32 code : {0x00, 0x06, 0x08, 0xa0, 0xa1, 0xb1, 0xc0, 0xda, 0xe8, 0xf1, 0xff}) {
    b.command(u8(code));
    CAPTURE(code);
    CHECK((b.irq() && b.status() == 0x51 && b.error() == 0x04));
  }
  b.command(0xf8);
  CHECK((b.read<LBA_LOW>(0) | b.read<LBA_MID>(0) << 8 | b.read<LBA_HIGH>(0) << 16) == disk_sectors - 1);
  b.command(0x90);
  CHECK((b.irq() && b.status() == 0x50 && b.error() == 1 && b.read<COUNT>(0) == 1));
}

TEST_CASE("ide: SET FEATURES (§8.37)") {
  Ide b;
  const auto set = [&](u32 what, u32 how) {
    b.write<ERROR>(0, what), b.write<COUNT>(0, how), b.command(0xef);
    return b.status();
  };
  CHECK(set(0x03, 0x45) == 0x50);
  b.command(0xec);
  CHECK(word(b.take(512), 88) == 0x203f);
  CHECK(set(0x03, 0x22) == 0x50);
  b.command(0xec);
  const auto id = b.take(512);
  CHECK((word(id, 63) == 0x0407 && word(id, 88) == 0x003f));
  CHECK(set(0x03, 0x0c) == 0x50);
  for (u32 bad : {0x46, 0x23, 0x0d, 0x10, 0xff}) CHECK(set(0x03, bad) == 0x51);
  for (u32 good : {0x02, 0x55, 0xaa, 0x66, 0xcc, 0x05}) CHECK(set(good, 0) == 0x50);
  CHECK(set(0x77, 0) == 0x51);
}

TEST_CASE("ide: SMART needs its key and answers with sums that are right (§8.41)") {
  Ide b;
  const auto smart = [&](u32 what, bool key = true) {
    b.write<ERROR>(0, what), b.write<LBA_MID>(0, key ? 0x4f : 0), b.write<LBA_HIGH>(0, key ? 0xc2 : 0);
    b.command(0xb0);
    return b.status();
  };
  CHECK(smart(0xda) == 0x50);
  CHECK((b.read<LBA_MID>(0) == 0x4f && b.read<LBA_HIGH>(0) == 0xc2));
  for (u32 what : {0xd0, 0xd1, 0xd5}) {
    CHECK(smart(what) == 0x58);
    u8 sum = 0;
    for (u8 v : b.take(512)) sum = u8(sum + v);
    CHECK(sum == 0);
  }
  CHECK(smart(0xd0, false) == 0x51);
  CHECK(smart(0xd9) == 0x50);
  CHECK(smart(0xd0) == 0x51);
  CHECK(smart(0xd8) == 0x50);
  CHECK(smart(0x00) == 0x51);
}

TEST_CASE("ide: a channel answers while its IDETIM decodes it; the bus master is base address 4 (290562 §4.1)") {
  Ide b;
  peripherals::pci::Soldered<Ide::Dev> f(b.dev);
  CHECK(f.config_read(0x00, 4) == 0x7111'8086);
  CHECK((f.config_read(0x08, 4) >> 8) == 0x010180);
  CHECK(f.config_read(0x3d, 1) == 0);
  CHECK((b.status() == 0xff && b.data() == 0xffff));
  b.write<COUNT>(0, 0x33), b.command(0xec);
  f.config_write(0x41, 1, 0x80);
  CHECK((b.status() == 0x50 && b.read<COUNT>(0) == 1 && b.read<STATUS>(1) == 0xff));
  f.config_write(0x40, 4, 0xffff'ffff);
  CHECK(f.config_read(0x40, 4) == 0xf3ff'f3ff);
  CHECK(b.read<STATUS>(1) == 0);
  f.config_write(0x20, 4, 0xffff'ffff);
  CHECK(f.config_read(0x20, 4) == 0xffff'fff1);
  f.bar_write(4, 0x0c, 4, 0x1000);
  CHECK((f.bar_read(4, 0x0c, 4) == 0x1000 && b.read<BMIDTPX>(1) == 0x1000));
  f.reset();
  CHECK(b.status() == 0xff);
}

TEST_CASE("ide: what a guest does at the wrong time changes nothing") {
  Ide b;
  b.disk.delayed = true;
  b.address28(8, 1), b.command(0x20);
  b.write<LBA_LOW>(0, 99), b.write<DEVICE>(0, 0xb0), b.command(0xca), b.command(0x08), b.data(1), b.data();
  CHECK(b.guest_errors == 6);
  b.disk.answer();
  CHECK(b.status() == 0x58);
  b.data(0x1234);
  CHECK(b.guest_errors == 7);
  CHECK(b.take(512) == b.of(b.disk, 8 * 512, 512));
  CHECK((b.data() == 0 && b.data() == 0));
  CHECK(b.disk.log == std::vector<std::string>{"read 8+1"});
}

TEST_CASE("ide: any sequence of accesses leaves the machine alive") {
  Ide b;
  u32 random = 1;
  const auto next = [&](u32 below) { return random = random * 1'664'525 + 1'013'904'223, (random >> 10) % below; };
  constexpr u32 offsets[] = {0x000, 0x001, 0x002, 0x003, 0x004, 0x005, 0x006, 0x007, 0x100, 0x200, 0x201, 0x202,
                             0x203, 0x204, 0x205, 0x206, 0x207, 0x300, 0x400, 0x402, 0x404, 0x408, 0x40a, 0x40c};
  constexpr u8 codes[] = {0x20, 0x24, 0x25, 0x29, 0x30, 0x34, 0x35, 0x39, 0xa0, 0xa1, 0xec,
                          0xc4, 0xc5, 0xc6, 0xc8, 0xca, 0xef, 0x91, 0x08, 0x90, 0xb0};
  for (u32 i = 0; i < 300'000; ++i) {
    b.disk.delayed = b.disc.delayed = next(8) == 0;
    const u32 off = offsets[next(std::size(offsets))];
    const u32 v = (off & 0x1ff) == 7 ? codes[next(std::size(codes))] : next(4) ? next(3) : next(256);
    if (next(3) == 0) b.read_at(off, off % 0x200 == 0 ? 2 : 1);
    else b.write_at(off, off % 0x200 == 0 ? (next(2) ? 2 : 4) : 1, off == 0x404 || off == 0x40c ? next(1'200'000) : v);
    if (next(50) == 0)
      for (u32 n = next(1'100); n--;)
        next(2) ? b.write_at(0x200, 2, next(2) ? 0 : next(65'536)) : void(b.read_at(next(2) * 0x200, 4));
    for (FakeMedium* m : {&b.disk, &b.disc})
      if (next(4) == 0)
        while (!m->waiting.empty()) m->answer();
    if (next(5'000) == 0) b.reset();
    b.disk.log.clear(), b.disc.log.clear();
  }
  CHECK(b.hd.in_flight() == b.disk.waiting.size());
}
