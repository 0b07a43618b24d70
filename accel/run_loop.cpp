#include "accel/run_loop.hpp"

#include "accel/softmmu.hpp"

#include "core/log.hpp"

#include <chrono>
#include <future>
#include <sys/timerfd.h>
#include <unistd.h>

namespace core {
void RunControl::call(const std::function<void()>& work) {
  // Work that is dropped takes the promise with it, which ends the wait too.
  auto done = std::make_shared<std::promise<void>>();
  const std::future<void> ended = done->get_future();
  post([&work, done = std::move(done)] {
    work();
    done->set_value();
  });
  ended.wait();
}
}  // namespace core

namespace accel {
using core::StopReason;

RunLoop::RunLoop(MachineBase& machine, VcpuHeader& vcpu, Engine& engine, const tcg::FrontEnd& front, const BoardCalls& calls)
    : machine_(machine), vcpu_(vcpu), engine_(engine), front_(front), calls_(calls),
      alarm_fd_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
  machine.request = &vcpu.exit_request;
  machine.wake = wake;
  machine.wake_context = this;
}
RunLoop::~RunLoop() {
  machine_.wake = nullptr;
  machine_.request = nullptr;
  if (alarm_fd_ >= 0) close(alarm_fd_);
}

void RunLoop::wake(void* self) {
  auto& loop = *static_cast<RunLoop*>(self);
  if (!loop.sleeping_.load()) return;
  std::lock_guard hold(loop.lock_);
  loop.wake_pending_ = true;
  loop.awake_.notify_one();
}

void RunLoop::alarm() {
  u64 expirations;
  [[maybe_unused]] const auto n = read(alarm_fd_, &expirations, sizeof expirations);
  machine_.raise(request_timer);
}

void RunLoop::post(std::function<void()> work) {
  {
    std::lock_guard hold(lock_);
    if (ended_) return;
    posted_.push_back(std::move(work));
  }
  machine_.raise(request_kick);
}

void RunLoop::stop() {
  post([this] {
    if (!stopped_) halt_guest(StopReason::paused);
  });
}
void RunLoop::resume() {
  post([this] {
    if (!stopped_) return;
    for (const auto& r : resumers_) r();
    over_breakpoint_ = true;
    machine_.clock->resume();
    alarm_at_ = never;  // while virtual time stood still it rang too early
    stopped_ = false;
  });
}
void RunLoop::step() {
  post([this] {
    if (!stopped_) return;
    machine_.clock->resume();
    engine_.step();  // no interrupts and no timers between a debugger's steps
    halt_guest(StopReason::step);
  });
}

void RunLoop::reset() {
  post([this] { no_reboot ? machine_.request_system_reset() : do_reset(); });
}

void RunLoop::halt_guest(StopReason reason) {
  machine_.clock->pause();
  stopped_ = true;
  for (const auto& l : listeners_) l(reason);
}

void RunLoop::do_reset() {
  for (u64& d : machine_.timers.deadlines()) d = never;
  machine_.timers.refresh();
  calls_.reset(calls_.board);
  flush_tlb(vcpu_);
}

// Nobody will run what is posted from now on.
void RunLoop::drop_posted() {
  std::deque<std::function<void()>> dropped;  // destroyed without the lock
  std::lock_guard hold(lock_);
  ended_ = true;
  dropped.swap(posted_);
}

void RunLoop::do_posted() {
  for (;;) {
    std::function<void()> work;
    {
      std::lock_guard hold(lock_);
      if (posted_.empty()) return;
      work = std::move(posted_.front());
      posted_.pop_front();
    }
    work();
  }
}

// Timers re-armed for the past while we are here wait for the next round, so that a guest cannot keep us in.
void RunLoop::expire_timers() {
  const Doing what(vcpu_, Activity::device);
  const u64 now = machine_.now();
  for (int id, budget = 64; budget-- && (id = machine_.timers.take_due(now)) >= 0;) calls_.expire(calls_.board, unsigned(id));
  // What they armed is seen before guest code runs; the request would keep a guest with a fast timer from running.
  vcpu_.exit_request.fetch_and(~u32(request_timer));
}

