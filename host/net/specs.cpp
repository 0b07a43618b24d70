#include "host/net/specs.hpp"

#include "host/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace host {
using core::Error, core::Kind, core::Result, core::Status, core::u8;

Result<core::MacAddress> parse_mac(std::string_view text) {
  core::MacAddress mac{};
  std::string_view rest = text;
  for (std::size_t i = 0; i < mac.size(); ++i) {
    const auto end = std::min(rest.find_first_of(":-"), rest.size());
    unsigned v = 0;
    const auto [at, error] = std::from_chars(rest.data(), rest.data() + end, v, 16);
    const bool last = i + 1 == mac.size();
    if (end == 0 || end > 2 || error != std::errc{} || at != rest.data() + end || last != (end == rest.size()))
      return Error{Kind::usage, fmt::format("'{}' is no Ethernet address such as 52:54:00:12:34:56", text)};
    mac[i] = u8(v);
    rest.remove_prefix(last ? end : end + 1);
  }
  if (mac[0] & 1)
    return Error{Kind::usage,
                 fmt::format("'{}' is a multicast address, no card can have it; make the first byte even", text)};
  return mac;
}

namespace {
constexpr std::string_view kinds = "user, tap, socket, stream, dgram, hubport";

// `key=value,…`, or a JSON object, whose lists of texts repeat their key: hostfwd.0.str and hostfwd.1 are hostfwd.
Result<KeyValues> keys_of(std::string_view text, std::string_view implied) {
  if (!looks_like_json(text)) return KeyValues::parse(text, implied);
  KeyValues keys = TRY(parse_json_keys(text));
  for (KeyValue& k : keys.items) {
    const auto is_list = [&](std::string_view name) { return k.key.starts_with(name) && k.key[name.size()] == '.'; };
    for (std::string_view list : {"hostfwd", "guestfwd", "dnssearch"})
      if (is_list(list)) k.key = list;
  }
  return keys;
}

Status tap_spec(const KeyValues& keys, TapSpec& s) {
  if (TRY(keys.flag("vhost", false)) || keys.has("vhostfd") || keys.has("vhostfds") ||
      TRY(keys.flag("vhostforce", false)))
    return Error{Kind::unsupported, "vhost: there is no virtual device here for the kernel to serve; leave it out"};
  for (const char* key : {"br", "helper", "fds", "queues"})
    if (keys.has(key))
      return Error{Kind::unsupported,
                   fmt::format("{}= is not built; make the interface beforehand and name it with ifname=", key)};
  TRY(keys.only({"type", "id", "model", "mac", "macaddr", "name", "ifname", "script", "downscript", "fd", "vhost",
                 "vhostforce", "vnet_hdr", "sndbuf"}));
  s.ifname = keys.get("ifname").value_or("");
  if (s.ifname.size() > 15)
    return Error{Kind::usage, fmt::format("ifname='{}' is longer than 15 characters", s.ifname)};
  s.script_may_be_missing = !keys.has("script");
  s.script = keys.get("script").value_or("/etc/qemu-ifup");
  s.downscript = keys.get("downscript").value_or("/etc/qemu-ifdown");
  if (const auto fd = keys.get("fd")) {
    for (const char* key : {"ifname", "script", "downscript"})
      if (keys.has(key))
        return Error{Kind::usage, fmt::format("{}= goes without fd=, which is an interface already open", key)};
    const auto n = parse_number(*fd);
    if (!n || *n > 0x7fff'ffff) return Error{Kind::usage, fmt::format("fd='{}' is no file descriptor", *fd)};
    s.fd = int(*n);
  }
  return {};
}

Result<NetdevSpec> netdev_of(const KeyValues& keys, std::string type) {
  NetdevSpec s;
  s.type = type;
  s.id = keys.get("id").value_or("");
  if (type == "user") {
    s.kind = NetdevSpec::Kind::user;
    s.user = TRY(user_spec(keys));
  } else if (type == "tap") {
    s.kind = NetdevSpec::Kind::tap;
    TRY(tap_spec(keys, s.tap));
  } else if (type == "socket") {
    TRY(socket_spec(keys, s));
  } else if (type == "stream") {
    s.kind = NetdevSpec::Kind::stream;
    TRY(stream_spec(keys, s.stream));
  } else if (type == "dgram") {
    s.kind = NetdevSpec::Kind::dgram;
    TRY(dgram_spec(keys, s.dgram));
  } else if (type == "hubport") {
    s.kind = NetdevSpec::Kind::hubport;
    TRY(keys.only({"type", "id", "hubid", "netdev"}));
    if (!keys.has("hubid")) return Error{Kind::usage, "hubid= is missing, the number of the hub"};
    s.hub = unsigned(TRY(keys.number("hubid", 0)));
    s.hub_netdev = keys.get("netdev").value_or("");
  } else if (type == "bridge" || type == "vde" || type == "l2tpv3" || type == "netmap" || type == "vhost-user" ||
             type == "vhost-vdpa" || type == "vmnet-host" || type == "passt") {
    return Error{Kind::unsupported, fmt::format("'{}' is not built; there are {}", type, kinds)};
  } else {
    return Error{Kind::usage, fmt::format("there is no kind '{}' of network; there are {}", type, kinds)};
  }
  return s;
}

Status take_card(const KeyValues& keys, NicSpec& nic) {
  nic.model = keys.get("model").value_or("");
  for (const char* key : {"mac", "macaddr"})
    if (const auto mac = keys.get(key)) nic.mac = TRY(parse_mac(*mac).context(key));
  return {};
}
}  // namespace

Result<NetdevSpec> parse_netdev(std::string_view text) {
  const KeyValues keys = TRY(keys_of(text, "type"));
  const auto type = keys.get("type");
  if (!type) return Error{Kind::usage, fmt::format("the kind is missing: {}", kinds)};
  for (const char* key : {"model", "mac", "macaddr"})
    if (keys.has(key)) return Error{Kind::usage, fmt::format("{}= belongs to a card; write it with -nic", key)};
  if (keys.get("id").value_or("").empty())
    return Error{Kind::usage, "id= is missing, the name by which -device or -nic finds it"};
  return netdev_of(keys, *type);
}

Result<NicSpec> parse_nic(std::string_view text) {
  const KeyValues keys = TRY(keys_of(text, "type"));
  NicSpec nic;
  const std::string type = keys.get("type").value_or("user");
  if (type == "none") {
    nic.none = true;
    return nic;
  }
  TRY(take_card(keys, nic));
  if (type == "hubport") return Error{Kind::usage, "a hub's port is made with -netdev hubport,id=ID,hubid=N"};
  nic.backend = TRY(netdev_of(keys, type));
  return nic;
}

Result<NicSpec> parse_net(std::string_view text) {
  const KeyValues keys = TRY(keys_of(text, "type"));
  NicSpec nic;
  const std::string type = keys.get("type").value_or("");
  if (type == "none") {
    nic.none = true;
    return nic;
  }
  nic.hub = 0;
  if (type != "nic") {
    nic.card = false;
    nic.backend = TRY(netdev_of(keys, type));
    return nic;
  }
  TRY(keys.only({"type", "netdev", "model", "macaddr", "name", "id", "addr", "vectors"}));
  TRY(take_card(keys, nic));
  nic.id = keys.get("name").value_or(keys.get("id").value_or(""));
  nic.netdev = keys.get("netdev").value_or("");
  if (!nic.netdev.empty()) nic.hub.reset();
  return nic;
}

Result<DumpSpec> parse_dump(std::string_view text) {
  const KeyValues keys = TRY(keys_of(text, "qom-type"));
  TRY(keys.only({"qom-type", "id", "netdev", "file", "maxlen", "queue", "status", "position"}));
  DumpSpec d;
  d.id = keys.get("id").value_or("");
  d.netdev = keys.get("netdev").value_or("");
  d.file = keys.get("file").value_or("");
  const auto longest = TRY(keys.number("maxlen", d.longest));
  if (d.id.empty()) return Error{Kind::usage, "id= is missing, a name of its own"};
  if (d.netdev.empty()) return Error{Kind::usage, "netdev= is missing, the network to record"};
  if (d.file.empty()) return Error{Kind::usage, "file= is missing, where the capture goes"};
  if (longest == 0 || longest > 0x7fff'ffff)
    return Error{Kind::usage, fmt::format("maxlen='{}' is no length", longest)};
  d.longest = u32(longest);
  return d;
}
}  // namespace host
