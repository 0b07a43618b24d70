#pragma once
// The event loop: one thread that owns everything the machine shares with the outside — terminals,
// sockets, the monitor, gdb.  The vCPU thread only ever calls wake() and post().

#include "core/base.hpp"

#include <chrono>
#include <functional>
#include <memory>

namespace host {
class Loop {
 public:
  Loop();
  ~Loop();  // stop() and join()
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Starts the thread.  Work posted before waits for it.
  void start();
  // Ends the thread after the handler it is in; join() waits for that.  Thread: any; join() not the loop's.
  void stop();
  void join();
  bool on_thread() const;

  // Runs `work` on the loop thread, in the order posted.  Thread: any.
  void post(std::function<void()> work);

  // Runs every on_wake() listener on the loop thread soon; many calls may become one.
  // Thread: any.  Never blocks and takes no lock.
  void wake() noexcept;
  using Id = core::u64;  // 0 is never given out
  Id on_wake(std::function<void()> listener);
  void remove_wake(Id listener);

  // Runs `work` once, `delay` of host time from now.  Thread: the loop's, or before start().
  Id after(std::chrono::nanoseconds delay, std::function<void()> work);
  void cancel(Id timer);

  // Runs everything that is ready now on the calling thread, for tests and for the last flush.
  // Only while the thread is not running.
  void run_pending();

 private:
  friend class FdWatch;
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// Tells when a file descriptor can be read or written.  Handlers run on the loop thread and are
// level-triggered: called again while the condition holds and is wanted.  Does not own the descriptor;
// destroy the watch before closing it.  Regular files are always ready.
// Thread: the loop's, or while it is not running.
class FdWatch {
 public:
  FdWatch(Loop& loop, int fd, std::function<void()> readable, std::function<void()> writable);
  ~FdWatch();
  FdWatch(const FdWatch&) = delete;
  FdWatch& operator=(const FdWatch&) = delete;
  void want_read(bool on);
  void want_write(bool on);

 private:
  struct State;
  std::shared_ptr<State> state_;
};
}  // namespace host
