#include "host/chardev_fd.hpp"

#include <poll.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>

namespace host {
using core::u8;

std::string system_error(int error) {
  std::string text = std::strerror(error);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z' && !(text[1] >= 'A' && text[1] <= 'Z')) text[0] |= 0x20;
  return text;
}

void Fd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

void Chardev::write_all(std::span<const u8> bytes, int patience_ms) {
  while (!bytes.empty()) {
    const std::size_t n = write(bytes);
    bytes = bytes.subspan(n);
    if (!bytes.empty() && n == 0 && !wait_writable(patience_ms)) return;
  }
}

FdStream::FdStream(Loop& loop, Fd in, Fd out) : loop_(loop) { open_fds(std::move(in), std::move(out), false); }
FdStream::~FdStream() { close_fds(); }

void FdStream::open_fds(Fd in, Fd out, bool two_way) {
  close_fds();
  in_ = std::move(in);
  out_ = std::move(out);
  two_way_ = two_way;
  if (in_)
    in_watch_ = std::make_unique<FdWatch>(
        loop_, in_.get(), [this] { readable(); },
        [this] {
          in_watch_->want_write(false);
          if (reader_) reader_->writable();
        });
  if (out_)
    out_watch_ = std::make_unique<FdWatch>(
        loop_, out_.get(), [] {},
        [this] {
          out_watch_->want_write(false);
          if (reader_) reader_->writable();
        });
  watch_input();
}

void FdStream::close_fds() {
  in_watch_.reset();
  out_watch_.reset();
  held_.clear();
  reading_ = true;
  in_.reset();
  out_.reset();
}

void FdStream::attach(Reader* reader) {
  reader_ = reader;
  watch_input();
}

void FdStream::watch_input() {
  if (in_watch_) in_watch_->want_read(reader_ && reading_ && held_.empty());
}

void FdStream::read_input(bool on) {
  reading_ = on;
  watch_input();
}

void FdStream::readable() {
  u8 buffer[16384];
  const ssize_t n = ::read(in_.get(), buffer, sizeof buffer);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) return input_ended();
  held_.assign(buffer, buffer + n);
  filter_input(held_);
  deliver();
}

// The reader may close this stream from inside receive().
void FdStream::deliver() {
  if (!reader_ || held_.empty()) return;
  std::vector<u8> bytes;
  bytes.swap(held_);
  const std::size_t taken = reader_->receive(bytes);
  held_.insert(held_.begin(), bytes.begin() + std::ptrdiff_t(std::min(taken, bytes.size())), bytes.end());
  watch_input();
}

void FdStream::resume_input() { deliver(); }

void FdStream::input_ended() {
  read_input(false);
  if (reader_) reader_->event(Event::closed);
}

void FdStream::output_ended() { out_watch_.reset(), out_.reset(); }

std::size_t FdStream::write(std::span<const u8> bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const int fd = out_fd();
    if (fd < 0) return bytes.size();
    const ssize_t n = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (n >= 0)
      done += std::size_t(n);
    else if (errno == EAGAIN) {
      if (FdWatch* w = write_watch()) w->want_write(true);
      return done;
    } else if (errno != EINTR) {
      output_ended();
      return bytes.size();
    }
  }
  return done;
}

bool FdStream::wait_writable(int milliseconds) {
  pollfd p{out_fd(), POLLOUT, 0};
  return p.fd < 0 || poll(&p, 1, milliseconds) > 0;
}
}  // namespace host
