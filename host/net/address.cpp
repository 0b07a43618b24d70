#include "host/net/backends.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <cerrno>
#include <cstring>

namespace host {
using core::Error, core::Kind, core::Result;

std::string address_text(const SocketAddress& a) {
  if (a.kind == SocketAddress::Kind::path) return a.path;
  if (a.kind == SocketAddress::Kind::fd) return fmt::format("fd={}", a.fd);
  return fmt::format("{}:{}", a.host, a.port);
}

Result<RawAddress> raw_address(const SocketAddress& a, bool datagrams) {
  RawAddress out;
  if (a.kind == SocketAddress::Kind::path) {
    sockaddr_un u{};
    u.sun_family = AF_UNIX;
    if (a.path.size() >= sizeof u.sun_path)
      return Error{Kind::usage, fmt::format("'{}' is too long for a socket's name, which takes {} characters", a.path,
                                            sizeof u.sun_path - 1)};
    std::memcpy(u.sun_path, a.path.data(), a.path.size());
    std::memcpy(out.bytes.data(), &u, sizeof u);
    out.size = sizeof u;
    out.family = AF_UNIX;
    return out;
  }
  addrinfo hints{}, *list = nullptr;
  hints.ai_socktype = datagrams ? SOCK_DGRAM : SOCK_STREAM;
  hints.ai_family = datagrams ? AF_INET : AF_UNSPEC;
  hints.ai_flags = AI_PASSIVE;
  if (const int e =
          getaddrinfo(a.host.empty() ? nullptr : a.host.c_str(), a.port.empty() ? "0" : a.port.c_str(), &hints, &list))
    return Error{Kind::usage, fmt::format("cannot find {}: {}", address_text(a), gai_strerror(e))};
  std::memcpy(out.bytes.data(), list->ai_addr, list->ai_addrlen);
  out.size = list->ai_addrlen;
  out.family = list->ai_family;
  freeaddrinfo(list);
  return out;
}

Result<Fd> given_socket(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0)
    return Error{Kind::usage, fmt::format("fd={} is no socket: {}", fd, system_error(errno))};
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  return Fd(fd);
}
bool is_datagram_socket(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM;
}
}  // namespace host
