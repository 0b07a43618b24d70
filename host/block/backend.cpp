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

// Worker threads hold the backend, so that a medium that is taken out lives until its last request is answered.
void Backend::submit(BlockRequest request, std::function<void(BlockRequest)> answer) {
  const std::lock_guard hold(lock_);
  queue_.push_back({std::move(request), std::move(answer)});
  if (!image_->parallel() && std::exchange(serving_, true)) return;
  workers_.run([self = shared_from_this()] { self->serve(); });
}

void Backend::serve() {
  for (bool more = true; more;) {
    Job job;
    {
      const std::lock_guard hold(lock_);
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    job.request.error = error_of(carry_out(job.request));
    completions_.post(
        [self = shared_from_this(), job = std::make_shared<Job>(std::move(job))] { self->finish(std::move(*job)); });
    const std::lock_guard hold(lock_);
    more = !image_->parallel() && !queue_.empty();
    if (!more) serving_ = false;
  }
}

int Backend::carry_out(BlockRequest& r) {
  switch (r.op) {
    case BlockOp::read: ++statistics.reads, statistics.read_bytes += r.length; return image_->read(r.at, r.data);
    case BlockOp::flush: ++statistics.flushes; return flush_now();
    case BlockOp::discard: return policy_.discard ? image_->discard(r.at, r.length) : 0;
    case BlockOp::write:
    case BlockOp::write_zeroes: break;
  }
  ++statistics.writes, statistics.written_bytes += r.length;
  int error = write(r);
  if (!error && (r.fua || !policy_.write_cache)) error = flush_now();
  return error;
}

int Backend::write(BlockRequest& r) {
  if (r.op == BlockOp::write_zeroes) return image_->zero(r.at, r.length, policy_.discard);
  if (policy_.detect_zeroes != DetectZeroes::off && all_zero(r.data))
    return image_->zero(r.at, r.length, policy_.detect_zeroes == DetectZeroes::unmap && policy_.discard);
  return image_->write(r.at, r.data);
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
