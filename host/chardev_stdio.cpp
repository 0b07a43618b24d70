// Standard input and output as a back end, and the pseudo terminal.

#include "host/chardev_fd.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace host {
using core::Error, core::Kind, core::u8;

namespace {
// The terminal as found and as we use it.  Signal handlers read these.
termios found, ours;
std::atomic<bool> terminal_changed{false};
bool stdio_taken = false;
int flags_found[2] = {-1, -1};  // of descriptors 0 and 1, where we had to change them

void on_end_signal(int number) {
  restore_terminal();
  std::signal(number, SIG_DFL);
  raise(number);
}
void on_stop_signal(int) {
  if (terminal_changed.load()) tcsetattr(0, TCSANOW, &found);
  raise(SIGSTOP);
}
void on_continue_signal(int) {
  if (terminal_changed.load()) tcsetattr(0, TCSANOW, &ours);
}
// Leaves a handler somebody else installed alone.
void handle(int number, void (*handler)(int)) {
  struct sigaction old {};
  if (sigaction(number, nullptr, &old) != 0 || old.sa_handler != SIG_DFL) return;
  struct sigaction mine {};
  mine.sa_handler = handler;
  mine.sa_flags = SA_RESTART;
  sigaction(number, &mine, nullptr);
}

// `found` keeps OPOST: text of the emulator itself still gets its carriage returns.
void make_terminal_raw(bool signal) {
  if (tcgetattr(0, &found) != 0) return;
  ours = found;
  ours.c_iflag &= ~tcflag_t(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
  ours.c_lflag &= ~tcflag_t(ECHO | ECHONL | ICANON | IEXTEN);
  if (!signal) ours.c_lflag &= ~tcflag_t(ISIG);
  ours.c_cflag = (ours.c_cflag & ~tcflag_t(CSIZE | PARENB)) | CS8;
  ours.c_cc[VMIN] = 1;
  ours.c_cc[VTIME] = 0;
  static const bool once = (std::atexit(restore_terminal), true);
  (void)once;
  for (int s : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGABRT}) handle(s, on_end_signal);
  handle(SIGTSTP, on_stop_signal);
  handle(SIGCONT, on_continue_signal);
  terminal_changed = true;
  tcsetattr(0, TCSANOW, &ours);
}

// A descriptor of our own that does not block: O_NONBLOCK on the inherited one would reach the shell.
Fd own_descriptor(int fd, int mode) {
  struct stat s {};
  if (fstat(fd, &s) != 0) return Fd();
  if (S_ISCHR(s.st_mode) || S_ISFIFO(s.st_mode))
    if (const int n = open(fmt::format("/proc/self/fd/{}", fd).c_str(), mode | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        n >= 0)
      return Fd(n);
  const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (copy >= 0 && S_ISSOCK(s.st_mode)) {
    flags_found[fd] = fcntl(fd, F_GETFL);
    fcntl(copy, F_SETFL, flags_found[fd] | O_NONBLOCK);
    static const bool once = (std::atexit(restore_terminal), true);
    (void)once;
  }
  return Fd(copy);
}

class StdioStream final : public FdStream {
 public:
  StdioStream(Loop& loop, Fd in, Fd out, bool person)
      : FdStream(loop, std::move(in), std::move(out)), person_(person) {}
  ~StdioStream() override {
    restore_terminal();
    stdio_taken = false;
  }
  bool terminal() const override { return person_; }
  // The end of standard input is not the end of the machine: scripts feed it a file.
  void input_ended() override { read_input(false); }

 private:
  bool person_;
};

// The master of a pseudo terminal.  While nobody has the slave open, output goes nowhere: a full line
// buffer would stop the guest.
class PtyStream final : public FdStream {
 public:
  PtyStream(Loop& loop, Fd master) : FdStream(loop) {
    master_ = master.get();
    open_fds(std::move(master), Fd(), true);
  }
  ~PtyStream() override { loop_.cancel(timer_); }
  bool connected() const override { return connected_; }
  bool terminal() const override { return true; }
  void attach(Reader* reader) override {
    FdStream::attach(reader);
    poll_peer();
  }
  std::size_t write(std::span<const u8> bytes) override {
    if (!connected_) poll_peer();
    return connected_ ? FdStream::write(bytes) : bytes.size();
  }

 protected:
  void input_ended() override { set_connected(false); }
  void output_ended() override { set_connected(false); }

 private:
  void poll_peer() {
    pollfd p{master_, POLLIN, 0};
    poll(&p, 1, 0);
    set_connected(!(p.revents & POLLHUP));
  }
  void set_connected(bool now) {
    const bool changed = now != connected_;
    connected_ = now;
    read_input(now);
    loop_.cancel(timer_);
    timer_ = now ? 0 : loop_.after(std::chrono::milliseconds(100), [this] { poll_peer(); });
    if (changed && reader_) reader_->event(now ? Event::opened : Event::closed);
    if (changed && now && reader_) reader_->writable();
  }
  int master_ = -1;
  bool connected_ = false;
  Loop::Id timer_ = 0;
};
}  // namespace

void restore_terminal() noexcept {
  if (terminal_changed.exchange(false)) tcsetattr(0, TCSANOW, &found);
  for (int fd = 0; fd < 2; ++fd)
    if (flags_found[fd] >= 0) fcntl(fd, F_SETFL, flags_found[fd]), flags_found[fd] = -1;
}

core::Result<std::unique_ptr<Chardev>> open_stdio(Loop& loop, bool signal) {
  if (stdio_taken) return Error{Kind::usage, "standard input is already used; share it with 'mon:stdio'"};
  stdio_taken = true;
  const bool person = isatty(0);
  Fd in = own_descriptor(0, O_RDONLY), out = own_descriptor(1, O_WRONLY);
  if (person) make_terminal_raw(signal);
  return std::unique_ptr<Chardev>(std::make_unique<StdioStream>(loop, std::move(in), std::move(out), person));
}

core::Result<std::unique_ptr<Chardev>> open_pty(Loop& loop, std::string_view label) {
  Fd master(posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  char name[128];
  if (!master || grantpt(master.get()) != 0 || unlockpt(master.get()) != 0 ||
      ptsname_r(master.get(), name, sizeof name) != 0)
    return Error{Kind::io, fmt::format("cannot make a pseudo terminal: {}", system_error(errno))};
  if (Fd slave(open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)); slave) {
    termios t{};
    if (tcgetattr(slave.get(), &t) == 0) {
      cfmakeraw(&t);
      tcsetattr(slave.get(), TCSANOW, &t);
    }
  }
  std::printf("char device redirected to %s (label %.*s)\n", name, int(label.size()), label.data());
  std::fflush(stdout);
  return std::unique_ptr<Chardev>(std::make_unique<PtyStream>(loop, std::move(master)));
}
}  // namespace host
