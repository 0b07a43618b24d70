#pragma once
#include "peripherals/storage/atapi.hpp"

namespace peripherals::ide {

// An ATA channel with up to two drives and its bus master — ATA/ATAPI-6 (T13 1410D rev. 3b); SFF-8038i rev. 1.0 for the
// bus master; sections are of the first unless said otherwise.
// Disks: LBA48, LBA28 and CHS, PIO and DMA, SMART as far as drivers ask.  Discs: atapi.hpp.
// Commands end when the host's disk has answered; there is no seek time.
// Not modelled: overlapped and queued commands, security, host protected area, CFA, streaming, microcode.

// Status and error bits (§7.15, §7.9).
constexpr u8 BSY = 0x80, DRDY = 0x40, DF = 0x20, DSC = 0x10, DRQ = 0x08, ERR = 0x01;
constexpr u8 UNC = 0x40, IDNF = 0x10, ABRT = 0x04;
// Device control and device register bits (§7.8, §7.7).
constexpr u8 nIEN = 0x02, SRST = 0x04, HOB = 0x80, DEV = 0x10, LBA = 0x40;
// Interrupt reason of packet commands (§9.8).
constexpr u8 CD = 0x01, IO = 0x02;

// Offsets in the command block.
enum : u32 { reg_data, reg_error, reg_count, reg_low, reg_mid, reg_high, reg_device, reg_status };

// What the host writes; LBA48 commands use each register's previous value too (§7.1).
struct TaskFile {
  u8 features = 0, count = 0, low = 0, mid = 0, high = 0;
};

struct DriveState {
  TaskFile now, before;
  u8 device = 0xa0, status = 0, error = 0;
  bool pending = false;         // INTRQ
  u8 heads = 16, sectors = 63;  // CHS translation
  u8 multiple = 16;             // sectors per block of READ and WRITE MULTIPLE; 0: off
  u8 transfer_mode = 0;         // as SET FEATURES 03 wrote it
  bool write_cache = true, read_ahead = true, smart = true;
  PacketState packet;
};

// What the channel is in the middle of.
enum class Phase : u8 {
  idle,
  disk,     // waits for the host's disk: BSY
  packet,   // takes a command packet
  pio_in,   // the guest reads the buffer
  pio_out,  // the guest fills the buffer
  dma_in,   // the bus master empties the buffer
  dma_out   // the bus master fills it
};
enum class Then : u8 { finish, fill, wrote };  // what the answer of the host's disk is followed by

struct Transfer {
  Phase phase = Phase::idle;
  Then then = Then::finish;
  bool write = false, dma = false, fua = false;
  bool is_packet = false;
  u64 at = 0;         // next sector (disk) or block (disc)
  u32 left = 0;       // sectors or blocks not yet in the buffer
  u32 asked = 0;      // of those, how many the request under way has
  u32 per_block = 1;  // sectors per DRQ
  u32 unit_size = 512;
  u32 size = 0, pos = 0, end = 0;  // of the buffer: filled, moved, end of this DRQ; pos ≤ end ≤ size
  u32 limit = 0;                   // packet: most bytes per DRQ
};

// Registers of the bus master (SFF-8038i §2) and where it stands in its table.
struct BusMaster {
  u8 command = 0, status = 0;
  u32 table = 0;
  u32 next = 0;  // offset of the next descriptor
  u32 address = 0, left = 0;
  bool last = false;
};
constexpr u8 BM_START = 0x01, BM_TO_MEMORY = 0x08;
constexpr u8 BM_ACTIVE = 0x01, BM_ERROR = 0x02, BM_INTERRUPT = 0x04;

constexpr u32 buffer_size = 64 * 1024;

struct ChannelState {
  DriveState drive[2];
  u8 selected = 0, control = 0;
  Transfer t;
  BusMaster bm;
  u64 token = 0;       // of the request under way; 0: none
  u64 last_token = 0;  // outlives resets, so that no old answer is taken for a new one
  u8 buffer[buffer_size] = {};

  void reset() {
    const u64 last = last_token;
    *this = {};
    last_token = last;
  }
};

// What a channel reaches outside.
struct Pins {
  virtual void intrq(bool level) = 0;
  virtual bool dma_read(GuestPhys at, std::span<u8> to) = 0;
  virtual bool dma_write(GuestPhys at, std::span<const u8> from) = 0;
  virtual BlockPort* drive(unsigned unit) = 0;  // null: none
  virtual void guest_error(const char* what) = 0;

 protected:
  ~Pins() = default;
};

// The channel at work; all of its state is `s`.  Thread: vCPU.
class Channel {
 public:
  // `number`: 0 primary, 1 secondary; it only makes serial numbers differ.
  Channel(ChannelState& s, Pins& pins, unsigned number) : s(s), pins(pins), number(number) {}

  void power_on();               // after s.reset()
  u8 read(u32 reg);              // not reg_data
  void write(u32 reg, u8 v);     // not reg_data
  u32 read_data(unsigned size);  // 2 or 4 bytes
  void write_data(unsigned size, u32 v);
  u8 alternate_status();
  void write_control(u8 v);
  void answered(BlockRequest& r);
  void medium_changed(unsigned unit);

  void bm_command(u8 v);
  void bm_status(u8 v);
  void bm_table(u32 v) { s.bm.table = v & ~3u; }

 private:
  // ide_core.cpp
  DriveState& drive() { return s.drive[s.selected]; }
  BlockPort* port() { return pins.drive(s.selected); }
  bool present(unsigned unit) { return pins.drive(unit) != nullptr; }
  bool is_packet_device() { return port()->is_cdrom; }
  bool busy() { return s.t.phase != Phase::idle; }
  void signature(unsigned unit);
  void soft_reset(bool on);
  void raise();
  void update();
  void finish(u8 error = 0);
  void abort() { finish(ABRT); }
  void ask(BlockRequest r, Then then);
  void fill();
  void medium_failed(BlockError e);
  void open_block(bool interrupt);
  void buffer_done();
  void send_buffer(u32 bytes);
  void take_blocks();
  // ide_commands.cpp
  void command(u8 code);
  void disk_command(u8 code);
  bool shared_command(u8 code);
  bool address(bool extended, u64& lba, u32& count);
  void set_address(u64 lba);
  void transfer(bool write, bool dma, bool extended, u32 per_block, bool fua = false);
  void verify(bool extended);
  void native_max(bool extended);
  void set_features();
  void smart();
  void diagnose();
  // ide_identify.cpp
  void identify_disk();
  void identify_disc();
  void string(u32 word, u32 words, std::string_view text);
  void put(u32 word, u16 v) { store_le(s.buffer + word * 2, v); }
  // ide_packet.cpp
  void start_packet();
  void run_packet();
  void packet_done();
  void packet_failed();
  // ide_dma.cpp
  void pump();
  bool next_region();
  void dma_failed(const char* why);

  ChannelState& s;
  Pins& pins;
  const unsigned number;
};
}  // namespace peripherals::ide
