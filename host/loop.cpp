#include "host/loop.hpp"

#include "core/log.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <csignal>
#include <map>
#include <thread>

namespace asio = boost::asio;
using Descriptor = asio::posix::stream_descriptor;

namespace host {
struct Loop::Impl {
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard{io.get_executor()};
  std::thread thread;
  int event = -1;
  std::unique_ptr<Descriptor> event_descriptor;  // owns `event`
  Id next_id = 1;
  std::map<Id, std::function<void()>> listeners;
  std::map<Id, std::unique_ptr<asio::steady_timer>> timers;

  void wait_for_wake() {
    event_descriptor->async_wait(Descriptor::wait_read, [this](const boost::system::error_code& e) {
      if (!e) woken();
    });
  }
  void woken() {
    core::u64 count = 0;
    [[maybe_unused]] const auto n = ::read(event, &count, sizeof count);
    // A listener may remove itself or another one.
    for (auto i = listeners.begin(); i != listeners.end();) {
      const Id id = i->first;
      const auto listener = i->second;
      listener();
      i = listeners.upper_bound(id);
    }
    wait_for_wake();
  }
  void fired(Id id, const std::function<void()>& work) {
    if (timers.erase(id)) work();
  }
};

Loop::Loop() : impl_(std::make_shared<Impl>()) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader that went away is an error of write(), not the end of the machine
  impl_->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  core::check(impl_->event >= 0);
  impl_->event_descriptor = std::make_unique<Descriptor>(impl_->io, impl_->event);
  impl_->wait_for_wake();
}

Loop::~Loop() {
  stop();
  join();
}

void Loop::start() {
  impl_->io.restart();
  impl_->thread = std::thread([this] { impl_->io.run(); });
}
void Loop::stop() { impl_->io.stop(); }
void Loop::join() {
  if (impl_->thread.joinable()) impl_->thread.join();
}
bool Loop::on_thread() const { return impl_->thread.get_id() == std::this_thread::get_id(); }

void Loop::post(std::function<void()> work) { asio::post(impl_->io, std::move(work)); }

void Loop::wake() noexcept {
  const core::u64 one = 1;
  [[maybe_unused]] const auto n = ::write(impl_->event, &one, sizeof one);
}

Loop::Id Loop::on_wake(std::function<void()> listener) {
  impl_->listeners.emplace(impl_->next_id, std::move(listener));
  return impl_->next_id++;
}
void Loop::remove_wake(Id listener) { impl_->listeners.erase(listener); }

Loop::Id Loop::after(std::chrono::nanoseconds delay, std::function<void()> work) {
  const Id id = impl_->next_id++;
  auto& timer = impl_->timers[id] = std::make_unique<asio::steady_timer>(impl_->io, delay);
  timer->async_wait([impl = impl_.get(), id, work = std::move(work)](const boost::system::error_code& e) {
    if (!e) impl->fired(id, work);
  });
  return id;
}
void Loop::cancel(Id timer) { impl_->timers.erase(timer); }

void Loop::run_pending() {
  impl_->io.restart();
  impl_->io.poll();
}

// Handlers hold the state alive; `closed` tells them that the watch is gone.
struct FdWatch::State : std::enable_shared_from_this<FdWatch::State> {
  struct Side {
    Descriptor::wait_type type;
    std::function<void()> handler;
    bool wanted = false, waiting = false;
  };
  State(asio::io_context& context, int fd) : io(context), descriptor(context) {
    struct stat s {};
    always_ready = fstat(fd, &s) != 0 || S_ISREG(s.st_mode) || S_ISDIR(s.st_mode);
    boost::system::error_code e;
    if (!always_ready) descriptor.assign(fd, e);
  }
  void want(Side& side, bool on) {
    side.wanted = on;
    if (!on || side.waiting || closed) return;
    side.waiting = true;
    auto done = [self = shared_from_this(), &side](const boost::system::error_code& e) { self->ready(side, e); };
    if (always_ready)
      asio::post(io, [done] { done({}); });
    else
      descriptor.async_wait(side.type, done);
  }
  void ready(Side& side, const boost::system::error_code& e) {
    side.waiting = false;
    if (closed || e == asio::error::operation_aborted || !side.wanted) return;
    if (e)
      always_ready = true;  // the kernel cannot poll it: /dev/null and the like never block
    else
      side.handler();
    if (side.wanted) want(side, true);
  }

  asio::io_context& io;
  Descriptor descriptor;
  Side read{Descriptor::wait_read, {}}, write{Descriptor::wait_write, {}};
  bool always_ready = false, closed = false;
};

FdWatch::FdWatch(Loop& loop, int fd, std::function<void()> readable, std::function<void()> writable)
    : state_(std::make_shared<State>(loop.impl_->io, fd)) {
  state_->read.handler = std::move(readable);
  state_->write.handler = std::move(writable);
}

FdWatch::~FdWatch() {
  state_->closed = true;
  boost::system::error_code e;
  if (state_->descriptor.is_open()) {
    state_->descriptor.cancel(e);
    state_->descriptor.release();
  }
}

void FdWatch::want_read(bool on) { state_->want(state_->read, on); }
void FdWatch::want_write(bool on) { state_->want(state_->write, on); }
}  // namespace host
