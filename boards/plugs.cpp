#include "boards/plugs.hpp"

#include "boards/pci_text.hpp"
#include "host/net/specs.hpp"
#include "peripherals/pci/plug.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace boards {
using namespace core;
using host::DeviceOption;
using peripherals::pci::PciPlugBus;

namespace {
constexpr std::size_t largest_rom = 16 * MiB;

Result<std::vector<u8>> read_rom(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<u8> bytes{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad()) return Error{Kind::io, fmt::format("romfile='{}' cannot be read", path)};
  if (bytes.empty() || bytes.size() > largest_rom)
    return Error{Kind::usage, fmt::format("romfile='{}' has {} bytes; a ROM has 1 byte to 16 MiB", path, bytes.size())};
  return bytes;
}

std::string value_of(const DeviceOption& d, const char* key) {
  const auto at = d.properties.find(key);
  return at == d.properties.end() ? std::string() : at->second;
}

// Which netdev, drive or chardev property was left out.
Error missing(const PlugKind& kind, std::string_view key, std::string_view remedy) {
  return {Kind::usage, fmt::format("{} needs {}=; {}", kind.name, key, remedy)};
}
}  // namespace

Status Plugs::add(std::string_view option) {
  const auto done = [&]() -> Status { return plug(TRY(host::read_device(option, site_.kinds))); }();
  if (!done) return Error{done.error().kind, fmt::format("-device {}: {}", option, done.error().text)};
  return {};
}

Status Plugs::add_drive(BlockPort& drive) {
  DeviceOption d = TRY(host::read_device("virtio-blk-pci", site_.kinds).context("-drive if=virtio"));
  d.properties["drive"] = drive.id;
  return plug(std::move(d)).context("-drive if=virtio");
}

Status Plugs::add_card(std::string_view model, NetPort& port) {
  // `virtio` is what -nic calls it.
  const std::string what = fmt::format("-nic model={}", model);
  DeviceOption d = TRY(host::read_device(model == "virtio" ? "virtio-net-pci" : model, site_.kinds).context(what));
  if (d.kind->netdev == PlugNeed::none) return Error{Kind::usage, fmt::format("{}: this is no network card", what)};
  d.id = port.id;
  return plug(std::move(d), &port).context(what);
}

Status Plugs::check_id(const std::string& id) const {
  const auto same = [&id](const Plugged& p) { return p.id == id; };
  if (id.empty() || std::ranges::none_of(plugged_, same)) return {};
  return Error{Kind::usage, fmt::format("id='{}' is given twice; every device has its own", id)};
}

PlugBus* Plugs::named(std::string_view name) const {
  for (const auto& b : buses_)
    // A device's only bus may go by the device's name, and pci.0 by `pci`.
    if (b->name == name || (b->name.ends_with(".0") && b->name.substr(0, b->name.size() - 2) == name)) return b.get();
  return nullptr;
}

Result<PlugBus*> Plugs::find_bus(const DeviceOption& d) const {
  std::vector<std::string_view> names;
  for (const auto& b : buses_)
    if (b->type == d.kind->bus) names.push_back(b->name);
  if (!d.bus.empty()) {
    PlugBus* const b = named(d.bus);
    if (b && b->type == d.kind->bus) return b;
    if (b)
      return Error{Kind::usage, fmt::format("bus '{}' is of type {}, {} needs one of type {}", d.bus, b->type,
                                            d.kind->name, d.kind->bus)};
    if (!names.empty())
      return Error{Kind::usage, fmt::format("there is no bus '{}'{}; {} fits on {}", d.bus,
                                            host::did_you_mean(d.bus, names), d.kind->name, fmt::join(names, ", "))};
  }
  for (const auto& b : buses_)
    if (b->type == d.kind->bus && !b->full()) return b.get();
  if (!names.empty())
    return Error{Kind::usage, fmt::format("{}: no place is free on {}", d.kind->name, fmt::join(names, ", "))};
  // Something that brings such a bus may be among the kinds.
  std::string remedy = "this board has none";
  if (d.kind->bus == "virtio-serial-bus") remedy = "put '-device virtio-serial-pci' before it";
  if (d.kind->bus == "SCSI") remedy = "put the '-device' of a SCSI adapter before it";
  return Error{Kind::usage, fmt::format("there is no {} bus for {}; {}", d.kind->bus, d.kind->name, remedy)};
}

