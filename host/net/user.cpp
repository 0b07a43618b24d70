// The user network: libslirp turns the guest's frames into the host's sockets.
//
// libslirp wants to be asked before each wait which descriptors matter and for how long, as for poll().  Its
// descriptors sit in an epoll of their own, which is one descriptor to the event loop.

#include "host/net/backends.hpp"

#include "core/log.hpp"

#include <fmt/format.h>

#include <slirp/libslirp.h>

#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>
#include <map>
#include <unordered_map>

namespace host {
using core::Error, core::Kind, core::Result, core::s64, core::u8;

namespace {
in_addr raw(u32 address) { return {htonl(address)}; }
in6_addr raw(const Ipv6& address) {
  in6_addr out{};
  std::memcpy(&out, address.data(), address.size());
  return out;
}
const char* or_null(const std::string& s) { return s.empty() ? nullptr : s.c_str(); }

class Slirper final : public UserNet {
 public:
  Slirper(Loop& loop, const UserSpec& spec) : loop_(loop), spec_(spec) {}
  ~Slirper() override {
    unplug();
    *alive_ = false;
    watch_.reset();
    if (deadline_) loop_.cancel(deadline_);
    if (slirp_) slirp_cleanup(slirp_);
    while (!timers_.empty()) free_timer(timers_.begin()->first);
  }

  core::Status open() {
    struct stat s {};
    if (!spec_.tftp.empty() && (stat(spec_.tftp.c_str(), &s) != 0 || !S_ISDIR(s.st_mode)))
      return Error{Kind::usage, fmt::format("tftp='{}' is no folder", spec_.tftp)};
    epoll_ = Fd(epoll_create1(EPOLL_CLOEXEC));
    if (!epoll_) return Error{Kind::io, fmt::format("cannot wait for sockets: {}", system_error(errno))};
    make();
    if (!slirp_) return Error{Kind::usage, "libslirp refuses these settings"};
    for (const HostForward& f : spec_.hostfwd) TRY(add_forward(f));
    for (const GuestForward& g : spec_.guestfwd) {
      in_addr address = raw(g.address);
      if (slirp_add_exec(slirp_, g.command.c_str(), &address, g.port) < 0)
        return Error{Kind::usage, fmt::format("guestfwd= to {}:{} is given twice", ipv4_text(g.address), g.port)};
    }
    watch_ = std::make_unique<FdWatch>(
        loop_, epoll_.get(), [this] { ready(); }, nullptr);
    watch_->want_read(true);
    refresh();
    return {};
  }

  void take(std::span<const u8> frame) override {
    slirp_input(slirp_, frame.data(), int(frame.size()));
    refresh_soon();
  }
  std::string info() const override {
    return fmt::format("type=user,net={},restrict={}", ipv4_text(spec_.network), spec_.restricted ? "on" : "off");
  }

  core::Status add_forward(const HostForward& f) override {
    errno = 0;
    if (slirp_add_hostfwd(slirp_, f.udp, raw(f.host_address), f.host_port, raw(f.guest_address), f.guest_port) < 0)
      return Error{Kind::io,
                   fmt::format("could not set up host forwarding rule '{}:{}:{}-{}:{}': {}", f.udp ? "udp" : "tcp",
                               f.host_address ? ipv4_text(f.host_address) : "", f.host_port,
                               f.guest_address ? ipv4_text(f.guest_address) : "", f.guest_port, system_error(errno))};
    refresh_soon();
    return {};
  }
  bool remove_forward(const HostForward& f) override {
    const bool done = slirp_remove_hostfwd(slirp_, f.udp, raw(f.host_address), f.host_port) == 0;
    refresh_soon();
    return done;
  }
  std::string connections() const override {
    char* text = slirp_connection_info(slirp_);
    std::string out = text ? text : "";
    std::free(text);  // GLib's g_free is free() since 2.46
    return out;
  }

 private:
  struct Timer {
    SlirpTimerCb run;
    void* context;
    Loop::Id id = 0;
  };

  void make() {
    std::vector<const char*> search;
    for (const std::string& s : spec_.dnssearch) search.push_back(s.c_str());
    search.push_back(nullptr);
    SlirpConfig c{};
    c.version = 1;
    c.restricted = spec_.restricted;
    c.in_enabled = spec_.ipv4;
    c.vnetwork = raw(spec_.network);
    c.vnetmask = raw(spec_.mask);
    c.vhost = raw(spec_.host);
    c.in6_enabled = spec_.ipv6;
    c.vprefix_addr6 = raw(spec_.prefix6);
    c.vprefix_len = u8(spec_.prefix6_length);
    c.vhost6 = raw(spec_.host6);
    c.vhostname = or_null(spec_.hostname);
    c.tftp_server_name = or_null(spec_.tftp_server_name);
    c.tftp_path = or_null(spec_.tftp);
    c.bootfile = or_null(spec_.bootfile);
    c.vdhcp_start = raw(spec_.dhcp_start);
    c.vnameserver = raw(spec_.dns);
    c.vnameserver6 = raw(spec_.dns6);
    c.vdnssearch = spec_.dnssearch.empty() ? nullptr : search.data();
    c.vdomainname = or_null(spec_.domainname);
    static const SlirpCb calls = callbacks();
    slirp_ = slirp_new(&c, &calls, this);
  }

