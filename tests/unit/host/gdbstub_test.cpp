#include "host/gdbstub/gdbstub.hpp"

#include "fake_run.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace host;
using namespace host::test;

namespace {
struct Session {
  Session() {
    auto c = std::make_unique<FakeChardev>();
    wire = c.get();
    server = std::make_unique<GdbServer>(loop, std::move(c), run, target,
                                         [](std::string_view line) { return "did " + std::string(line) + "\n"; });
    wire->tell(Chardev::Event::opened);
    loop.run_pending();
  }
  // The reply to one packet, without acknowledgement and framing.
  std::string ask(std::string_view packet) {
    wire->take();
    wire->type(frame_packet(packet));
    loop.run_pending();
    const std::string out = wire->take();
    const auto start = out.find('$'), end = out.find('#');
    return start == out.npos ? std::string() : out.substr(start + 1, end - start - 1);
  }
  Loop loop;
  FakeRun run;
  FakeTarget target;
  FakeChardev* wire;
  std::unique_ptr<GdbServer> server;
};
}  // namespace

TEST_CASE("gdb: the guest stops when gdb connects and runs on when it detaches") {
  Session s;
  CHECK_FALSE(s.run.runs);
  CHECK(s.ask("?") == "T05thread:01;");
  s.ask("Z0,1010,4");
  CHECK(s.target.breakpoints.size() == 1);
  CHECK(s.ask("D") == "OK");
  CHECK(s.run.runs);
  CHECK(s.target.breakpoints.empty());
}

TEST_CASE("gdb: acknowledgements end with QStartNoAckMode") {
  Session s;
  s.wire->type("$?#3f");
  CHECK(s.wire->take() == "+$T05thread:01;#07");
  s.wire->type("$g#00");
  CHECK(s.wire->take() == "-");
  s.wire->type("-");
  CHECK(s.wire->take() == "$T05thread:01;#07");
  s.wire->type(frame_packet("QStartNoAckMode"));
  CHECK(s.wire->take() == "+$OK#9a");
  s.wire->type("+$?#3f");
  CHECK(s.wire->take() == "$T05thread:01;#07");
}

TEST_CASE("gdb: registers by gdb's numbers") {
  Session s;
  CHECK(s.ask("g") ==
        "78563412"
        "04100000"
        "d3000000"
        "000000000000f03f");
  CHECK(s.ask("p19") == "d3000000");
  CHECK(s.ask("p2") == "E45");
  CHECK(s.ask("p") == "E22");
  CHECK(s.ask("P0=01000000") == "OK");
  CHECK(s.target.value[0] == 1);
  CHECK(s.ask("P0=0100") == "E22");
  CHECK(s.ask("P0=010000zz") == "E22");
  CHECK(s.ask("G0200000008100000") == "OK");
  CHECK(s.target.value[1] == 0x1008);
  CHECK(s.ask("G02") == "E22");
}

TEST_CASE("gdb: memory, virtual and physical") {
  Session s;
  CHECK(s.ask("M1000,4:01020304") == "OK");
  CHECK(s.ask("m1000,4") == "01020304");
  CHECK(s.ask("m0,4") == "E14");
  CHECK(s.ask("m10fe,4") == "E14");
  CHECK(s.ask("mffffffffffffffff,4") == "E14");
  CHECK(s.ask("m1000,ffffffff") == "E22");
  CHECK(s.ask("m1000,ffffffffffffffff") == "E22");
  CHECK(s.ask("M1000,4:0102") == "E22");
  CHECK(s.ask("X1000,2:ab") == "OK");
  CHECK(s.target.memory[0] == 'a');
  CHECK(s.ask("X1000,ffffffffffffffff:ab") == "E22");
  CHECK(s.ask("X1000,0:") == "OK");
  CHECK(s.ask("Qqemu.PhyMemMode:1") == "OK");
  CHECK(s.ask("qqemu.PhyMemMode") == "1");
  CHECK(s.ask("m0,2") == "6162");
}

