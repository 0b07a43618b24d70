// INQUIRY and the mode pages of a disk or CD-ROM drive (SPC-3 §6.4, §7.6; §6.9, §7.4; SBC-3 §6.4, §6.5).
#include "peripherals/scsi/scsi_disk.hpp"

#include <algorithm>

namespace peripherals::scsi {
namespace {
constexpr std::string_view vendor = "PINSTRAP", revision = "0.1";

// `text` in a field of `width` bytes, padded with blanks.
void put_text(std::vector<u8>& d, std::string_view text, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) d.push_back(i < text.size() ? u8(text[i]) : u8(' '));
}
}  // namespace

std::string Disk::serial() const { return (port_.serial.empty() ? port_.id : port_.serial).substr(0, 36); }

void Disk::inquiry(Command& c) {
  const u8 type = cd() ? 5 : 0, page = c.cdb[2];
  const u32 allocation = be16(&c.cdb[3]);
  const std::string_view product = cd() ? "CD-ROM" : "HARDDISK";
  std::vector<u8> d;
  if (!(c.cdb[1] & 1)) {
    if (page) return fail(c, sense::invalid_field);
    // SPC-3, response format 2; wide and synchronous transfer, command queuing.
    d = {type, u8(removable() ? 0x80 : 0), 5, 0x12, 31, 0, 0x10, 0x32};
    put_text(d, vendor, 8), put_text(d, product, 16), put_text(d, revision, 4);
    return reply(c, std::move(d), allocation);
  }
  d = {type, page, 0, 0};
  switch (page) {
    case 0x00: d.insert(d.end(), {0x00, 0x80, 0x83}); break;
    case 0x80: put_text(d, serial(), std::max<std::size_t>(serial().size(), 4)); break;
    case 0x83:  // one designator: ASCII, T10 vendor identification, of the logical unit
      d.insert(d.end(), {2, 1, 0, 0});
      put_text(d, vendor, 8), put_text(d, product, 16), put_text(d, serial(), serial().size());
      d[7] = u8(d.size() - 8);
      break;
    case 0xb0:  // block limits
      d.resize(64);
      put32(&d[20], 0x3f'ffff), put32(&d[24], 256);  // UNMAP: blocks and descriptors
      put64(&d[36], 0x3f'ffff);                      // WRITE SAME
      break;
    case 0xb1: d.resize(64); break;  // rotation rate: not reported
    case 0xb2:                       // UNMAP and WRITE SAME release blocks; what they read as is not promised
      d.insert(d.end(), {0, u8(port_.read_only ? 0 : 0xe0), u8(port_.read_only ? 0 : 2), 0});
      break;
    default: return fail(c, sense::invalid_field);
  }
  if (page >= 0xb0 && cd()) return fail(c, sense::invalid_field);
  if (page == 0x00 && !cd()) d.insert(d.end(), {0xb0, 0xb1, 0xb2});
  put16(&d[2], u32(d.size() - 4));
  reply(c, std::move(d), allocation);
}

// The mode pages asked for, in ascending order; empty when there is no such page.  control: 0 current, 1 changeable,
// 2 default.
std::vector<u8> Disk::mode_pages(u8 page, u8 control) {
  std::vector<u8> out;
  const auto add = [&](std::vector<u8> p) {
    if (page != 0x3f && page != p[0]) return;
    if (control == 1) std::fill(p.begin() + 2, p.end(), u8(0));
    if (control == 1 && p[0] == 0x08) p[2] = 4;
    out.insert(out.end(), p.begin(), p.end());
  };
  // Geometry of 16 heads and 63 sectors.
  const u32 cylinders = u32(std::min<u64>(blocks() / (16 * 63), 0xff'ffff));
  add({0x01, 10, u8(cd() ? 0 : 0xc0), 0, 0, 0, 0, 0, 0, 0, 0, 0});  // read-write error recovery: AWRE, ARRE
  if (!cd()) {
    std::vector<u8> format(24, 0), rigid(24, 0), flexible(32, 0);
    format[0] = 0x03, format[1] = 22;
    put16(&format[10], 63), put16(&format[12], u32(block_size()));
    format[20] = 0x40;  // hard sectors
    rigid[0] = 0x04, rigid[1] = 22;
    put24(&rigid[2], cylinders), rigid[5] = 16;
    put24(&rigid[6], cylinders), put24(&rigid[9], cylinders);
    put16(&rigid[20], 5400);
    flexible[0] = 0x05, flexible[1] = 30;
    put16(&flexible[2], 5000), flexible[4] = 16, flexible[5] = 63;
    put16(&flexible[6], u32(block_size())), put16(&flexible[8], std::min(cylinders, 0xffffu));
    put16(&flexible[28], 5400);
    add(std::move(format)), add(std::move(rigid)), add(std::move(flexible));
  }
  std::vector<u8> caching(20, 0);
  caching[0] = 0x08, caching[1] = 18;
  caching[2] = (control == 2 ? port_.write_cache : write_cache_) ? 4 : 0;  // WCE
  if (!cd()) add(std::move(caching));
  add({0x0a, 10, 0, 0x10, 0, 0, 0, 0, 0xff, 0xff, 0, 0});  // control: reordering allowed, busy time-out unlimited
  if (cd()) {
    add({0x0d, 6, 0, 5, 0, 60, 0, 75});                              // CD: 60 seconds a minute, 75 frames a second
    add({0x0e, 14, 4, 0, 0, 0, 0, 75, 1, 255, 2, 255, 0, 0, 0, 0});  // audio control
    add(mmc::capabilities_page(drive()));
  }
  return out;
}

// MODE SENSE (SPC-3 §6.9, §6.10).
void Disk::mode_sense(Command& c, bool ten) {
  const u8 page = c.cdb[2] & 0x3f, control = c.cdb[2] >> 6, subpage = c.cdb[3];
  if (control == 3) return fail(c, sense::no_saved_pages);
  const std::vector<u8> pages = mode_pages(page, control);
  if ((pages.empty() && page) || (subpage && subpage != 0xff)) return fail(c, sense::invalid_field);
  const bool descriptor = !(c.cdb[1] & 8) && !cd();
  const u8 specific = cd() ? 0 : u8((port_.read_only ? 0x80 : 0) | 0x10);  // WP, DPOFUA
  std::vector<u8> d;
  if (ten) d = {0, 0, 0, specific, 0, 0, 0, u8(descriptor ? 8 : 0)};
  else d = {0, 0, specific, u8(descriptor ? 8 : 0)};
  if (descriptor) {
    u8 b[8] = {};
    put32(b, u32(std::min<u64>(blocks(), 0xff'ffff)));
    put24(b + 5, u32(block_size()));
    d.insert(d.end(), b, b + 8);
  }
  d.insert(d.end(), pages.begin(), pages.end());
  if (ten) put16(d.data(), u32(d.size() - 2));
  else d[0] = u8(std::min<std::size_t>(d.size() - 1, 255));
  reply(c, std::move(d), ten ? be16(&c.cdb[7]) : c.cdb[4]);
}

// MODE SELECT (SPC-3 §6.7, §6.8): the write cache may be switched; every other value must be what it is.
void Disk::mode_select(Command& c, bool ten) {
  const std::vector<u8> d = std::move(c.data);
  const std::size_t header = ten ? 8 : 4;
  if (c.cdb[1] & 1) return fail(c, sense::invalid_field);  // SP: nothing is saved
  if (d.size() < header) return fail(c, sense::parameter_length);
  const std::size_t descriptors = ten ? be16(&d[6]) : d[3];
  if (descriptors && descriptors != 8) return fail(c, sense::invalid_parameter);
  if (d.size() < header + descriptors) return fail(c, sense::parameter_length);
  if (descriptors && be24(&d[header + 5]) != block_size()) return fail(c, sense::invalid_parameter);
  bool cache = write_cache_;
  for (std::size_t at = header + descriptors; at < d.size();) {
    if (at + 2 > d.size() || at + 2 + d[at + 1] > d.size()) return fail(c, sense::parameter_length);
    const u8 code = d[at] & 0x3f;
    std::vector<u8> now = code == 0x3f || d[at] & 0x40 ? std::vector<u8>{} : mode_pages(code, 0);
    if (now.size() != 2u + d[at + 1]) return fail(c, sense::invalid_parameter);
    if (code == 0x08) cache = d[at + 2] & 4, now[2] = u8((now[2] & ~4) | (d[at + 2] & 4));
    if (!std::equal(now.begin() + 2, now.end(), d.begin() + long(at) + 2)) return fail(c, sense::invalid_parameter);
    at += now.size();
  }
  write_cache_ = cache;
  finish(c);
}
}  // namespace peripherals::scsi
