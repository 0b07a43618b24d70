#include "host/block/drives.hpp"

#include "../fake_run.hpp"
#include "host/json.hpp"
#include "host/monitor/monitor.hpp"
#include "temp.hpp"

#include <doctest/doctest.h>

#include <sys/resource.h>

using namespace host;
using namespace host::block;
using namespace core;
using host::block::test::TempFolder;

namespace {
// A machine with IDE (two channels of two), one floppy drive and -device.
struct Bench {
  Bench() {
    facts.program = "pinstrap-test";
    facts.machines = {"test"};
    facts.block_interfaces = {{BlockInterface::ide, 2, 2}, {BlockInterface::floppy, 1, 1}, {BlockInterface::none}};
    disk = t.file("disk", std::string(4096, 'd'));
    disc = t.file("disc", std::string(4096, 'c'));
  }
  // The error, or nothing when it worked.
  std::string start(std::vector<const char*> arguments) {
    drives.reset();
    machine.drives.clear();
    warnings.clear();
    const auto options = parse_options(arguments, facts);
    if (!options) return options.error().text;
    if (const auto s = refuse_unbuilt(*options, facts); !s) return s.error().text;
    auto d = Drives::create(*options, facts, machine, [this](const std::string& w) { warnings += w + "\n"; });
    if (!d) return d.error().text;
    drives = std::move(*d);
    drives->attach(run);
    MonitorContext c;
    c.run = &run;
    c.machine = &machine;
    c.drives = drives.get();
    monitor = std::make_unique<Monitor>(std::move(c));
    return {};
  }
  std::string drive(const std::string& text) { return start({"-drive", text.c_str()}); }
  std::string operator()(std::string_view command) { return monitor->execute(command); }
  BlockRequest ask(BlockPort& p, BlockRequest r) {
    BlockRequest out;
    p.done = [&](BlockRequest& a) { out = a; };
    p.submit(std::move(r));
    drives->drain();
    machine.completions.run();
    p.done = nullptr;
    return out;
  }
  std::string read(BlockPort& p) {
    const auto r = ask(p, {BlockOp::read, false, 0, 512, 0, {}});
    return {r.data.begin(), r.data.end()};
  }
  BlockError write(BlockPort& p, u8 value) {
    return ask(p, {BlockOp::write, false, 0, 512, 0, std::vector<u8>(512, value)}).error;
  }
  BlockPort& ide(unsigned bus, unsigned unit) {
    BlockPort* p = machine.drive(BlockInterface::ide, bus, unit);
    REQUIRE(p);
    return *p;
  }
  TempFolder t;
  std::string disk, disc, warnings;
  BoardFacts facts;
  MachineBase machine;
  host::test::FakeRun run;
  std::unique_ptr<Drives> drives;
  std::unique_ptr<Monitor> monitor;
};
}  // namespace

TEST_CASE("drives: the letters are places on the board's first interface") {
  Bench b;
  const std::string second = b.t.file("second", std::string(512, 's'));
  CHECK(b.start({"-hda", b.disk.c_str(), "-hdd", second.c_str(), "-cdrom", b.disc.c_str()}) == "");
  CHECK(b.ide(0, 0).id == "ide0-hd0");
  CHECK(b.ide(0, 0).size == 4096);
  CHECK(b.ide(0, 0).write_cache);
  CHECK(b.ide(1, 1).id == "ide1-hd1");
  CHECK((b.ide(1, 0).id == "ide1-cd0" && b.ide(1, 0).is_cdrom && b.ide(1, 0).read_only && b.ide(1, 0).removable));
  CHECK(b.machine.drive(BlockInterface::ide, 0, 1) == nullptr);
  CHECK(b.warnings.find("ide0-hd0: '" + b.disk + "' looks like a raw image") == 0);
  CHECK(b.warnings.find("ide1-cd0") == std::string::npos);
  CHECK(b.read(b.ide(0, 0)) == std::string(512, 'd'));
}

TEST_CASE("drives: a board has an empty CD and floppy drive unless something is there or -nodefaults") {
  Bench b;
  CHECK(b.start({}) == "");
  CHECK((b.machine.drives.size() == 2 && b.ide(1, 0).is_cdrom && !b.ide(1, 0).inserted()));
  CHECK(b.machine.drive(BlockInterface::floppy, 0, 0)->id == "floppy0");
  CHECK(b.start({"-hdc", b.disk.c_str(), "-fda", b.disc.c_str()}) == "");
  CHECK((b.machine.drives.size() == 2 && !b.ide(1, 0).is_cdrom));
  CHECK(b.start({"-nodefaults"}) == "");
  CHECK(b.machine.drives.empty());
}

