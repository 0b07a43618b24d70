#include "host/chardev.hpp"

#include "fake_run.hpp"
#include "host/chardev_setup.hpp"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

using namespace host;
using namespace host::test;
using core::u8;

namespace {
struct Folder {
  Folder() {
    char name[] = "/tmp/chardevXXXXXX";
    path = mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string operator/(const std::string& name) const { return path + "/" + name; }
  std::string path;
};
std::string contents(const std::string& path) {
  std::ostringstream s;
  s << std::ifstream(path).rdbuf();
  return s.str();
}
std::unique_ptr<Chardev> open_text(Loop& loop, const std::string& text) {
  auto c = open_chardev(loop, *parse_serial_spec(text), "serial0");
  if (!c) FAIL(c.error().text);
  return std::move(*c);
}
std::string refusal(Loop& loop, const std::string& text) {
  auto spec = parse_serial_spec(text);
  if (!spec) return spec.error().text;
  auto c = open_chardev(loop, *spec, "serial0");
  return c ? "opened" : c.error().text;
}
// Runs the loop until `done` or two seconds passed.
template <class Done>
bool until(Loop& loop, Done done) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    loop.run_pending();
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  return true;
}
void put(core::CharPort& port, std::string_view text) {
  for (char c : text) port.put(u8(c));
}
std::string take(core::CharPort& port) {
  std::string out;
  for (u8 c; port.to_guest.pop(c);) out += char(c);
  return out;
}
int connect_unix(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  path.copy(a.sun_path, sizeof a.sun_path - 1);
  return connect(fd, reinterpret_cast<sockaddr*>(&a), sizeof a) == 0 ? fd : -1;
}
}  // namespace

TEST_CASE("chardev: file takes the guest's output, and only from now on") {
  Folder f;
  std::ofstream(f / "log") << "old";
  Loop loop;
  core::CharPort port;
  auto c = open_text(loop, "file:" + (f / "log"));
  SerialLink link(loop, *c, port, {});
  put(port, "hello\n");
  loop.run_pending();
  CHECK(contents(f / "log") == "hello\n");
  put(port, "end");
  link.finish();
  CHECK(contents(f / "log") == "hello\nend");
}

TEST_CASE("chardev: a Unix socket serves one client after another") {
  Folder f;
  Loop loop;
  core::CharPort port;
  int notified = 0;
  auto c = open_text(loop, "unix:" + (f / "s") + ",server,nowait");
  SerialLink link(loop, *c, port, [&] { ++notified; });
  put(port, "nobody hears this");
  loop.run_pending();
  for (int round = 0; round < 2; ++round) {
    const int fd = connect_unix(f / "s");
    REQUIRE(fd >= 0);
    REQUIRE(until(loop, [&] { return c->connected(); }));
    put(port, "login: ");
    loop.run_pending();
    char buffer[64] = {};
    CHECK(read(fd, buffer, sizeof buffer) == 7);
    CHECK(std::string(buffer) == "login: ");
    CHECK(::write(fd, "root\n", 5) == 5);
    std::string got;
    CHECK(until(loop, [&] { return (got += take(port)) == "root\n"; }));
    CHECK(notified > 0);
    close(fd);
    REQUIRE(until(loop, [&] { return !c->connected(); }));
  }
}

