#pragma once
// Block device over virtio.  VIRTIO 1.1 §5.2.  One request queue.
// Not modelled: SCSI commands (VIRTIO_BLK_F_SCSI), more than one queue.
// Thread: vCPU.

#include "peripherals/virtio/device.hpp"

#include "core/block_port.hpp"

#include <map>

namespace peripherals::virtio {

struct BlkOptions {
  std::string serial;      // at most 20 bytes are shown
  u32 physical_block = 0;  // bytes; 0: the logical block
  u16 queue_size = 256;
  bool discard = true, write_zeroes = true, config_wce = true;
};

class Blk final : public Device {
 public:
  Blk(BlockPort& drive, BlkOptions options);
  ~Blk() override;
  std::string backend() const override { return drive_.id; }

 private:
  struct Request {
    Chain chain;
    u32 type = 0;
    u64 at = 0, length = 0;  // bytes on the drive
    u64 done = 0;            // bytes of `length` answered
  };
  u64 features() const override;
  void fill_config(std::span<u8> config, ByteOrder order) const override;
  void config_written(u32 off, u32 size, const u8* config, ByteOrder) noexcept override;
  void notified(unsigned queue) noexcept override;
  void on_reset() noexcept override;

  void start(Chain chain) noexcept;
  void start_range(Request r) noexcept;
  void start_zeroing(Request r) noexcept;
  void give_serial(const Chain& chain) noexcept;
  void submit_piece(u64 token) noexcept;
  void answered(BlockRequest& answer) noexcept;
  void finish(const Chain& chain, u8 status, u64 written) noexcept;
  bool in_range(u64 at, u64 length) const { return at <= drive_.size && length <= drive_.size - at; }

  BlockPort& drive_;
  BlkOptions options_;
  bool write_cache_;
  u64 next_token_ = 1;  // never used again, so that answers from before a reset find nobody
  std::map<u64, Request> in_flight_;
};
}  // namespace peripherals::virtio
