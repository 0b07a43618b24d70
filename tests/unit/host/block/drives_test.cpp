#include "drive_bench.hpp"

#include "host/json.hpp"

#include <sys/resource.h>

using namespace host;
using namespace host::block;
using namespace core;
using Bench = host::block::test::DriveBench;

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
  CHECK(b.drive(f + ",aio=uring") == "-drive: aio='uring' is unknown; there are threads, native, io_uring");
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
