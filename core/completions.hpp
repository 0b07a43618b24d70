#pragma once
// Work that other threads finished, to be told on the vCPU thread: disk requests done, frames arrived.

#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace core {

class Completions {
 public:
  // Queues `work`.  Thread: any.
  void post(std::function<void()> work) {
    std::function<void()> kick;
    {
      const std::lock_guard hold(lock_);
      waiting_.push_back(std::move(work));
      kick = kick_;
    }
    if (kick) kick();
  }
  // Runs what waits, in order.  Thread: vCPU; the run loop's service call does it.
  void run() {
    std::vector<std::function<void()>> work;
    {
      const std::lock_guard hold(lock_);
      work.swap(waiting_);
    }
    for (auto& f : work) f();
  }
  // `kick` makes the run loop call run() soon; set by the program before threads start, emptied before they end.
  void on_post(std::function<void()> kick) {
    const std::lock_guard hold(lock_);
    kick_ = std::move(kick);
  }

 private:
  std::mutex lock_;
  std::vector<std::function<void()>> waiting_;
  std::function<void()> kick_;
};
}  // namespace core
