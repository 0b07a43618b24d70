#include "host/options.hpp"

#include <doctest/doctest.h>

using namespace host;
using core::MiB;

namespace {
const BoardFacts& facts() {
  static const BoardFacts f{.program = "pinstrap-versatilepb",
                            .machines = {"versatilepb"},
                            .title = "Arm Versatile PB",
                            .cpus = {"arm926", "arm1026"},
                            .ram_default = 128 * MiB,
                            .ram_max = 256 * MiB,
                            .cpus_max = 1,
                            .version = "0.1",
                            .layers = {{"chain", "one"}, {"probe", "two"}, {"fp", "three"}}};
  return f;
}
core::Result<Options> parse(std::vector<const char*> arguments) { return parse_options(arguments, facts()); }
std::string refusal(std::vector<const char*> arguments) {
  auto o = parse(arguments);
  if (!o) return o.error().text;
  auto s = refuse_unbuilt(*o, facts());
  return s ? "accepted" : s.error().text;
}
}  // namespace

TEST_CASE("options: a Linux command line of every day") {
  auto o = parse({"-M",         "versatilepb",
                  "-m",         "128",
                  "-kernel",    "zImage",
                  "--initrd",   "a.gz",
                  "-append",    "console=ttyAMA0 root=/dev/ram",
                  "-dtb",       "v.dtb",
                  "-nographic", "-no-reboot",
                  "-s",         "-S",
                  "-d",         "guest_errors,int",
                  "-D",         "log"});
  REQUIRE(o);
  CHECK(o->machine == "versatilepb");
  CHECK(o->ram == 128 * MiB);
  CHECK(o->kernel == "zImage");
  CHECK(o->initrd == "a.gz");
  CHECK(o->append == "console=ttyAMA0 root=/dev/ram");
  CHECK(o->dtb == "v.dtb");
  CHECK(o->nographic);
  CHECK(o->no_reboot);
  CHECK(o->stopped);
  CHECK(o->gdb == "tcp:127.0.0.1:1234");
  CHECK(o->log_items == std::vector<std::string>{"guest_errors", "int"});
  CHECK(refuse_unbuilt(*o, facts()));
}

TEST_CASE("options: sizes") {
  CHECK(parse({"-m", "size=64M"})->ram == 64 * MiB);
  CHECK(parse({"-m", "131072K"})->ram == 128 * MiB);
  CHECK(parse({"-m", "0.125G"})->ram == 128 * MiB);
  CHECK(parse_size("1k") == 1024);
  CHECK(parse_size("0x10") == 16);
  CHECK_FALSE(parse_size("12x"));
  CHECK_FALSE(parse_size(""));
  CHECK_FALSE(parse_size("99999999999999999999"));
  CHECK_FALSE(parse_size("99999999999G"));
  CHECK(refusal({"-m", "lots"}) == "-m: 'lots' is not a size; write 128, 128M or 1G");
  CHECK(refusal({"-m", "1G"}) == "-m: '1G' is too much RAM; this board takes at most 256 MiB");
  CHECK(refusal({"-m", "0"}) == "-m: a machine needs some RAM");
  CHECK(refusal({"-m", "1500K"}) == "-m: '1500K' is not a whole number of MiB");
}

TEST_CASE("options: sub-options, commas and flags") {
  auto kv = KeyValues::parse("first,path=a,,b,server,nowait,x=", "type");
  REQUIRE(kv);
  CHECK(kv->get("type") == "first");
  CHECK(kv->get("path") == "a,b");
  CHECK(*kv->flag("server", false));
  CHECK_FALSE(*kv->flag("wait", true));
  CHECK(kv->get("x") == "");
  CHECK(KeyValues::parse("=3").error().text == "'=3' has no name before '='");
  CHECK(KeyValues::parse("a=1,,,b").has_value());
  CHECK(KeyValues::parse("a=on,c=maybe")->flag("c", true).error().text == "c='maybe' must be on or off");
  CHECK(KeyValues::parse("n=3x")->number("n", 0).error().text == "n='3x' must be a whole number");
}

