#include "peripherals/virtio/virtio_blk.hpp"

#include <algorithm>
#include <bit>

namespace peripherals::virtio {
namespace {
constexpr Facts the_kind{
    .name = "virtio-blk", .type = 2, .transitional_id = 0x1001, .pci_class = 0x010000, .config_size = 60};
constexpr unsigned f_seg_max = 2, f_geometry = 4, f_ro = 5, f_blk_size = 6, f_flush = 9, f_topology = 10,
                   f_config_wce = 11, f_discard = 13, f_write_zeroes = 14;  // §5.2.3
enum Type : u32 {
  type_in = 0,
  type_out = 1,
  type_flush = 4,
  type_get_id = 8,
  type_discard = 11,
  type_write_zeroes = 13
};
enum Status : u8 { status_ok = 0, status_io_error = 1, status_unsupported = 2 };
constexpr u64 sector = 512, header_size = 16, range_size = 16, serial_size = 20;
constexpr u32 most_sectors = 4'194'303;  // of one discard or write-zeroes; less than 2 GiB
constexpr u32 unmap = 1;                 // flag of a write-zeroes range
constexpr u64 piece = 512 * KiB;         // at most so much of a request is in host memory at a time
constexpr u32 writeback_at = 32;         // in the configuration
constexpr u32 heads = 16, sectors_per_track = 63, most_cylinders = 16383;
}  // namespace

Blk::Blk(BlockPort& drive, BlkOptions options)
    : Device(the_kind), drive_(drive), options_(std::move(options)), write_cache_(drive.write_cache) {
  if (options_.serial.empty()) options_.serial = drive.serial;
  add_queue(options_.queue_size);
  drive_.done = [this](BlockRequest& r) { answered(r); };
  drive_.medium_changed = [this] { config_changed(); };
}
Blk::~Blk() {
  drive_.done = nullptr;
  drive_.medium_changed = nullptr;
}

u64 Blk::features() const {
  u64 f = feature(f_seg_max) | feature(f_geometry) | feature(f_blk_size) | feature(f_flush) | feature(f_topology);
  if (drive_.read_only) f |= feature(f_ro);
  if (options_.config_wce) f |= feature(f_config_wce);
  if (options_.discard) f |= feature(f_discard);
  if (options_.write_zeroes) f |= feature(f_write_zeroes);
  return f;
}

// §5.2.4: struct virtio_blk_config.
void Blk::fill_config(std::span<u8> config, ByteOrder order) const {
  u8* c = config.data();
  const u64 sectors = drive_.inserted() ? drive_.size / sector : 0;
  const u32 block_sectors = std::max<u32>(1, drive_.logical_block / sector);
  const u32 physical = std::max(options_.physical_block, drive_.logical_block);
  order.put(c + 0, sectors);
  order.put(c + 12, u32(options_.queue_size - 2));  // seg_max: header and status take two
  order.put(c + 16, u16(std::clamp<u64>(sectors / (heads * sectors_per_track), 2, most_cylinders)));
  c[18] = heads;
  c[19] = sectors_per_track;
  order.put(c + 20, drive_.logical_block);
  c[24] = u8(std::countr_zero(physical / drive_.logical_block));
  c[writeback_at] = write_cache_;
  order.put(c + 34, u16(1));  // num_queues
  order.put(c + 36, most_sectors);
  order.put(c + 40, u32(1));  // max_discard_seg
  order.put(c + 44, block_sectors);
  order.put(c + 48, most_sectors);
  order.put(c + 52, u32(1));  // max_write_zeroes_seg
  c[56] = 1;                  // write_zeroes_may_unmap
}

void Blk::config_written(u32 off, u32 size, const u8* config, ByteOrder) noexcept {
  if (off <= writeback_at && writeback_at < off + size && has(f_config_wce)) write_cache_ = config[writeback_at] & 1;
}

void Blk::on_reset() noexcept {
  in_flight_.clear();
  write_cache_ = drive_.write_cache;
}

void Blk::notified(unsigned) noexcept {
  Queue& q = *queue(0);
  // As many as there are now: what comes meanwhile is notified again.
  for (u16 n = q.waiting(); n > 0 && !broken(); --n) {
    Chain chain;
    if (!q.pop(chain)) break;
    start(std::move(chain));
  }
  q.notify();
}

// A request is a stream of bytes, however the driver cut it (VIRTIO_F_ANY_LAYOUT, §2.6.4): header, data, one status
// byte.
void Blk::start(Chain chain) noexcept {
  u8 header[header_size];
  if (total_length(chain.writable) < 1) return fail("a request without room for its status");
  if (!read(chain.readable, 0, header)) return fail("a request without a header");
  Request r{std::move(chain), order().get<u32>(header), 0, 0, 0};
  const u64 first = order().get<u64>(header + 8);
  r.at = first * sector;
  const u64 written = total_length(r.chain.writable) - 1, given = total_length(r.chain.readable) - header_size;
  switch (r.type) {
    case type_in:
    case type_out:
      r.length = r.type == type_in ? written : given;
      if (first > ~u64(0) / sector) return finish(r.chain, status_io_error, 0);
      return start_range(std::move(r));
    case type_flush: {
      const u64 token = next_token_++;
      in_flight_.emplace(token, std::move(r));
      return drive_.flush(token);
    }
    case type_get_id: return give_serial(r.chain);
    case type_discard:
    case type_write_zeroes: return start_zeroing(std::move(r));
    default: return finish(r.chain, status_unsupported, 0);
  }
}

void Blk::start_range(Request r) noexcept {
  const bool refused = r.type == type_out && drive_.read_only;
  if (refused || r.length % sector || r.at % drive_.logical_block || r.length % drive_.logical_block ||
      !in_range(r.at, r.length))
    return finish(r.chain, status_io_error, 0);
  if (r.length == 0) return finish(r.chain, status_ok, 0);
  const u64 token = next_token_++;
  in_flight_.emplace(token, std::move(r));
  submit_piece(token);
}

// §5.2.6: struct virtio_blk_discard_write_zeroes, one range.
void Blk::start_zeroing(Request r) noexcept {
  const bool discards = r.type == type_discard;
  if (!has(discards ? f_discard : f_write_zeroes)) return finish(r.chain, status_unsupported, 0);
  u8 range[range_size];
  if (total_length(r.chain.readable) != header_size + range_size || !read(r.chain.readable, header_size, range))
    return finish(r.chain, status_io_error, 0);
  const u64 first = order().get<u64>(range);
  const u32 count = order().get<u32>(range + 8), flags = order().get<u32>(range + 12);
  if (flags & ~(discards ? 0 : unmap)) return finish(r.chain, status_unsupported, 0);
  r.at = first * sector;
  r.length = count * sector;
  if (count > most_sectors || first > ~u64(0) / sector || drive_.read_only || !in_range(r.at, r.length))
    return finish(r.chain, status_io_error, 0);
  if (count == 0) return finish(r.chain, status_ok, 0);
  BlockRequest b{discards ? BlockOp::discard : BlockOp::write_zeroes, !write_cache_, r.at, r.length, next_token_++, {}};
  in_flight_.emplace(b.token, std::move(r));
  drive_.submit(std::move(b));
}

// 20 bytes, ended by a NUL when shorter (§5.2.6).
void Blk::give_serial(const Chain& chain) noexcept {
  u8 id[serial_size] = {};
  std::copy_n(options_.serial.begin(), std::min<std::size_t>(options_.serial.size(), serial_size), id);
  const u64 room = std::min<u64>(total_length(chain.writable) - 1, serial_size);
  if (write(chain.writable, 0, std::span(id).first(room))) finish(chain, status_ok, room);
}

void Blk::submit_piece(u64 token) noexcept {
  const auto found = in_flight_.find(token);
  if (found == in_flight_.end()) return;
  Request& r = found->second;
  const u64 length = std::min(piece, r.length - r.done), at = r.at + r.done;
  if (r.type == type_in) return drive_.read(at, length, token);
  std::vector<u8> data(length);
  if (!read(r.chain.readable, header_size + r.done, data)) return void(in_flight_.erase(found));
  // Without a cache that the driver knows of and can flush, a write is durable when it is answered (§5.2.6.2).
  const bool through = !write_cache_ || !has(f_flush);
  drive_.write(at, std::move(data), token, through);
}

void Blk::answered(BlockRequest& answer) noexcept {
  const auto found = in_flight_.find(answer.token);
  if (found == in_flight_.end()) return;  // from before a reset
  Request& r = found->second;
  const bool good = answer.error == BlockError::none;
  if (good && r.type == type_in && !write(r.chain.writable, r.done, answer.data)) return void(in_flight_.erase(found));
  if (good) r.done += answer.length;
  const bool in_pieces = r.type == type_in || r.type == type_out;
  if (good && in_pieces && r.done < r.length) return submit_piece(answer.token);
  const Request finished = std::move(r);
  in_flight_.erase(found);
  finish(finished.chain, good ? status_ok : status_io_error, finished.type == type_in ? finished.done : 0);
  queue(0)->notify();
}

// The status is the last byte; `written` bytes of data came before it.
void Blk::finish(const Chain& chain, u8 status, u64 written) noexcept {
  const u64 last = total_length(chain.writable) - 1;
  if (!write(chain.writable, last, {&status, 1})) return;
  // The length counts from the first writable byte on without gaps (§2.6.8.2).
  queue(0)->push(chain.head, written == last ? u32(last + 1) : u32(written));
}
}  // namespace peripherals::virtio
