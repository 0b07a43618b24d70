#pragma once
// A split virtqueue as the device works it.  Virtual I/O Device (VIRTIO) 1.1, §2.6; the legacy layout is the same with
// the guest's byte order and addresses computed from one page number (§2.6.2).
//
// The driver's memory is not to be trusted: an index that jumps, a chain that loops, a table outside memory breaks the
// device (Device::fail) until the driver resets it, and the call returns as if the queue were empty.
// Not modelled: packed rings (§2.7); the feature is not offered.
// Thread: vCPU.

#include "core/base.hpp"

#include <vector>

namespace peripherals::virtio {
using namespace core;

class Device;

inline constexpr u16 no_vector = 0xffff;    // no interrupt vector assigned (§4.1.5.1.2)
inline constexpr u16 largest_queue = 1024;  // also the longest chain through an indirect table
inline constexpr u64 legacy_page = 4096;    // §2.6.2

struct Segment {
  GuestPhys at;
  u32 length;
};
// One buffer of the driver: what the device may read, then what it may write.
struct Chain {
  u16 head = 0;
  std::vector<Segment> readable, writable;
};
u64 total_length(const std::vector<Segment>& segments);

class Queue {
 public:
  Queue(Device& device, u16 max_size) : device_(device), max_size_(max_size) { reset(); }

  // Set by the driver through the transport, and where both sides stand; saved as is.
  struct State {
    u64 descriptors = 0, available = 0, used = 0;  // guest addresses
    u16 size = 0;                                  // descriptors, a power of two
    u16 next_available = 0;                        // chains taken so far
    u16 next_used = 0;                             // chains given back so far
    u16 signalled = 0;                             // next_used when the driver was last told
    u16 taken = 0;                                 // chains taken and not given back; ≤ size
    u16 vector = no_vector;
    bool enabled = false;
  } x;
  u16 max_size() const { return max_size_; }
  void reset() { x = {}, x.size = max_size_; }
  // The legacy interface's one address: descriptors, available ring, used ring on the next page (§2.6.2); 0 disables.
  void set_legacy_page(u32 page);

  // How many chains the driver has made available and the device has not taken.
  u16 waiting() noexcept;
  // Takes the next one; false when there is none.
  bool pop(Chain& chain) noexcept;
  // Puts back the last `count` taken.
  void unpop(u16 count = 1) noexcept {
    x.next_available = u16(x.next_available - count), x.taken = u16(x.taken - count);
  }
  // Gives a chain back with the number of bytes written into it.
  void push(u16 head, u32 written) noexcept;
  // Interrupts the driver, if it asked for that and something was pushed since.
  void notify() noexcept;

 private:
  struct Descriptor {
    u64 address;
    u32 length;
    u16 flags, next;
  };
  struct Table {
    u64 at;
    u32 count;
  };
  bool read_descriptor(const Table& table, u32 index, Descriptor& d) noexcept;
  bool walk(Table table, u32 index, Chain& chain) noexcept;
  bool fail(const char* why) noexcept;
  template <class T>
  bool load(u64 at, T& value) noexcept;
  template <class T>
  bool store(u64 at, T value) noexcept;

  Device& device_;
  u16 max_size_;
};
}  // namespace peripherals::virtio
