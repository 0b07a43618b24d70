#include "peripherals/virtio/device.hpp"

#include "core/log.hpp"

#include <algorithm>

namespace peripherals::virtio {

void Device::accept(bool high, u32 bits) {
  if (x.status & status_features_ok) return log_guest(name(), "features written after FEATURES_OK", bits);
  const unsigned shift = high ? 32 : 0;
  x.driver_features = (x.driver_features & ~(u64(~u32(0)) << shift)) | u64(bits) << shift;
}

void Device::write_status(u8 status, bool modern) noexcept {
  if (status == 0) return reset();
  if ((status & ~x.status) & status_features_ok) {
    // §3.1.1 step 5, §6.1: the driver reads back whether its set is taken.
    const bool unknown = x.driver_features & ~offered();
    if (unknown || (modern && is_legacy())) {
      log_guest(name(), "these features are not accepted", x.driver_features);
      status = u8(status & ~status_features_ok);
    }
  }
  const bool starts = (status & ~x.status) & status_driver_ok;
  x.status = u8(status | (x.status & status_needs_reset));
  if (starts) notify_all();
}

void Device::reset() noexcept {
  const u8 generation = x.generation;  // no driver may see one number for two contents (§2.4.1)
  x = {};
  x.generation = generation;
  for (Queue& q : queues_) q.reset();
  on_reset();
}

void Device::fail(const char* why) noexcept {
  if (x.broken) return;
  log_guest(name(), why, 0);
  x.broken = true;
  if (is_legacy()) return;  // the legacy interface has no way to say so
  x.status |= status_needs_reset;
  if (x.status & status_driver_ok) config_changed();
}

void Device::config_changed() noexcept {
  ++x.generation;
  if (x.status & status_driver_ok) transport_->config_interrupt();
}

void Device::notify(unsigned queue) noexcept {
  if (queue >= queues_.size()) return log_guest(name(), "notification of a queue that does not exist", queue);
  if (ready() && queues_[queue].x.enabled) notified(queue);
}

void Device::notify_all() noexcept {
  for (unsigned n = 0; n < queues_.size(); ++n)
    if (queues_[n].x.enabled) notify(n);
}

void Device::config_read(u32 off, std::span<u8> out, ByteOrder order) noexcept {
  std::ranges::fill(out, u8(0));
  if (off >= facts_.config_size) return;
  std::vector<u8> config(facts_.config_size);
  fill_config(config, order);
  std::copy_n(config.begin() + off, std::min<std::size_t>(out.size(), config.size() - off), out.begin());
}

void Device::config_write(u32 off, std::span<const u8> bytes, ByteOrder order) noexcept {
  if (off >= facts_.config_size || bytes.size() > facts_.config_size - off) return;
  std::vector<u8> config(facts_.config_size);
  fill_config(config, order);
  std::ranges::copy(bytes, config.begin() + off);
  config_written(off, u32(bytes.size()), config.data(), order);
}

namespace {
// Calls copy(address, part of `bytes`) for each piece; false when the segments end first or a copy fails.
template <class Byte, class Copy>
bool each_piece(const std::vector<Segment>& segments, u64 offset, std::span<Byte> bytes, Copy copy) {
  for (const Segment& s : segments) {
    if (bytes.empty()) return true;
    if (offset >= s.length) {
      offset -= s.length;
      continue;
    }
    const std::size_t n = std::size_t(std::min<u64>(bytes.size(), s.length - offset));
    if (!copy(s.at + offset, bytes.first(n))) return false;
    bytes = bytes.subspan(n);
    offset = 0;
  }
  return bytes.empty();
}
}  // namespace

bool Device::read(const std::vector<Segment>& from, u64 offset, std::span<u8> bytes) noexcept {
  return each_piece(from, offset, bytes, [this](GuestPhys at, std::span<u8> part) {
    if (transport_->dma_read(at, part)) return true;
    fail("a buffer is not in memory");
    return false;
  });
}

bool Device::write(const std::vector<Segment>& to, u64 offset, std::span<const u8> bytes) noexcept {
  return each_piece(to, offset, bytes, [this](GuestPhys at, std::span<const u8> part) {
    if (transport_->dma_write(at, part)) return true;
    fail("a buffer is not in memory");
    return false;
  });
}
}  // namespace peripherals::virtio