Status Plugs::give_drive(const DeviceOption& d, PlugContext& context) {
  if (d.kind->drive == PlugNeed::none) return {};
  const std::string id = value_of(d, "drive");
  if (id.empty()) {
    if (d.kind->drive == PlugNeed::may) return {};
    return missing(*d.kind, "drive", "add '-drive if=none,id=d0,file=FILE' and say drive=d0");
  }
  std::vector<std::string_view> names;
  for (BlockPort& p : site_.machine.drives) {
    names.push_back(p.id);
    if (p.id != id) continue;
    const bool placed = p.interface != BlockInterface::none && p.interface != BlockInterface::virtio;
    if (placed)
      return Error{Kind::usage,
                   fmt::format("drive '{}' is at a place of the board; give it if=none to put it here", id)};
    if (!used_drives_.insert(&p).second)
      return Error{Kind::usage, fmt::format("drive '{}' is in another device already; a drive goes into one", id)};
    context.drives.push_back(&p);
    return {};
  }
  return Error{Kind::usage, fmt::format("there is no drive '{}'{}; '-drive if=none,id={},file=FILE' makes it", id,
                                        host::did_you_mean(id, names), id)};
}

Status Plugs::give_network(const DeviceOption& d, PlugContext& context) const {
  if (d.kind->netdev == PlugNeed::none || context.nic) return {};
  const std::string netdev = value_of(d, "netdev"), mac_text = value_of(d, "mac");
  if (netdev.empty() && d.kind->netdev == PlugNeed::must)
    return missing(*d.kind, "netdev", "add '-netdev user,id=n0' and say netdev=n0");
  std::optional<MacAddress> mac;
  if (!mac_text.empty()) mac = TRY(host::parse_mac(mac_text).context("mac"));
  if (mac) context.mac = *mac;
  if (site_.network) context.nic = TRY(site_.network(netdev, d.kind->name, d.id, mac));
  else if (!netdev.empty())
    return Error{Kind::usage, fmt::format("netdev='{}': this build has no network; leave netdev= out", netdev)};
  return {};
}

Status Plugs::give_chardev(const DeviceOption& d, PlugContext& context) {
  const std::string id = value_of(d, "chardev");
  if (d.kind->chardev == PlugNeed::none) return {};
  if (id.empty()) {
    if (d.kind->chardev == PlugNeed::may) return {};
    return missing(*d.kind, "chardev", "add '-chardev stdio,id=c0' and say chardev=c0");
  }
  auto& ports = site_.machine.plugged_serial;
  if (std::ranges::any_of(ports, [&id](const auto& p) { return p.chardev == id; }))
    return Error{Kind::usage, fmt::format("chardev '{}' is in another device already; a chardev goes into one", id)};
  ports.emplace_back().chardev = id;
  context.chars = &ports.back().port;
  return {};
}

Status Plugs::plug(DeviceOption d, NetPort* port) {
  TRY(check_id(d.id));
  PlugBus& bus = *TRY(find_bus(d));
  PlugContext context{.machine = site_.machine, .id = d.id, .nic = port, .drives = {}, .properties = d.properties};
  TRY(give_drive(d, context));
  TRY(give_network(d, context));
  TRY(give_chardev(d, context));
  if (const std::string rom = value_of(d, "romfile"); !rom.empty()) context.rom = TRY(read_rom(rom));
  Plugged p{d.kind, d.id, bus.name, {}, {}};
  PlugRequest request{*d.kind, bus, std::move(context),
                      [&](std::unique_ptr<PlugBus> b) {
                        p.brought.push_back(b->name);
                        buses_.push_back(std::move(b));
                      },
                      [this](std::string_view prefix) {
                        for (unsigned n = 0;; ++n)
                          if (const std::string name = fmt::format("{}.{}", prefix, n); !named(name)) return name;
                      }};
  TRY(d.kind->plug(request));
  p.properties = request.context.properties;
  plugged_.push_back(std::move(p));
  return {};
}

