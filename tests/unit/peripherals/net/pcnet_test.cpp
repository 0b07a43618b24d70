// Registers and transmission; see pcnet_receive_test.cpp for the other direction.

#include "pcnet_bench.hpp"

using namespace test;
using namespace test::pcnet_bench;

TEST_CASE("pcnet: reset values and chip identity (CSR0, CSR4, CSR88, BCRs)") {
  NicBench b;
  CHECK(b.csr(0) == 0x0004);
  CHECK(b.csr(4) == 0x0115);
  CHECK(b.csr(58) == 0x0200);
  CHECK(b.csr(80) == 0x1410);
  CHECK((b.csr(89) << 16 | b.csr(88)) == 0x0262'1003);
  CHECK(b.bcr(0) == 5);
  CHECK(b.bcr(2) == 2);
  CHECK(b.bcr(18) == 0x9001);
  CHECK(b.bcr(20) == 0x0200);
  CHECK_FALSE(b.pin("inta"));
}
TEST_CASE("pcnet: the address PROM holds the station address, its sum and WW; CSR12 to 14 begin with it") {
  NicBench b;
  for (u32 i = 0; i < 6; ++i) CHECK(b.read_at(i, 1) == us[i]);
  CHECK(b.read_at(0, 4) == 0x1200'5452);
  CHECK(b.read_at(14, 2) == 0x5757);
  u32 sum = 0;
  for (u32 i = 0; i < 16; ++i)
    if (i != 12 && i != 13) sum += u32(b.read_at(i, 1));
  CHECK(b.read_at(12, 2) == sum);
  CHECK(b.csr(12) == 0x5452);
  CHECK(b.csr(14) == 0x5634);
  b.write_at(0, 1, 9);
  CHECK(b.read_at(0, 1) == 0x52);
  b.bcr(2, 0x102);
  b.write_at(0, 2, 0x0a0b);
  CHECK(b.read_at(0, 2) == 0x0a0b);
}
TEST_CASE("pcnet: a doubleword write to RDP turns the ports 32 bits wide, a reset turns them back (BCR18)") {
  NicBench b;
  CHECK(b.read_at(0x10, 4) == 0xffff'ffff);
  b.write_at(0x10, 4, 0);
  b.wide = true;
  CHECK((b.bcr(18) & 0x80) == 0x80);
  CHECK(b.csr(0) == 4);
  CHECK(b.csr(88) == 0x0262'1003);
  CHECK(b.read_at(0x12, 2) == 0xffff);
  b.rap(88);
  CHECK(b.read_at(0x14, 4) == 88);
  CHECK(b.read_at(0x18, 4) == 0);
  b.wide = false;
  CHECK(b.read_at(0x12, 2) == 0);
  CHECK(b.csr(0) == 4);
}
TEST_CASE("pcnet: the reset port ends activity but keeps the BCRs (S_RESET)") {
  NicBench b;
  b.start();
  b.bcr(9, 1);
  CHECK(b.pin("inta") == false);
  CHECK(b.read_at(0x14, 2) == 0);
  CHECK(b.csr(0) == 4);
  CHECK(b.bcr(9) == 1);
  CHECK(b.bcr(20) == 0x0302);
  CHECK(b.csr(1) == init_at);
}
TEST_CASE("pcnet: initialization loads mode, address, filter and rings (initialization block)") {
  for (unsigned style : {0u, 2u, 3u}) {
    CAPTURE(style);
    NicBench b(style);
    const u32 filter = style ? 12 : 8;
    b.put(init_at + filter, 0x8001'0203'0405'0607, 8);
    b.start(0x8000);
    CHECK(b.csr(15) == 0x8000);
    CHECK(b.csr(8) == 0x0607);
    CHECK(b.csr(11) == 0x8001);
    CHECK(b.csr(12) == 0x5452);
    CHECK(b.csr(24) == rx_ring);
    CHECK(b.csr(30) == tx_ring);
    CHECK(b.csr(76) == 0xfffc);
    CHECK(b.csr(72) == 0xfffc);
    CHECK((b.csr(0) & 0x37) == 0x33);
    CHECK(b.csr(6) == 0x2200);
  }
}
TEST_CASE("pcnet: IDON interrupts while IENA is set and IDONM is clear (CSR0, CSR3)") {
  NicBench b;
  b.bcr(20, 2);
  b.csr(1, init_at);
  b.csr(0, 0x41);
  CHECK(b.pin("inta"));
  CHECK((b.csr(0) & 0x80) == 0x80);
  b.csr(3, 0x100);
  CHECK_FALSE(b.pin("inta"));
  b.csr(3, 0);
  CHECK(b.pin("inta"));
  b.csr(0, 0x100);  // acknowledges, and IENA goes with it
  CHECK_FALSE(b.pin("inta"));
  CHECK((b.csr(0) & 0x140) == 0);
}
TEST_CASE("pcnet: STOP clears all of CSR0, also when written with INIT and STRT") {
  NicBench b;
  b.start();
  b.csr(0, 0x07);
  CHECK(b.csr(0) == 4);
}
TEST_CASE("pcnet: structures are fixed while the controller runs, free when it is suspended (CSR5 SPND)") {
  NicBench b;
  b.start();
  b.csr(24, 0x1230);
  CHECK(b.csr(24) == rx_ring);
  b.bcr(20, 0);
  CHECK(b.bcr(20) == 0x0302);
  CHECK(b.guest_errors == 2);
  b.csr(5, 1);
  b.csr(24, 0x1230);
  CHECK(b.csr(24) == 0x1230);
  b.queue(0, frame_to(everybody, 64));
  b.send();
  CHECK(b.wire.empty());
  b.csr(5, 0);
  b.send();
  CHECK(b.wire.size() == 1);
}
TEST_CASE("pcnet: TDMD sends what is owned, in order, and TINT tells (TMD1)") {
  for (unsigned style : {0u, 2u, 3u}) {
    CAPTURE(style);
    NicBench b(style);
    b.start();
    const Bytes f = frame_to(everybody, 100), g = frame_to(us, 1514);
    b.queue(0, f), b.queue(1, g);
    b.send();
    REQUIRE(b.wire.size() == 2);
    CHECK(b.wire[0] == f);
    CHECK(b.wire[1] == g);
    CHECK(b.status(tx_ring, 0) == (stp | enp));
    CHECK(b.extra(tx_ring, 1) == 0);
    CHECK(b.pin("inta"));
    CHECK((b.csr(0) & 0x208) == 0x200);
    for (u32 n : {2u, 3u, 0u, 1u}) b.queue(n, f);
    b.send();
    CHECK(b.wire.size() == 6);
    CHECK(b.csr(74) == 0xfffe);
    CHECK(b.csr(34) == b.descriptor(tx_ring, 2));
  }
}
TEST_CASE("pcnet: without TDMD the poll finds the frame, unless DPOLL is set (CSR4)") {
  NicBench b;
  b.start();
  b.queue(0, frame_to(everybody, 100));
  b.run_for(50_ms);
  CHECK(b.wire.size() == 1);
  b.csr(4, 0x1115);
  b.queue(1, frame_to(everybody, 100));
  b.run_for(50_ms);
  CHECK(b.wire.size() == 1);
}
TEST_CASE("pcnet: a frame in several buffers is one on the wire (TMD1 STP, ENP)") {
  NicBench b;
  b.start();
  const Bytes f = frame_to(everybody, 300);
  b.queue(0, Bytes(f.begin(), f.begin() + 14), own | stp);
  b.queue(1, Bytes(f.begin() + 14, f.begin() + 15), own);
  b.queue(2, Bytes(f.begin() + 15, f.end()), own | enp);
  b.send();
  REQUIRE(b.wire.size() == 1);
  CHECK(b.wire[0] == f);
  CHECK(b.status(tx_ring, 1) == 0);
  CHECK(b.status(tx_ring, 2) == enp);
}
TEST_CASE("pcnet: a chain that breaks off is an underflow and turns the transmitter off (TMD2, CSR3 DXSUFLO)") {
  for (unsigned style : {0u, 2u}) {
    NicBench b(style);
    b.start();
    b.queue(0, frame_to(everybody, 60), own | stp);
    b.send();
    CHECK(b.wire.empty());
    CHECK(b.status(tx_ring, 0) == (0x4000 | stp));
    CHECK(b.extra(tx_ring, 0) == 0xc000'0000);
    CHECK((b.csr(0) & 0x210) == 0x200);
  }
}
TEST_CASE("pcnet: APAD_XMT pads, and a software check sequence is not sent twice (CSR4, CSR15 DXMTFCS, TMD1 ADD_FCS)") {
  NicBench b;
  b.start(0x08);
  const Bytes f = frame_to(everybody, 80);
  b.queue(0, with_fcs(f));
  b.queue(1, f, own | stp | enp | 0x2000);
  b.send();
  REQUIRE(b.wire.size() == 2);
  CHECK(b.wire[0] == f);
  CHECK(b.wire[1] == f);
  b.csr(4, 0x0915);
  b.queue(2, frame_to(everybody, 20), own | stp | enp | 0x2000);
  b.send();
  CHECK(b.wire.back().size() == 60);
}
TEST_CASE("pcnet: TOKINTD leaves out TINT but for frames that ask (CSR5 LTINTEN, TMD1 LTINT)") {
  NicBench b;
  b.start();
  b.csr(5, 0xc000);
  b.queue(0, frame_to(everybody, 60));
  b.send();
  CHECK((b.csr(0) & 0x200) == 0);
  b.queue(1, frame_to(everybody, 60), own | stp | enp | 0x1000);
  b.send();
  CHECK((b.csr(0) & 0x200) == 0x200);
}
TEST_CASE("pcnet: without a link frames fail with LCAR and the LED is dark (TMD2, CSR0 CERR, BCR4)") {
  NicBench b;
  b.start();
  CHECK(b.bcr(4) == 0x80c0);
  b.plug.link_up = false;
  b.plug.arrived();
  CHECK(b.bcr(4) == 0x00c0);
  b.queue(0, frame_to(everybody, 60));
  b.send();
  CHECK(b.wire.empty());
  CHECK(b.status(tx_ring, 0) == (0x4000 | stp | enp));
  CHECK(b.extra(tx_ring, 0) == 0x0800'0000);
  CHECK((b.csr(0) & 0xa000) == 0xa000);
}
TEST_CASE("pcnet: a frame over 1518 bytes is babble (CSR0 BABL)") {
  NicBench b;
  b.start();
  b.queue(0, frame_to(everybody, 1515));
  b.send();
  CHECK((b.csr(0) & 0x4000) == 0x4000);
  CHECK(b.wire.size() == 1);
}
