// Back ends by name, and the ones that are only a path.

#include "host/chardev.hpp"

#include "host/chardev_fd.hpp"
#include "host/keyvalue.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>

namespace host {
using core::Error, core::Kind, core::u8;
using Spec = ChardevSpec;

namespace {
// `host:port`, `[v6]:port` or `:port`; without a host it is this machine only.
core::Status split_address(std::string_view text, Spec& spec) {
  const auto colon = text.rfind(':');
  if (colon == text.npos || colon + 1 == text.size())
    return Error{Kind::usage, fmt::format("'{}' has no port; write HOST:PORT", text)};
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  spec.address = host.empty() ? "127.0.0.1" : std::string(host);
  spec.port = text.substr(colon + 1);
  const auto number = parse_number(spec.port);
  if (number && *number > 65535)
    return Error{Kind::usage, fmt::format("port {} does not exist; the last one is 65535", spec.port)};
  return {};
}

core::Status socket_flags(const KeyValues& kv, Spec& spec, bool server) {
  spec.server = TRY(kv.flag("server", server));
  spec.wait = spec.server && TRY(kv.flag("wait", true));
  spec.nodelay = TRY(kv.flag("nodelay", !TRY(kv.flag("delay", true))));
  spec.telnet = TRY(kv.flag("telnet", spec.telnet));
  return {};
}

core::Status parse_network(std::string_view rest, Spec& spec) {
  const bool is_unix = spec.kind == Spec::Kind::unix_socket;
  const auto kv = TRY(KeyValues::parse(rest, is_unix ? "path" : "address"));
  TRY(kv.only({"path", "address", "server", "wait", "nodelay", "delay", "telnet", "reconnect", "ipv4", "ipv6"}));
  if (is_unix)
    spec.path = kv.get("path").value_or("");
  else
    TRY(split_address(kv.get("address").value_or(""), spec));
  if (is_unix && spec.path.empty()) return Error{Kind::usage, "a unix socket needs a path: unix:PATH"};
  return socket_flags(kv, spec, false);
}

struct Prefix {
  std::string_view text;
  Spec::Kind kind;
  std::string_view after;
};
constexpr Prefix prefixes[] = {{"file:", Spec::Kind::file, "PATH"},        {"pipe:", Spec::Kind::pipe, "PATH"},
                               {"tcp:", Spec::Kind::tcp, "HOST:PORT"},     {"telnet:", Spec::Kind::tcp, "HOST:PORT"},
                               {"unix:", Spec::Kind::unix_socket, "PATH"}, {"chardev:", Spec::Kind::reference, "ID"}};

// `file:` or `file` alone.
const Prefix* lone_prefix(std::string_view text) {
  for (const Prefix& p : prefixes)
    if (text == p.text || text == p.text.substr(0, p.text.size() - 1)) return &p;
  return nullptr;
}

core::Result<Spec> parse_prefixed(const Prefix& p, std::string_view rest, Spec spec) {
  spec.kind = p.kind;
  spec.telnet = p.text == "telnet:";
  if (p.kind == Spec::Kind::tcp || p.kind == Spec::Kind::unix_socket)
    TRY(parse_network(rest, spec));
  else if (p.kind == Spec::Kind::reference)
    spec.id = rest;
  else
    spec.path = rest;
  return spec;
}
}  // namespace

core::Result<Spec> parse_serial_spec(std::string_view text) {
  const std::string whole(text);
  Spec spec;
  spec.text = whole;
  if (text.starts_with("mon:")) {
    spec.mux = true;
    spec.signal = false;  // Ctrl-C belongs to the guest; Ctrl-A x ends
    text.remove_prefix(4);
  }
  if (const Prefix* p = lone_prefix(text))
    return Error{Kind::usage, fmt::format("'{}' needs {} after it: {}{}", text,
                                          p->kind == Spec::Kind::tcp ? "an address" : "a name", p->text, p->after)};
  for (const Prefix& p : prefixes)
    if (text.starts_with(p.text)) return parse_prefixed(p, text.substr(p.text.size()), std::move(spec)).context(whole);
  const std::string_view word = text.substr(0, text.find_first_of(":,"));
  if (word == "null")
    spec.kind = Spec::Kind::null;
  else if (word == "none")
    spec.kind = Spec::Kind::none;
  else if (word == "vc")
    spec.kind = Spec::Kind::vc;
  else if (word == "pty")
    spec.kind = Spec::Kind::pty;
  else if (word == "stdio") {
    spec.kind = Spec::Kind::stdio;
    const auto kv = TRY(KeyValues::parse(text, "word").context(whole));
    TRY(kv.only({"word", "signal"}).context(whole));
    spec.signal = TRY(kv.flag("signal", spec.signal).context(whole));
  } else if (text.starts_with("/dev/")) {
    spec.kind = Spec::Kind::device;
    spec.path = text;
  } else {
    if (word == "udp")
      return Error{Kind::unsupported, fmt::format("'{}': udp is not built yet; tcp and unix are", whole)};
    std::string way_out = did_you_mean(
        word, {"stdio", "mon", "file", "pipe", "pty", "tcp", "telnet", "unix", "null", "none", "vc"});
    if (way_out.empty()) way_out = "; -help lists them";
    return Error{Kind::usage, fmt::format("'{}' is no place for characters{}", spec.text, way_out)};
  }
  return spec;
}

core::Result<Spec> parse_chardev_option(std::string_view text) {
  const auto kv = TRY(KeyValues::parse(text, "backend"));
  const std::string backend = kv.get("backend").value_or("");
  Spec spec;
  spec.text = text;
  spec.id = kv.get("id").value_or("");
  if (spec.id.empty()) return Error{Kind::usage, fmt::format("'{}' has no id=; -serial chardev:ID needs one", text)};
  spec.path = kv.get("path").value_or("");
  spec.mux = TRY(kv.flag("mux", false));
  spec.signal = TRY(kv.flag("signal", !spec.mux));
  spec.append = TRY(kv.flag("append", false));
  if (backend == "null")
    spec.kind = Spec::Kind::null;
  else if (backend == "vc")
    spec.kind = Spec::Kind::vc;
  else if (backend == "stdio")
    spec.kind = Spec::Kind::stdio;
  else if (backend == "pty")
    spec.kind = Spec::Kind::pty;
  else if (backend == "file")
    spec.kind = Spec::Kind::file;
  else if (backend == "pipe")
    spec.kind = Spec::Kind::pipe;
  else if (backend == "serial" || backend == "tty")
    spec.kind = Spec::Kind::device;
  else if (backend == "socket") {
    spec.kind = spec.path.empty() ? Spec::Kind::tcp : Spec::Kind::unix_socket;
    TRY(socket_flags(kv, spec, false));
    if (spec.path.empty() && !kv.has("port"))
      return Error{Kind::usage, fmt::format("'{}' has neither path= nor port=", text)};
    if (spec.path.empty())
      TRY(split_address(fmt::format("{}:{}", kv.get("host").value_or(""), kv.get("port").value_or("")), spec));
  } else {
    const std::vector<std::string_view> backends = {"null", "vc", "stdio", "pty", "file", "pipe", "serial", "socket"};
    std::string way_out = did_you_mean(backend, backends);
    if (way_out.empty()) way_out = fmt::format("; there are {}", fmt::join(backends, ", "));
    return Error{Kind::usage, fmt::format("there is no character device '{}'{}", backend, way_out)};
  }
  const bool needs_path =
      spec.kind == Spec::Kind::file || spec.kind == Spec::Kind::pipe || spec.kind == Spec::Kind::device;
  if (needs_path && spec.path.empty()) return Error{Kind::usage, fmt::format("'{}' has no path=", text)};
  return spec;
}

namespace {
using Opened = core::Result<std::unique_ptr<Chardev>>;

class NullStream final : public Chardev {
 public:
  std::size_t write(std::span<const u8> bytes) override { return bytes.size(); }
  bool wait_writable(int) override { return true; }
};

Error cannot_open(const std::string& path) {
  return {Kind::io, fmt::format("cannot open '{}': {}", path, system_error(errno))};
}

Opened open_file(Loop& loop, const Spec& s) {
  Fd out(open(s.path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | (s.append ? O_APPEND : O_TRUNC), 0666));
  if (!out) return cannot_open(s.path);
  return std::unique_ptr<Chardev>(std::make_unique<FdStream>(loop, Fd(), std::move(out)));
}

// PATH.in and PATH.out when they are there, as seen by the person outside; else PATH both ways.
Opened open_pipe(Loop& loop, const Spec& s) {
  constexpr int flags = O_RDWR | O_NONBLOCK | O_CLOEXEC;
  Fd in(open((s.path + ".in").c_str(), flags)), out(open((s.path + ".out").c_str(), flags));
  if (in && out) return std::unique_ptr<Chardev>(std::make_unique<FdStream>(loop, std::move(in), std::move(out)));
  in.reset(open(s.path.c_str(), flags));
  out.reset(open(s.path.c_str(), flags));
  if (!in || !out) return cannot_open(s.path);
  return std::unique_ptr<Chardev>(std::make_unique<FdStream>(loop, std::move(in), std::move(out)));
}

class DeviceStream final : public FdStream {
 public:
  DeviceStream(Loop& loop, Fd fd) : FdStream(loop) { open_fds(std::move(fd), Fd(), true); }
};

Opened open_device(Loop& loop, const Spec& s) {
  Fd fd(open(s.path.c_str(), O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd) return cannot_open(s.path);
  termios t{};
  if (tcgetattr(fd.get(), &t) == 0) {
    cfmakeraw(&t);
    tcsetattr(fd.get(), TCSANOW, &t);
  }
  return std::unique_ptr<Chardev>(std::make_unique<DeviceStream>(loop, std::move(fd)));
}

Opened open_by_kind(Loop& loop, const Spec& s, std::string_view label) {
  switch (s.kind) {
    case Spec::Kind::stdio: return open_stdio(loop, s.signal);
    case Spec::Kind::pty: return open_pty(loop, label);
    case Spec::Kind::file: return open_file(loop, s);
    case Spec::Kind::pipe: return open_pipe(loop, s);
    case Spec::Kind::device: return open_device(loop, s);
    case Spec::Kind::tcp:
    case Spec::Kind::unix_socket: return open_socket(loop, s);
    case Spec::Kind::reference: return Error{Kind::usage, fmt::format("there is no -chardev with id={}", s.id)};
    case Spec::Kind::vc:
      std::fprintf(stderr, "%.*s: 'vc' goes nowhere: this build has no screen\n", int(label.size()), label.data());
      break;
    case Spec::Kind::none:
    case Spec::Kind::null: break;
  }
  return std::unique_ptr<Chardev>(std::make_unique<NullStream>());
}
}  // namespace

Opened open_chardev(Loop& loop, const Spec& spec, std::string_view label) {
  return open_by_kind(loop, spec, label).context(std::string(label));
}
}  // namespace host
