// One frame per datagram, between two addresses or through a multicast group.

#include "host/net/backends.hpp"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>

namespace host {
using core::Error, core::Kind, core::Result, core::u8;

namespace {
const sockaddr* pointer(const RawAddress& a) { return reinterpret_cast<const sockaddr*>(a.bytes.data()); }

class DgramEnd final : public NetEnd {
 public:
  DgramEnd(Loop& loop, const DgramSpec& spec, std::string_view type) : loop_(loop), spec_(spec), type_(type) {}
  ~DgramEnd() override {
    unplug();
    watch_.reset();
    if (bound_path_) unlink(spec_.local.path.c_str());
  }

  core::Status open() {
    const auto group = parse_ipv4(spec_.remote.host);
    const bool multicast = spec_.remote.kind == SocketAddress::Kind::inet && group && *group >> 28 == 14;
    if (spec_.remote.kind != SocketAddress::Kind::none) remote_ = TRY(raw_address(spec_.remote, true));
    if (spec_.local.kind == SocketAddress::Kind::fd) fd_ = TRY(given_socket(spec_.local.fd));
    else if (multicast) TRY(join());
    else TRY(bind_local());
    watch_ = std::make_unique<FdWatch>(
        loop_, fd_.get(), [this] { readable(); }, nullptr);
    watch_->want_read(true);
    where_ = multicast ? "mcast=" + address_text(spec_.remote)
             : spec_.local.kind == SocketAddress::Kind::fd
                 ? address_text(spec_.local)
                 : fmt::format("{}={}/{}", remote_.family == AF_UNIX ? "unix" : "udp", address_text(spec_.local),
                               address_text(spec_.remote));
    return {};
  }

  void take(std::span<const u8> frame) override {
    if (remote_.size)
      sendto(fd_.get(), frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL, pointer(remote_), remote_.size);
    else send(fd_.get(), frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  std::string info() const override { return fmt::format("type={},{}", type_, where_); }

 private:
  static Error failed(const SocketAddress& a) {
    return {Kind::io, fmt::format("cannot receive at {}: {}", address_text(a), system_error(errno))};
  }
  core::Status bind_local() {
    const RawAddress local = TRY(raw_address(spec_.local, true));
    struct stat s {};
    const bool path = spec_.local.kind == SocketAddress::Kind::path;
    if (path && lstat(spec_.local.path.c_str(), &s) == 0 && S_ISSOCK(s.st_mode)) unlink(spec_.local.path.c_str());
    fd_ = Fd(socket(local.family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int on = 1;
    if (fd_ && !path) setsockopt(fd_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (!fd_ || bind(fd_.get(), pointer(local), local.size) != 0) return failed(spec_.local);
    bound_path_ = path;
    return {};
  }
  // Everybody in the group binds its port, and hears itself too: own frames are told by their sender and dropped.
  core::Status join() {
    sockaddr_in group{};
    std::memcpy(&group, remote_.bytes.data(), sizeof group);
    ip_mreq request{};
    request.imr_multiaddr = group.sin_addr;
    if (spec_.local.kind == SocketAddress::Kind::inet) {
      const auto interface = parse_ipv4(spec_.local.host);
      if (!interface) return Error{Kind::usage, fmt::format("localaddr='{}' is no address", spec_.local.host)};
      request.imr_interface.s_addr = htonl(*interface);
    }
    fd_ = Fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int on = 1;
    const u8 loop = 1;
    if (!fd_ || setsockopt(fd_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd_.get(), pointer(remote_), remote_.size) != 0)
      return failed(spec_.remote);
    setsockopt(fd_.get(), IPPROTO_IP, IP_MULTICAST_LOOP, &loop, sizeof loop);
    if (request.imr_interface.s_addr)
      setsockopt(fd_.get(), IPPROTO_IP, IP_MULTICAST_IF, &request.imr_interface, sizeof request.imr_interface);
    if (setsockopt(fd_.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request) != 0)
      return Error{Kind::io, fmt::format("cannot join the group {}: {}; name an interface's address with localaddr=",
                                         address_text(spec_.remote), system_error(errno))};
    return {};
  }

  void readable() {
    u8 frame[core::largest_ethernet_frame + 1];
    for (unsigned n = 0; n < 256; ++n) {
      const ssize_t size = recv(fd_.get(), frame, sizeof frame, MSG_DONTWAIT);
      if (size < 0) return;  // nothing more, or a refusal of the peer that is not there yet
      transmit({frame, std::size_t(size)});
    }
  }

  Loop& loop_;
  DgramSpec spec_;
  std::string type_, where_;
  RawAddress remote_;
  Fd fd_;
  bool bound_path_ = false;
  std::unique_ptr<FdWatch> watch_;
};
}  // namespace

Result<std::unique_ptr<NetEnd>> open_dgram(Loop& loop, const DgramSpec& spec, std::string_view type) {
  auto end = std::make_unique<DgramEnd>(loop, spec, type);
  TRY(end->open());
  return std::unique_ptr<NetEnd>(std::move(end));
}
}  // namespace host
