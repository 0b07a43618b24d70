#include "peripherals/storage/fdc82077_core.hpp"

#include <algorithm>

namespace peripherals::fdc82077 {
namespace {
// Status bits (§6.2).
constexpr u8 abnormal = 0x40, invalid = 0x80, attention = 0xc0, seek_end = 0x20, equipment_check = 0x10;  // ST0
constexpr u8 end_of_cylinder = 0x80, data_error = 0x20, no_data = 0x04, not_writable = 0x02,
             missing_mark = 0x01;                                                                                 // ST1
constexpr u8 control_mark = 0x40, data_field = 0x20, wrong_cylinder = 0x10, scan_hit = 0x08, scan_missed = 0x04;  // ST2
constexpr u8 no_mark_in_data = 0x01;
constexpr u8 max_track = 85;  // a drive's mechanical end

// Command codes: the bits of `mask` decide, the others are modifiers (§5, table 5-1).
enum class Command : u8 {
  invalid,
  read_track,
  specify,
  sense_drive,
  write,
  read,
  recalibrate,
  sense_interrupt,
  write_deleted,
  read_id,
  read_deleted,
  format,
  dump,
  seek,
  version,
  scan_equal,
  perpendicular,
  configure,
  lock,
  verify,
  part_id,
  scan_low,
  scan_high,
  seek_out,
  seek_in
};
struct Code {
  u8 value, mask, parameters;
  Command command;
};
constexpr Code codes[] = {
    {0x02, 0x9f, 8, Command::read_track},
    {0x03, 0xff, 2, Command::specify},
    {0x04, 0xff, 1, Command::sense_drive},
    {0x05, 0x3f, 8, Command::write},
    {0x06, 0x1f, 8, Command::read},
    {0x07, 0xff, 1, Command::recalibrate},
    {0x08, 0xff, 0, Command::sense_interrupt},
    {0x09, 0x3f, 8, Command::write_deleted},
    {0x0a, 0xbf, 1, Command::read_id},
    {0x0c, 0x1f, 8, Command::read_deleted},
    {0x0d, 0xbf, 5, Command::format},
    {0x0e, 0xff, 0, Command::dump},
    {0x0f, 0xff, 2, Command::seek},
    {0x10, 0xff, 0, Command::version},
    {0x11, 0x1f, 8, Command::scan_equal},
    {0x12, 0xff, 1, Command::perpendicular},
    {0x13, 0xff, 3, Command::configure},
    {0x14, 0x7f, 0, Command::lock},
    {0x16, 0x1f, 8, Command::verify},
    {0x18, 0xff, 0, Command::part_id},
    {0x19, 0x1f, 8, Command::scan_low},
    {0x1d, 0x1f, 8, Command::scan_high},
    {0x8f, 0xff, 2, Command::seek_out},
    {0xcf, 0xff, 2, Command::seek_in},
};
constexpr Code decode(u8 byte) {
  for (const Code& c : codes)
    if ((byte & c.mask) == c.value) return c;
  return {0, 0, 0, Command::invalid};
}
}  // namespace

// Registers.

u8 Fdc::msr() const {
  if (!out_of_reset()) return 0;
  constexpr u8 RQM = 0x80, DIO = 0x40, NON_DMA = 0x20, CMD_BUSY = 0x10;
  switch (phase) {  // no drive is ever seen seeking
    case Phase::command: return u8(RQM | (position ? CMD_BUSY : 0));
    case Phase::result: return u8(RQM | DIO | CMD_BUSY);
    case Phase::execution: break;
  }
  const u8 byte_ready = moving() ? RQM | (t.step == Step::to_host ? DIO : 0) : 0;
  return u8(CMD_BUSY | (uses_dma() ? 0 : NON_DMA | byte_ready));
}

u8 Fdc::dir(Outside& o) const {
  const u8 unit = dor & 3;
  BlockPort* drive = o.drive(unit);
  return drive && (changed >> unit & 1 || !drive->inserted()) ? 0x80 : 0;
}

void Fdc::forget() {
  const u64 token = t.token + 1;
  *this = {};
  t.token = token;
}

void Fdc::write_dor(u8 v, Outside& o) {
  const bool was = out_of_reset();
  dor = v;
  if (was && !out_of_reset()) reset(), reset_senses = 0, interrupt = false;
  if (!was && out_of_reset()) software_reset(o);
  update(o);
}

// Leaving reset, polling finds each drive's ready line changed (§4.4, §5.2.2).
void Fdc::software_reset(Outside& o) {
  reset();
  const bool polls = !(configuration & 0x10);
  reset_senses = polls ? 4 : 0;
  interrupt = polls;
  update(o);
}

void Fdc::reset() {
  phase = Phase::command;
  position = length = 0;
  t.step = Step::none;
  ++t.token;
  seeks_ended = 0;
  perpendicular &= 0x3c;
  if (!lock) configuration = 0x20, precompensation = 0;
}

u8 Fdc::read_fifo(Outside& o) {
  if (phase == Phase::execution && !uses_dma() && t.step == Step::to_host) {
    const u8 v = t.buffer[t.at++];
    if (t.at == wanted()) buffer_moved(o);
    update(o);
    return v;
  }
  if (phase != Phase::result) return 0;
  const u8 v = bytes[position++];
  interrupt = false;
  if (position == length) phase = Phase::command, position = length = 0;
  update(o);
  return v;
}

void Fdc::write_fifo(u8 v, Outside& o) {
  if (!out_of_reset()) return;
  if (phase == Phase::execution && !uses_dma() && t.step == Step::from_host) {
    if (t.kind >= Kind::scan_equal && t.kind <= Kind::scan_high) compare({&v, 1});
    else t.buffer[t.at] = v;
    if (++t.at == wanted()) buffer_moved(o);
    return update(o);
  }
  if (phase != Phase::command) return;
  if (position == 0) length = u8(1 + decode(v).parameters);
  bytes[position++] = v;
  if (position < length) return;
  position = length = 0;
  execute(o);
  update(o);
}

// Commands.

void Fdc::give(std::initializer_list<u8> results) {
  std::copy(results.begin(), results.end(), bytes.begin());
  length = u8(results.size());
  position = 0;
  phase = Phase::result;
}

void Fdc::execute(Outside& o) {
  const u8 first = bytes[0], select = bytes[1], unit = select & 3;
  switch (decode(first).command) {
    case Command::read_track: bytes[4] = 1; return begin_transfer(Kind::read, o);
    case Command::read:
    case Command::read_deleted: return begin_transfer(Kind::read, o);
    case Command::write:
    case Command::write_deleted: return begin_transfer(Kind::write, o);
    case Command::verify: return begin_transfer(Kind::verify, o);
    case Command::scan_equal: return begin_transfer(Kind::scan_equal, o);
    case Command::scan_low: return begin_transfer(Kind::scan_low, o);
    case Command::scan_high: return begin_transfer(Kind::scan_high, o);
    case Command::format: return begin_format(o);
    case Command::read_id: return read_id(o);
    case Command::specify: srt_hut = bytes[1], hlt_nd = bytes[2]; return;
    case Command::sense_drive: {
      BlockPort* drive = o.drive(unit);
      const bool track0 = drive && pcn[unit] == 0, protect = drive && (drive->read_only || !drive->inserted());
      return give({u8(0x28 | protect << 6 | track0 << 4 | (select & 7))});
    }
    case Command::recalibrate: return recalibrate(unit, o);
    case Command::seek: return seek(unit, bytes[2], o);
    case Command::seek_out: return seek(unit, pcn[unit] - std::min(pcn[unit], bytes[2]), o);
    case Command::seek_in: return seek(unit, pcn[unit] + bytes[2], o);
    case Command::sense_interrupt: return sense_interrupt();
    case Command::dump:
      return give({pcn[0], pcn[1], pcn[2], pcn[3], srt_hut, hlt_nd, eot_seen, u8(lock << 7 | perpendicular),
                   configuration, precompensation});
    case Command::version: return give({0x90});
    case Command::part_id: return give({0x41});
    case Command::perpendicular:
      perpendicular = u8(select & 0x80 ? select & 0x3f : (perpendicular & 0x3c) | (select & 3));
      return;
    case Command::configure: configuration = bytes[2] & 0x7f, precompensation = bytes[3]; return;
    case Command::lock: lock = first & 0x80; return give({u8(lock << 4)});
    case Command::invalid: return give({invalid});
  }
}

void Fdc::sense_interrupt() {
  interrupt = false;
  if (reset_senses) {
    const u8 unit = u8(4 - reset_senses--);
    return give({u8(attention | unit), pcn[unit]});
  }
  for (u8 unit = 0; unit < 4; ++unit) {
    if (!(seeks_ended >> unit & 1)) continue;
    seeks_ended &= u8(~(1 << unit));
    interrupt = seeks_ended != 0;
    return give({seek_status[unit], pcn[unit]});
  }
  give({invalid});
}

void Fdc::end_seek(u8 unit, u8 st0) {
  seek_status[unit] = u8(st0 | unit);
  seeks_ended |= u8(1 << unit);
  reset_senses = 0;
  interrupt = true;
}

// A step clears the disk change line while there is a disk.
void Fdc::seek(u8 unit, unsigned to, Outside& o) {
  const u8 track = u8(std::min<unsigned>(to, max_track));
  BlockPort* drive = o.drive(unit);
  if (track != pcn[unit] && drive && drive->inserted()) changed &= u8(~(1 << unit));
  pcn[unit] = track;
  end_seek(unit, u8(seek_end | (bytes[1] & 4)));
}

// Without a drive track 0 is not found (§5.2.4).
void Fdc::recalibrate(u8 unit, Outside& o) {
  seek(unit, 0, o);
  if (!o.drive(unit)) end_seek(unit, abnormal | seek_end | equipment_check);
}

void Fdc::read_id(Outside& o) {
  t.implied_seek = false;
  t.unit = bytes[1] & 3;
  t.head = bytes[1] >> 2 & 1;
  BlockPort* drive = o.drive(t.unit);
  const Geometry g = drive && drive->inserted() ? geometry_of(drive->size) : Geometry{};
  t.c = pcn[t.unit], t.h = t.head, t.r = 1, t.n = 2;
  if (!g.exists() || t.head >= g.heads || t.c >= g.tracks || !(g.rates >> rate & 1))
    return finish(abnormal, missing_mark | (g.exists() ? 0 : no_data), 0);
  t.r = u8(next_id++ % g.sectors + 1);
  finish(0, 0, 0);
}

// Data transfers (§5.1).

void Fdc::begin_transfer(Kind kind, Outside& o) {
  const u64 token = t.token + 1;
  t = {};
  t.token = token;
  const Command command = decode(bytes[0]).command;
  const bool skips = bytes[0] & 0x20;
  t.deleted = command == Command::read_deleted && !skips;
  t.kind = command == Command::read_deleted && skips ? Kind::verify : kind;  // no sector has the mark it looks for
  t.multi_track = bytes[0] & 0x80 && command != Command::read_track;
  t.unit = bytes[1] & 3;
  t.head = bytes[1] >> 2 & 1;
  t.c = bytes[2], t.h = bytes[3], t.r = bytes[4], t.n = bytes[5], t.eot = eot_seen = bytes[6];
  const bool counts = bytes[1] & 0x80;  // verify's EC: the last byte is a number of sectors
  t.left = command == Command::verify && counts ? bytes[8] : 0;
  phase = Phase::execution;
  BlockPort* drive = o.drive(t.unit);
  if (kind == Kind::write && drive && drive->inserted() && drive->read_only) return finish(abnormal, not_writable, 0);
  t.implied_seek = configuration & 0x40 && t.c <= max_track;
  if (t.implied_seek) {
    if (pcn[t.unit] != t.c && drive && drive->inserted()) changed &= u8(~(1 << t.unit));
    pcn[t.unit] = t.c;
  }
  begin_sector(o);
}

void Fdc::begin_format(Outside& o) {
  const u64 token = t.token + 1;
  t = {};
  t.token = token;
  t.kind = Kind::format;
  t.unit = bytes[1] & 3;
  t.head = bytes[1] >> 2 & 1;
  t.n = bytes[2], t.left = bytes[3], t.filler = bytes[5];
  t.c = pcn[t.unit], t.h = t.head;
  eot_seen = bytes[3];
  phase = Phase::execution;
  BlockPort* drive = o.drive(t.unit);
  if (!drive || !drive->inserted()) return finish(abnormal, missing_mark, 0);
  if (drive->read_only) return finish(abnormal, not_writable, 0);
  if (t.left == 0) return finish(0, 0, 0);
  t.step = Step::from_host;
  pump(o);
}

// Looks for the sector of the ID under the head; ends the command when there is none.
bool Fdc::find_sector(Outside& o, u64& at) {
  BlockPort* drive = o.drive(t.unit);
  const u8 track = pcn[t.unit];
  const Geometry g = drive && drive->inserted() ? geometry_of(drive->size) : Geometry{};
  if (!g.exists()) return finish(abnormal, missing_mark | no_data, 0), false;
  if (t.head >= g.heads || track >= g.tracks || !(g.rates >> rate & 1))
    return finish(abnormal, missing_mark, no_mark_in_data), false;
  if (t.c != track) return finish(abnormal, no_data, wrong_cylinder), false;
  at = ((u64(track) * g.heads + t.head) * g.sectors + t.r - 1) * 512;
  if (t.h != t.head || t.r == 0 || t.r > g.sectors || t.n != 2 || at + 512 > drive->size)
    return finish(abnormal, no_data, 0), false;
  return true;
}

void Fdc::begin_sector(Outside& o) {
  u64 at = 0;
  if (!find_sector(o, at)) return;
  t.at = 0;
  t.scan_failed = false;
  t.scan_equal = true;
  if (t.kind == Kind::write) {
    t.step = Step::from_host;
    return pump(o);
  }
  t.step = Step::fetching;
  o.drive(t.unit)->read(at, 512, t.token);
}

void Fdc::completed(BlockRequest& r, Outside& o) {
  if (r.token != t.token || (t.step != Step::fetching && t.step != Step::storing)) return;
  const bool reads = t.step == Step::fetching;
  if (r.error != BlockError::none || (reads && r.data.size() < t.buffer.size())) {
    finish(abnormal, r.error == BlockError::read_only ? not_writable : data_error, reads ? data_field : 0);
  } else if (!reads || t.kind == Kind::verify) {
    sector_done(o);
  } else {
    std::copy_n(r.data.begin(), t.buffer.size(), t.buffer.begin());
    t.step = t.kind == Kind::read ? Step::to_host : Step::from_host;
    pump(o);
  }
  update(o);
}

void Fdc::serve_dma(Outside& o) {
  if (phase != Phase::execution || !moving() || in_transfer) return;
  pump(o);
  update(o);
}

// Moves what the DMA channel takes; the processor moves bytes by read_fifo and write_fifo.
void Fdc::pump(Outside& o) {
  if (!uses_dma() || !(dor & 8)) return;
  const bool scans = t.kind >= Kind::scan_equal && t.kind <= Kind::scan_high;
  while (moving()) {
    std::array<u8, 512> host;
    const std::span<u8> part = std::span(scans ? host : t.buffer).subspan(scans ? 0 : t.at, wanted() - t.at);
    in_transfer = true;
    const Outside::Moved moved = o.transfer(part);
    in_transfer = false;
    if (moved.bytes == 0 && !moved.terminal_count) return;
    if (scans) compare(part.first(moved.bytes));
    t.at = u16(t.at + moved.bytes);
    t.terminal_count |= moved.terminal_count;
    if (t.at == wanted() || t.terminal_count) buffer_moved(o);
  }
}

// A sector cut short by the terminal count is written with zeros behind.
void Fdc::buffer_moved(Outside& o) {
  const bool whole = t.at == wanted();
  BlockPort* drive = o.drive(t.unit);
  u64 at = 0;
  if (t.kind == Kind::format) {
    if (!whole) return finish(0, 0, 0);
    t.c = t.buffer[0], t.h = t.buffer[1], t.r = t.buffer[2], t.n = t.buffer[3];
    if (!find_sector(o, at)) return;
    t.step = Step::storing;
    return drive->write(at, std::vector<u8>(512, t.filler), t.token);
  }
  if (t.kind != Kind::write) return sector_done(o);
  if (t.at == 0) return finish(0, 0, 0);
  std::fill(t.buffer.begin() + t.at, t.buffer.end(), u8(0));
  if (!find_sector(o, at)) return;
  t.step = Step::storing;
  drive->write(at, {t.buffer.begin(), t.buffer.end()}, t.token);
}

// FF on either side matches anything ("Scan Commands").
void Fdc::compare(std::span<const u8> host) {
  for (std::size_t i = 0; i < host.size() && t.at + i < t.buffer.size(); ++i) {
    const u8 disk = t.buffer[t.at + i], given = host[i];
    if (disk == given || disk == 0xff || given == 0xff) continue;
    t.scan_equal = false;
    t.scan_failed |= t.kind == Kind::scan_equal || (t.kind == Kind::scan_low ? disk > given : disk < given);
  }
}

// To the next sector's ID; false past the last one (table 5-6).
bool Fdc::advance() {
  if (t.r != t.eot) return ++t.r, true;
  t.r = 1;
  const bool other_side = t.multi_track && t.head == 0;
  if (t.multi_track) t.h ^= 1;
  if (other_side) return t.head = 1, true;
  ++t.c;
  return false;
}

void Fdc::sector_done(Outside& o) {
  t.step = Step::none;
  if (t.kind == Kind::format) {
    if (--t.left == 0 || t.terminal_count) return finish(0, 0, 0);
    t.at = 0;
    t.step = Step::from_host;
    return pump(o);
  }
  const bool scans = t.kind >= Kind::scan_equal && t.kind <= Kind::scan_high;
  if (scans && !t.scan_failed) return finish(0, 0, t.scan_equal ? scan_hit : 0);
  const u8 st2 = t.deleted ? control_mark : scans ? scan_missed : 0;
  const u8 head = t.head;
  const bool more = advance(), counted_out = t.kind == Kind::verify && t.left && --t.left == 0;
  const bool ends_well =
      t.terminal_count || counted_out || (t.kind == Kind::verify && !more) || t.deleted || (scans && !more);
  if (more && !ends_well) return begin_sector(o);
  t.head = head;
  if (ends_well) finish(0, 0, st2);
  else finish(abnormal, end_of_cylinder, st2);
}

void Fdc::finish(u8 st0, u8 st1, u8 st2) {
  t.step = Step::none;
  ++t.token;
  give({u8(st0 | (t.implied_seek ? seek_end : 0) | selection()), st1, st2, t.c, t.h, t.r, t.n});
  interrupt = true;
}

// Without the gate of DOR neither interrupt nor request reach the bus (§2.1.2).  The request is last: what it starts
// may end the transfer.
void Fdc::update(Outside& o) {
  const bool gate = dor & 8, executes = phase == Phase::execution && moving();
  o.irq(gate && (interrupt || (executes && !uses_dma())));
  o.dreq(gate && executes && uses_dma());
}
}  // namespace peripherals::fdc82077
