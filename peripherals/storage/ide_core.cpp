// Registers, resets, interrupts, and the movement of data between buffer, guest and disk.

#include "peripherals/storage/ide_core.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace peripherals::ide {

void Channel::power_on() {
  for (unsigned unit : {0u, 1u}) {
    if (BlockPort* p = pins.drive(unit)) {
      s.drive[unit].write_cache = p->write_cache;
      if (p->is_cdrom) p->locked = false;
    }
    signature(unit);
  }
  update();
}

// What a drive shows after resets and EXECUTE DEVICE DIAGNOSTIC (§9.12).
void Channel::signature(unsigned unit) {
  DriveState& d = s.drive[unit];
  const BlockPort* p = pins.drive(unit);
  d.device &= u8(~(DEV | 0x0f));
  d.error = 1;
  d.pending = false;
  d.now = {.features = d.now.features, .count = 1, .low = 1};
  d.before = {};
  if (!p) d.status = 0, d.now.mid = d.now.high = 0xff;
  else if (p->is_cdrom) d.status = 0, d.now.mid = 0x14, d.now.high = 0xeb;
  else d.status = DRDY | DSC;
}

// SRST ends what the channel was doing; what the host's disk still answers is dropped (§9.2).
void Channel::soft_reset(bool on) {
  s.t = {};
  s.token = 0;
  s.selected = 0;
  for (unsigned unit : {0u, 1u}) {
    signature(unit);
    s.drive[unit].device &= u8(~DEV);
    if (on && present(unit)) s.drive[unit].status = BSY;
  }
  update();
}

// The selected drive's interrupt reaches the line unless nIEN holds it off (§7.8).
void Channel::update() { pins.intrq(present(s.selected) && drive().pending && !(s.control & nIEN)); }

void Channel::raise() {
  drive().pending = true;
  if (!(s.control & nIEN)) s.bm.status |= BM_INTERRUPT;
  update();
}

// Alone, device 0 answers for device 1 with a status of 0 (§9.16.1); an empty channel reads as 0.
u8 Channel::read(u32 reg) {
  DriveState& d = drive();
  if (!present(0) && !present(1)) return 0;
  const TaskFile& file = s.control & HOB ? d.before : d.now;
  switch (reg) {
    case reg_error: return present(s.selected) ? d.error : 0;
    case reg_count: return file.count;
    case reg_low: return file.low;
    case reg_mid: return file.mid;
    case reg_high: return file.high;
    case reg_device: return d.device | 0xa0;
    case reg_status:
      d.pending = false;
      update();
      return alternate_status();
    default: return 0;
  }
}

u8 Channel::alternate_status() { return present(s.selected) ? drive().status : 0; }

// Both drives take what is written, whichever is selected (§7.1).
void Channel::write(u32 reg, u8 v) {
  if (reg == reg_status) return command(v);
  if (!present(0) && !present(1)) return;
  if (drive().status & (BSY | DRQ)) return pins.guest_error("register written while a command is carried out");
  s.control &= u8(~HOB);
  for (DriveState& d : s.drive) {
    switch (reg) {
      case reg_error: d.before.features = std::exchange(d.now.features, v); break;
      case reg_count: d.before.count = std::exchange(d.now.count, v); break;
      case reg_low: d.before.low = std::exchange(d.now.low, v); break;
      case reg_mid: d.before.mid = std::exchange(d.now.mid, v); break;
      case reg_high: d.before.high = std::exchange(d.now.high, v); break;
      case reg_device: d.device = v | 0xa0; break;
    }
  }
  if (reg == reg_device) s.selected = v & DEV ? 1 : 0;
  update();
}

void Channel::write_control(u8 v) {
  const u8 changed = s.control ^ v;
  s.control = v;
  if (changed & SRST) soft_reset(v & SRST);
  update();
}

void Channel::medium_changed(unsigned unit) {
  const BlockPort* p = pins.drive(unit);
  if (p && p->is_cdrom) ide::medium_changed(s.drive[unit].packet, *p);
}

// The end of a command; with an error the address registers are already set.
void Channel::finish(u8 error) {
  s.t = {};
  DriveState& d = drive();
  d.error = error;
  d.status = u8(DRDY | DSC | (error ? ERR : 0));
  raise();
}

// Nothing may follow a call: the answer can come within it.
void Channel::ask(BlockRequest r, Then then) {
  s.t.phase = Phase::disk;
  s.t.then = then;
  drive().status = u8(BSY | DRDY | DSC);
  r.token = s.token = ++s.last_token;
  port()->submit(std::move(r));
}

// Asks for as much as the buffer holds, in whole blocks, so that the guest rarely waits for the host.
void Channel::fill() {
  const u32 most = buffer_size / s.t.unit_size / s.t.per_block * s.t.per_block;
  s.t.asked = std::min(s.t.left, most);
  const u32 on_medium = s.t.is_packet ? disc_block : 512;
  ask({BlockOp::read, false, s.t.at * on_medium, u64(s.t.asked) * on_medium, 0, {}}, Then::fill);
}

