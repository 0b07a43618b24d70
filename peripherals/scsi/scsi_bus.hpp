#pragma once
// The targets of a host adapter and the commands they work on — SAM-3.  Each target has one logical unit, number 0.
// A command begins, its data moves in pieces, its status is delivered; other commands run meanwhile.
// Thread: vCPU.

#include "peripherals/scsi/scsi_disk.hpp"

#include <list>
#include <memory>

namespace peripherals::scsi {

class Bus {
 public:
  static constexpr unsigned target_count = 16, queue_depth = 64;  // commands per target

  Bus() = default;
  Bus(const Bus&) = delete;

  // Puts a drive at that target, or nothing (null).  Asking again for what is there changes nothing.
  void attach(unsigned target, BlockPort* port);
  bool present(unsigned target) const { return target < target_count && units_[target]; }

  // A command arrives; `from` has target, lun, tag, queue and cdb.  The reference is good until finish, abort or reset.
  // Its stage may be any, also Stage::done at once.
  Command& begin(const Command& from);
  // Moves bytes of the present piece: how many were moved, less when the piece ends.
  std::size_t take(Command& c, std::span<u8> to);         // Stage::data_in
  std::size_t put(Command& c, std::span<const u8> from);  // Stage::data_out
  // The status was delivered: the command is gone.
  void finish(Command& c);

  // Task management (SAM-3 §7): one command, all of a unit, all of a target, all.
  void abort(const Command& nexus);
  void abort_unit(unsigned target, unsigned lun);
  void reset_target(unsigned target, Sense why);
  void reset(Sense why);

  // A disconnected command that wants to go on; null when there is none.
  Command* ready() const;

  // A command stopped waiting.  May be called inside begin, take and put.
  std::function<void(Command&)> changed;

 private:
  bool may_start(const Command& c) const;
  void start(Command& c);
  void start_queued(unsigned target);
  void moved(Command& c, std::size_t bytes);
  void forget(std::list<Command>::iterator at);
  template <class Which>
  void abort_if(Which which);

  std::array<std::unique_ptr<Disk>, target_count> units_;
  std::list<Command> commands_;  // in the order of arrival
};
}  // namespace peripherals::scsi
