#pragma once
// Shared by the back ends: a stream on one or two file descriptors.

#include "host/chardev.hpp"

namespace host {
// Closes its descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& o) noexcept : fd_(o.release()) {}
  Fd& operator=(Fd&& o) noexcept {
    reset(o.release());
    return *this;
  }
  ~Fd() { reset(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

class FdStream : public Chardev {
 public:
  // `in` and `out` may be -1 (nothing there) or the same.
  FdStream(Loop& loop, Fd in, Fd out);
  explicit FdStream(Loop& loop) : loop_(loop) {}
  ~FdStream() override;
  void attach(Reader* reader) override;
  std::size_t write(std::span<const core::u8> bytes) override;
  void resume_input() override;
  bool wait_writable(int milliseconds) override;

 protected:
  // Takes over descriptors; `two_way` uses `in` for both directions.
  void open_fds(Fd in, Fd out, bool two_way);
  void close_fds();
  bool is_open() const { return in_ || out_; }
  // Nothing more will come in (end of file or error).  The default keeps the output side.
  virtual void input_ended();
  virtual void output_ended();
  // Reading is on from the start; off, bytes wait in the kernel.
  void read_input(bool on);
  // Changes bytes on their way in (telnet); may drop some.
  virtual void filter_input(std::vector<core::u8>&) {}
  int out_fd() const { return two_way_ ? in_.get() : out_.get(); }
  int in_fd() const { return in_.get(); }

  Loop& loop_;

 private:
  void readable();
  void deliver();
  void watch_input();

  Fd in_, out_;
  bool two_way_ = false, reading_ = true;
  std::unique_ptr<FdWatch> in_watch_, out_watch_;
  FdWatch* write_watch() const { return two_way_ ? in_watch_.get() : out_watch_.get(); }
  std::vector<core::u8> held_;  // read, not yet taken by the reader
};

std::string system_error(int error);
core::Result<std::unique_ptr<Chardev>> open_stdio(Loop& loop, bool signal);
core::Result<std::unique_ptr<Chardev>> open_pty(Loop& loop, std::string_view label);
core::Result<std::unique_ptr<Chardev>> open_socket(Loop& loop, const ChardevSpec& spec);
}  // namespace host