void Channel::answered(BlockRequest& r) {
  if (!s.token || r.token != s.token) return;  // of a command that a reset ended
  s.token = 0;
  if (r.error != BlockError::none) return medium_failed(r.error);
  switch (s.t.then) {
    case Then::finish: return finish();
    case Then::fill:
      if (s.t.unit_size == raw_block) {
        for (u32 i = 0; i < s.t.asked; ++i) {
          const std::span<u8, raw_block> sector(s.buffer + i * raw_block, raw_block);
          std::memcpy(&sector[16], r.data.data() + i * disc_block, disc_block);
          frame_sector(sector, u32(s.t.at) + i);
        }
      } else {
        std::memcpy(s.buffer, r.data.data(), std::min<std::size_t>(r.data.size(), buffer_size));
      }
      s.t.at += s.t.asked, s.t.left -= s.t.asked;
      if (!s.t.is_packet) set_address(s.t.at - 1);
      return send_buffer(s.t.asked * s.t.unit_size);
    case Then::wrote:
      s.t.at += s.t.asked, s.t.left -= s.t.asked;
      set_address(s.t.at - 1);
      return s.t.left ? take_blocks() : finish();
  }
}

void Channel::medium_failed(BlockError e) {
  if (s.t.is_packet) {
    refuse(drive().packet, 3, 0x11);  // medium error, unrecovered read error
    return packet_failed();
  }
  const bool reads = s.t.then == Then::fill;
  if (reads || s.t.then == Then::wrote) set_address(s.t.at);
  finish(e == BlockError::out_of_range ? IDNF : e == BlockError::io && reads ? UNC : ABRT);
}

// `bytes` bytes of the buffer go to the guest.
void Channel::send_buffer(u32 bytes) {
  s.t.size = bytes, s.t.pos = 0;
  if (!s.t.dma) {
    s.t.phase = Phase::pio_in;
    return open_block(true);
  }
  s.t.phase = Phase::dma_in;
  drive().status = u8(BSY | DRDY | DSC | DRQ);
  pump();
}

// The next sectors come from the guest.
void Channel::take_blocks() {
  const bool first = s.t.size == 0;
  s.t.asked = std::min(s.t.left, s.t.dma ? buffer_size / 512 : s.t.per_block);
  s.t.size = s.t.asked * 512, s.t.pos = 0;
  if (!s.t.dma) {
    s.t.phase = Phase::pio_out;
    return open_block(!first);  // the first block is asked for without an interrupt (§9.6)
  }
  s.t.phase = Phase::dma_out;
  drive().status = u8(BSY | DRDY | DSC | DRQ);
  pump();
}

// Offers the guest the next DRQ block of the buffer.
void Channel::open_block(bool interrupt) {
  DriveState& d = drive();
  u32 n = s.t.per_block * 512;
  if (s.t.is_packet) {
    n = std::min(s.t.limit, s.t.size - s.t.pos);
    d.now.mid = u8(n), d.now.high = u8(n >> 8);
    d.now.count = s.t.phase == Phase::pio_in ? IO : 0;
  }
  s.t.end = std::min(s.t.pos + n, s.t.size);
  d.status = u8(DRDY | DSC | DRQ);
  if (interrupt) raise();
}

u32 Channel::read_data(unsigned size) {
  if (s.t.phase != Phase::pio_in) {
    if (present(s.selected)) pins.guest_error("data register read while there is no data");
    return 0;
  }
  const u32 n = std::min<u32>(size, s.t.end - s.t.pos);
  u32 v = 0;
  std::memcpy(&v, s.buffer + s.t.pos, n);
  s.t.pos += n;
  if (s.t.pos == s.t.end) buffer_done();
  return v;
}

void Channel::write_data(unsigned size, u32 v) {
  if (s.t.phase != Phase::pio_out && s.t.phase != Phase::packet) {
    if (present(s.selected)) pins.guest_error("data register written while no data is wanted");
    return;
  }
  const u32 n = std::min<u32>(size, s.t.end - s.t.pos);
  std::memcpy(s.buffer + s.t.pos, &v, n);
  s.t.pos += n;
  if (s.t.pos == s.t.end) buffer_done();
}

// A DRQ block, or what the bus master moves, is through.
void Channel::buffer_done() {
  switch (s.t.phase) {
    case Phase::packet: return run_packet();
    case Phase::pio_in:
    case Phase::dma_in:
      if (s.t.pos < s.t.size) return open_block(true);
      if (s.t.left) return fill();
      if (s.t.is_packet) return packet_done();
      if (s.t.dma) return finish();
      // The last block's interrupt was the command's last (§9.5).
      s.t = {};
      drive().status = DRDY | DSC;
      return;
    case Phase::pio_out:
    case Phase::dma_out:
      if (s.t.is_packet) return s.t.pos < s.t.size ? open_block(true) : packet_done();
      return ask({BlockOp::write, s.t.fua, s.t.at * 512, s.t.size, 0, std::vector<u8>(s.buffer, s.buffer + s.t.size)},
                 Then::wrote);
    default: return;
  }
}
}  // namespace peripherals::ide
