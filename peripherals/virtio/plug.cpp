#include "peripherals/virtio/plug.hpp"

#include "peripherals/pci/plug.hpp"
#include "peripherals/virtio/virtio_blk.hpp"
#include "peripherals/virtio/virtio_net.hpp"
#include "peripherals/virtio/virtio_pci.hpp"
#include "peripherals/virtio/virtio_rng.hpp"
#include "peripherals/virtio/virtio_serial.hpp"

#include "core/machine.hpp"

#include <bit>

namespace peripherals::virtio {
namespace {
// addr= … of PCI, and what every virtio function takes.
constexpr PlugProperty common_properties[] = {
    {"addr", "int32", "Slot and optional function number, example: 06.0 or 06", "-1"},
    {"bootindex", "int32"},
    {"disable-legacy", "OnOffAuto", "on/off/auto", "\"auto\""},
    {"disable-modern", "bool", "", "false"},
    {"event_idx", "bool", "on/off", "true"},
    {"indirect_desc", "bool", "on/off", "true"},
    {"multifunction", "bool", "on/off", "false"},
    {"rombar", "uint32", "", "1"},
    {"romfile", "str"},
    {"vectors", "uint32", "MSI-X vectors, where the board takes messages", ""},
};
constexpr PlugProperty blk_properties[] = {
    {"config-wce", "bool", "on/off", "true"},
    {"discard", "bool", "on/off", "true"},
    {"drive", "str", "Node name or ID of a block device to use as a backend"},
    {"physical_block_size", "size", "A power of two between 512 B and 2 MiB", "0"},
    {"queue-size", "uint16", "", "256"},
    {"serial", "str"},
    {"write-zeroes", "bool", "on/off", "true"},
};
constexpr PlugProperty net_properties[] = {
    {"csum", "bool", "on/off", "true"},
    {"ctrl_mac_addr", "bool", "on/off", "true"},
    {"ctrl_rx", "bool", "on/off", "true"},
    {"ctrl_rx_extra", "bool", "on/off", "true"},
    {"ctrl_vlan", "bool", "on/off", "true"},
    {"ctrl_vq", "bool", "on/off", "true"},
    {"mac", "str", "Ethernet 6-byte MAC Address, example: 52:54:00:12:34:56"},
    {"mrg_rxbuf", "bool", "on/off", "true"},
    {"netdev", "str", "ID of a netdev to use as a backend"},
    {"rx_queue_size", "uint16", "", "256"},
    {"status", "bool", "on/off", "true"},
    {"tx_queue_size", "uint16", "", "256"},
};
constexpr PlugProperty serial_properties[] = {
    {"emergency-write", "bool", "on/off", "true"},
    {"max_ports", "uint32", "", "31"},
};
constexpr PlugProperty port_properties[] = {
    {"chardev", "str", "ID of a chardev to use as a backend"},
    {"name", "str"},
    {"nr", "uint32", "", "4294967295"},
};
constexpr std::string_view serial_bus_type = "virtio-serial-bus";
constexpr u64 no_number = 4294967295;

struct SerialBus final : PlugBus {
  SerialBus(std::string name, Serial& device) : PlugBus(serial_bus_type, std::move(name)), device(device) {}
  Serial& device;
};

Status plug(PlugRequest& r, std::unique_ptr<Device> device, unsigned vectors) {
  const PlugContext& c = r.context;
  PciOptions o{.legacy = !c.flag("disable-legacy", false),
               .modern = !c.flag("disable-modern", false),
               .indirect = c.flag("indirect_desc", true),
               .event_index = c.flag("event_idx", true),
               .vectors = unsigned(c.number("vectors", vectors)),
               .big_endian_guest = c.machine.big_endian_guest,
               .msi = c.machine.msi};
  if (!o.legacy && !o.modern)
    return Error{Kind::usage, "disable-legacy=on and disable-modern=on leave nothing; drop one of them"};
  if (o.vectors > 128) return Error{Kind::usage, "vectors=" + std::to_string(o.vectors) + " is too many; at most 128"};
  if (!o.msi) o.vectors = 0;
  return pci::plug_function(r, std::make_unique<VirtioPci>(std::move(device), c.id, std::move(o)));
}

Status check_queue(const PlugContext& c, const char* key) {
  const u64 n = c.number(key, 256);
  if (std::has_single_bit(n) && n >= 4 && n <= largest_queue) return {};
  return Error{Kind::usage, std::string(key) + "=" + std::to_string(n) + " must be a power of two from 4 to 1024"};
}

Status plug_blk(PlugRequest& r) {
  const PlugContext& c = r.context;
  TRY(check_queue(c, "queue-size"));
  const u64 physical = c.number("physical_block_size", 0);
  if (physical && (!std::has_single_bit(physical) || physical < 512 || physical > 2 * MiB))
    return Error{Kind::usage,
                 "physical_block_size=" + std::to_string(physical) + " must be a power of two from 512 to 2M"};
  BlkOptions o{.serial = c.text("serial"),
               .physical_block = u32(physical),
               .queue_size = u16(c.number("queue-size", 256)),
               .discard = c.flag("discard", true),
               .write_zeroes = c.flag("write-zeroes", true),
               .config_wce = c.flag("config-wce", true)};
  return plug(r, std::make_unique<Blk>(*c.drives.front(), std::move(o)), 2);
}

Status plug_net(PlugRequest& r) {
  const PlugContext& c = r.context;
  for (const char* key : {"rx_queue_size", "tx_queue_size"}) TRY(check_queue(c, key));
  NetOptions o{.csum = c.flag("csum", true),
               .mrg_rxbuf = c.flag("mrg_rxbuf", true),
               .status = c.flag("status", true),
               .ctrl_vq = c.flag("ctrl_vq", true),
               .ctrl_rx = c.flag("ctrl_rx", true),
               .ctrl_rx_extra = c.flag("ctrl_rx_extra", true),
               .ctrl_vlan = c.flag("ctrl_vlan", true),
               .ctrl_mac_addr = c.flag("ctrl_mac_addr", true),
               .rx_queue_size = u16(c.number("rx_queue_size", 256)),
               .tx_queue_size = u16(c.number("tx_queue_size", 256))};
  o.mac = c.nic ? c.nic->mac : c.mac;
  return plug(r, std::make_unique<Net>(c.nic, std::move(o)), 4);
}

Status plug_rng(PlugRequest& r) { return plug(r, std::make_unique<Rng>(r.context.machine.entropy), 2); }

Status plug_serial(PlugRequest& r) {
  const PlugContext& c = r.context;
  const u64 ports = c.number("max_ports", 31);
  if (ports < 1 || ports > 31) return Error{Kind::usage, "max_ports=" + std::to_string(ports) + " must be 1 to 31"};
  auto device = std::make_unique<Serial>(SerialOptions{unsigned(ports), c.flag("emergency-write", true)});
  Serial& serial = *device;
  TRY(plug(r, std::move(device), 2));
  c.machine.plugged_services.push_back([&serial] { serial.serve(); });
  r.add_bus(std::make_unique<SerialBus>(c.id.empty() ? r.unused("virtio-serial-bus") : c.id + ".0", serial));
  return {};
}

Status plug_port(PlugRequest& r) {
  const PlugContext& c = r.context;
  const u64 number = c.number("nr", no_number);
  const bool console = r.kind.name == "virtconsole";
  const bool added = static_cast<SerialBus&>(r.bus).device.add_port(
      {.console = console, .name = c.text("name"), .chars = c.chars},
      number == no_number ? std::nullopt : std::optional(unsigned(number)));
  if (added) return {};
  return Error{Kind::usage, "bus '" + r.bus.name +
                                "' has no place for this port; nr= must be free, below max_ports=, and " +
                                "0 only for a virtconsole"};
}

constexpr PlugKind pci_kind(std::string_view name, std::string_view alias, PlugCategory category,
                            std::span<const PlugProperty> properties, Status (*plug)(PlugRequest&)) {
  return {.name = name,
          .alias = alias,
          .bus = pci::plug_type,
          .category = category,
          .properties = properties,
          .bus_properties = common_properties,
          .plug = plug};
}
constexpr PlugKind with_drive(PlugKind k) { return k.drive = PlugNeed::must, k; }
constexpr PlugKind with_netdev(PlugKind k) { return k.netdev = PlugNeed::may, k; }
constexpr PlugKind port_kind(std::string_view name) {
  return {.name = name,
          .bus = serial_bus_type,
          .category = PlugCategory::input,
          .properties = port_properties,
          .chardev = PlugNeed::may,
          .plug = plug_port};
}

constexpr PlugKind kinds[] = {
    with_drive(pci_kind("virtio-blk-pci", "virtio-blk", PlugCategory::storage, blk_properties, plug_blk)),
    with_netdev(pci_kind("virtio-net-pci", "virtio-net", PlugCategory::network, net_properties, plug_net)),
    pci_kind("virtio-rng-pci", "virtio-rng", PlugCategory::misc, {}, plug_rng),
    pci_kind("virtio-serial-pci", "virtio-serial", PlugCategory::input, serial_properties, plug_serial),
    port_kind("virtconsole"),
    port_kind("virtserialport"),
};
}  // namespace

std::span<const PlugKind> plug_kinds() { return kinds; }
}  // namespace peripherals::virtio
