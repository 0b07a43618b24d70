#include "host/options_table.hpp"

#include "host/json.hpp"

namespace host {
namespace {
using Value = std::string_view;

// Options that only keep what was written, or only say that they were there.
template <auto Member>
core::Status keep(Context c, Value v) {
  c.options.*Member = v;
  return {};
}
template <auto Member>
core::Status add(Context c, Value v) {
  (c.options.*Member).emplace_back(v);
  return {};
}
template <auto Member>
core::Status set(Context c, Value) {
  c.options.*Member = true;
  return {};
}
// Accepted because scripts and libvirt pass it; there is nothing to do for it here.
core::Status accept(Context, Value) { return {}; }

core::Status take_help(Context c, Value) {
  c.options.show = help_text(c.facts);
  return {};
}
core::Status take_version(Context c, Value) {
  c.options.show = std::string(c.facts.program) + " (Pinstrap) " + std::string(c.facts.version) + "\n";
  return {};
}
core::Status take_nographic(Context c, Value) {
  c.options.nographic = true;
  c.options.display = DisplayKind::none;
  return {};
}
core::Status take_gdb_default(Context c, Value) { return take_gdb(c, "tcp:127.0.0.1:1234"); }
core::Status take_kvm(Context c, Value) { return take_accel(c, "kvm"); }
// The short spellings of -drive: what they stand for, beside file=.
constexpr char hda[] = "-hda index=0,media=disk", hdb[] = "-hdb index=1,media=disk", hdc[] = "-hdc index=2,media=disk",
               hdd[] = "-hdd index=3,media=disk", cdrom[] = "-cdrom index=2,media=cdrom", fda[] = "-fda if=floppy,index=0",
               fdb[] = "-fdb if=floppy,index=1", sd[] = "-sd if=sd", mtdblock[] = "-mtdblock if=mtd";
template <auto& Meaning>
core::Status take_short_drive(Context c, Value v) {
  const Value meaning = Meaning;
  const auto space = meaning.find(' ');
  auto keys = TRY(KeyValues::parse(meaning.substr(space + 1)));
  keys.items.push_back({"file", std::string(v), false});
  c.options.drives.push_back({std::string(meaning.substr(0, space)), std::move(keys)});
  return {};
}
core::Status take_drive(Context c, Value v) {
  c.options.drives.push_back({"-drive", TRY(KeyValues::parse(v))});
  return {};
}
core::Status take_blockdev(Context c, Value v) {
  c.options.blockdev.push_back(TRY(looks_like_json(v) ? parse_json_keys(v) : KeyValues::parse(v, "driver")));
  return {};
}
// `chardev=ID,mode=readline` is a monitor for people; mode=control is one for programs.
core::Status take_mon(Context c, Value v) {
  const auto kv = TRY(KeyValues::parse(v, "chardev"));
  TRY(kv.only({"chardev", "mode", "id", "pretty"}));
  const std::string device = "chardev:" + kv.get("chardev").value_or("");
  if (kv.get("mode").value_or("readline") == "control") return add<&Options::qmp>(c, device);
  return take_monitor(c, device);
}

constexpr OptionRow standard[] = {
    {"h", "help", {}, "show this text", {}, take_help},
    {"version", {}, {}, "show the version", {}, take_version},
    {"M", "machine", "NAME[,prop=value...]", "the board, for scripts that name it; 'none' for no machine; 'help' lists",
     "-M versatilepb", take_machine},
    {"accel",
     {},
     "jit|interp|kvm[,tb-size=N][,one-insn-per-tb=on][,opt=LAYER:...][,region-after=N][,profile=FILE][,perf=map|dump][,symbols=FILE:...]",
     "how guest code runs: translated (also called tcg), interpreted, or by the host's CPU; tb-size in MiB; 'help' says the rest",
     "-accel jit,tb-size=64",
     take_accel},
    {"enable-kvm", {}, {}, "the same as -accel kvm", {}, take_kvm},
    {"cpu", {}, "NAME[,feature=on|off...]", "the processor; 'help' lists", {}, take_cpu},
    {"m", {}, "[size=]N[K|M|G]", "RAM; a plain number counts MiB", "-m 256", take_memory},
    {"smp", {}, "N", "processors", "-smp 1", take_smp},
    {"name", {}, "TEXT", "a name for the machine", {}, keep<&Options::name>},
    {"uuid", {}, "UUID", "an identity for the machine", {}, take_uuid},
    {"nodefaults", {}, {}, "no serial port or monitor that is not asked for", {}, set<&Options::nodefaults>},
    {"no-user-config", {}, {}, "read no configuration files (there are none)", {}, set<&Options::no_user_config>},
    {"map", {}, {}, "show the board's memory map and leave", {}, set<&Options::map>},
    {"explain", {}, {}, "show how the board is wired and leave", {}, set<&Options::explain>},
};
constexpr OptionRow boot[] = {
    {"kernel",
     {},
     "FILE",
     "the program to run: ELF, zImage, uImage, raw, Intel HEX or S-records, gzip'd or not",
     "-kernel zImage",
     keep<&Options::kernel>},
    {"initrd", {}, "FILE", "Linux's first file system", "-initrd initramfs.cpio.gz", keep<&Options::initrd>},
    {"append", {}, "TEXT", "Linux's command line", "-append 'console=ttyAMA0'", keep<&Options::append>},
    {"dtb",
     {},
     "FILE",
     "device tree for Linux, instead of the board's own; -M NAME,dtb=off gives none, but a tag list",
     "-dtb versatile-pb.dtb",
     keep<&Options::dtb>},
    {"bios", {}, "FILE", "firmware, at the place the board starts from", {}, keep<&Options::bios>},
    {"pflash", {}, "FILE", "contents of a flash chip; once per chip", {}, add<&Options::pflash>},
    {"boot", {}, "order=...", "accepted: this board has one way to boot", {}, accept},
    {"semihosting", {}, {}, "let the guest use the host's files and console", {}, set<&Options::semihosting>},
    {"semihosting-config",
     {},
     "[enable=on][,target=native|gdb|auto][,arg=TEXT...]",
     "the same, in detail",
     "-semihosting-config enable=on,arg=prog,arg=1",
     take_semihosting},
};
constexpr OptionRow console[] = {
    {"serial",
     {},
     "DEVICE",
     "where a serial port goes; once per port: stdio, mon:stdio, file:PATH, pipe:PATH, pty, "
     "tcp:HOST:PORT[,server=on][,wait=off], telnet:..., unix:PATH[,...], /dev/..., null, none",
     "-serial mon:stdio",
     take_serial},
    {"monitor",
     {},
     "DEVICE",
     "where the monitor goes, as for -serial",
     "-monitor unix:/tmp/mon,server=on,wait=off",
     take_monitor},
    {"mon", {}, "chardev=ID[,mode=readline]", "a monitor on a -chardev", {}, take_mon},
    {"qmp", {}, "DEVICE", "a monitor for programs", {}, add<&Options::qmp>},
    {"chardev",
     {},
     "KIND,id=ID[,...]",
     "a device that -serial chardev:ID can name",
     "-chardev socket,id=a,path=/tmp/a,server=on,wait=off",
     take_chardev},
    {"nographic", {}, {}, "serial port and monitor on this terminal; C-a h helps", {}, take_nographic},
    {"display", {}, "none", "where the screen goes", "-display none", take_display},
    {"vnc", {}, "ADDRESS", "show the screen by VNC", {}, keep<&Options::vnc>},
    {"vga", {}, "CARD|none", "the graphics card", "-vga none", take_vga},
    {"parallel", {}, "none", "where the parallel port goes", "-parallel none", keep<&Options::parallel>},
};
constexpr OptionRow storage[] = {
    {"drive",
     {},
     "file=FILE[,prop=value...]",
     "a disk, disc, floppy or card; if=ide|scsi|floppy|sd|pflash|virtio|none, index=N or bus=N,unit=N, "
     "media=disk|cdrom, format=raw, readonly=on, snapshot=on, id=ID, serial=TEXT, "
     "cache=writeback|none|writethrough|directsync|unsafe, aio=threads|io_uring|native, discard=unmap, "
     "detect-zeroes=on|unmap, rerror=report|ignore|stop, werror=enospc|report|ignore|stop, file.locking=off",
     "-drive file=disk.img,format=raw,cache=none",
     take_drive},
    {"hda", {}, "FILE", "the first disk; the same as -drive index=0,media=disk,file=FILE", {}, take_short_drive<hda>},
    {"hdb", {}, "FILE", "the second disk", {}, take_short_drive<hdb>},
    {"hdc", {}, "FILE", "the third disk", {}, take_short_drive<hdc>},
    {"hdd", {}, "FILE", "the fourth disk", {}, take_short_drive<hdd>},
    {"cdrom", {}, "FILE", "a disc, in place of the third disk", {}, take_short_drive<cdrom>},
    {"fda", {}, "FILE", "a floppy in the first drive", {}, take_short_drive<fda>},
    {"fdb", {}, "FILE", "a floppy in the second drive", {}, take_short_drive<fdb>},
    {"sd", {}, "FILE", "a memory card", {}, take_short_drive<sd>},
    {"mtdblock", {}, "FILE", "a flash chip's contents", {}, take_short_drive<mtdblock>},
    {"blockdev",
     {},
     "driver=raw,node-name=NAME,file.driver=file,file.filename=FILE[,...]|JSON",
     "a medium that -device drive=NAME can take",
     "-blockdev driver=raw,node-name=d0,file.driver=file,file.filename=disk.img",
     take_blockdev},
    {"snapshot", {}, {}, "keep the changes to all disks in temporary files", {}, set<&Options::snapshot>},
    {"netdev",
     {},
     "KIND,id=ID[,...]",
     "a network for a card: user (hostfwd=, tftp=, restrict=, ...), tap, socket, stream, dgram, hubport",
     "-netdev user,id=n0,hostfwd=tcp::8022-:22",
     take_netdev},
    {"nic",
     {},
     "KIND[,model=CARD][,mac=ADDRESS][,...]|none",
     "a network card with its network; model=help lists the cards; without -nic, -net and -netdev: -nic user",
     "-nic user,hostfwd=tcp::8022-:22",
     take_nic},
    {"net", {}, "nic|KIND[,...]|none", "cards and networks, all joined by a hub", "-net nic -net user", take_net},
    {"object",
     {},
     "filter-dump,id=ID,netdev=ID,file=FILE[,maxlen=N]",
     "record a network's frames, for Wireshark and the like",
     "-object filter-dump,id=d,netdev=n0,file=net.pcap",
     take_object},
    {"device", {}, "NAME[,prop=value...]", "one more device; 'help' lists them, 'NAME,help' their properties",
     "-device virtio-blk-pci,drive=d0", take_device},
};
constexpr OptionRow debug[] = {
    {"S",
     {},
     {},
     "wait for the debugger or the monitor's 'cont' before the first instruction",
     {},
     set<&Options::stopped>},
    {"s", {}, {}, "the same as -gdb tcp:127.0.0.1:1234", {}, take_gdb_default},
    {"gdb",
     {},
     "DEVICE",
     "wait for gdb: tcp:[HOST]:PORT, unix:PATH or stdio; without HOST only this computer may connect",
     "-gdb tcp::1234",
     take_gdb},
    {"d", {}, "ITEM,...", "log; 'help' lists the items", "-d guest_errors,unimp", take_log},
    {"D", {}, "FILE", "where the log goes", {}, keep<&Options::log_file>},
    {"dfilter", {}, "RANGE,...", "log only code in these ranges", {}, keep<&Options::log_filter>},
    {"msg", {}, "timestamp=on|off", "accepted", {}, accept},
};
constexpr OptionRow running[] = {
    {"rtc",
     {},
     "[base=utc|localtime|TIME][,clock=host|vm|rt]",
     "what the guest's clock shows at power-on",
     "-rtc base=utc",
     take_rtc},
    {"icount", {}, "shift=N|auto", "time follows the count of instructions", {}, keep<&Options::icount>},
    {"no-reboot", {}, {}, "leave where the guest would restart", {}, set<&Options::no_reboot>},
    {"no-shutdown", {}, {}, "stop where the guest would switch off", {}, set<&Options::no_shutdown>},
    {"loadvm", {}, "TAG", "go on from a saved machine", {}, keep<&Options::loadvm>},
    {"incoming", {}, "URI", "wait for a machine sent from elsewhere", {}, keep<&Options::incoming>},
    {"pidfile", {}, "FILE", "write the process number there", {}, keep<&Options::pidfile>},
    {"daemonize", {}, {}, "go to the background once everything is open", {}, set<&Options::daemonize>},
    {"overcommit", {}, "mem-lock=on|off", "accepted", {}, accept},
};
constexpr OptionGroup groups[] = {{"Standard", standard}, {"What to run", boot},
                                  {"Consoles", console},  {"Disks, network and devices", storage},
                                  {"Debugging", debug},   {"Running", running}};
}  // namespace

std::span<const OptionGroup> option_groups() { return groups; }
}  // namespace host
