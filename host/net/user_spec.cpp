// The keys of `-netdev user`.

#include "host/net/specs.hpp"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <charconv>

namespace host {
using core::Error, core::Kind, core::Result, core::Status;

std::optional<u32> parse_ipv4(std::string_view text) {
  in_addr a{};
  if (inet_pton(AF_INET, std::string(text).c_str(), &a) != 1) return std::nullopt;
  return ntohl(a.s_addr);
}
std::string ipv4_text(u32 a) { return fmt::format("{}.{}.{}.{}", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255); }

namespace {
std::string_view take_to(std::string_view& text, char stop, bool& found) {
  const auto at = text.find(stop);
  found = at != text.npos;
  const std::string_view part = text.substr(0, at);
  text = found ? text.substr(at + 1) : std::string_view();
  return part;
}
std::optional<u16> port_of(std::string_view text, unsigned least) {
  unsigned v = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || v < least || v > 65535)
    return std::nullopt;
  return u16(v);
}

Error bad_rule(std::string_view whole, std::string_view why) {
  return {Kind::usage,
          fmt::format("invalid host forwarding rule '{}': {}; write tcp:HOST:PORT-GUEST:PORT", whole, why)};
}
// `[tcp|udp]:[HOSTADDR]:` and what follows.
Status take_front(std::string_view& text, HostForward& f, std::string_view whole) {
  bool found = false;
  const std::string_view protocol = take_to(text, ':', found);
  if (!found) return bad_rule(whole, "there is no ':'");
  if (protocol != "tcp" && protocol != "udp" && !protocol.empty())
    return bad_rule(whole, fmt::format("'{}' is neither tcp nor udp", protocol));
  f.udp = protocol == "udp";
  const std::string_view address = take_to(text, ':', found);
  if (!found) return bad_rule(whole, "the host's address is not ended by ':'");
  const auto a = address.empty() ? 0 : parse_ipv4(address);
  if (!a) return bad_rule(whole, fmt::format("'{}' is no address", address));
  f.host_address = *a;
  return {};
}
}  // namespace

Result<HostForward> parse_host_side(std::string_view whole) {
  HostForward f;
  std::string_view text = whole;
  TRY(take_front(text, f, whole));
  const auto port = port_of(text, 1);
  if (!port) return bad_rule(whole, fmt::format("'{}' is no port", text));
  f.host_port = *port;
  return f;
}

Result<HostForward> parse_host_forward(std::string_view whole) {
  HostForward f;
  std::string_view text = whole;
  bool found = false;
  TRY(take_front(text, f, whole));
  const std::string_view host_port = take_to(text, '-', found);
  if (!found) return bad_rule(whole, "there is no '-' before the guest's side");
  const auto port = port_of(host_port, 0);
  if (!port) return bad_rule(whole, fmt::format("'{}' is no port", host_port));
  f.host_port = *port;
  const std::string_view guest = take_to(text, ':', found);
  if (!found) return bad_rule(whole, "the guest's port is missing");
  const auto address = guest.empty() ? 0 : parse_ipv4(guest);
  if (!address) return bad_rule(whole, fmt::format("'{}' is no address", guest));
  f.guest_address = *address;
  const auto guest_port = port_of(text, 1);
  if (!guest_port) return bad_rule(whole, fmt::format("'{}' is no port", text));
  f.guest_port = *guest_port;
  return f;
}

