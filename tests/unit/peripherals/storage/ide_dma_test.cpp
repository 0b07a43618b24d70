#include "ide_bench.hpp"

using namespace test;

TEST_CASE("ide dma: a read is scattered over the table's regions (SFF-8038i §1.2)") {
  Ide b;
  b.disk.delayed = true;
  b.region(0x1000, 0, 0x8000, 512, false);
  b.region(0x1000, 1, 0xa000, 3'000, false);
  b.region(0x1000, 2, 0x20000, 584, true);
  b.address28(10, 8);
  b.command(0xc8);
  CHECK(b.alternate() == 0xd0);
  b.bus_master(0x1000, true);
  CHECK((b.read<BMISX>(0) & 7) == 1);
  b.disk.answer();
  CHECK((b.irq() && (b.read<BMISX>(0) & 7) == 4));
  CHECK(b.status() == 0x50);
  CHECK(b.memory_at(0x8000, 512) == b.of(b.disk, 5'120, 512));
  CHECK(b.memory_at(0xa000, 3'000) == b.of(b.disk, 5'632, 3'000));
  CHECK(b.memory_at(0x20000, 584) == b.of(b.disk, 8'632, 584));
  b.write<BMISX>(0, 0x04);
  CHECK((b.read<BMISX>(0) & 7) == 0);
}

TEST_CASE("ide dma: a write is gathered, and waits for the start bit") {
  Ide b;
  b.region(0x1000, 0, 0x8000, 0, true);  // 0 is 64 KiB
  for (u32 i = 0; i < 65'536; ++i) b.memory[0x8000 + i] = u8(i * 5 + i / 256);
  b.address48(100, 128);
  b.command(0x35);
  CHECK((b.alternate() == 0xd8 && !b.irq() && b.disk.log.empty()));
  b.bus_master(0x1000, false);
  CHECK((b.irq() && b.status() == 0x50 && (b.read<BMISX>(0) & 7) == 4));
  CHECK(b.of(b.disk, 51'200, 65'536) == b.memory_at(0x8000, 65'536));
  CHECK(b.disk.log == std::vector<std::string>{"write 100+128"});
  b.address48(100, 1);
  b.command(0x3d);
  b.region(0x1000, 0, 0x8000, 512, true);
  b.bus_master(0x1000, false);
  CHECK(b.disk.log.back() == "fua 100+1");
}

TEST_CASE("ide dma: long transfers go through the buffer in parts") {
  Ide b;
  for (u32 i = 0; i < 3; ++i) b.region(0x1000, i, 0x10000 + i * 0x10000, 0, i == 2);
  b.address48(0, 384);
  b.bus_master(0x1000, true);
  b.command(0x25);
  CHECK((b.irq() && b.status() == 0x50));
  CHECK(b.memory_at(0x10000, 0x30000) == b.of(b.disk, 0, 0x30000));
  CHECK(b.disk.log.size() == 3);
}

TEST_CASE("ide dma: a table longer than the data leaves the engine active with an interrupt (§3.1)") {
  Ide b;
  b.region(0x1000, 0, 0x8000, 4'096, true);
  b.address28(0, 1), b.command(0xc8);
  b.bus_master(0x1000, true);
  CHECK((b.irq() && (b.read<BMISX>(0) & 7) == 5));
  b.write<BMICX>(0, 0);
  CHECK((b.read<BMISX>(0) & 7) == 4);
}

TEST_CASE("ide dma: a table shorter than the data stops without an interrupt; another one goes on (§3.1)") {
  Ide b;
  b.region(0x1000, 0, 0x8000, 512, true);
  b.address28(0, 2), b.command(0xc8);
  b.bus_master(0x1000, true);
  CHECK((!b.irq() && (b.read<BMISX>(0) & 7) == 0 && b.alternate() == 0xd8));
  b.region(0x1000, 0, 0x9000, 512, true);
  b.bus_master(0x1000, true);
  CHECK((b.irq() && b.status() == 0x50));
  CHECK(b.memory_at(0x8000, 512) == b.of(b.disk, 0, 512));
  CHECK(b.memory_at(0x9000, 512) == b.of(b.disk, 512, 512));
}

TEST_CASE("ide dma: regions and tables that are not memory end the command with an error") {
  Ide b;
  b.region(0x1000, 0, 0x8000, 512, false);
  b.region(0x1000, 1, 0x7fff'0000, 512, true);
  for (bool write : {false, true}) {
    b.address28(0, 2), b.command(write ? 0xca : 0xc8);
    b.bus_master(0x1000, !write);
    CHECK((b.irq() && b.status() == 0x51 && b.error() == 0x04 && (b.read<BMISX>(0) & 7) == 6));
  }
  CHECK(b.disk.log == std::vector<std::string>{"read 0+2"});
  b.address28(0, 1), b.command(0xc8);
  b.bus_master(0xffff'fffc, true);
  CHECK((b.status() == 0x51 && (b.read<BMISX>(0) & 7) == 6));
  CHECK(b.guest_errors == 3);
}

TEST_CASE("ide dma: a table without an end is given up after 64 KiB") {
  Ide b;
  for (u32 i = 0; i < 8'192; ++i) b.region(0x20000, i, 0x8000, 2, false);
  b.address28(0, 64), b.command(0xc8);
  b.bus_master(0x20000, true);
  CHECK((b.status() == 0x51 && (b.read<BMISX>(0) & 7) == 6));
}

TEST_CASE("ide dma: the wrong direction moves nothing, and a reset gets out of it") {
  Ide b;
  b.region(0x1000, 0, 0x8000, 512, true);
  b.address28(0, 1), b.command(0xc8);
  b.bus_master(0x1000, false);
  CHECK((!b.irq() && b.alternate() == 0xd8 && b.guest_errors == 1));
  b.write<BMICX>(0, 0), b.write<CONTROL>(0, 4), b.write<CONTROL>(0, 0);
  CHECK(b.status() == 0x50);
  b.address28(0, 1), b.command(0xc8);
  b.bus_master(0x1000, true);
  CHECK((b.irq() && b.memory_at(0x8000, 512) == b.of(b.disk, 0, 512)));
}

TEST_CASE("ide dma: errors of the host's disk") {
  Ide b;
  b.region(0x1000, 0, 0x8000, 512, true);
  b.disk.fail = BlockError::io;
  b.address28(0, 1), b.bus_master(0x1000, true), b.command(0xc8);
  CHECK((b.irq() && b.status() == 0x51 && b.error() == 0x40 && (b.read<BMISX>(0) & 4)));
  b.address28(0, 1), b.bus_master(0x1000, false), b.command(0xca);
  CHECK((b.irq() && b.status() == 0x51 && b.error() == 0x04));
}

TEST_CASE("ide dma: status bits 5 and 6 are storage, the others are not written") {
  Ide b;
  b.write<BMISX>(1, 0x61);
  CHECK(b.read<BMISX>(1) == 0x60);
  b.write<BMIDTPX>(1, 0x1234'5677);
  CHECK(b.read<BMIDTPX>(1) == 0x1234'5674);
  b.write<BMICX>(1, 0xff);
  CHECK(b.read<BMICX>(1) == 0x09);
}
