#include "host/block/workers.hpp"

#include <sys/prctl.h>
#include <csignal>

namespace host::block {
Workers::~Workers() {
  {
    const std::lock_guard hold(lock_);
    ending_ = true;
  }
  queued_.notify_all();
  for (std::thread& t : threads_) t.join();
}

void Workers::run(std::function<void()> work) {
  const std::lock_guard hold(lock_);
  queue_.push_back(std::move(work));
  if (ready_ < queue_.size() && threads_.size() < limit_) {
    // Signals are for the program's other threads: a new thread inherits that none reach it.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    threads_.emplace_back([this] { serve(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  queued_.notify_one();
}

void Workers::drain() {
  std::unique_lock hold(lock_);
  idle_.wait(hold, [this] { return queue_.empty() && busy_ == 0; });
}

void Workers::serve() {
  prctl(PR_SET_NAME, "block");
  std::unique_lock hold(lock_);
  for (;;) {
    ++ready_;
    queued_.wait(hold, [this] { return ending_ || !queue_.empty(); });
    --ready_;
    if (queue_.empty()) return;
    const auto work = std::move(queue_.front());
    queue_.pop_front();
    ++busy_;
    hold.unlock();
    work();
    hold.lock();
    if (--busy_ == 0 && queue_.empty()) idle_.notify_all();
  }
}
}  // namespace host::block
