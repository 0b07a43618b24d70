#include "peripherals/uart/uart16550.hpp"

#include "tests/unit/bench.hpp"

using namespace test;
using namespace peripherals::uart16550;

namespace {
struct Board : TestWires {
  static constexpr u64 clock_hz = 1'843'200, out2 = 1;
};
struct CbusBoard : TestWires {
  static constexpr u64 clock_hz = 3'686'400, stride = 8;
};
using Port = Bench<Uart16550, Board>;
using CbusPort = Bench<Uart16550, CbusBoard>;

// FIFOs on, trigger level 8, 115200 baud, interrupts let through.
void set_up(Port& b, u8 interrupts) {
  b.write<LCR>(0x83);
  b.write<RBR>(1);
  b.write<IER>(0);
  b.write<LCR>(0x03);
  b.write<IIR>(0x81);
  b.write<MCR>(0x0b);
  b.write<IER>(interrupts);
}
}  // namespace

TEST_CASE("uart16550: registers after reset (table I)") {
  Port b;
  const u8 expected[] = {0x00, 0x00, 0x01, 0x00, 0x00, 0x60, 0xb0, 0x00};
  for (u32 i = 0; i < 8; ++i) CHECK(b.read_at(i, 1) == expected[i]);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("uart16550: reserved bits read 0, which is how Linux tells it from its successors") {
  Port b;
  b.write<IER>(0xff);
  CHECK(b.read<IER>() == 0x0f);
  b.write<MCR>(0xff);
  CHECK(b.read<MCR>() == 0x1f);
  b.write<IIR>(0x21);  // the 16750's long FIFO
  b.write<IER>(0);
  CHECK(b.read<IIR>() == 0xc1);
  b.write<LCR>(0xbf);  // the EFR test
  CHECK(b.read<IIR>() == 0xc1);
  b.write<IIR>(0);
  CHECK(b.read<IIR>() == 0x01);
}
TEST_CASE("uart16550: the divisor latch answers in place of RBR and IER (§8.2)") {
  Port b;
  b.write<LCR>(0x80);
  CHECK(b.read_at(0, 2) == 0x000c);
  b.write_at(0, 2, 0x1234);
  CHECK(b.read<RBR>() == 0x34);
  CHECK(b.read<IER>() == 0x12);
  b.write<LCR>(0);
  CHECK(b.read<IER>() == 0);
  CHECK(b.out.empty());
}
TEST_CASE("uart16550: characters go out, and IIR says that the transmitter is empty once (table IV)") {
  Port b;
  set_up(b, 0x02);
  CHECK(b.pin("irq"));
  CHECK(b.read<IIR>() == 0xc2);
  CHECK_FALSE(b.pin("irq"));
  CHECK(b.read<IIR>() == 0xc1);
  b.write<RBR>('A');
  CHECK(b.out == "A");
  CHECK(b.pin("irq"));
  CHECK(b.read<LSR>() == 0x60);
  b.write<IER>(0);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("uart16550: a host that takes no more fills the transmit FIFO; nothing is lost") {
  Port b;
  set_up(b, 0x02);
  b.read<IIR>();
  b.host_full = true;
  for (char c : std::string_view("0123456789abcdefX")) b.write<RBR>(u8(c));  // one too many
  CHECK(b.read<LSR>() == 0x00);
  CHECK_FALSE(b.pin("irq"));
  b.drain();
  CHECK(b.out == "0123456789abcdef");
  CHECK(b.read<LSR>() == 0x60);
  CHECK(b.read<IIR>() == 0xc2);
}
TEST_CASE("uart16550: received characters interrupt at the trigger level (§8.6.1)") {
  Port b;
  set_up(b, 0x01);
  b.type("1234567");
  CHECK_FALSE(b.pin("irq"));
  CHECK((b.read<LSR>() & 1) == 1);
  b.type("8");
  CHECK(b.pin("irq"));
  CHECK(b.read<IIR>() == 0xc4);
  CHECK(b.read<RBR>() == '1');
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("uart16550: below the level the time-out comes after four characters (§8.6.1)") {
  Port b;
  set_up(b, 0x01);
  b.type("x");
  b.run_for(340_us);  // 4 × 10 bits at 115200 baud are 347 us
  CHECK_FALSE(b.pin("irq"));
  b.run_for(10_us);
  CHECK(b.pin("irq"));
  CHECK(b.read<IIR>() == 0xcc);
  CHECK(b.read<RBR>() == 'x');
  CHECK_FALSE(b.pin("irq"));
  CHECK(b.read<IIR>() == 0xc1);
  CHECK((b.read<LSR>() & 1) == 0);
}
TEST_CASE("uart16550: without FIFOs each character interrupts, and the next one overruns it (§8.3)") {
  Port b;
  b.write<MCR>(0x08);
  b.write<IER>(0x05);
  b.type("a");
  CHECK_FALSE(b.dev.can_receive());
  CHECK(b.read<IIR>() == 0x04);
  b.type("b");
  CHECK(b.read<IIR>() == 0x06);
  CHECK(b.read<LSR>() == 0x63);
  CHECK(b.read<LSR>() == 0x61);
  CHECK(b.read<IIR>() == 0x04);
  CHECK(b.read<RBR>() == 'b');
}
TEST_CASE("uart16550: a break is a NUL with BI, seen when it is next; LSR bit 7 warns before (§8.3)") {
  Port b;
  set_up(b, 0x04);
  b.type("a");
  b.dev.receive_break();
  CHECK_FALSE(b.pin("irq"));
  CHECK(b.read<LSR>() == 0xe1);
  CHECK(b.read<RBR>() == 'a');
  CHECK(b.pin("irq"));
  CHECK(b.read<IIR>() == 0xc6);
  CHECK(b.read<LSR>() == 0xf1);
  CHECK_FALSE(b.pin("irq"));
  CHECK(b.read<RBR>() == 0);
  CHECK(b.read<LSR>() == 0x60);
}
TEST_CASE("uart16550: FCR empties the FIFOs, and so does turning them on or off (§8.4)") {
  Port b;
  set_up(b, 0x01);
  b.type("abcdefgh");
  b.write<IIR>(0x83);
  CHECK_FALSE(b.pin("irq"));
  CHECK((b.read<LSR>() & 1) == 0);
  b.type("abc");
  b.write<IIR>(0x00);
  CHECK((b.read<LSR>() & 1) == 0);
  b.run_for(1_s);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("uart16550: in the diagnostic mode characters and modem lines come back (§8.7)") {
  Port b;
  b.write<MCR>(0x1a);
  CHECK((b.read<MSR>() & 0xf0) == 0x90);  // what Linux looks for
  b.write<RBR>(0xa5);
  CHECK(b.read<RBR>() == 0xa5);
  CHECK(b.out.empty());
  CHECK_FALSE(b.dev.can_receive());
  b.write<MCR>(0x1f);
  CHECK(b.read<MSR>() == 0xf2);  // DSR came; RI counts only when it ends
  b.write<MCR>(0x1b);
  CHECK(b.read<MSR>() == 0xb4);
  CHECK(b.read<MSR>() == 0xb0);
}
TEST_CASE("uart16550: a change of the modem lines interrupts until MSR is read (table IV)") {
  CbusPort b;
  b.write_at(0x08, 4, 0x08);
  b.write_at(0x20, 4, 0x10);
  CHECK(b.pin("irq"));
  CHECK(b.read_at(0x10, 4) == 0x00);
  CHECK(b.read_at(0x30, 4) == 0x0b);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("uart16550: OUT2 opens the interrupt's way on a PC only") {
  Port pc;
  pc.write<IER>(0x02);
  CHECK_FALSE(pc.pin("irq"));
  pc.write<MCR>(0x08);
  CHECK(pc.pin("irq"));
  CbusPort cbus;
  cbus.write_at(0x08, 4, 0x02);
  CHECK(cbus.pin("irq"));
}
TEST_CASE("uart16550: with a stride of 8, accesses of any size and lane reach one register") {
  CbusPort b;
  b.write_at(0x38, 4, 0x5a);
  CHECK(b.read_at(0x38, 1) == 0x5a);
  CHECK(b.read_at(0x3b, 1) == 0x5a);
  CHECK(b.read_at(0x3c, 2) == 0x5a);
  b.write_at(0x00, 4, 'C');
  CHECK(b.out == "C");
  CHECK(b.strays == 0);
}
TEST_CASE("uart16550: wide accesses are bytes, one register each") {
  Port b;
  b.write_at(0x06, 2, 0x7700);
  CHECK(b.read_at(0x07, 1) == 0x77);
  CHECK(b.read_at(0x04, 4) == 0x77b0'6000);
}
TEST_CASE("uart16550: a guest that polls for a character may sleep; one that waits for room may not") {
  Port b;
  b.read<LSR>();
  CHECK(b.repeats_until == never);
  b.host_full = true;
  b.write<RBR>('a');
  b.read<LSR>();
  CHECK(b.repeats_until == 0);
}
