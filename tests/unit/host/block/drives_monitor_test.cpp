#include "drive_bench.hpp"

using namespace host;
using namespace host::block;
using namespace core;
using Bench = host::block::test::DriveBench;

TEST_CASE("monitor: info block as QEMU writes it") {
  Bench b;
  const std::string f = "format=raw,cache=writethrough,file=" + b.disk;
  CHECK(b.start({"-drive", f.c_str()}) == "");
  CHECK(b("info block") == "ide0-hd0 (#block0): " + b.disk +
                               " (raw)\n    Attached to:      ide bus 0 unit 0\n    Cache mode:       writethrough\n\n"
                               "ide1-cd0: [not inserted]\n    Attached to:      ide bus 1 unit 0\n    Removable "
                               "device: not locked, tray closed\n\n"
                               "floppy0: [not inserted]\n    Attached to:      floppy bus 0 unit 0\n    Removable "
                               "device: not locked, tray closed\n");
  CHECK(b("info block nope") == "there is no drive 'nope'\n");
  b.read(b.ide(0, 0));
  b.write(b.ide(0, 0), 1);
  CHECK(b("info blockstats")
            .find("ide0-hd0: rd_bytes=512 wr_bytes=512 rd_operations=1 wr_operations=1 flush_operations=0\n") == 0);
}

TEST_CASE("monitor: discs are changed and taken out, and the guest can hold them") {
  Bench b;
  CHECK(b.start({"-hda", b.disk.c_str(), "-cdrom", b.disc.c_str()}) == "");
  BlockPort& cd = b.ide(1, 0);
  unsigned changes = 0;
  cd.medium_changed = [&] { ++changes; };
  const std::string other = b.t.file("other", std::string(8192, 'o'));
  CHECK(b("change ide1-cd0 " + other) == "");
  CHECK((changes == 1 && cd.size == 8192 && !cd.tray_open));
  CHECK(b.read(cd) == std::string(512, 'o'));
  cd.locked = true;
  CHECK(b("eject ide1-cd0") ==
        "device 'ide1-cd0' is locked by the guest; let it unmount the medium, or say eject -f ide1-cd0\n");
  CHECK(b("change ide1-cd0 " + b.disc).find("is locked by the guest") != std::string::npos);
  CHECK(b("eject -f ide1-cd0") == "");
  CHECK((changes == 2 && !cd.inserted() && cd.size == 0 && cd.tray_open));
  CHECK(b("info block ide1-cd0").find("ide1-cd0: [not inserted]") == 0);
  CHECK(b.ask(cd, {BlockOp::read, false, 0, 512, 0, {}}).error == BlockError::no_medium);
  cd.locked = false;
  CHECK(b("change ide1-cd0 " + b.t / "no.iso").find("cannot open") == 0);
  CHECK(b("change ide1-cd0 " + b.disc + " raw read-write") == "device 'ide1-cd0' is a CD drive; a disc is read-only\n");
  CHECK(b("change ide1-cd0 " + b.disc) == "");
  CHECK(b("change ide1-cd0 " + b.disc) == "");
  CHECK(b("eject ide0-hd0") == "device 'ide0-hd0' is not removable\n");
  CHECK(b("eject ide0-cd0") == "there is no drive 'ide0-cd0' (did you mean 'ide0-hd0'?)\n");
  CHECK(b("change floppy0 " + other) == "");
  CHECK_FALSE(b.machine.drive(BlockInterface::floppy, 0, 0)->read_only);
  CHECK(b("eject") == "eject needs a device; 'info block' lists them\n");
}

TEST_CASE("monitor: a disk is made larger while it is used") {
  Bench b;
  CHECK(b.drive("format=raw,file=" + b.disk) == "");
  CHECK(b("block_resize ide0-hd0 1M") == "");
  CHECK(b.ide(0, 0).size == MiB);
  CHECK(b.t.bytes("disk").size() == MiB);
  CHECK(b("block_resize ide0-hd0 -1") == "'-1' is no size; write 512M or 2G\n");
  CHECK(b("block_resize ide1-cd0 1M") == "device 'ide1-cd0' has no medium\n");
}
