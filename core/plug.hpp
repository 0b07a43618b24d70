#pragma once
// Devices that come with -device: which kinds there are, on which buses they go, what help says about them.
//
//   kind (beside its model)  ── plug(request) ──▶ makes the device, puts it on request.bus, may bring buses of its own
//
// A board lists the kinds it takes; one that lists none links none.  Thread: before the machine runs.

#include "core/base.hpp"
#include "core/result.hpp"

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace core {
class BlockPort;
class CharPort;
class MachineBase;
class NetPort;

struct PlugProperty {
  std::string_view name;
  std::string_view type;  // bool, str, uint8 … uint64, int32, size, OnOffAuto
  std::string_view help = {};
  std::string_view otherwise = {};  // the default as help shows it; empty: none
};

// What -device gives a device beside its place.  Values are of their property's type: bool is on or off.
struct PlugContext {
  MachineBase& machine;
  std::string id;
  NetPort* nic = nullptr;                         // netdev=
  std::vector<BlockPort*> drives;                 // drive=
  std::map<std::string, std::string> properties;  // the other keys
  CharPort* chars = nullptr;                      // chardev=
  std::vector<u8> rom = {};                       // romfile=
  std::array<u8, 6> mac{0x52, 0x54, 0, 0x12, 0x34, 0x56};  // mac=, when there is no plug to say it

  std::string text(const std::string& key) const {
    const auto at = properties.find(key);
    return at == properties.end() ? std::string() : at->second;
  }
  bool flag(const std::string& key, bool otherwise) const {
    const std::string v = text(key);
    return v.empty() || v == "auto" ? otherwise : v == "on";
  }
  u64 number(const std::string& key, u64 otherwise) const;
};

// A bus that takes devices at run time.
class PlugBus {
 public:
  PlugBus(std::string_view type, std::string name) : type(type), name(std::move(name)) {}
  virtual ~PlugBus() = default;
  virtual bool full() const { return false; }

  const std::string_view type;  // "PCI", "SCSI", "IDE", "usb-bus", …
  const std::string name;       // what bus= says: "pci.0"
};

struct PlugKind;
struct PlugRequest {
  const PlugKind& kind;
  PlugBus& bus;         // of the kind's type
  PlugContext context;  // a bus that gives places writes into properties["addr"] which one it was
  // Buses that the device brings with it; `name` of such a bus is the device's id, or unused(prefix) without one.
  std::function<void(std::unique_ptr<PlugBus>)> add_bus;
  std::function<std::string(std::string_view prefix)> unused;  // "scsi" → "scsi.0"
};

enum class PlugCategory : u8 { bridge, usb, storage, network, input, display, sound, misc };
enum class PlugNeed : u8 { none, may, must };

struct PlugKind {
  std::string_view name, alias, description;
  std::string_view bus;  // type of the bus it goes on
  PlugCategory category = PlugCategory::misc;
  std::span<const PlugProperty> properties, bus_properties;  // its own, and those every device on such a bus has
  PlugNeed drive = PlugNeed::none, netdev = PlugNeed::none, chardev = PlugNeed::none;
  Status (*plug)(PlugRequest&) = nullptr;
};
}  // namespace core
