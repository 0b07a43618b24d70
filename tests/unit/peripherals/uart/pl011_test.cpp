#include "peripherals/uart/pl011.hpp"

#include "tests/unit/bench.hpp"

namespace {
using namespace test;
using namespace peripherals::pl011;

struct Board : TestWires {
  static constexpr u64 clock_hz = 24'000'000;
};
// A UART as Linux leaves it: 38400 baud, FIFOs on, receiver and transmitter on.
struct Uart : Bench<Pl011, Board> {
  Uart() {
    write<UARTIBRD>(39);
    write<UARTFBRD>(4);
    write<UARTLCR_H>(0x70);
    write<UARTCR>(0x301);
    write<UARTIMSC>(0x7ff);
  }
};
constexpr u64 bit_ns = 1'000'000'000 / 38400;

TEST_CASE("pl011: reset values (table 3-1)") {
  Bench<Pl011, Board> b;
  CHECK(b.read<UARTFR>() == 0x90);
  CHECK(b.read<UARTCR>() == 0x300);
  CHECK(b.read<UARTIFLS>() == 0x12);
  CHECK(b.read<UARTRIS>() == 0);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("pl011: identification words spell 0x00141011 and B105F00D (§3.3.15)") {
  Bench<Pl011, Board> b;
  const u32 expected[8] = {0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1};
  for (u32 i = 0; i < 8; ++i) CHECK(b.read_at(0xfe0 + 4 * i) == expected[i]);
}
TEST_CASE("pl011: a written character leaves at once and raises TX (§2.8.3)") {
  Uart b;
  b.write<UARTDR>('A');
  CHECK(b.out == "A");
  CHECK(b.read<UARTRIS>() == 0x20);
  CHECK(b.read<UARTFR>() == 0x90);
}
TEST_CASE("pl011: TX stays until UARTICR (§3.3.13)") {
  Uart b;
  b.write<UARTDR>('A');
  b.write<UARTICR>(0x20);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("pl011: registers take 16-bit and 8-bit accesses") {
  Uart b;
  b.write_at(0x000, 2, 0x0141);
  b.write_at(0x000, 1, 'b');
  CHECK(b.out == "Ab");
  CHECK(b.strays == 0);
}
TEST_CASE("pl011: a host that takes no more shows as full transmit FIFO (§3.3.3)") {
  Uart b;
  b.host_full = true;
  CHECK(b.read<UARTFR>() == 0x38);
}
TEST_CASE("pl011: TX waits until the host takes characters again") {
  Uart b;
  b.host_full = true;
  b.write<UARTDR>('A');
  CHECK(b.read<UARTRIS>() == 0);
  b.drain();
  CHECK(b.read<UARTRIS>() == 0x20);
}
TEST_CASE("pl011: host_drained raises no TX that nobody waits for") {
  Uart b;
  b.drain();
  CHECK(b.read<UARTRIS>() == 0);
}
TEST_CASE("pl011: transmitting while UARTEN is 0 works and is reported") {
  Bench<Pl011, Board> b;
  b.write<UARTDR>('A');
  CHECK(b.out == "A");
  CHECK(b.guest_errors == 1);
}
TEST_CASE("pl011: a receiver that is off takes nothing (§3.3.8)") {
  Uart b;
  b.write<UARTCR>(0x101);
  CHECK_FALSE(b.dev.can_receive());
  b.type("a");
  CHECK(b.read<UARTFR>() == 0x90);
}
TEST_CASE("pl011: RX rises at the trigger level, 8 by default (§3.3.9)") {
  Uart b;
  b.type("1234567");
  CHECK(b.read<UARTRIS>() == 0);
  b.type("8");
  CHECK(b.read<UARTRIS>() == 0x10);
}
TEST_CASE("pl011: each UARTIFLS code has its level (§3.3.9)") {
  const u32 level[5] = {2, 4, 8, 12, 14};
  for (u32 code = 0; code < 5; ++code) {
    Uart b;
    b.write<UARTIFLS>(code << 3);
    b.type(std::string(level[code] - 1, 'x'));
    CHECK(b.read<UARTRIS>() == 0);
    b.type("x");
    CHECK(b.read<UARTRIS>() == 0x10);
  }
}
TEST_CASE("pl011: RX falls when reading takes the FIFO below the trigger (§2.8.2)") {
  Uart b;
  b.type("12345678");
  CHECK(b.read<UARTDR>() == '1');
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("pl011: without FIFOs one character raises RX (§2.8.2)") {
  Uart b;
  b.write<UARTLCR_H>(0x60);
  b.type("a");
  CHECK(b.read<UARTRIS>() == 0x10);
  CHECK(b.read<UARTFR>() == 0xc0);
}
TEST_CASE("pl011: a lone character raises RT after 32 bit periods, not before (§2.8.4)") {
  Uart b;
  b.type("a");
  b.run_for(31 * bit_ns);
  CHECK(b.read<UARTRIS>() == 0);
  b.run_for(2 * bit_ns);
  CHECK(b.read<UARTRIS>() == 0x40);
  CHECK(b.pin("irq"));
}
TEST_CASE("pl011: the next character restarts the receive timeout (§2.8.4)") {
  Uart b;
  b.type("a");
  b.run_for(20 * bit_ns);
  b.type("b");
  b.run_for(20 * bit_ns);
  CHECK(b.read<UARTRIS>() == 0);
}
TEST_CASE("pl011: RT falls when the FIFO is read empty (§2.8.4)") {
  Uart b;
  b.type("ab");
  b.run_for(40 * bit_ns);
  b.read<UARTDR>();
  CHECK(b.pin("irq"));
  b.read<UARTDR>();
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("pl011: reading an empty FIFO repeats the last character without effect (§3.3.1)") {
  Uart b;
  b.type("a");
  b.read<UARTDR>();
  CHECK(b.read<UARTDR>() == 'a');
  CHECK(b.read<UARTFR>() == 0x90);
}
TEST_CASE("pl011: 16 characters fill the FIFO, in order") {
  Uart b;
  b.type("0123456789abcdef");
  CHECK(b.read<UARTFR>() == 0xc0);
  std::string got;
  while (!(b.read<UARTFR>() & 0x10)) got += char(b.read<UARTDR>());
  CHECK(got == "0123456789abcdef");
}
TEST_CASE("pl011: the seventeenth character is lost and raises OE (table 3-2)") {
  Uart b;
  b.type("0123456789abcdefX");
  CHECK((b.read<UARTRIS>() & 0x400) != 0);
  CHECK((b.read<UARTRSR>() & 8) != 0);
  CHECK(b.read<UARTDR>() == (0x800 | '0'));
  CHECK(b.read<UARTDR>() == '1');
}
TEST_CASE("pl011: a break is a zero character with BE (table 3-2)") {
  Uart b;
  b.dev.receive_break();
  CHECK((b.read<UARTRIS>() & 0x200) != 0);
  CHECK(b.read<UARTDR>() == 0x400);
  CHECK(b.read<UARTRSR>() == 4);
}
TEST_CASE("pl011: any write to UARTECR clears the errors (§3.3.2)") {
  Uart b;
  b.dev.receive_break();
  b.read<UARTDR>();
  b.write<UARTRSR>(0);
  CHECK(b.read<UARTRSR>() == 0);
}
TEST_CASE("pl011: changing FEN empties the FIFO (§3.3.7)") {
  Uart b;
  b.type("12345678");
  b.write<UARTLCR_H>(0x60);
  CHECK(b.read<UARTFR>() == 0x90);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("pl011: loopback returns characters and keeps them from the host (§3.3.8)") {
  Uart b;
  b.write<UARTCR>(0x381);
  b.write<UARTDR>('z');
  b.type("h");
  CHECK(b.out.empty());
  CHECK(b.read<UARTDR>() == 'z');
  CHECK(b.read<UARTFR>() == 0x90);
}
TEST_CASE("pl011: UARTMIS and the pin follow the mask (§3.3.10)") {
  Uart b;
  b.write<UARTIMSC>(0);
  b.write<UARTDR>('A');
  CHECK(b.read<UARTMIS>() == 0);
  CHECK_FALSE(b.pin("irq"));
  b.write<UARTIMSC>(0x20);
  CHECK(b.read<UARTMIS>() == 0x20);
  CHECK(b.pin("irq"));
}
TEST_CASE("pl011: a divisor of 0 still times out (hostile or lazy guest)") {
  Uart b;
  b.write<UARTIBRD>(0);
  b.write<UARTFBRD>(0);
  b.type("a");
  b.run_for(1_ms);
  CHECK(b.read<UARTRIS>() == 0x40);
}
TEST_CASE("pl011: UARTDMACR stores its three bits (§3.3.14)") {
  Uart b;
  b.write<UARTDMACR>(0xff);
  CHECK(b.read<UARTDMACR>() == 7);
}
TEST_CASE("pl011: reset drops the line, the FIFO and the timeout") {
  Uart b;
  b.type("12345678");
  b.reset();
  CHECK_FALSE(b.pin("irq"));
  b.run_for(1_s);
  CHECK(b.read<UARTRIS>() == 0);
}
TEST_CASE("pl011: an offset without a register reads 0 and is reported") {
  Uart b;
  CHECK(b.read_at(0x50) == 0);
  CHECK(b.strays == 1);
}
}  // namespace
TEST_CASE("pl011: a guest that polls for a character may sleep; one that waits for room may not") {
  Bench<Pl011, Board> b;
  b.read<UARTFR>();
  CHECK(b.repeats_until == never);
  b.host_full = true;
  b.read<UARTFR>();
  CHECK(b.repeats_until == 0);
}
