#include "host/options.hpp"

#include "host/options_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace host {
using core::Error, core::Kind, core::Status;

namespace {
const OptionRow* find_row(std::string_view name) {
  for (const OptionGroup& g : option_groups())
    for (const OptionRow& r : g.rows)
      if (name == r.name || (!r.alias.empty() && name == r.alias)) return &r;
  return nullptr;
}

// Options that scripts for QEMU carry; better named than guessed at.
constexpr std::string_view qemu_options =
    " L accel-prop acpitable action add-fd audio audiodev chroot compat debugcon echr fsdev "
    "full-screen fw_cfg g global k mem-path mem-prealloc no-acpi no-fd-bootchk no-hpet no-quit numa "
    "only-migratable option-rom perfmap plugin preconfig prom-env qmp-pretty readconfig runas run-with "
    "sandbox seed set smbios soundhw spice tpmdev trace usb usbdevice virtfs watchdog watchdog-action writeconfig "
    "xen-domid ";

Error unknown_option(std::string_view written, std::string_view name) {
  const bool step = name == "singlestep";
  if (step || qemu_options.find(fmt::format(" {} ", name)) != qemu_options.npos)
    return {Kind::usage, fmt::format("unknown option '{}': QEMU's, not ours; {}", written,
                                     step ? "write -accel jit,one-insn-per-tb=on" : "leave it out")};
  std::vector<std::string_view> names;
  for (const OptionGroup& g : option_groups())
    for (const OptionRow& r : g.rows) {
      names.push_back(r.name);
      if (!r.alias.empty()) names.push_back(r.alias);
    }
  std::string hint = did_you_mean(name, names, "-");
  if (hint.empty()) hint = "; -help lists them";
  return {Kind::usage, fmt::format("unknown option '{}'{}", written, hint)};
}

// Greedy filling of lines of `width` characters, each after `indent` blanks.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  std::string out, line;
  while (!text.empty()) {
    const auto space = text.find(' ');
    const std::string_view word = text.substr(0, space);
    if (!line.empty() && line.size() + 1 + word.size() > width) {
      out += fmt::format("{:{}}{}\n", "", indent, line);
      line.clear();
    }
    if (!line.empty()) line += ' ';
    line += word;
    text = space == text.npos ? std::string_view() : text.substr(space + 1);
  }
  return line.empty() ? out : out + fmt::format("{:{}}{}\n", "", indent, line);
}

std::string row_text(const OptionRow& r) {
  std::string head = fmt::format("  -{}", r.name);
  if (!r.alias.empty()) head += fmt::format(", -{}", r.alias);
  if (!r.argument.empty()) head += fmt::format(" {}", r.argument);
  std::string out = head + "\n" + wrapped(r.help, 8, 72);
  if (!r.example.empty()) out += fmt::format("        example: {}\n", r.example);
  return out;
}
}  // namespace

std::string help_text(const BoardFacts& facts) {
  std::string out = fmt::format("{}: {}\nusage: {} [options]\n", facts.program, facts.title, facts.program);
  for (const OptionGroup& g : option_groups()) {
    out += fmt::format("\n{}\n", g.title);
    for (const OptionRow& r : g.rows) out += row_text(r);
  }
  return out + "\nAn option may be written with one dash or two.  A comma inside a value is written twice.\n";
}

core::Result<Options> parse_options(std::span<const char* const> arguments, const BoardFacts& facts) {
  Options options;
  for (std::size_t i = 0; i < arguments.size() && !options.show; ++i) {
    const std::string_view written = arguments[i];
    if (written.size() < 2 || written[0] != '-')
      return Error{
          Kind::usage,
          fmt::format("'{}' is no option; a program to run is given with -kernel, a disk with -drive", written)};
    const std::string_view name = written.substr(written.starts_with("--") ? 2 : 1);
    const OptionRow* row = find_row(name);
    if (!row) return unknown_option(written, name);
    std::string_view value;
    if (!row->argument.empty()) {
      if (i + 1 == arguments.size())
        return Error{Kind::usage, fmt::format("-{} needs an argument: -{} {}", name, name, row->argument)};
      value = arguments[++i];
    }
    TRY(row->take({options, facts}, value).context(fmt::format("-{}", name)));
  }
  return options;
}

namespace {
// The one place that says no to what comes later: what was written, and what is missing for it.
Error not_built(const BoardFacts& facts, std::string_view option, std::string_view missing, std::string_view remedy) {
  return {Kind::unsupported,
          fmt::format("{}: this build of {} has no {} yet; {}", option, facts.program, missing, remedy)};
}

struct Later {
  std::string_view option;
  bool (*used)(const Options&);
  std::string_view missing, remedy;
};
constexpr Later later[] = {
    {"-machine usb=on", [](const Options& o) { return o.machine_props.get("usb") == "on"; }, "USB", "use usb=off"},
    {"-parallel", [](const Options& o) { return !o.parallel.empty() && o.parallel != "none" && o.parallel != "null"; },
     "parallel port", "use -parallel none"},
    {"-qmp", [](const Options& o) { return !o.qmp.empty(); }, "monitor for programs", "use -monitor"},
    {"-vnc", [](const Options& o) { return !o.vnc.empty() && o.vnc != "none"; }, "screen", "use -nographic"},
    {"-display", [](const Options& o) { return o.display != DisplayKind::unset && o.display != DisplayKind::none; },
     "screen", "use -display none or -nographic"},
    {"-icount", [](const Options& o) { return !o.icount.empty(); }, "counted time", "leave it out"},
    {"-loadvm", [](const Options& o) { return !o.loadvm.empty(); }, "snapshots", "leave it out"},
    {"-incoming", [](const Options& o) { return !o.incoming.empty(); }, "migration", "leave it out"},
    {"-daemonize", [](const Options& o) { return o.daemonize; }, "background mode",
     "start it with '&' and -display none"},
    {"-accel kvm",
     [](const Options& o) {
       return !o.accels.empty() &&
              std::all_of(o.accels.begin(), o.accels.end(), [](const Accel& a) { return a.kind == AccelKind::kvm; });
     },
     "KVM", "use -accel jit"},
    {"-rtc",
     [](const Options& o) {
       return o.rtc.get("base").value_or("utc") != "utc" || o.rtc.get("clock").value_or("host") != "host";
     },
     "clock but the host's UTC", "use -rtc base=utc"},
};
}  // namespace

Status refuse_unbuilt(const Options& options, const BoardFacts& facts) {
  if (facts.block_interfaces.empty()) {
    constexpr std::string_view missing = "disk interface", remedy = "give files to the guest with -initrd";
    for (const WrittenDrive& d : options.drives) return not_built(facts, d.option, missing, remedy);
    if (!options.blockdev.empty()) return not_built(facts, "-blockdev", missing, remedy);
    if (options.snapshot) return not_built(facts, "-snapshot", missing, "leave it out");
  }
  for (const Later& l : later)
    if (l.used(options)) return not_built(facts, l.option, l.missing, l.remedy);
  return {};
}

namespace {
// One line, whatever came from a file name or the command line.
void say(std::string_view program, const char* what, std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  std::fprintf(stderr, "%.*s: %s%s\n", int(program.size()), program.data(), what, text.c_str());
}
}  // namespace

int report(std::string_view program, const Error& error) {
  say(program, "", error.text);
  return 1;
}
void warn(std::string_view program, const std::string& text) { say(program, "warning: ", text); }

int print(std::string_view text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0 ? 0 : 1;
}
}  // namespace host
