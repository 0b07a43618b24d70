// Back ends between two machines, and capture files.

#include "bench.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <cstring>
#include <fstream>

using namespace host;
using namespace host::test;

namespace {
// Frames of all sizes one way, then the other.
void exchange(NetBench& a, NetBench& b) {
  REQUIRE_MESSAGE(a.nets, a.error);
  REQUIRE_MESSAGE(b.nets, b.error);
  const auto one_way = [](NetBench& from, NetBench& to) {
    for (std::size_t size : {14u, 60u, 61u, 1514u, 9000u, 65000u}) {
      const Bytes sent = frame_of(size, u8(size));
      Bytes got;
      // The connection may not be up yet, and datagrams may be lost: send until it is there.
      const bool arrived = to.turn_until([&] {
        from.send(sent);
        to.loop.run_pending();
        while (to.machine.nics[0].receive(got))
          if (got == sent) return true;
        return false;
      });
      CHECK(arrived);
    }
  };
  one_way(a, b);
  one_way(b, a);
}
std::string refused(Given g) { return NetBench(std::move(g)).error; }
std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
u32 word(const std::string& s, std::size_t at) {
  u32 v = 0;
  std::memcpy(&v, &s[at], 4);
  return v;
}
// Two connected sockets.
struct Pair {
  explicit Pair(int type) { REQUIRE(socketpair(AF_UNIX, type, 0, fd) == 0); }
  std::string name(int n) const { return std::to_string(fd[n]); }
  int fd[2];
};
std::string free_port(int type) {
  const int fd = socket(AF_INET, type, 0);
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof a;
  REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&a), size) == 0);
  getsockname(fd, reinterpret_cast<sockaddr*>(&a), &size);
  close(fd);
  return "127.0.0.1:" + std::to_string(ntohs(a.sin_port));
}
}  // namespace

TEST_CASE("net stream: two machines over a path, in either order of starting") {
  Folder folder;
  NetBench client({.nic = {"stream,reconnect=1,addr.type=unix,addr.path=" + folder / "s"}});
  NetBench server({.nic = {"stream,server=on,addr.type=unix,addr.path=" + folder / "s"}});
  REQUIRE(client.turn_until(
      [&] { return client.nets->info_network().find("type=stream,connected to") != std::string::npos; }));
  exchange(client, server);
}

TEST_CASE("net socket: listen and connect; when the peer leaves, the next one is taken") {
  const std::string at = free_port(SOCK_STREAM);
  NetBench server({.nic = {"socket,listen=" + at}});
  {
    NetBench client({.nic = {"socket,connect=" + at}});
    exchange(server, client);
    CHECK(server.nets->info_network().find("type=socket,connected to " + at) != std::string::npos);
  }
  NetBench second({.nic = {"socket,connect=" + at}});
  exchange(server, second);
}

TEST_CASE("net socket, stream, dgram: descriptors somebody opened") {
  SUBCASE("stream") {
    Pair p(SOCK_STREAM);
    NetBench a({.nic = {"socket,fd=" + p.name(0)}}), b({.nic = {"stream,addr.type=fd,addr.str=" + p.name(1)}});
    exchange(a, b);
  }
  SUBCASE("datagrams") {
    Pair p(SOCK_DGRAM);
    NetBench a({.nic = {"socket,fd=" + p.name(0)}}), b({.nic = {"dgram,local.type=fd,local.str=" + p.name(1)}});
    exchange(a, b);
  }
  CHECK(refused({.nic = {"socket,fd=999"}}) == "-nic: fd=999 is no socket: bad file descriptor");
}

TEST_CASE("net dgram: two machines over UDP and over paths") {
  SUBCASE("as -nic socket,udp=") {
    const std::string p = free_port(SOCK_DGRAM), q = free_port(SOCK_DGRAM);
    NetBench a({.nic = {"socket,udp=" + p + ",localaddr=" + q}}), b({.nic = {"socket,udp=" + q + ",localaddr=" + p}});
    exchange(a, b);
  }
  SUBCASE("as -nic dgram with paths") {
    Folder f;
    const auto way = [&](const char* from, const char* to) {
      return "dgram,local.type=unix,local.path=" + f / from + ",remote.type=unix,remote.path=" + f / to;
    };
    NetBench a({.nic = {way("a", "b")}}), b({.nic = {way("b", "a")}});
    exchange(a, b);
  }
}

