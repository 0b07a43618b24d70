#pragma once
// A disk as a device sees it.  Requests go out on the vCPU thread and never wait; each is answered later, on the vCPU
// thread too, by one call of the device's `done`.  A device that was reset in between ignores answers by their token.
//
// The other side is host/block; without one (`backend` null) there is a drive without a medium.

#include "core/base.hpp"

#include <functional>
#include <string>
#include <vector>

namespace core {

enum class BlockOp : u8 { read, write, flush, discard, write_zeroes };
enum class BlockError : u8 { none, io, no_space, read_only, no_medium, out_of_range };

struct BlockRequest {
  BlockOp op = BlockOp::read;
  bool fua = false;        // write: durable before it is answered
  u64 at = 0, length = 0;  // bytes, multiples of 512; unused by flush
  u64 token = 0;           // the device's own, comes back with the answer
  std::vector<u8> data;    // write: `length` bytes to write; read: filled with `length` bytes for the answer
  BlockError error = BlockError::none;
};

// What stands behind a drive.  Thread: vCPU.
class BlockBackend {
 public:
  virtual ~BlockBackend() = default;
  // Takes the request; `answer` runs later on the vCPU thread, once, with data and error filled in.  Requests may
  // finish in any order; a flush covers the writes answered before it was submitted.
  virtual void submit(BlockRequest request, std::function<void(BlockRequest)> answer) = 0;
};

// How a drive is attached: QEMU's `if=`.
enum class BlockInterface : u8 { none, ide, scsi, floppy, pflash, sd, mtd, virtio };

class BlockPort {
 public:
  // Facts.  Thread: vCPU, or before the machine runs.
  std::string id;  // drive's id or the device's name, for messages
  BlockInterface interface = BlockInterface::none;
  unsigned bus = 0, unit = 0;
  bool is_cdrom = false;  // media=cdrom
  bool read_only = false;
  bool removable = false;   // floppy, CD
  std::string serial;       // serial=; empty: the device makes one up
  u64 size = 0;             // bytes of the medium, a multiple of 512
  u32 logical_block = 512;  // bytes
  bool write_cache = true;  // cache=writeback or none: writes are durable only after flush
  bool locked = false;      // the guest holds the tray shut
  bool tray_open = false;
  BlockBackend* backend = nullptr;  // null: no medium
  bool inserted() const { return backend != nullptr; }

  // The device's side: who takes answers, and who hears that the medium changed (monitor `change`, `eject`).
  std::function<void(BlockRequest&)> done;
  std::function<void()> medium_changed;
  // The host's side: the guest opened or closed the tray; null when nobody wants to know.
  std::function<void(bool open)> tray_moved;

  void submit(BlockRequest r);
  void read(u64 at, u64 length, u64 token) { submit({BlockOp::read, false, at, length, token, {}}); }
  void write(u64 at, std::vector<u8> data, u64 token, bool fua = false) {
    const u64 n = data.size();
    submit({BlockOp::write, fua, at, n, token, std::move(data)});
  }
  void flush(u64 token) { submit({BlockOp::flush, false, 0, 0, token, {}}); }
  unsigned in_flight() const { return in_flight_; }

 private:
  void answer(BlockRequest r);
  unsigned in_flight_ = 0;
};
}  // namespace core