TEST_CASE("gdb: go, step, break and Ctrl-C") {
  Session s;
  s.ask("qSupported:multiprocess+;swbreak+");
  CHECK(s.ask("vCont?") == "vCont;c;C;s;S");
  CHECK(s.ask("vCont;s:p1.1;c:p1.-1") == "T05thread:p01.01;");
  CHECK(s.run.steps == 1);
  CHECK(s.ask("Z0,1004,4") == "OK");
  CHECK(s.ask("Z2,1004,4") == "");
  CHECK(s.ask("vCont;c") == "");
  CHECK(s.run.runs);
  s.run.tell(core::StopReason::breakpoint);
  s.loop.run_pending();
  CHECK(s.wire->take().find("T05swbreak:;thread:p01.01;") != std::string::npos);
  s.ask("c");
  s.wire->type("\x03");
  s.loop.run_pending();
  CHECK(s.wire->take().find("T02thread") != std::string::npos);
  CHECK(s.ask("vCont;x") == "E22");
}

TEST_CASE("gdb: description, threads, monitor") {
  Session s;
  CHECK(s.ask("qSupported:xmlRegisters=arm").starts_with("PacketSize=4000;qXfer:features:read+;vContSupported+"));
  const std::string xml = s.ask("qXfer:features:read:target.xml:0,ffb");
  CHECK(xml.starts_with("l<?xml"));
  CHECK(xml.find("<feature name=\"org.gnu.gdb.arm.vfp\">") != std::string::npos);
  CHECK(xml.find("<reg name=\"cpsr\" bitsize=\"32\" type=\"int\" regnum=\"25\"/>") != std::string::npos);
  CHECK(s.ask("qXfer:features:read:target.xml:0,10").starts_with("m"));
  CHECK(s.ask("qXfer:features:read:target.xml:ffffffff,10") == "E22");
  CHECK(s.ask("qXfer:features:read:other.xml:0,10") == "E00");
  CHECK(s.ask("qfThreadInfo") == "m01");
  CHECK(s.ask("qsThreadInfo") == "l");
  CHECK(s.ask("qC") == "QC01");
  CHECK(s.ask("qAttached") == "1");
  CHECK(s.ask("vMustReplyEmpty") == "");
  CHECK(s.ask("qRcmd,68656c70") == "O" + to_hex(std::string_view("did help\n")));
  CHECK(s.ask("qRcmd,6") == "E22");
}

TEST_CASE("gdb: many packets in one read are answered in order") {
  Session s;
  s.ask("QStartNoAckMode");
  std::string in, want;
  for (int i = 0; i < 1000; ++i) {
    in += frame_packet("m1000,4");
    want += frame_packet("00000000");
    in += frame_packet("?");
    want += frame_packet("T05thread:01;");
  }
  s.wire->take();
  s.wire->type(in);
  CHECK(s.wire->take() == want);
}

TEST_CASE("gdb: malformed packets never upset the server") {
  Session s;
  std::mt19937 random(7);
  constexpr std::string_view starts[] = {"m",
                                         "M",
                                         "X",
                                         "G",
                                         "P",
                                         "p",
                                         "Z0,",
                                         "z1,",
                                         "vCont;",
                                         "qXfer:features:read:target.xml:",
                                         "qRcmd,",
                                         "H",
                                         "Qqemu.PhyMemMode:",
                                         "v",
                                         "q",
                                         "Q",
                                         "c",
                                         "S",
                                         ""};
  constexpr std::string_view letters = "0123456789abcdefF,:;=.-+pX";
  for (int i = 0; i < 20'000; ++i) {
    std::string p(starts[random() % std::size(starts)]);
    for (unsigned n = random() % 24; n > 0; --n) p += letters[random() % letters.size()];
    s.wire->type(frame_packet(p));
    s.loop.run_pending();
  }
  CHECK(s.ask("m1000,1").size() == 2);
}

TEST_CASE("gdb: a client that reads slowly loses nothing") {
  Session s;
  s.ask("QStartNoAckMode");
  s.wire->take();
  s.wire->room = 5;
  s.wire->type(frame_packet("g"));
  s.wire->make_room(1000);
  CHECK(s.wire->take() == frame_packet("785634120410"
                                       "0000d3000000000000000000f03f"));
}

TEST_CASE("gdb: a step of a guest that the monitor let run stops it, so that gdb gets its answer") {
  Session s;
  s.run.resume();  // `monitor cont`
  CHECK(s.ask("vCont;s:1") == "T02thread:01;");
  CHECK(s.run.steps == 0);
  CHECK_FALSE(s.run.runs);
}
