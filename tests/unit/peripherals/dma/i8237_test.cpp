#include "peripherals/dma/i8237.hpp"

#include "tests/unit/bench.hpp"

#include <numeric>

using namespace test;
using namespace peripherals::i8237;

namespace {
struct Board : TestWires {
  void dack0(bool on) const { drive("dack0", on); }
  void dack1(bool on) const { drive("dack1", on); }
  void dack2(bool on) const { drive("dack2", on); }
  void dack3(bool on) const { drive("dack3", on); }
  void dack5(bool on) const { drive("dack5", on); }
  void dack6(bool on) const { drive("dack6", on); }
  void dack7(bool on) const { drive("dack7", on); }
};
struct Dma : Bench<I8237, Board> {
  std::vector<u8> data = std::vector<u8>(64);
  Dma() { std::iota(data.begin(), data.end(), u8(1)); }
  // Channel 2 as a floppy driver sets it up; `mode` without the channel.
  void set_up(u8 mode, u32 at, u16 bytes) {
    write<SINGLE_MASK>(0x06);
    write<CLEAR_POINTER>(0);
    write<MODE>(mode | 2);
    write<CHANNELS>(4, at & 0xff), write<CHANNELS>(4, at >> 8 & 0xff);
    write<PAGE>(1, at >> 16 & 0xff);
    write<CHANNELS>(5, (bytes - 1) & 0xff), write<CHANNELS>(5, (bytes - 1) >> 8);
    write<SINGLE_MASK>(0x02);
  }
  u16 current(u32 reg) {
    write<CLEAR_POINTER>(0);
    const u32 low = read<CHANNELS>(reg);
    return u16(read<CHANNELS>(reg) << 8 | low);
  }
};
constexpr u8 to_memory = 0x44, from_memory = 0x48, verify = 0x40;
}  // namespace

