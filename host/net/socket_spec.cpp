// The keys of `-netdev socket`, `stream` and `dgram`.

#include "host/net/specs.hpp"

#include <fmt/format.h>

namespace host {
using core::Error, core::Kind, core::Result, core::Status;

namespace {
using Address = SocketAddress;

// `[HOST]:PORT`, the host possibly in brackets.
Result<Address> host_port(std::string_view key, std::string_view text) {
  const auto colon = text.rfind(':');
  const std::string_view port = colon == text.npos ? std::string_view() : text.substr(colon + 1);
  const auto number = parse_number(port);
  if (!number || *number > 65535)
    return Error{Kind::usage, fmt::format("{}='{}' is no address; write {}=HOST:PORT", key, text, key)};
  std::string_view host = text.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return Address{Address::Kind::inet, std::string(host), std::string(port), {}, -1};
}
Result<int> descriptor(std::string_view key, const std::string& text) {
  const auto n = parse_number(text);
  if (!n || *n > 0x7fff'ffff) return Error{Kind::usage, fmt::format("{}='{}' is no file descriptor", key, text)};
  return int(*n);
}

// PREFIX.type=inet|unix|fd with the keys each of them has.
Result<Address> dotted(const KeyValues& keys, const std::string& prefix) {
  const auto key = [&](std::string_view name) { return fmt::format("{}.{}", prefix, name); };
  const auto need = [&](std::string_view name) -> Result<std::string> {
    const auto v = keys.get(key(name));
    if (!v || v->empty()) return Error{Kind::usage, fmt::format("{}= is missing", key(name))};
    return *v;
  };
  Address a;
  const auto type = keys.get(key("type"));
  if (!type) return a;
  if (*type == "inet") {
    a.kind = Address::Kind::inet;
    a.host = TRY(need("host"));
    a.port = TRY(need("port"));
    if (const auto n = parse_number(a.port); !n || *n > 65535)
      return Error{Kind::usage, fmt::format("{}='{}' is no port", key("port"), a.port)};
  } else if (*type == "unix") {
    a.kind = Address::Kind::path;
    a.path = TRY(need("path"));
  } else if (*type == "fd") {
    a.kind = Address::Kind::fd;
    a.fd = TRY(descriptor(key("str"), TRY(need("str"))));
  } else {
    return Error{Kind::usage, fmt::format("{}='{}' must be inet, unix or fd", key("type"), *type)};
  }
  return a;
}
}  // namespace

Status socket_spec(const KeyValues& keys, NetdevSpec& s) {
  TRY(keys.only(
      {"type", "id", "model", "mac", "macaddr", "name", "fd", "listen", "connect", "mcast", "udp", "localaddr"}));
  constexpr std::string_view ways[] = {"fd", "listen", "connect", "mcast", "udp"};
  std::string_view way;
  for (std::string_view w : ways) {
    if (!keys.has(w)) continue;
    if (!way.empty()) return Error{Kind::usage, fmt::format("{}= and {}= exclude each other", way, w)};
    way = w;
  }
  if (way.empty()) return Error{Kind::usage, "one of fd=, listen=, connect=, mcast= or udp= is needed"};
  const std::string value = *keys.get(way);
  const auto local = keys.get("localaddr");
  if (local && way != "mcast" && way != "udp") return Error{Kind::usage, "localaddr= goes with mcast= or udp= only"};
  s.kind = way == "mcast" || way == "udp" ? NetdevSpec::Kind::dgram : NetdevSpec::Kind::stream;
  if (way == "fd") {
    s.stream.address = {Address::Kind::fd, {}, {}, {}, TRY(descriptor(way, value))};
  } else if (s.kind == NetdevSpec::Kind::stream) {
    s.stream.address = TRY(host_port(way, value));
    s.stream.server = way == "listen";
  } else {
    s.dgram.remote = TRY(host_port(way, value));
    if (way == "udp" && !local) return Error{Kind::usage, "udp= needs localaddr=HOST:PORT, where frames come in"};
    if (way == "udp") s.dgram.local = TRY(host_port("localaddr", *local));
    else if (local) s.dgram.local = {Address::Kind::inet, *local, {}, {}, -1};
    const auto group = parse_ipv4(s.dgram.remote.host);
    if (way == "mcast" && (!group || *group >> 28 != 14))
      return Error{Kind::usage, fmt::format("mcast='{}' is no multicast address, 224.0.0.0 to 239.255.255.255", value)};
  }
  return {};
}

Status stream_spec(const KeyValues& keys, StreamSpec& s) {
  TRY(keys.only({"type", "id", "model", "mac", "macaddr", "name", "server", "reconnect", "addr.type", "addr.host",
                 "addr.port", "addr.path", "addr.str", "addr.ipv4", "addr.ipv6", "addr.to", "addr.numeric"}));
  s.address = TRY(dotted(keys, "addr"));
  if (s.address.kind == Address::Kind::none) return Error{Kind::usage, "addr.type= is missing: inet, unix or fd"};
  s.server = TRY(keys.flag("server", false));
  const auto seconds = TRY(keys.number("reconnect", 0));
  if (seconds && s.server)
    return Error{Kind::usage, "reconnect= is for the side that connects; leave it out with server=on"};
  if (seconds > 86400) return Error{Kind::usage, fmt::format("reconnect={} is more than a day", seconds)};
  s.reconnect = unsigned(seconds);
  return {};
}

Status dgram_spec(const KeyValues& keys, DgramSpec& s) {
  TRY(keys.only({"type", "id", "model", "mac", "macaddr", "name", "local.type", "local.host", "local.port",
                 "local.path", "local.str", "remote.type", "remote.host", "remote.port", "remote.path"}));
  s.local = TRY(dotted(keys, "local"));
  s.remote = TRY(dotted(keys, "remote"));
  const auto group = parse_ipv4(s.remote.host);
  const bool multicast = group && *group >> 28 == 14;
  if (s.local.kind == Address::Kind::none && !multicast)
    return Error{Kind::usage, "local.type= is missing: inet, unix or fd"};
  if (s.local.kind != Address::Kind::fd && s.remote.kind == Address::Kind::none)
    return Error{Kind::usage, "remote.type= is missing, where frames go"};
  if (s.local.kind == Address::Kind::fd && s.remote.kind != Address::Kind::none && !multicast)
    return Error{Kind::usage, "local.type=fd is connected already; leave remote.type= out"};
  if (s.local.kind != Address::Kind::none && s.local.kind != Address::Kind::fd && s.remote.kind != s.local.kind)
    return Error{Kind::usage, "local.type= and remote.type= must be the same"};
  return {};
}
}  // namespace host
