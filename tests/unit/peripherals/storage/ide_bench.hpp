#pragma once
// The PIIX4's IDE function with a disk as drive 0 and a disc as drive 2, and a host whose answers the test can hold
// back.

#include "peripherals/storage/piix4_ide.hpp"

#include "../../bench.hpp"

#include <deque>

namespace test {
using namespace peripherals::piix4_ide;
namespace ide = peripherals::ide;

// Memory for a medium.  Answers at once, or when `answer` is called.
struct FakeMedium final : BlockBackend {
  std::vector<u8> bytes;
  bool delayed = false;
  BlockError fail = BlockError::none;
  std::vector<std::string> log;
  struct Waiting {
    BlockRequest request;
    std::function<void(BlockRequest)> answer;
  };
  std::deque<Waiting> waiting;

  void submit(BlockRequest r, std::function<void(BlockRequest)> answer) override {
    waiting.push_back({std::move(r), std::move(answer)});
    if (!delayed) this->answer();
  }
  void answer() {
    Waiting w = std::move(waiting.front());
    waiting.pop_front();
    BlockRequest& r = w.request;
    const char* name = r.op == BlockOp::read ? "read " : r.op == BlockOp::write ? (r.fua ? "fua " : "write ") : "flush";
    log.push_back(r.op == BlockOp::flush ? name
                                         : name + std::to_string(r.at / 512) + "+" + std::to_string(r.length / 512));
    r.error = fail;
    if (fail == BlockError::none && r.op == BlockOp::read)
      std::copy_n(bytes.begin() + long(r.at), r.length, r.data.begin());
    if (fail == BlockError::none && r.op == BlockOp::write)
      std::copy(r.data.begin(), r.data.end(), bytes.begin() + long(r.at));
    w.answer(std::move(r));
  }
};

struct IdeBoard : TestWires {
  static inline std::array<BlockPort*, 4> places{};
  void irq14(bool on) const { TestWires::drive("irq14", on); }
  void irq15(bool on) const { TestWires::drive("irq15", on); }
  BlockPort* drive(unsigned unit) const { return places[unit]; }
};

constexpr u32 disk_sectors = 70'000, disc_blocks = 2'000;

struct Media {
  FakeMedium disk, disc;
  BlockPort hd, cd;
  Media() {
    const auto fill = [](FakeMedium& m, BlockPort& p, u64 size) {
      m.bytes.resize(size);
      for (u64 i = 0; i < size; ++i) m.bytes[i] = u8(i / 512 * 3 + i % 512);
      p.backend = &m;
      p.size = size;
    };
    fill(disk, hd, disk_sectors * 512ull);
    fill(disc, cd, disc_blocks * 2048ull);
    cd.is_cdrom = cd.read_only = cd.removable = true;
    IdeBoard::places = {&hd, nullptr, &cd, nullptr};
  }
};

struct Ide : Media, Bench<Piix4Ide, IdeBoard> {
  u32 channel = 0;
  // Registers of `channel`.
  u8 status() { return u8(read<STATUS>(channel)); }
  u8 alternate() { return u8(read<CONTROL>(channel)); }
  u8 error() { return u8(read<ERROR>(channel)); }
  u16 data() { return u16(read_at(channel * 0x200, 2)); }
  void data(u16 v) { write_at(channel * 0x200, 2, v); }
  bool irq() const { return pin(channel ? "irq15" : "irq14"); }
  void command(u8 code) { write<STATUS>(channel, code); }
  void address28(u32 lba, u8 count) {
    write<DEVICE>(channel, 0xe0 | lba >> 24);
    write<COUNT>(channel, count);
    write<LBA_LOW>(channel, lba & 0xff), write<LBA_MID>(channel, lba >> 8 & 0xff),
        write<LBA_HIGH>(channel, lba >> 16 & 0xff);
  }
  void address48(u64 lba, u16 count) {
    write<DEVICE>(channel, 0x40);
    write<COUNT>(channel, count >> 8), write<COUNT>(channel, count & 0xff);
    for (u32 half : {24, 0}) {
      const auto byte = [&](u32 n) { return lba >> (n * 8 + half) & 0xff; };
      write<LBA_LOW>(channel, byte(0)), write<LBA_MID>(channel, byte(1)), write<LBA_HIGH>(channel, byte(2));
    }
  }
  std::vector<u8> take(u32 bytes) {
    std::vector<u8> out;
    for (u32 i = 0; i < bytes; i += 2) {
      const u16 w = data();
      out.push_back(u8(w)), out.push_back(u8(w >> 8));
    }
    return out;
  }
  void give(const std::vector<u8>& bytes) {
    for (u32 i = 0; i < bytes.size(); i += 2) data(u16(bytes[i] | bytes[i + 1] << 8));
  }
  std::vector<u8> of(const FakeMedium& m, u64 at, u64 n) {
    return {m.bytes.begin() + long(at), m.bytes.begin() + long(at + n)};
  }
  // A descriptor of the bus master's table at `table`.
  void region(u32 table, u32 index, u32 address, u32 count, bool last) {
    store_le<u32>(&memory[table + index * 8], address);
    store_le<u32>(&memory[table + index * 8 + 4], (count & 0xffff) | (last ? 0x8000'0000 : 0));
  }
  void bus_master(u32 table, bool to_memory) {
    write<BMISX>(channel, 0x06);
    write<BMIDTPX>(channel, table);
    write<BMICX>(channel, to_memory ? 0x08 : 0);
    write<BMICX>(channel, to_memory ? 0x09 : 0x01);
  }
  std::vector<u8> memory_at(u32 at, u32 n) { return {memory.begin() + at, memory.begin() + at + n}; }
};
}  // namespace test