  // Called by libslirp, always from inside one of our calls into it.
  static Slirper& self(void* p) { return *static_cast<Slirper*>(p); }
  static SlirpCb callbacks() {
    SlirpCb c{};
    c.send_packet = [](const void* frame, size_t size, void* p) {
      self(p).transmit({static_cast<const u8*>(frame), size});
      return ssize_t(size);
    };
    c.guest_error = [](const char* text, void* p) {
      if (core::log_on(core::Log::guest_errors)) core::log_text(fmt::format("{}: {}\n", self(p).name, text));
    };
    c.clock_get_ns = [](void*) { return int64_t(now_ns()); };
    c.timer_new = [](SlirpTimerCb run, void* context, void* p) -> void* { return self(p).new_timer(run, context); };
    c.timer_free = [](void* timer, void* p) { self(p).free_timer(static_cast<Timer*>(timer)); };
    c.timer_mod = [](void* timer, int64_t at_ms, void* p) { self(p).arm(*static_cast<Timer*>(timer), at_ms); };
    c.register_poll_fd = [](int fd, void* p) { self(p).forget(fd); };
    c.unregister_poll_fd = [](int fd, void* p) { self(p).forget(fd); };
    c.notify = [](void* p) { self(p).refresh_soon(); };
    return c;
  }
  static s64 now_ns() {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return s64(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
  }

  Timer* new_timer(SlirpTimerCb run, void* context) {
    auto t = std::make_unique<Timer>(Timer{run, context});
    Timer* key = t.get();
    timers_.emplace(key, std::move(t));
    return key;
  }
  void free_timer(Timer* t) {
    if (t->id) loop_.cancel(t->id);
    timers_.erase(t);
  }
  void arm(Timer& t, s64 at_ms) {
    if (t.id) loop_.cancel(t.id);
    const s64 delay = at_ms * 1'000'000 - now_ns();
    t.id = loop_.after(std::chrono::nanoseconds(delay > 0 ? delay : 0), [this, &t] {
      t.id = 0;
      t.run(t.context);
      refresh();
    });
  }

  // Descriptors.
  struct Entry {
    int fd;
    u32 wanted, seen;  // SLIRP_POLL_… bits
  };
  static constexpr std::pair<int, u32> events[] = {{SLIRP_POLL_IN, EPOLLIN},
                                                   {SLIRP_POLL_OUT, EPOLLOUT},
                                                   {SLIRP_POLL_PRI, EPOLLPRI},
                                                   {SLIRP_POLL_ERR, EPOLLERR},
                                                   {SLIRP_POLL_HUP, EPOLLHUP}};
  // The kernel drops a closed descriptor from the epoll by itself; its number may come back as another socket.
  void forget(int fd) {
    if (watched_.erase(fd)) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  }

  // Many frames may ask; the loop asks libslirp once.
  void refresh_soon() {
    if (refresh_asked_) return;
    refresh_asked_ = true;
    loop_.post([this, alive = alive_] {
      if (*alive) refresh();
    });
  }
  void refresh() {
    refresh_asked_ = false;
    entries_.clear();
    uint32_t timeout_ms = UINT32_MAX;
    slirp_pollfds_fill(
        slirp_, &timeout_ms,
        [](int fd, int wanted, void* p) {
          self(p).entries_.push_back({fd, u32(wanted), 0});
          return int(self(p).entries_.size()) - 1;
        },
        this);
    watch_entries();
    if (deadline_) loop_.cancel(deadline_);
    deadline_ = 0;
    if (timeout_ms == UINT32_MAX) return;
    deadline_ = loop_.after(std::chrono::milliseconds(timeout_ms), [this] {
      deadline_ = 0;
      serve();
    });
  }
  void watch_entries() {
    std::unordered_map<int, u32> next;
    for (const Entry& e : entries_) {
      u32 mask = 0;
      for (const auto& [ours, kernel] : events)
        if (e.wanted & u32(ours)) mask |= kernel;
      next[e.fd] |= mask;
    }
    for (const auto& [fd, mask] : watched_)
      if (!next.count(fd)) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    for (const auto& [fd, mask] : next) {
      const auto before = watched_.find(fd);
      if (before != watched_.end() && before->second == mask) continue;
      epoll_event e{};
      e.events = mask;
      e.data.fd = fd;
      if (epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &e) != 0) epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &e);
    }
    watched_ = std::move(next);
  }
  void ready() {
    epoll_event found[64];
    const int n = epoll_wait(epoll_.get(), found, 64, 0);
    for (Entry& e : entries_)
      for (int i = 0; i < n; ++i)
        if (found[i].data.fd == e.fd)
          for (const auto& [ours, kernel] : events)
            if (found[i].events & kernel) e.seen |= u32(ours);
    serve();
  }
  void serve() {
    slirp_pollfds_poll(
        slirp_, 0,
        [](int index, void* p) {
          const auto& all = self(p).entries_;
          return std::size_t(index) < all.size() ? int(all[std::size_t(index)].seen) : 0;
        },
        this);
    refresh();
  }

  Loop& loop_;
  UserSpec spec_;
  Slirp* slirp_ = nullptr;
  Fd epoll_;
  std::unique_ptr<FdWatch> watch_;
  std::vector<Entry> entries_;            // of the last refresh, by libslirp's index
  std::unordered_map<int, u32> watched_;  // descriptor → events in the epoll
  std::map<Timer*, std::unique_ptr<Timer>> timers_;
  Loop::Id deadline_ = 0;
  bool refresh_asked_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};
}  // namespace

Result<std::unique_ptr<UserNet>> open_user_net(Loop& loop, const UserSpec& spec) {
  auto net = std::make_unique<Slirper>(loop, spec);
  TRY(net->open());
  return std::unique_ptr<UserNet>(std::move(net));
}
}  // namespace host
