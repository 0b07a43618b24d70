#pragma once
#include "core/block_port.hpp"
#include "peripherals/storage/floppy_geometry.hpp"

#include <array>

namespace peripherals::fdc82077 {
using namespace core;

using floppy::Geometry;
using floppy::geometry_of;

// What the controller reaches.
class Outside {
 public:
  struct Moved {
    u32 bytes = 0;
    bool terminal_count = false;
  };
  virtual BlockPort* drive(unsigned unit) = 0;     // null: no such drive
  virtual Moved transfer(std::span<u8> data) = 0;  // moves what the DMA channel takes or gives now
  virtual void irq(bool level) = 0;
  virtual void dreq(bool level) = 0;

 protected:
  ~Outside() = default;
};

// The controller's logic — Intel 82077AA data sheet 290166, chapters 4 to 6.  Names of bits and bytes are the manual's.
struct Fdc {
  // Registers.
  u8 msr() const;
  u8 dir(Outside& o) const;  // disk changed, in bit 7
  u8 read_fifo(Outside& o);
  void write_fifo(u8 v, Outside& o);
  void write_dor(u8 v, Outside& o);
  void software_reset(Outside& o);
  void set_rate(u8 v) { rate = v & 3; }
  u8 data_rate() const { return rate; }

  void forget();                                // power-on state; answers still under way will be ignored
  void update(Outside& o);                      // drives the pins
  void completed(BlockRequest& r, Outside& o);  // the drive answered
  void serve_dma(Outside& o);                   // the channel accepts now
  void medium_changed(unsigned unit) { changed |= u8(1 << unit); }

  enum class Phase : u8 { command, execution, result };
  enum class Kind : u8 { read, write, verify, scan_equal, scan_low, scan_high, format };
  enum class Step : u8 { none, fetching, to_host, from_host, storing };

  u8 dor = 0, rate = 2;
  Phase phase = Phase::command;
  std::array<u8, 16> bytes{};       // command and parameters, then results
  u8 length = 0, position = 0;      // of what is expected or to be read; position ≤ length ≤ 16
  bool interrupt = false;           // latched; ends with the first result byte or Sense Interrupt Status
  u8 changed = 3;                   // drives whose disk change line is set
  std::array<u8, 4> pcn{};          // present cylinder numbers: where the heads are
  u8 reset_senses = 0;              // Sense Interrupt Status answers still due after a reset
  u8 seeks_ended = 0;               // drives whose seek ended and was not sensed
  std::array<u8, 4> seek_status{};  // its ST0
  u8 srt_hut = 0, hlt_nd = 0, configuration = 0x20, precompensation = 0, perpendicular = 0, eot_seen = 0;
  bool lock = false;
  bool in_transfer = false;  // the channel is being served: what it says meanwhile is no news
  u8 next_id = 0;            // where the disk's rotation is for Read ID

  // The command that moves data.
  struct Transfer {
    Kind kind = Kind::read;
    Step step = Step::none;
    u8 unit = 0, head = 0;                   // selected
    u8 c = 0, h = 0, r = 0, n = 0, eot = 0;  // as the sector's ID must be
    bool multi_track = false, deleted = false, implied_seek = false, terminal_count = false;
    bool scan_failed = false, scan_equal = false;
    u32 left = 0;   // verify, format: sectors to go
    u8 filler = 0;  // format
    u16 at = 0;     // bytes of the buffer moved
    u64 token = 0;  // tells answers of this transfer from older ones
    std::array<u8, 512> buffer{};
  } t;

 private:
  void reset();
  void execute(Outside& o);
  void give(std::initializer_list<u8> results);
  void sense_interrupt();
  void seek(u8 unit, unsigned to, Outside& o);
  void recalibrate(u8 unit, Outside& o);
  void end_seek(u8 unit, u8 st0);
  void read_id(Outside& o);
  void begin_transfer(Kind kind, Outside& o);
  void begin_format(Outside& o);
  void begin_sector(Outside& o);
  bool find_sector(Outside& o, u64& at);
  void pump(Outside& o);
  void buffer_moved(Outside& o);
  void sector_done(Outside& o);
  void compare(std::span<const u8> host);
  bool advance();
  void finish(u8 st0, u8 st1, u8 st2);
  bool uses_dma() const { return !(hlt_nd & 1); }
  bool moving() const { return t.step == Step::to_host || t.step == Step::from_host; }
  u32 wanted() const { return t.kind == Kind::format ? 4 : 512; }
  u8 selection() const { return u8(t.head << 2 | t.unit); }
  bool out_of_reset() const { return dor & 4; }
};
}  // namespace peripherals::fdc82077
