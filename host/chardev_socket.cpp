// TCP, telnet and Unix-domain sockets as back ends.  A server serves one client at a time and waits
// for the next one when it leaves.

#include "host/chardev_fd.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

namespace host {
using core::Error, core::Kind, core::u8;

namespace {
// RFC 854 commands and the options a character-at-a-time line needs (RFC 856, 857, 858).
constexpr u8 iac = 255, telnet_do = 253, telnet_will = 251, sb = 250, se = 240, telnet_break = 243;
constexpr u8 opt_binary = 0, opt_echo = 1, opt_suppress_go_ahead = 3;

std::string where(const ChardevSpec& spec) {
  if (spec.kind == ChardevSpec::Kind::unix_socket) return fmt::format("'{}'", spec.path);
  return fmt::format("port {} on {}", spec.port, spec.address);
}

void prepare(int fd, const ChardevSpec& spec) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  const int on = 1;
  if (spec.kind == ChardevSpec::Kind::tcp && spec.nodelay) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

class SocketStream final : public FdStream {
 public:
  SocketStream(Loop& loop, const ChardevSpec& spec, Fd listener, Fd connection)
      : FdStream(loop), spec_(spec), listener_(std::move(listener)) {
    if (listener_)
      watch_ = std::make_unique<FdWatch>(
          loop, listener_.get(), [this] { accept_one(); }, [] {});
    if (connection)
      adopt(std::move(connection));
    else
      watch_->want_read(true);
  }
  ~SocketStream() override {
    watch_.reset();
    if (listener_ && spec_.kind == ChardevSpec::Kind::unix_socket) unlink(spec_.path.c_str());
  }
  bool connected() const override { return is_open(); }
  bool terminal() const override { return true; }

  std::size_t write(std::span<const u8> bytes) override {
    if (!spec_.telnet || !is_open()) return FdStream::write(bytes);
    if (!send_quoted()) return 0;
    for (u8 c : bytes) quoted_.insert(quoted_.end(), c == iac ? 2 : 1, c);
    send_quoted();
    return bytes.size();
  }

 protected:
  void input_ended() override {
    close_fds();
    if (reader_) reader_->event(Event::closed);
    if (watch_) watch_->want_read(true);
    // A reader that waits for room must hear that bytes now go nowhere.
    if (reader_) reader_->writable();
  }
  void output_ended() override {}  // reading will find the end too

  void filter_input(std::vector<u8>& bytes) override {
    if (!spec_.telnet) return;
    std::erase_if(bytes, [this](u8 c) { return !telnet_data(c); });
  }

 private:
  void adopt(Fd connection) {
    prepare(connection.get(), spec_);
    if (watch_) watch_->want_read(false);
    quoted_.clear();
    telnet_state_ = 0;
    open_fds(std::move(connection), Fd(), true);
    if (spec_.telnet)
      quoted_ = {iac, telnet_will, opt_echo,   iac, telnet_will, opt_suppress_go_ahead,
                 iac, telnet_will, opt_binary, iac, telnet_do,   opt_binary};
    send_quoted();
    if (reader_) reader_->event(Event::opened);
  }
  void accept_one() {
    Fd connection(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (connection) adopt(std::move(connection));
  }
  bool send_quoted() {
    const std::size_t n = quoted_.empty() ? 0 : FdStream::write(quoted_);
    quoted_.erase(quoted_.begin(), quoted_.begin() + std::ptrdiff_t(std::min(n, quoted_.size())));
    return quoted_.empty();
  }
  // False for bytes that belong to telnet itself.
  bool telnet_data(u8 c) {
    switch (telnet_state_) {
      case 0:
        if (c == iac) telnet_state_ = iac;
        return c != iac;
      case iac:
        telnet_state_ = c == sb || (c > sb && c < iac) ? c : 0;
        if (c == telnet_break && reader_) reader_->event(Event::line_break);
        return c == iac;
      case sb:
        if (c == iac) telnet_state_ = se;
        return false;
      case se:  // IAC inside a subnegotiation
        telnet_state_ = c == se ? 0 : sb;
        return false;
      default:  // the option of WILL, WONT, DO, DONT: we already said what we want
        telnet_state_ = 0;
        return false;
    }
  }

  ChardevSpec spec_;
  Fd listener_;
  std::unique_ptr<FdWatch> watch_;
  u8 telnet_state_ = 0;
  std::vector<u8> quoted_;
};

Error refusal(const ChardevSpec& spec, int error) {
  if (error == EADDRINUSE) return {Kind::io, fmt::format("{} is already in use", where(spec))};
  return {Kind::io,
          fmt::format("cannot {} {}: {}", spec.server ? "listen on" : "connect to", where(spec), system_error(error))};
}

// Binds and listens, or connects, by the spec.
int use_address(const ChardevSpec& spec, int fd, const sockaddr* a, socklen_t size) {
  if (!spec.server) return connect(fd, a, size);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  return bind(fd, a, size) != 0 ? -1 : listen(fd, 1);
}

core::Result<Fd> tcp_socket(const ChardevSpec& spec) {
  addrinfo hints{}, *list = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = spec.server ? AI_PASSIVE : 0;
  if (const int e = getaddrinfo(spec.address.c_str(), spec.port.c_str(), &hints, &list); e != 0)
    return Error{Kind::usage, fmt::format("cannot find {}: {}", where(spec), gai_strerror(e))};
  int error = 0;
  Fd fd;
  for (const addrinfo* a = list; a && !fd; a = a->ai_next) {
    fd.reset(socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol));
    if (fd && use_address(spec, fd.get(), a->ai_addr, a->ai_addrlen) == 0) break;
    error = errno;
    fd.reset();
  }
  freeaddrinfo(list);
  if (!fd) return refusal(spec, error);
  return fd;
}

core::Result<Fd> unix_domain_socket(const ChardevSpec& spec) {
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  if (spec.path.size() >= sizeof a.sun_path)
    return Error{Kind::usage, fmt::format("'{}' is too long for a socket's name, which takes {} characters", spec.path,
                                          sizeof a.sun_path - 1)};
  std::memcpy(a.sun_path, spec.path.data(), spec.path.size());
  // Only a stale socket is replaced, never somebody's file.
  struct stat s {};
  if (spec.server && lstat(spec.path.c_str(), &s) == 0 && S_ISSOCK(s.st_mode)) {
    Fd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (connect(probe.get(), reinterpret_cast<sockaddr*>(&a), sizeof a) != 0 && errno == ECONNREFUSED)
      unlink(spec.path.c_str());
  }
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd || use_address(spec, fd.get(), reinterpret_cast<sockaddr*>(&a), sizeof a) != 0) return refusal(spec, errno);
  return fd;
}
}  // namespace

core::Result<std::unique_ptr<Chardev>> open_socket(Loop& loop, const ChardevSpec& spec) {
  const bool tcp = spec.kind == ChardevSpec::Kind::tcp;
  Fd fd = TRY(tcp ? tcp_socket(spec) : unix_domain_socket(spec));
  if (!spec.server) return std::unique_ptr<Chardev>(std::make_unique<SocketStream>(loop, spec, Fd(), std::move(fd)));
  Fd client;
  if (spec.wait) {
    std::fprintf(stderr, "waiting for a connection to %s\n", where(spec).c_str());
    while (!client) {
      client.reset(accept4(fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client && errno != EINTR && errno != ECONNABORTED) return refusal(spec, errno);
    }
  }
  fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
  return std::unique_ptr<Chardev>(std::make_unique<SocketStream>(loop, spec, std::move(fd), std::move(client)));
}
}  // namespace host
