#include "peripherals/sysctl/fdc37m817.hpp"

#include "tests/unit/bench.hpp"

using namespace test;
using namespace peripherals::fdc37m817;

namespace {
struct SuperIo : Bench<Fdc37m817> {
  u8 get(u8 at) { return write<CONFIG>(at), u8(read<DATA>()); }
  void put(u8 at, u8 v) { write<CONFIG>(at), write<DATA>(v); }
};
}  // namespace

TEST_CASE("fdc37m817: nothing answers outside the configuration state") {
  SuperIo b;
  CHECK(b.read_at(0, 2) == 0xffff);
  b.put(0x07, 3);
  b.write<CONFIG>(0x55);
  CHECK(b.get(0x07) == 0);
  b.write<CONFIG>(0xaa);
  CHECK(b.read_at(0, 2) == 0xffff);
}
TEST_CASE("fdc37m817: identification and the logical devices' registers") {
  SuperIo b;
  b.write<CONFIG>(0x55);
  CHECK(b.get(0x20) == 0x4d);
  b.put(0x20, 0xff);
  CHECK(b.get(0x20) == 0x4d);
  CHECK(b.get(0x60) == 0x03);  // the floppy controller's default
  CHECK(b.get(0x61) == 0xf0);
  b.put(0x07, 4);
  b.put(0x30, 1), b.put(0x60, 0x03), b.put(0x61, 0xf8), b.put(0x70, 4);
  b.put(0x07, 5);
  CHECK(b.get(0x30) == 0);
  b.put(0x07, 4);
  CHECK(b.get(0x61) == 0xf8);
  b.reset();
  CHECK(b.read<CONFIG>() == 0xff);
  b.write<CONFIG>(0x55);
  b.put(0x07, 4);
  CHECK(b.get(0x61) == 0);
}
TEST_CASE("fdc37m817: Linux turns the floppy controller on as one sequence of bytes") {
  SuperIo b;
  b.write<CONFIG>(0x55);
  b.put(0x07, 0), b.put(0x30, 1);
  CHECK(b.get(0x30) == 1);
  b.write<CONFIG>(0xaa);
}
TEST_CASE("fdc37m817: indexes and devices that do not exist") {
  SuperIo b;
  b.write<CONFIG>(0x55);
  b.put(0x07, 0xff);
  b.put(0x30, 0x5a);
  CHECK(b.get(0x30) == 0);
  b.put(0xff, 0x5a);
  CHECK(b.get(0xff) == 0);
}