namespace {
Result<GuestForward> guest_forward(std::string_view whole) {
  const auto bad = [&](std::string_view why) {
    return Error{Kind::usage, fmt::format("guestfwd='{}': {}; write tcp:SERVER:PORT-cmd:COMMAND", whole, why)};
  };
  GuestForward f;
  std::string_view text = whole;
  bool found = false;
  const std::string_view protocol = take_to(text, ':', found);
  if (!found || (protocol != "tcp" && !protocol.empty())) return bad("it does not begin with 'tcp:'");
  const std::string_view server = take_to(text, ':', found);
  const auto address = parse_ipv4(server);
  if (!found || !address) return bad(fmt::format("'{}' is no address", server));
  const std::string_view port = take_to(text, '-', found);
  const auto number = port_of(port, 1);
  if (!found || !number) return bad(fmt::format("'{}' is no port", port));
  if (!text.starts_with("cmd:") || text.size() == 4)
    return bad(fmt::format("'{}' is no command; only cmd: is built, not a character device", text));
  f.address = *address;
  f.port = *number;
  f.command = text.substr(4);
  return f;
}

// The mask of a network that is written without one, by its class (RFC 791, RFC 1918, RFC 2544).
u32 class_mask(u32 a) {
  if (!(a >> 31)) return 0xff00'0000;
  if ((a & 0xfff0'0000) == 0xac10'0000) return 0xfff0'0000;
  if ((a & 0xc000'0000) == 0x8000'0000) return 0xffff'0000;
  if ((a & 0xffff'0000) == 0xc0a8'0000) return 0xffff'0000;
  if ((a & 0xfffe'0000) == 0xc612'0000) return 0xfffe'0000;
  return (a & 0xe000'0000) == 0xe000'0000 ? 0xf000'0000 : 0xffff'ff00;
}

Status network_of(const std::string& text, UserSpec& s) {
  const auto slash = text.find('/');
  const auto address = parse_ipv4(std::string_view(text).substr(0, slash));
  if (!address) return Error{Kind::usage, fmt::format("net='{}' is no network; write net=10.0.2.0/24", text)};
  s.mask = class_mask(*address);
  if (slash != text.npos) {
    const std::string rest = text.substr(slash + 1);
    const auto bits = parse_number(rest);
    const auto mask = parse_ipv4(rest);
    if (bits && *bits >= 4 && *bits <= 32) s.mask = u32(~core::u64(0) << (32 - *bits));
    else if (mask && (*mask | (*mask - 1)) == ~0u) s.mask = *mask;
    else
      return Error{Kind::usage, fmt::format("net='{}': '{}' is no mask; write a number of bits, 4 to 32", text, rest)};
  }
  s.network = *address & s.mask;
  s.host = s.network | (0x0202 & ~s.mask);
  s.dhcp_start = s.network | (0x020f & ~s.mask);
  s.dns = s.network | (0x0203 & ~s.mask);
  return {};
}

Status address_in(const KeyValues& keys, std::string_view key, const UserSpec& s, u32& out) {
  const auto text = keys.get(key);
  if (!text) return {};
  const auto a = parse_ipv4(*text);
  if (!a) return Error{Kind::usage, fmt::format("{}='{}' is no address such as {}", key, *text, ipv4_text(out))};
  if ((*a & s.mask) != s.network)
    return Error{Kind::usage,
                 fmt::format("{}='{}' does not belong to the network {}", key, *text, ipv4_text(s.network))};
  out = *a;
  return {};
}
Status address6(const KeyValues& keys, std::string_view key, Ipv6& out) {
  const auto text = keys.get(key);
  if (text && inet_pton(AF_INET6, text->c_str(), out.data()) != 1)
    return Error{Kind::usage, fmt::format("{}='{}' is no IPv6 address such as fec0::2", key, *text)};
  return {};
}

Status ipv6_of(const KeyValues& keys, UserSpec& s) {
  s.prefix6 = {0xfe, 0xc0};
  TRY(address6(keys, "ipv6-prefix", s.prefix6));
  s.prefix6_length = unsigned(TRY(keys.number("ipv6-prefixlen", 64)));
  if (s.prefix6_length > 126)
    return Error{Kind::usage, fmt::format("ipv6-prefixlen='{}' must be 0 to 126", *keys.get("ipv6-prefixlen"))};
  s.host6 = s.dns6 = s.prefix6;
  s.host6[15] |= 2;
  s.dns6[15] |= 3;
  TRY(address6(keys, "ipv6-host", s.host6));
  return address6(keys, "ipv6-dns", s.dns6);
}
}  // namespace

Result<UserSpec> user_spec(const KeyValues& keys) {
  for (const char* key : {"smb", "smbserver"})
    if (keys.has(key))
      return Error{Kind::unsupported,
                   fmt::format("{}=: Windows shares are not built; give files with tftp= or a disk", key)};
  TRY(keys.only({"type",      "id",      "model",     "mac",         "macaddr",        "name",
                 "ipv4",      "ipv6",    "net",       "host",        "restrict",       "hostname",
                 "dhcpstart", "dns",     "dnssearch", "domainname",  "tftp",           "tftp-server-name",
                 "bootfile",  "hostfwd", "guestfwd",  "ipv6-prefix", "ipv6-prefixlen", "ipv6-host",
                 "ipv6-dns"}));
  UserSpec s;
  // Asking for one of the two alone leaves the other out.
  s.ipv4 = TRY(keys.flag("ipv4", !TRY(keys.flag("ipv6", false))));
  s.ipv6 = TRY(keys.flag("ipv6", !(keys.has("ipv4") && s.ipv4)));
  if (!s.ipv4 && !s.ipv6) return Error{Kind::usage, "ipv4=off,ipv6=off leaves no network; leave one of them out"};
  s.restricted = TRY(keys.flag("restrict", false));
  if (const auto net = keys.get("net")) TRY(network_of(*net, s));
  TRY(address_in(keys, "host", s, s.host));
  TRY(address_in(keys, "dhcpstart", s, s.dhcp_start));
  TRY(address_in(keys, "dns", s, s.dns));
  if (s.dns == s.host) return Error{Kind::usage, "dns= and host= must be different addresses"};
  if (s.dhcp_start == s.host || s.dhcp_start == s.dns)
    return Error{Kind::usage, "dhcpstart= must be another address than host= and dns="};
  TRY(ipv6_of(keys, s));
  s.hostname = keys.get("hostname").value_or("");
  s.domainname = keys.get("domainname").value_or("");
  s.tftp = keys.get("tftp").value_or("");
  s.tftp_server_name = keys.get("tftp-server-name").value_or("");
  s.bootfile = keys.get("bootfile").value_or("");
  if (s.domainname.size() > 255) return Error{Kind::usage, "domainname= is longer than 255 characters"};
  if (s.tftp_server_name.size() > 255) return Error{Kind::usage, "tftp-server-name= is longer than 255 characters"};
  for (const KeyValue& i : keys.items) {
    if (i.key == "dnssearch") s.dnssearch.push_back(i.value);
    if (i.key == "hostfwd") s.hostfwd.push_back(TRY(parse_host_forward(i.value)));
    if (i.key == "guestfwd") s.guestfwd.push_back(TRY(guest_forward(i.value)));
  }
  for (const GuestForward& g : s.guestfwd)
    if ((g.address & s.mask) != s.network || g.address == s.host || g.address == s.dns)
      return Error{Kind::usage, fmt::format("guestfwd= to {}: take a free address of the network {}",
                                            ipv4_text(g.address), ipv4_text(s.network))};
  return s;
}
}  // namespace host
