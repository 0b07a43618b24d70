// The monitor's commands, but for `info` and memory.

#include "host/monitor/commands.hpp"

#include "core/log.hpp"
#include "host/chardev_fd.hpp"
#include "host/keyvalue.hpp"

#include <fmt/format.h>

#include <cerrno>

namespace host {
using core::u32;

namespace {
std::string usage_line(const Command& c, std::string_view before = {}) {
  return fmt::format("{}{}{}{}{} -- {}{}\n", before, c.name, c.alias.empty() ? "" : "|", c.alias,
                     c.arguments.empty() ? std::string() : fmt::format(" {}", c.arguments), c.help,
                     c.later.empty() ? std::string() : fmt::format(" (not built yet: arrives with {})", c.later));
}

std::string hmp_help(Monitor&, Arguments arguments) {
  const std::string_view name = arguments.word();
  std::string out;
  if (name == "info") {
    for (const Command& c : info_commands()) out += usage_line(c, "info ");
  } else if (name == "log") {
    for (const core::LogItem& i : core::log_items()) out += fmt::format("{:<14} {}\n", i.name, i.help);
  } else if (!name.empty()) {
    const Command* c = find_command(commands(), name);
    return c ? usage_line(*c) : fmt::format("unknown command: '{}'\n", name);
  } else {
    for (const Command& c : commands()) out += usage_line(c);
  }
  return out;
}

std::string hmp_info(Monitor& m, Arguments arguments) {
  const std::string_view what = arguments.word();
  if (what.empty()) return hmp_help(m, Arguments("info"));
  if (const Command* c = find_command(info_commands(), what)) return run_command(m, *c, arguments);
  std::vector<std::string_view> names;
  for (const Command& c : info_commands()) names.push_back(c.name);
  return fmt::format("unknown command: 'info {}'{}\n", what, did_you_mean(what, names, "info "));
}

std::string with_run(Monitor& m, void (*work)(core::RunControl&)) {
  if (!m.context().run) return "there is no machine\n";
  work(*m.context().run);
  return {};
}
std::string hmp_stop(Monitor& m, Arguments) {
  return with_run(m, [](core::RunControl& r) { r.stop(); });
}
std::string hmp_cont(Monitor& m, Arguments) {
  return with_run(m, [](core::RunControl& r) { r.resume(); });
}
std::string hmp_step(Monitor& m, Arguments) {
  return with_run(m, [](core::RunControl& r) { r.step(); });
}
std::string hmp_system_reset(Monitor& m, Arguments) {
  return with_run(m, [](core::RunControl& r) { r.reset(); });
}
std::string hmp_quit(Monitor& m, Arguments) {
  return with_run(m, [](core::RunControl& r) { r.shutdown(0); });
}

std::string press(Monitor& m, const std::function<void()>& button, std::string_view name) {
  if (!button) return fmt::format("this board has no {}\n", name);
  return on_guest(m, [&] { return button(), std::string(); });
}
std::string hmp_system_powerdown(Monitor& m, Arguments) { return press(m, m.context().powerdown, "power button"); }
std::string hmp_nmi(Monitor& m, Arguments) { return press(m, m.context().nmi, "NMI"); }

std::string hmp_log(Monitor& m, Arguments arguments) {
  u32 mask = 0;
  std::string_view list = arguments.rest();
  if (list.empty()) return hmp_help(m, Arguments("log"));
  while (!list.empty() && list != "none") {
    const auto comma = list.find(',');
    const std::string_view name = list.substr(0, comma);
    const core::LogItem* found = nullptr;
    std::vector<std::string_view> names;
    for (const core::LogItem& i : core::log_items()) {
      names.push_back(i.name);
      if (name == i.name) found = &i;
    }
    if (!found) return fmt::format("there is no log item '{}'{}\n", name, did_you_mean(name, names));
    mask |= u32(found->bit);
    list = comma == list.npos ? std::string_view() : list.substr(comma + 1);
  }
  return on_guest(m, [&m, mask] {
    core::log_mask = mask;
    core::trace_registers = core::log_on(core::Log::trace);
    // Code translated so far is linked so that it passes the log by.
    if (m.context().machine) m.context().machine->raise(core::request_flush);
    return std::string();
  });
}

std::string hmp_logfile(Monitor&, Arguments arguments) {
  const std::string path(arguments.rest());
  if (path.empty()) return "logfile needs a file name\n";
  if (!core::log_to_file(path.c_str())) return fmt::format("cannot open '{}': {}\n", path, system_error(errno));
  return {};
}

std::string hmp_gdbserver(Monitor& m, Arguments arguments) {
  if (!m.context().gdbserver) return "this machine has no gdb server\n";
  const std::string_view device = arguments.rest();
  return m.context().gdbserver(device.empty() ? "tcp::1234" : device);
}

constexpr std::string_view images = "the image formats", display = "the display and input devices",
                           snapshots = "snapshots", hotplug = "device hot-plug";

constexpr Command table[] = {
    {"help", "?", "[command]", "show this list, or one command", hmp_help},
    {"info", {}, "[subject]", "show the state of the machine; 'help info' lists the subjects", hmp_info},
    {"x", {}, "/fmt addr", "show memory at a virtual address: x/8xw 0x1000, x/4i $pc", hmp_x},
    {"xp", {}, "/fmt addr", "show memory at a physical address", hmp_xp},
    {"print", "p", "/fmt expr", "calculate: p/x $r0 + 4", hmp_print},
    {"stop", "s", {}, "stop the guest", hmp_stop},
    {"cont", "c", {}, "let the guest run on", hmp_cont},
    {"step", {}, {}, "run one guest instruction", hmp_step},
    {"system_reset", {}, {}, "reset the machine", hmp_system_reset},
    {"system_powerdown", {}, {}, "press the power button", hmp_system_powerdown},
    {"quit", "q", {}, "end the emulator", hmp_quit},
    {"log", {}, "item,...", "choose what is logged; 'help log' lists the items, 'none' stops", hmp_log},
    {"logfile", {}, "file", "write the log to a file", hmp_logfile},
    {"gdbserver", {}, "[device]", "listen for gdb, on tcp port 1234 without a device", hmp_gdbserver},
    {"nmi", {}, {}, "raise the non-maskable interrupt", hmp_nmi},
    {"sendkey", {}, "keys", "press keys", nullptr, display},
    {"mouse_move", {}, "dx dy", "move the mouse", nullptr, display},
    {"screendump", {}, "file", "save the screen as a picture", nullptr, display},
    {"savevm", {}, "[tag]", "save the machine", nullptr, snapshots},
    {"loadvm", {}, "tag", "go back to a saved machine", nullptr, snapshots},
    {"delvm", {}, "tag", "forget a saved machine", nullptr, snapshots},
    {"migrate", {}, "uri", "send the machine elsewhere", nullptr, snapshots},
    {"change", {}, "device file [format [mode]]", "put another medium in; mode is retain, read-only or read-write", hmp_change},
    {"eject", {}, "[-f] device", "take a medium out; -f though the guest holds it", hmp_eject},
    {"block_resize", {}, "device size", "change the size of a disk; a plain number counts MiB", hmp_block_resize},
    {"commit", {}, "device", "write a snapshot's changes to its image", nullptr, images},
    {"set_link", {}, "name on|off", "pull or put back a network cable", hmp_set_link},
    {"hostfwd_add", {}, "[netdev] rule", "forward a host port to the guest: tcp::8080-:80", hmp_hostfwd_add},
    {"hostfwd_remove", {}, "[netdev] rule", "forward it no longer: tcp::8080", hmp_hostfwd_remove},
    {"device_add", {}, "device", "plug in a device", nullptr, hotplug},
    {"device_del", {}, "id", "unplug a device", nullptr, hotplug},
};
}  // namespace

std::span<const Command> commands() { return table; }
}  // namespace host
