#pragma once
// A machine with one virtio function in slot 3, and a driver for it that touches only configuration space, base address
// regions and memory.  Legacy or modern, of either byte order.

#include "peripherals/pci/bus.hpp"
#include "peripherals/virtio/virtio_pci.hpp"

#include "core/machine.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <optional>

namespace test_virtio {
using namespace peripherals;
using namespace core;
using virtio::ByteOrder;

inline constexpr u64 ram_size = 4 * MiB, rings_at = 0x10000, ring_step = 0x8000, buffers_at = 0x100000;
inline constexpr u64 io_at = 0x1000, msix_at = 0x9000'0000, modern_at = 0x8000'0000;
inline constexpr u64 common = 0, isr_at = 0x1000, device_at = 0x2000, notify_at = 0x3000;
inline constexpr u16 link_next = 1, device_writes = 2, is_indirect = 4;  // descriptor flags

// Which driver talks to which guest's device.
struct Way {
  bool modern = true, big_endian = false, event_index = false;
};
inline constexpr Way ways[] = {{true, false}, {true, true},        {false, false},
                               {false, true}, {true, false, true}, {false, true, true}};

struct World {
  MachineBase machine;
  unsigned rises = 0;
  bool level = false;
  std::vector<std::pair<u64, u32>> messages;
  pci::Bus bus{0,
               {.dma_read = [this](GuestPhys at, std::span<u8> to) { return machine.dma_read(at, to); },
                .dma_write = [this](GuestPhys at, std::span<const u8> from) { return machine.dma_write(at, from); },
                .set_line = [this](unsigned, bool on) { rises += on && !level, level = on; },
                .route = [](unsigned slot, unsigned pin) { return slot + pin; },
                .addresses_moved = nullptr}};
  virtio::VirtioPci* pci = nullptr;

  World() { REQUIRE(machine.add_ram("ram", GuestPhys{0}, ram_size, false)); }
  void plug(std::unique_ptr<virtio::Device> device, virtio::PciOptions options = {}) {
    if (options.vectors) options.msi = [this](u64 at, u32 data) { messages.emplace_back(at, data); };
    auto f = std::make_unique<virtio::VirtioPci>(std::move(device), "v0", std::move(options));
    pci = f.get();
    REQUIRE(bus.attach(std::move(f), 3));
    bus.reset();
    config(0x10, 4, io_at), config(0x14, 4, msix_at), config(0x20, 4, modern_at), config(0x24, 4, 0);
    config(4, 2, 7);
  }
  u32 config(u32 reg, unsigned size = 4) { return bus.config_read(0, 3 << 3, reg, size); }
  void config(u32 reg, unsigned size, u32 v) { bus.config_write(0, 3 << 3, reg, size, v); }
  u64 in(u64 off, unsigned size) {
    u64 v = ~u64(0);
    CHECK(bus.read(true, io_at + off, size, v));
    return v;
  }
  void out(u64 off, unsigned size, u64 v) { CHECK(bus.write(true, io_at + off, size, v)); }
  u64 mem(u64 off, unsigned size) {
    u64 v = ~u64(0);
    CHECK(bus.read(false, modern_at + off, size, v));
    return v;
  }
  void mem(u64 off, unsigned size, u64 v) { CHECK(bus.write(false, modern_at + off, size, v)); }
  u8* ram(u64 at) { return machine.ram[0].host + at; }
};

struct Buffer {
  u64 at;
  u32 length;
  bool writable = false;
};
struct Used {
  u32 id, length;
};

class Driver {
 public:
  Driver(World& w, Way way) : w(w), way(way), order{!way.modern && way.big_endian} {}

  // The initialisation of §3.1; accepts of `wanted` what is offered.
  void start(u64 wanted = 0) {
    if (way.modern) wanted |= u64(1) << 32;
    if (way.event_index) wanted |= u64(1) << 29;
    set_status(0), set_status(1), set_status(3);
    accept(offered() & wanted);
    if (way.modern) {
      set_status(11);
      REQUIRE(status() == 11);
    }
    for (unsigned n = 0; select(n), queue_size() != 0; ++n) set_up(n);
    set_status(way.modern ? 15 : 7);
  }
  u64 offered() {
    if (!way.modern) return w.in(0, 4);
    w.mem(0, 4, 0);
    const u64 low = w.mem(4, 4);
    w.mem(0, 4, 1);
    return low | w.mem(4, 4) << 32;
  }
  void accept(u64 f) {
    if (!way.modern) return w.out(4, 4, u32(f));
    w.mem(8, 4, 0), w.mem(0x0c, 4, u32(f));
    w.mem(8, 4, 1), w.mem(0x0c, 4, f >> 32);
  }
  u8 status() { return u8(way.modern ? w.mem(0x14, 1) : w.in(0x12, 1)); }
  void set_status(u8 v) { way.modern ? w.mem(0x14, 1, v) : w.out(0x12, 1, v); }
  u8 isr() { return u8(way.modern ? w.mem(isr_at, 1) : w.in(0x13, 1)); }
  void select(unsigned n) { way.modern ? w.mem(0x16, 2, n) : w.out(0x0e, 2, n); }
  unsigned queue_size() { return unsigned(way.modern ? w.mem(0x18, 2) : w.in(0x0c, 2)); }
  void kick(unsigned n) { way.modern ? w.mem(notify_at + 4 * n, 2, n) : w.out(0x10, 2, n); }
  // The device's configuration, byte by byte, as a number of the interface's order.
  template <class T>
  T config(u32 off) {
    u8 b[sizeof(T)];
    for (u32 i = 0; i < sizeof(T); ++i) b[i] = u8(way.modern ? w.mem(device_at + off + i, 1) : w.in(0x14 + off + i, 1));
    return order.get<T>(b);
  }

