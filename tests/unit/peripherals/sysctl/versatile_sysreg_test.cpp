#include "peripherals/sysctl/versatile_sysreg.hpp"

#include "tests/unit/bench.hpp"

namespace {
using namespace test;
using namespace peripherals::versatile_sysreg;

struct Board : TestWires {
  static constexpr u64 sys_id = 0x41007004;
};
using Sysreg = Bench<VersatileSysreg, Board>;

TEST_CASE("versatile_sysreg: SYS_ID is the board's") {
  Sysreg b;
  b.write<SYS_ID>(0);
  CHECK(b.read<SYS_ID>() == 0x41007004);
}
TEST_CASE("versatile_sysreg: reset values") {
  Sysreg b;
  CHECK(b.read<SYS_LOCK>() == 0x10000);
  CHECK(b.read<SYS_PCICTL>() == 1);
  CHECK(b.read<SYS_CLCD>() == 0x1f00);
  CHECK(b.read<SYS_PROCID0>() == 0x02000000);
  CHECK(b.read<SYS_PROCID1>() == 0xff000000);
  CHECK(b.read<SYS_OSC>(4) == 0);
  CHECK(b.read<SYS_RESETCTL>() == 0);
}
TEST_CASE("versatile_sysreg: eight LEDs keep what was written") {
  Sysreg b;
  b.write<SYS_LED>(0x1ff);
  CHECK(b.read<SYS_LED>() == 0xff);
}
TEST_CASE("versatile_sysreg: only the key opens the lock, which reads back") {
  Sysreg b;
  b.write<SYS_LOCK>(0xa05f);
  CHECK(b.read<SYS_LOCK>() == 0xa05f);
  b.write<SYS_LOCK>(0);
  CHECK(b.read<SYS_LOCK>() == 0x10000);
  b.write<SYS_LOCK>(0xffff1234);
  CHECK(b.read<SYS_LOCK>() == 0x11234);
}
TEST_CASE("versatile_sysreg: oscillators take values only when unlocked (Linux sets OSC4 so)") {
  Sysreg b;
  b.write<SYS_OSC>(4, 0x10c04);
  CHECK(b.read<SYS_OSC>(4) == 0);
  b.write<SYS_LOCK>(0xa05f);
  b.write<SYS_OSC>(4, 0xfff10c04);
  b.write<SYS_LOCK>(0);
  CHECK(b.read_at(0x1c) == 0x10c04);
  CHECK(b.read_at(0x18) == 0);
}
TEST_CASE("versatile_sysreg: configuration data and oscillator resets are locked too") {
  Sysreg b;
  b.write<SYS_CFGDATA>(1, 5);
  b.write<SYS_OSCRESET>(0, 5);
  CHECK(b.read<SYS_CFGDATA>(1) == 0);
  CHECK(b.read<SYS_OSCRESET>(0) == 0);
  b.write<SYS_LOCK>(0xa05f);
  b.write<SYS_CFGDATA>(1, 5);
  b.write<SYS_OSCRESET>(0, 6);
  CHECK(b.read<SYS_CFGDATA>(1) == 5);
  CHECK(b.read<SYS_OSCRESET>(0) == 6);
}
TEST_CASE("versatile_sysreg: SYS_24MHZ counts 24 per microsecond and wraps at 32 bits") {
  Sysreg b;
  b.run_for(1_us);
  CHECK(b.read<SYS_24MHZ>() == 24);
  b.run_for(179_s);
  CHECK(b.read<SYS_24MHZ>() == u32(24ull * 179'000'001));
}
TEST_CASE("versatile_sysreg: SYS_24MHZ is exact after a year") {
  Sysreg b;
  b.run_for(365 * 86'400 * 1_s + 999'999'999);
  CHECK(b.read<SYS_24MHZ>() == u32(365ull * 86'400 * 24'000'000 + 23'999'999));
}
TEST_CASE("versatile_sysreg: SYS_100HZ counts hundredths of a second") {
  Sysreg b;
  b.run_for(1'019_ms);
  CHECK(b.read<SYS_100HZ>() == 101);
}
TEST_CASE("versatile_sysreg: flags are set and cleared by bit and cleared by reset") {
  Sysreg b;
  b.write<SYS_FLAGS>(0x0f);
  b.write<SYS_FLAGS>(0xf0);
  b.write<SYS_FLAGSCLR>(0x81);
  CHECK(b.read<SYS_FLAGS>() == 0x7e);
  b.reset();
  CHECK(b.read<SYS_FLAGS>() == 0);
}
TEST_CASE("versatile_sysreg: NVFLAGS survive a reset") {
  Sysreg b;
  b.write<SYS_NVFLAGS>(0xff);
  b.write<SYS_NVFLAGSCLR>(0x81);
  b.reset();
  CHECK(b.read<SYS_NVFLAGS>() == 0x7e);
}
TEST_CASE("versatile_sysreg: RESETCTL resets the system when unlocked (Linux reboot)") {
  Sysreg b;
  b.write<SYS_LOCK>(0xa05f);
  b.write<SYS_RESETCTL>(0x105);
  CHECK(b.resets == 1);
}
TEST_CASE("versatile_sysreg: RESETCTL does nothing while locked or without bit 8") {
  Sysreg b;
  b.write<SYS_RESETCTL>(0x105);
  CHECK(b.read<SYS_RESETCTL>() == 0);
  b.write<SYS_LOCK>(0xa05f);
  b.write<SYS_RESETCTL>(0x005);
  CHECK(b.read<SYS_RESETCTL>() == 5);
  CHECK(b.resets == 0);
}
TEST_CASE("versatile_sysreg: SYS_MCI shows cards and write protection") {
  Sysreg b;
  b.set_line(0, true);
  b.set_line(3, true);
  CHECK(b.read<SYS_MCI>() == 9);
  b.reset();
  CHECK(b.read<SYS_MCI>() == 9);
  b.set_line(0, false);
  CHECK(b.read<SYS_MCI>() == 8);
}
TEST_CASE("versatile_sysreg: the panel id cannot be written (Linux writes 1F17)") {
  Sysreg b;
  b.write<SYS_CLCD>(0x0017);
  CHECK(b.read<SYS_CLCD>() == 0x1f17);
  CHECK(b.dev.display_mode() == 3);
}
TEST_CASE("versatile_sysreg: PCICTL reads 1 whatever is written") {
  Sysreg b;
  b.write<SYS_PCICTL>(0);
  CHECK(b.read<SYS_PCICTL>() == 1);
}
TEST_CASE("versatile_sysreg: an offset without a register reads 0 and is reported") {
  Sysreg b;
  CHECK(b.read_at(0x70) == 0);
  CHECK(b.strays == 1);
}
}  // namespace
