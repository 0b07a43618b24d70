#pragma once
// What an initiator and a logical unit tell each other — SCSI Primary Commands 3 (SPC-3), SCSI Architecture Model 3.
// Thread: vCPU.

#include "core/base.hpp"

#include <array>
#include <vector>

namespace peripherals::scsi {
using namespace core;

// Status codes (SAM-3 §5.3.1).
enum StatusCode : u8 { status_good = 0x00, status_check = 0x02, status_task_set_full = 0x28 };

// Sense key, additional sense code and its qualifier (SPC-3 §4.5.6).
struct Sense {
  u8 key = 0, asc = 0, ascq = 0;
  bool operator==(const Sense&) const = default;
};
namespace sense {
inline constexpr Sense none{}, no_medium{2, 0x3a, 0x00}, tray_open{2, 0x3a, 0x02}, read_error{3, 0x11, 0x00},
    write_error{3, 0x0c, 0x00}, parameter_length{5, 0x1a, 0x00}, invalid_opcode{5, 0x20, 0x00},
    out_of_range{5, 0x21, 0x00}, invalid_field{5, 0x24, 0x00}, no_such_unit{5, 0x25, 0x00},
    invalid_parameter{5, 0x26, 0x00}, no_saved_pages{5, 0x39, 0x00}, removal_prevented{5, 0x53, 0x02},
    wrong_track_mode{5, 0x64, 0x00}, medium_changed{6, 0x28, 0x00}, power_on{6, 0x29, 0x01}, bus_reset{6, 0x29, 0x02},
    target_reset{6, 0x29, 0x03}, write_protected{7, 0x27, 0x00}, no_space{7, 0x27, 0x07}, overlapped{11, 0x4e, 0x00},
    miscompare{14, 0x1d, 0x00};
}

// How a command queues behind others (SAM-3 §8.6).
enum class Queue : u8 { untagged, simple, head, ordered };

enum class Stage : u8 {
  queued,    // waits for commands before it
  busy,      // the medium works
  data_in,   // `data` from `moved` on goes to the initiator
  data_out,  // the initiator fills `data` from `moved` on
  done,      // `status` is final
};

// A command from its arrival until its status is delivered.  Data moves in pieces: `data` is the present one.
struct Command {
  u8 target = 0, lun = 0, tag = 0;
  Queue queue = Queue::untagged;
  bool disconnected = false;  // the initiator's: it left the bus and comes back
  std::array<u8, 16> cdb{};

  Stage stage = Stage::queued;
  u8 status = status_good;
  std::vector<u8> data;
  u32 moved = 0;        // ≤ data.size()
  bool moving = false;  // a byte has moved
  u64 left = 0;         // blocks, of those behind `data`

  // The unit's notes.
  u64 block = 0, token = 0;
  u32 count = 0;  // blocks of the present piece
  struct Range {
    u64 block, count;
  };
  std::vector<Range> ranges;  // UNMAP
  Sense sense;                // for status_check

  bool waits() const { return stage == Stage::queued || stage == Stage::busy; }
  bool same_nexus(const Command& o) const {
    return target == o.target && lun == o.lun && (queue == Queue::untagged) == (o.queue == Queue::untagged) &&
           (queue == Queue::untagged || tag == o.tag);
  }
};

// Length of a command by its group code (SPC-3 §4.3.4.1); groups without one count as 6.
constexpr unsigned cdb_length(u8 opcode) {
  constexpr u8 lengths[8] = {6, 10, 10, 6, 16, 12, 6, 6};
  return lengths[opcode >> 5];
}

// Big-endian fields.
inline u32 be16(const u8* p) { return u32(p[0]) << 8 | p[1]; }
inline u32 be24(const u8* p) { return u32(p[0]) << 16 | be16(p + 1); }
inline u32 be32(const u8* p) { return be16(p) << 16 | be16(p + 2); }
inline u64 be64(const u8* p) { return u64(be32(p)) << 32 | be32(p + 4); }
inline void put16(u8* p, u32 v) { p[0] = u8(v >> 8), p[1] = u8(v); }
inline void put24(u8* p, u32 v) { p[0] = u8(v >> 16), put16(p + 1, v); }
inline void put32(u8* p, u32 v) { put16(p, v >> 16), put16(p + 2, v); }
inline void put64(u8* p, u64 v) { put32(p, u32(v >> 32)), put32(p + 4, u32(v)); }
}  // namespace peripherals::scsi