  struct Ring {
    u64 desc = 0, avail = 0, used = 0;
    u16 size = 0, next_desc = 0, added = 0, seen = 0;
  };
  std::vector<Ring> rings;
  void set_up(unsigned n) {
    Ring r{.desc = rings_at + n * ring_step, .size = u16(queue_size())};
    r.avail = r.desc + 16 * r.size;
    r.used = (r.avail + 6 + 2 * r.size + 4095) & ~u64(4095);
    std::fill_n(w.ram(r.desc), ring_step, u8(0));
    rings.resize(std::max<std::size_t>(rings.size(), n + 1));
    rings[n] = r;
    if (!way.modern) return w.out(8, 4, r.desc >> 12);
    w.mem(0x20, 4, r.desc), w.mem(0x24, 4, 0), w.mem(0x28, 4, r.avail), w.mem(0x2c, 4, 0);
    w.mem(0x30, 4, r.used), w.mem(0x34, 4, 0), w.mem(0x1c, 2, 1);
  }

  template <class T>
  T get(u64 at) {
    return order.get<T>(w.ram(at));
  }
  template <class T>
  void put(u64 at, T v) {
    order.put(w.ram(at), v);
  }
  void describe(u64 table, u16 i, u64 at, u32 length, u16 flags, u16 link) {
    put(table + 16 * i, at), put(table + 16 * i + 8, length);
    put(table + 16 * i + 12, flags), put(table + 16 * i + 14, link);
  }
  void publish(unsigned queue, u16 head) {
    Ring& r = rings[queue];
    put(r.avail + 4 + 2 * (r.added % r.size), head);
    put(r.avail + 2, ++r.added);
  }
  // Makes a chain available; its head.
  u16 add(unsigned queue, const std::vector<Buffer>& buffers) {
    Ring& r = rings[queue];
    const u16 head = u16(r.next_desc % r.size);
    for (std::size_t i = 0; i < buffers.size(); ++i) {
      const Buffer& b = buffers[i];
      const u16 here = u16(r.next_desc++ % r.size);
      describe(r.desc, here, b.at, b.length,
               u16((b.writable ? device_writes : 0) | (i + 1 < buffers.size() ? link_next : 0)),
               u16(r.next_desc % r.size));
    }
    publish(queue, head);
    return head;
  }
  // Asks for an interrupt after the next used chain.
  void want_interrupt(unsigned queue) { put(rings[queue].avail + 4 + 2 * rings[queue].size, rings[queue].seen); }
  void refuse_interrupts(unsigned queue) { put(rings[queue].avail, u16(1)); }
  std::optional<Used> take(unsigned queue) {
    Ring& r = rings[queue];
    if (get<u16>(r.used + 2) == r.seen) return std::nullopt;
    const u64 e = r.used + 4 + 8 * (r.seen++ % r.size);
    return Used{get<u32>(e), get<u32>(e + 4)};
  }
  // Memory for buffers.
  u64 room(u64 n) {
    const u64 at = free_;
    free_ += (n + 15) & ~u64(15);
    REQUIRE(free_ <= ram_size);
    return at;
  }
  u64 bytes(std::span<const u8> b) {
    const u64 at = room(b.size());
    std::ranges::copy(b, w.ram(at));
    return at;
  }
  std::vector<u8> at(u64 from, u64 n) { return {w.ram(from), w.ram(from) + n}; }

  World& w;
  Way way;
  ByteOrder order;

 private:
  u64 free_ = buffers_at;
};

// A device that gives each chain back with what it read, bytes turned upside down.
class Mirror final : public virtio::Device {
 public:
  Mirror()
      : Device({.name = "mirror", .type = 2, .transitional_id = 0x1001, .pci_class = 0xff0000, .config_size = 12}) {
    add_queue(16);
    add_queue(64);
  }
  u64 features() const override { return 1; }
  void fill_config(std::span<u8> config, ByteOrder o) const override {
    o.put(config.data(), number);
    o.put(config.data() + 8, u16(0x1234));
  }
  void config_written(u32, u32, const u8* config, ByteOrder o) noexcept override { number = o.get<u64>(config); }
  void notified(unsigned n) noexcept override {
    ++notifications;
    virtio::Queue& q = *queue(n);
    virtio::Chain c;
    for (u16 left = q.waiting(); left > 0 && q.pop(c); --left) {
      std::vector<u8> b(std::min({virtio::total_length(c.readable), virtio::total_length(c.writable), u64(64 * KiB)}));
      if (!read(c.readable, 0, b)) return;
      for (u8& x : b) x = u8(~x);
      if (!write(c.writable, 0, b)) return;
      q.push(c.head, u32(b.size()));
    }
    q.notify();
  }
  void on_reset() noexcept override { ++resets; }
  using Device::config_changed;

  u64 number = 0x0102'0304'0506'0708;
  unsigned notifications = 0, resets = 0;
};
}  // namespace test_virtio