TEST_CASE("options: accelerators") {
  auto o = parse({"-accel", "tcg,tb-size=64,one-insn-per-tb=on,opt=-fp", "-machine", "versatilepb,accel=kvm:tcg"});
  REQUIRE(o);
  REQUIRE(o->accels.size() == 3);
  CHECK(o->accels[0].kind == AccelKind::jit);
  CHECK(o->accels[0].tb_size == 64 * MiB);
  CHECK(o->accels[0].one_insn_per_tb);
  CHECK(o->accels[0].layers == ~4u);
  CHECK(o->accels[1].kind == AccelKind::kvm);
  CHECK(refuse_unbuilt(*o, facts()));
  CHECK(
      refusal({"-accel", "jitt"}) ==
      "-accel: there is no accelerator 'jitt' (did you mean 'jit'?); there are jit (also called tcg), interp and kvm");
  CHECK(refusal({"-accel", "jit,tb-sise=3"}) == "-accel: there is no property 'tb-sise' (did you mean 'tb-size'?)");
  CHECK(refusal({"-accel", "jit,opt=chain:fpp"}) ==
        "-accel: opt: there is no layer 'fpp' (did you mean 'fp'?); there are all, none, chain, probe, fp");
  CHECK(refusal({"-enable-kvm"}) == "-accel kvm: this build of pinstrap-versatilepb has no KVM yet; use -accel jit");
}

TEST_CASE("options: layers of the translator are taken from left to right") {
  constexpr core::u32 all = ~0u;
  const struct {
    const char* list;
    core::u32 bits;
  } cases[] = {{"all", all}, {"none", 0}, {"-fp", all & ~4u}, {"-fp:-chain", all & ~5u}, {"all:-probe", all & ~2u},
               {"chain", 1}, {"none:chain:probe", 3}, {"chain:probe:-chain", 2}, {"-fp:fp", all}};
  for (const auto& c : cases) {
    CAPTURE(c.list);
    const auto o = parse({"-accel", (std::string("jit,opt=") + c.list).c_str()});
    REQUIRE(o);
    CHECK(o->accels[0].layers == c.bits);
  }
  for (const char* list : {"", ":", "-", "0", "-all", "fp:"}) CHECK(!parse({"-accel", (std::string("jit,opt=") + list).c_str()}));
  CHECK(parse({"-accel", "help"})->show->find("fp         three\n") != std::string::npos);
}

TEST_CASE("options: another board is named with its program") {
  CHECK(refusal({"-M", "none"}) == "accepted");
  CHECK(refusal({"-M", "malta"}) == "-M: this program is the board 'versatilepb'; 'malta' is pinstrap-malta");
  CHECK(refusal({"-machine", "type=g3beige"}) ==
        "-machine: this program is the board 'versatilepb'; 'g3beige' is pinstrap-g3");
  CHECK(refusal({"-M", "versatilpb"}) ==
        "-M: there is no board 'versatilpb' (did you mean 'versatilepb'?); this program is 'versatilepb'");
  CHECK(refusal({"-machine", "versatilepb,usb=off,dump-guest-core=off,memory-backend=versatile.ram"}) == "accepted");
}

TEST_CASE("options: -machine may carry what to run") {
  auto o = parse({"-machine", "versatilepb,kernel=z,initrd=i,append=a b,dtb=d"});
  REQUIRE(o);
  CHECK(o->kernel == "z");
  CHECK(o->initrd == "i");
  CHECK(o->append == "a b");
  CHECK(o->dtb == "d");
  // dtb=off is no file: it asks for a tag list.
  o = parse({"-M", "versatilepb,dtb=off"});
  REQUIRE(o);
  CHECK(o->dtb.empty());
  CHECK(o->machine_props.get("dtb") == "off");
  CHECK(refusal({"-M", "versatilepb,usb=on"}) ==
        "-machine usb=on: this build of pinstrap-versatilepb has no USB yet; use usb=off");
}

