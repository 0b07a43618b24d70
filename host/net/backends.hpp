#pragma once
// Makers of the ends that reach out of the emulator.  Thread: before the loop runs.

#include "core/result.hpp"
#include "host/chardev_fd.hpp"
#include "host/net/end.hpp"
#include "host/net/specs.hpp"

#include <memory>

namespace host {
// A user network, with what the monitor changes in it.
class UserNet : public NetEnd {
 public:
  // Errors: io, when the host's port is taken.
  virtual core::Status add_forward(const HostForward& rule) = 0;
  virtual bool remove_forward(const HostForward& host_side) = 0;
  virtual std::string connections() const = 0;  // a table, for `info usernet`
};
core::Result<std::unique_ptr<UserNet>> open_user_net(Loop& loop, const UserSpec& spec);
core::Result<std::unique_ptr<NetEnd>> open_tap(Loop& loop, const TapSpec& spec);
// `type` is how it was written: "stream" or "socket".
core::Result<std::unique_ptr<NetEnd>> open_stream(Loop& loop, const StreamSpec& spec, std::string_view type);
core::Result<std::unique_ptr<NetEnd>> open_dgram(Loop& loop, const DgramSpec& spec, std::string_view type);

// A socket's address in the kernel's form.
struct RawAddress {
  alignas(8) std::array<unsigned char, 128> bytes{};
  unsigned size = 0;
  int family = 0;
};
// `datagrams`: for SOCK_DGRAM.  Errors: usage, the host is not found or the path too long.
core::Result<RawAddress> raw_address(const SocketAddress& address, bool datagrams);
// 127.0.0.1:5000, a path, or fd=3
std::string address_text(const SocketAddress& address);
// An open socket somebody gave us.  Errors: usage, when it is none.
core::Result<Fd> given_socket(int fd);
bool is_datagram_socket(int fd);
}  // namespace host
