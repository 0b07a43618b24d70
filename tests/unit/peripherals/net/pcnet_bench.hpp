#pragma once
// A driver of the PCnet on the test bench.

#include "peripherals/net/pcnet.hpp"

#include "tests/unit/bench.hpp"

namespace test::pcnet_bench {
using namespace peripherals;
using namespace peripherals::pcnet;

struct Board : TestWires {
  void inta(bool on) const { drive("inta", on); }
};
using Bytes = std::vector<u8>;
inline constexpr u32 init_at = 0x1000, rx_ring = 0x2000, tx_ring = 0x3000, rx_buffers = 0x10000, tx_buffers = 0x40000;
inline const Bytes us{0x52, 0x54, 0x00, 0x12, 0x34, 0x56}, everybody(6, 0xff);
inline constexpr u16 own = 0x8000, stp = 0x0200, enp = 0x0100;

// A driver with four descriptors each way, in the structures of `style`.
struct NicBench : Bench<Pcnet, Board> {
  NetPort plug;
  std::vector<Bytes> wire;  // frames sent
  unsigned style;

  explicit NicBench(unsigned s = 2) : style(s) {
    plug.mac = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
    plug.host_wake = [this] {
      for (Bytes f; plug.to_host.pop(f);) wire.push_back(f);
    };
    nic = &plug;
    reset();
  }
  // Ports, 16-bit until `wide`.
  bool wide = false;
  void rap(u32 n) { wide ? write_at(0x14, 4, n) : write_at(0x12, 2, n); }
  u32 csr(u32 n) { return rap(n), u32(wide ? read_at(0x10, 4) : read_at(0x10, 2)); }
  void csr(u32 n, u32 v) { rap(n), wide ? write_at(0x10, 4, v) : write_at(0x10, 2, v); }
  u32 bcr(u32 n) { return rap(n), u32(wide ? read_at(0x1c, 4) : read_at(0x16, 2)); }
  void bcr(u32 n, u32 v) { rap(n), wide ? write_at(0x1c, 4, v) : write_at(0x16, 2, v); }

  void put(u32 at, u64 v, unsigned size) {
    for (unsigned i = 0; i < size; ++i) memory[at + i] = u8(v >> 8 * i);
  }
  u32 get(u32 at, unsigned size) const {
    u32 v = 0;
    for (unsigned i = 0; i < size; ++i) v |= u32(memory[at + i]) << 8 * i;
    return v;
  }
  bool wide_structures() const { return style != 0; }
  u32 descriptor(u32 ring, u32 n) const { return ring + n * (wide_structures() ? 16 : 8); }
  void set_descriptor(u32 ring, u32 n, u32 buffer, u16 status, u32 length) {
    const u32 at = descriptor(ring, n), count = u16(-length) | 0xf000;
    if (!wide_structures()) {
      put(at, buffer | u32(status >> 8) << 24, 4);
      put(at + 4, count, 4);
      return;
    }
    put(at + (style == 3 ? 8 : 0), buffer, 4);
    put(at + 4, count | u32(status) << 16, 4);
    put(at + (style == 3 ? 0 : 8), 0, 4);
  }
  u16 status(u32 ring, u32 n) const {
    const u32 at = descriptor(ring, n);
    return u16(wide_structures() ? get(at + 6, 2) : get(at + 3, 1) << 8);
  }
  // MCNT, or the error bits with BUFF in bit 31.
  u32 extra(u32 ring, u32 n) const {
    const u32 at = descriptor(ring, n);
    if (!wide_structures()) return ring == tx_ring ? get(at + 6, 2) << 16 : get(at + 6, 2);
    return get(at + (style == 3 ? 0 : 8), 4);
  }

  void start(u16 mode = 0) {
    bcr(20, style);
    const u32 tail = wide_structures() ? 20 : 16;
    put(init_at, mode, 2);
    for (u32 i = 0; i < 6; ++i) memory[init_at + (wide_structures() ? 4 : 2) + i] = us[i];
    if (wide_structures()) {
      put(init_at + 2, 0x2020, 2);
      put(init_at + tail, rx_ring, 4), put(init_at + tail + 4, tx_ring, 4);
    } else {
      put(init_at + tail, rx_ring | 2u << 29, 4), put(init_at + tail + 4, tx_ring | 2u << 29, 4);
    }
    for (u32 n = 0; n < 4; ++n) set_descriptor(rx_ring, n, rx_buffers + n * 0x1000, own, 1536);
    csr(1, init_at), csr(2, 0);
    csr(0, 0x01);
    REQUIRE((csr(0) & 0x0101) == 0x0101);
    csr(0, 0x0142);
  }
  void queue(u32 n, const Bytes& data, u16 flags = own | stp | enp) {
    std::copy(data.begin(), data.end(), memory.begin() + tx_buffers + n * 0x1000);
    set_descriptor(tx_ring, n, tx_buffers + n * 0x1000, flags, u32(data.size()));
  }
  void send() { csr(0, 0x48); }
  void arrive(const Bytes& frame) {
    plug.to_guest.push(frame);
    plug.arrived();
  }
  Bytes received(u32 n) const {
    const auto from = memory.begin() + rx_buffers + n * 0x1000;
    return {from, from + (extra(rx_ring, n) & 0xfff)};
  }
};
inline Bytes frame_to(Bytes station, u32 size) {
  Bytes f = std::move(station);
  while (f.size() < size) f.push_back(u8(0x60 + f.size() * 3));
  return f;
}
inline Bytes with_fcs(Bytes f) {
  const u32 c = ethernet::frame_check(f);
  for (int i = 0; i < 4; ++i) f.push_back(u8(c >> 8 * i));
  return f;
}
}  // namespace test::pcnet_bench