TEST_CASE("options: what is written wrong gets one sentence") {
  CHECK(refusal({"-kernal", "x"}) == "unknown option '-kernal' (did you mean '-kernel'?)");
  CHECK(refusal({"--wxyzzy"}) == "unknown option '--wxyzzy'; -help lists them");
  CHECK(refusal({"-kernel"}) == "-kernel needs an argument: -kernel FILE");
  CHECK(refusal({"disk.img"}) == "'disk.img' is no option; a program to run is given with -kernel, a disk with -drive");
  CHECK(refusal({"-smp", "2"}) == "-smp: this board has 1 processor, not 2");
  CHECK(refusal({"-cpu", "arm92"}) ==
        "-cpu: this board has no processor 'arm92' (did you mean 'arm926'?); it takes arm926, arm1026");
  CHECK(refusal({"-d", "unimpl"}) == "-d: there is no log item 'unimpl' (did you mean 'unimp'?); '-d help' lists them");
  CHECK(refusal({"-serial", "sdtio"}) == "-serial: 'sdtio' is no place for characters (did you mean 'stdio'?)");
  CHECK(refusal({"-serial", "tcp:host"}) == "-serial: tcp:host: 'host' has no port; write HOST:PORT");
  CHECK(refusal({"-serial", "sdtoi:x"}) == "-serial: 'sdtoi:x' is no place for characters; -help lists them");
  CHECK(refusal({"-serial", "file:"}) == "-serial: 'file:' needs a name after it: file:PATH");
  CHECK(refusal({"-serial", "mon:file"}) == "-serial: 'file' needs a name after it: file:PATH");
  CHECK(refusal({"-serial", "chardev"}) == "-serial: 'chardev' needs a name after it: chardev:ID");
  CHECK(refusal({"-monitor", "tcp"}) == "-monitor: 'tcp' needs an address after it: tcp:HOST:PORT");
  CHECK(refusal({"-chardev", "socket,id=a"}) == "-chardev: 'socket,id=a' has neither path= nor port=");
  CHECK(
      refusal({"-chardev", "spicevmc,id=a"}) ==
      "-chardev: there is no character device 'spicevmc'; there are null, vc, stdio, pty, file, pipe, serial, socket");
  CHECK(refusal({"-gdb", "nonsense"}) ==
        "-gdb: gdb cannot use 'nonsense'; say tcp::1234, tcp:HOST:PORT, unix:PATH or stdio");
  CHECK(refusal({"-gdb", "tpc::1234"}) == "-gdb: 'tpc::1234' is no place for characters (did you mean 'tcp'?)");
  CHECK(refusal({"-semihosting-config", "colour=red"}) ==
        "-semihosting-config: there is no property 'colour'; there are enable, target, chardev, arg, userspace");
  CHECK(refusal({"-singlestep"}) ==
        "unknown option '-singlestep': QEMU's, not ours; write -accel jit,one-insn-per-tb=on");
  CHECK(refusal({"-audiodev", "none,id=a"}) == "unknown option '-audiodev': QEMU's, not ours; leave it out");
  CHECK(refusal({"-k", "de"}) == "unknown option '-k': QEMU's, not ours; leave it out");
  CHECK(refusal({"-gdb", "file:x"}) ==
        "-gdb: gdb cannot use 'file:x'; say tcp::1234, tcp:HOST:PORT, unix:PATH or stdio");
  CHECK(refusal({"-uuid", "12"}) == "-uuid: '12' is not a UUID like 6ba7b810-9dad-11d1-80b4-00c04fd430c8");
  CHECK(refusal({"-rtc", "base=noon"}) ==
        "-rtc: base='noon' must be utc, localtime or a time like 2006-06-17T16:01:21");
}

TEST_CASE("options: what arrives later is parsed and refused; what is harmless is taken") {
  CHECK(refusal({"-drive", "file=a,if=scsi"}) ==
        "-drive: this build of pinstrap-versatilepb has no disk interface yet; give files to the guest with -initrd");
  CHECK(refusal({"-cdrom", "a.iso"}) ==
        "-cdrom: this build of pinstrap-versatilepb has no disk interface yet; give files to the guest with -initrd");
  CHECK(refusal({"-nic", "user"}) == "-nic: this board has no network card and no place for one; use -nic none");
  CHECK(refusal({"-vnc", ":1"}) == "-vnc: this build of pinstrap-versatilepb has no screen yet; use -nographic");
  CHECK(refusal({"-icount", "shift=3"}) ==
        "-icount: this build of pinstrap-versatilepb has no counted time yet; leave it out");
  CHECK(refusal({"-display",    "none",
                 "-nodefaults", "-name",
                 "x",           "-no-user-config",
                 "-vga",        "none",
                 "-net",        "none",
                 "-nic",        "none",
                 "-parallel",   "none",
                 "-rtc",        "base=utc",
                 "-boot",       "strict=on",
                 "-smp",        "1,sockets=1,cores=1,threads=1"}) == "accepted");
}

TEST_CASE("options: help and version are texts, not runs") {
  auto help = parse({"-h"});
  REQUIRE(help->show);
  for (const char* word : {"Standard", "Debugging", "-kernel FILE", "example: -serial mon:stdio", "-M, -machine"})
    CHECK(help->show->find(word) != std::string::npos);
  CHECK(parse({"--help"})->show);
  CHECK(*parse({"-version"})->show == "pinstrap-versatilepb (Pinstrap) 0.1\n");
  CHECK(parse({"-M", "help"})->show->find("versatilepb    Arm Versatile PB") != std::string::npos);
  CHECK(parse({"-cpu", "help"})->show->find("arm926") != std::string::npos);
  CHECK(parse({"-d", "help"})->show->find("guest_errors") != std::string::npos);
}
