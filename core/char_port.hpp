#pragma once
// Characters between a device (vCPU thread) and a host back end (event-loop thread): two
// single-producer single-consumer rings.  Neither side ever waits for the other.

#include "core/base.hpp"

#include <array>
#include <atomic>

namespace core {

template <std::size_t Size>
class ByteRing {
 public:
  // Producer.  False when full.
  bool push(u8 c) {
    const u32 h = head_.load(std::memory_order_relaxed);
    if (h - tail_.load(std::memory_order_acquire) == Size) return false;
    data_[h % Size] = c;
    head_.store(h + 1, std::memory_order_release);
    return true;
  }
  // Consumer.  False when empty.
  bool pop(u8& c) {
    const u32 t = tail_.load(std::memory_order_relaxed);
    if (t == head_.load(std::memory_order_acquire)) return false;
    c = data_[t % Size];
    tail_.store(t + 1, std::memory_order_release);
    return true;
  }
  std::size_t size() const { return head_.load(std::memory_order_acquire) - tail_.load(std::memory_order_acquire); }
  std::size_t room() const { return Size - size(); }
  bool empty() const { return size() == 0; }

 private:
  std::array<u8, Size> data_{};
  std::atomic<u32> head_{0}, tail_{0};
};

// What a serial device sees of its host side.
class CharPort {
 public:
  // Device → host.  `wake_host` is called after a character when the host side sleeps.
  // A full ring drops the character; a device with flow control asks can_put() first and is told
  // through host_drained() when there is room again.  Without a host side characters go nowhere.
  bool can_put() const { return !wake_host || to_host.room() > 0; }
  void put(u8 c) {
    if (!wake_host) return;
    to_host.push(c);
    if (host_sleeps.exchange(false, std::memory_order_acq_rel)) wake_host(wake_context);
  }
  ByteRing<1 << 16> to_host;
  ByteRing<4096> to_guest;
  std::atomic<bool> break_pending{false};  // host asks for a break condition on the line
  std::atomic<bool> host_sleeps{true};
  void (*wake_host)(void*) = nullptr;  // Thread: vCPU.  Must not block.
  void* wake_context = nullptr;
};
}  // namespace core
