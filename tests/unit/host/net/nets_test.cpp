// Which card gets which cable, and what the monitor says of it.

#include "bench.hpp"

using namespace host;
using namespace host::test;

namespace {
const NetFacts two_cards{{"a", "b"}, {}}, three_cards{{"a", "b", "c"}, {}};
// A network that needs nothing of the host.
const std::string quiet = "hubport,id=h,hubid=5";
std::string refused(Given g) { return NetBench(std::move(g)).error; }
}  // namespace

TEST_CASE("nets: addresses count up from 52:54:00:12:34:56 around those given") {
  NetBench b({.netdev = {quiet}, .net = {"nic,macaddr=52:54:00:12:34:57", "nic"}, .facts = three_cards});
  REQUIRE(b.nets);
  REQUIRE(b.machine.nics.size() == 3);
  CHECK(mac_text(b.machine.nics[0].mac) == "52:54:00:12:34:57");
  CHECK(mac_text(b.machine.nics[1].mac) == "52:54:00:12:34:56");
  CHECK(mac_text(b.machine.nics[2].mac) == "52:54:00:12:34:58");
  CHECK(b.machine.nics[1].model == "b");
  CHECK(b.machine.nics[1].id == "b.0");
}

TEST_CASE("nets: -nic none leaves the soldered card without a cable") {
  NetBench b({.nic = {"none"}});
  REQUIRE(b.nets);
  CHECK_FALSE(b.machine.nics.at(0).link_up);
  CHECK(b.nets->info_network() == "pcnet.0: index=0,type=nic,model=pcnet,macaddr=52:54:00:12:34:56\n");
  CHECK(b.nets->add_forward("", "tcp::1-:2") == "user mode network stack not in use\n");
}

TEST_CASE("nets: a card at a netdev, by name") {
  NetBench b({.netdev = {quiet}, .net = {"nic,netdev=h,name=eth"}});
  REQUIRE(b.nets);
  CHECK(b.machine.nics.at(0).link_up);
  CHECK(b.nets->info_network() == "hub 5\n \\ h: eth: index=0,type=nic,model=pcnet,macaddr=52:54:00:12:34:56\n");
}

TEST_CASE("nets: cards with no place are refused") {
  CHECK(refused({.net = {"nic", "nic"}}) == "-net: this board has 1 network card, and no place for another");
  CHECK(refused({.net = {"nic,model=e1000"}}) == "-net: model=e1000: this board knows no such card, but pcnet");
  CHECK(refused({.net = {"nic"}, .facts = {}}) ==
        "-net: this board has no network card and no place for one; use -nic none");
  CHECK(refused({.net = {"nic,netdev=zz"}}) == "-net: there is no netdev 'zz'; make it with -netdev");
  CHECK(refused({.netdev = {quiet}, .net = {"nic,netdev=h", "nic,netdev=h"}, .facts = two_cards}) ==
        "-net: netdev 'h' is in use by a.0; join several with -netdev hubport");
  CHECK(refused({.netdev = {quiet, quiet}}) == "-netdev: id=h is given twice");
}

TEST_CASE("nets: a board that takes cards gets what the soldered ones do not cover") {
  NetBench b({.net = {"nic", "nic,model=e1000"}, .facts = {{"pcnet"}, {"rtl8139", "e1000"}}});
  REQUIRE(b.nets);
  REQUIRE(b.nets->to_plug().size() == 1);
  CHECK(b.nets->to_plug()[0].model == "e1000");
  CHECK(b.nets->to_plug()[0].id == "e1000.0");
  CHECK(b.nets->to_plug()[0].port == &b.machine.nics[1]);
}

