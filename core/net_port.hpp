#pragma once
// An Ethernet plug between a device (vCPU thread) and what the host connects it to (event-loop thread).
// Frames are whole, without preamble and frame check sequence.  Neither side waits; a side that is full loses frames,
// as a wire does.

#include "core/base.hpp"

#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace core {

using MacAddress = std::array<u8, 6>;
using EthernetFrame = std::vector<u8>;
inline constexpr std::size_t ethernet_header = 14;
// The largest frame that travels: larger ones are dropped.  virtio-net with segmentation offload is the reason.
inline constexpr std::size_t largest_ethernet_frame = 65'550;

// One direction.  Thread: any.
class FrameQueue {
 public:
  static constexpr std::size_t max_frames = 1024;
  // False, and the frame is lost, when it is full, too large or shorter than a header.
  bool push(std::span<const u8> frame) {
    if (frame.size() < ethernet_header || frame.size() > largest_ethernet_frame) return false;
    const std::lock_guard hold(lock_);
    if (frames_.size() >= max_frames) return false;
    frames_.emplace_back(frame.begin(), frame.end());
    return true;
  }
  bool pop(EthernetFrame& frame) {
    const std::lock_guard hold(lock_);
    if (frames_.empty()) return false;
    frame = std::move(frames_.front());
    frames_.pop_front();
    return true;
  }
  bool empty() const {
    const std::lock_guard hold(lock_);
    return frames_.empty();
  }
  void clear() {
    const std::lock_guard hold(lock_);
    frames_.clear();
  }

 private:
  mutable std::mutex lock_;
  std::deque<EthernetFrame> frames_;
};

class NetPort {
 public:
  std::string id;                   // name of the device, for messages
  std::string model;                // nic model, such as "pcnet"
  MacAddress mac{};                 // the address the device starts with
  bool wanted = false;  // an option, or the default, asks for the card; one that is fitted on demand goes by it
  std::atomic<bool> link_up{true};  // monitor set_link; false also when nothing is plugged in

  // Device side.  Thread: vCPU.
  void send(std::span<const u8> frame) {
    if (link_up.load() && to_host.push(frame) && host_wake) host_wake();
  }
  // Takes the next frame for the guest.
  bool receive(EthernetFrame& frame) { return to_guest.pop(frame); }
  // Called when frames wait that did not before, or the link changed; the device pops what it has room for, and pops
  // again when the guest makes room.
  std::function<void()> arrived;

  // Host side.  Thread: event loop.
  FrameQueue to_host, to_guest;
  std::function<void()> host_wake;  // Thread: vCPU; must not block
};
}  // namespace core
