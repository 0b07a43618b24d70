// A tap interface of the host's kernel.

#include "host/net/backends.hpp"

#include "core/log.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <cstring>

extern char** environ;

namespace host {
using core::Error, core::Kind, core::Result, core::u8;

namespace {
// Runs `script interface` and waits; its exit status, -1 when it could not be run.
int run_script(const std::string& script, const std::string& interface) {
  char* const arguments[] = {const_cast<char*>(script.c_str()), const_cast<char*>(interface.c_str()), nullptr};
  posix_spawnattr_t attributes;
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t child = 0;
  const int error = posix_spawn(&child, script.c_str(), nullptr, &attributes, arguments, environ);
  posix_spawnattr_destroy(&attributes);
  if (error) return errno = error, -1;
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

class TapEnd final : public NetEnd {
 public:
  TapEnd(Loop& loop, const TapSpec& spec) : loop_(loop), spec_(spec) {}
  ~TapEnd() override {
    unplug();
    watch_.reset();
    if (scripted_ && has(spec_.downscript) && access(spec_.downscript.c_str(), X_OK) == 0)
      run_script(spec_.downscript, interface_);
  }

  core::Status open() {
    if (spec_.fd >= 0) TRY(adopt());
    else TRY(make());
    fcntl(fd_.get(), F_SETFL, fcntl(fd_.get(), F_GETFL) | O_NONBLOCK);
    watch_ = std::make_unique<FdWatch>(
        loop_, fd_.get(), [this] { readable(); }, nullptr);
    watch_->want_read(true);
    return {};
  }

  void take(std::span<const u8> frame) override {
    [[maybe_unused]] const auto n = ::write(fd_.get(), frame.data(), frame.size());  // a full interface loses frames
  }
  std::string info() const override {
    if (spec_.fd >= 0) return fmt::format("type=tap,fd={}", spec_.fd);
    return fmt::format("type=tap,ifname={},script={},downscript={}", interface_,
                       has(spec_.script) ? spec_.script : "no", has(spec_.downscript) ? spec_.downscript : "no");
  }

 private:
  static bool has(const std::string& script) { return !script.empty() && script != "no"; }

  core::Status adopt() {
    ifreq r{};
    if (ioctl(spec_.fd, TUNGETIFF, &r) != 0)
      return Error{Kind::usage, fmt::format("fd={} is no tap interface: {}", spec_.fd, system_error(errno))};
    if (!(r.ifr_flags & IFF_TAP) || !(r.ifr_flags & IFF_NO_PI) || (r.ifr_flags & IFF_VNET_HDR))
      return Error{Kind::usage,
                   fmt::format("fd={}: open it as IFF_TAP with IFF_NO_PI and without IFF_VNET_HDR", spec_.fd)};
    fd_ = Fd(spec_.fd);
    interface_ = r.ifr_name;
    return {};
  }
  core::Status make() {
    fd_ = Fd(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
    if (!fd_)
      return Error{Kind::io,
                   fmt::format("cannot open /dev/net/tun: {}; use -nic user when you may not", system_error(errno))};
    ifreq r{};
    r.ifr_flags = IFF_TAP | IFF_NO_PI;
    std::memcpy(r.ifr_name, spec_.ifname.data(), spec_.ifname.size());
    if (ioctl(fd_.get(), TUNSETIFF, &r) != 0)
      return Error{Kind::io, fmt::format("cannot make the interface '{}': {}; use -nic user when you may not",
                                         spec_.ifname.empty() ? "tap" : spec_.ifname, system_error(errno))};
    interface_ = r.ifr_name;
    if (!has(spec_.script) || (spec_.script_may_be_missing && access(spec_.script.c_str(), X_OK) != 0)) return {};
    if (const int status = run_script(spec_.script, interface_); status != 0)
      return Error{Kind::io, fmt::format("script={} failed {}; script=no leaves it out", spec_.script,
                                         status < 0 ? "to start: " + system_error(errno)
                                                    : fmt::format("with status {}", status))};
    scripted_ = true;
    return {};
  }

  void readable() {
    u8 frame[core::largest_ethernet_frame + 1];
    for (unsigned n = 0; n < 256; ++n) {
      const ssize_t size = ::read(fd_.get(), frame, sizeof frame);
      if (size <= 0) return;
      transmit({frame, std::size_t(size)});
    }
  }

  Loop& loop_;
  TapSpec spec_;
  std::string interface_;
  bool scripted_ = false;
  Fd fd_;
  std::unique_ptr<FdWatch> watch_;
};
}  // namespace

Result<std::unique_ptr<NetEnd>> open_tap(Loop& loop, const TapSpec& spec) {
  auto end = std::make_unique<TapEnd>(loop, spec);
  TRY(end->open());
  return std::unique_ptr<NetEnd>(std::move(end));
}
}  // namespace host
