#pragma once
// A disk or CD-ROM drive as a SCSI logical unit — SCSI Block Commands 3 (SBC-3), SPC-3, and MMC-3 by mmc.hpp.
//
// start() takes a command to its first stage; the owner then moves `data` and says so with moved().  While a command is
// busy the medium works; `changed` tells when that is over.  It may be called inside start() and moved() already.
// Thread: vCPU.

#include "core/block_port.hpp"
#include "peripherals/scsi/command.hpp"
#include "peripherals/scsi/mmc.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace peripherals::scsi {

class Disk {
 public:
  Disk(BlockPort& port, std::function<void(Command&)> changed);
  Disk(const Disk&) = delete;
  ~Disk();

  void start(Command& c);
  // The piece in `c.data` moved completely.
  void moved(Command& c);
  // Forgets the command; answers for it are ignored from now on.
  void abort(Command& c);
  // Settings of power-on; `why` is reported by the next command (unit attention).
  void reset(Sense why);

  // Fixed or descriptor format (SPC-3 §4.5).
  static std::vector<u8> sense_data(Sense s, bool descriptor);
  // One command with an unknown logical unit (SPC-3 §6.4.2): INQUIRY says so, the rest fails.
  static void start_absent(Command& c);
  // Ends the command.
  static void finish(Command& c);
  static void fail(Command& c, Sense s);
  // Gives `data`, cut to the allocation length, or ends at once when there is nothing.
  static void reply(Command& c, std::vector<u8> data, u64 allocation);

  BlockPort& port() const { return port_; }
  Sense sense() const { return sense_; }
  void keep_sense(Sense s) { sense_ = s; }

 private:
  struct Span {
    u64 block, count;
  };
  enum class Effect : u8 { read, write, verify, seek };
  bool cd() const { return port_.is_cdrom; }
  bool removable() const { return cd() || port_.removable; }
  bool present() const { return port_.inserted() && !port_.tray_open; }
  u64 block_size() const { return cd() ? mmc::block_size : port_.logical_block; }
  u64 blocks() const { return present() ? port_.size / block_size() : 0; }
  mmc::Drive drive();

  void execute(Command& c);
  void access(Command& c, Effect effect, Span where, u8 byte_check);
  void next_piece(Command& c);
  void unmap(Command& c);
  void next_range(Command& c);
  void write_same(Command& c);
  void inquiry(Command& c);
  void mode_sense(Command& c, bool ten);
  void mode_select(Command& c, bool ten);
  void read_capacity(Command& c, bool sixteen);
  void start_stop(Command& c);
  void submit(Command& c, BlockOp op, u64 block, u64 count, std::vector<u8> data = {});
  void answered(BlockRequest& r);
  void medium_changed();

  std::vector<u8> mode_pages(u8 page, u8 control);
  std::string serial() const;

  BlockPort& port_;
  std::function<void(Command&)> changed_;
  std::vector<Command*> working_;  // those with a request under way
  u64 last_token_ = 0;
  Sense sense_, attention_ = sense::power_on;
  u8 event_ = 0;  // media event not yet told
  bool write_cache_;
};
}  // namespace peripherals::scsi
