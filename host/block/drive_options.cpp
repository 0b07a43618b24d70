#include "host/block/drive_options.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace host::block {
using core::BlockInterface, core::Error, core::Kind, core::Result, core::Status;

namespace {
constexpr std::pair<std::string_view, BlockInterface> interfaces[] = {
    {"none", BlockInterface::none},     {"ide", BlockInterface::ide},       {"scsi", BlockInterface::scsi},
    {"floppy", BlockInterface::floppy}, {"pflash", BlockInterface::pflash}, {"sd", BlockInterface::sd},
    {"mtd", BlockInterface::mtd},       {"virtio", BlockInterface::virtio}};

struct CacheMode {
  std::string_view name;
  bool write_cache, direct, no_flush;
};
constexpr CacheMode cache_modes[] = {{"writeback", true, false, false},  {"none", true, true, false},
                                     {"off", true, true, false},         {"writethrough", false, false, false},
                                     {"directsync", false, true, false}, {"unsafe", true, false, true}};

// The value of `key` as one of a table's names; a sentence with all of them otherwise.
template <class Table>
auto choose(const KeyValues& kv, std::string_view key, const Table& table) -> Result<decltype(&*std::begin(table))> {
  const auto value = kv.get(key);
  if (!value) return decltype(&*std::begin(table)){};
  std::vector<std::string_view> names;
  std::string list;
  for (const auto& row : table) {
    const auto& [name, ignored] = row;
    if (name == *value) return &row;
    names.push_back(name);
    list += (list.empty() ? "" : ", ") + std::string(name);
  }
  const std::string hint = did_you_mean(*value, names);
  return Error{Kind::usage,
               fmt::format("{}='{}' is unknown{}", key, *value, hint.empty() ? "; there are " + list : hint)};
}
constexpr std::pair<std::string_view, OnError> on_errors[] = {
    {"report", OnError::report}, {"ignore", OnError::ignore}, {"stop", OnError::stop}, {"enospc", OnError::enospc}};
constexpr std::pair<std::string_view, DetectZeroes> zeroes[] = {
    {"off", DetectZeroes::off}, {"on", DetectZeroes::on}, {"unmap", DetectZeroes::unmap}};
constexpr std::pair<std::string_view, bool> discards[] = {
    {"ignore", false}, {"off", false}, {"unmap", true}, {"on", true}};
constexpr std::pair<std::string_view, Locking> lockings[] = {
    {"auto", Locking::automatic}, {"on", Locking::on}, {"off", Locking::off}};
constexpr std::pair<std::string_view, int> medias[] = {{"disk", 0}, {"cdrom", 1}};
enum class Engine { threads, native, io_uring };  // native requests run on threads too
constexpr std::pair<std::string_view, Engine> engines[] = {
    {"threads", Engine::threads}, {"native", Engine::native}, {"io_uring", Engine::io_uring}};

Status read_cache(DriveSpec& d, const KeyValues& kv) {
  if (const auto name = kv.get("cache")) {
    const auto mode = std::find_if(std::begin(cache_modes), std::end(cache_modes),
                                   [&](const CacheMode& m) { return m.name == *name; });
    if (mode == std::end(cache_modes))
      return Error{Kind::usage, fmt::format("cache='{}' is unknown{}", *name,
                                            "; there are none, writeback, writethrough, directsync, unsafe")};
    d.policy.write_cache = mode->write_cache, d.policy.no_flush = mode->no_flush, d.direct = mode->direct;
  }
  for (std::string_view prefix : {"", "file."}) {
    d.policy.write_cache = TRY(kv.flag(fmt::format("{}cache.writeback", prefix), d.policy.write_cache));
    d.policy.no_flush = TRY(kv.flag(fmt::format("{}cache.no-flush", prefix), d.policy.no_flush));
    d.direct = TRY(kv.flag(fmt::format("{}cache.direct", prefix), d.direct));
  }
  return {};
}

// The keys -drive and -blockdev share.
Status read_common(DriveSpec& d, const KeyValues& kv) {
  TRY(read_cache(d, kv));
  for (const char* key : {"read-only", "readonly", "file.read-only"}) d.read_only |= TRY(kv.flag(key, false));
  for (const char* key : {"auto-read-only", "file.auto-read-only"}) TRY(kv.flag(key, false));
  for (const char* key : {"aio", "file.aio"}) {
    const auto* engine = TRY(choose(kv, key, engines));
    if (!engine) continue;
    d.io_uring = engine->second == Engine::io_uring;
    if (engine->second == Engine::native && !d.direct)
      return Error{Kind::usage, "aio=native needs cache=none or cache=directsync; say one of them or aio=threads"};
  }
  for (const char* key : {"locking", "file.locking"})
    if (const auto* l = TRY(choose(kv, key, lockings))) d.locking = l->second;
  for (const char* key : {"file.discard", "discard"})
    if (const auto* x = TRY(choose(kv, key, discards))) d.policy.discard = x->second;
  if (const auto* x = TRY(choose(kv, "detect-zeroes", zeroes))) d.policy.detect_zeroes = x->second;
  if (d.policy.detect_zeroes == DetectZeroes::unmap && !d.policy.discard)
    return Error{Kind::usage, "detect-zeroes=unmap needs discard=unmap"};
  return {};
}

// A file driver reads files or block devices, whichever of its names is used.
Status check_file_driver(const KeyValues& kv, std::string_view key) {
  const std::string driver = kv.get(key).value_or("file");
  if (driver == "file" || driver == "host_device" || driver == "host_cdrom") return {};
  return Error{Kind::unsupported,
               fmt::format("{}='{}' is not built; use a file or a block device with {}=file", key, driver, key)};
}

Result<std::optional<unsigned>> small(const KeyValues& kv, std::string_view key) {
  if (!kv.has(key)) return std::optional<unsigned>();
  const u64 n = TRY(kv.number(key, 0));
  if (n > 255) return Error{Kind::usage, fmt::format("{}={} is more than 255", key, n)};
  return std::optional(unsigned(n));
}

Status read_place(DriveSpec& d, const KeyValues& kv) {
  if (const auto* i = TRY(choose(kv, "if", interfaces))) d.interface = i->second, d.interface_given = true;
  d.index = TRY(small(kv, "index"));
  d.bus = TRY(small(kv, "bus"));
  d.unit = TRY(small(kv, "unit"));
  if (d.index && (d.bus || d.unit))
    return Error{Kind::usage, "index= says where the drive goes, and so do bus= and unit=; give one of them"};
  return {};
}

Result<DriveSpec> read_drive(const KeyValues& kv) {
  if (!kv.items.empty() && kv.items[0].bare && kv.items[0].value == "on" &&
      kv.items[0].key.find_first_of("./") != std::string::npos)
    return Error{Kind::usage, fmt::format("'{}' is no property; write file={}", kv.items[0].key, kv.items[0].key)};
  TRY(kv.only({"file",
               "file.filename",
               "file.driver",
               "file.locking",
               "file.aio",
               "file.discard",
               "file.read-only",
               "file.auto-read-only",
               "file.cache.direct",
               "file.cache.no-flush",
               "format",
               "driver",
               "if",
               "index",
               "bus",
               "unit",
               "media",
               "id",
               "node-name",
               "readonly",
               "read-only",
               "auto-read-only",
               "snapshot",
               "cache",
               "cache.writeback",
               "cache.direct",
               "cache.no-flush",
               "aio",
               "locking",
               "discard",
               "detect-zeroes",
               "werror",
               "rerror",
               "serial"}));
  DriveSpec d;
  TRY(check_file_driver(kv, "file.driver"));
  d.file = kv.get("file").value_or(kv.get("file.filename").value_or(""));
  if (kv.has("file") && kv.has("file.filename"))
    return Error{Kind::usage, "file= and file.filename= are the same; give one of them"};
  d.format = kv.get("format").value_or(kv.get("driver").value_or(""));
  d.id = kv.get("id").value_or("");
  d.node_name = kv.get("node-name").value_or("");
  d.serial = kv.get("serial").value_or("");
  TRY(read_place(d, kv));
  if (const auto* m = TRY(choose(kv, "media", medias))) d.cdrom = m->second;
  TRY(read_common(d, kv));
  d.snapshot = TRY(kv.flag("snapshot", false));
  if (const auto* e = TRY(choose(kv, "rerror", on_errors))) d.policy.read_error = e->second;
  if (const auto* e = TRY(choose(kv, "werror", on_errors))) d.policy.write_error = e->second;
  if (d.policy.read_error == OnError::enospc)
    return Error{Kind::usage, "rerror=enospc: reading takes no space; use report, ignore or stop"};
  return d;
}

// One -blockdev: a format node with its file inside or by name, or a file node alone.
struct Node {
  std::string name, driver, child;
  KeyValues keys;
  bool used = false;
};

Result<Node> read_node(const KeyValues& kv) {
  Node n{kv.get("node-name").value_or(""), kv.get("driver").value_or(""), {}, kv, false};
  if (n.driver.empty())
    return Error{Kind::usage,
                 "driver= is missing; write driver=raw,node-name=NAME,file.driver=file,file.filename=FILE"};
  if (n.name.empty()) return Error{Kind::usage, "node-name= is missing; -device drive=NAME uses it"};
  n.child = kv.get("file").value_or("");
  return n;
}

Status read_node_file(DriveSpec& d, const KeyValues& kv, bool is_file) {
  const std::string prefix = is_file ? "" : "file.";
  TRY(check_file_driver(kv, prefix + "driver"));
  const auto name = kv.get(prefix + "filename");
  if (!name || name->empty()) return Error{Kind::usage, fmt::format("{}filename= is missing", prefix)};
  d.file = *name;
  return {};
}

bool is_file_driver(std::string_view driver) {
  return driver == "file" || driver == "host_device" || driver == "host_cdrom";
}

Result<DriveSpec> drive_of(Node& node, std::vector<Node>& all) {
  DriveSpec d;
  d.id = d.node_name = node.name;
  d.interface_given = true;
  const bool is_file = is_file_driver(node.driver);
  d.format = is_file ? "raw" : node.driver;
  if (is_file) {
    TRY(node.keys.only({"driver", "node-name", "filename", "read-only", "auto-read-only", "cache.direct",
                        "cache.no-flush", "aio", "locking", "discard", "detect-zeroes"}));
    TRY(read_node_file(d, node.keys, true));
    TRY(read_common(d, node.keys));
    return d;
  }
  TRY(node.keys.only({"driver", "node-name", "file", "file.driver", "file.filename", "file.node-name", "file.locking",
                      "file.aio", "file.discard", "file.read-only", "file.auto-read-only", "file.cache.direct",
                      "file.cache.no-flush", "read-only", "auto-read-only", "cache.direct", "cache.no-flush", "discard",
                      "detect-zeroes"}));
  if (node.child.empty()) TRY(read_node_file(d, node.keys, false));
  else {
    const auto child = std::find_if(all.begin(), all.end(), [&](const Node& n) { return n.name == node.child; });
    if (child == all.end() || !is_file_driver(child->driver))
      return Error{Kind::usage, fmt::format("file='{}' names no -blockdev with driver=file", node.child)};
    if (child->used) return Error{Kind::usage, fmt::format("file='{}' is used by another node", node.child)};
    child->used = true;
    const DriveSpec below = TRY(drive_of(*child, all));
    d.file = below.file, d.read_only = below.read_only, d.direct = below.direct, d.locking = below.locking;
    d.policy.no_flush = below.policy.no_flush, d.io_uring = below.io_uring;
  }
  TRY(read_common(d, node.keys));
  return d;
}

Status read_nodes(const Options& options, std::vector<DriveSpec>& out) {
  std::vector<Node> nodes;
  for (const KeyValues& kv : options.blockdev) {
    nodes.push_back(TRY(read_node(kv)));
    const auto same =
        std::find_if(nodes.begin(), nodes.end(), [&](const Node& n) { return n.name == nodes.back().name; });
    if (same != nodes.end() - 1)
      return Error{Kind::usage, fmt::format("there are two nodes '{}'; give each its own node-name=", same->name)};
  }
  std::vector<DriveSpec> specs(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i)
    specs[i] = TRY(drive_of(nodes[i], nodes).context(fmt::format("node '{}'", nodes[i].name)));
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].used) continue;
    specs[i].option = "-blockdev";
    out.push_back(std::move(specs[i]));
  }
  return {};
}
}  // namespace

std::string_view interface_name(BlockInterface i) {
  for (const auto& [name, value] : interfaces)
    if (value == i) return name;
  return "none";
}

Result<std::vector<DriveSpec>> read_drives(const Options& options) {
  std::vector<DriveSpec> out;
  for (const WrittenDrive& w : options.drives) {
    DriveSpec d = TRY(read_drive(w.keys).context(w.option));
    d.option = w.option;
    d.snapshot |= options.snapshot;
    out.push_back(std::move(d));
  }
  const std::size_t drives = out.size();
  TRY(read_nodes(options, out).context("-blockdev"));
  for (std::size_t i = drives; i < out.size(); ++i) out[i].snapshot = options.snapshot;
  return out;
}
}  // namespace host::block
