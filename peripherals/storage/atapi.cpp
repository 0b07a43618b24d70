#include "peripherals/storage/atapi.hpp"

#include "peripherals/scsi/mmc.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace peripherals::ide {
namespace {
using scsi::be16, scsi::be24, scsi::be32, scsi::put16, scsi::put32;

constexpr u8 key_not_ready = 2, key_illegal = 5, key_attention = 6;
constexpr u8 event_new_media = 2, event_removal = 3;  // §6.6.2.4

// Minutes, seconds, frames of a block; the program area begins two seconds in.
void put_msf(std::span<u8> p, u32 at, u32 block) {
  block += 150;
  p[at] = u8(block / 75 / 60), p[at + 1] = u8(block / 75 % 60), p[at + 2] = u8(block % 75);
}

// One command being carried out.
struct Command {
  PacketState& state;
  BlockPort& drive;
  std::span<const u8, packet_size> cdb;
  std::span<u8> out;

  bool ready() const { return drive.inserted() && !drive.tray_open; }
  u32 blocks() const { return u32(std::min<u64>(drive.size / disc_block, 0xffff'ffff)); }
  scsi::mmc::Drive mmc() {
    return {ready(), drive.tray_open, drive.locked, blocks(), &state.event, scsi::mmc::interface_atapi};
  }
  PacketOutcome illegal(u8 code) { return refuse(state, key_illegal, code); }
  PacketOutcome invalid_field() { return illegal(0x24); }
  // `bytes` of `out`, or as many as the host allocated.
  PacketOutcome reply(u32 bytes, u32 allocated) {
    const u32 n = std::min(bytes, allocated);
    return {.what = n ? PacketOutcome::reply : PacketOutcome::done, .bytes = n};
  }
  PacketOutcome reply(std::span<const u8> data, u32 allocated) {
    std::copy(data.begin(), data.end(), out.begin());
    return reply(u32(data.size()), allocated);
  }

  PacketOutcome run();
  PacketOutcome read(u32 block, u32 count, u32 size);
  PacketOutcome read_cd(u32 block, u32 count);
  PacketOutcome request_sense();
  PacketOutcome inquiry();
  PacketOutcome mode_sense();
  PacketOutcome start_stop();
  PacketOutcome of_the_medium();
};

PacketOutcome Command::read(u32 block, u32 count, u32 size) {
  if (block > blocks() || count > blocks() - block) return illegal(0x21);
  return {
      .what = count ? PacketOutcome::read : PacketOutcome::done, .block = block, .blocks = count, .block_size = size};
}

// Byte 9 chooses the parts of a sector: nothing, the user data, or all of it (§6.15).
PacketOutcome Command::read_cd(u32 block, u32 count) {
  switch (cdb[9] & 0xf8) {
    case 0x00: return {};
    case 0x10: return read(block, count, disc_block);
    case 0xf8: return read(block, count, raw_block);
    default: return invalid_field();
  }
}

PacketOutcome Command::request_sense() {
  if (state.attention) state.attention = false, state.sense = {key_attention, 0x28, 0};
  out[0] = 0x70;  // current error
  out[2] = state.sense.key;
  out[7] = 10;
  out[12] = state.sense.asc, out[13] = state.sense.ascq;
  state.sense = {};
  return reply(18, cdb[4]);
}

PacketOutcome Command::inquiry() {
  if (cdb[1] & 3 || cdb[2]) return invalid_field();  // no vital product data
  out[0] = 5;                                        // CD-ROM
  out[1] = 0x80;                                     // removable
  out[3] = 0x21;                                     // ATAPI transport, response format 1
  out[4] = 31;
  std::memcpy(&out[8], "PINSTRAPDVD-ROM         0.1 ", 28);
  return reply(36, be16(&cdb[3]));
}

// Pages: error recovery 01, CD audio control 0E, capabilities 2A (annex on mode pages).
PacketOutcome Command::mode_sense() {
  const u32 control = cdb[2] >> 6, page = cdb[2] & 0x3f;
  if (control == 3) return illegal(0x39);  // saving is not supported
  if (page != 0x01 && page != 0x0e && page != 0x2a && page != 0x3f) return invalid_field();
  const auto wants = [&](u32 p) { return page == p || page == 0x3f; };
  u32 n = 8;
  const bool changeable = control == 1;
  out[2] = ready() ? 0x01 : 0x70;  // medium type
  if (wants(0x01)) {
    out[n] = 0x01, out[n + 1] = 6;
    if (!changeable) out[n + 3] = 5;  // retries
    n += 8;
  }
  if (wants(0x0e)) {
    out[n] = 0x0e, out[n + 1] = 14;
    if (!changeable) out[n + 2] = 4, out[n + 7] = 75;
    n += 16;
  }
  if (wants(0x2a)) {
    const std::vector<u8> capabilities = scsi::mmc::capabilities_page(mmc());
    std::copy_n(capabilities.begin(), changeable ? 2 : capabilities.size(), out.begin() + n);
    n += u32(capabilities.size());
  }
  put16(&out[0], n - 2);
  return reply(n, be16(&cdb[7]));
}

// LoEj and Start (§6.45).
PacketOutcome Command::start_stop() {
  const bool start = cdb[4] & 1, load_eject = cdb[4] & 2;
  if (!load_eject) return {};
  if (!start && drive.locked) return refuse(state, drive.inserted() ? key_illegal : key_not_ready, 0x53, 0x02);
  const bool open = !start;
  if (open == drive.tray_open) return {};
  drive.tray_open = open;
  if (drive.tray_moved) drive.tray_moved(open);
  if (!open) medium_changed(state, drive);
  else state.event = event_removal;
  return {};
}

// What SCSI drives are asked too.
PacketOutcome Command::of_the_medium() {
  std::vector<u8> data;
  Sense why;
  if (scsi::mmc::execute(mmc(), cdb.data(), data, why) == scsi::mmc::Answer::error)
    return refuse(state, why.key, why.asc, why.ascq);
  return reply(std::span<const u8>(data), u32(data.size()));
}

struct Known {
  u8 code;
  bool needs_medium;
  bool before_attention;  // answered though a new medium has not been told of (SPC-2 §5.9.4)
};
constexpr Known known[] = {{0x00, true, false},  {0x03, false, true}, {0x12, false, true},  {0x1b, false, false},
                           {0x1e, false, false}, {0x25, true, false}, {0x28, true, false},  {0x2b, true, false},
                           {0x42, true, false},  {0x43, true, false}, {0x46, false, true},  {0x4a, false, true},
                           {0x51, true, false},  {0x52, true, false}, {0x55, false, false}, {0x5a, false, false},
                           {0xa8, true, false},  {0xad, true, false}, {0xb9, true, false},  {0xbb, false, false},
                           {0xbd, false, false}, {0xbe, true, false}};

PacketOutcome Command::run() {
  const auto* k = std::find_if(std::begin(known), std::end(known), [&](const Known& e) { return e.code == cdb[0]; });
  if (k == std::end(known)) return illegal(0x20);
  if (state.attention && !k->before_attention) {
    state.attention = false;
    return refuse(state, key_attention, 0x28);
  }
  if (k->needs_medium && !ready()) return refuse(state, key_not_ready, 0x3a, drive.tray_open ? 0x02 : 0x01);
  if (cdb[0] != 0x03) state.sense = {};
  std::fill(out.begin(), out.end(), u8(0));
  switch (cdb[0]) {
    case 0x03: return request_sense();
    case 0x12: return inquiry();
    case 0x1b: return start_stop();
    case 0x1e: drive.locked = cdb[4] & 1; return {};  // PREVENT ALLOW MEDIUM REMOVAL
    case 0x25:                                        // READ CAPACITY
      put32(&out[0], blocks() ? blocks() - 1 : 0), put32(&out[4], disc_block);
      return reply(8, 8);
    case 0x28: return read(be32(&cdb[2]), be16(&cdb[7]), disc_block);
    case 0xa8: return read(be32(&cdb[2]), be32(&cdb[6]), disc_block);
    case 0x2b: return be32(&cdb[2]) < blocks() ? PacketOutcome{} : illegal(0x21);  // SEEK
    case 0x55:
      return {.what = be16(&cdb[7]) ? PacketOutcome::take : PacketOutcome::done, .bytes = be16(&cdb[7])};  // MODE SELECT
    case 0x5a: return mode_sense();
    case 0xbe: return read_cd(be32(&cdb[2]), be24(&cdb[6]));
    case 0xb9: {  // READ CD MSF
      const auto block = [&](u32 at) { return (u32(cdb[at]) * 60 + cdb[at + 1]) * 75 + cdb[at + 2]; };
      if (block(3) < 150 || block(6) < block(3)) return invalid_field();
      return read_cd(block(3) - 150, block(6) - block(3));
    }
    case 0x00:
    case 0xbb: return {};  // TEST UNIT READY, SET CD SPEED
    default: return of_the_medium();
  }
}
}  // namespace

PacketOutcome refuse(PacketState& state, u8 key, u8 code, u8 qualifier) {
  state.sense = {key, code, qualifier};
  return {.what = PacketOutcome::refused};
}

PacketOutcome execute_packet(PacketState& state, BlockPort& drive, std::span<const u8, packet_size> packet,
                             std::span<u8> reply) {
  return Command{state, drive, packet, reply}.run();
}

void medium_changed(PacketState& state, const BlockPort& drive) {
  const bool there = drive.inserted() && !drive.tray_open;
  state.attention = there;
  state.event = there ? event_new_media : event_removal;
}

void frame_sector(std::span<u8, raw_block> sector, u32 block) {
  const auto bcd = [](u8 n) { return u8(n / 10 << 4 | n % 10); };
  sector[0] = sector[11] = 0;
  std::fill(sector.begin() + 1, sector.begin() + 11, u8(0xff));
  put_msf(sector, 12, block);
  for (u32 i = 12; i < 15; ++i) sector[i] = bcd(sector[i]);
  sector[15] = 1;
  std::fill(sector.begin() + 16 + disc_block, sector.end(), u8(0));
}
}  // namespace peripherals::ide
