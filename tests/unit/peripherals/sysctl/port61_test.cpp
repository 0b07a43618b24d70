#include "peripherals/sysctl/port61.hpp"

#include "tests/unit/bench.hpp"

using namespace test;
using namespace peripherals::port61;

namespace {
struct Timer2 {
  bool gate = false, out = false;
  bool out2() const { return out; }
  void set_gate2(bool on) { gate = on; }
} timer2;
struct Board : TestWires {
  Timer2& pit() const { return timer2; }
};
}  // namespace

TEST_CASE("port61: bits 0 to 3 as written, 5 is OUT2, 4 turns with RAM refresh") {
  Bench<Port61, Board> b;
  b.write<NMISC>(0xff);
  CHECK(timer2.gate);
  CHECK(b.read<NMISC>() == 0x0f);
  timer2.out = true;
  CHECK(b.read<NMISC>() == 0x2f);
  b.run_for(15'085_ns);
  CHECK(b.read<NMISC>() == 0x3f);
  b.run_for(15'085_ns);
  b.write<NMISC>(0);
  CHECK_FALSE(timer2.gate);
  CHECK(b.read<NMISC>() == 0x20);
}