TEST_CASE("drives: places are given by index, by bus and unit, or are the next free") {
  Bench b;
  const std::string f = "format=raw,file.locking=off,file=" + b.disk;
  const std::string one = f + ",index=1", two = f + ",bus=1,unit=1,id=x", three = f, four = f + ",if=none,id=spare",
                    five = f + ",bus=1";
  CHECK(b.start({"-drive", one.c_str(), "-drive", two.c_str(), "-drive", three.c_str(), "-drive", four.c_str(),
                 "-drive", five.c_str()}) == "");
  CHECK(b.ide(0, 1).id == "ide0-hd1");
  CHECK(b.ide(1, 1).id == "x");
  CHECK(b.ide(0, 0).id == "ide0-hd0");
  CHECK(b.ide(1, 0).id == "ide1-hd0");
  CHECK(b.machine.drives[3].interface == BlockInterface::none);
  CHECK(b.warnings.empty());
}

TEST_CASE("drives: what is wrong gets one sentence") {
  Bench b;
  const std::string f = "file=" + b.disk + ",format=raw";
  CHECK(b.drive(f + ",if=scsi") == "-drive: if=scsi: pinstrap-test has no such interface; it has ide, floppy, none");
  CHECK(b.drive(f + ",if=ied") == "-drive: if='ied' is unknown (did you mean 'ide'?)");
  CHECK(b.drive(f + ",fromat=raw") == "-drive: there is no property 'fromat' (did you mean 'format'?)");
  CHECK(b.drive(f + ",index=4") ==
        "-drive: there is no ide bus 2 unit 0: pinstrap-test has 4 ide places, index=0 to 3");
  CHECK(b.drive(f + ",index=1,unit=1") ==
        "-drive: index= says where the drive goes, and so do bus= and unit=; give one of them");
  CHECK(b.drive(f + ",index=99999999999") == "-drive: index=99999999999 is more than 255");
  CHECK(b.drive(f + ",bus=3") == "-drive: there is no ide bus 3 unit 0: pinstrap-test has 4 ide places, index=0 to 3");
  CHECK(b.drive(f + ",cache=fast") ==
        "-drive: cache='fast' is unknown; there are none, writeback, writethrough, directsync, unsafe");
  CHECK(b.drive(f + ",werror=sotp") == "-drive: werror='sotp' is unknown (did you mean 'stop'?)");
  CHECK(b.drive(f + ",snapshot=maybe") == "-drive: snapshot='maybe' must be on or off");
  CHECK(b.drive(f + ",readonly=on") ==
        "-drive: drive 'ide0-hd0': an IDE disk cannot be read-only; use snapshot=on to leave the file as it is, or "
        "media=cdrom");
  CHECK(b.drive("if=ide") == "-drive: drive 'ide0-hd0' has no file=; only a CD, floppy or card drive can be empty");
  CHECK(b.drive("media=cdrom,file=" + b.t / "no.iso") ==
        "-drive: cannot open '" + b.t / "no.iso" + "': no such file or directory; check its path");
  CHECK(b.drive("disk.img") == "-drive: 'disk.img' is no property; write file=disk.img");
  CHECK(b.drive(f + ",aio=native") ==
        "-drive: aio=native needs cache=none or cache=directsync; say one of them or aio=threads");
  CHECK(b.drive(f + ",detect-zeroes=unmap") == "-drive: detect-zeroes=unmap needs discard=unmap");
  CHECK(b.drive(f + ",file.driver=nbd") ==
        "-drive: file.driver='nbd' is not built; use a file or a block device with file.driver=file");
  CHECK(b.drive("file=" + b.disk + ",format=qcow2") ==
        "-drive: format 'qcow2' is not built yet; convert the image with 'qemu-img convert -O raw'");
  CHECK(b.start({"-hda", b.disk.c_str(), "-hda", b.disc.c_str()}) ==
        "-hda: ide bus 0 unit 0 (index=0) is taken by drive 'ide0-hd0'; give this one another index=");
  const std::string id = f + ",id=a", same = "format=raw,id=a,file=" + b.disc;
  CHECK(b.start({"-drive", id.c_str(), "-drive", same.c_str()}) ==
        "-drive: there are two drives 'a'; give each its own id=");
  CHECK(b.start({"-drive", f.c_str(), "-hdb", b.disk.c_str()}).find("-hdb: '" + b.disk + "' is in use") == 0);
  b.facts.block_interfaces.clear();
  CHECK(b.drive(f) ==
        "-drive: this build of pinstrap-test has no disk interface yet; give files to the guest with -initrd");
  CHECK(b.start({"-hdb", "x"}).find("-hdb: this build") == 0);
  CHECK(b.start({"-snapshot"}) == "-snapshot: this build of pinstrap-test has no disk interface yet; leave it out");
}