// The alarm may ring early, never late: it is moved only to an earlier deadline or after it rang.
void RunLoop::set_alarm() {
  const u64 next = machine_.timers.next();
  const u64 now = machine_.now();
  if (alarm_at_ <= now) alarm_at_ = never;
  if (next >= alarm_at_) return;
  alarm_at_ = next;
  const u64 delay = next > now ? next - now : 1;
  const itimerspec when{{}, {time_t(delay / 1'000'000'000), long(delay % 1'000'000'000)}};
  timerfd_settime(alarm_fd_, 0, &when, nullptr);
}

// Until that virtual time, or until somebody wants something.
void RunLoop::wait(u64 until) {
  std::unique_lock hold(lock_);
  sleeping_ = true;
  const auto ready = [&] { return wake_pending_ || vcpu_.exit_request.load() || !posted_.empty(); };
  const u64 now = machine_.now();
  const auto asleep_since = std::chrono::steady_clock::now();
  if (until == never) awake_.wait(hold, ready);
  else if (until > now) awake_.wait_for(hold, std::chrono::nanoseconds(std::min<u64>(until - now, 3'600'000'000'000)), ready);
  asleep_ns_ += u64(std::chrono::nanoseconds(std::chrono::steady_clock::now() - asleep_since).count());
  wake_pending_ = false;
  sleeping_ = false;
}

// A guest that asks a device until the answer changes needs no processor until then.  That it does nothing else is not
// guessed: one more round of its loop is run and watched.  If all ended as it began (registers, flags, memory; devices
// were asked only what they answer the same until a time they know), every further round is the same round.  A loop that
// counts its rounds or reads a clock is not, and runs on.  False: nothing was slept.
bool RunLoop::sleep_out_poll() {
  constexpr unsigned longest_round = 200;     // instructions
  constexpr u64 early = 200'000, least = 500'000;  // ns: what waking up takes at most, mostly; what is worth a sleep
  core::PollWatch& polls = machine_.polls;
  const auto end = [&](u64 until) { return std::min(until == never ? never : until - early, machine_.timers.next()); };
  if (polls.until() < early || end(polls.until()) < machine_.now() + least) return false;
  polls.begin_round();
  const bool same = engine_.run_round(longest_round);
  const u64 until = same ? polls.end_round() : 0;
  until ? polls.look_soon() : polls.look_later();
  if (until < early) return false;
  wait(end(until));
  return true;
}

void RunLoop::run_guest() {
  front_.deliver_interrupt(vcpu_);
  if (vcpu_.halted && !front_.wakes(vcpu_)) return wait(machine_.timers.next());
  vcpu_.halted = 0;
  if (std::exchange(over_breakpoint_, false)) engine_.step();
  if (std::exchange(polling_, false) && sleep_out_poll()) return;
  set_alarm();
  if (engine_.run() == Engine::Stop::breakpoint) halt_guest(StopReason::breakpoint);
}

int RunLoop::run() {
  const int status = run_until_end();
  drop_posted();
  return status;
}

int RunLoop::run_until_end() {
  do_reset();
  if (start_stopped) halt_guest(StopReason::paused);
  for (;;) {
    const u32 request = vcpu_.exit_request.exchange(0, std::memory_order_acq_rel);
    if (request & request_shutdown) return machine_.exit_status;
    if (request & request_reset) {
      if (no_reboot) return 0;
      do_reset();
    }
    if (request & request_flush) engine_.flush_code();
    if (request & request_poll) polling_ = true;
    if (request & request_kick) {
      const Doing what(vcpu_, Activity::device);
      do_posted();
      calls_.service(calls_.board);
    }
    if (stopped_) {
      wait(never);
      continue;
    }
    const bool due = machine_.timers.next() <= machine_.now();
    if (due) expire_timers();
    // Nothing has happened since the guest was seen to wait by doing nothing: it is as good as halted.
    if (request == request_spin && !due) wait(machine_.timers.next());
    else run_guest();
  }
}
}  // namespace accel
