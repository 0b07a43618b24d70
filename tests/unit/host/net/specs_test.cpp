#include "host/net/specs.hpp"

#include <doctest/doctest.h>

using namespace host;

namespace {
std::string refused(std::string_view text) {
  auto s = parse_netdev(text);
  return s ? "accepted" : s.error().text;
}
std::string nic_refused(std::string_view text) {
  auto s = parse_nic(text);
  return s ? "accepted" : s.error().text;
}
}  // namespace

TEST_CASE("netdev user: every key lands in its place") {
  const auto s = parse_netdev(
      "user,id=n0,net=192.168.76.0/24,host=192.168.76.9,dhcpstart=192.168.76.20,dns=192.168.76.4,restrict=on,"
      "hostname=box,domainname=a.example,dnssearch=b.example,dnssearch=c.example,tftp=/srv,bootfile=/"
      "k,tftp-server-name=t,"
      "hostfwd=tcp:127.0.0.1:8080-192.168.76.20:80,hostfwd=udp::53-:5353,guestfwd=tcp:192.168.76.100:21-cmd:cat -,"
      "ipv6-prefix=fd00::,ipv6-prefixlen=60,ipv6-host=fd00::9,ipv6-dns=fd00::8");
  REQUIRE(s);
  CHECK(s->kind == NetdevSpec::Kind::user);
  CHECK(s->id == "n0");
  const UserSpec& u = s->user;
  CHECK(u.network == 0xc0a8'4c00);
  CHECK(u.mask == 0xffff'ff00);
  CHECK(u.host == 0xc0a8'4c09);
  CHECK(u.dhcp_start == 0xc0a8'4c14);
  CHECK(u.dns == 0xc0a8'4c04);
  CHECK(u.restricted);
  CHECK(u.hostname == "box");
  CHECK(u.domainname == "a.example");
  CHECK(u.dnssearch == std::vector<std::string>{"b.example", "c.example"});
  CHECK(u.tftp == "/srv");
  CHECK(u.bootfile == "/k");
  CHECK(u.tftp_server_name == "t");
  REQUIRE(u.hostfwd.size() == 2);
  CHECK(u.hostfwd[0].host_address == 0x7f00'0001);
  CHECK(u.hostfwd[0].host_port == 8080);
  CHECK(u.hostfwd[0].guest_address == 0xc0a8'4c14);
  CHECK(u.hostfwd[0].guest_port == 80);
  CHECK(u.hostfwd[1].udp);
  CHECK(u.hostfwd[1].host_address == 0);
  REQUIRE(u.guestfwd.size() == 1);
  CHECK(u.guestfwd[0].address == 0xc0a8'4c64);
  CHECK(u.guestfwd[0].port == 21);
  CHECK(u.guestfwd[0].command == "cat -");
  CHECK(u.prefix6_length == 60);
  CHECK(u.host6[15] == 9);
  CHECK(u.dns6[15] == 8);
}

TEST_CASE("netdev user: defaults are 10.0.2.0/24 and fec0::/64; a network moves its addresses along") {
  const auto s = parse_netdev("user,id=n");
  REQUIRE(s);
  CHECK(ipv4_text(s->user.network) == "10.0.2.0");
  CHECK(ipv4_text(s->user.host) == "10.0.2.2");
  CHECK(ipv4_text(s->user.dns) == "10.0.2.3");
  CHECK(ipv4_text(s->user.dhcp_start) == "10.0.2.15");
  CHECK(s->user.host6 == Ipv6{0xfe, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2});
  CHECK(s->user.ipv4);
  CHECK(s->user.ipv6);
  CHECK(ipv4_text(parse_netdev("user,id=n,net=172.20.0.0/255.255.0.0")->user.host) == "172.20.2.2");
  CHECK(ipv4_text(parse_netdev("user,id=n,net=9.1.2.3")->user.network) == "9.0.0.0");
  CHECK_FALSE(parse_netdev("user,id=n,ipv6=on")->user.ipv4);
  CHECK_FALSE(parse_netdev("user,id=n,ipv4=on")->user.ipv6);
  CHECK(parse_netdev("user,id=n,ipv6=off")->user.ipv4);
}

TEST_CASE("netdev user: JSON says the same") {
  const auto s = parse_netdev(R"({"type":"user","id":"n","restrict":true,"hostfwd":[{"str":"tcp::1-:2"}]})");
  REQUIRE(s);
  CHECK(s->user.restricted);
  CHECK(s->user.hostfwd.size() == 1);
}

TEST_CASE("netdev: what is wrong gets a sentence with a way out") {
  CHECK(refused("user") == "id= is missing, the name by which -device or -nic finds it");
  CHECK(refused("id=n") == "the kind is missing: user, tap, socket, stream, dgram, hubport");
  CHECK(refused("usr,id=n") ==
        "there is no kind 'usr' of network; there are user, tap, socket, stream, dgram, hubport");
  CHECK(refused("vde,id=n") == "'vde' is not built; there are user, tap, socket, stream, dgram, hubport");
  CHECK(refused("user,id=n,hostfw=x") == "there is no property 'hostfw' (did you mean 'hostfwd'?)");
  CHECK(refused("user,id=n,model=x") == "model= belongs to a card; write it with -nic");
  CHECK(refused("user,id=n,smb=/x") == "smb=: Windows shares are not built; give files with tftp= or a disk");
  CHECK(refused("user,id=n,net=300.1.1.1") == "net='300.1.1.1' is no network; write net=10.0.2.0/24");
  CHECK(refused("user,id=n,net=10.0.0.0/3") == "net='10.0.0.0/3': '3' is no mask; write a number of bits, 4 to 32");
  CHECK(refused("user,id=n,net=10.0.0.0/255.0.255.0") ==
        "net='10.0.0.0/255.0.255.0': '255.0.255.0' is no mask; write a number of bits, 4 to 32");
  CHECK(refused("user,id=n,host=1.2.3.4") == "host='1.2.3.4' does not belong to the network 10.0.2.0");
  CHECK(refused("user,id=n,dns=x") == "dns='x' is no address such as 10.0.2.3");
  CHECK(refused("user,id=n,dns=10.0.2.2") == "dns= and host= must be different addresses");
  CHECK(refused("user,id=n,dhcpstart=10.0.2.3") == "dhcpstart= must be another address than host= and dns=");
  CHECK(refused("user,id=n,ipv4=off,ipv6=off") == "ipv4=off,ipv6=off leaves no network; leave one of them out");
  CHECK(refused("user,id=n,restrict=maybe") == "restrict='maybe' must be on or off");
  CHECK(refused("user,id=n,ipv6-host=zz") == "ipv6-host='zz' is no IPv6 address such as fec0::2");
  CHECK(refused("user,id=n,ipv6-prefixlen=200") == "ipv6-prefixlen='200' must be 0 to 126");
  CHECK(refused("user,id=n,guestfwd=tcp:10.0.2.100:1-chardev:c") ==
        "guestfwd='tcp:10.0.2.100:1-chardev:c': 'chardev:c' is no command; only cmd: is built, not a character device; "
        "write tcp:SERVER:PORT-cmd:COMMAND");
  CHECK(refused("user,id=n,guestfwd=tcp:10.0.2.2:1-cmd:x") ==
        "guestfwd= to 10.0.2.2: take a free address of the network 10.0.2.0");
}

TEST_CASE("hostfwd: rules that are none") {
  const auto bad = [](std::string_view rule, std::string_view why) {
    const auto r = parse_host_forward(rule);
    REQUIRE_FALSE(r);
    CHECK(r.error().text == "invalid host forwarding rule '" + std::string(rule) + "': " + std::string(why) +
                                "; write tcp:HOST:PORT-GUEST:PORT");
  };
  bad("abc", "there is no ':'");
  bad("icmp::1-:2", "'icmp' is neither tcp nor udp");
  bad("tcp:80", "the host's address is not ended by ':'");
  bad("tcp:host:80-:2", "'host' is no address");
  bad("tcp::5", "there is no '-' before the guest's side");
  bad("tcp::99999-:2", "'99999' is no port");
  bad("tcp::1-2", "the guest's port is missing");
  bad("tcp::1-1.2.3:2", "'1.2.3' is no address");
  bad("tcp::1-:0", "'0' is no port");
  bad("tcp::1-:2x", "'2x' is no port");
  CHECK(parse_host_forward("::0-:22"));
  CHECK(parse_host_side("udp:127.0.0.1:5")->udp);
  CHECK_FALSE(parse_host_side("udp:127.0.0.1:5-:6"));
}

TEST_CASE("netdev tap: interface, scripts, or an open descriptor") {
  const auto s = parse_netdev("tap,id=t,ifname=tap3,script=no,downscript=/x");
  REQUIRE(s);
  CHECK(s->tap.ifname == "tap3");
  CHECK(s->tap.script == "no");
  CHECK_FALSE(s->tap.script_may_be_missing);
  CHECK(s->tap.downscript == "/x");
  CHECK(parse_netdev("tap,id=t")->tap.script_may_be_missing);
  CHECK(parse_netdev("tap,id=t,fd=7,vhost=off")->tap.fd == 7);
  CHECK(refused("tap,id=t,vhost=on") == "vhost: there is no virtual device here for the kernel to serve; leave it out");
  CHECK(refused("tap,id=t,fd=x") == "fd='x' is no file descriptor");
  CHECK(refused("tap,id=t,fd=3,ifname=a") == "ifname= goes without fd=, which is an interface already open");
  CHECK(refused("tap,id=t,ifname=0123456789abcdef") == "ifname='0123456789abcdef' is longer than 15 characters");
  CHECK(refused("tap,id=t,br=br0") == "br= is not built; make the interface beforehand and name it with ifname=");
}

TEST_CASE("netdev socket: its five ways") {
  auto s = parse_netdev("socket,id=s,listen=:1234");
  REQUIRE(s);
  CHECK(s->kind == NetdevSpec::Kind::stream);
  CHECK(s->stream.server);
  CHECK(s->stream.address.port == "1234");
  s = parse_netdev("socket,id=s,connect=[::1]:5");
  CHECK_FALSE(s->stream.server);
  CHECK(s->stream.address.host == "::1");
  s = parse_netdev("socket,id=s,mcast=230.0.0.1:1234,localaddr=127.0.0.1");
  CHECK(s->kind == NetdevSpec::Kind::dgram);
  CHECK(s->dgram.remote.host == "230.0.0.1");
  CHECK(s->dgram.local.host == "127.0.0.1");
  s = parse_netdev("socket,id=s,udp=a:1,localaddr=b:2");
  CHECK(s->dgram.local.port == "2");
  CHECK(parse_netdev("socket,id=s,fd=9")->stream.address.fd == 9);
  CHECK(refused("socket,id=s") == "one of fd=, listen=, connect=, mcast= or udp= is needed");
  CHECK(refused("socket,id=s,listen=:1,connect=:2") == "listen= and connect= exclude each other");
  CHECK(refused("socket,id=s,listen=1234") == "listen='1234' is no address; write listen=HOST:PORT");
  CHECK(refused("socket,id=s,listen=:x") == "listen=':x' is no address; write listen=HOST:PORT");
  CHECK(refused("socket,id=s,mcast=10.0.0.1:1") ==
        "mcast='10.0.0.1:1' is no multicast address, 224.0.0.0 to 239.255.255.255");
  CHECK(refused("socket,id=s,udp=a:1") == "udp= needs localaddr=HOST:PORT, where frames come in");
  CHECK(refused("socket,id=s,listen=:1,localaddr=a:2") == "localaddr= goes with mcast= or udp= only");
}

TEST_CASE("netdev stream and dgram: addresses of three types") {
  auto s = parse_netdev("stream,id=s,addr.type=inet,addr.host=h,addr.port=7,reconnect=5");
  REQUIRE(s);
  CHECK(s->stream.reconnect == 5);
  CHECK(s->stream.address.host == "h");
  s = parse_netdev(R"({"type":"stream","id":"s","server":true,"addr":{"type":"unix","path":"/p"}})");
  REQUIRE(s);
  CHECK(s->stream.server);
  CHECK(s->stream.address.path == "/p");
  s = parse_netdev("dgram,id=d,local.type=unix,local.path=a,remote.type=unix,remote.path=b");
  REQUIRE(s);
  CHECK(s->dgram.remote.path == "b");
  CHECK(parse_netdev("dgram,id=d,local.type=fd,local.str=5")->dgram.local.fd == 5);
  CHECK(parse_netdev("dgram,id=d,remote.type=inet,remote.host=230.0.0.1,remote.port=1"));
  CHECK(refused("stream,id=s") == "addr.type= is missing: inet, unix or fd");
  CHECK(refused("stream,id=s,addr.type=ipx") == "addr.type='ipx' must be inet, unix or fd");
  CHECK(refused("stream,id=s,addr.type=inet,addr.port=1") == "addr.host= is missing");
  CHECK(refused("stream,id=s,addr.type=inet,addr.host=h,addr.port=x") == "addr.port='x' is no port");
  CHECK(refused("stream,id=s,server=on,reconnect=1,addr.type=unix,addr.path=p") ==
        "reconnect= is for the side that connects; leave it out with server=on");
  CHECK(refused("dgram,id=d") == "local.type= is missing: inet, unix or fd");
  CHECK(refused("dgram,id=d,local.type=unix,local.path=a") == "remote.type= is missing, where frames go");
  CHECK(refused("dgram,id=d,local.type=unix,local.path=a,remote.type=inet,remote.host=h,remote.port=1") ==
        "local.type= and remote.type= must be the same");
}

TEST_CASE("nic: card and network in one option") {
  auto n = parse_nic("user,model=pcnet,mac=52:54:00:AB:cd:ef,id=x,hostfwd=tcp::1-:2");
  REQUIRE(n);
  CHECK(n->model == "pcnet");
  CHECK(n->mac == core::MacAddress{0x52, 0x54, 0, 0xab, 0xcd, 0xef});
  CHECK(n->backend->id == "x");
  CHECK(n->backend->user.hostfwd.size() == 1);
  CHECK_FALSE(n->hub);
  CHECK(parse_nic("none")->none);
  CHECK(parse_nic("model=pcnet")->backend->type == "user");
  CHECK(nic_refused("user,mac=53:54:00:12:34:56") ==
        "mac: '53:54:00:12:34:56' is a multicast address, no card can have it; make the first byte even");
  for (const char* mac : {"zz", "52:54:00:12:34", "52:54:00:12:34:56:78", "52:54:00:12:34:156",
                          "52:54:00:12:34:", "52:54:00:12:34:5g", ""})
    CHECK(nic_refused("user,mac=" + std::string(mac)) ==
          "mac: '" + std::string(mac) + "' is no Ethernet address such as 52:54:00:12:34:56");
  CHECK(nic_refused("hubport,hubid=1") == "a hub's port is made with -netdev hubport,id=ID,hubid=N");
}

TEST_CASE("net: cards and networks joined by hub 0, or a card at a netdev") {
  auto n = parse_net("nic,model=pcnet,macaddr=52:54:00:00:00:01,name=eth");
  REQUIRE(n);
  CHECK(n->card);
  CHECK(n->hub == 0u);
  CHECK(n->id == "eth");
  n = parse_net("nic,netdev=n0");
  CHECK_FALSE(n->hub);
  CHECK(n->netdev == "n0");
  n = parse_net("user");
  CHECK_FALSE(n->card);
  CHECK(n->hub == 0u);
  CHECK(parse_net("none")->none);
}

TEST_CASE("filter-dump: what it needs") {
  const auto d = parse_dump("filter-dump,id=f,netdev=n,file=x.pcap,maxlen=64");
  REQUIRE(d);
  CHECK(d->netdev == "n");
  CHECK(d->file == "x.pcap");
  CHECK(d->longest == 64);
  CHECK(parse_dump("filter-dump,netdev=n,file=x").error().text == "id= is missing, a name of its own");
  CHECK(parse_dump("filter-dump,id=f,file=x").error().text == "netdev= is missing, the network to record");
  CHECK(parse_dump("filter-dump,id=f,netdev=n").error().text == "file= is missing, where the capture goes");
  CHECK(parse_dump("filter-dump,id=f,netdev=n,file=x,maxlen=0").error().text == "maxlen='0' is no length");
}
