// The vCPU thread over the toy guest, with an event loop's part (the alarm) played by a thread.

#include "accel/run_loop.hpp"

#include "toy.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <poll.h>
#include <thread>

namespace accel {
namespace {
using core::StopReason;
using namespace std::chrono_literals;

bool eventually(const std::function<bool()>& holds) {
  for (int i = 0; i < 5000; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(1ms);
  }
  return false;
}

constexpr u32 spin = 0x1000, sleep = 0x1100;

struct Bench : toy::Guest {
  core::HostClock clock;
  std::unique_ptr<RunLoop> loop;
  std::future<int> status;
  std::thread alarm;
  std::atomic<bool> done{false};
  std::atomic<unsigned> expired{0}, resets{0}, services{0};
  std::atomic<unsigned> stops[6] = {};
  std::function<void(unsigned)> on_expire;
  u32 start_at = spin;

  explicit Bench(bool interpret = false) {
    with_engine(interpret);
    put(spin, {toy::addi(1, 1, 1), toy::addi(2, 2, 1), toy::jump(-2)});
    put(sleep, {toy::halt(), toy::addi(1, 1, 1), toy::jump(-2)});
    board.clock = &clock;
    board.timers.resize(4);
    const BoardCalls calls{this, [](void* b, unsigned id) {
                             auto& self = *static_cast<Bench*>(b);
                             ++self.expired;
                             if (self.on_expire) self.on_expire(id);
                           },
                           [](void* b) {
                             auto& self = *static_cast<Bench*>(b);
                             ++self.resets;
                             std::fill(std::begin(self.s.r), std::end(self.s.r), 0);
                             self.c.halted = 0;
                             self.front.set_pc(self.c, self.start_at);
                           },
                           [](void* b) { ++static_cast<Bench*>(b)->services; }};
    loop = std::make_unique<RunLoop>(board, c, *engine, front, calls);
    loop->on_stop([this](StopReason r) { ++stops[unsigned(r)]; });
  }
  ~Bench() {
    if (status.valid()) {
      loop->shutdown(0);
      status.wait();
    }
    done = true;
    if (alarm.joinable()) alarm.join();
  }
  void start() {
    status = std::async(std::launch::async, [this] { return loop->run(); });
    alarm = std::thread([this] {
      while (!done) {
        pollfd p{loop->alarm_fd(), POLLIN, 0};
        if (poll(&p, 1, 2) > 0) loop->alarm();
      }
    });
  }
  int finish(int with) {
    loop->shutdown(with);
    return status.get();
  }
  unsigned count(StopReason r) const { return stops[unsigned(r)]; }
  bool stopped_by(StopReason r, unsigned times = 1) {
    return eventually([&] { return count(r) == times; });
  }
  // On the vCPU thread.
  template <class F>
  void at(F f) {
    loop->call(f);
  }
  u32 r(unsigned i) {
    u32 v = 0;
    at([&] { v = s.r[i]; });
    return v;
  }
  void arm(unsigned timer, u64 ns) {
    at([&] { board.arm_timer(timer, ns); });
  }
};
}  // namespace

TEST_CASE("run loop: the guest runs until shutdown, whose status is the result") {
  for (const bool interpret : {false, true}) {
    Bench b(interpret);
    b.start();
    const u32 before = b.r(1);
    CHECK(eventually([&] { return b.r(1) > before; }));
    CHECK(b.loop->running());
    CHECK(b.resets == 1);
    CHECK(b.finish(42) == 42);
  }
}

TEST_CASE("run loop: posted work runs in order, while the guest runs and while it is stopped") {
  Bench b;
  b.start();
  std::vector<int> order;
  b.loop->post([&] { order.push_back(1); });
  b.loop->post([&] { order.push_back(2); });
  b.at([&] { order.push_back(3); });
  CHECK(order == std::vector<int>{1, 2, 3});
  b.loop->stop();
  b.at([&] { order.push_back(4); });
  CHECK(order.back() == 4);
  CHECK_FALSE(b.loop->running());
}

TEST_CASE("run loop: work posted before the loop runs waits for it") {
  Bench b;
  std::atomic<bool> ran{false};
  b.loop->post([&] { ran = true; });
  CHECK_FALSE(ran);
  b.start();
  CHECK(eventually([&] { return ran.load(); }));
}

TEST_CASE("run loop: posted work sees a guest between two instructions") {
  Bench b;
  b.start();
  for (int i = 0; i < 200; ++i) {
    u32 pc = 0, one = 0, two = 0;
    b.at([&] { pc = b.c.pc, one = b.s.r[1], two = b.s.r[2]; });
    REQUIRE(pc >= spin);
    REQUIRE(pc <= spin + 8);
    REQUIRE(one - two == (pc == spin + 4));
  }
}

TEST_CASE("run loop: stop tells once, holds the guest and its clock; resume lets both go on") {
  Bench b;
  b.start();
  b.loop->stop();
  b.loop->stop();
  REQUIRE(b.stopped_by(StopReason::paused));
  const u32 counted = b.r(1);
  const u64 time = b.board.now();
  std::this_thread::sleep_for(5ms);
  CHECK(b.r(1) == counted);
  CHECK(b.board.now() == time);
  CHECK(b.count(StopReason::paused) == 1);
  b.loop->resume();
  CHECK(eventually([&] { return b.r(1) > counted; }));
  CHECK(b.board.now() > time);
  b.loop->resume();
  b.at([] {});
  CHECK(b.loop->running());
}

TEST_CASE("run loop: start_stopped resets the board and waits for resume") {
  Bench b;
  b.loop->start_stopped = true;
  b.start();
  REQUIRE(b.stopped_by(StopReason::paused));
  CHECK(b.resets == 1);
  CHECK(b.r(1) == 0);
  b.loop->resume();
  CHECK(eventually([&] { return b.r(1) > 0; }));
}

TEST_CASE("run loop: step runs one instruction, and nothing while the guest runs") {
  Bench b;
  b.loop->start_stopped = true;
  b.start();
  REQUIRE(b.stopped_by(StopReason::paused));
  for (unsigned n = 1; n <= 3; ++n) {
    b.loop->step();
    REQUIRE(b.stopped_by(StopReason::step, n));
  }
  CHECK(b.r(1) == 1);
  CHECK(b.r(2) == 1);
  b.loop->resume();
  b.loop->step();
  b.at([] {});
  CHECK(b.loop->running());
  CHECK(b.count(StopReason::step) == 3);
}

TEST_CASE("run loop: no timer and no interrupt comes between a debugger's steps") {
  Bench b;
  b.loop->start_stopped = true;
  b.start();
  REQUIRE(b.stopped_by(StopReason::paused));
  b.at([&] { b.board.arm_timer(0, 0), b.board.interrupt_line = true; });
  b.loop->step();
  REQUIRE(b.stopped_by(StopReason::step));
  CHECK(b.expired == 0);
  b.loop->resume();
  CHECK(eventually([&] { return b.expired == 1; }));
  b.at([&] { CHECK(b.board.interrupts_taken == 1); });
}

TEST_CASE("run loop: of a step with a stop right behind it nothing is left for resume") {
  Bench b;
  b.loop->start_stopped = true;
  b.start();
  REQUIRE(b.stopped_by(StopReason::paused));
  b.at([&] {  // both are asked for before the loop looks
    b.loop->step();
    b.loop->stop();
  });
  b.at([] {});
  CHECK_FALSE(b.loop->running());
  CHECK(b.count(StopReason::step) <= 1);
  b.loop->resume();
  const u32 counted = b.r(1);
  CHECK(eventually([&] { return b.r(1) > counted + 10; }));
  CHECK(b.count(StopReason::step) <= 1);
}

TEST_CASE("run loop: a breakpoint stops the guest before its instruction, and resume goes over it") {
  for (const bool interpret : {false, true}) {
    Bench b(interpret);
    b.loop->start_stopped = true;
    b.start();
    b.at([&] { b.engine->set_breakpoint(spin + 4, true); });
    b.loop->resume();
    REQUIRE(b.stopped_by(StopReason::breakpoint));
    CHECK(b.r(1) == 1);
    CHECK(b.r(2) == 0);
    b.loop->resume();
    REQUIRE(b.stopped_by(StopReason::breakpoint, 2));
    CHECK(b.r(1) == 2);
    CHECK(b.r(2) == 1);
    b.at([&] { b.engine->set_breakpoint(spin + 4, false); });
    b.loop->resume();
    CHECK(eventually([&] { return b.r(1) > 100; }));
  }
}

TEST_CASE("run loop: reset disarms all timers and resets the board, running or stopped") {
  Bench b;
  b.start();
  b.arm(1, 1'000'000'000'000);
  b.loop->reset();
  CHECK(eventually([&] { return b.resets == 2; }));
  b.at([&] { CHECK_FALSE(b.board.timers.armed(1)); });
  b.loop->stop();
  b.loop->reset();
  CHECK(eventually([&] { return b.resets == 3; }));
  CHECK_FALSE(b.loop->running());
  CHECK(b.r(1) == 0);
}

TEST_CASE("run loop: with no_reboot a reset ends the run with status 0") {
  Bench b;
  b.loop->no_reboot = true;
  b.start();
  b.at([] {});
  b.loop->reset();
  CHECK(b.status.get() == 0);
  CHECK(b.resets == 1);
}

TEST_CASE("run loop: shutdown ends a stopped and a sleeping guest") {
  for (const u32 start : {spin, sleep}) {
    Bench b;
    b.start_at = start;
    b.loop->start_stopped = start == spin;
    b.start();
    b.at([] {});
    CHECK(b.finish(7) == 7);
  }
}

TEST_CASE("run loop: timers fire while the guest spins and while it sleeps, not before their time") {
  for (const bool interpret : {false, true})
    for (const u32 start : {spin, sleep}) {
      CAPTURE(start);
      Bench b(interpret);
      b.start_at = start;
      std::atomic<u64> fired_at{0};
      b.on_expire = [&](unsigned) { fired_at = b.board.now(); };
      b.start();
      for (unsigned n = 1; n <= 3; ++n) {
        u64 due = 0;
        b.at([&] { due = b.board.now() + 4'000'000, b.board.arm_timer(n, 4'000'000); });
        REQUIRE(eventually([&] { return b.expired == n; }));
        CHECK(fired_at.load() >= due);
      }
    }
}

TEST_CASE("run loop: a timer that comes before the one the alarm is set for still fires") {
  Bench b;
  b.start();
  b.arm(0, 3'600'000'000'000);
  b.arm(1, 3'000'000);
  CHECK(eventually([&] { return b.expired == 1; }));
}

TEST_CASE("run loop: a timer armed before a pause fires after it, in a guest that spins") {
  Bench b;
  b.start();
  b.arm(0, 30'000'000);
  b.loop->stop();
  REQUIRE(b.stopped_by(StopReason::paused));
  std::this_thread::sleep_for(60ms);
  CHECK(b.expired == 0);
  b.loop->resume();
  // Nothing is posted here: that would make the loop look.
  CHECK(eventually([&] { return b.expired == 1; }));
}

TEST_CASE("run loop: a timer re-armed for the past keeps nobody out") {
  Bench b;
  b.on_expire = [&](unsigned id) { b.board.arm_timer(id, 0); };
  b.start();
  b.arm(0, 0);
  CHECK(eventually([&] { return b.expired > 1000; }));
  const u32 counted = b.r(1);
  CHECK(eventually([&] { return b.r(1) > counted; }));
  CHECK(b.finish(3) == 3);
}

TEST_CASE("run loop: an interrupt wakes a sleeping guest, other requests do not") {
  Bench b;
  b.start_at = sleep;
  b.start();
  CHECK(eventually([&] {
    bool halted = false;
    b.at([&] { halted = b.c.halted; });
    return halted;
  }));
  b.loop->kick();
  CHECK(b.r(1) == 0);
  b.at([&] { b.board.interrupt_line = true; });
  b.board.raise(request_interrupt);
  CHECK(eventually([&] { return b.r(1) == 1; }));
  b.at([&] {
    CHECK(b.board.interrupts_taken == 1);
    CHECK(b.c.halted == 1);
  });
}

namespace {
// A guest that asks a device whose answer is 1, and 0 from `changes_at` on; then it halts.
struct Poller : Bench {
  u64 changes_at = never;
  std::atomic<unsigned> asked{0};
  explicit Poller(bool interpret, std::initializer_list<u32> loop) : Bench(interpret) {
    start_at = 0x1200;
    put(0x1200, {toy::movi(2, -0x70), toy::shl(2, 2, 24)});
    put(0x1208, loop);
    board.on_device = [this](u32 at) {
      ++asked;
      const u64 now = board.now();
      board.device_words[at] = now < changes_at;
      if (now < changes_at) board.repeats_until(changes_at);
    };
  }
  bool sleeps() {
    return eventually([&] {
      const unsigned before = asked;
      std::this_thread::sleep_for(20ms);
      return asked && asked == before;
    });
  }
};
}  // namespace

TEST_CASE("run loop: a guest that only polls sleeps until the answer changes, and sees it") {
  for (const bool interpret : {false, true}) {
    Poller b(interpret, {toy::load(1, 2), toy::bnz(1, -1), toy::halt()});
    b.changes_at = b.board.clock->now() + 60'000'000;
    b.start();
    CHECK(eventually([&] {
      bool halted = false;
      b.at([&] { halted = b.c.halted; });
      return halted;
    }));
    b.at([&] { CHECK(b.board.now() >= b.changes_at); });
  }
}

TEST_CASE("run loop: a guest asleep over a poll is there for timers, interrupts and the monitor") {
  Poller b(false, {toy::load(1, 2), toy::bnz(1, -1), toy::halt()});
  b.start();
  REQUIRE(b.sleeps());
  b.arm(1, 1'000'000);
  CHECK(eventually([&] { return b.expired == 1; }));
  REQUIRE(b.sleeps());
  b.board.interrupt_line = true;  // the guest sleeps
  b.board.raise(request_interrupt);
  CHECK(eventually([&] {
    unsigned taken = 0;
    b.at([&] { taken = b.board.interrupts_taken; });
    return taken == 1;
  }));
  REQUIRE(b.sleeps());
  b.loop->stop();
  REQUIRE(b.stopped_by(StopReason::paused));
  b.loop->resume();
  CHECK(eventually([&] { return b.loop->running(); }));
  CHECK(b.sleeps());
  CHECK(b.finish(9) == 9);
}

TEST_CASE("run loop: a guest that waits by doing nothing sleeps, and is there for timers, interrupts, memory and the monitor") {
  for (const bool reads : {false, true}) {
    Bench b;
    b.start_at = 0x1200;
    reads ? b.put(0x1200, {toy::load(1, 2), toy::bnz(1, -1), toy::halt()}) : b.put(0x1200, {toy::jump(0)});
    const u32 flag = 0x3000;
    b.start();
    b.at([&] {
      b.s.r[2] = flag;
      b.poke(flag, 1);
      b.front.set_pc(b.c, b.start_at);
    });
    const auto sleeps = [&] {
      return eventually([&] {
        u64 before = 0, after = 0;
        b.at([&] { before = b.loop->asleep_ns(); });
        std::this_thread::sleep_for(20ms);
        b.at([&] { after = b.loop->asleep_ns(); });
        return after > before + 10'000'000;
      });
    };
    REQUIRE(sleeps());
    b.arm(1, 1'000'000);
    CHECK(eventually([&] { return b.expired == 1; }));
    REQUIRE(sleeps());
    b.board.interrupt_line = true;
    b.board.raise(request_interrupt);
    CHECK(eventually([&] {
      unsigned taken = 0;
      b.at([&] { taken = b.board.interrupts_taken; });
      return taken == 1;
    }));
    b.loop->stop();
    REQUIRE(b.stopped_by(StopReason::paused));
    b.loop->resume();
    if (reads) {
      b.at([&] { b.front.set_pc(b.c, b.start_at); });
      REQUIRE(sleeps());
      b.at([&] { b.poke(flag, 0); });
      CHECK(eventually([&] {
        bool halted = false;
        b.at([&] { halted = b.c.halted; });
        return halted;
      }));
    }
    CHECK(b.finish(9) == 9);
  }
}

TEST_CASE("run loop: a guest that works in a loop is not put to sleep") {
  Bench b;  // counts
  b.start();
  std::this_thread::sleep_for(50ms);
  u64 asleep = 0;
  b.at([&] { asleep = b.loop->asleep_ns(); });
  CHECK(asleep == 0);
}

TEST_CASE("run loop: a guest that counts its polls is not put to sleep") {
  Poller b(false, {toy::load(1, 2), toy::addi(3, 3, 1), toy::bnz(1, -2), toy::halt()});
  b.start();
  for (int n = 0; n < 20; ++n) {
    const unsigned before = b.asked;
    REQUIRE(eventually([&] { return b.asked > before + 2000; }));
  }
}

TEST_CASE("run loop: a kick makes the board look after its ports") {
  for (const u32 start : {spin, sleep}) {
    Bench b;
    b.start_at = start;
    b.start();
    b.at([] {});
    const unsigned before = b.services;
    b.loop->kick();
    CHECK(eventually([&] { return b.services > before; }));
  }
}

TEST_CASE("run loop: a flush request drops the translated code") {
  Bench b;
  b.start();
  b.board.raise(request_flush);
  CHECK(eventually([&] {
    u64 n = 0;
    b.at([&] { n = b.engine->stats().flushes; });
    return n > 0;
  }));
}

TEST_CASE("run loop: call() returns without its work once the loop has ended") {
  auto* b = new Bench;  // stays behind when call() never returns
  b->start();
  b->at([] {});
  REQUIRE(b->finish(5) == 5);
  auto ran = std::make_shared<std::atomic<bool>>(false);
  std::promise<void> returned;
  auto wait = returned.get_future();
  std::thread caller([b, ran, r = std::move(returned)]() mutable {
    b->loop->call([ran] { *ran = true; });
    r.set_value();
  });
  if (wait.wait_for(3s) != std::future_status::ready) {
    caller.detach();
    FAIL("call() waits for ever");
  }
  caller.join();
  CHECK_FALSE(*ran);
  // Posted work goes too, and what it holds with it.
  auto held = std::make_shared<int>();
  b->loop->post([held] {});
  CHECK(held.use_count() == 1);
  delete b;
}

TEST_CASE("run loop: calls that meet the end of the loop all return") {
  for (int round = 0; round < 20; ++round) {
    auto* b = new Bench;
    b->start();
    auto count = std::make_shared<std::atomic<int>>(0);
    std::vector<std::thread> callers;
    for (int t = 0; t < 3; ++t)
      callers.emplace_back([b, count] {
        for (int i = 0; i < 20; ++i) b->loop->call([] {});
        ++*count;
      });
    b->loop->shutdown(0);
    if (!eventually([&] { return *count == 3; })) {
      for (auto& t : callers) t.detach();
      FAIL("a call() waits for ever");
    }
    for (auto& t : callers) t.join();
    delete b;
  }
}
}  // namespace accel
