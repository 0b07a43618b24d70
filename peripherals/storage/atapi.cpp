#include "peripherals/storage/atapi.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace peripherals::ide {
namespace {
constexpr u8 key_not_ready = 2, key_illegal = 5, key_attention = 6;
constexpr u8 event_new_media = 2, event_removal = 3;  // §6.6.2.4
// A longer disc is a DVD: 80 minutes of 75 blocks.
constexpr u32 largest_cd = 80 * 60 * 75;

u16 be16(std::span<const u8> p, u32 at) { return u16(p[at] << 8 | p[at + 1]); }
u32 be24(std::span<const u8> p, u32 at) { return u32(p[at]) << 16 | be16(p, at + 1); }
u32 be32(std::span<const u8> p, u32 at) { return u32(be16(p, at)) << 16 | be16(p, at + 2); }
void put16(std::span<u8> p, u32 at, u32 v) { p[at] = u8(v >> 8), p[at + 1] = u8(v); }
void put32(std::span<u8> p, u32 at, u32 v) { put16(p, at, v >> 16), put16(p, at + 2, v); }
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
  bool is_dvd() const { return blocks() > largest_cd; }
  PacketOutcome illegal(u8 code) { return refuse(state, key_illegal, code); }
  PacketOutcome invalid_field() { return illegal(0x24); }
  // `bytes` of `out`, or as many as the host allocated.
  PacketOutcome reply(u32 bytes, u32 allocated) {
    const u32 n = std::min(bytes, allocated);
    return {.what = n ? PacketOutcome::reply : PacketOutcome::done, .bytes = n};
  }

  PacketOutcome run();
  PacketOutcome read(u32 block, u32 count, u32 size);
  PacketOutcome read_cd(u32 block, u32 count);
  PacketOutcome request_sense();
  PacketOutcome inquiry();
  PacketOutcome mode_sense();
  PacketOutcome start_stop();
  PacketOutcome read_toc();
  PacketOutcome event_status();
  PacketOutcome configuration();
  PacketOutcome disc_information();
  PacketOutcome track_information();
  PacketOutcome dvd_structure();
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
  out[12] = state.sense.code, out[13] = state.sense.qualifier;
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
  return reply(36, be16(cdb, 3));
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
    out[n] = 0x2a, out[n + 1] = 18;
    if (!changeable) {
      out[n + 2] = 0x08;                                // reads DVD-ROM
      out[n + 4] = 0x70;                                // multisession, mode 2 forms
      out[n + 5] = 0x02;                                // READ CD
      out[n + 6] = u8(0x29 | (drive.locked ? 2 : 0));   // tray, ejects, locks
      put16(out, n + 8, 706), put16(out, n + 14, 706);  // kB/s, fastest and now
      put16(out, n + 12, 512);                          // buffer, KiB
    }
    n += 20;
  }
  put16(out, 0, n - 2);
  return reply(n, be16(cdb, 7));
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

// Formats 0 (tracks), 1 (sessions) and 2 (full); one track, one session (§6.26).
PacketOutcome Command::read_toc() {
  const bool msf = cdb[1] & 2;
  const u32 format = cdb[2] & 0xf ? cdb[2] & 0xf : cdb[9] >> 6, allocated = be16(cdb, 7), start = cdb[6];
  const auto address = [&](u32 at, u32 block) { msf ? put_msf(out, at + 1, block) : put32(out, at, block); };
  u32 n = 4;
  out[2] = out[3] = 1;
  if (format == 0) {
    if (start > 1 && start != 0xaa) return invalid_field();
    if (start <= 1) {
      out[n + 1] = 0x14, out[n + 2] = 1;  // data track
      address(n + 4, 0), n += 8;
    }
    out[n + 1] = 0x16, out[n + 2] = 0xaa;
    address(n + 4, blocks()), n += 8;
  } else if (format == 1) {
    out[n + 1] = 0x14, out[n + 2] = 1;
    address(n + 4, 0), n += 8;
  } else if (format == 2) {
    const struct { u8 point, low; } points[] = {{0xa0, 1}, {0xa1, 1}, {0xa2, 0}, {1, 0}};
    for (const auto& p : points) {
      out[n] = 1, out[n + 1] = 0x14, out[n + 3] = p.point;
      if (p.point == 0xa2) put_msf(out, n + 8, blocks());
      else if (p.point == 1) put_msf(out, n + 8, 0);
      else out[n + 8] = p.low;
      n += 11;
    }
  } else {
    return invalid_field();
  }
  put16(out, 0, n - 2);
  return reply(n, allocated);
}

// Only asked, not waited for; media events (§6.6).
PacketOutcome Command::event_status() {
  if (!(cdb[1] & 1)) return invalid_field();
  const bool media = cdb[4] & 0x10;
  out[2] = media ? 4 : 0x80;  // class, or none of those asked for
  out[3] = 0x10;              // classes there are
  if (media) {
    out[4] = state.event;
    out[5] = u8((drive.tray_open ? 1 : 0) | (ready() ? 2 : 0));
    state.event = 0;
  }
  put16(out, 0, media ? 6 : 2);
  return reply(media ? 8 : 4, be16(cdb, 7));
}

