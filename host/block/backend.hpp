#pragma once
// One medium in use: carries a device's requests to its image and the answers back.

#include "core/block_port.hpp"
#include "core/completions.hpp"
#include "host/block/image.hpp"
#include "host/block/workers.hpp"

#include <atomic>

namespace host::block {

enum class OnError { report, ignore, stop, enospc };  // enospc: stop when there is no room, else report
enum class DetectZeroes { off, on, unmap };

// How requests are carried out; QEMU's cache=, discard=, detect-zeroes=, rerror= and werror=.
struct Policy {
  bool write_cache = true;  // off: a write is answered when it is durable
  bool no_flush = false;    // flushes are not carried out
  bool discard = false;     // discards reach the image
  DetectZeroes detect_zeroes = DetectZeroes::off;
  OnError read_error = OnError::report, write_error = OnError::enospc;
};

struct Statistics {
  std::atomic<u64> reads{}, writes{}, flushes{}, read_bytes{}, written_bytes{};
};

class Backend final : public core::BlockBackend, public std::enable_shared_from_this<Backend> {
 public:
  Backend(std::shared_ptr<Image> image, Policy policy, Workers& workers, core::Completions& completions)
      : image_(std::move(image)), policy_(policy), workers_(workers), completions_(completions) {}

  void submit(core::BlockRequest request, std::function<void(core::BlockRequest)> answer) override;
  // Told of an error that stops the machine; the request waits for retry().  Thread: vCPU.
  std::function<void(core::BlockError)> on_stop;
  // Sends again what waits after such errors.  Thread: vCPU.
  void retry();
  // Answers them: the medium is gone.  Thread: vCPU.
  void give_up();
  // Makes durable what was written, unless flushes are off.  Thread: any, with no request in flight.
  int flush_now() { return policy_.no_flush ? 0 : image_->flush(); }
  Image& image() { return *image_; }
  Statistics statistics;

 private:
  struct Job {
    core::BlockRequest request;
    std::function<void(core::BlockRequest)> answer;
  };
  void count(const core::BlockRequest& r);
  bool start(const std::shared_ptr<Job>& job);
  File::Call plan(core::BlockRequest& r) const;
  void serve();
  int carry_out(core::BlockRequest& r);
  void tell(std::shared_ptr<Job> job, int error);
  void finish(Job job);
  bool stops(const core::BlockRequest& r) const;

  std::shared_ptr<Image> image_;
  const Policy policy_;
  Workers& workers_;
  core::Completions& completions_;
  std::mutex lock_;
  std::deque<std::shared_ptr<Job>> queue_;  // not begun; several only while the image takes one call at a time
  bool serving_ = false;                    // that one call is being made
  std::vector<Job> held_;                   // vCPU thread
};
}  // namespace host::block
