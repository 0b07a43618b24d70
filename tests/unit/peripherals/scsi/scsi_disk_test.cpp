#include "peripherals/scsi/scsi_bus.hpp"

#include "tests/unit/peripherals/scsi/fake_drive.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>

using namespace peripherals::scsi;
using test::FakeDrive;

namespace {
// One drive at target 3; run() carries a command through its stages, the medium answering at once.
struct Fixture {
  FakeDrive drive;
  Bus bus;
  std::vector<u8> in;
  u8 status = 0xff;

  explicit Fixture(bool cdrom = false, u64 size = MiB) : drive(size, cdrom) {
    bus.attach(3, &drive.port);
    run({0});  // takes the unit attention of power-on
  }
  Command command(std::initializer_list<int> cdb, u8 lun = 0) {
    Command c;
    c.target = 3, c.lun = lun;
    std::copy(cdb.begin(), cdb.end(), c.cdb.begin());
    return c;
  }
  u8 run(std::initializer_list<int> cdb, std::vector<u8> out = {}, u8 lun = 0) {
    in.clear();
    Command& c = bus.begin(command(cdb, lun));
    std::size_t sent = 0;
    while (c.stage != Stage::done) {
      REQUIRE_FALSE(c.waits());
      if (c.stage == Stage::data_in) {
        std::vector<u8> piece(4096);
        piece.resize(bus.take(c, piece));
        in.insert(in.end(), piece.begin(), piece.end());
      } else {
        std::vector<u8> piece(512);
        if (!out.empty())
          std::copy_n(out.begin() + long(sent), std::min<std::size_t>(512, out.size() - sent), piece.begin());
        sent += bus.put(c, piece);
      }
    }
    status = c.status;
    bus.finish(c);
    return status;
  }
  Sense sense() {
    run({3, 0, 0, 0, 18});
    REQUIRE(in.size() == 18);
    CHECK(in[0] == 0x70);
    return {in[2], in[12], in[13]};
  }
};
std::string text(const std::vector<u8>& d, std::size_t at, std::size_t n) {
  return {d.begin() + long(at), d.begin() + long(at + n)};
}
}  // namespace

TEST_CASE("scsi disk: power-on is a unit attention, told once (SAM-3 §5.9.7)") {
  FakeDrive drive(MiB);
  Bus bus;
  bus.attach(3, &drive.port);
  Command c;
  c.target = 3;
  CHECK(bus.begin(c).status == status_check);
  Fixture f;
  f.bus.reset(sense::bus_reset);
  CHECK(f.run({0x12, 0, 0, 0, 36}) == status_good);
  CHECK(f.run({0}) == status_check);
  CHECK(f.sense() == sense::bus_reset);
  CHECK(f.run({0}) == status_good);
  CHECK(f.sense() == sense::none);
}

