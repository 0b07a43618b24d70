// The monitor's `info` subjects.

#include "host/keyvalue.hpp"
#include "host/monitor/commands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace host {
using core::u64, core::u32;

namespace {
std::string info_version(Monitor& m, Arguments) { return fmt::format("Pinstrap {}\n", m.context().version); }
std::string info_name(Monitor& m, Arguments) {
  const std::string& name = m.context().machine_name;
  return name.empty() ? std::string() : name + "\n";
}

std::string info_status(Monitor& m, Arguments) {
  if (!m.context().run) return "there is no machine\n";
  // Asked where stop and cont take effect, so that the answer comes after them.
  return on_guest(m, [&] { return std::string(m.context().run->running() ? "VM status: running\n" : "VM status: paused\n"); });
}

std::string info_registers(Monitor& m, Arguments) {
  core::DebugTarget* t = m.context().target;
  if (!t) return "there is no CPU\n";
  return on_guest(m, [t] { return t->dump(); });
}

std::string info_cpus(Monitor& m, Arguments) {
  core::DebugTarget* t = m.context().target;
  if (!t) return "there is no CPU\n";
  return on_guest(m, [t] { return fmt::format("* CPU #0: pc=0x{:08x} ({})\n", t->pc(), t->architecture()); });
}

// The board page's map, but for the size of RAM, which -m sets.
std::string board_map_text(const MonitorContext& c) {
  std::string out = c.board_map;
  for (std::size_t i = 0; c.machine && i < c.machine->ram.size(); ++i) {
    const core::RamBlock& b = c.machine->ram[i];
    const auto line = out.find(fmt::format("  0x{:08x}-", raw(b.at)));
    const auto end = out.find('\n', line), size = out.find(" RAM, ", line);
    if (b.rom || size >= end) continue;
    const auto unit = out.find(" MiB", size);
    if (unit >= end) continue;
    out.replace(size, unit - size, fmt::format(" RAM, {}", b.size / core::MiB));
    out.replace(line, 23, fmt::format("  0x{:08x}-0x{:08x}", raw(b.at), raw(b.at) + b.size - 1));
  }
  return out;
}

std::string info_mtree(Monitor& m, Arguments) {
  if (!m.context().board_map.empty()) return board_map_text(m.context());
  std::vector<MapEntry> map = m.context().map;
  if (const core::MachineBase* machine = m.context().machine) {
    for (const core::RamBlock& b : machine->ram) map.push_back({b.name, b.rom ? "rom" : "ram", raw(b.at), b.size});
    for (const core::KnownRegion& k : machine->known) map.push_back({k.name, "not modelled", raw(k.at), k.size});
  }
  return map_text(std::move(map));
}

std::string info_wiring(Monitor& m, Arguments) { return m.context().wiring; }

std::string info_qtree(Monitor& m, Arguments) {
  std::string out = fmt::format("board: {}\n", m.context().board);
  for (const core::Block& b : m.context().devices) {
    out += fmt::format("  dev: {}, id \"{}\", {} registers", b.kind, b.name, b.info.size());
    for (const MapEntry& e : m.context().map)
      if (e.name == b.name) out += fmt::format(", mmio {:016x}/{:016x}", e.at, e.size);
    out += "\n";
  }
  return m.context().buses ? out + on_guest(m, m.context().buses) : out;
}

std::string from_board(Monitor& m, const std::function<std::string()>& text, std::string_view subject) {
  if (!text) return fmt::format("this machine says nothing about {}\n", subject);
  return on_guest(m, text);
}
std::string info_jit(Monitor& m, Arguments) { return from_board(m, m.context().jit, "jit"); }
std::string info_pci(Monitor& m, Arguments) {
  return m.context().pci ? on_guest(m, m.context().pci) : "PCI devices not supported\n";
}
std::string info_roms(Monitor& m, Arguments) { return from_board(m, m.context().roms, "roms"); }

std::string info_device(Monitor& m, Arguments arguments) {
  const std::string_view name = arguments.word();
  std::vector<std::string_view> names;
  for (const core::Block& b : m.context().devices) {
    if (b.name == name) return on_guest(m, [&b] { return device_text(b); });
    names.push_back(b.name);
  }
  if (!name.empty()) return fmt::format("there is no device '{}'{}\n", name, did_you_mean(name, names));
  std::string out;
  for (const core::Block& b : m.context().devices) out += fmt::format("{} ({})\n", b.name, b.kind);
  return out;
}

std::string info_history(Monitor&, Arguments) { return "use the up and down keys\n"; }

u64 value_of(const core::RegInfo& r, const void* regs, u32 index) {
  u64 v = 0;
  if (r.rom) return r.rom[index];
  std::memcpy(&v, static_cast<const char*>(regs) + r.pos + index * r.width, r.width);
  return v;
}

std::string register_text(const core::RegInfo& r, u64 v, u32 index) {
  std::string out = fmt::format("  {:03x} {}", r.at + index * r.stride, r.name);
  if (r.count > 1) out += fmt::format("[{}]", index);
  out += fmt::format(" = 0x{:0{}x}", v, r.width * 2);
  std::string fields;
  for (const core::FieldInfo& f : r.fields) {
    const u64 field = v >> f.lsb & ((f.width >= 64 ? 0 : u64(1) << f.width) - 1);
    if (field == 0) continue;
    fields += f.width == 1 ? fmt::format(" {}", f.name) : fmt::format(" {}={:#x}", f.name, field);
  }
  return out + (fields.empty() ? "" : "  " + fields) + "\n";
}

constexpr std::string_view snapshots = "snapshots",
                           display = "the display and input devices";
constexpr Command table[] = {
    {"version", {}, {}, "the emulator's version", info_version},
    {"name", {}, {}, "the name given by -name", info_name},
    {"status", {}, {}, "running or paused", info_status},
    {"registers", {}, {}, "the CPU's registers", info_registers},
    {"cpus", {}, {}, "the CPUs", info_cpus},
    {"mtree", {}, {}, "what answers at which address", info_mtree},
    {"qtree", {}, {}, "the devices of the board and of its buses", info_qtree},
    {"pci", {}, {}, "the functions on the PCI buses", info_pci},
    {"wiring", {}, {}, "the wires between the devices", info_wiring},
    {"device", {}, "[name]", "a device's registers with their fields", info_device},
    {"roms", {}, {}, "what was loaded where", info_roms},
    {"jit", {}, {}, "the translator's statistics", info_jit},
    {"history", {}, {}, "earlier command lines", info_history},
    {"block", {}, "[-v] [device]", "the disks and discs", info_block},
    {"blockstats", {}, {}, "what was read and written", info_blockstats},
    {"network", {}, {}, "the network", info_network},
    {"usernet", {}, {}, "the user network's connections", info_usernet},
    {"snapshots", {}, {}, "saved machines", nullptr, snapshots},
    {"vnc", {}, {}, "who watches", nullptr, display},
    {"mice", {}, {}, "which mouse is used", nullptr, display},
};
}  // namespace