// Features: profile list, core, removable medium, random readable, CD read, DVD read (§5.3).
PacketOutcome Command::configuration() {
  const u32 asked = cdb[1] & 3, first = be16(cdb, 2);
  if (asked == 3) return invalid_field();
  const u16 profile = !ready() ? 0 : is_dvd() ? 0x10 : 0x08;
  u32 n = 8;
  const auto add = [&](u16 code, u8 version, bool current, std::initializer_list<u8> data) {
    if (asked == 2 ? code != first : code < first) return;
    if (asked == 1 && !current) return;
    put16(out, n, code);
    out[n + 2] = u8(version << 2 | (version == 0 && (code <= 1 || code == 3) ? 3 : current ? 1 : 0));
    out[n + 3] = u8(data.size());
    std::copy(data.begin(), data.end(), out.begin() + n + 4);
    n += 4 + u32(data.size());
  };
  const bool cd = profile == 0x08, dvd = profile == 0x10;
  add(0x0000, 0, true, {0, 0x10, u8(dvd), 0, 0, 0x08, u8(cd), 0});
  add(0x0001, 0, true, {0, 0, 0, 2});     // ATAPI
  add(0x0003, 0, true, {0x29, 0, 0, 0});  // tray, ejects, locks
  add(0x0010, 0, profile != 0, {0, 0, 8, 0, 0, 1, 0, 0});
  add(0x001e, 0, cd, {});
  add(0x001f, 0, dvd, {});
  put32(out, 0, n - 4);
  put16(out, 6, profile);
  return reply(n, be16(cdb, 7));
}

// A finished disc with one session (§6.21).
PacketOutcome Command::disc_information() {
  out[2] = 0x0e;
  out[3] = out[4] = out[5] = out[6] = 1;
  out[7] = 0x20;
  put16(out, 0, 32);
  return reply(34, be16(cdb, 7));
}

PacketOutcome Command::track_information() {
  const u32 kind = cdb[1] & 3, number = be32(cdb, 2);
  if (kind == 3 || (kind != 0 && number > 1) || (kind == 0 && number >= blocks())) return invalid_field();
  out[2] = out[3] = 1;
  out[5] = 4;  // data
  out[6] = 1;  // mode 1
  put32(out, 24, blocks());
  put16(out, 0, 34);
  return reply(36, be16(cdb, 7));
}

// Formats 0 (physical), 1 (copyright: none), 4 (manufacturer) (§6.22).
PacketOutcome Command::dvd_structure() {
  if (!is_dvd()) return refuse(state, key_illegal, 0x30, 0x02);
  const u32 format = cdb[7], allocated = be16(cdb, 8);
  if (cdb[6]) return invalid_field();
  u32 n;
  if (format == 0) {
    n = 20;
    out[4] = 0x01, out[5] = 0x0f, out[6] = 0x01;  // DVD-ROM, 120 mm, one embossed layer
    put32(out, 8, 0x30000);
    put32(out, 12, 0x30000 + blocks() - 1);
  } else if (format == 1) {
    n = 8;
  } else if (format == 4) {
    n = 2052;
  } else {
    return invalid_field();
  }
  put16(out, 0, n - 2);
  return reply(n, allocated);
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
      put32(out, 0, blocks() ? blocks() - 1 : 0), put32(out, 4, disc_block);
      return reply(8, 8);
    case 0x28: return read(be32(cdb, 2), be16(cdb, 7), disc_block);
    case 0xa8: return read(be32(cdb, 2), be32(cdb, 6), disc_block);
    case 0x2b: return be32(cdb, 2) < blocks() ? PacketOutcome{} : illegal(0x21);  // SEEK
    case 0x42:                                                                    // READ SUB-CHANNEL: no audio
      out[1] = 0x15;
      return reply(4, be16(cdb, 7));
    case 0x43: return read_toc();
    case 0x46: return configuration();
    case 0x4a: return event_status();
    case 0x51: return disc_information();
    case 0x52: return track_information();
    case 0x55:
      return {.what = be16(cdb, 7) ? PacketOutcome::take : PacketOutcome::done, .bytes = be16(cdb, 7)};  // MODE SELECT
    case 0x5a: return mode_sense();
    case 0xad: return dvd_structure();
    case 0xbd:  // MECHANISM STATUS: no changer
      out[5] = 1;
      return reply(8, be16(cdb, 8));
    case 0xbe: return read_cd(be32(cdb, 2), be24(cdb, 6));
    case 0xb9: {  // READ CD MSF
      const auto block = [&](u32 at) { return (u32(cdb[at]) * 60 + cdb[at + 1]) * 75 + cdb[at + 2]; };
      if (block(3) < 150 || block(6) < block(3)) return invalid_field();
      return read_cd(block(3) - 150, block(6) - block(3));
    }
    default: return {};  // TEST UNIT READY, SET CD SPEED
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
