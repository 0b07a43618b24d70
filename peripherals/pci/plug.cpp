#include "peripherals/pci/plug.hpp"

#include "peripherals/pci/bridge.hpp"

#include "core/log.hpp"

#include <algorithm>
#include <bit>
#include <charconv>

namespace peripherals::pci {
namespace {
constexpr PlugProperty common_properties[] = {
    {"addr", "int32", "Slot and optional function number, example: 06.0 or 06", "-1"},
    {"bootindex", "int32"},
    {"multifunction", "bool", "on/off", "false"},
    {"rombar", "uint32", "", "1"},
    {"romfile", "str"},
};
constexpr PlugProperty bridge_properties[] = {{"chassis_nr", "uint8", "", "0"}};

struct Place {
  unsigned slot, function;
};

// `SLOT[.FN]`, hexadecimal as lspci writes them.
bool parse_place(std::string_view text, Place& p) {
  p = {};
  const auto dot = text.find('.');
  std::string_view parts[] = {text.substr(0, dot), dot == text.npos ? "0" : text.substr(dot + 1)};
  unsigned* const to[] = {&p.slot, &p.function};
  for (unsigned i = 0; i < 2; ++i) {
    if (parts[i].starts_with("0x")) parts[i].remove_prefix(2);
    const char* const end = parts[i].data() + parts[i].size();
    if (parts[i].empty() || std::from_chars(parts[i].data(), end, *to[i], 16).ptr != end) return false;
  }
  return p.slot < slot_count && p.function < function_count;
}

std::string hex(unsigned v) {
  char text[8];
  return {text, std::to_chars(text, text + sizeof text, v, 16).ptr};
}

Status plug_bridge(PlugRequest& r) {
  const PlugContext& c = r.context;
  auto bridge = std::make_unique<Bridge>(c.id, u8(c.number("chassis_nr", 0)));
  Bus& secondary = bridge->secondary();
  TRY(plug_function(r, std::move(bridge)));
  // Slot 0 of the new bus is kept free by default; addr=0 takes it.
  r.add_bus(std::make_unique<PciPlugBus>(c.id.empty() ? r.unused("pci") : c.id, secondary, 1));
  return {};
}
constexpr PlugKind bridges[] = {{.name = "pci-bridge",
                                 .description = "Standard PCI Bridge",
                                 .bus = plug_type,
                                 .category = PlugCategory::bridge,
                                 .properties = bridge_properties,
                                 .bus_properties = common_properties,
                                 .plug = plug_bridge}};
}  // namespace

std::span<const PlugProperty> plug_properties() { return common_properties; }
std::span<const PlugKind> bridge_kinds() { return bridges; }

Status plug_function(PlugRequest& r, std::unique_ptr<Function> f) {
  PciPlugBus& on = static_cast<PciPlugBus&>(r.bus);
  PlugContext& c = r.context;
  const std::string addr = c.text("addr");
  Place place{on.bus.free_slot(on.first_slot), 0};
  if (!addr.empty() && addr != "-1" && !parse_place(addr, place))
    return Error{Kind::usage, "addr='" + addr + "' must be SLOT or SLOT.FUNCTION in hexadecimal, slots up to 1f"};
  if (place.slot == slot_count)
    return Error{Kind::usage, "bus '" + on.name + "' has no free slot; add a pci-bridge and say bus="};
  if (const Function* there = on.bus.at(place.slot, place.function))
    return Error{Kind::usage, "slot " + hex(place.slot) + " function " + hex(place.function) + " of bus '" + on.name +
                                  "' already holds " + (there->id.empty() ? there->kind : "'" + there->id + "'") +
                                  "; leave addr= out for a free one"};
  if (c.flag("multifunction", false)) f->set_multifunction();
  // ROMs are seen in powers of two (PCI 3.0 §6.2.5.2).
  if (!c.rom.empty() && c.number("rombar", 1)) {
    std::vector<u8> rom = c.rom;
    rom.resize(std::bit_ceil(std::max<std::size_t>(rom.size(), 2048)), 0xff);
    f->set_rom(std::move(rom));
  }
  f->kind = r.kind.name;
  check(on.bus.attach(std::move(f), place.slot, place.function));
  c.properties["addr"] = (place.slot < 16 ? "0" : "") + hex(place.slot) + "." + hex(place.function);
  return {};
}
}  // namespace peripherals::pci