TEST_CASE("nets: -device finds its netdev once") {
  NetBench b({.netdev = {quiet}});
  REQUIRE(b.nets);
  const auto port = b.nets->plug("h", "e1000", "net7", core::MacAddress{2, 0, 0, 0, 0, 1});
  REQUIRE(port);
  CHECK((*port)->link_up);
  CHECK((*port)->id == "net7");
  CHECK((*port)->mac[5] == 1);
  CHECK(b.nets->plug("h", "e1000", "", {}).error().text ==
        "netdev 'h' is in use by net7; join several with -netdev hubport");
  CHECK(b.nets->plug("n", "e1000", "", {}).error().text == "there is no netdev 'n'; make it with -netdev");
  CHECK((*b.nets->plug("", "e1000", "", {}))->id == "e1000.0");
}

TEST_CASE("nets: a hub carries a frame to all ports but the one it came from") {
  NetBench b({.net = {"nic", "nic", "nic"}, .facts = three_cards});
  REQUIRE(b.nets);
  b.send(frame_of(60, 1), 1);
  CHECK(b.receive(0) == frame_of(60, 1));
  CHECK(b.receive(2) == frame_of(60, 1));
  CHECK(b.machine.nics[1].to_guest.empty());
  CHECK(b.nets->info_network() ==
        "hub 0\n"
        " \\ hub0port0: a.0: index=0,type=nic,model=a,macaddr=52:54:00:12:34:56\n"
        " \\ hub0port1: b.0: index=0,type=nic,model=b,macaddr=52:54:00:12:34:57\n"
        " \\ hub0port2: c.0: index=0,type=nic,model=c,macaddr=52:54:00:12:34:58\n");
}

TEST_CASE("nets: the device is told once of frames that wait, and of the link") {
  NetBench b({.net = {"nic", "nic"}, .facts = two_cards});
  REQUIRE(b.nets);
  b.machine.completions.run();
  int told = 0;
  b.machine.nics[1].arrived = [&] { ++told; };
  for (int i = 0; i < 3; ++i) b.send(frame_of(60, u8(i)), 0);
  b.machine.completions.run();
  CHECK(told == 1);
  b.send(frame_of(60, 9), 0);
  b.machine.completions.run();
  CHECK(told == 2);
  CHECK(b.nets->set_link("b.0", false) == "");
  b.machine.completions.run();
  CHECK(told == 3);
  CHECK_FALSE(b.machine.nics[1].link_up);
}

TEST_CASE("nets: set_link stops frames both ways; a back end takes its card along") {
  NetBench b({.netdev = {"hubport,id=h1,hubid=1", "hubport,id=h2,hubid=1"},
              .net = {"nic,netdev=h1", "nic,netdev=h2"},
              .facts = two_cards});
  REQUIRE(b.nets);
  CHECK(b.nets->set_link("h1", false) == "");
  CHECK_FALSE(b.machine.nics[0].link_up);
  CHECK(b.machine.nics[1].link_up);
  b.send(frame_of(60, 1), 1);
  b.send(frame_of(60, 1), 0);
  CHECK(b.machine.nics[0].to_guest.empty());
  CHECK(b.machine.nics[1].to_guest.empty());
  CHECK(b.nets->set_link("h1", true) == "");
  CHECK(b.machine.nics[0].link_up);
  b.send(frame_of(60, 1), 1);
  CHECK(b.receive(0).size() == 60);
  CHECK(b.nets->set_link("foo", true) == "Error: Device 'foo' not found\n");
  CHECK(b.nets->add_forward("zz", "tcp::1-:2") == "unrecognized netdev id 'zz'\n");
}

TEST_CASE("nets: a guest that takes nothing loses frames beyond its queue") {
  NetBench b({.net = {"nic", "nic"}, .facts = two_cards});
  REQUIRE(b.nets);
  for (std::size_t i = 0; i < core::FrameQueue::max_frames + 10; ++i) b.send(frame_of(60, u8(i)), 0);
  Bytes f;
  std::size_t n = 0;
  while (b.machine.nics[1].receive(f)) ++n;
  CHECK(n == core::FrameQueue::max_frames);
}
