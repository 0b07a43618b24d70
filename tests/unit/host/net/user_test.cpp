// The user network by frames made by hand.

#include "bench.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>

using namespace host;
using namespace host::test;

namespace {
const Bytes our_mac{0x52, 0x54, 0x00, 0x12, 0x34, 0x56}, all{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
constexpr u32 us = 0x0a00'020f, gateway = 0x0a00'0202;

void put16(Bytes& b, u32 v) { b.insert(b.end(), {u8(v >> 8), u8(v)}); }
void put32(Bytes& b, u32 v) { put16(b, v >> 16), put16(b, v); }
void add(Bytes& b, const Bytes& more) { b.insert(b.end(), more.begin(), more.end()); }
u32 get16(const Bytes& b, std::size_t at) { return u32(b.at(at)) << 8 | b.at(at + 1); }
u32 get32(const Bytes& b, std::size_t at) { return get16(b, at) << 16 | get16(b, at + 2); }
// The Internet checksum (RFC 1071) of `b` after `before`.
u32 checksum(const Bytes& b, const Bytes& before = {}) {
  u32 sum = 0;
  for (const Bytes* part : {&before, &b})
    for (std::size_t i = 0; i < part->size(); i += 2)
      sum += u32((*part)[i]) << 8 | (i + 1 < part->size() ? (*part)[i + 1] : 0);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}
void set_checksum(Bytes& b, std::size_t at, u32 sum) { b[at] = u8(sum >> 8), b[at + 1] = u8(sum); }

Bytes arp_request(u32 target) {
  Bytes f = all;
  add(f, our_mac);
  put16(f, 0x0806), put32(f, 0x0001'0800), put32(f, 0x0604'0001);
  add(f, our_mac);
  put32(f, us);
  add(f, Bytes(6));
  put32(f, target);
  f.resize(60);
  return f;
}
Bytes ip_frame(const Bytes& to, u8 protocol, u32 from, u32 target, const Bytes& data) {
  Bytes f = to, h;
  add(f, our_mac);
  put16(f, 0x0800);
  put16(h, 0x4500), put16(h, u32(20 + data.size())), put32(h, 0x0001'0000), put32(h, 64u << 24 | u32(protocol) << 16);
  put32(h, from), put32(h, target);
  set_checksum(h, 10, checksum(h));
  add(f, h);
  add(f, data);
  return f;
}
Bytes dhcp(u8 type) {
  Bytes d, m{1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef};
  put32(d, 68u << 16 | 67), put32(d, (8u + 300) << 16);
  m.resize(28);
  add(m, our_mac);
  m.resize(236);
  add(m, {0x63, 0x82, 0x53, 0x63, 53, 1, type, 255});
  m.resize(300);
  add(d, m);
  return ip_frame(all, 17, 0, 0xffff'ffff, d);
}
constexpr std::size_t dhcp_at = 14 + 20 + 8;
// The option of a DHCP answer in a frame; empty when it has none.
Bytes dhcp_option(const Bytes& f, u8 which) {
  for (std::size_t at = dhcp_at + 240; at + 1 < f.size() && f[at] != 255;) {
    const std::size_t n = f[at] == 0 ? 0 : f[at + 1] + 1u;
    if (f[at] == which && at + 1 + n <= f.size()) return {f.begin() + long(at + 2), f.begin() + long(at + 1 + n)};
    at += 1 + n;
  }
  return {};
}
Bytes tcp_frame(const Bytes& gateway_mac, u32 to, u16 source, u16 target, u32 sequence, u32 acknowledge, u8 flags) {
  Bytes t, pseudo;
  put16(t, source), put16(t, target), put32(t, sequence), put32(t, acknowledge),
      put32(t, 0x5000'ffff | u32(flags) << 16), put32(t, 0);
  put32(pseudo, us), put32(pseudo, to), put32(pseudo, 6u << 16 | u32(t.size()));
  set_checksum(t, 16, checksum(t, pseudo));
  return ip_frame(gateway_mac, 6, us, to, t);
}
bool is_ip(const Bytes& f, u8 protocol) { return f.size() > 34 && get16(f, 12) == 0x0800 && f[23] == protocol; }
bool is_dhcp(const Bytes& f) { return is_ip(f, 17) && get16(f, 34) == 67; }
bool is_tcp(const Bytes& f) { return is_ip(f, 6) && f.size() >= 54; }

// Has the network learn our address; gives the gateway's.
Bytes greet(NetBench& b) {
  REQUIRE_MESSAGE(b.nets, b.error);
  b.send(arp_request(gateway));
  const Bytes answer = b.receive([](const Bytes& f) { return get16(f, 12) == 0x0806 && get16(f, 20) == 2; });
  REQUIRE(answer.size() >= 42);
  return {answer.begin() + 6, answer.begin() + 12};
}
// The port the kernel chose for a rule with host port 0, as `info usernet` shows it.
u16 forwarded_port(NetBench& b) {
  const std::string text = b.nets->info_usernet();
  const auto at = text.find("127.0.0.1");
  REQUIRE(at != std::string::npos);
  return u16(std::stoul(text.substr(text.find_first_not_of(' ', at + 9))));
}
int connect_to(u16 port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  connect(fd, reinterpret_cast<sockaddr*>(&a), sizeof a);
  return fd;
}
}  // namespace

TEST_CASE("user network: the gateway answers ARP") {
  NetBench b({.nic = {"user"}});
  CHECK(greet(b) == Bytes{0x52, 0x55, 0x0a, 0x00, 0x02, 0x02});
  CHECK(b.nets->info_network() ==
        "pcnet.0: index=0,type=nic,model=pcnet,macaddr=52:54:00:12:34:56\n"
        " \\ #net0: index=0,type=user,net=10.0.2.0,restrict=off\n");
}

TEST_CASE("user network: without an option the first card has it, with -nodefaults not") {
  NetBench b({});
  CHECK(b.machine.nics.at(0).link_up);
  Options o;
  o.nodefaults = true;
  core::MachineBase m;
  Loop loop;
  auto nets = Nets::create(o, {{"pcnet"}, {}}, m, loop);
  REQUIRE(nets);
  CHECK_FALSE(m.nics.at(0).link_up);
}

TEST_CASE("user network: DHCP offers and leases what the options say") {
  NetBench b(
      {.nic = {
           "user,net=10.9.0.0/16,dhcpstart=10.9.8.7,dns=10.9.0.53,hostname=box,bootfile=/kernel,dnssearch=x.example"}});
  REQUIRE(b.nets);
  b.send(dhcp(1));
  const Bytes offer = b.receive(is_dhcp);
  REQUIRE(offer.size() > dhcp_at + 240);
  CHECK(dhcp_option(offer, 53) == Bytes{2});
  CHECK(get32(offer, dhcp_at + 16) == 0x0a09'0807);
  CHECK(dhcp_option(offer, 1) == Bytes{255, 255, 0, 0});
  CHECK(dhcp_option(offer, 3) == Bytes{10, 9, 2, 2});
  CHECK(dhcp_option(offer, 6) == Bytes{10, 9, 0, 53});
  CHECK(dhcp_option(offer, 12) == Bytes{'b', 'o', 'x'});
  CHECK(std::string(reinterpret_cast<const char*>(&offer[dhcp_at + 108])) == "/kernel");
  b.send(dhcp(3));
  CHECK(dhcp_option(b.receive(is_dhcp), 53) == Bytes{5});
}

TEST_CASE("user network: the gateway answers a ping") {
  NetBench b({.nic = {"user,restrict=on"}});
  const Bytes mac = greet(b);
  Bytes ping{8, 0, 0, 0, 0x12, 0x34, 0, 1, 'h', 'i'};
  set_checksum(ping, 2, checksum(ping));
  b.send(ip_frame(mac, 1, us, gateway, ping));
  const Bytes pong = b.receive([](const Bytes& f) { return is_ip(f, 1); });
  REQUIRE(pong.size() >= 44);
  CHECK(pong[34] == 0);
  CHECK(get16(pong, 38) == 0x1234);
  CHECK(pong[43] == 'i');
}

TEST_CASE("user network: a connection to a forwarded port reaches the guest and is accepted") {
  NetBench b({.nic = {"user,hostfwd=tcp:127.0.0.1:0-:22"}});
  const Bytes mac = greet(b);
  const int client = connect_to(forwarded_port(b));
  const Bytes syn = b.receive(is_tcp);
  REQUIRE(is_tcp(syn));
  CHECK(get32(syn, 26) == gateway);
  CHECK(get16(syn, 36) == 22);
  CHECK((syn[47] & 0x12) == 0x02);
  b.send(tcp_frame(mac, gateway, 22, u16(get16(syn, 34)), 1000, get32(syn, 38) + 1, 0x12));
  const Bytes ack = b.receive(is_tcp);
  REQUIRE(is_tcp(ack));
  CHECK((ack[47] & 0x10) == 0x10);
  CHECK(get32(ack, 42) == 1001);
  REQUIRE(write(client, "hello", 5) == 5);
  const Bytes data = b.receive([](const Bytes& f) { return is_tcp(f) && f.size() >= 59; });
  REQUIRE(data.size() >= 59);
  CHECK(std::search(data.begin(), data.end(), "hello", &"hello"[5]) != data.end());
  close(client);
}

TEST_CASE("user network: rules come and go by the monitor") {
  NetBench b({.nic = {"user,id=n0"}});
  REQUIRE(b.nets);
  CHECK(b.nets->add_forward("", "tcp:127.0.0.1:0-:80") == "");
  const std::string rule = "tcp:127.0.0.1:" + std::to_string(forwarded_port(b));
  CHECK(b.nets->add_forward("n0", rule + "-:81") ==
        "could not set up host forwarding rule '" + rule + "-:81': address already in use\n");
  CHECK(b.nets->remove_forward("n0", rule) == "host forwarding rule for " + rule + " removed\n");
  CHECK(b.nets->remove_forward("", rule) == "host forwarding rule for " + rule + " not found\n");
  CHECK(b.nets->add_forward("", "tcp::5") ==
        "invalid host forwarding rule 'tcp::5': there is no '-' before the guest's side; write "
        "tcp:HOST:PORT-GUEST:PORT\n");
  CHECK(b.nets->add_forward("pcnet.0", "tcp::5-:6") == "invalid netdev type: 'pcnet.0' is no user network\n");
  CHECK(b.nets->info_usernet().starts_with("Hub -1 (n0):\n"));
}

TEST_CASE("user network: guestfwd gives a connection a command") {
  NetBench b({.nic = {"user,guestfwd=tcp:10.0.2.100:7-cmd:echo forwarded"}});
  const Bytes mac = greet(b);
  const u32 server = 0x0a00'0264;
  b.send(tcp_frame(mac, server, 5000, 7, 100, 0, 0x02));
  const Bytes syn = b.receive(is_tcp);
  REQUIRE(is_tcp(syn));
  CHECK((syn[47] & 0x12) == 0x12);
  b.send(tcp_frame(mac, server, 5000, 7, 101, get32(syn, 38) + 1, 0x10));
  const Bytes data = b.receive([](const Bytes& f) { return is_tcp(f) && f.size() >= 64; });
  CHECK(std::search(data.begin(), data.end(), "forwarded", &"forwarded"[9]) != data.end());
}

TEST_CASE("user network: a TFTP folder that is none") {
  CHECK(NetBench({.nic = {"user,tftp=/no/such"}}).error == "-nic: tftp='/no/such' is no folder");
}

TEST_CASE("user network: frames of any length and content do no harm") {
  NetBench b({.nic = {"user,restrict=on"}});
  const Bytes mac = greet(b);
  u32 seed = 1;
  const auto next = [&] { return (seed = seed * 1664525 + 1013904223) >> 8; };
  for (std::size_t size = 0; size < 2000; size += size < 100 ? 1 : 37) b.send(Bytes(size, u8(size)));
  for (std::size_t size : {65535u, 65536u, 65550u, 65551u}) b.send(frame_of(size, 0x45));
  // Well-formed headers with a few bytes wrong, to the gateway and beyond.
  Bytes f;
  for (int round = 0; round < 20000; ++round) {
    switch (next() % 5) {
      case 0: f = dhcp(u8(next() % 9)); break;
      case 1: f = arp_request(next() % 2 ? gateway : next()); break;
      case 2:
        f = tcp_frame(mac, gateway + next() % 3, u16(next()), u16(next() % 100), next(), next(), u8(next()));
        break;
      case 3: f = ip_frame(mac, u8(next()), us, gateway + next() % 4, Bytes(next() % 600, u8(next()))); break;
      default:
        f = mac;
        add(f, our_mac);
        put16(f, next() % 2 ? 0x86dd : 0x0800);
        for (u32 n = next() % 200; n; --n) f.push_back(u8(next()));
    }
    for (u32 n = next() % 4; n; --n) f[12 + next() % (f.size() - 12)] = u8(next());
    if (next() % 8 == 0) f.resize(next() % (f.size() + 1));
    b.send(f);
    while (b.machine.nics[0].receive(f))
      if (f.size() < 14) FAIL("a frame shorter than its header");
  }
  CHECK(greet(b) == mac);
}