Status plug_devices(const host::Options& options, Plugs& plugs, MachineBase& machine) {
  for (const std::string& option : options.device) TRY(plugs.add(option));
  // Those that no -device took.
  for (BlockPort& drive : machine.drives)
    if (drive.interface == BlockInterface::virtio && !drive.done) TRY(plugs.add_drive(drive));
  return {};
}

std::string Plugs::info_pci() const {
  for (const auto& b : buses_)
    if (b->type == peripherals::pci::plug_type) return pci_text(static_cast<const PciPlugBus&>(*b).bus);
  return "PCI devices not supported\n";
}

std::string Plugs::tree() const {
  std::string out;
  for (const auto& b : buses_) {
    const auto brings = [&b](const Plugged& p) { return std::ranges::count(p.brought, b->name) > 0; };
    if (std::ranges::none_of(plugged_, brings)) bus_tree(out, *b, 2);
  }
  return out;
}

void Plugs::bus_tree(std::string& out, const PlugBus& bus, unsigned indent) const {
  out += fmt::format("{0:{1}}bus: {2}\n{0:{1}}  type {3}\n", "", indent, bus.name, bus.type);
  std::set<const Plugged*> shown;
  if (bus.type == peripherals::pci::plug_type)
    static_cast<const PciPlugBus&>(bus).bus.each([&](peripherals::pci::Function& f) {
      const std::string addr = fmt::format("{:02x}.{:x}", f.slot, f.number), place = pci_tree_lines(f, indent + 4);
      for (const Plugged& p : plugged_)
        if (p.bus == bus.name && !f.soldered && p.properties.count("addr") && p.properties.at("addr") == addr) {
          shown.insert(&p);
          return device_tree(out, p, place, indent + 2);
        }
      out += fmt::format("{0:{1}}dev: {2}, id \"{3}\"\n{0:{1}}  addr = {4}\n{5}", "", indent + 2, f.kind, f.id, addr,
                         place);
    });
  for (const Plugged& p : plugged_)
    if (p.bus == bus.name && !shown.count(&p)) device_tree(out, p, "", indent + 2);
}

namespace {
// `1 (0x1)`, `true`, `"text"`.
std::string shown_value(const PlugProperty& p, const std::string& given) {
  std::string v = given.empty() ? std::string(p.otherwise) : given;
  std::erase(v, '"');
  if (p.name == "addr") return v;
  if (p.type == "bool") return v == "on" || v == "true" ? "true" : "false";
  if (p.type == "str" || p.type == "OnOffAuto") return fmt::format("\"{}\"", v);
  const u64 n = host::parse_number(v).value_or(0);
  return fmt::format("{} (0x{:x})", n, n);
}
}  // namespace

void Plugs::device_tree(std::string& out, const Plugged& d, const std::string& place, unsigned indent) const {
  out += fmt::format("{:{}}dev: {}, id \"{}\"\n", "", indent, d.kind->name, d.id);
  for (const auto properties : {d.kind->properties, d.kind->bus_properties})
    for (const PlugProperty& p : properties) {
      const auto given = d.properties.find(std::string(p.name));
      out += fmt::format("{:{}}{} = {}\n", "", indent + 2, p.name,
                         shown_value(p, given == d.properties.end() ? "" : given->second));
    }
  out += place;
  for (const std::string& name : d.brought) bus_tree(out, *named(name), indent + 2);
}
}  // namespace boards
