#include "peripherals/scsi/scsi_disk.hpp"

#include <algorithm>

namespace peripherals::scsi {
namespace {
constexpr u64 piece_bytes = 256 * KiB;  // what moves between medium and initiator at a time
constexpr u64 max_ranges = 256;         // of one UNMAP, as page 0xB0 says

enum Opcode : u8 {
  TEST_UNIT_READY = 0x00,
  REZERO_UNIT = 0x01,
  REQUEST_SENSE = 0x03,
  FORMAT_UNIT = 0x04,
  READ_6 = 0x08,
  WRITE_6 = 0x0a,
  SEEK_6 = 0x0b,
  INQUIRY = 0x12,
  MODE_SELECT_6 = 0x15,
  RESERVE_6 = 0x16,
  RELEASE_6 = 0x17,
  MODE_SENSE_6 = 0x1a,
  START_STOP_UNIT = 0x1b,
  SEND_DIAGNOSTIC = 0x1d,
  PREVENT_ALLOW = 0x1e,
  READ_CAPACITY_10 = 0x25,
  READ_10 = 0x28,
  WRITE_10 = 0x2a,
  SEEK_10 = 0x2b,
  WRITE_AND_VERIFY_10 = 0x2e,
  VERIFY_10 = 0x2f,
  PRE_FETCH_10 = 0x34,
  SYNCHRONIZE_CACHE_10 = 0x35,
  WRITE_SAME_10 = 0x41,
  UNMAP = 0x42,
  GET_CONFIGURATION = 0x46,
  GET_EVENT_STATUS = 0x4a,
  MODE_SELECT_10 = 0x55,
  RESERVE_10 = 0x56,
  RELEASE_10 = 0x57,
  MODE_SENSE_10 = 0x5a,
  READ_16 = 0x88,
  WRITE_16 = 0x8a,
  WRITE_AND_VERIFY_16 = 0x8e,
  VERIFY_16 = 0x8f,
  PRE_FETCH_16 = 0x90,
  SYNCHRONIZE_CACHE_16 = 0x91,
  WRITE_SAME_16 = 0x93,
  SERVICE_ACTION_IN_16 = 0x9e,
  REPORT_LUNS = 0xa0,
  READ_12 = 0xa8,
  WRITE_12 = 0xaa,
  WRITE_AND_VERIFY_12 = 0xae,
  VERIFY_12 = 0xaf,
  SET_CD_SPEED = 0xbb,
  READ_CD = 0xbe,
};
constexpr u8 byte_check_bit = 0x02;

// Writes that are durable when they end: FUA of WRITE, and WRITE AND VERIFY, since what is durable is as written.
bool is_durable(const std::array<u8, 16>& cdb) {
  switch (cdb[0]) {
    case WRITE_10:
    case WRITE_12:
    case WRITE_16: return cdb[1] & 0x08;
    case WRITE_AND_VERIFY_10:
    case WRITE_AND_VERIFY_12:
    case WRITE_AND_VERIFY_16: return true;
    default: return false;
  }
}

// These are carried out in spite of a pending unit attention (SAM-3 §5.9.7, MMC-3 §4.1.6.1).
bool ignores_attention(u8 op) {
  return op == INQUIRY || op == REPORT_LUNS || op == REQUEST_SENSE || op == GET_CONFIGURATION || op == GET_EVENT_STATUS;
}
Sense sense_of(BlockError e, BlockOp op) {
  switch (e) {
    case BlockError::no_space: return sense::no_space;
    case BlockError::read_only: return sense::write_protected;
    case BlockError::no_medium: return sense::no_medium;
    case BlockError::out_of_range: return sense::out_of_range;
    default: return op == BlockOp::read ? sense::read_error : sense::write_error;
  }
}
}  // namespace

Disk::Disk(BlockPort& port, std::function<void(Command&)> changed)
    : port_(port), changed_(std::move(changed)), write_cache_(port.write_cache) {
  port_.done = [this](BlockRequest& r) { answered(r); };
  port_.medium_changed = [this] { medium_changed(); };
}
Disk::~Disk() {
  port_.done = nullptr;
  port_.medium_changed = nullptr;
}

void Disk::finish(Command& c) {
  c.data.clear();
  c.moved = 0, c.left = 0;
  c.stage = Stage::done;
}
void Disk::fail(Command& c, Sense s) {
  c.status = status_check;
  c.sense = s;
  finish(c);
}
void Disk::reply(Command& c, std::vector<u8> data, u64 allocation) {
  if (data.size() > allocation) data.resize(allocation);
  if (data.empty()) return finish(c);
  c.data = std::move(data);
  c.moved = 0;
  c.stage = Stage::data_in;
}

std::vector<u8> Disk::sense_data(Sense s, bool descriptor) {
  if (descriptor) return {0x72, s.key, s.asc, s.ascq, 0, 0, 0, 0};
  std::vector<u8> d(18, 0);
  d[0] = 0x70, d[2] = s.key, d[7] = 10, d[12] = s.asc, d[13] = s.ascq;
  return d;
}

// REPORT LUNS (SPC-3 §6.21): there is number 0 and no other.
static void report_luns(Command& c) {
  const u32 allocation = be32(&c.cdb[6]);
  if (allocation < 16 || c.cdb[2] > 2) return Disk::fail(c, sense::invalid_field);
  std::vector<u8> list(c.cdb[2] == 1 ? 8 : 16, 0);  // 1: well-known units only
  put32(list.data(), u32(list.size() - 8));
  Disk::reply(c, std::move(list), allocation);
}

void Disk::start_absent(Command& c) {
  switch (c.cdb[0]) {
    case REPORT_LUNS: return report_luns(c);
    case REQUEST_SENSE: return reply(c, sense_data(sense::no_such_unit, c.cdb[1] & 1), c.cdb[4]);
    case INQUIRY: {
      std::vector<u8> d(36, 0);
      d[0] = 0x7f, d[2] = 5, d[3] = 2, d[4] = 31;
      std::fill(d.begin() + 8, d.end(), u8(' '));
      return reply(c, std::move(d), be16(&c.cdb[3]));
    }
    default: return fail(c, sense::no_such_unit);
  }
}

void Disk::start(Command& c) {
  const u8 op = c.cdb[0];
  if (attention_ != sense::none && !ignores_attention(op)) {
    const Sense s = attention_;
    attention_ = sense::none;
    return fail(c, s);
  }
  if (op == REQUEST_SENSE) {
    Sense s = sense_ != sense::none ? sense_ : attention_;
    if (s == attention_) attention_ = sense::none;
    sense_ = sense::none;
    return reply(c, sense_data(s, c.cdb[1] & 1), c.cdb[4]);
  }
  sense_ = sense::none;
  execute(c);
}

void Disk::execute(Command& c) {
  const u8* cdb = c.cdb.data();
  const u8 op = cdb[0];
  const auto absent = [&] { return port_.tray_open ? sense::tray_open : sense::no_medium; };
  if (cd()) {
    std::vector<u8> out;
    Sense why;
    switch (mmc::execute(drive(), cdb, out, why)) {
      case mmc::Answer::reply: return reply(c, std::move(out), ~u64(0));
      case mmc::Answer::error: return fail(c, why);
      case mmc::Answer::unknown: break;
    }
  }
  switch (op) {  // what needs no medium
    case INQUIRY: return inquiry(c);
    case REPORT_LUNS: return report_luns(c);
    case MODE_SENSE_6: return mode_sense(c, false);
    case MODE_SENSE_10: return mode_sense(c, true);
    case MODE_SELECT_6:
    case MODE_SELECT_10: {
      const u32 n = op == MODE_SELECT_6 ? cdb[4] : be16(cdb + 7);
      if (!n) return finish(c);
      c.data.assign(n, 0), c.stage = Stage::data_out;
      return;
    }
    case START_STOP_UNIT: return start_stop(c);
    case PREVENT_ALLOW:
      if (!removable()) return fail(c, sense::invalid_opcode);
      port_.locked = cdb[4] & 1;
      return finish(c);
    case RESERVE_6:
    case RELEASE_6:
    case RESERVE_10:
    case RELEASE_10: return finish(c);  // one initiator
    case SEND_DIAGNOSTIC:               // the default self-test only (SPC-3 §6.28)
      return cdb[1] & 4 && !be16(cdb + 3) ? finish(c) : fail(c, sense::invalid_field);
    case SET_CD_SPEED: return cd() ? finish(c) : fail(c, sense::invalid_opcode);
    default: break;
  }
  const auto here = [&](u64 block, u64 count) { return Span{block, count}; };
  const Span ten = here(be32(cdb + 2), be16(cdb + 7)), twelve = here(be32(cdb + 2), be32(cdb + 6)),
             sixteen = here(be64(cdb + 2), be32(cdb + 10));
  if (!present()) {
    switch (op) {
      case TEST_UNIT_READY:
      case READ_6:
      case READ_10:
      case READ_12:
      case READ_16:
      case READ_CAPACITY_10:
      case SERVICE_ACTION_IN_16:
      case SYNCHRONIZE_CACHE_10:
      case VERIFY_10:
      case SEEK_10:
      case READ_CD:
      case WRITE_6:
      case WRITE_10:
      case WRITE_12:
      case WRITE_16: return fail(c, absent());
      default: return fail(c, sense::invalid_opcode);
    }
  }
  switch (op) {
    case TEST_UNIT_READY:
    case REZERO_UNIT: return finish(c);
    case READ_CAPACITY_10: return read_capacity(c, false);
    case SERVICE_ACTION_IN_16: return (cdb[1] & 0x1f) == 0x10 ? read_capacity(c, true) : fail(c, sense::invalid_field);
    case READ_6: return access(c, Effect::read, here(be24(cdb + 1) & 0x1f'ffff, cdb[4] ? cdb[4] : 256), 0);
    case READ_10: return access(c, Effect::read, ten, 0);
    case READ_12: return access(c, Effect::read, twelve, 0);
    case READ_16: return access(c, Effect::read, sixteen, 0);
    case SEEK_6: return access(c, Effect::seek, here(be24(cdb + 1) & 0x1f'ffff, 1), 0);
    case SEEK_10: return access(c, Effect::seek, here(be32(cdb + 2), 1), 0);
    case PRE_FETCH_10: return access(c, Effect::seek, ten, 0);
    case PRE_FETCH_16: return access(c, Effect::seek, sixteen, 0);
    case VERIFY_10: return access(c, Effect::verify, ten, cdb[1]);
    case VERIFY_12: return access(c, Effect::verify, twelve, cdb[1]);
    case VERIFY_16: return access(c, Effect::verify, sixteen, cdb[1]);
    case SYNCHRONIZE_CACHE_10:
    case SYNCHRONIZE_CACHE_16:
      if (const Span s = op == SYNCHRONIZE_CACHE_10 ? ten : sixteen; s.block > blocks() || s.count > blocks() - s.block)
        return fail(c, sense::out_of_range);
      return submit(c, BlockOp::flush, 0, 0);
    case READ_CD: {
      u64 block, count;
      Sense why;
      if (!cd()) break;
      if (!mmc::read_cd(cdb, block, count, why)) return fail(c, why);
      return access(c, Effect::read, {block, count}, 0);
    }
    default: break;
  }
  if (cd()) return fail(c, sense::invalid_opcode);
  switch (op) {
    case WRITE_6: return access(c, Effect::write, here(be24(cdb + 1) & 0x1f'ffff, cdb[4] ? cdb[4] : 256), 0);
    case WRITE_10:
    case WRITE_AND_VERIFY_10: return access(c, Effect::write, ten, 0);
    case WRITE_12:
    case WRITE_AND_VERIFY_12: return access(c, Effect::write, twelve, 0);
    case WRITE_16:
    case WRITE_AND_VERIFY_16: return access(c, Effect::write, sixteen, 0);
    case FORMAT_UNIT: return cdb[1] & 0x10 ? fail(c, sense::invalid_field) : finish(c);  // the default format stays
    case UNMAP:
      if (port_.read_only) return fail(c, sense::write_protected);
      if (!be16(cdb + 7)) return finish(c);
      c.data.assign(be16(cdb + 7), 0), c.stage = Stage::data_out;
      return;
    case WRITE_SAME_10:
    case WRITE_SAME_16: {
      Span s = op == WRITE_SAME_10 ? ten : sixteen;
      if (s.block > blocks() || s.count > blocks() - s.block) return fail(c, sense::out_of_range);
      if (!s.count) s.count = blocks() - s.block;  // to the end (SBC-3 §5.42)
      if (port_.read_only) return fail(c, sense::write_protected);
      c.block = s.block, c.left = s.count;
      if (op == WRITE_SAME_16 && cdb[1] & 1) return c.data.assign(block_size(), 0), write_same(c);  // NDOB
      c.data.assign(block_size(), 0), c.stage = Stage::data_out;
      return;
    }
    default: return fail(c, sense::invalid_opcode);
  }
}

void Disk::access(Command& c, Effect effect, Span where, u8 byte_check) {
  if (where.block > blocks() || where.count > blocks() - where.block) return fail(c, sense::out_of_range);
  if (effect == Effect::write && port_.read_only) return fail(c, sense::write_protected);
  if (effect == Effect::verify && !(byte_check & byte_check_bit)) effect = Effect::seek;
  if (effect == Effect::seek || !where.count) return finish(c);
  c.block = where.block, c.left = where.count;
  next_piece(c);
}

// Begins with the next blocks of a read, or asks for those of a write or verify.
void Disk::next_piece(Command& c) {
  if (!c.left) return finish(c);
  c.count = u32(std::min(c.left, piece_bytes / block_size()));
  c.left -= c.count;
  c.moved = 0;
  switch (c.cdb[0]) {
    case READ_6:
    case READ_10:
    case READ_12:
    case READ_16:
    case READ_CD: return submit(c, BlockOp::read, c.block, c.count);
    default: c.data.assign(c.count * block_size(), 0), c.stage = Stage::data_out;
  }
}

void Disk::moved(Command& c) {
  const u8 op = c.cdb[0];
  if (c.stage == Stage::data_in) {
    c.block += c.count;
    return next_piece(c);
  }
  switch (op) {
    case MODE_SELECT_6: return mode_select(c, false);
    case MODE_SELECT_10: return mode_select(c, true);
    case UNMAP: return unmap(c);
    case WRITE_SAME_10:
    case WRITE_SAME_16: return write_same(c);
    case VERIFY_10:
    case VERIFY_12:
    case VERIFY_16: return submit(c, BlockOp::read, c.block, c.count);
    default: return submit(c, BlockOp::write, c.block, c.count, std::move(c.data));
  }
}

// UNMAP parameter list (SBC-3 §5.28).
void Disk::unmap(Command& c) {
  const std::vector<u8>& d = c.data;
  if (d.size() < 8) return fail(c, sense::parameter_length);
  const std::size_t bytes = std::min<std::size_t>(be16(&d[2]), d.size() - 8);
  if (bytes / 16 > max_ranges) return fail(c, sense::invalid_parameter);
  for (std::size_t at = 8; at + 16 <= 8 + bytes; at += 16) {
    const u64 block = be64(&d[at]), count = be32(&d[at + 8]);
    if (block > blocks() || count > blocks() - block) return c.ranges.clear(), fail(c, sense::out_of_range);
    if (count) c.ranges.push_back({block, count});
  }
  next_range(c);
}
void Disk::next_range(Command& c) {
  if (c.ranges.empty()) return finish(c);
  const auto r = c.ranges.back();
  c.ranges.pop_back();
  submit(c, BlockOp::discard, r.block, r.count);
}

// `data` is the block to write (SBC-3 §5.42); zeroes need no copies.
void Disk::write_same(Command& c) {
  if (c.left && std::all_of(c.data.begin(), c.data.end(), [](u8 b) { return b == 0; })) {
    const u64 count = c.left;
    c.left = 0;
    return submit(c, c.cdb[1] & 8 ? BlockOp::discard : BlockOp::write_zeroes, c.block, count);
  }
  if (!c.left) return finish(c);
  c.count = u32(std::min(c.left, piece_bytes / block_size()));
  c.left -= c.count;
  std::vector<u8> copies;
  copies.reserve(c.count * c.data.size());
  for (u32 n = 0; n < c.count; ++n) copies.insert(copies.end(), c.data.begin(), c.data.end());
  submit(c, BlockOp::write, c.block, c.count, std::move(copies));
}

void Disk::submit(Command& c, BlockOp op, u64 block, u64 count, std::vector<u8> data) {
  c.stage = Stage::busy;
  c.token = ++last_token_;
  working_.push_back(&c);
  BlockRequest r{
      .op = op, .at = block * block_size(), .length = count * block_size(), .token = c.token, .data = std::move(data)};
  if (op == BlockOp::flush) r.at = r.length = 0;
  if (op == BlockOp::write) r.fua = !write_cache_ || is_durable(c.cdb);
  port_.submit(std::move(r));
}

void Disk::answered(BlockRequest& r) {
  const auto at = std::find_if(working_.begin(), working_.end(), [&](Command* c) { return c->token == r.token; });
  if (at == working_.end()) return;  // aborted
  Command& c = **at;
  working_.erase(at);
  const u8 op = c.cdb[0];
  if (r.error != BlockError::none) {
    fail(c, sense_of(r.error, r.op));
  } else if (op == UNMAP) {
    next_range(c);
  } else if (op == WRITE_SAME_10 || op == WRITE_SAME_16) {
    c.block += c.count;
    write_same(c);
  } else if (r.op == BlockOp::flush) {
    finish(c);
  } else if (r.op == BlockOp::write) {
    c.block += c.count;
    next_piece(c);
  } else if (op == VERIFY_10 || op == VERIFY_12 || op == VERIFY_16) {
    c.block += c.count;
    if (r.data != c.data) fail(c, sense::miscompare);
    else next_piece(c);
  } else {
    c.data = std::move(r.data);
    c.moved = 0;
    c.stage = Stage::data_in;
  }
  if (!c.waits()) changed_(c);
}

void Disk::abort(Command& c) { std::erase(working_, &c); }

void Disk::reset(Sense why) {
  working_.clear();
  sense_ = sense::none;
  attention_ = why;
  event_ = 0;
  write_cache_ = port_.write_cache;
  port_.locked = false;
}

void Disk::medium_changed() {
  if (port_.inserted()) attention_ = sense::medium_changed;
  event_ = present() ? 2 : 3;
}

mmc::Drive Disk::drive() { return {present(), port_.tray_open, port_.locked, blocks(), &event_}; }

// START STOP UNIT (SBC-3 §5.20, MMC-3 §6.43): only the tray moves.
void Disk::start_stop(Command& c) {
  const bool start = c.cdb[4] & 1, load_eject = c.cdb[4] & 2;
  if (c.cdb[4] & 0xf0 || !load_eject || !removable()) return finish(c);  // power conditions are without effect
  if (!start && port_.locked) return fail(c, sense::removal_prevented);
  if (port_.tray_open == !start) return finish(c);
  port_.tray_open = !start;
  event_ = start && present() ? 2 : 3;
  if (port_.tray_moved) port_.tray_moved(!start);
  finish(c);
}

// READ CAPACITY (SBC-3 §5.12, §5.13).
void Disk::read_capacity(Command& c, bool sixteen) {
  const u64 last = blocks() ? blocks() - 1 : 0;
  if (!sixteen) {
    std::vector<u8> d(8, 0);
    put32(d.data(), u32(std::min<u64>(last, 0xffff'ffff)));
    put32(&d[4], u32(block_size()));
    return reply(c, std::move(d), 8);
  }
  std::vector<u8> d(32, 0);
  put64(d.data(), last);
  put32(&d[8], u32(block_size()));
  d[14] = cd() || port_.read_only ? 0 : 0x80;  // LBPME
  reply(c, std::move(d), be32(&c.cdb[10]));
}
}  // namespace peripherals::scsi