TEST_CASE("chardev: a guest that reads slowly loses no input, a client that reads slowly loses no output") {
  Folder f;
  Loop loop;
  core::CharPort port;
  auto c = open_text(loop, "unix:" + (f / "s") + ",server=on,wait=off");
  SerialLink link(loop, *c, port, {});
  const int fd = connect_unix(f / "s");
  REQUIRE(until(loop, [&] { return c->connected(); }));
  std::string sent;
  for (int i = 0; sent.size() < 300'000; ++i) sent += std::to_string(i) + " ";
  std::thread typist([&] {
    for (std::size_t at = 0; at < sent.size();)
      at += std::size_t(std::max<ssize_t>(0, ::write(fd, sent.data() + at, sent.size() - at)));
  });
  std::string got;
  const bool all = until(loop, [&] {
    for (u8 b; got.size() < sent.size() && port.to_guest.pop(b);) got += char(b);
    return got.size() == sent.size();
  });
  typist.join();
  CHECK(all);
  CHECK(got == sent);
  // Now the other way: the client does not read until the ring is full.
  std::string printed;
  for (int i = 0; printed.size() < 1'000'000; ++i) printed += std::to_string(i) + "\n";
  std::size_t at = 0;
  std::string read_back;
  fcntl(fd, F_SETFL, O_NONBLOCK);
  for (int i = 0; i < 50; ++i) {
    while (at < printed.size() && port.can_put()) port.put(u8(printed[at++]));
    loop.run_pending();
  }
  CHECK(until(loop, [&] {
    while (at < printed.size() && port.can_put()) port.put(u8(printed[at++]));
    loop.run_pending();
    char buffer[4096];
    if (const ssize_t n = read(fd, buffer, sizeof buffer); n > 0) read_back.append(buffer, std::size_t(n));
    return read_back.size() == printed.size();
  }));
  CHECK(read_back == printed);
  close(fd);
}

TEST_CASE("chardev: between threads nothing is lost and nobody sleeps through a character") {
  Folder f;
  Loop loop;
  core::CharPort port;
  auto c = open_text(loop, "file:" + (f / "log"));
  auto link = std::make_unique<SerialLink>(loop, *c, port, [] {});
  loop.start();
  std::string want;
  for (int i = 0; i < 20'000; ++i) {
    const u8 b = u8('a' + i % 26);
    want += char(b);
    while (!port.can_put()) std::this_thread::yield();
    port.put(b);
    if (i % 500 == 0) std::this_thread::sleep_for(std::chrono::microseconds(300));
  }
  for (int i = 0; i < 2000 && contents(f / "log").size() < want.size(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  CHECK(contents(f / "log") == want);
  loop.stop();
  loop.join();
}

TEST_CASE("chardev: pipe, pty and telnet") {
  Folder f;
  Loop loop;
  core::CharPort port;
  SUBCASE("a pair of pipes") {
    mkfifo((f / "p.in").c_str(), 0600);
    mkfifo((f / "p.out").c_str(), 0600);
    auto c = open_text(loop, "pipe:" + (f / "p"));
    SerialLink link(loop, *c, port, {});
    const int in = open((f / "p.in").c_str(), O_WRONLY), out = open((f / "p.out").c_str(), O_RDONLY | O_NONBLOCK);
    CHECK(::write(in, "x", 1) == 1);
    CHECK(until(loop, [&] { return take(port) == "x"; }));
    put(port, "y");
    loop.run_pending();
    char b = 0;
    CHECK(read(out, &b, 1) == 1);
    CHECK(b == 'y');
    close(in);
    close(out);
  }
  SUBCASE("telnet says what it does, and data passes with 255 doubled") {
    auto spec = parse_serial_spec("telnet:127.0.0.1:0,server,nowait");
    REQUIRE(spec);
    CHECK(spec->telnet);
    spec->kind = ChardevSpec::Kind::unix_socket;
    spec->path = f / "t";
    auto c = open_chardev(loop, *spec, "serial0");
    REQUIRE(c);
    SerialLink link(loop, **c, port, {});
    const int fd = connect_unix(f / "t");
    REQUIRE(until(loop, [&] { return (*c)->connected(); }));
    char b[64];
    CHECK(read(fd, b, 12) == 12);
    CHECK(b[0] == char(255));
    CHECK(::write(fd,
                  "a\xff\xfd\x03"
                  "b\xff\xff\xff\xfa\x18\x01\xff\xf0"
                  "c\xff\xf3",
                  16) == 16);
    std::string got;
    CHECK(until(loop, [&] {
      return (got += take(port)) ==
             "ab\xff"
             "c";
    }));
    CHECK(port.break_pending.load());
    put(port, "\xff!");
    loop.run_pending();
    CHECK(read(fd, b, sizeof b) == 3);
    CHECK(std::string(b, 3) == "\xff\xff!");
    close(fd);
  }
}

TEST_CASE("chardev: refusals are one sentence") {
  Folder f;
  Loop loop;
  CHECK(refusal(loop, "file:/nonexistent/log") == "serial0: cannot open '/nonexistent/log': no such file or directory");
  CHECK(refusal(loop, "unix:/nonexistent/s") ==
        "serial0: cannot connect to '/nonexistent/s': no such file or directory");
  CHECK(refusal(loop, "/dev/no-such-tty") == "serial0: cannot open '/dev/no-such-tty': no such file or directory");
  CHECK(refusal(loop, "udp:1234") == "'udp:1234': udp is not built yet; tcp and unix are");
  CHECK(refusal(loop, "file:") == "'file:' needs a name after it: file:PATH");
  CHECK(refusal(loop, "tcp::99999,server") == "tcp::99999,server: port 99999 does not exist; the last one is 65535");
  CHECK(refusal(loop, "tcp::4444,severs") ==
        "tcp::4444,severs: there is no property 'severs' (did you mean 'server'?)");
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof a;
  REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&a), size) == 0);
  REQUIRE(listen(fd, 1) == 0);
  getsockname(fd, reinterpret_cast<sockaddr*>(&a), &size);
  const std::string port = std::to_string(ntohs(a.sin_port));
  CHECK(refusal(loop, "tcp::" + port + ",server=on,wait=off") ==
        "serial0: port " + port + " on 127.0.0.1 is already in use");
  close(fd);
  CHECK(refusal(loop, "tcp:127.0.0.1:" + port) ==
        "serial0: cannot connect to port " + port + " on 127.0.0.1: connection refused");
  const int busy = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un u{};
  u.sun_family = AF_UNIX;
  (f / "busy").copy(u.sun_path, sizeof u.sun_path - 1);
  REQUIRE(bind(busy, reinterpret_cast<sockaddr*>(&u), sizeof u) == 0);
  REQUIRE(listen(busy, 1) == 0);
  CHECK(refusal(loop, "unix:" + (f / "busy") + ",server,nowait") ==
        "serial0: '" + (f / "busy") + "' is already in use");
  close(busy);
  CHECK(refusal(loop, "unix:" + (f / "busy") + ",server,nowait") == "opened");
}

