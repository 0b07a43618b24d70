#include "core/machine.hpp"

#include "core/board.hpp"
#include "core/log.hpp"
#include "log_file.hpp"

#include <cstring>

namespace core {
namespace {
struct StandingClock final : Clock {
  u64 t = 0;
  u64 now() const noexcept override { return t; }
  void pause() override {}
  void resume() override {}
};
// RAM at 0x1000…0x2fff, rom right behind it, RAM at the very top of the address space.
struct Board : MachineBase {
  StandingClock standing;
  std::atomic<u32> requests{0};
  int wakes = 0;
  std::vector<std::pair<u64, u64>> written, remapped;

  Board() {
    clock = &standing;
    request = &requests;
    wake_context = &wakes;
    wake = [](void* n) { ++*static_cast<int*>(n); };
    engine_context = this;
    memory_written = [](void* b, GuestPhys at, u64 n) { static_cast<Board*>(b)->written.emplace_back(raw(at), n); };
    rom_mapping_changed = [](void* b, GuestPhys at, u64 n) { static_cast<Board*>(b)->remapped.emplace_back(raw(at), n); };
    timers.resize(2);
    CHECK(add_ram("ram", GuestPhys{0x1000}, 0x2000, false));
    CHECK(add_ram("rom", GuestPhys{0x3000}, 0x1000, true));
    CHECK(add_ram("top", GuestPhys{~u64(0xfff)}, 0x1000, false));
  }
};
u8 bytes[0x4000];
std::span<u8> some(std::size_t n) { return {bytes, n}; }
}  // namespace

TEST_CASE("machine: new memory is zero") {
  Board b;
  for (const RamBlock& r : b.ram)
    for (u64 i = 0; i < r.size; i += 512) CHECK(r.host[i] == 0);
  CHECK_FALSE(b.add_ram("too much", GuestPhys{0}, u64(1) << 60, false));
  CHECK(b.ram.size() == 3);
}

TEST_CASE("machine: a rom shows at its boot address, in front of RAM, until that ends") {
  Board b;
  u8* rom = b.host_memory(GuestPhys{0x3000}, 1);
  u8* under = b.host_memory(GuestPhys{0x1000}, 1);
  CHECK_FALSE(b.add_boot_alias(GuestPhys{0x4000}, GuestPhys{0x1000}));
  CHECK(b.add_boot_alias(GuestPhys{0x3000}, GuestPhys{0x1000}));
  CHECK(b.host_memory(GuestPhys{0x1000}, 1) == under);
  b.show_boot_alias(true);
  CHECK(b.host_memory(GuestPhys{0x1000}, 1) == rom);
  CHECK_FALSE(b.dma_write(GuestPhys{0x1000}, some(1)));
  b.written.clear();
  b.show_boot_alias(false);
  CHECK(b.host_memory(GuestPhys{0x1000}, 1) == under);
  CHECK(b.written.size() == 1);
  CHECK(b.remapped.size() == 2);
}

TEST_CASE("DMA: reads and writes inside one block, to its last byte") {
  Board b;
  CHECK(b.dma_write(GuestPhys{0x2ffc}, std::array<u8, 4>{1, 2, 3, 4}));
  CHECK(b.ram[0].host[0x1fff] == 4);
  std::array<u8, 4> back{};
  CHECK(b.dma_read(GuestPhys{0x2ffc}, back));
  CHECK(back == std::array<u8, 4>{1, 2, 3, 4});
  CHECK(b.written == std::vector<std::pair<u64, u64>>{{0x2ffc, 4}});
  CHECK(b.dma_read(GuestPhys{0x3000}, some(0x1000)));  // rom is read
}

TEST_CASE("DMA: outside memory, over a block's end and around the address space nothing is copied") {
  Board b;
  const auto refused = [&](u64 at, std::size_t n) {
    CAPTURE(at);
    CAPTURE(n);
    std::fill(std::begin(bytes), std::end(bytes), 0xee);
    CHECK_FALSE(b.dma_read(GuestPhys{at}, some(n)));
    CHECK(bytes[0] == 0xee);
    CHECK_FALSE(b.dma_write(GuestPhys{at}, some(n)));
    CHECK(b.host_memory(GuestPhys{at}, n) == nullptr);
  };
  refused(0, 1);
  refused(0xfff, 1);
  refused(0xfff, 2);
  refused(0x2fff, 2);   // RAM into rom
  refused(0x1000, 0x2001);
  refused(0x4000, 1);
  refused(~u64(0), 2);
  refused(~u64(0) - 3, 0x1005);  // would come around into the RAM
  for (const RamBlock& r : b.ram)
    for (u64 i = 0; i < r.size; ++i) REQUIRE(r.host[i] == 0);
  CHECK(b.written.empty());
}

TEST_CASE("DMA: the last byte of the address space is memory like any other") {
  Board b;
  CHECK(b.dma_write(GuestPhys{~u64(0)}, std::array<u8, 1>{7}));
  CHECK(b.ram[2].host[0xfff] == 7);
  CHECK(b.host_memory(GuestPhys{~u64(0)}, 1) == b.ram[2].host + 0xfff);
  CHECK(b.host_memory(GuestPhys{~u64(0)}, ~u64(0)) == nullptr);
}

TEST_CASE("DMA: rom is not written") {
  Board b;
  CHECK_FALSE(b.dma_write(GuestPhys{0x3000}, std::array<u8, 1>{7}));
  CHECK(b.ram[1].host[0] == 0);
  CHECK(b.written.empty());
}

TEST_CASE("machine: a change of a rom's direct reading is told once") {
  Board b;
  b.set_direct(GuestPhys{0x3000}, true);
  CHECK(b.remapped.empty());
  b.set_direct(GuestPhys{0x3000}, false);
  b.set_direct(GuestPhys{0x3000}, false);
  CHECK(b.remapped == std::vector<std::pair<u64, u64>>{{0x3000, 0x1000}});
  b.set_direct(GuestPhys{0x3004}, true);  // not its address
  CHECK_FALSE(b.ram[1].direct);
}

TEST_CASE("machine: a window that moves is told at once, and translated code goes") {
  Board m;
  m.window_moved();
  CHECK(m.requests == request_flush);
  m.devices_moved = [](void* b) { static_cast<Board*>(b)->wakes = 100; };
  m.window_moved();
  CHECK(m.wakes == 100);
}
TEST_CASE("machine: arming a timer asks the run loop to look when it is the next one") {
  Board b;
  b.standing.t = 1000;
  b.arm_timer(0, 500);
  CHECK(b.timers.deadline(0) == 1500);
  CHECK(b.requests.exchange(0) == request_timer);
  CHECK(b.wakes == 1);
  b.arm_timer(1, 600);
  CHECK(b.requests == 0);
  b.arm_timer(0, never);  // as late as can be, but armed
  CHECK(b.timers.deadline(0) == never - 1);
  b.disarm_timer(0);
  CHECK_FALSE(b.timers.armed(0));
  CHECK(b.timers.next() == 1600);
}

TEST_CASE("machine: requests add up and wake the run loop") {
  Board b;
  b.request_system_reset();
  b.request_shutdown_with(3);
  CHECK(b.requests == (request_reset | request_shutdown));
  CHECK(b.exit_status == 3);
  CHECK(b.wakes == 2);
  MachineBase alone;
  alone.raise(request_kick);  // nobody to wake
}

TEST_CASE("bus: accesses nobody claims read zero; known regions are named, others are guest errors") {
  test::LogFile f{u32(Log::guest_errors) | u32(Log::unimp)};
  Board b;
  static constexpr KnownRegion known[] = {{"pci", GuestPhys{0x1000'0000}, 0x100}, {"top", GuestPhys{~u64(0xff)}, 0x100}};
  b.known = known;
  CHECK(b.unclaimed_read(GuestPhys{0x1000'00fc}, 4) == 0);
  CHECK(b.unclaimed_read(GuestPhys{0x1000'00fc}, 4) == 0);
  b.unclaimed_write(GuestPhys{0x1000'0000}, 1, 5);
  b.unclaimed_write(GuestPhys{~u64(0)}, 1, 5);
  CHECK(b.unclaimed_read(GuestPhys{0x1000'0100}, 4) == 0);
  b.unclaimed_write(GuestPhys{0xfff'ffff}, 4, 5);
  CHECK(f.text() ==
        "pci: read at 0x100000fc is not modelled\npci: write at 0x10000000 is not modelled\ntop: write at 0xffffffffffffffff is not modelled\n"
        "bus: read of unmapped address 0x10000100\nbus: write to unmapped address 0xfffffff\n");
}

TEST_CASE("board: the size of RAM is checked, and the default taken") {
  BoardInfo info{};
  info.ram_default = 128 * MiB, info.ram_max = 256 * MiB, info.ram_reason = "the rest is flash";
  std::string error;
  u64 size = 0;
  CHECK(fit_ram(info, size, error));
  CHECK(size == 128 * MiB);
  size = 257 * MiB;
  CHECK_FALSE(fit_ram(info, size, error));
  CHECK(error == "257 MiB of RAM is too much, at most 256 MiB: the rest is flash");
  size = MiB + 1;
  CHECK_FALSE(fit_ram(info, size, error));
  CHECK(error == "RAM comes in whole MiB, 1048577 bytes are not");
}

TEST_CASE("board: a line with several drivers is high while one of them is") {
  u32 levels = 0;
  CHECK(join_line(levels, 0, true));
  CHECK(join_line(levels, 31, true));
  CHECK(join_line(levels, 0, false));
  CHECK_FALSE(join_line(levels, 31, false));
}
}  // namespace core
