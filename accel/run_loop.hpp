#pragma once
// The thread that runs the guest: guest code, device timers, interrupts, and what other threads ask for.

#include "accel/engine.hpp"
#include "accel/tcg/front_end.hpp"

#include "core/run_control.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace accel {

// What the loop calls of a board; all on the vCPU thread.
struct BoardCalls {
  void* board;
  void (*expire)(void* board, unsigned timer);  // a timer's deadline passed
  void (*reset)(void* board);                   // power-on state: devices, CPU, loaded images
  void (*service)(void* board);                 // another thread kicked: serial input waits, output drained …
};

class RunLoop final : public core::RunControl {
 public:
  RunLoop(MachineBase& machine, VcpuHeader& vcpu, Engine& engine, const tcg::FrontEnd& front, const BoardCalls& calls);
  ~RunLoop() override;

  // The thread's body: resets the board, runs until shutdown, returns the exit status.
  int run();
  // Set before run().
  bool start_stopped = false;  // -S
  bool no_reboot = false;      // a reset request ends the run with status 0

  // Becomes readable when the next timer may be due; then call alarm().  Any thread may watch it.
  int alarm_fd() const { return alarm_fd_; }
  void alarm();
  // Host time the guest waited for something to do so far.  Thread: the vCPU's.
  u64 asleep_ns() const { return asleep_ns_; }
  // Makes the loop call BoardCalls::service soon.  Thread: any.
  void kick() { machine_.raise(request_kick); }

  void post(std::function<void()> work) override;
  void stop() override;
  void resume() override;
  void step() override;
  bool running() const override { return !stopped_.load(); }
  void reset() override;
  void shutdown(int status) override { machine_.request_shutdown_with(status); }
  void on_stop(std::function<void(core::StopReason)> listener) override { listeners_.push_back(std::move(listener)); }
  void on_resume(std::function<void()> listener) override { resumers_.push_back(std::move(listener)); }

 private:
  void do_reset();
  int run_until_end();
  void do_posted();
  void drop_posted();
  void expire_timers();
  void set_alarm();
  void run_guest();
  void halt_guest(core::StopReason reason);
  bool sleep_out_poll();
  void wait(u64 until);
  static void wake(void* loop);

  MachineBase& machine_;
  VcpuHeader& vcpu_;
  Engine& engine_;
  const tcg::FrontEnd& front_;
  BoardCalls calls_;
  int alarm_fd_;
  u64 alarm_at_ = never;  // virtual time the alarm is set for
  u64 asleep_ns_ = 0;

  std::mutex lock_;
  std::condition_variable awake_;
  bool wake_pending_ = false;  // guarded by lock_
  std::atomic<bool> sleeping_{false};
  std::deque<std::function<void()>> posted_;  // guarded by lock_
  bool ended_ = false;  // run() is over; guarded by lock_
  std::atomic<bool> stopped_{false};
  bool over_breakpoint_ = false;
  bool polling_ = false;  // the guest may be doing nothing but that
  std::vector<std::function<void(core::StopReason)>> listeners_;
  std::vector<std::function<void()>> resumers_;
};
}  // namespace accel