TEST_CASE("mux: Ctrl-A shares one stream between serial port and monitor") {
  Loop loop;
  core::CharPort port;
  auto under = std::make_unique<FakeChardev>();
  FakeChardev& wire = *under;
  int quits = 0;
  Mux mux(std::move(under), [&] { ++quits; });
  Chardev& serial = mux.add_channel();
  Chardev& monitor = mux.add_channel();
  SerialLink link(loop, serial, port, {});
  MonitorContext context;
  FakeRun run;
  context.run = &run;
  context.version = "0.1";
  Monitor hmp(context);
  MonitorSession session(monitor, hmp, true);
  mux.start();
  wire.type("ls\x01\x01\r");
  CHECK(take(port) == "ls\x01\r");
  wire.type(
      "\x01"
      "c");
  CHECK(wire.take() == "\r\nPinstrap 0.1 monitor - type 'help' for more information\r\n(qemu) ");
  wire.type("stop\r");
  CHECK(run.stops == 1);
  CHECK(take(port).empty());
  wire.type(
      "\x01"
      "cx");
  CHECK(take(port) == "x");
  wire.take();
  wire.type(
      "\x01"
      "b");
  CHECK(port.break_pending.load());
  wire.type("\x01h");
  CHECK(wire.take().find("C-a x    end the emulator") != std::string::npos);
  wire.type("\x01x");
  CHECK(quits == 1);
  CHECK(wire.take() == "\r\npinstrap: ended by C-a x\r\n");
  put(port, "out");
  loop.run_pending();
  CHECK(wire.take() == "out");
}

TEST_CASE("mux: a guest that does not read cannot block Ctrl-A x, and gets everything later") {
  Loop loop;
  core::CharPort port;
  auto under = std::make_unique<FakeChardev>();
  FakeChardev& wire = *under;
  int quits = 0;
  Mux mux(std::move(under), [&] { ++quits; });
  SerialLink link(loop, mux.add_channel(), port, {});
  mux.start();
  const std::string typed(20'000, 'k');
  CHECK(wire.type(typed) == typed.size());
  wire.type("\x01x");
  CHECK(quits == 1);
  std::string got;
  CHECK(until(loop, [&] { return (got += take(port)).size() == typed.size(); }));
}

TEST_CASE("consoles: defaults and numbers of ports") {
  Options o;
  o.nographic = true;
  CHECK(plan_consoles(o).serial == std::vector<std::string>{"mon:stdio"});
  o.serial = {"null"};
  CHECK(plan_consoles(o).monitor == std::vector<std::string>{"stdio"});
  o.nodefaults = true;
  CHECK(plan_consoles(o).monitor.empty());
  Options q;
  q.display = DisplayKind::none;
  CHECK(plan_consoles(q).serial.empty());
  q.serial = {"null", "null", "null"};
  Loop loop;
  FakeRun run;
  FakeTarget target;
  std::array<core::CharPort, 2> ports;
  auto c = Consoles::create(q, loop, run, target, ports, {}, {});
  REQUIRE_FALSE(c);
  CHECK(c.error().text == "-serial: this board has 2 serial ports, 'null' is one too many");
  q.serial = {"chardev:a"};
  CHECK(Consoles::create(q, loop, run, target, ports, {}, {}).error().text ==
        "'chardev:a': there is no -chardev with id=a");
  q.chardev = {"null,id=a,mux=on"};
  q.monitor = {"chardev:a"};
  CHECK(Consoles::create(q, loop, run, target, ports, {}, {}));
}

TEST_CASE("loop: posts in order, timers, wake") {
  Loop loop;
  std::string order;
  loop.post([&] { order += 'a'; });
  loop.post([&] { order += 'b'; });
  const auto cancelled = loop.after(std::chrono::milliseconds(1), [&] { order += 'x'; });
  loop.after(std::chrono::milliseconds(5), [&] { order += 'c'; });
  loop.cancel(cancelled);
  int wakes = 0;
  loop.on_wake([&] { ++wakes; });
  CHECK(until(loop, [&] { return order.size() == 3; }));
  CHECK(order == "abc");
  loop.wake();
  loop.wake();
  CHECK(until(loop, [&] { return wakes > 0; }));
  CHECK(wakes == 1);
}
