#include "peripherals/scsi/mmc.hpp"

#include <algorithm>

namespace peripherals::scsi::mmc {
namespace {
constexpr u64 cd_blocks = 90 * 60 * 75;  // a medium longer than the longest CD is a DVD
constexpr u16 profile_none = 0, profile_cd = 0x08, profile_dvd = 0x10;

u16 profile(const Drive& d) { return !d.present ? profile_none : d.blocks <= cd_blocks ? profile_cd : profile_dvd; }

// A block address as reserved, minute, second, frame, counted with the 2 s before block 0 (§4.2.3.3).
void put_address(u8* p, u64 block, bool msf) {
  if (!msf) return put32(p, u32(block));
  block += 150;
  p[0] = 0, p[1] = u8(std::min<u64>(block / (75 * 60), 255)), p[2] = u8(block / 75 % 60), p[3] = u8(block % 75);
}

// READ TOC/PMA/ATIP, formats 0 to 2 (§6.26).
bool read_toc(const Drive& d, const u8* cdb, std::vector<u8>& out) {
  const bool msf = cdb[1] & 2;
  const u8 format = cdb[2] & 0xf ? cdb[2] & 0xf : cdb[9] >> 6, start = cdb[6];
  const auto descriptor = [&](u8 adr_control, u8 track, u64 block) {
    const std::size_t n = out.size();
    out.resize(n + 8);
    out[n + 1] = adr_control, out[n + 2] = track;
    put_address(&out[n + 4], block, msf);
  };
  out.assign({0, 0, 1, 1});  // first and last track, or session
  if (format == 0) {
    if (start > 1 && start != 0xaa) return false;
    if (start <= 1) descriptor(0x14, 1, 0);
    descriptor(0x14, 0xaa, d.blocks);  // lead-out
  } else if (format == 1) {
    descriptor(0x14, 1, 0);
  } else if (format == 2) {  // point, zero time, P time
    const auto raw = [&](u8 point, u8 pmin, u8 psec, u8 pframe) {
      out.insert(out.end(), {1, 0x14, 0, point, 0, 0, 0, 0, pmin, psec, pframe});
    };
    u8 end[4], begin[4];
    put_address(end, d.blocks, true), put_address(begin, 0, true);
    raw(0xa0, 1, 0, 0), raw(0xa1, 1, 0, 0), raw(0xa2, end[1], end[2], end[3]), raw(1, begin[1], begin[2], begin[3]);
  } else {
    return false;
  }
  put16(out.data(), u32(out.size() - 2));
  return true;
}

// GET CONFIGURATION (§6.5): profile list, core, removable medium, and what reads the medium.
bool get_configuration(const Drive& d, const u8* cdb, std::vector<u8>& out) {
  const u8 rt = cdb[1] & 3;
  const u32 first = be16(cdb + 2);
  if (rt == 3) return false;
  out.assign(8, 0);
  put16(&out[6], profile(d));
  const auto feature = [&](u16 code, u8 flags, bool current, std::initializer_list<u8> rest) {
    if (rt == 2 ? code != first : code < first || (rt == 1 && !current)) return;
    const u8 head[4] = {u8(code >> 8), u8(code), u8(flags | (current ? 1 : 0)), u8(rest.size())};
    out.insert(out.end(), head, head + 4);
    out.insert(out.end(), rest);
  };
  const u16 p = profile(d);
  feature(0x0000, 2, true, {0, profile_dvd, u8(p == profile_dvd), 0, 0, profile_cd, u8(p == profile_cd), 0});
  feature(0x0001, 6, true, {0, 0, 0, d.interface, 1, 0, 0, 0});  // core
  feature(0x0003, 2, true, {0x29, 0, 0, 0});                // removable: tray, eject, lock
  feature(0x0010, 0, d.present, {0, 0, 8, 0, 0, 1, 0, 0});  // random readable: 2048 bytes, one block at a time
  feature(0x001e, 8, p == profile_cd, {0, 0, 0, 0});        // CD read
  feature(0x001f, 0, p == profile_dvd, {});                 // DVD read
  put32(out.data(), u32(out.size() - 4));
  return true;
}

// GET EVENT STATUS NOTIFICATION, polled, media class (§6.6).
bool get_event_status(const Drive& d, const u8* cdb, std::vector<u8>& out) {
  constexpr u8 media = 4;
  if (!(cdb[1] & 1)) return false;  // asynchronous
  if (!(cdb[4] & 1 << media)) {
    out.assign({0, 2, 0x80, 1 << media});  // no event of the classes asked
    return true;
  }
  const u8 event = d.event ? *d.event : 0;
  if (d.event) *d.event = 0;
  out.assign({0, 6, media, 1 << media, event, u8((d.tray_open ? 1 : 0) | (d.present ? 2 : 0)), 0, 0});
  return true;
}

// READ DISC INFORMATION (§6.22): complete, one finished session.
void disc_information(std::vector<u8>& out) {
  out.assign(34, 0);
  out[1] = 32, out[2] = 0x0e;
  out[3] = out[4] = out[5] = out[6] = 1;
  out[7] = 0x20;
}

// READ TRACK INFORMATION (§6.27).
bool track_information(const Drive& d, const u8* cdb, std::vector<u8>& out) {
  const u32 number = be32(cdb + 2);
  const u8 type = cdb[1] & 3;
  if (type == 3 || (type == 0 && number >= d.blocks) || (type != 0 && number != 1)) return false;
  out.assign(36, 0);
  put16(out.data(), 34);
  out[2] = out[3] = 1, out[5] = 4, out[6] = 1;
  put32(&out[24], u32(d.blocks));
  return true;
}

// READ DVD STRUCTURE (§6.23): physical format, copyright, manufacturing, list.
bool dvd_structure(const Drive& d, const u8* cdb, std::vector<u8>& out) {
  if (cdb[1] & 0xf || cdb[6]) return false;
  switch (cdb[7]) {
    case 0x00:
      out.assign(4 + 2048, 0);
      out[4] = 1, out[5] = 0x0f, out[6] = 1;
      put24(&out[9], 0x30000), put24(&out[13], u32(0x30000 + d.blocks - 1));
      break;
    case 0x01: out.assign(4 + 4, 0); break;
    case 0x04: out.assign(4 + 2048, 0); break;
    case 0xff: out.assign({0, 0, 0, 0, 0x00, 0x40, 0x08, 0x04, 0x01, 0x40, 0, 8, 0x04, 0x40, 0x08, 0x04}); break;
    default: return false;
  }
  put16(out.data(), u32(out.size() - 2));
  return true;
}
}  // namespace

Answer execute(const Drive& d, const u8* cdb, std::vector<u8>& out, Sense& sense) {
  u32 allocation = be16(cdb + 7);
  bool good = true, medium = true;
  switch (cdb[0]) {
    case 0x42:
    case 0x43:
    case 0x51:
    case 0x52: break;
    case 0xad: allocation = be16(cdb + 8); break;
    case 0x46:
    case 0x4a: medium = false; break;
    case 0xbd: allocation = be16(cdb + 8), medium = false; break;
    default: return Answer::unknown;
  }
  sense = sense::invalid_field;
  if (medium && !d.present) return sense = d.tray_open ? sense::tray_open : sense::no_medium, Answer::error;
  switch (cdb[0]) {
    case 0x42:  // READ SUB-CHANNEL (§6.24): no audio
      if (!(cdb[2] & 0x40)) out.assign({0, 0x15, 0, 0});
      else if (cdb[3] == 1) out = {0, 0x15, 0, 12, 1, 0x14, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0};
      else if (cdb[3] == 2 || cdb[3] == 3) out.assign(24, 0), out[1] = 0x15, out[3] = 20, out[4] = cdb[3];
      else good = false;
      break;
    case 0x43: good = read_toc(d, cdb, out); break;
    case 0x46: good = get_configuration(d, cdb, out); break;
    case 0x4a: good = get_event_status(d, cdb, out); break;
    case 0x51: disc_information(out); break;
    case 0x52: good = track_information(d, cdb, out); break;
    case 0xad:
      if (profile(d) != profile_dvd) return sense = {5, 0x30, 0x02}, Answer::error;  // incompatible format
      good = dvd_structure(d, cdb, out);
      break;
    case 0xbd: out.assign(8, 0), out[1] = d.tray_open ? 0x10 : 0, out[5] = 1; break;  // MECHANISM STATUS (§6.9)
  }
  if (!good) return out.clear(), Answer::error;
  if (out.size() > allocation) out.resize(allocation);
  sense = sense::none;
  return Answer::reply;
}

std::vector<u8> capabilities_page(const Drive& d) {
  std::vector<u8> p(22, 0);
  p[0] = 0x2a, p[1] = 20;
  p[2] = 0x0b;                           // reads CD-R, CD-RW, DVD-ROM
  p[4] = 0x70;                           // mode 2 forms 1 and 2, multi-session
  p[6] = u8(0x29 | (d.locked ? 2 : 0));  // tray, eject, lock
  put16(&p[8], 706), put16(&p[10], 2), put16(&p[12], 512), put16(&p[14], 706);
  return p;
}

bool read_cd(const u8* cdb, u64& block, u64& count, Sense& sense) {
  const u8 type = cdb[1] >> 2 & 7, fields = cdb[9] & 0xf8;
  block = be32(cdb + 2), count = be24(cdb + 6);
  sense = type != 0 && type != 2 ? sense::wrong_track_mode : sense::invalid_field;
  if ((type != 0 && type != 2) || (fields != 0 && fields != 0x10) || cdb[9] & 6 || cdb[10] & 7) return false;
  if (fields == 0) count = 0;
  return true;
}
}  // namespace peripherals::scsi::mmc
