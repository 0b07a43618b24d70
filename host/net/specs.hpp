#pragma once
// What -netdev, -nic, -net and -object filter-dump say, as structures.  Addresses are in host byte order.

#include "core/net_port.hpp"
#include "core/result.hpp"
#include "host/keyvalue.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace host {
using core::u16, core::u32;
using Ipv6 = std::array<core::u8, 16>;

// `tcp:[HOST]:PORT-[GUEST]:PORT`; an address of 0 is any (host) or the first lease (guest).
struct HostForward {
  bool udp = false;
  u32 host_address = 0, guest_address = 0;
  u16 host_port = 0, guest_port = 0;
};
core::Result<HostForward> parse_host_forward(std::string_view text);
// The same without the guest's side, as hostfwd_remove takes it.
core::Result<HostForward> parse_host_side(std::string_view text);

// `tcp:SERVER:PORT-cmd:COMMAND`: a connection of the guest to that address becomes a command's input and output.
struct GuestForward {
  u32 address = 0;
  u16 port = 0;
  std::string command;
};

// A network without privileges, made of the host's sockets.
struct UserSpec {
  bool ipv4 = true, ipv6 = true, restricted = false;
  u32 network = 0x0a00'0200, mask = 0xffff'ff00, host = 0x0a00'0202, dhcp_start = 0x0a00'020f, dns = 0x0a00'0203;
  Ipv6 prefix6{}, host6{}, dns6{};
  unsigned prefix6_length = 64;
  std::string hostname, domainname, tftp, tftp_server_name, bootfile;
  std::vector<std::string> dnssearch;
  std::vector<HostForward> hostfwd;
  std::vector<GuestForward> guestfwd;
};

struct TapSpec {
  std::string ifname;                 // empty: the kernel chooses
  std::string script, downscript;     // "no" or empty: none
  bool script_may_be_missing = true;  // the default one
  int fd = -1;                        // an open tap, from whoever started us
};

// A socket's address.
struct SocketAddress {
  enum class Kind { none, inet, path, fd };
  Kind kind = Kind::none;
  std::string host, port, path;
  int fd = -1;
};
// Frames behind their length, a 32-bit big-endian number.
struct StreamSpec {
  SocketAddress address;
  bool server = false;
  unsigned reconnect = 0;  // seconds; 0: no
};
// One frame per datagram.
struct DgramSpec {
  SocketAddress local, remote;  // remote a multicast address: both ways through the group
};

struct NetdevSpec {
  enum class Kind { user, tap, stream, dgram, hubport };
  Kind kind = Kind::user;
  std::string id, type;  // type as written: "socket"
  UserSpec user;
  TapSpec tap;
  StreamSpec stream;
  DgramSpec dgram;
  unsigned hub = 0;
  std::string hub_netdev;  // the other end of a hub port's cable
};

struct NicSpec {
  bool none = false;      // -nic none, -net none
  bool card = true;       // false: -net BACKEND, which brings no card
  std::string model, id;  // model empty: the board's
  std::optional<core::MacAddress> mac;
  std::optional<NetdevSpec> backend;
  std::string netdev;           // -net nic,netdev=
  std::optional<unsigned> hub;  // -net: joined by a hub
};

struct DumpSpec {
  std::string id, netdev, file;
  u32 longest = 65536;
};

core::Result<NetdevSpec> parse_netdev(std::string_view text);  // the argument of -netdev
core::Result<NicSpec> parse_nic(std::string_view text);        // of -nic
core::Result<NicSpec> parse_net(std::string_view text);        // of -net
core::Result<DumpSpec> parse_dump(std::string_view text);      // of -object filter-dump

// 52:54:00:12:34:56, unicast.
core::Result<core::MacAddress> parse_mac(std::string_view text);
// 10.0.2.2
std::optional<u32> parse_ipv4(std::string_view text);
std::string ipv4_text(u32 address);

// The parts of parse_netdev, by kind; `keys` may hold `type`, `id` and, for a card, `model` and `mac` too.
core::Result<UserSpec> user_spec(const KeyValues& keys);
core::Status socket_spec(const KeyValues& keys, NetdevSpec& spec);
core::Status stream_spec(const KeyValues& keys, StreamSpec& spec);
core::Status dgram_spec(const KeyValues& keys, DgramSpec& spec);
}  // namespace host