TEST_CASE("scsi disk: INQUIRY, its pages, and units that are not there (SPC-3 §6.4)") {
  Fixture f;
  f.drive.port.serial = "A1B2";
  CHECK(f.run({0x12, 0, 0, 0, 36}) == status_good);
  REQUIRE(f.in.size() == 36);
  CHECK(f.in[0] == 0);
  CHECK(text(f.in, 8, 8) == "PINSTRAP");
  CHECK(f.run({0x12, 0, 0, 0, 5}) == status_good);
  CHECK(f.in.size() == 5);
  f.run({0x12, 1, 0, 0, 255});
  CHECK(f.in == std::vector<u8>{0, 0, 0, 6, 0, 0x80, 0x83, 0xb0, 0xb1, 0xb2});
  f.run({0x12, 1, 0x80, 0, 255});
  CHECK(text(f.in, 4, 4) == "A1B2");
  f.run({0x12, 1, 0x83, 0, 255});
  CHECK(f.in[7] == f.in.size() - 8);
  f.run({0x12, 1, 0xb0, 0, 255});
  CHECK(f.in.size() == 64);
  f.run({0x12, 1, 0xb2, 0, 255});
  CHECK(f.in[5] == 0xe0);
  CHECK(f.run({0x12, 1, 0x44, 0, 255}) == status_check);
  CHECK(f.sense() == sense::invalid_field);
  CHECK(f.run({0x12, 0, 0, 0, 36}, {}, 2) == status_good);
  CHECK(f.in[0] == 0x7f);
  CHECK(f.run({0}, {}, 2) == status_check);
  CHECK(f.run({0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 16}) == status_good);
  CHECK(f.in == std::vector<u8>{0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("scsi disk: reads and writes of all lengths reach the medium (SBC-3 §5)") {
  Fixture f;
  for (auto cdb : {std::initializer_list<int>{0x08, 0, 0, 5, 2},
                   {0x28, 0, 0, 0, 0, 5, 0, 0, 2, 0},
                   {0xa8, 0, 0, 0, 0, 5, 0, 0, 0, 2, 0, 0},
                   {0x88, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 2, 0, 0}}) {
    CHECK(f.run(cdb) == status_good);
    REQUIRE(f.in.size() == 1024);
    CHECK(f.in[1] == FakeDrive::pattern(5 * 512 + 1));
  }
  f.run({0x08, 0, 0, 0, 0});
  CHECK(f.in.size() == 256 * 512);
  u8 fill = 0x11;
  for (auto cdb : {std::initializer_list<int>{0x0a, 0, 0, 7, 1},
                   {0x2a, 0, 0, 0, 0, 7, 0, 0, 1, 0},
                   {0xaa, 0, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0},
                   {0x8a, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0},
                   {0x2e, 0, 0, 0, 0, 7, 0, 0, 1, 0}}) {
    CHECK(f.run(cdb, std::vector<u8>(512, ++fill)) == status_good);
    CHECK(f.drive.medium[7 * 512] == fill);
    CHECK(f.drive.medium[8 * 512] == FakeDrive::pattern(8 * 512));
  }
  CHECK(f.drive.seen.back().fua);
  f.run({0x2a, 8, 0, 0, 0, 7, 0, 0, 1, 0}, std::vector<u8>(512, 1));
  CHECK(f.drive.seen.back().fua);
  f.run({0x2a, 0, 0, 0, 0, 7, 0, 0, 1, 0}, std::vector<u8>(512, 1));
  CHECK_FALSE(f.drive.seen.back().fua);
}

TEST_CASE("scsi disk: a long transfer moves in pieces") {
  Fixture f;
  CHECK(f.run({0x28, 0, 0, 0, 0, 1, 0, 4, 0, 0}) == status_good);
  REQUIRE(f.in.size() == 1024 * 512);
  CHECK(f.in.back() == FakeDrive::pattern(1025 * 512 - 1));
  CHECK(f.drive.seen.size() == 2);
}

TEST_CASE("scsi disk: addresses past the end, unknown commands and write protection say why (SBC-3 §4.4)") {
  Fixture f;
  CHECK(f.run({0x28, 0, 0, 0, 8, 0, 0, 0, 1, 0}) == status_check);
  CHECK(f.sense() == sense::out_of_range);
  CHECK(f.run({0x28, 0, 0, 0, 7, 255, 0, 0, 2, 0}) == status_check);
  CHECK(f.run({0x28, 0, 0, 0, 7, 255, 0, 0, 1, 0}) == status_good);
  CHECK(f.run({0x88, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0}) == status_check);
  CHECK(f.sense() == sense::out_of_range);
  CHECK(f.run({0xd5}) == status_check);
  CHECK(f.sense() == sense::invalid_opcode);
  f.drive.port.read_only = true;
  CHECK(f.run({0x2a, 0, 0, 0, 0, 7, 0, 0, 1, 0}) == status_check);
  CHECK(f.sense() == sense::write_protected);
  f.drive.error = BlockError::io;
  CHECK(f.run({0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0}) == status_check);
  CHECK(f.sense() == sense::read_error);
}

TEST_CASE("scsi disk: READ CAPACITY in both lengths (SBC-3 §5.12, §5.13)") {
  Fixture f;
  f.run({0x25});
  CHECK(f.in == std::vector<u8>{0, 0, 7, 255, 0, 0, 2, 0});
  f.run({0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32});
  REQUIRE(f.in.size() == 32);
  CHECK(be64(f.in.data()) == 2047);
  CHECK(f.in[14] == 0x80);
}

TEST_CASE("scsi disk: the write cache is switched by MODE SELECT, nothing else is (SPC-3 §6.7)") {
  Fixture f;
  f.run({0x1a, 0, 0x3f, 0, 255});
  CHECK(f.in[0] == f.in.size() - 1);
  CHECK(f.in[3] == 8);
  f.run({0x1a, 8, 0x08, 0, 255});
  REQUIRE(f.in.size() == 24);
  CHECK(f.in[6] == 4);
  std::vector<u8> list = f.in;
  list[0] = 0, list[6] = 0;
  CHECK(f.run({0x15, 0x10, 0, 0, 24}, list) == status_good);
  f.run({0x5a, 8, 0x08, 0, 0, 0, 0, 0, 255});
  CHECK(f.in[10] == 0);
  f.run({0x2a, 0, 0, 0, 0, 7, 0, 0, 1, 0}, std::vector<u8>(512, 1));
  CHECK(f.drive.seen.back().fua);
  list[8] = 1;
  CHECK(f.run({0x15, 0x10, 0, 0, 24}, list) == status_check);
  CHECK(f.sense() == sense::invalid_parameter);
  CHECK(f.run({0x15, 0x10, 0, 0, 23}, list) == status_check);
  CHECK(f.sense() == sense::parameter_length);
  for (int page : {1, 3, 4, 5, 10}) CHECK(f.run({0x1a, 0, page, 0, 255}) == status_good);
  f.run({0x1a, 8, 0x48, 0, 255});  // changeable values
  CHECK(f.in[6] == 4);
  CHECK(f.run({0x1a, 0, 0xc8, 0, 255}) == status_check);
  CHECK(f.sense() == sense::no_saved_pages);
  CHECK(f.run({0x1a, 0, 0x2a, 0, 255}) == status_check);
}

TEST_CASE("scsi disk: UNMAP, WRITE SAME and SYNCHRONIZE CACHE (SBC-3 §5.28, §5.42, §5.22)") {
  Fixture f;
  std::vector<u8> list(40, 0);
  put16(list.data(), 38), put16(&list[2], 32);
  put64(&list[8], 4), put32(&list[16], 2), put64(&list[24], 9), put32(&list[32], 1);
  CHECK(f.run({0x42, 0, 0, 0, 0, 0, 0, 0, 40}, list) == status_good);
  CHECK(f.drive.medium[5 * 512 + 1] == 0);
  CHECK(f.drive.medium[6 * 512 + 1] != 0);
  CHECK(f.drive.medium[9 * 512 + 1] == 0);
  put64(&list[24], 2048);
  CHECK(f.run({0x42, 0, 0, 0, 0, 0, 0, 0, 40}, list) == status_check);
  CHECK(f.sense() == sense::out_of_range);
  CHECK(f.run({0x93, 0, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, 2}) == status_good);
  CHECK(f.drive.seen.back().op == BlockOp::write_zeroes);
  CHECK(f.run({0x41, 0, 0, 0, 0, 20, 0, 4, 0}, std::vector<u8>(512, 0xab)) == status_good);
  CHECK(f.drive.medium[(20 + 1024) * 512 - 1] == 0xab);
  CHECK(f.run({0x93, 8, 0, 0, 0, 0, 0, 0, 0, 30, 0, 0, 0, 0}) == status_good);  // to the end, unmapping
  CHECK(f.drive.seen.back().op == BlockOp::discard);
  CHECK(f.drive.seen.back().length == (2048 - 30) * 512);
  CHECK(f.run({0x35}) == status_good);
  CHECK(f.drive.seen.back().op == BlockOp::flush);
}

TEST_CASE("scsi disk: VERIFY compares only when asked to (SBC-3 §5.29)") {
  Fixture f;
  const std::vector<u8> same(f.drive.medium.begin() + 512, f.drive.medium.begin() + 1024);
  CHECK(f.run({0x2f, 0, 0, 0, 0, 1, 0, 0, 1}) == status_good);
  CHECK(f.run({0x2f, 2, 0, 0, 0, 1, 0, 0, 1}, same) == status_good);
  CHECK(f.run({0x2f, 2, 0, 0, 0, 2, 0, 0, 1}, same) == status_check);
  CHECK(f.sense() == sense::miscompare);
}

TEST_CASE("scsi bus: simple tags overtake, ordered ones do not; a tag may not be used twice (SAM-3 §8.6, §5.9.3)") {
  Fixture f;
  f.drive.at_once = false;
  const auto tagged = [&](u8 tag, Queue q, int block) {
    Command c = f.command({0x28, 0, 0, 0, 0, block, 0, 0, 1, 0});
    c.queue = q, c.tag = tag;
    return c;
  };
  Command& a = f.bus.begin(tagged(1, Queue::simple, 1));
  Command& b = f.bus.begin(tagged(2, Queue::simple, 2));
  Command& c = f.bus.begin(tagged(3, Queue::ordered, 3));
  Command& d = f.bus.begin(tagged(4, Queue::simple, 4));
  CHECK(f.drive.seen.size() == 2);
  std::swap(f.drive.waiting[0], f.drive.waiting[1]);
  f.drive.finish();
  CHECK(b.stage == Stage::data_in);
  CHECK(a.waits());
  f.drive.finish();
  CHECK(c.stage == Stage::queued);  // the others' data has not moved yet
  std::vector<u8> block(512);
  f.bus.take(a, block), f.bus.finish(a);
  f.bus.take(b, block), f.bus.finish(b);
  CHECK(c.stage == Stage::busy);
  CHECK(d.stage == Stage::queued);
  CHECK(f.bus.begin(tagged(3, Queue::simple, 5)).status == status_check);
  f.drive.finish();  // nobody waits for it any more
  CHECK(f.bus.ready() == nullptr);
}

TEST_CASE("scsi bus: more commands than the queue holds are told so (SAM-3 §5.3.1)") {
  Fixture f;
  f.drive.at_once = false;
  for (unsigned n = 0; n <= Bus::queue_depth; ++n) {
    Command c = f.command({0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0});
    c.queue = Queue::simple, c.tag = u8(n);
    CHECK((f.bus.begin(c).status == status_task_set_full) == (n == Bus::queue_depth));
  }
  f.bus.reset(sense::bus_reset);
  while (!f.drive.waiting.empty()) f.drive.finish();
}

TEST_CASE("scsi cd: table of contents, configuration, disc information (MMC-3 §6)") {
  Fixture f(true, 2048 * 1000);
  CHECK(f.run({0x12, 0, 0, 0, 36}) == status_good);
  CHECK(f.in[0] == 5);
  CHECK(f.in[1] == 0x80);
  f.run({0x43, 0, 0, 0, 0, 0, 0, 0, 255});
  CHECK(f.in == std::vector<u8>{0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0, 0, 0x14, 0xaa, 0, 0, 0, 3, 0xe8});
  f.run({0x43, 2, 0, 0, 0, 0, 0xaa, 0, 255});
  CHECK(f.in == std::vector<u8>{0, 10, 1, 1, 0, 0x14, 0xaa, 0, 0, 0, 15, 25});
  CHECK(f.run({0x43, 0, 0, 0, 0, 0, 2, 0, 255}) == status_check);
  CHECK(f.sense() == sense::invalid_field);
  f.run({0x46, 0, 0, 0, 0, 0, 0, 1, 0});
  CHECK(be32(f.in.data()) == f.in.size() - 4);
  CHECK(be16(&f.in[6]) == 8);
  CHECK(f.run({0x51, 0, 0, 0, 0, 0, 0, 0, 34}) == status_good);
  CHECK(f.in.size() == 34);
  CHECK(f.run({0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8}) == status_good);
  CHECK(f.run({0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 255}) == status_good);
  CHECK(f.in[8] == 0x2a);
  f.run({0x25});
  CHECK(f.in == std::vector<u8>{0, 0, 3, 0xe7, 0, 0, 8, 0});
  f.run({0x28, 0, 0, 0, 0, 2, 0, 0, 1});
  REQUIRE(f.in.size() == 2048);
  CHECK(f.in[3] == FakeDrive::pattern(4096 + 3));
  f.run({0xbe, 0, 0, 0, 0, 2, 0, 0, 1, 0x10});
  CHECK(f.in.size() == 2048);
  CHECK(f.run({0xbe, 0, 0, 0, 0, 2, 0, 0, 1, 0xf8}) == status_check);
  CHECK(f.run({0x2a, 0, 0, 0, 0, 2, 0, 0, 1}) == status_check);
  CHECK(f.sense() == sense::invalid_opcode);
}

TEST_CASE("scsi cd: the tray, its lock, and a changed medium (MMC-3 §6.43, §6.16)") {
  Fixture f(true, 2048 * 1000);
  f.run({0x1e, 0, 0, 0, 1});
  CHECK(f.run({0x1b, 0, 0, 0, 2}) == status_check);
  CHECK(f.sense() == sense::removal_prevented);
  f.run({0x1e});
  CHECK(f.run({0x1b, 0, 0, 0, 2}) == status_good);
  CHECK(f.drive.port.tray_open);
  CHECK(f.run({0}) == status_check);
  CHECK(f.sense() == sense::tray_open);
  f.run({0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8});
  CHECK(f.in == std::vector<u8>{0, 6, 4, 0x10, 3, 1, 0, 0});
  CHECK(f.run({0x1b, 0, 0, 0, 3}) == status_good);
  f.drive.port.medium_changed();
  CHECK(f.run({0}) == status_check);
  CHECK(f.sense() == sense::medium_changed);
  f.run({0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8});
  CHECK(f.in[4] == 2);
  f.run({0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8});
  CHECK(f.in[4] == 0);
  f.drive.port.backend = nullptr;
  f.drive.port.medium_changed();
  CHECK(f.run({0x28, 0, 0, 0, 0, 2, 0, 0, 1}) == status_check);
  CHECK(f.sense() == sense::no_medium);
}
