// The bus master: moves the channel's buffer through a table of physical regions (SFF-8038i §1.2, §2).

#include "peripherals/storage/ide_core.hpp"

#include <algorithm>

namespace peripherals::ide {

// Starting begins with the first descriptor; stopping forgets where the engine stood (§2.1).
void Channel::bm_command(u8 v) {
  BusMaster& m = s.bm;
  const bool start = !(m.command & BM_START) && (v & BM_START);
  m.command = v & (BM_START | BM_TO_MEMORY);
  if (!(v & BM_START)) m.status &= u8(~BM_ACTIVE);
  if (!start) return;
  m.next = m.left = 0, m.last = false;
  m.status |= BM_ACTIVE;
  pump();
}

// Interrupt and error are cleared by writing 1; the two bits that say what drives can do are storage (§2.2).
void Channel::bm_status(u8 v) {
  constexpr u8 capable = 0x60;
  s.bm.status = u8((s.bm.status & ~capable & ~(v & (BM_ERROR | BM_INTERRUPT))) | (v & capable));
}

// A descriptor: address, byte count (0 is 64 KiB), bit 31 of the second word ends the table (§1.2).
bool Channel::next_region() {
  BusMaster& m = s.bm;
  // The table must not cross a 64 KiB boundary: a longer one has no end.
  if (m.next >= 0x1'0000) return dma_failed("bus master table without an end"), false;
  u8 entry[8];
  if (!pins.dma_read(GuestPhys{u32(m.table + m.next)}, entry))
    return dma_failed("bus master table is not in memory"), false;
  m.next += 8;
  m.address = load_le<u32>(entry) & ~1u;
  m.left = load_le<u32>(entry + 4) & 0xfffe;
  if (!m.left) m.left = 0x1'0000;
  m.last = entry[7] & 0x80;
  return true;
}

void Channel::dma_failed(const char* why) {
  pins.guest_error(why);
  s.bm.status = u8((s.bm.status & ~BM_ACTIVE) | BM_ERROR);
  if (!s.t.is_packet) return abort();
  refuse(drive().packet, 0x0b, 0);  // aborted command
  packet_failed();
}

// Moves until the buffer is through, the table ends, or nobody started the engine.  A table shorter than the data
// leaves the drive asking for more, without an interrupt (§3.1).
void Channel::pump() {
  BusMaster& m = s.bm;
  const bool in = s.t.phase == Phase::dma_in;
  if (!in && s.t.phase != Phase::dma_out) return;
  while (s.t.pos < s.t.size) {
    if (!(m.status & BM_ACTIVE)) return;
    if (in != bool(m.command & BM_TO_MEMORY)) return pins.guest_error("bus master started in the other direction");
    if (!m.left && !next_region()) return;
    const u32 n = std::min(m.left, s.t.size - s.t.pos);
    const std::span<u8> part(s.buffer + s.t.pos, n);
    if (!(in ? pins.dma_write(GuestPhys{m.address}, part) : pins.dma_read(GuestPhys{m.address}, part)))
      return dma_failed("bus master region is not memory");
    s.t.pos += n, m.address += n, m.left -= n;
    if (!m.left && m.last) m.status &= u8(~BM_ACTIVE);
  }
  buffer_done();
}
}  // namespace peripherals::ide
