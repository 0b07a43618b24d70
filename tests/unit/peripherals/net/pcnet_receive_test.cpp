// Reception, loopback, and what hostile software does.

#include "pcnet_bench.hpp"

using namespace test;
using namespace test::pcnet_bench;

TEST_CASE("pcnet: a received frame has its check sequence, its length and RINT (RMD1, RMD2)") {
  for (unsigned style : {0u, 2u, 3u}) {
    CAPTURE(style);
    NicBench b(style);
    b.start();
    const Bytes f = frame_to(us, 200);
    b.arrive(f);
    CHECK(b.received(0) == with_fcs(f));
    CHECK((b.status(rx_ring, 0) & 0xff00) == (stp | enp));
    if (style) CHECK((b.status(rx_ring, 0) & 0x70) == 0x40);
    CHECK(b.status(rx_ring, 1) == own);
    CHECK(b.pin("inta"));
    CHECK((b.csr(0) & 0x400) == 0x400);
    CHECK(b.csr(28) == b.descriptor(rx_ring, 1));
  }
}
TEST_CASE("pcnet: short frames arrive padded; ASTRP_RCV strips what a length field does not count (CSR4)") {
  NicBench b;
  b.start();
  b.arrive(frame_to(us, 30));
  CHECK(b.received(0).size() == 64);
  b.csr(4, 0x0515);
  Bytes f = frame_to(us, 60);
  f[12] = 0, f[13] = 10;
  b.arrive(f);
  CHECK(b.received(1) == Bytes(f.begin(), f.begin() + 24));
}
TEST_CASE("pcnet: a frame larger than a buffer goes on in the next (RMD1 STP, ENP)") {
  NicBench b;
  b.start();
  for (u32 n = 0; n < 3; ++n) b.set_descriptor(rx_ring, n, rx_buffers + n * 0x1000, own, 64);
  const Bytes f = with_fcs(frame_to(us, 150));
  b.arrive(frame_to(us, 150));
  CHECK(b.status(rx_ring, 0) == stp);
  CHECK(b.status(rx_ring, 1) == 0);
  CHECK(b.status(rx_ring, 2) == (enp | 0x40));
  CHECK(b.extra(rx_ring, 2) == 154);
  CHECK(std::equal(f.begin() + 64, f.begin() + 128, b.memory.begin() + rx_buffers + 0x1000));
  CHECK(std::equal(f.begin() + 128, f.end(), b.memory.begin() + rx_buffers + 0x2000));
}
TEST_CASE("pcnet: a frame that runs out of buffers ends with BUFF (RMD1)") {
  NicBench b;
  b.start();
  b.set_descriptor(rx_ring, 0, rx_buffers, own, 64);
  b.set_descriptor(rx_ring, 1, rx_buffers + 0x1000, 0, 64);
  b.arrive(frame_to(us, 150));
  CHECK(b.status(rx_ring, 0) == (0x5400 | stp));
  CHECK((b.csr(0) & 0x400) == 0x400);
}
TEST_CASE("pcnet: in a ring of one a frame has one buffer, which is not written once it is given back") {
  NicBench b;
  b.start();
  b.csr(0, 4);
  b.csr(76, 0xffff);  // RCVRL: one descriptor
  b.csr(72, 0xffff);
  b.csr(0, 2);
  b.set_descriptor(rx_ring, 0, rx_buffers, own, 100);
  const Bytes f = frame_to(us, 300);
  b.arrive(f);
  CHECK(b.status(rx_ring, 0) == (0x5400 | stp));
  CHECK(std::equal(f.begin(), f.begin() + 100, b.memory.begin() + rx_buffers));
}
TEST_CASE("pcnet: addresses: own, broadcast, multicast by hash, PROM, DRCVPA, DRCVBC (CSR8 … CSR15)") {
  const Bytes other = frame_to({2, 0, 0, 0, 0, 1}, 60), group = frame_to({0x01, 0x00, 0x5e, 0x00, 0x00, 0x01}, 60);
  const auto takes = [](u16 mode, const Bytes& f, u64 hash = 0) {
    NicBench b;
    b.put(init_at + 12, hash, 8);
    b.start(mode);
    b.arrive(f);
    return b.status(rx_ring, 0) == own ? 0 : b.status(rx_ring, 0) | 1;
  };
  CHECK(takes(0, frame_to(us, 60)) == (stp | enp | 0x40 | 1));
  CHECK(takes(0x2000, frame_to(us, 60)) == 0);
  CHECK(takes(0, frame_to(everybody, 60)) == (stp | enp | 0x10 | 1));
  CHECK(takes(0x4000, frame_to(everybody, 60)) == 0);
  CHECK(takes(0, other) == 0);
  CHECK(takes(0x8000, other) == (stp | enp | 1));
  CHECK(takes(0, group) == 0);
  // The bit Linux' pcnet32 computes: the top six bits of the reversed CRC.
  const u32 bit = ethernet::crc_register(std::span(group).first(6)) >> 26;
  CHECK(takes(0, group, u64(1) << bit) == (stp | enp | 0x20 | 1));
  CHECK(takes(0, group, ~(u64(1) << bit)) == 0);
  CHECK(takes(1, frame_to(us, 60)) == 0);
}
TEST_CASE("pcnet: a frame without a descriptor waits a poll interval, then is missed (CSR0 MISS, CSR112)") {
  NicBench b;
  b.start();
  for (u32 n = 0; n < 4; ++n) b.arrive(frame_to(us, 60 + n));
  b.arrive(frame_to(us, 70));
  CHECK((b.csr(0) & 0x1000) == 0);
  b.set_descriptor(rx_ring, 0, rx_buffers, own, 1536);
  b.csr(0, 0x440);  // the driver acknowledges: the chip looks again
  CHECK(b.received(0).size() == 74);
  b.arrive(frame_to(us, 71));
  b.run_for(10_ms);
  CHECK((b.csr(0) & 0x1000) == 0x1000);
  CHECK(b.csr(112) == 1);
  CHECK(b.plug.to_guest.empty());
}
TEST_CASE("pcnet: a stopped controller loses frames") {
  NicBench b;
  b.arrive(frame_to(us, 60));
  CHECK(b.plug.to_guest.empty());
  b.start();
  CHECK(b.status(rx_ring, 0) == own);
}
TEST_CASE("pcnet: internal loopback returns the frame with its check sequence and sends none (CSR15)") {
  NicBench b;
  b.start(0x44);
  b.queue(0, frame_to(us, 80));
  b.send();
  CHECK(b.wire.empty());
  CHECK(b.received(0) == with_fcs(frame_to(us, 80)));
  SUBCASE("a wrong software check sequence is told (RMD1 CRC)") {
    b.csr(0, 4);
    b.start(0x4c);
    Bytes f = with_fcs(frame_to(us, 80));
    f.back() ^= 1;
    b.queue(0, f);
    b.send();
    CHECK((b.status(rx_ring, 0) & 0x4800) == 0x4800);
    CHECK(b.received(0) == f);
  }
}
TEST_CASE("pcnet: BSWP reverses the bytes of each word of data, not of structures (CSR3)") {
  NicBench b;
  b.start();
  b.csr(3, 4);
  const Bytes f = frame_to(us, 61);
  b.arrive(f);
  const Bytes sent = with_fcs(f);
  for (u32 i = 0; i < sent.size(); ++i) CHECK(b.memory[(rx_buffers + i) ^ 3] == sent[i]);
  for (u32 i = 0; i < f.size(); ++i) b.memory[(tx_buffers + 2 + i) ^ 3] = f[i];
  b.set_descriptor(tx_ring, 0, tx_buffers + 2, own | stp | enp, u32(f.size()));
  b.send();
  REQUIRE(b.wire.size() == 1);
  CHECK(b.wire[0] == f);
}
TEST_CASE("pcnet: 16-bit structures take their upper address byte from IADR (CSR2)") {
  const Style s{0, 0x12};
  const DescriptorBytes d{0x78, 0x56, 0x34, 0x83, 0x00, 0xf8};
  CHECK(read_descriptor(d, s).buffer == 0x1234'5678);
  CHECK(read_descriptor(d, s).status == 0x8300);
  CHECK(read_descriptor(d, s).length() == 2048);
}
TEST_CASE("pcnet: UINTCMD interrupts by itself (CSR4)") {
  NicBench b;
  b.start();
  b.csr(0, 0x140);
  CHECK_FALSE(b.pin("inta"));
  b.csr(4, 0x0195);
  CHECK(b.pin("inta"));
  CHECK(b.csr(4) == 0x0155);
  b.csr(4, 0x0155);
  CHECK_FALSE(b.pin("inta"));
}
TEST_CASE("pcnet: without an EEPROM PREAD finds nothing valid (BCR19)") {
  NicBench b;
  b.bcr(19, 0x4000);
  CHECK((b.bcr(19) & 0xe000) == 0);
}
TEST_CASE("pcnet: structures outside memory end all activity (MERR, CSR5 SINT)") {
  NicBench b;
  SUBCASE("initialization block") {
    b.csr(2, 0xf000);
    b.csr(0, 1);
  }
  SUBCASE("rings") {
    b.start();
    b.csr(0, 4);
    b.csr(25, 0x8000), b.csr(31, 0x8000);
    b.csr(0, 2);
    SUBCASE("transmit") { b.send(); }
    SUBCASE("receive") { b.arrive(frame_to(us, 60)); }
  }
  SUBCASE("buffers") {
    b.start();
    SUBCASE("transmit") {
      b.set_descriptor(tx_ring, 0, 0xffff'fff0, own | stp | enp, 100);
      b.send();
    }
    SUBCASE("transmit, second of a chain") {
      b.set_descriptor(tx_ring, 0, tx_buffers, own | stp, 100);
      b.set_descriptor(tx_ring, 1, 0xf000'0000, own | enp, 100);
      b.send();
    }
    SUBCASE("receive") {
      b.set_descriptor(rx_ring, 0, u32(MiB) - 10, own, 1536);
      b.arrive(frame_to(us, 60));
    }
  }
  CHECK((b.csr(0) & 0x0837) == 0x0804);
  CHECK((b.csr(5) & 0x0800) == 0x0800);
  CHECK(b.wire.empty());
}
TEST_CASE("pcnet: endless chains and rings of owned descriptors end") {
  NicBench b;
  b.start();
  b.csr(0, 4);
  b.csr(78, 0);  // 65536 descriptors
  b.csr(30, 0), b.csr(31, 0);
  std::fill(b.memory.begin(), b.memory.end(), u8(0xfc));  // owned, no STP, no ENP
  b.csr(0, 2);
  b.send();
  b.run_for(1_ms);
  CHECK(b.wire.empty());
  b.csr(0, 4);
  for (u32 n = 0; n < 1000; ++n) b.set_descriptor(0, n, tx_buffers, own | (n ? 0 : stp), 4096);
  b.csr(0, 2);
  b.send();
  CHECK(b.wire.empty());
}
TEST_CASE("pcnet: any accesses, memory and frames leave it defined") {
  u32 seed = 5;
  const auto next = [&] { return (seed = seed * 1664525 + 1013904223) >> 7; };
  for (unsigned round = 0; round < 60; ++round) {
    NicBench b(round % 4);
    for (u8& c : b.memory) c = u8(next());
    if (round % 2) b.start(u16(round * 0x101 & 0xe0ff));
    for (int i = 0; i < 2000; ++i) {
      const u32 off = next() % 0x24;
      switch (next() % 8) {
        case 0: b.write_at(off, 1u << next() % 3, next()); break;
        case 1: b.read_at(off, 1u << next() % 4); break;
        case 2: b.csr(next() % 128, next()); break;
        case 3: b.bcr(next() % 128, next()); break;
        case 4: b.csr(0, next() & 0x7f4b); break;
        case 5: b.arrive(frame_to(next() % 2 ? us : everybody, 14 + next() % (next() % 4 ? 1600 : 6000))); break;
        case 6: b.memory[next() % b.memory.size()] ^= u8(next()); break;
        default: b.run_for(next() % 30'000'000);
      }
      b.wire.clear();
    }
  }
}
