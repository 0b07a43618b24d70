#pragma once
// The threads that wait for disks, so that the guest does not.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace host::block {
class Workers {
 public:
  // At most `limit` threads, started as they are needed.
  explicit Workers(unsigned limit = 4) : limit_(limit) {}
  // Finishes what was given to it.
  ~Workers();
  Workers(const Workers&) = delete;
  // Thread: any.
  void run(std::function<void()> work);
  // Waits until nothing is queued or being done.  Not from a worker.
  void drain();

 private:
  void serve();
  const unsigned limit_;
  std::mutex lock_;
  std::condition_variable queued_, idle_;
  std::deque<std::function<void()>> queue_;
  std::vector<std::thread> threads_;
  unsigned busy_ = 0;   // threads in a piece of work
  unsigned ready_ = 0;  // threads that wait for one
  bool ending_ = false;
};
}  // namespace host::block
