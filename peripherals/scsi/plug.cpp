#include "peripherals/scsi/plug.hpp"

#include "peripherals/pci/plug.hpp"
#include "peripherals/scsi/lsi53c895a.hpp"

namespace peripherals::scsi {
namespace {
constexpr u64 no_number = 4294967295;

constexpr PlugProperty bus_properties[] = {
    {"bootindex", "int32"},
    {"channel", "uint32", "", "0"},
    {"lun", "uint32", "", "0"},
    {"scsi-id", "uint32", "", "the first free"},
};
constexpr PlugProperty drive_properties[] = {
    {"drive", "str", "Node name or ID of a block device to use as a backend"},
    {"serial", "str"},
};

Error usage(std::string text) { return {Kind::usage, std::move(text)}; }

Status plug_drive(PlugRequest& r) {
  const PlugContext& c = r.context;
  auto& bus = static_cast<ScsiPlugBus&>(r.bus);
  u64 id = c.number("scsi-id", no_number);
  if (id == no_number) id = bus.free_target();
  const std::string written = "scsi-id=" + std::to_string(id);
  if (id > bus.last) return usage(written + " is none of a drive; say 0 to " + std::to_string(bus.last));
  if (bus.targets.present(unsigned(id))) return usage(written + " is taken on bus '" + bus.name + "'; choose another");
  for (const char* key : {"lun", "channel"})
    if (c.number(key, 0))
      return usage(std::string(key) + "=" + c.text(key) + ": a drive has " + key + " 0 only; leave it out");
  BlockPort& port = *c.drives.front();
  if (!c.text("serial").empty()) port.serial = c.text("serial");
  port.is_cdrom = r.kind.name == "scsi-cd";
  if (port.is_cdrom) port.removable = port.read_only = true;
  bus.targets.attach(unsigned(id), &port);
  r.context.properties["scsi-id"] = std::to_string(id);
  return {};
}

Status plug_lsi(PlugRequest& r) {
  using Card = pci::Plugged<lsi53c895a::Lsi53c895a>;
  PlugContext context = r.context;
  auto card = std::make_unique<Card>(std::move(context));
  Bus& targets = card->peripheral().bus.targets;
  TRY(pci::plug_function(r, std::move(card)));
  const std::string& id = r.context.id;
  r.add_bus(std::make_unique<ScsiPlugBus>(id.empty() ? r.unused("scsi") : id + ".0", targets, lsi53c895a::last_target));
  return {};
}
}  // namespace

unsigned ScsiPlugBus::free_target() const {
  unsigned n = 0;
  while (n <= last && targets.present(n)) ++n;
  return n;
}

std::span<const PlugKind> plug_kinds() {
  static const PlugKind kinds[] = {{.name = "lsi53c895a",
                                    .alias = "lsi",
                                    .bus = pci::plug_type,
                                    .category = PlugCategory::storage,
                                    .bus_properties = pci::plug_properties(),
                                    .plug = plug_lsi},
                                   {.name = "scsi-cd",
                                    .description = "virtual SCSI CD-ROM",
                                    .bus = plug_type,
                                    .category = PlugCategory::storage,
                                    .properties = drive_properties,
                                    .bus_properties = bus_properties,
                                    .drive = PlugNeed::must,
                                    .plug = plug_drive},
                                   {.name = "scsi-hd",
                                    .description = "virtual SCSI disk",
                                    .bus = plug_type,
                                    .category = PlugCategory::storage,
                                    .properties = drive_properties,
                                    .bus_properties = bus_properties,
                                    .drive = PlugNeed::must,
                                    .plug = plug_drive}};
  return kinds;
}
}  // namespace peripherals::scsi