std::span<const Command> info_commands() { return table; }

std::string map_text(std::vector<MapEntry> map) {
  std::stable_sort(map.begin(), map.end(), [](const MapEntry& a, const MapEntry& b) { return a.at < b.at; });
  std::string out;
  for (const MapEntry& e : map)
    out += fmt::format("{:016x}-{:016x} {} ({})\n", e.at, e.at + (e.size ? e.size - 1 : 0), e.name, e.kind);
  return out;
}

std::string device_at(const MonitorContext& c, u64 at) {
  for (const MapEntry& e : c.map)
    if (at - e.at < e.size) return e.name;
  for (const core::Block& b : c.devices) {
    const auto name = c.board_map.find(fmt::format("  {:<14} ", b.name));
    if (name == c.board_map.npos || name < 21) continue;
    const std::string_view range = std::string_view(c.board_map).substr(name - 21, 21);  // 0x…-0x…
    const auto first = parse_number(range.substr(0, 10)), last = parse_number(range.substr(11));
    if (first && last && at >= *first && at <= *last) return std::string(b.name);
  }
  return {};
}

std::string device_text(const core::Block& block) {
  std::string out = fmt::format("{} ({})\n", block.name, block.kind);
  for (const core::RegInfo& r : block.info)
    for (u32 i = 0; i < r.count; ++i) out += register_text(r, value_of(r, block.regs, i), i);
  return out;
}
}  // namespace host
