#pragma once
// A peripheral alone on a table: its registers on one side, recorded pins, characters, timers and memory on the other.
//     Bench<peripherals::blinker::Blinker> b;
//     b.write<CTRL>(0x11);
//     b.run_for(1_ms);
//     CHECK(b.pin("irq"));
// A device with other pins than the common ones below, a clock or board options declares them:
//     struct Board : TestWires {
//       static constexpr u64 clock_hz = 24'000'000, sys_id = 0x4100'7004;
//       void mcia(bool on) const { drive("mcia", on); }
//     };
//     Bench<Pl011, Board> b;

#include "core/block_port.hpp"
#include "core/clock.hpp"
#include "core/net_port.hpp"
#include "core/reg.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace test {
using namespace core;

constexpr u64 operator""_ns(unsigned long long n) { return n; }
constexpr u64 operator""_us(unsigned long long n) { return n * 1'000; }
constexpr u64 operator""_ms(unsigned long long n) { return n * 1'000'000; }
constexpr u64 operator""_s(unsigned long long n) { return n * 1'000'000'000; }

// What the wires recorded, and what stands behind them; a Bench is one, so tests say b.strays, b.out, …
struct World {
  struct PinState {
    bool level = false;
    unsigned rises = 0;
  };
  std::map<std::string, PinState, std::less<>> pins;
  std::string out;              // characters put
  bool host_full = false;       // can_put() answers false, put() loses the character
  TimerQueue timers;
  u64 now = 0;                  // virtual ns
  u64 repeats_until = 0;        // what the device said of the last access; 0: nothing
  s64 wall_clock = 1'000'000'000;
  std::vector<u8> memory = std::vector<u8>(MiB);  // what DMA reaches, from guest physical 0
  std::vector<u8> backing;      // flash array, Board::backing_size bytes
  bool mapped_direct = true;    // last backing_mapped()
  int alias_ends = 0;           // end_boot_alias()
  unsigned strays = 0, unimps = 0, guest_errors = 0, resets = 0, shutdowns = 0;
  u32 last_stray = 0;
  int exit_status = 0;
  NetPort* nic = nullptr;
  std::vector<BlockPort*> drives;
};

// Every wire a device may ask for, except pins and options only it has.
struct TestWires {
  static constexpr const char* name = "device";
  static constexpr u64 clock_hz = 1'000'000;
  static constexpr std::size_t backing_size = 0;
  static constexpr bool big_endian = false;
  World* world = nullptr;

  void drive(const char* pin, bool level) const {
    auto& p = world->pins[pin];
    p.rises += level && !p.level;
    p.level = level;
  }
  void irq(bool on) const { drive("irq", on); }
  void fiq(bool on) const { drive("fiq", on); }
  void irq0(bool on) const { drive("irq0", on); }
  void irq1(bool on) const { drive("irq1", on); }
  void dreq(bool on) const { drive("dreq", on); }

  void put(u8 c) const {
    if (!world->host_full) world->out += char(c);
  }
  void ready_to_receive() const {}
  NetPort* nic() const { return world->nic; }
  BlockPort* drive(unsigned unit) const { return unit < world->drives.size() ? world->drives[unit] : nullptr; }
  bool can_put() const { return !world->host_full; }
  void arm(unsigned timer, u64 delay_ns) const { world->timers.arm(timer, world->now + std::min(delay_ns, never - 1 - world->now)); }
  void disarm(unsigned timer) const { world->timers.disarm(timer); }
  bool armed(unsigned timer) const { return world->timers.armed(timer); }
  u64 now() const { return world->now; }
  void repeats_until(u64 at) const { world->repeats_until = at; }
  s64 wall_clock() const { return world->wall_clock; }

  bool dma_read(GuestPhys at, std::span<u8> to) const {
    if (!in_memory(at, to.size())) return false;
    std::copy_n(world->memory.begin() + long(raw(at)), to.size(), to.begin());
    return true;
  }
  bool dma_write(GuestPhys at, std::span<const u8> from) const {
    if (!in_memory(at, from.size())) return false;
    std::copy(from.begin(), from.end(), world->memory.begin() + long(raw(at)));
    return true;
  }

  void stray(u32 off) const {
    ++world->strays;
    world->last_stray = off;
  }
  void unimp(const char*) const { ++world->unimps; }
  void guest_error(const char*) const { ++world->guest_errors; }
  void system_reset() const { ++world->resets; }
  void shutdown(int status) const {
    ++world->shutdowns;
    world->exit_status = status;
  }
  std::span<u8> backing() const { return world->backing; }
  void end_boot_alias() const { ++world->alias_ends; }
  void backing_mapped(bool direct) const { world->mapped_direct = direct; }

 private:
  bool in_memory(GuestPhys at, u64 size) const {
    return raw(at) <= world->memory.size() && size <= world->memory.size() - raw(at);
  }
};

template <template <class> class Device, class Wires = TestWires>
struct Bench : World {
  using Dev = Device<Wires>;
  Dev dev;

  Bench() {
    timers.resize(std::max(1u, Dev::ports.timers));
    backing.resize(Wires::backing_size);
    dev.wires.world = this;
    reset();
  }
  Bench(const Bench&) = delete;
  void reset() { reset_device(dev); }

  // By register name, at full width and in the register's own order; arrays take the index first, as their handlers do.
  template <class Name>
  u32 read(u32 index = 0) {
    constexpr auto where = find<Name>();
    return u32(core::detail::in_register_order(dev, where.width, read_at(where.offset + index * where.stride, where.width)));
  }
  template <class Name>
  void write(u64 value) {
    constexpr auto where = find<Name>();
    write_at(where.offset, where.width, core::detail::in_register_order(dev, where.width, value));
  }
  template <class Name>
  void write(u32 index, u64 value) {
    constexpr auto where = find<Name>();
    write_at(where.offset + index * where.stride, where.width, core::detail::in_register_order(dev, where.width, value));
  }
  // As the bus does it.
  u64 read_at(u32 off, unsigned size = 4) { return repeats_until = 0, reg_read(dev, off, size); }
  void write_at(u32 off, unsigned size, u64 value) { repeats_until = 0, reg_write(dev, off, size, value); }

  // Level of an output; `rises` counts how often it went up.
  bool pin(std::string_view p) const { return state(p).level; }
  unsigned rises(std::string_view p) const { return state(p).rises; }
  void set_line(unsigned n, bool on) { dev.set_line(n, on); }
  // Characters from the host, one after the other without time between them.
  void type(std::string_view text) {
    for (char c : text) dev.receive(u8(c));
  }
  // The host takes characters again.
  void drain() {
    host_full = false;
    dev.host_drained();
  }

  // Lets virtual time pass; timers that fall due fire in order, each at its own time.
  void run_for(u64 ns) {
    const u64 end = now + ns;
    for (unsigned fired = 0; timers.next() <= end; ++fired) {
      REQUIRE_MESSAGE(fired < 1'000'000, "timers fire without end");
      now = std::max(now, timers.next());
      fire(timers.take_due(now), std::make_integer_sequence<unsigned, Dev::ports.timers>{});
    }
    now = end;
  }

 private:
  struct Where {
    u32 offset = ~0u, stride = 0, width = 0;
  };
  template <class Name>
  static consteval Where find() {
    Where where;
    each_member_type<decltype(Dev::r)>([&]<class X>(Type<X>) {
      if constexpr (std::is_same_v<typename X::tag, At<Name>>) where = {X::offset, X::stride, sizeof(typename X::value_type)};
    });
    if (where.width == 0) throw "the device declares no register of that name";
    return where;
  }
  PinState state(std::string_view p) const {
    if (!Dev::ports.drives(p)) throw std::invalid_argument("no output '" + std::string(p) + "' in ports.outputs");
    const auto at = pins.find(p);
    return at == pins.end() ? PinState{} : at->second;
  }
  template <unsigned... N>
  void fire(int id, std::integer_sequence<unsigned, N...>) {
    ((id == int(N) ? dev.expire(Timer<N>{}) : void()), ...);
  }
};
}  // namespace test