TEST_CASE("net stream: what a peer sends is not trusted") {
  Pair p(SOCK_STREAM);
  NetBench b({.nic = {"socket,fd=" + p.name(0)}});
  REQUIRE(b.nets);
  const auto put = [&](const Bytes& bytes) {
    REQUIRE(send(p.fd[1], bytes.data(), bytes.size(), 0) == ssize_t(bytes.size()));
  };
  const auto lost = [&] { return b.nets->info_network().find("not connected") != std::string::npos; };
  SUBCASE("frames in pieces, several at once, too short ones between") {
    put({0, 0, 0, 20, 1, 1, 1});
    b.loop.run_pending();
    Bytes rest(46, 1);  // the rest of the frame, one of 3 bytes, one of none, one of 14
    const Bytes lengths{0, 0, 0, 3, 9, 9, 9, 0, 0, 0, 0, 0, 0, 0, 14};
    std::copy(lengths.begin(), lengths.end(), rest.begin() + 17);
    std::fill(rest.begin() + 32, rest.end(), u8(2));
    put(rest);
    CHECK(b.receive() == Bytes(20, 1));
    CHECK(b.receive() == Bytes(14, 2));
  }
  SUBCASE("a length no frame has ends the connection") {
    put({0xff, 0xff, 0xff, 0xff, 0, 0});
    CHECK(b.turn_until(lost));
  }
  SUBCASE("a peer that reads nothing costs frames, not memory or time") {
    for (int i = 0; i < 400; ++i) b.send(frame_of(60000, 1));
    close(std::exchange(p.fd[1], -1));
    CHECK(b.turn_until(lost));
  }
  if (p.fd[1] >= 0) close(p.fd[1]);
}

TEST_CASE("net stream: nobody there, and a port in use, are said") {
  const std::string at = free_port(SOCK_STREAM);
  CHECK(refused({.nic = {"socket,connect=" + at}}) ==
        "-nic: cannot connect to " + at +
            ": connection refused; start the other side first, or use -netdev stream with reconnect=");
  NetBench a({.nic = {"socket,listen=" + at}});
  CHECK(refused({.nic = {"socket,listen=" + at}}) == "-nic: cannot listen on " + at + ": address already in use");
}

TEST_CASE("filter-dump: both directions, cut to maxlen, with the guest's time") {
  Folder folder;
  NetBench b({.netdev = {"hubport,id=h1,hubid=1", "hubport,id=h2,hubid=1"},
              .net = {"nic,netdev=h1", "nic,netdev=h2"},
              .object = {"filter-dump,id=f,netdev=h1,maxlen=100,file=" + folder / "n.pcap"},
              .facts = {{"a", "b"}, {}}});
  REQUIRE(b.nets);
  b.send(frame_of(60, 1), 0);
  b.clock.t = 2'500'000'000;
  b.send(frame_of(300, 2), 1);
  const std::string file = read_file(folder / "n.pcap");
  REQUIRE(file.size() == 24 + 16 + 60 + 16 + 100);
  CHECK(word(file, 0) == 0xa1b2'c3d4);
  CHECK(word(file, 4) == 0x0004'0002);
  CHECK(word(file, 16) == 100);
  CHECK(word(file, 20) == 1);
  CHECK(word(file, 32) == 60);
  CHECK(word(file, 36) == 60);
  CHECK(file.substr(46, 54) == std::string(54, 1));
  const std::size_t second = 24 + 16 + 60;
  CHECK(word(file, second + 8) == 100);
  CHECK(word(file, second + 12) == 300);
  const auto time = [&](std::size_t at) { return u64(word(file, at)) * 1'000'000 + word(file, at + 4); };
  CHECK(time(second) - time(24) == 2'500'000);
}

TEST_CASE("filter-dump: a network or folder that is not there") {
  CHECK(refused({.nic = {"none"}, .object = {"filter-dump,id=f,netdev=x,file=/tmp/x"}}) ==
        "-object: filter-dump: there is no netdev 'x'");
  CHECK(refused({.netdev = {"hubport,id=h,hubid=1"}, .object = {"filter-dump,id=f,netdev=h,file=/no/such/x"}}) ==
        "-object: cannot write '/no/such/x': no such file or directory; name a file in a folder that exists");
}
