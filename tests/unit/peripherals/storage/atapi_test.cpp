#include "ide_bench.hpp"

using namespace test;

namespace {
using Packet = std::array<u8, 12>;
struct Drive : Ide {
  Drive() { channel = 1; }
  // Sends a packet; the status after it.
  u8 send(Packet p, u32 limit = 0xfffe, bool dma = false) {
    write<DEVICE>(1, 0xa0);
    write<ERROR>(1, dma ? 1 : 0);
    write<LBA_MID>(1, limit & 0xff), write<LBA_HIGH>(1, limit >> 8);
    command(0xa0);
    if (alternate() != 0x58) return status();
    CHECK(read<COUNT>(1) == 1);
    CHECK_FALSE(irq());
    give({p.begin(), p.end()});
    return dma || alternate() & 0x80 ? alternate() : status();
  }
  u32 chunk() { return u32(read<LBA_MID>(1)) | u32(read<LBA_HIGH>(1)) << 8; }
  // All data of a reply, chunk by chunk.
  std::vector<u8> reply(Packet p, u32 limit = 0xfffe) {
    std::vector<u8> out;
    for (u8 s = send(p, limit); s == 0x58; s = status()) {
      CHECK(read<COUNT>(1) == 2);
      const u32 n = chunk();
      auto part = take(n);
      part.resize(n);
      out.insert(out.end(), part.begin(), part.end());
    }
    CHECK(read<COUNT>(1) == 3);
    return out;
  }
  // Sense key, code, qualifier of the last command.
  std::array<u8, 3> sense() {
    const auto s = reply({0x03, 0, 0, 0, 18});
    REQUIRE(s.size() == 18);
    CHECK((s[0] == 0x70 && s[7] == 10));
    return {s[2], s[12], s[13]};
  }
  // The medium goes or comes, as the monitor does it.
  void insert(bool there) {
    cd.backend = there ? &disc : nullptr;
    cd.size = there ? disc.bytes.size() : 0;
    cd.tray_open = !there;
    cd.medium_changed();
  }
};
using Code = std::array<u8, 3>;
constexpr Packet test_unit_ready{0x00};
}  // namespace

TEST_CASE("atapi: IDENTIFY PACKET DEVICE, and the signature where a disk would answer (§9.12)") {
  Drive b;
  b.command(0xec);
  CHECK((b.irq() && b.status() == 0x51 && b.error() == 0x04));
  CHECK(
      (b.read<COUNT>(1) == 1 && b.read<LBA_LOW>(1) == 1 && b.read<LBA_MID>(1) == 0x14 && b.read<LBA_HIGH>(1) == 0xeb));
  b.command(0xa1);
  CHECK(b.status() == 0x58);
  const auto id = b.take(512);
  CHECK(load_le<u16>(&id[0]) == 0x85c0);
  CHECK((id[54 + 1] == 'P' && id[54] == 'I'));
  CHECK((id[20 + 1] == 'P' && id[26 + 1] == '3'));  // serial PS00003
  CHECK(b.status() == 0x50);
}

TEST_CASE("atapi: DEVICE RESET ends what is under way, without an interrupt (§9.11)") {
  Drive b;
  b.disc.delayed = true;
  b.send({0x28, 0, 0, 0, 0, 1, 0, 0, 1});
  CHECK(b.alternate() == 0xd0);
  b.command(0x08);
  CHECK((b.status() == 0 && !b.irq() && b.read<LBA_MID>(1) == 0x14));
  b.disc.answer();
  CHECK((b.status() == 0 && !b.irq()));
}

TEST_CASE("atapi: INQUIRY in the length that is asked for (§9.8)") {
  Drive b;
  const auto all = b.reply({0x12, 0, 0, 0, 36});
  REQUIRE(all.size() == 36);
  CHECK((all[0] == 5 && all[1] == 0x80));
  CHECK(std::string(all.begin() + 8, all.end()) == "PINSTRAPDVD-ROM         0.1 ");
  CHECK(b.reply({0x12, 0, 0, 0, 5}).size() == 5);
  CHECK(b.send({0x12, 0, 0, 0, 0}) == 0x50);
  CHECK(b.send({0x12, 1, 0, 0, 36}) == 0x51);
  CHECK(b.error() == 0x54);
  CHECK(b.sense() == Code{5, 0x24, 0});
  CHECK(b.sense() == Code{0, 0, 0});
}