TEST_CASE("i8237: a device's bytes go to memory until the terminal count") {
  Dma b;
  b.set_up(to_memory, 0x2'3456, 16);
  auto moved = b.dev.transfer(2, std::span(b.data).first(10));
  CHECK(moved.bytes == 10);
  CHECK_FALSE(moved.terminal_count);
  CHECK(b.current(4) == 0x3460);
  CHECK(b.current(5) == 5);
  moved = b.dev.transfer(2, std::span(b.data).subspan(10));
  CHECK(moved.bytes == 6);
  CHECK(moved.terminal_count);
  CHECK(std::equal(b.data.begin(), b.data.begin() + 16, b.memory.begin() + 0x2'3456));
  CHECK(b.memory[0x2'3466] == 0);
  CHECK(b.current(5) == 0xffff);
  CHECK(b.read<STATUS>() == 0x04);
  CHECK(b.read<STATUS>() == 0x00);
  CHECK(b.dev.transfer(2, b.data).bytes == 0);  // masked by the terminal count
  CHECK((b.read<ALL_MASK>() & 15) == 0xf);
}
TEST_CASE("i8237: memory goes to the device") {
  Dma b;
  std::iota(b.memory.begin() + 0x1000, b.memory.begin() + 0x1020, u8(0x80));
  b.set_up(from_memory, 0x1000, 32);
  CHECK(b.dev.direction(2) == Channel::from_memory);
  CHECK(b.dev.transfer(2, b.data).bytes == 32);
  CHECK(std::equal(b.data.begin(), b.data.begin() + 32, b.memory.begin() + 0x1000));
}
TEST_CASE("i8237: verify counts and moves nothing") {
  Dma b;
  b.set_up(verify, 0x1000, 8);
  const auto before = b.data;
  CHECK(b.dev.transfer(2, b.data).terminal_count);
  CHECK(b.data == before);
  CHECK(b.memory[0x1000] == 0);
}
TEST_CASE("i8237: autoinitialize starts over and stays unmasked") {
  Dma b;
  b.set_up(to_memory | 0x10, 0x1000, 8);
  auto moved = b.dev.transfer(2, std::span(b.data).first(8));
  CHECK(moved.terminal_count);
  CHECK(b.current(4) == 0x1000);
  CHECK(b.current(5) == 7);
  CHECK(b.dev.transfer(2, std::span(b.data).subspan(8, 8)).bytes == 8);
  CHECK(b.memory[0x1000] == 9);
}
TEST_CASE("i8237: the page does not count on at 64 KiB") {
  Dma b;
  b.set_up(to_memory, 0x3'fffe, 4);
  CHECK(b.dev.transfer(2, b.data).bytes == 4);
  CHECK(b.memory[0x3'ffff] == 2);
  CHECK(b.memory[0x3'0000] == 3);
  CHECK(b.memory[0x4'0000] == 0);
}
TEST_CASE("i8237: addresses can count down") {
  Dma b;
  b.set_up(to_memory | 0x20, 0x1003, 4);
  CHECK(b.dev.transfer(2, b.data).bytes == 4);
  CHECK(b.memory[0x1003] == 1);
  CHECK(b.memory[0x1000] == 4);
}
TEST_CASE("i8237: channels 5 to 7 move words within 128 KiB") {
  Dma b;
  b.write<CLEAR_POINTER2>(0);
  b.write<MODE2>(to_memory | 1);
  b.write_at(0x204, 1, 0x00), b.write_at(0x204, 1, 0x80);  // word address 0x8000
  b.write_at(0x206, 1, 0x03), b.write_at(0x206, 1, 0x00);  // four words
  b.write<PAGE>(0xb, 0x05);
  b.write<SINGLE_MASK2>(0x01);
  const auto moved = b.dev.transfer(5, std::span(b.data).first(63));
  CHECK(moved.bytes == 8);
  CHECK(moved.terminal_count);
  CHECK(std::equal(b.data.begin(), b.data.begin() + 8, b.memory.begin() + 0x5'0000));
  CHECK(b.read<STATUS2>() == 0x02);
  CHECK(b.read<STATUS>() == 0);
}
TEST_CASE("i8237: DACK is up while a request would be served") {
  Dma b;
  b.set_line(2, true);
  CHECK_FALSE(b.pin("dack2"));
  CHECK(b.read<STATUS>() == 0x40);
  b.set_up(to_memory, 0x1000, 4);
  CHECK(b.pin("dack2"));
  b.write<STATUS>(0x04);  // controller off
  CHECK_FALSE(b.pin("dack2"));
  b.write<STATUS>(0x00);
  b.dev.transfer(2, b.data);
  CHECK_FALSE(b.pin("dack2"));
  b.write<CLEAR_MASK>(0);
  CHECK(b.pin("dack2"));
  b.set_line(2, false);
  CHECK_FALSE(b.pin("dack2"));
}
TEST_CASE("i8237: one flip-flop serves all 16-bit registers, master clear resets it and masks all") {
  Dma b;
  b.write<CLEAR_MASK>(0);
  b.write<CHANNELS>(0, 0x12);
  b.write<CHANNELS>(1, 0x34);  // the high byte
  b.write<MASTER_CLEAR>(0);
  CHECK((b.read<ALL_MASK>() & 15) == 0xf);
  CHECK(b.read<CHANNELS>(0) == 0x12);
  CHECK(b.read<CHANNELS>(0) == 0x00);
  CHECK(b.current(1) == 0x3400);
  CHECK(b.read<MASTER_CLEAR>() == 0);
}
TEST_CASE("i8237: page registers without a channel are storage") {
  Dma b;
  for (u32 i = 0; i < 16; ++i) b.write<PAGE>(i, 0xf0 + i);
  for (u32 i = 0; i < 16; ++i) CHECK(b.read<PAGE>(i) == 0xf0 + i);
}
TEST_CASE("i8237: memory that is not there takes nothing and gives ones") {
  Dma b;
  b.set_up(to_memory, 0xff'0000, 8);
  CHECK(b.dev.transfer(2, b.data).bytes == 8);
  b.set_up(from_memory, 0xff'0000, 8);
  b.dev.transfer(2, b.data);
  CHECK(b.data[0] == 0xff);
  CHECK(b.data[8] == 9);
}
