#include "peripherals/audio/pl041.hpp"

#include "tests/unit/bench.hpp"

using namespace test;
using namespace peripherals::pl041;

namespace {
struct AaciBench : Bench<Pl041> {
  AaciBench() {
    write<AACIRESET>(1);
    write<AACIMAINCR>(0x79);  // interface on, slots 1 and 2 both ways
  }
  u16 codec(u8 address) {
    write<AACISL1TX>(u32(address) << 12 | 1u << 19);
    return u16(read<AACISL2RX>() >> 4);
  }
  void codec(u8 address, u16 v) {
    write<AACISL2TX>(u32(v) << 4);
    write<AACISL1TX>(u32(address) << 12);
  }
};
constexpr u32 on = 1, stereo = 1u << 4 | 1u << 3, compact = 1u << 15, fifo_on = 1u << 16;
constexpr u32 txfe = 2, txhe = 8, txff = 0x20, txund = 0x200;
}  // namespace

TEST_CASE("pl041: the id tells one channel and the FIFO depth (DDI 0173B §3.3.20)") {
  AaciBench b;
  CHECK(b.read_at(0xfe0) == 0x41);
  CHECK(b.read_at(0xfe4) == 0x10);
  CHECK(b.read_at(0xfe8) == 0x04);
  CHECK(b.read_at(0xfec) == 0x29);
}
TEST_CASE("pl041: reset status is empty FIFOs and free slots (§3.3.3, §3.3.10)") {
  AaciBench b;
  CHECK(b.read<AACISR>(0) == 0xb);
  CHECK(b.read<AACISLFR>() == 0xa80);
}
TEST_CASE("pl041: a codec register is read through slots 1 and 2 (§3.3.6)") {
  AaciBench b;
  b.write<AACISL1TX>(0x7cu << 12 | 1u << 19);
  CHECK((b.read<AACISLFR>() & 0x140) == 0x140);
  CHECK(b.read<AACISL1RX>() == 0x7cu << 12);
  CHECK(b.read<AACISL2RX>() == 0x4e53u << 4);
  CHECK((b.read<AACISLFR>() & 0x140) == 0);
}
TEST_CASE("pl041: a codec register is written, register 0 resets the codec (LM4549 register map)") {
  AaciBench b;
  b.codec(0x02, 0x1234);
  CHECK(b.codec(0x02) == 0x1234);
  b.codec(0x00, 0);
  CHECK(b.codec(0x02) == 0x8008);
  CHECK(b.codec(0x00) == 0x0d50);
}
TEST_CASE("lm4549: the rate is settable with VRA only, and kept in range") {
  AaciBench b;
  b.codec(0x2c, 8000);
  CHECK(b.codec(0x2c) == 48000);
  b.codec(0x2a, 1);
  b.codec(0x2c, 8000);
  CHECK(b.codec(0x2c) == 8000);
  b.codec(0x2c, 0);
  CHECK(b.codec(0x2c) == 4000);
}
TEST_CASE("pl041: without slots the FIFO takes 512 words and does not drain (Linux sound/arm/aaci.c)") {
  AaciBench b;
  b.write<AACITXCR>(0, on | fifo_on);
  int words = 0;
  for (; !(b.read<AACISR>(0) & txff) && words < 4096; ++words) {
    b.write_at(0x90 + words % 8 * 4, 4, 0);
    b.run_for(100_us);
  }
  CHECK(words == 512);
  b.write<AACITXCR>(0, 0);
  CHECK((b.read<AACISR>(0) & txfe));
}
TEST_CASE("pl041: samples leave at the codec's rate, the interrupt comes at half empty (§3.3.4)") {
  AaciBench b;
  b.write<AACIIE>(0, 0x4);
  b.write<AACITXCR>(0, on | fifo_on | compact | stereo);
  CHECK(b.pin("irq"));
  for (int i = 0; i < 512; ++i) b.write_at(0x90, 4, 0);
  CHECK_FALSE(b.pin("irq"));
  CHECK((b.read<AACISR>(0) & txff));
  b.run_for(5_ms);  // 512 of 1024 samples take 5.33 ms at 96000 a second
  CHECK_FALSE(b.pin("irq"));
  b.run_for(1_ms);
  CHECK(b.pin("irq"));
  CHECK(b.read<AACIALLINTS>() == 0x4);
  CHECK((b.read<AACISR>(0) & (txhe | txfe)) == txhe);
}
TEST_CASE("pl041: an empty FIFO underruns, AACIINTCLR clears it (§3.3.13)") {
  AaciBench b;
  b.write<AACIIE>(0, 0x20);
  b.write<AACITXCR>(0, on | fifo_on | stereo);
  b.write_at(0x90, 4, 0);
  b.run_for(1_ms);
  CHECK(b.pin("irq"));
  CHECK((b.read<AACISR>(0) & txund));
  b.write<AACIINTCLR>(1u << 5);
  CHECK_FALSE(b.pin("irq"));
}
TEST_CASE("pl041: an access after the FIFO ran empty, before its timer was served, loses no interrupt") {
  AaciBench b;
  b.write<AACITXCR>(0, on | fifo_on | stereo);
  b.write_at(0x90, 4, 0);
  b.now += 1_ms;
  b.write<AACIIE>(0, 0x20);
  CHECK(b.pin("irq"));
  CHECK(b.timers.next() == never);
}
TEST_CASE("pl041: disabling the interface empties the FIFO (§3.3.14)") {
  AaciBench b;
  b.write<AACITXCR>(0, on | fifo_on);
  b.write_at(0x90, 4, 0);
  CHECK((b.read<AACISR>(0) & txfe) == 0);
  b.write<AACIMAINCR>(0);
  CHECK((b.read<AACISR>(0) & txfe));
  CHECK(b.timers.next() == never);
}
TEST_CASE("pl041: data for the absent channels 2 to 4 goes nowhere") {
  AaciBench b;
  b.write_at(0xb0, 4, 1);
  b.write_at(0x10c, 4, 1);
  CHECK(b.guest_errors == 2);
  CHECK(b.read<AACISR>(3) == 0xb);
}