TEST_CASE("atapi: data comes in chunks no longer than the byte count limit (§9.8)") {
  Drive b;
  const Packet read{0x28, 0, 0, 0, 0, 7, 0, 0, 2};
  for (u32 limit : {2u, 512u, 1'000u, 1'001u, 2'048u, 2'050u, 65'534u, 65'535u}) {
    CAPTURE(limit);
    CHECK(b.reply(read, limit) == b.of(b.disc, 7 * 2048, 4'096));
    CHECK_FALSE(b.irq());
  }
  b.send(read, 1'001);
  CHECK(b.chunk() == 1'000);
  b.write<CONTROL>(1, 4), b.write<CONTROL>(1, 0);
  CHECK((b.send(read, 0) == 0x51 && b.error() == 0x04));
  CHECK(b.send(test_unit_ready, 0) == 0x50);
}

TEST_CASE("atapi: long reads, by READ(10), READ(12), READ CD") {
  Drive b;
  CHECK(b.reply({0xa8, 0, 0, 0, 0, 0, 0, 0, 0, 100}, 0x8000) == b.of(b.disc, 0, 204'800));
  CHECK(b.disc.log == std::vector<std::string>{"read 0+128", "read 128+128", "read 256+128", "read 384+16"});
  CHECK(b.reply({0xbe, 0, 0, 0, 0, 5, 0, 0, 3, 0x10}) == b.of(b.disc, 5 * 2048, 3 * 2048));
  const auto raw = b.reply({0xbe, 0, 0, 0, 0, 5, 0, 0, 30, 0xf8});
  REQUIRE(raw.size() == 30 * 2352);
  const u8* last = &raw[29 * 2352];
  CHECK((last[0] == 0 && last[1] == 0xff && last[11] == 0 && last[15] == 1));
  CHECK((last[12] == 0 && last[13] == 0x02 && last[14] == 0x34));  // block 34, 00:02:34
  CHECK(std::equal(last + 16, last + 16 + 2048, b.disc.bytes.begin() + 34 * 2048));
  CHECK(b.reply({0xb9, 0, 0, 0, 2, 1, 0, 2, 3, 0x10}) == b.of(b.disc, 2048, 2 * 2048));
  CHECK(b.send({0xbe, 0, 0, 0, 0, 5, 0, 0, 3, 0}) == 0x50);
  CHECK(b.send({0xbe, 0, 0, 0, 0, 5, 0, 0, 3, 0x50}) == 0x51);
  CHECK(b.send({0x28, 0, 0, 0, 0, 7, 0, 0, 0}) == 0x50);
}

TEST_CASE("atapi: reading outside the disc") {
  Drive b;
  const auto at = [](u32 block, u8 n) {
    return Packet{0x28, 0, u8(block >> 24), u8(block >> 16), u8(block >> 8), u8(block), 0, 0, n};
  };
  CHECK(b.send(at(disc_blocks - 1, 1)) == 0x58);
  b.take(2048);
  for (const Packet& p : {at(disc_blocks, 1), at(disc_blocks - 1, 2), at(0xffff'ffff, 255)}) {
    CHECK(b.send(p) == 0x51);
    CHECK(b.sense() == Code{5, 0x21, 0});
  }
  CHECK(b.send({0xa8, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff}) == 0x51);
  CHECK(b.send({0x2b, 0, 0, 0, 0x07, 0xcf}) == 0x50);
  CHECK(b.send({0x2b, 0, 0, 0, 0x07, 0xd0}) == 0x51);
  b.disc.fail = BlockError::io;
  CHECK((b.send(at(0, 1)) == 0x51 && b.error() == 0x34));
  CHECK(b.sense() == Code{3, 0x11, 0});
}

TEST_CASE("atapi: DMA moves replies and sectors, interrupting once") {
  Drive b;
  b.region(0x1000, 0, 0x8000, 4'096, true);
  b.disc.delayed = true;
  b.send({0x28, 0, 0, 0, 0, 9, 0, 0, 2}, 0, true);
  b.bus_master(0x1000, true);
  CHECK_FALSE(b.irq());
  b.disc.answer();
  CHECK((b.irq() && (b.read<BMISX>(1) & 7) == 4 && b.status() == 0x50 && b.read<COUNT>(1) == 3));
  CHECK(b.memory_at(0x8000, 4'096) == b.of(b.disc, 9 * 2048, 4'096));
  b.region(0x1000, 0, 0x9000, 36, true);
  b.send({0x12, 0, 0, 0, 36}, 0, true);
  b.bus_master(0x1000, true);
  CHECK((b.irq() && b.status() == 0x50 && b.memory[0x9000] == 5));
  b.region(0x1000, 0, 0x7fff'0000, 36, true);
  b.send({0x12, 0, 0, 0, 36}, 0, true);
  b.bus_master(0x1000, true);
  CHECK((b.irq() && b.status() == 0x51 && b.error() == 0xb4 && (b.read<BMISX>(1) & 7) == 6));
}

TEST_CASE("atapi: a changed medium is told of once, a missing one always (SPC-2 §5.9.4)") {
  Drive b;
  CHECK(b.send(test_unit_ready) == 0x50);
  b.insert(false);
  CHECK((b.send(test_unit_ready) == 0x51 && b.error() == 0x24));
  CHECK(b.sense() == Code{2, 0x3a, 2});
  b.insert(true);
  CHECK(b.reply({0x12, 0, 0, 0, 36}).size() == 36);
  CHECK((b.send(test_unit_ready) == 0x51 && b.error() == 0x64));
  CHECK(b.sense() == Code{6, 0x28, 0});
  CHECK(b.send(test_unit_ready) == 0x50);
  b.insert(true);
  CHECK(b.sense() == Code{6, 0x28, 0});
  CHECK(b.send(test_unit_ready) == 0x50);
  b.cd.backend = nullptr;
  CHECK(b.send({0x25}) == 0x51);
  CHECK(b.sense() == Code{2, 0x3a, 1});
}

TEST_CASE("atapi: the guest holds, opens and closes the tray (§6.45)") {
  Drive b;
  std::vector<bool> moves;
  b.cd.tray_moved = [&](bool open) { moves.push_back(open); };
  CHECK(b.send({0x1e, 0, 0, 0, 1}) == 0x50);
  CHECK(b.cd.locked);
  CHECK(b.send({0x1b, 0, 0, 0, 2}) == 0x51);
  CHECK(b.sense() == Code{5, 0x53, 2});
  CHECK(b.send({0x1e, 0, 0, 0, 0}) == 0x50);
  CHECK(b.send({0x1b, 0, 0, 0, 2}) == 0x50);
  CHECK((b.cd.tray_open && b.send(test_unit_ready) == 0x51));
  const auto open = b.reply({0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8});
  CHECK((open[4] == 3 && open[5] == 1));
  CHECK(b.send({0x1b, 0, 0, 0, 3}) == 0x50);
  CHECK(moves == std::vector<bool>{true, false});
  const auto closed = b.reply({0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8});
  CHECK((closed[4] == 2 && closed[5] == 2));
  CHECK(b.reply({0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8})[4] == 0);
  CHECK(b.send(test_unit_ready) == 0x51);
  CHECK(b.send(test_unit_ready) == 0x50);
  CHECK(b.reply({0x4a, 1, 0, 0, 0x02, 0, 0, 0, 8}) == std::vector<u8>{0, 2, 0x80, 0x10});
  CHECK(b.send({0x4a, 0, 0, 0, 0x10, 0, 0, 0, 8}) == 0x51);
  b.cd.locked = true;
  b.reset();
  CHECK_FALSE(b.cd.locked);
}

TEST_CASE("atapi: what there is to know of the disc") {
  Drive b;
  CHECK(b.reply({0x25}) == std::vector<u8>{0, 0, 0x07, 0xcf, 0, 0, 8, 0});
  CHECK(b.reply({0x43, 0, 0, 0, 0, 0, 0, 0, 20}) ==
        std::vector<u8>{0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0, 0, 0x14, 0xaa, 0, 0, 0, 0x07, 0xd0});
  CHECK(b.reply({0x43, 2, 0, 0, 0, 0, 0xaa, 0, 20}) == std::vector<u8>{0, 10, 1, 1, 0, 0x14, 0xaa, 0, 0, 0, 28, 50});
  CHECK(b.reply({0x43, 0, 1, 0, 0, 0, 0, 0, 12}) == std::vector<u8>{0, 10, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0});
  CHECK(b.reply({0x43, 0, 2, 0, 0, 0, 0, 1, 0}).size() == 48);
  CHECK(b.send({0x43, 0, 0, 0, 0, 0, 2, 0, 20}) == 0x51);
  CHECK(b.send({0x43, 0, 7, 0, 0, 0, 0, 0, 20}) == 0x51);
  CHECK(b.reply({0x51, 0, 0, 0, 0, 0, 0, 0, 34}).size() == 34);
  CHECK(b.reply({0x52, 1, 0, 0, 0, 1, 0, 0, 36}).size() == 36);
  CHECK(b.reply({0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8}).size() == 8);
  const auto features = b.reply({0x46, 0, 0, 0, 0, 0, 0, 1, 0});
  CHECK((features[6] == 0 && features[7] == 8));
  CHECK(load_le<u32>(&features[0]) == __builtin_bswap32(u32(features.size() - 4)));
  CHECK(b.reply({0x46, 2, 0, 3, 0, 0, 0, 1, 0}).size() == 16);
  CHECK(b.send({0xad, 0, 0, 0, 0, 0, 0, 0, 8, 0}) == 0x51);  // a CD
  CHECK(b.sense() == Code{5, 0x30, 2});
  b.cd.size = 4'000'000'000 / 2048 * 2048;
  CHECK(b.reply({0xad, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}).size() == 2052);
  CHECK(b.reply({0xad, 0, 0, 0, 0, 0, 0, 4, 0xff, 0xff}).size() == 2052);
  CHECK(b.reply({0x46, 0, 0, 0, 0, 0, 0, 1, 0})[7] == 0x10);
}

TEST_CASE("atapi: MODE SENSE and MODE SELECT") {
  Drive b;
  const auto all = b.reply({0x5a, 0, 0x3f, 0, 0, 0, 0, 1, 0});
  CHECK((all.size() == 54 && all[0] == 0 && all[1] == 52 && all[8] == 0x01 && all[16] == 0x0e && all[32] == 0x2a));
  CHECK(b.reply({0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 8}).size() == 8);
  CHECK(b.send({0x5a, 0, 0xea, 0, 0, 0, 0, 1, 0}) == 0x51);
  CHECK(b.sense() == Code{5, 0x39, 0});
  CHECK(b.send({0x5a, 0, 0x05, 0, 0, 0, 0, 1, 0}) == 0x51);
  CHECK(b.send({0x55, 0x10, 0, 0, 0, 0, 0, 0, 16}) == 0x58);
  CHECK((b.read<COUNT>(1) == 0 && b.chunk() == 16));
  b.give(std::vector<u8>(16));
  CHECK((b.irq() && b.status() == 0x50 && b.read<COUNT>(1) == 3));
}

TEST_CASE("atapi: unknown packets and overlapped ones are refused") {
  Drive b;
  CHECK((b.send({0xff}) == 0x51 && b.error() == 0x54 && b.read<COUNT>(1) == 3));
  CHECK(b.sense() == Code{5, 0x20, 0});
  b.write<ERROR>(1, 2);
  b.command(0xa0);
  CHECK((b.status() == 0x51 && b.error() == 0x04));
  for (u32 code : {0x25, 0x30, 0xc8, 0xc6}) {
    b.command(u8(code));
    CHECK((b.status() == 0x51 && b.error() == 0x04));
  }
}
