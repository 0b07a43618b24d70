// Arguments with a grammar of their own.

#include "core/log.hpp"
#include "core/reg.hpp"
#include "host/chardev_fd.hpp"
#include "host/device_options.hpp"
#include "host/gdbstub/gdbstub.hpp"
#include "host/options_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <sstream>

namespace host {
using core::Error, core::Kind, core::MiB, core::Status, core::u64;
using Value = std::string_view;

namespace {
struct KnownBoard {
  std::string_view machine, program;
};
constexpr KnownBoard known_boards[] = {
    {"versatilepb", "pinstrap-versatilepb"},
    {"versatileab", "pinstrap-versatileab"},
    {"malta", "pinstrap-malta"},
    {"pc", "pinstrap-pc"},
    {"isapc", "pinstrap-isapc"},
    {"g3beige", "pinstrap-g3"},
    {"sun4u", "pinstrap-sun4u"},
};

bool contains(const std::vector<Value>& list, Value v) { return std::find(list.begin(), list.end(), v) != list.end(); }

Status machine_name(Context c, Value name) {
  if (name == "none" || contains(c.facts.machines, name)) return {};
  for (const KnownBoard& b : known_boards)
    if (name == b.machine)
      return Error{Kind::usage, fmt::format("this program is the board '{}'; '{}' is {}", c.facts.machines.front(),
                                            name, b.program)};
  std::vector<Value> names = c.facts.machines;
  for (const KnownBoard& b : known_boards) names.push_back(b.machine);
  return Error{Kind::usage, fmt::format("there is no board '{}'{}; this program is '{}'", name,
                                        did_you_mean(name, names), c.facts.machines.front())};
}
}  // namespace

Status take_machine(Context c, Value v) {
  KeyValues kv = TRY(KeyValues::parse(v, "type"));
  const std::string name = kv.get("type").value_or("");
  if (name == "help" || name == "?") {
    std::string text = "this program is one board:\n";
    for (Value m : c.facts.machines) text += fmt::format("{:<14} {}\n", m, c.facts.title);
    text += fmt::format("{:<14} no machine\n", "none");
    c.options.show = text;
    return {};
  }
  if (!name.empty()) {
    TRY(machine_name(c, name));
    c.options.machine = name;
  }
  for (const KeyValue& i : kv.items) {
    if (i.key == "accel") {
      // `accel=kvm:tcg` lists them in order of preference.
      for (Value rest = i.value; !rest.empty();) {
        const auto colon = rest.find(':');
        TRY(take_accel(c, rest.substr(0, colon)));
        rest = colon == rest.npos ? Value() : rest.substr(colon + 1);
      }
    } else if (i.key == "kernel") {
      c.options.kernel = i.value;
    } else if (i.key == "initrd") {
      c.options.initrd = i.value;
    } else if (i.key == "append") {
      c.options.append = i.value;
    } else if (i.key == "dtb" && i.value != "off") {  // dtb=off: a tag list instead
      c.options.dtb = i.value;
    } else if (i.key != "type") {
      c.options.machine_props.items.push_back(i);
    }
  }
  // What libvirt writes, and what changes nothing here, is kept; the rest is refused by name.
  return c.options.machine_props.only({"usb", "dump-guest-core", "memory-backend", "graphics", "mem-merge", "dtb"});
}

namespace {
std::string accel_help(const BoardFacts& facts) {
  std::string text =
      "jit     guest code is translated as it is met (also called tcg)\n"
      "interp  guest code is interpreted\n"
      "kvm     the host's processor runs guest code\n";
  if (facts.layers.empty()) return text;
  text +=
      "\nprofile=FILE       writes at the end where the guest's time went; './pinstrap profile' reads it\n"
      "perf=map           writes /tmp/perf-PID.map, by which perf report names translated code\n"
      "perf=dump          writes jit-PID.dump, for perf record -k mono and perf inject --jit\n"
      "symbols=FILE:...   more names of guest code than -kernel's ELF file has: ELF files, System.map\n";
  text += "\nlayers of jit, for measuring what each is worth: opt=-fp:-runs leaves two out, opt=none all, opt=none:chain all but one\n";
  for (const LayerFacts& l : facts.layers) text += fmt::format("{:<10} {}\n", l.name, l.help);
  return text;
}

// Who looks on while guest code runs.
Status take_watchers(Accel& a, const KeyValues& kv) {
  a.profile = kv.get("profile").value_or("");
  a.perf = kv.get("perf").value_or("");
  if (a.perf == "on") a.perf = "map";
  if (a.perf == "off") a.perf.clear();
  if (!a.perf.empty() && a.perf != "map" && a.perf != "dump") return Error{Kind::usage, fmt::format("perf='{}' must be map or dump", a.perf)};
  const std::string symbols = kv.get("symbols").value_or("");
  for (Value rest = symbols; !rest.empty();) {
    const auto colon = rest.find(':');
    a.symbols.emplace_back(rest.substr(0, colon));
    rest = colon == rest.npos ? Value() : rest.substr(colon + 1);
  }
  const bool watched = !a.perf.empty() || !a.profile.empty();
  if (!a.symbols.empty() && !watched) return Error{Kind::usage, "symbols= is for profile= and perf=; add one of them, or leave it out"};
  if (watched && a.kind != AccelKind::jit) return Error{Kind::usage, "profile= and perf= look at translated code; use -accel jit"};
  return {};
}

// `-fp:-runs`, `none:chain`, `chain:probe`: from left to right.  What begins with a layer's name begins with none.
core::Result<core::u32> read_layers(Value list, const std::vector<LayerFacts>& layers) {
  core::u32 bits = list.starts_with('-') ? ~core::u32(0) : 0;
  for (bool more = true; more;) {
    const auto colon = list.find(':');
    Value item = list.substr(0, colon);
    more = colon != list.npos;
    if (more) list.remove_prefix(colon + 1);
    if (item == "all" || item == "none") {
      bits = item == "all" ? ~core::u32(0) : 0;
      continue;
    }
    const bool off = item.starts_with('-');
    if (off) item.remove_prefix(1);
    const auto found = std::ranges::find(layers, item, &LayerFacts::name);
    if (found == layers.end()) {
      std::vector<Value> names = {"all", "none"};
      for (const LayerFacts& l : layers) names.push_back(l.name);
      return Error{Kind::usage, fmt::format("opt: there is no layer '{}'{}; there are {}", item, did_you_mean(item, names), fmt::join(names, ", "))};
    }
    const core::u32 bit = core::u32(1) << (found - layers.begin());
    bits = off ? bits & ~bit : bits | bit;
  }
  return bits;
}
}  // namespace

Status take_accel(Context c, Value v) {
  const auto kv = TRY(KeyValues::parse(v, "accel"));
  TRY(kv.only({"accel", "tb-size", "one-insn-per-tb", "opt", "region-after", "thread", "perf", "profile", "symbols"}));
  Accel a;
  const std::string name = kv.get("accel").value_or("");
  if (name == "help") {
    c.options.show = accel_help(c.facts);
    return {};
  }
  if (name == "jit" || name == "tcg")
    a.kind = AccelKind::jit;
  else if (name == "interp")
    a.kind = AccelKind::interp;
  else if (name == "kvm")
    a.kind = AccelKind::kvm;
  else
    return Error{Kind::usage,
                 fmt::format("there is no accelerator '{}'{}; there are jit (also called tcg), interp and kvm", name,
                             did_you_mean(name, {"jit", "tcg", "interp", "kvm"}))};
  const u64 mib = TRY(kv.number("tb-size", 0));
  if (mib > 4096)
    return Error{Kind::usage, fmt::format("tb-size={} is too much; at most 4096 MiB of translated code", mib)};
  a.tb_size = mib * MiB;
  a.one_insn_per_tb = TRY(kv.flag("one-insn-per-tb", false));
  TRY(take_watchers(a, kv));
  if (const auto list = kv.get("opt")) a.layers = TRY(read_layers(*list, c.facts.layers));
  if (kv.has("region-after")) {
    const u64 jumps = TRY(kv.number("region-after", 0));
    if (jumps > 1'000'000'000) return Error{Kind::usage, fmt::format("region-after={} must be 0 to 1000000000", jumps)};
    a.region_after = unsigned(jumps);
  }
  const std::string thread = kv.get("thread").value_or("single");
  if (thread != "single" && thread != "multi")
    return Error{Kind::usage, fmt::format("thread='{}' must be single or multi", thread)};
  c.options.accels.push_back(a);
  return {};
}

Status take_cpu(Context c, Value v) {
  KeyValues kv = TRY(KeyValues::parse(v, "cpu"));
  const std::string name = kv.get("cpu").value_or("");
  if (name == "help" || name == "?") {
    c.options.show = fmt::format("processors of this board:\n{}\n", fmt::join(c.facts.cpus, "\n"));
    return {};
  }
  if (!contains(c.facts.cpus, name))
    return Error{Kind::usage, fmt::format("this board has no processor '{}'{}; it takes {}", name,
                                          did_you_mean(name, c.facts.cpus), fmt::join(c.facts.cpus, ", "))};
  for (const KeyValue& i : kv.items) {
    if (i.key == "cpu") continue;
    if (!parse_bool(i.value)) return Error{Kind::usage, fmt::format("{}='{}' must be on or off", i.key, i.value)};
    c.options.cpu_features.items.push_back(i);
  }
  c.options.cpu = name;
  return {};
}

Status take_memory(Context c, Value v) {
  const auto kv = TRY(KeyValues::parse(v, "size"));
  TRY(kv.only({"size", "slots", "maxmem"}));
  const std::string text = kv.get("size").value_or("");
  const auto size = parse_size(text, MiB);
  if (!size) return Error{Kind::usage, fmt::format("'{}' is not a size; write 128, 128M or 1G", text)};
  if (*size == 0) return Error{Kind::usage, "a machine needs some RAM"};
  if (c.facts.ram_max && *size > c.facts.ram_max)
    return Error{Kind::usage,
                 fmt::format("'{}' is too much RAM; this board takes at most {} MiB", text, c.facts.ram_max / MiB)};
  if (*size % MiB) return Error{Kind::usage, fmt::format("'{}' is not a whole number of MiB", text)};
  c.options.ram = *size;
  return {};
}

Status take_smp(Context c, Value v) {
  const auto kv = TRY(KeyValues::parse(v, "cpus"));
  TRY(kv.only({"cpus", "sockets", "dies", "clusters", "cores", "threads", "maxcpus"}));
  const u64 n = TRY(kv.number("cpus", 1)), most = TRY(kv.number("maxcpus", n));
  if (n == 0) return Error{Kind::usage, "a machine needs a processor"};
  if (std::max(n, most) > c.facts.cpus_max)
    return Error{Kind::usage, fmt::format("this board has {} processor{}, not {}", c.facts.cpus_max,
                                          c.facts.cpus_max == 1 ? "" : "s", std::max(n, most))};
  c.options.smp = unsigned(n);
  return {};
}

Status take_display(Context c, Value v) {
  const auto kv = TRY(KeyValues::parse(v, "type"));
  const std::string name = kv.get("type").value_or("");
  if (name == "none")
    c.options.display = DisplayKind::none;
  else if (name == "curses")
    c.options.display = DisplayKind::curses;
  else if (name == "vnc")
    c.options.display = DisplayKind::vnc;
  else if (name == "gtk" || name == "sdl" || name == "cocoa" || name == "window" || name == "spice-app" ||
           name == "egl-headless" || name == "dbus")
    c.options.display = DisplayKind::window;
  else if (name == "help")
    c.options.show = "none    no screen\n";
  else
    return Error{Kind::usage, fmt::format("there is no display '{}'{}", name,
                                          did_you_mean(name, {"none", "curses", "gtk", "sdl", "vnc"}))};
  return {};
}

Status take_log(Context c, Value v) {
  if (v == "help" || v == "?") {
    std::string text;
    for (const core::LogItem& i : core::log_items()) text += fmt::format("{:<14} {}\n", i.name, i.help);
    c.options.show = text;
    return {};
  }
  std::vector<Value> names;
  for (const core::LogItem& i : core::log_items()) names.push_back(i.name);
  while (!v.empty()) {
    const auto comma = v.find(',');
    const Value item = v.substr(0, comma);
    if (!contains(names, item))
      return Error{Kind::usage,
                   fmt::format("there is no log item '{}'{}; '-d help' lists them", item, did_you_mean(item, names))};
    c.options.log_items.emplace_back(item);
    v = comma == v.npos ? Value() : v.substr(comma + 1);
  }
  return {};
}

Status apply_log(const Options& options) {
  for (const std::string& name : options.log_items)
    for (const core::LogItem& i : core::log_items())
      if (name == i.name) core::log_mask |= core::u32(i.bit);
  core::trace_registers = core::log_on(core::Log::trace);
  if (!options.log_file.empty() && !core::log_to_file(options.log_file.c_str()))
    return Error{Kind::io, fmt::format("-D: cannot open '{}': {}", options.log_file, system_error(errno))};
  return {};
}

Status take_rtc(Context c, Value v) {
  const auto kv = TRY(KeyValues::parse(v));
  TRY(kv.only({"base", "clock", "driftfix"}));
  const std::string clock = kv.get("clock").value_or("host");
  if (clock != "host" && clock != "vm" && clock != "rt")
    return Error{Kind::usage, fmt::format("clock='{}' must be host, vm or rt", clock)};
  const std::string base = kv.get("base").value_or("utc");
  const bool date = base.size() >= 10 && base[4] == '-' && base[7] == '-';
  if (base != "utc" && base != "localtime" && !date)
    return Error{Kind::usage, fmt::format("base='{}' must be utc, localtime or a time like 2006-06-17T16:01:21", base)};
  c.options.rtc = kv;
  return {};
}

Status take_semihosting(Context c, Value v) {
  const auto kv = TRY(KeyValues::parse(v, "enable"));
  TRY(kv.only({"enable", "target", "chardev", "arg", "userspace"}));
  const bool user = TRY(kv.flag("userspace", false));
  c.options.semihosting = TRY(kv.flag("enable", true)) ? 1 + user : 0;
  const std::string target = kv.get("target").value_or("auto");
  if (target != "native" && target != "gdb" && target != "auto")
    return Error{Kind::usage, fmt::format("target='{}' must be native, gdb or auto", target)};
  c.options.semihosting_config = kv;
  return {};
}

std::vector<std::string> semihosting_arguments(const Options& options) {
  std::vector<std::string> words;
  for (const KeyValue& item : options.semihosting_config.items)
    if (item.key == "arg") words.push_back(item.value);
  if (!words.empty() || options.kernel.empty()) return words;
  words.push_back(options.kernel);
  std::istringstream append(options.append);
  for (std::string word; append >> word;) words.push_back(word);
  return words;
}

Status take_gdb(Context c, Value v) {
  TRY(parse_gdb_spec(v));
  c.options.gdb = v == "none" ? Value() : v;
  return {};
}
Status take_serial(Context c, Value v) {
  TRY(parse_serial_spec(v));
  c.options.serial.emplace_back(v);
  return {};
}
Status take_monitor(Context c, Value v) {
  TRY(parse_serial_spec(v));
  c.options.monitor.emplace_back(v);
  return {};
}
Status take_chardev(Context c, Value v) {
  TRY(parse_chardev_option(v));
  c.options.chardev.emplace_back(v);
  return {};
}

Status take_device(Context c, Value v) {
  if (const auto help = TRY(device_help(v, c.facts.devices))) {
    c.options.show = *help;
    return {};
  }
  TRY(read_device(v, c.facts.devices));
  c.options.device.emplace_back(v);
  return {};
}

Status take_vga(Context c, Value v) {
  const std::string_view card = c.facts.vga;
  if (v == "help") {
    c.options.show = fmt::format("none\n{}{}", card, card.empty() ? "" : " (default)\n");
    return {};
  }
  if (v != "none" && card.empty())
    return Error{Kind::unsupported, fmt::format("'{}': {} has no graphics card; use -vga none", v, c.facts.program)};
  if (v != "none" && v != card)
    return Error{Kind::unsupported, fmt::format("'{}' is not a card of this board; it has {}, or none", v, card)};
  c.options.vga = v;
  return {};
}

Status take_uuid(Context c, Value v) {
  bool good = v.size() == 36;
  for (std::size_t i = 0; good && i < v.size(); ++i)
    good = i == 8 || i == 13 || i == 18 || i == 23 ? v[i] == '-' : std::isxdigit(static_cast<unsigned char>(v[i])) != 0;
  if (!good) return Error{Kind::usage, fmt::format("'{}' is not a UUID like 6ba7b810-9dad-11d1-80b4-00c04fd430c8", v)};
  c.options.uuid = v;
  return {};
}
}  // namespace host
