#include "peripherals/net/smc91c111.hpp"

#include "tests/unit/bench.hpp"

using namespace test;
using namespace peripherals::smc91c111;

namespace {
using Bytes = std::vector<u8>;

struct NicBench : Bench<Smc91c111> {
  std::vector<Bytes> wire;  // frames sent
  NetPort plug;

  NicBench() {
    plug.mac = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
    plug.host_wake = [this] {
      for (Bytes f; plug.to_host.pop(f);) wire.push_back(f);
    };
    nic = &plug;
    reset();
  }
  void arrive(const Bytes& frame) {
    plug.to_guest.push(frame);
    plug.arrived();
  }
  void set_link(bool up) {
    plug.link_up = up;
    plug.arrived();
  }
  void bank(u32 n) { write_at(0xe, 2, n); }
  u32 get(u32 n, u32 off, unsigned size = 2) {
    bank(n);
    return u32(read_at(off, size));
  }
  void put(u32 n, u32 off, u32 v, unsigned size = 2) {
    bank(n);
    write_at(off, size, v);
  }
  void mmu(u32 op) { put(2, 0, op << 5); }
  u32 interrupts() { return get(2, 0xc, 1); }

  // As a driver does it: allocate, point, fill, queue.
  void queue(const Bytes& frame) {
    mmu(1);
    put(2, 2, get(2, 3, 1), 1);
    put(2, 6, 0x4000);
    const u32 even = u32(frame.size()) & ~1u;
    const bool odd = frame.size() & 1;
    write_at(8, 2, 0);
    write_at(8, 2, even + 6);
    for (u32 i = 0; i < even; i += 2) write_at(8, 2, frame[i] | frame[i + 1] << 8);
    write_at(8, 2, odd ? 0x2000u | frame.back() : 0);
    mmu(6);
  }
  Bytes take() {
    put(2, 6, 0xe000);
    read_at(8, 2);
    const u32 count = u32(read_at(8, 2));
    Bytes data;
    for (u32 i = 4; i < count - 2; ++i) data.push_back(u8(read_at(8, 1)));
    const u32 last = u32(read_at(8, 2));
    if (last & 0x2000) data.push_back(u8(last));
    mmu(4);
    return data;
  }
  u16 mii(bool write, u32 phy, u32 reg, u16 value = 0) {
    bank(3);
    const auto clock = [&](u32 bits) {
      write_at(8, 2, bits);
      const bool in = read_at(8, 2) & 2;
      write_at(8, 2, bits | 4);
      return in;
    };
    const u64 head = u64(0xffff'ffff) << 14 | (write ? 5 : 6) << 10 | phy << 5 | reg;
    for (int i = 45; i >= 0; --i) clock(8 | (head >> i & 1));
    u32 in = 0;
    for (int i = 17; i >= 0; --i) {
      const u32 out = (2u << 16 | value) >> i & 1;
      in = in << 1 | clock(write ? 8 | out : 0);
    }
    return u16(in);
  }
};
Bytes frame_to(Bytes station, u32 size) {
  Bytes f = std::move(station);
  while (f.size() < size) f.push_back(u8(f.size() * 3));
  return f;
}
const Bytes us{0x52, 0x54, 0x00, 0x12, 0x34, 0x56}, everybody{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
constexpr u32 rx_on = 0x300, tx_on = 0x81;  // RXEN | STRIP_CRC, TXENA | PAD_EN
}  // namespace

TEST_CASE("smc91c111: the bank register reads 0x33 in its high byte in every bank (§8.2)") {
  NicBench b;
  for (u32 n = 0; n < 8; ++n) {
    b.bank(n);
    CHECK(b.read_at(0xe, 2) == (0x3300 | n));
  }
}
TEST_CASE("smc91c111: reset values (§8)") {
  NicBench b;
  CHECK(b.get(0, 0x0) == 0);
  CHECK(b.get(0, 0x2) == 0x4000);
  CHECK(b.get(0, 0x8) == 0x0404);
  CHECK(b.get(1, 0x0) == 0xa0b1);
  CHECK(b.get(1, 0xc) == 0x1210);
  CHECK(b.get(2, 0x4) == 0x8080);
  CHECK(b.get(2, 0xc) == 0x04);
  CHECK(b.get(3, 0xa) == 0x3391);
  CHECK((b.get(3, 0x8) & 0xff0d) == 0x3300);
}
TEST_CASE("smc91c111: the station address is the board's, in three halfwords (§8.12)") {
  NicBench b;
  CHECK(b.get(1, 0x4) == 0x5452);
  CHECK(b.get(1, 0x6) == 0x1200);
  CHECK(b.get(1, 0x8) == 0x5634);
  CHECK(b.get(1, 0x5, 1) == 0x54);
  CHECK(b.get(1, 0x4, 4) == 0x1200'5452);
}
TEST_CASE("smc91c111: a doubleword write at 0xC selects the bank only (§8.2)") {
  NicBench b;
  b.put(1, 0xc, 0x3ffff, 4);
  CHECK(b.read_at(0xe, 2) == 0x3303);
  CHECK(b.get(1, 0xc) == 0x1210);
}
TEST_CASE("smc91c111: byte writes change one half of a register") {
  NicBench b;
  b.put(1, 0xb, 0x12, 1);
  b.put(1, 0xa, 0x34, 1);
  CHECK(b.get(1, 0xa) == 0x1234);
}
TEST_CASE("smc91c111: allocation gives four packets, then fails until one is released (§8.16, §8.18)") {
  NicBench b;
  b.put(2, 0xd, 0x8, 1);
  for (u32 n = 0; n < 4; ++n) {
    b.mmu(1);
    CHECK(b.get(2, 3, 1) == n);
    CHECK(b.pin("irq"));
  }
  CHECK(b.get(0, 0x8) == 0x0004);
  b.mmu(1);
  CHECK(b.get(2, 3, 1) == 0x80);
  CHECK_FALSE(b.pin("irq"));
  b.put(2, 2, 2, 1);
  b.mmu(5);
  CHECK(b.get(2, 3, 1) == 2);
  CHECK(b.pin("irq"));
}
TEST_CASE("smc91c111: a queued frame is sent and its packet waits to be acknowledged (§8.20)") {
  NicBench b;
  b.put(0, 0, tx_on);
  b.put(2, 0xd, 0x2, 1);
  const Bytes f = frame_to(everybody, 101);
  b.queue(f);
  REQUIRE(b.wire.size() == 1);
  CHECK(b.wire[0] == f);
  CHECK(b.pin("irq"));
  CHECK(b.get(2, 4, 1) == 0);
  b.put(2, 6, 0x6000);
  CHECK(b.read_at(8, 2) == 0x4001);
  b.put(2, 0xc, 0x2, 1);
  CHECK_FALSE(b.pin("irq"));
  CHECK(b.get(2, 4, 1) == 0x80);
}
TEST_CASE("smc91c111: AUTO_RELEASE frees the packet and raises no TX interrupt (§8.15)") {
  NicBench b;
  b.put(0, 0, tx_on);
  b.put(1, 0xc, 0x1a10);
  b.queue(frame_to(everybody, 100));
  CHECK(b.wire.size() == 1);
  CHECK((b.interrupts() & 2) == 0);
  CHECK(b.get(0, 0x8) == 0x0404);
}
TEST_CASE("smc91c111: PAD_EN makes short frames 60 bytes (§8.5)") {
  NicBench b;
  b.put(0, 0, tx_on);
  b.queue(frame_to(everybody, 20));
  REQUIRE(b.wire.size() == 1);
  CHECK(b.wire[0].size() == 60);
  CHECK(b.wire[0][59] == 0);
}
TEST_CASE("smc91c111: frames wait while TXENA is 0 and TX_EMPTY tells (§8.5, §8.20)") {
  NicBench b;
  b.queue(frame_to(everybody, 100));
  CHECK(b.wire.empty());
  CHECK((b.interrupts() & 4) == 0);
  b.put(0, 0, tx_on);
  CHECK(b.wire.size() == 1);
  CHECK((b.interrupts() & 4) == 4);
}
TEST_CASE("smc91c111: without a plug frames are sent into nothing and the link is down") {
  NicBench b;
  b.nic = nullptr;
  b.reset();
  b.put(0, 0, tx_on);
  b.queue(frame_to(everybody, 100));
  CHECK((b.interrupts() & 2) == 2);
  CHECK(b.wire.empty());
  CHECK(b.get(1, 0x4, 4) == 0);
  CHECK(b.mii(false, 0, 1) == 0x7809);
}
TEST_CASE("smc91c111: frames beyond the free packets wait in the plug until one is released (§8.16)") {
  NicBench b;
  b.put(0, 4, rx_on);
  for (u8 n = 0; n < 6; ++n) b.arrive(frame_to(us, 64 + n));
  CHECK((b.interrupts() & 0x10) == 0);
  for (u32 n = 0; n < 6; ++n) CHECK(b.take() == frame_to(us, 64 + n));
  CHECK((b.interrupts() & 1) == 0);
}
TEST_CASE("smc91c111: a receiver that is off loses frames (§8.8)") {
  NicBench b;
  b.arrive(frame_to(us, 64));
  b.put(0, 4, rx_on);
  CHECK((b.interrupts() & 1) == 0);
  CHECK(b.plug.to_guest.empty());
}
TEST_CASE("smc91c111: the link is told by EPHSR, the PHY, and both their interrupts (§8.6, §8.15, §9)") {
  NicBench b;
  b.put(2, 0xd, 0xa0, 1);
  b.set_link(false);
  CHECK_FALSE(b.pin("irq"));  // LE_EN is off, the PHY's mask is on
  CHECK(b.get(0, 2) == 0);
  CHECK(b.mii(false, 0, 1) == 0x7809);
  CHECK(b.mii(false, 0, 18) == 0x4000);
  b.mii(true, 0, 19, 0xbfc0);
  b.set_link(true);
  CHECK(b.pin("irq"));
  CHECK(b.interrupts() == 0x84);
  CHECK(b.mii(false, 0, 18) == 0x80c0);
  CHECK(b.mii(false, 0, 18) == 0x00c0);
  CHECK_FALSE(b.pin("irq"));
  b.mii(true, 0, 19, 0xffc0);
  b.put(1, 0xc, 0x1290);
  b.set_link(false);
  CHECK(b.interrupts() == 0x24);
  CHECK(b.pin("irq"));
  b.put(1, 0xc, 0x1210);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("smc91c111: nothing is sent while the link is down") {
  NicBench b;
  b.put(0, 0, tx_on);
  b.set_link(false);
  b.queue(frame_to(everybody, 100));
  CHECK(b.wire.empty());
}
TEST_CASE("smc91c111: a received frame raises RCV until it is removed (§8.20)") {
  NicBench b;
  b.put(0, 4, rx_on);
  b.put(2, 0xd, 0x1, 1);
  const Bytes f = frame_to(us, 100);
  CHECK(b.dev.receive_frame(f));
  CHECK(b.pin("irq"));
  CHECK(b.get(2, 5, 1) == 0);
  CHECK(b.take() == f);
  CHECK_FALSE(b.pin("irq"));
  CHECK(b.get(2, 5, 1) == 0x80);
  CHECK(b.get(0, 0x8) == 0x0404);
}
TEST_CASE("smc91c111: an odd frame has its last byte beside the control byte (figure 7.3)") {
  NicBench b;
  b.put(0, 4, rx_on);
  const Bytes f = frame_to(everybody, 101);
  CHECK(b.dev.receive_frame(f));
  b.put(2, 6, 0xe000);
  CHECK(b.read_at(8, 4) == (0x5000u | 106u << 16));  // BRODCAST, ODDFRM, count
  b.put(2, 6, 0xa000 + 104);
  CHECK(b.read_at(8, 2) == (0x6000u | f.back()));
  CHECK(b.take() == f);
}
TEST_CASE("smc91c111: without STRIP_CRC the FCS follows (§8.8)") {
  NicBench b;
  b.put(0, 4, 0x100);
  CHECK(b.dev.receive_frame(frame_to(us, 100)));
  CHECK(b.take().size() == 104);
}
TEST_CASE("smc91c111: short frames arrive padded") {
  NicBench b;
  b.put(0, 4, rx_on);
  CHECK(b.dev.receive_frame(frame_to(us, 42)));
  CHECK(b.take().size() == 60);
}
TEST_CASE("smc91c111: frames for others are filtered, PRMS takes all (§8.8)") {
  NicBench b;
  const Bytes f = frame_to({2, 0, 0, 0, 0, 1}, 64);
  b.put(0, 4, rx_on);
  CHECK_FALSE(b.dev.receive_frame(f));
  b.put(0, 4, rx_on | 2);
  CHECK(b.dev.receive_frame(f));
}
TEST_CASE("smc91c111: multicast goes by the hash table or ALMUL (§8.25)") {
  NicBench b;
  const Bytes f = frame_to({0x01, 0x00, 0x5e, 0x00, 0x00, 0x01}, 64);
  b.put(0, 4, rx_on);
  CHECK_FALSE(b.dev.receive_frame(f));
  for (u32 i = 0; i < 8; i += 2) b.put(3, i, 0xffff);
  CHECK(b.dev.receive_frame(f));
  b.take();
  unsigned bits = 0;  // exactly one of the 64 lets this address in
  for (u32 bit = 0; bit < 64; ++bit) {
    for (u32 i = 0; i < 8; ++i) b.put(3, i, i == bit / 8 ? 1u << bit % 8 : 0, 1);
    if (b.dev.receive_frame(f)) {
      ++bits;
      b.take();
    }
  }
  CHECK(bits == 1);
  for (u32 i = 0; i < 8; ++i) b.put(3, i, 0, 1);
  b.put(0, 4, rx_on | 4);
  CHECK(b.dev.receive_frame(f));
}
TEST_CASE("smc91c111: no free packet drops the frame and raises RX_OVRN (§8.20)") {
  NicBench b;
  b.put(0, 4, rx_on);
  for (int i = 0; i < 4; ++i) CHECK(b.dev.receive_frame(frame_to(us, 64)));
  CHECK_FALSE(b.dev.receive_frame(frame_to(us, 64)));
  CHECK((b.interrupts() & 0x10));
  b.put(2, 0xc, 0x10, 1);
  CHECK_FALSE((b.interrupts() & 0x10));
}
TEST_CASE("smc91c111: frames that cannot be are refused") {
  NicBench b;
  b.put(0, 4, rx_on | 2);
  CHECK_FALSE(b.dev.receive_frame({}));
  CHECK_FALSE(b.dev.receive_frame(Bytes(13)));
  CHECK(b.dev.receive_frame(Bytes(largest_frame)));
  CHECK_FALSE(b.dev.receive_frame(Bytes(largest_frame + 1)));
  b.put(0, 4, 2);
  CHECK_FALSE(b.dev.receive_frame(Bytes(64)));
}
TEST_CASE("smc91c111: EPH_LOOP returns the frame instead of sending it (§8.5)") {
  NicBench b;
  b.put(0, 4, rx_on);
  b.put(0, 0, tx_on | 0x2000);
  const Bytes f = frame_to(us, 80);
  b.queue(f);
  CHECK(b.wire.empty());
  CHECK(b.take() == f);
}
TEST_CASE("smc91c111: the pointer moves only with AUTO_INCR (§8.19)") {
  NicBench b;
  b.mmu(1);
  b.put(2, 2, 0, 1);
  b.put(2, 6, 0x4010);
  b.write_at(8, 4, 0x4433'2211);
  CHECK(b.get(2, 6) == 0x4014);
  b.put(2, 6, 0x2010);
  CHECK(b.read_at(8, 1) == 0x11);
  CHECK(b.read_at(9, 1) == 0x22);
  CHECK(b.read_at(10, 2) == 0x4433);
  CHECK(b.get(2, 6) == 0x2010);
}
TEST_CASE("smc91c111: the PHY answers management frames at address 0 with the link up (§7.7.13)") {
  NicBench b;
  CHECK(b.mii(false, 0, 2) == 0x0016);
  CHECK(b.mii(false, 0, 3) == 0xf840);
  CHECK(b.mii(false, 0, 1) == 0x782d);
  CHECK(b.mii(false, 5, 2) == 0);
  b.mii(true, 0, 4, 0x0061);
  CHECK(b.mii(false, 0, 4) == 0x0061);
  b.mii(true, 0, 0, 0x8000);
  CHECK(b.mii(false, 0, 0) == 0x3000);
  CHECK(b.mii(false, 0, 4) == 0x01e1);
}
TEST_CASE("smc91c111: SOFT_RST keeps the station address and drops packets (§8.8)") {
  NicBench b;
  b.put(1, 4, 0xaabb);
  b.mmu(1);
  b.put(0, 4, 0x8000);
  CHECK(b.get(0, 4) == 0);
  CHECK(b.get(0, 8) == 0x0404);
  CHECK(b.get(1, 4) == 0xaabb);
}
TEST_CASE("smc91c111: offsets past the registers are strays") {
  NicBench b;
  CHECK(b.read_at(0x10, 2) == 0);
  b.write_at(0xf, 4, 0);
  CHECK(b.strays == 2);
}
TEST_CASE("smc91c111: any accesses and frames leave it defined") {
  NicBench b;
  u32 seed = 3;
  const auto next = [&] { return seed = seed * 1664525 + 1013904223; };
  for (int i = 0; i < 100000; ++i) {
    const u32 off = next() >> 28;
    const unsigned size = 1u << (next() >> 30) % 3;
    if (next() >> 31) b.read_at(off, size);
    else b.write_at(off, size, next() >> 7);
    if (i % 64 == 0) b.dev.receive_frame(Bytes((next() >> 16) % 2100, 0xff));
    b.wire.clear();
  }
  b.reset();
  CHECK(b.get(0, 8) == 0x0404);
}
