#include "host/device_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace host {
using core::Error, core::Kind, core::PlugCategory, core::PlugKind, core::PlugProperty, core::u64;

namespace {
std::vector<PlugProperty> all_properties(const PlugKind& kind) {
  std::vector<PlugProperty> all(kind.properties.begin(), kind.properties.end());
  all.insert(all.end(), kind.bus_properties.begin(), kind.bus_properties.end());
  std::ranges::sort(all, {}, &PlugProperty::name);
  return all;
}

core::Result<const PlugKind*> find_kind(std::string_view name, PlugKinds kinds) {
  if (kinds.empty()) return Error{Kind::usage, "this board has no bus that takes devices"};
  std::vector<std::string_view> names;
  for (const PlugKind* k : kinds) {
    if (k->name == name || (!k->alias.empty() && k->alias == name)) return k;
    names.push_back(k->name);
    if (!k->alias.empty()) names.push_back(k->alias);
  }
  return Error{Kind::usage,
               fmt::format("there is no device '{}'{}; '-device help' lists them", name, did_you_mean(name, names))};
}

// The value as the device gets it; nothing when it is not of the type.
std::optional<std::string> convert(std::string_view type, std::string_view text) {
  const auto whole = [](std::optional<u64> n, unsigned bits) -> std::optional<std::string> {
    if (!n || (bits < 64 && *n >> bits)) return std::nullopt;
    return fmt::to_string(*n);
  };
  if (type == "bool" || type == "OnOffAuto") {
    if (type == "OnOffAuto" && text == "auto") return "auto";
    const auto b = parse_bool(text);
    return b ? std::optional<std::string>(*b ? "on" : "off") : std::nullopt;
  }
  if (type == "uint8") return whole(parse_number(text), 8);
  if (type == "uint16") return whole(parse_number(text), 16);
  if (type == "uint32") return whole(parse_number(text), 32);
  if (type == "uint64") return whole(parse_number(text), 64);
  if (type == "size") return whole(parse_size(text), 64);
  return std::string(text);
}

std::string_view in_words(std::string_view type) {
  if (type == "bool") return "on or off";
  if (type == "OnOffAuto") return "on, off or auto";
  if (type == "uint8") return "a number up to 255";
  if (type == "uint16") return "a number up to 65535";
  if (type == "size") return "a size";
  return "a number";
}

core::Status add_property(DeviceOption& d, const KeyValue& i) {
  const std::vector<PlugProperty> known = all_properties(*d.kind);
  const auto at = std::ranges::find(known, i.key, &PlugProperty::name);
  if (at == known.end()) {
    const std::string word = i.bare && i.value == "off" ? "no" + i.key : i.key;
    std::vector<std::string_view> names{"id", "bus"};
    for (const PlugProperty& p : known) names.push_back(p.name);
    return Error{Kind::usage, fmt::format("{} has no property '{}'{}; '-device {},help' lists them", d.kind->name, word,
                                          did_you_mean(word, names), d.kind->name)};
  }
  const auto value = convert(at->type, i.value);
  if (!value)
    return Error{Kind::usage, fmt::format("{}: {}='{}' must be {}", d.kind->name, i.key, i.value, in_words(at->type))};
  d.properties[i.key] = *value;
  return {};
}

constexpr std::string_view category_title(PlugCategory c) {
  switch (c) {
    case PlugCategory::bridge: return "Controller/Bridge/Hub";
    case PlugCategory::usb: return "USB";
    case PlugCategory::storage: return "Storage";
    case PlugCategory::network: return "Network";
    case PlugCategory::input: return "Input";
    case PlugCategory::display: return "Display";
    case PlugCategory::sound: return "Sound";
    case PlugCategory::misc: break;
  }
  return "Misc";
}

std::string list_text(PlugKinds kinds) {
  if (kinds.empty()) return "this board has no bus that takes devices\n";
  std::vector<const PlugKind*> sorted(kinds.begin(), kinds.end());
  std::ranges::sort(sorted, [](const PlugKind* a, const PlugKind* b) {
    return a->category != b->category ? a->category < b->category : a->name < b->name;
  });
  std::string out;
  const PlugKind* before = nullptr;
  for (const PlugKind* k : sorted) {
    if (!before || before->category != k->category)
      out += fmt::format("{}{} devices:\n", before ? "\n" : "", category_title(k->category));
    out += fmt::format("name \"{}\", bus {}", k->name, k->bus);
    if (!k->alias.empty()) out += fmt::format(", alias \"{}\"", k->alias);
    if (!k->description.empty()) out += fmt::format(", desc \"{}\"", k->description);
    out += "\n";
    before = k;
  }
  return out;
}

std::string property_text(const PlugKind& kind) {
  std::string out = fmt::format("{} options:\n", kind.name);
  for (const PlugProperty& p : all_properties(kind)) {
    std::string line = fmt::format("  {}=<{}>", p.name, p.type);
    if (!p.help.empty() || !p.otherwise.empty()) line = fmt::format("{:<24} - {}", line, p.help);
    if (!p.otherwise.empty()) line += fmt::format(" (default: {})", p.otherwise);
    out += line + "\n";
  }
  return out;
}
}  // namespace

core::Result<DeviceOption> read_device(std::string_view text, PlugKinds kinds) {
  const auto kv = TRY(KeyValues::parse(text, "driver"));
  const auto driver = kv.get("driver");
  if (!driver) return Error{Kind::usage, "which device? '-device help' lists them"};
  DeviceOption d;
  d.kind = TRY(find_kind(*driver, kinds));
  for (const KeyValue& i : kv.items) {
    if (i.key == "id") d.id = i.value;
    else if (i.key == "bus") d.bus = i.value;
    else if (i.key != "driver") TRY(add_property(d, i));
  }
  return d;
}

core::Result<std::optional<std::string>> device_help(std::string_view text, PlugKinds kinds) {
  if (text == "help" || text == "?") return std::optional(list_text(kinds));
  const auto kv = TRY(KeyValues::parse(text, "driver"));
  if (std::ranges::none_of(kv.items, [](const KeyValue& i) { return i.bare && (i.key == "help" || i.key == "?"); }))
    return std::optional<std::string>();
  return std::optional(property_text(*TRY(find_kind(kv.get("driver").value_or(""), kinds))));
}
}  // namespace host
