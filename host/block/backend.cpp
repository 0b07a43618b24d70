#include "host/block/backend.hpp"

#include <algorithm>
#include <cerrno>

namespace host::block {
using core::BlockError, core::BlockOp, core::BlockRequest;

namespace {
BlockError error_of(int error) {
  switch (error) {
    case 0: return BlockError::none;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return BlockError::no_space;
    case EPERM:
    case EROFS: return BlockError::read_only;
    default: return BlockError::io;
  }
}
bool all_zero(const std::vector<u8>& data) {
  return std::all_of(data.begin(), data.end(), [](u8 b) { return b == 0; });
}
}  // namespace

void Backend::count(const BlockRequest& r) {
  switch (r.op) {
    case BlockOp::read: ++statistics.reads, statistics.read_bytes += r.length; break;
    case BlockOp::flush: ++statistics.flushes; break;
    case BlockOp::discard: break;
    case BlockOp::write:
    case BlockOp::write_zeroes: ++statistics.writes, statistics.written_bytes += r.length;
  }
}

// Whoever carries a request out holds the backend, so that a medium that is taken out lives until its last request is
// answered.
void Backend::submit(BlockRequest request, std::function<void(BlockRequest)> answer) {
  count(request);
  const auto job = std::make_shared<Job>(Job{std::move(request), std::move(answer)});
  if (start(job)) return;
  const std::lock_guard hold(lock_);
  queue_.push_back(job);
  if (!image_->parallel() && std::exchange(serving_, true)) return;
  workers_.run([self = shared_from_this()] { self->serve(); });
}

// Without a worker, where the image can; one comes in when the file finds no way to discard or zero.
bool Backend::start(const std::shared_ptr<Job>& job) {
  if (!image_->starts()) return false;
  BlockRequest& r = job->request;
  if ((r.op == BlockOp::flush && policy_.no_flush) || (r.op == BlockOp::discard && !policy_.discard)) return false;
  File::Call call = plan(r);
  call.done = [self = shared_from_this(), job](int error) {
    if (error != EOPNOTSUPP) return self->tell(job, error);
    self->workers_.run([self, job] { self->tell(job, self->carry_out(job->request)); });
  };
  return image_->start(call);
}

void Backend::serve() {
  for (bool more = true; more;) {
    std::shared_ptr<Job> job;
    {
      const std::lock_guard hold(lock_);
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    const int error = carry_out(job->request);
    tell(std::move(job), error);
    const std::lock_guard hold(lock_);
    more = !image_->parallel() && !queue_.empty();
    if (!more) serving_ = false;
  }
}

File::Call Backend::plan(BlockRequest& r) const {
  File::Call c{.at = r.at, .length = r.length, .data = r.data.data()};
  c.durable = (r.fua || !policy_.write_cache) && !policy_.no_flush;
  switch (r.op) {
    case BlockOp::read: c.op = File::Op::read; break;
    case BlockOp::flush: c.op = File::Op::sync; break;
    case BlockOp::discard: c.op = File::Op::discard; break;
    case BlockOp::write_zeroes: c.op = File::Op::zero, c.unmap = policy_.discard; break;
    case BlockOp::write:
      c.op = File::Op::write;
      if (policy_.detect_zeroes == DetectZeroes::off || !all_zero(r.data)) break;
      c.op = File::Op::zero, c.unmap = policy_.detect_zeroes == DetectZeroes::unmap && policy_.discard;
  }
  return c;
}

int Backend::carry_out(BlockRequest& r) {
  const File::Call c = plan(r);
  int error = 0;
  switch (c.op) {
    case File::Op::read: return image_->read(c.at, r.data);
    case File::Op::sync: return flush_now();
    case File::Op::discard: return policy_.discard ? image_->discard(c.at, c.length) : 0;
    case File::Op::write: error = image_->write(c.at, r.data); break;
    case File::Op::zero: error = image_->zero(c.at, c.length, c.unmap); break;
  }
  return !error && c.durable ? flush_now() : error;
}

// Thread: any.
void Backend::tell(std::shared_ptr<Job> job, int error) {
  job->request.error = error_of(error);
  completions_.post([self = shared_from_this(), job = std::move(job)] { self->finish(std::move(*job)); });
}

bool Backend::stops(const BlockRequest& r) const {
  const OnError what = r.op == BlockOp::read ? policy_.read_error : policy_.write_error;
  return on_stop && (what == OnError::stop || (what == OnError::enospc && r.error == BlockError::no_space));
}

void Backend::finish(Job job) {
  BlockRequest& r = job.request;
  if (r.error != BlockError::none) {
    if (stops(r)) {
      const BlockError error = r.error;
      held_.push_back(std::move(job));
      return on_stop(error);
    }
    if ((r.op == BlockOp::read ? policy_.read_error : policy_.write_error) == OnError::ignore)
      r.error = BlockError::none;
  }
  job.answer(std::move(r));
}

void Backend::retry() {
  for (Job& j : std::exchange(held_, {})) submit(std::move(j.request), std::move(j.answer));
}

void Backend::give_up() {
  for (Job& j : std::exchange(held_, {})) {
    j.request.error = BlockError::no_medium;
    j.answer(std::move(j.request));
  }
}
}  // namespace host::block
