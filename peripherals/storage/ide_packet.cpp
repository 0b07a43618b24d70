// How packet commands and their data travel (§9.8 to §9.10).

#include "peripherals/storage/ide_core.hpp"

#include <algorithm>

namespace peripherals::ide {

// PACKET: features bit 0 asks for DMA; LBA mid and high limit the bytes per DRQ (§8.23).
void Channel::start_packet() {
  DriveState& d = drive();
  if (d.now.features & 2) return abort();  // overlapped
  s.t = {.phase = Phase::packet,
         .dma = bool(d.now.features & 1),
         .is_packet = true,
         .size = packet_size,
         .end = packet_size};
  s.t.limit = u32(d.now.high << 8 | d.now.mid);
  d.now.count = CD;
  d.status = u8(DRDY | DSC | DRQ);  // the packet is asked for without an interrupt
}

void Channel::run_packet() {
  DriveState& d = drive();
  u8 packet[packet_size];
  std::copy_n(s.buffer, packet_size, packet);
  const PacketOutcome o = execute_packet(d.packet, *port(), packet, std::span(s.buffer).first<4096>());
  const bool moves = o.what == PacketOutcome::reply || o.what == PacketOutcome::read || o.what == PacketOutcome::take;
  if (moves && !s.t.dma) {
    if (!s.t.limit) return abort();  // there would be no data in any DRQ
    // Every block but the last is even.
    s.t.limit = s.t.limit == 1 ? 2 : s.t.limit & ~1u;
  }
  switch (o.what) {
    case PacketOutcome::done: return packet_done();
    case PacketOutcome::refused: return packet_failed();
    case PacketOutcome::reply: return send_buffer(o.bytes);
    case PacketOutcome::read: s.t.at = o.block, s.t.left = o.blocks, s.t.unit_size = o.block_size; return fill();
    case PacketOutcome::take:
      s.t.size = o.bytes, s.t.pos = 0;
      s.t.phase = s.t.dma ? Phase::dma_out : Phase::pio_out;
      if (!s.t.dma) return open_block(true);
      d.status = u8(BSY | DRDY | DSC | DRQ);
      return pump();
  }
}

void Channel::packet_done() {
  drive().now.count = CD | IO;
  finish();
}

// CHK, and the sense key in the error register.
void Channel::packet_failed() {
  DriveState& d = drive();
  d.now.count = CD | IO;
  finish(u8(d.packet.sense.key << 4 | ABRT));
}
}  // namespace peripherals::ide
