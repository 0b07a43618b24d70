#include "host/block/ring.hpp"

#include "core/log.hpp"
#include "host/chardev_fd.hpp"

#include <fmt/format.h>

#include <liburing.h>
#include <linux/falloc.h>
#include <sys/prctl.h>
#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <mutex>
#include <thread>

namespace host::block {
namespace {
constexpr unsigned entries = 128;  // the kernel has twice as many for what is done, so that none is lost

struct Operation {
  int fd;
  File::Call call;
  u64 unit;
  u64 moved = 0;  // bytes
};

class LinuxRing final : public Ring {
 public:
  LinuxRing() = default;
  LinuxRing(const LinuxRing&) = delete;
  ~LinuxRing() override {
    if (!open_) return;
    if (reaper_.joinable()) {
      drain();
      end();
    }
    io_uring_queue_exit(&ring_);
  }

  int open() {
    if (const int error = -io_uring_queue_init(entries, &ring_, 0)) return error;
    open_ = true;
    if (!knows_operations()) return EOPNOTSUPP;
    // Signals are for the program's other threads: a new thread inherits that none reach it.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    reaper_ = std::thread([this] { reap(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return 0;
  }

  bool start(int fd, const File::Call& call, u64 unit) override {
    const std::lock_guard hold(lock_);
    if (under_way_ == entries) return false;
    ++under_way_;
    push(new Operation{fd, call, unit});
    return true;
  }

  void drain() override {
    std::unique_lock hold(lock_);
    idle_.wait(hold, [this] { return under_way_ == 0; });
  }

 private:
  // Those below came with Linux 5.6, the ring itself with 5.1.
  bool knows_operations() {
    io_uring_probe* const p = io_uring_get_probe_ring(&ring_);
    if (!p) return false;
    const bool all = io_uring_opcode_supported(p, IORING_OP_READ) && io_uring_opcode_supported(p, IORING_OP_WRITE) &&
                     io_uring_opcode_supported(p, IORING_OP_FSYNC) && io_uring_opcode_supported(p, IORING_OP_FALLOCATE);
    io_uring_free_probe(p);
    return all;
  }

  void end() {
    {
      const std::lock_guard hold(lock_);
      push(nullptr);
    }
    reaper_.join();
  }

  // Null ends the reaper.  There is room: it holds one more than may be under way, and each was submitted at once.
  void push(Operation* o) {
    io_uring_sqe* e = io_uring_get_sqe(&ring_);
    core::check(e != nullptr);
    if (o) prepare(e, *o);
    else io_uring_prep_nop(e);
    io_uring_sqe_set_data(e, o);
    while (io_uring_sq_ready(&ring_)) {
      const int n = io_uring_submit(&ring_);
      core::check(n >= 0 || n == -EINTR || n == -EAGAIN || n == -EBUSY);
      if (n <= 0) std::this_thread::yield();  // the kernel is short of memory for a moment
    }
  }

  static void prepare(io_uring_sqe* e, const Operation& o) {
    const File::Call& c = o.call;
    const u64 at = c.at + o.moved, left = std::min<u64>(c.length - o.moved, 1u << 30);
    switch (c.op) {
      case File::Op::read: io_uring_prep_read(e, o.fd, c.data + o.moved, unsigned(left), at); break;
      case File::Op::write:
        io_uring_prep_write(e, o.fd, c.data + o.moved, unsigned(left), at);
        if (c.durable) e->rw_flags = RWF_DSYNC;
        break;
      case File::Op::sync: io_uring_prep_fsync(e, o.fd, IORING_FSYNC_DATASYNC); break;
      case File::Op::discard:
        io_uring_prep_fallocate(e, o.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off_t(c.at), off_t(c.length));
        break;
      case File::Op::zero:
        io_uring_prep_fallocate(e, o.fd, c.unmap ? FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE : FALLOC_FL_ZERO_RANGE,
                                off_t(c.at), off_t(c.length));
        break;
    }
  }

  void reap() {
    prctl(PR_SET_NAME, "block-ring");
    for (;;) {
      io_uring_cqe* e = nullptr;
      const int error = io_uring_wait_cqe(&ring_, &e);
      if (error == -EINTR || error == -EAGAIN) continue;
      core::check(error == 0);
      auto* const o = static_cast<Operation*>(io_uring_cqe_get_data(e));
      int result = e->res;
      io_uring_cqe_seen(&ring_, e);
      if (!o) return;
      if (goes_on(*o, result)) {
        const std::lock_guard hold(lock_);
        push(o);
        continue;
      }
      o->call.done(result < 0 ? -result : 0);
      delete o;
      const std::lock_guard hold(lock_);
      if (--under_way_ == 0) idle_.notify_all();
    }
  }

  // Whole transfers, as File promises.  Changes `result` to what the caller hears.
  static bool goes_on(Operation& o, int& result) {
    const File::Call& c = o.call;
    if (result == -EINTR || result == -EAGAIN) return true;
    if (c.op == File::Op::sync && (result == -EROFS || result == -EINVAL)) result = 0;
    if (result < 0 || (c.op != File::Op::read && c.op != File::Op::write)) return false;
    o.moved += u64(result);
    if (o.moved == c.length) return false;
    if (c.op == File::Op::write) {
      if (result == 0) result = -ENOSPC;
      return result > 0;
    }
    if (result && u64(result) % o.unit == 0) return true;
    std::memset(c.data + o.moved, 0, c.length - o.moved);
    return false;
  }

  bool open_ = false;
  io_uring ring_{};
  std::mutex lock_;  // of what is submitted
  std::condition_variable idle_;
  unsigned under_way_ = 0;
  std::thread reaper_;
};
}  // namespace

core::Result<std::unique_ptr<Ring>> Ring::create() {
  auto ring = std::make_unique<LinuxRing>();
  if (const int error = ring->open())
    return core::Error{core::Kind::unsupported,
                       fmt::format("aio=io_uring was specified, but the host's kernel refuses it: {}; say aio=threads",
                                   system_error(error))};
  return std::unique_ptr<Ring>(std::move(ring));
}
}  // namespace host::block
