// Frames over a stream socket, each behind its length as a 32-bit big-endian number: what QEMU's socket and stream back
// ends speak.

#include "host/net/backends.hpp"

#include "core/log.hpp"

#include <fmt/format.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>

namespace host {
using core::Error, core::Kind, core::Result, core::u32, core::u8;

namespace {
constexpr std::size_t header_size = 4, most_waiting = 4 << 20;  // bytes of frames a slow peer may owe us

const sockaddr* pointer(const RawAddress& a) { return reinterpret_cast<const sockaddr*>(a.bytes.data()); }

class StreamEnd final : public NetEnd {
 public:
  StreamEnd(Loop& loop, StreamSpec spec, std::string_view type) : loop_(loop), spec_(std::move(spec)), type_(type) {}
  ~StreamEnd() override {
    unplug();
    if (retry_) loop_.cancel(retry_);
    watch_.reset();
    listen_watch_.reset();
    if (listener_ && spec_.address.kind == SocketAddress::Kind::path) unlink(spec_.address.path.c_str());
  }

  core::Status open() {
    if (spec_.address.kind == SocketAddress::Kind::fd) return open_given();
    address_ = TRY(raw_address(spec_.address, false));
    if (spec_.server) return listen_there();
    const int error = connect_there(10'000);
    if (error && !spec_.reconnect)
      return Error{Kind::io, fmt::format("cannot connect to {}: {}; start the other side first, or use "
                                         "-netdev stream with reconnect=",
                                         address_text(spec_.address), system_error(error))};
    if (error) retry_later();
    return {};
  }

  void take(std::span<const u8> frame) override {
    if (!fd_ || out_.size() + header_size + frame.size() > most_waiting) return;
    const u8 header[header_size] = {u8(frame.size() >> 24), u8(frame.size() >> 16), u8(frame.size() >> 8),
                                    u8(frame.size())};
    const bool idle = out_.empty();
    out_.insert(out_.end(), header, header + header_size);
    out_.insert(out_.end(), frame.begin(), frame.end());
    if (idle) flush();
  }

  std::string info() const override {
    return fmt::format("type={},{}", type_,
                       fd_         ? "connected to " + where_
                       : listener_ ? "listening on " + where_
                                   : "not connected");
  }

 private:
  core::Status open_given() {
    Fd fd = TRY(given_socket(spec_.address.fd));
    where_ = address_text(spec_.address);
    if (!spec_.server) return adopt(std::move(fd)), core::Status();
    listener_ = std::move(fd);
    await_peer();
    return {};
  }
  core::Status listen_there() {
    const int on = 1;
    remove_stale();
    listener_ = Fd(socket(address_.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (!listener_ || bind(listener_.get(), pointer(address_), address_.size) != 0 || listen(listener_.get(), 1) != 0) {
      const int error = errno;
      listener_.reset();  // so that somebody else's path stays
      return Error{Kind::io, fmt::format("cannot listen on {}: {}", address_text(spec_.address), system_error(error))};
    }
    where_ = address_text(spec_.address);
    await_peer();
    return {};
  }
  // Only a stale socket is replaced, never somebody's file.
  void remove_stale() {
    struct stat s {};
    if (spec_.address.kind != SocketAddress::Kind::path || lstat(spec_.address.path.c_str(), &s) != 0 ||
        !S_ISSOCK(s.st_mode))
      return;
    Fd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (connect(probe.get(), pointer(address_), address_.size) != 0 && errno == ECONNREFUSED)
      unlink(spec_.address.path.c_str());
  }
  void await_peer() {
    listen_watch_ = std::make_unique<FdWatch>(
        loop_, listener_.get(), [this] { accept_peer(); }, nullptr);
    listen_watch_->want_read(true);
  }
  void accept_peer() {
    Fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) return;
    listen_watch_->want_read(false);
    adopt(std::move(fd));
  }

  // Returns an errno, 0 for success.
  int connect_there(int patience_ms) {
    Fd fd(socket(address_.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return errno;
    if (connect(fd.get(), pointer(address_), address_.size) != 0) {
      if (errno != EINPROGRESS) return errno;
      pollfd p{fd.get(), POLLOUT, 0};
      if (poll(&p, 1, patience_ms) != 1) return ETIMEDOUT;
      int error = 0;
      socklen_t size = sizeof error;
      getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
      if (error) return error;
    }
    where_ = address_text(spec_.address);
    adopt(std::move(fd));
    return 0;
  }
  void retry_later() {
    retry_ = loop_.after(std::chrono::seconds(spec_.reconnect), [this] {
      retry_ = 0;
      if (connect_there(100) != 0) retry_later();
    });
  }

  void adopt(Fd fd) {
    const int on = 1;
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fd_ = std::move(fd);
    watch_ = std::make_unique<FdWatch>(
        loop_, fd_.get(), [this] { readable(); }, [this] { flush(); });
    watch_->want_read(true);
  }
  void lose() {
    watch_.reset();
    fd_.reset();
    in_.clear();
    out_.clear();
    if (listen_watch_) listen_watch_->want_read(true);
    else if (spec_.reconnect) retry_later();
  }

  void flush() {
    while (!out_.empty()) {
      const ssize_t n = send(fd_.get(), out_.data(), out_.size(), MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno != EAGAIN) return out_.clear();  // reading will find the end too
      if (n < 0) break;
      out_.erase(out_.begin(), out_.begin() + n);
    }
    if (watch_) watch_->want_write(!out_.empty());
  }

  void readable() {
    u8 buffer[65536];
    const ssize_t n = recv(fd_.get(), buffer, sizeof buffer, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) return lose();
    in_.insert(in_.end(), buffer, buffer + n);
    std::size_t at = 0;
    while (in_.size() - at >= header_size) {
      const std::size_t length = u32(in_[at]) << 24 | u32(in_[at + 1]) << 16 | u32(in_[at + 2]) << 8 | in_[at + 3];
      if (length > most_in_frame) {
        core::log_text(fmt::format("{}: a frame of {} bytes came in; this is no peer of ours, the connection ends\n",
                                   name, length));
        return lose();
      }
      if (in_.size() - at - header_size < length) break;
      transmit(std::span(in_).subspan(at + header_size, length));
      at += header_size + length;
    }
    in_.erase(in_.begin(), in_.begin() + std::ptrdiff_t(at));
  }
  // Larger than any frame that travels: QEMU's own buffer, so that its frames at least keep the stream in step.
  static constexpr std::size_t most_in_frame = 4096 + 65536;

  Loop& loop_;
  StreamSpec spec_;
  std::string type_, where_;
  RawAddress address_;
  Fd listener_, fd_;
  std::unique_ptr<FdWatch> listen_watch_, watch_;
  Loop::Id retry_ = 0;
  std::vector<u8> in_, out_;
};
}  // namespace

Result<std::unique_ptr<NetEnd>> open_stream(Loop& loop, const StreamSpec& spec, std::string_view type) {
  // `socket,fd=` may be either kind.
  if (spec.address.kind == SocketAddress::Kind::fd && type == "socket" && is_datagram_socket(spec.address.fd)) {
    DgramSpec d;
    d.local = spec.address;
    return open_dgram(loop, d, type);
  }
  auto end = std::make_unique<StreamEnd>(loop, spec, type);
  TRY(end->open());
  return std::unique_ptr<NetEnd>(std::move(end));
}
}  // namespace host