TEST_CASE("drives: -snapshot and snapshot=on leave the file alone") {
  Bench b;
  for (const char* how : {"-snapshot", "-nodefaults"}) {
    const std::string f = "format=raw,file=" + b.disk + (std::string(how) == "-snapshot" ? "" : ",snapshot=on");
    CHECK(b.start({how, "-drive", f.c_str()}) == "");
    CHECK(b.write(b.ide(0, 0), 'n') == BlockError::none);
    CHECK(b.read(b.ide(0, 0)) == std::string(512, 'n'));
    CHECK(b.drives->flush_all());
    CHECK(b.t.bytes("disk") == std::string(4096, 'd'));
  }
}

TEST_CASE("drives: what the guest wrote is in the file at the end") {
  Bench b;
  CHECK(b.drive("format=raw,file=" + b.disk) == "");
  b.ide(0, 0).write(512, std::vector<u8>(512, 'w'), 0);
  CHECK(b.drives->flush_all());
  CHECK(b.t.bytes("disk") == std::string(512, 'd') + std::string(512, 'w') + std::string(3072, 'd'));
}

TEST_CASE("drives: -blockdev in both spellings, node by node or in one") {
  Bench b;
  const std::string keys = "driver=raw,node-name=n0,file.driver=file,file.filename=" + b.disk;
  const std::string json = R"({"driver": "raw", "node-name": "n1", "read-only": true, "file": "f1"})";
  const std::string file = R"({"driver": "file", "node-name": "f1", "filename": ")" + b.disc +
                           R"(", "cache": {"direct": false, "no-flush": true}})";
  CHECK(b.start({"-nodefaults", "-blockdev", keys.c_str(), "-blockdev", file.c_str(), "-blockdev", json.c_str()}) ==
        "");
  REQUIRE(b.machine.drives.size() == 2);
  CHECK(b.machine.drives[0].id == "n0");
  CHECK((b.machine.drives[1].id == "n1" && b.machine.drives[1].read_only && b.machine.drives[1].size == 4096));
  CHECK(b.warnings.empty());
  CHECK(b.start({"-blockdev", "driver=raw,node-name=a"}) == "-blockdev: node 'a': file.filename= is missing");
  CHECK(b.start({"-blockdev", "raw,node-name=a,file=b"}) ==
        "-blockdev: node 'a': file='b' names no -blockdev with driver=file");
  CHECK(b.start({"-blockdev", "raw,node-name=a,file=a"}) ==
        "-blockdev: node 'a': file='a' names no -blockdev with driver=file");
  CHECK(b.start({"-blockdev", "node-name=a"}).find("-blockdev: driver= is missing") == 0);
  CHECK(b.start({"-blockdev", "{\"driver\": raw}"}).find("-blockdev: not JSON from character 12 on") == 0);
  CHECK(b.start({"-blockdev", "{\"driver\": 1}"}).find("-blockdev: node-name= is missing") == 0);
}

TEST_CASE("json: hostile text is refused") {
  CHECK(parse_json_keys(std::string(100'000, '[')).error().text == "JSON nested deeper than 16 levels");
  CHECK(parse_json_keys("[1]").error().text == "the JSON must be an object: {\"driver\": …}");
  CHECK_FALSE(parse_json_keys("{\"a\": \"\xff\"}"));
  CHECK_FALSE(parse_json_keys("{\"a\": 1"));
  const auto kv = parse_json_keys(R"({"a": {"b": [true, 12, "x,y"]}, "c": null})");
  REQUIRE(kv);
  CHECK((kv->get("a.b.0") == "on" && kv->get("a.b.1") == "12" && kv->get("a.b.2") == "x,y" && !kv->has("c")));
}

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

TEST_CASE("drives: no space stops the machine, and the write is tried again when it goes on") {
  Bench b;
  CHECK(b.drive("format=raw,file=" + b.disk) == "");
  BlockPort& p = b.ide(0, 0);
  BlockRequest got;
  unsigned answers = 0;
  p.done = [&](BlockRequest& r) { got = r, ++answers; };
  const auto settle = [&] { b.drives->drain(), b.machine.completions.run(); };
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit small{2048, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  p.write(3072, std::vector<u8>(512, 'n'), 7);
  settle();
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK((answers == 0 && b.run.stops == 1));
  CHECK(b.warnings ==
        "ide0-hd0: no space is left on '" + b.disk + "'; the guest is stopped, 'cont' in the monitor tries again\n");
  b("cont");
  settle();
  CHECK((answers == 1 && got.error == BlockError::none && got.token == 7));
  CHECK(b.t.bytes("disk")[3072] == 'n');
}
