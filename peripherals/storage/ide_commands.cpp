// The ATA command set (§8).

#include "peripherals/storage/ide_core.hpp"

#include <algorithm>
#include <cstring>

namespace peripherals::ide {

void Channel::command(u8 code) {
  if (!present(s.selected)) return;
  DriveState& d = drive();
  constexpr u8 device_reset = 0x08, diagnostic = 0x90;
  if ((d.status & (BSY | DRQ)) && !(code == device_reset && is_packet_device()))
    return pins.guest_error("command written while another is carried out");
  d.pending = false;
  d.error = 0;
  update();
  if (code == device_reset && is_packet_device()) {  // without an interrupt (§9.11)
    s.t = {};
    s.token = 0;
    const u8 selection = d.device & DEV;
    signature(s.selected);
    d.device |= selection;
    return update();
  }
  if (code == diagnostic) return diagnose();
  if (shared_command(code)) return;
  is_packet_device() ? abort() : disk_command(code);
}

// Both drives diagnose themselves; device 0 tells for both (§8.9).
void Channel::diagnose() {
  s.selected = 0;
  for (unsigned unit : {0u, 1u}) signature(unit);
  if (present(0)) raise();
}

// Commands of both kinds of drive; false for the others.
bool Channel::shared_command(u8 code) {
  DriveState& d = drive();
  const bool disc = is_packet_device();
  switch (code) {
    case 0xa0: return disc ? start_packet() : abort(), true;
    case 0xa1:
    case 0xec:
      if (disc == (code == 0xa1)) {
        disc ? identify_disc() : identify_disk();
        return send_buffer(512), true;
      }
      [[fallthrough]];
    case 0x20:  // a packet device answers IDENTIFY DEVICE and READ SECTORS with its signature (§9.12)
      if (!disc) return code == 0xa1 && (abort(), true);
      d.now.count = d.now.low = 1, d.now.mid = 0x14, d.now.high = 0xeb;
      return abort(), true;
    case 0xe5:
    case 0x98: return d.now.count = 0xff, finish(), true;  // CHECK POWER MODE: active
    case 0xe0:
    case 0xe1:
    case 0xe2:
    case 0xe3:
    case 0xe6:  // STANDBY and IDLE (IMMEDIATE), SLEEP
    case 0x94:
    case 0x95:
    case 0x96:
    case 0x97:
    case 0x99: return finish(), true;
    case 0xe7:
    case 0xea:  // FLUSH CACHE (EXT)
      if (disc) return finish(), true;
      return ask({BlockOp::flush, false, 0, 0, 0, {}}, Then::finish), true;
    case 0xef: return set_features(), true;
    default: return false;
  }
}

void Channel::disk_command(u8 code) {
  DriveState& d = drive();
  constexpr bool in = false, out = true, pio = false, dma = true, lba28 = false, lba48 = true;
  switch (code) {
    case 0x20:
    case 0x21: return transfer(in, pio, lba28, 1);
    case 0x24: return transfer(in, pio, lba48, 1);
    case 0x25: return transfer(in, dma, lba48, 1);
    case 0x29: return transfer(in, pio, lba48, d.multiple);
    case 0x30:
    case 0x31:
    case 0x3c: return transfer(out, pio, lba28, 1);
    case 0x34: return transfer(out, pio, lba48, 1);
    case 0x35: return transfer(out, dma, lba48, 1);
    case 0x39: return transfer(out, pio, lba48, d.multiple);
    case 0x3d: return transfer(out, dma, lba48, 1, true);           // WRITE DMA FUA EXT
    case 0xce: return transfer(out, pio, lba48, d.multiple, true);  // WRITE MULTIPLE FUA EXT
    case 0xc4: return transfer(in, pio, lba28, d.multiple);
    case 0xc5: return transfer(out, pio, lba28, d.multiple);
    case 0xc8:
    case 0xc9: return transfer(in, dma, lba28, 1);
    case 0xca:
    case 0xcb: return transfer(out, dma, lba28, 1);
    case 0x40:
    case 0x41: return verify(lba28);
    case 0x42: return verify(lba48);
    case 0x27: return native_max(lba48);
    case 0xf8: return native_max(lba28);
    case 0x91:  // INITIALIZE DEVICE PARAMETERS
      if (!d.now.count) return abort();
      d.heads = u8((d.device & 0xf) + 1), d.sectors = d.now.count;
      return finish();
    case 0xb0: return smart();
    case 0xc6:  // SET MULTIPLE MODE
      if (d.now.count > 16 || (d.now.count & (d.now.count - 1))) return abort();
      d.multiple = d.now.count;
      return finish();
  }
  switch (code & 0xf0) {
    case 0x10: return finish();  // RECALIBRATE
    case 0x70: {                 // SEEK
      u64 lba;
      u32 count;
      d.now.count = 1;
      if (address(lba28, lba, count)) finish();
      return;
    }
  }
  abort();
}

// The sectors a command is about; ends it with IDNF when they are not on the disk (§6.2).
bool Channel::address(bool extended, u64& lba, u32& count) {
  const DriveState& d = drive();
  const TaskFile &n = d.now, &b = d.before;
  count = extended ? u32(b.count << 8 | n.count) : n.count;
  if (!count) count = extended ? 65'536 : 256;
  bool exists = true;
  if (extended) {
    lba = u64(b.high) << 40 | u64(b.mid) << 32 | u64(b.low) << 24 | u64(n.high) << 16 | u64(n.mid) << 8 | n.low;
  } else if (d.device & LBA) {
    lba = u64(d.device & 0xf) << 24 | u64(n.high) << 16 | u64(n.mid) << 8 | n.low;
  } else {
    const u32 head = d.device & 0xf, cylinder = u32(n.high << 8 | n.mid);
    exists = n.low && n.low <= d.sectors && head < d.heads;
    lba = (u64(cylinder) * d.heads + head) * d.sectors + n.low - 1;
  }
  const u64 sectors = port()->size / 512;
  if (exists && lba < sectors && count <= sectors - lba) return true;
  finish(IDNF);
  return false;
}

// Shows a sector's address in the form the command used.
void Channel::set_address(u64 lba) {
  DriveState& d = drive();
  TaskFile& n = d.now;
  if (d.device & LBA) {
    n.low = u8(lba), n.mid = u8(lba >> 8), n.high = u8(lba >> 16);
    d.before.low = u8(lba >> 24), d.before.mid = u8(lba >> 32), d.before.high = u8(lba >> 40);
    d.device = u8((d.device & 0xf0) | (lba >> 24 & 0xf));
  } else {
    const u64 track = lba / d.sectors, cylinder = track / d.heads;
    n.low = u8(lba % d.sectors + 1), n.mid = u8(cylinder), n.high = u8(cylinder >> 8);
    d.device = u8((d.device & 0xf0) | track % d.heads);
  }
}

void Channel::transfer(bool write, bool dma, bool extended, u32 per_block, bool fua) {
  u64 lba;
  u32 count;
  if (!per_block) return abort();  // SET MULTIPLE MODE turned it off
  if (!address(extended, lba, count)) return;
  s.t = {
      .write = write, .dma = dma, .fua = fua || !drive().write_cache, .at = lba, .left = count, .per_block = per_block};
  write ? take_blocks() : fill();
}

void Channel::verify(bool extended) {
  u64 lba;
  u32 count;
  if (address(extended, lba, count)) finish();
}

void Channel::native_max(bool extended) {
  const u64 last = port()->size / 512 - 1;
  drive().device |= LBA;
  set_address(extended ? last : std::min<u64>(last, 0x0fff'fffe));
  finish();
}

// Table 46.  What only changes speed is accepted.
void Channel::set_features() {
  DriveState& d = drive();
  const bool disc = is_packet_device();
  switch (d.now.features) {
    case 0x03: {
      const u8 mode = d.now.count, kind = mode & 0xf8, n = mode & 7;
      const bool ok = kind == 0x00 ? n <= 1 : kind == 0x08 ? n <= 4 : kind == 0x20 ? n <= 2 : kind == 0x40 && n <= 5;
      if (!ok) return abort();
      if (kind >= 0x20) d.transfer_mode = mode;
      return finish();
    }
    case 0x02:
      if (disc) return abort();
      d.write_cache = true;
      return finish();
    case 0x82:  // what is in the cache is written first
      if (disc) return abort();
      d.write_cache = false;
      return ask({BlockOp::flush, false, 0, 0, 0, {}}, Then::finish);
    case 0xaa: d.read_ahead = true; return finish();
    case 0x55: d.read_ahead = false; return finish();
    case 0x05:
    case 0x85:
    case 0x42:
    case 0xc2:
    case 0x66:
    case 0xcc: return disc ? abort() : finish();
    default: return abort();
  }
}

// SMART; mid and high hold its key (§8.41).
void Channel::smart() {
  DriveState& d = drive();
  if (d.now.mid != 0x4f || d.now.high != 0xc2) return abort();
  const u8 what = d.now.features;
  if (!d.smart && what != 0xd8) return abort();
  const auto send = [&] {
    u8 sum = 0;
    for (u32 i = 0; i < 511; ++i) sum = u8(sum + s.buffer[i]);
    s.buffer[511] = u8(-sum);
    s.t = {};
    send_buffer(512);
  };
  switch (what) {
    case 0xd0:  // READ DATA: no attributes; off-line collection never begun
    case 0xd1:  // READ ATTRIBUTE THRESHOLDS
      std::memset(s.buffer, 0, 512);
      s.buffer[0] = 0x10;
      if (what == 0xd0) s.buffer[367] = 0x01, s.buffer[372] = 2, s.buffer[373] = 2;
      return send();
    case 0xd5:  // READ LOG: the directory and an empty error log
      std::memset(s.buffer, 0, 512);
      s.buffer[0] = 1;
      return send();
    case 0xd8: d.smart = true; return finish();
    case 0xd9: d.smart = false; return finish();
    case 0xd2:                   // attribute autosave
    case 0xd4:                   // EXECUTE OFF-LINE IMMEDIATE
    case 0xda: return finish();  // RETURN STATUS: the key unchanged means healthy
    default: return abort();
  }
}
}  // namespace peripherals::ide
