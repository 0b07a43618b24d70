#include "host/block/overlay.hpp"

#include <algorithm>

namespace host::block {
Overlay::Overlay(std::shared_ptr<Image> base, std::shared_ptr<File> store)
    : base_(std::move(base)),
      store_(std::move(store)),
      size_(base_->size()),
      copied_((size_ + cluster - 1) / cluster) {}

// `work(at, length)` for each part of the range that lies in one cluster; ends at the first error.
template <class Work>
int Overlay::each_cluster(u64 at, u64 length, Work work) {
  for (u64 n; length; at += n, length -= n) {
    n = std::min(length, cluster - at % cluster);
    if (const int error = work(at, n)) return error;
  }
  return 0;
}

// The base may be shorter than the overlay, which may have been made larger.
int Overlay::fetch(u64 at, std::span<u8> to) {
  const u64 there = std::min<u64>(to.size(), base_->size() - std::min(at, base_->size()));
  std::fill(to.begin() + long(there), to.end(), u8(0));
  return there ? base_->read(at, to.first(there)) : 0;
}

int Overlay::read(u64 at, std::span<u8> to) {
  const u64 start = at;
  return each_cluster(at, to.size(), [&](u64 a, u64 n) {
    const auto part = to.subspan(a - start, n);
    return copied(a) ? store_->read(a, part) : fetch(a, part);
  });
}

int Overlay::prepare(u64 at, u64 length) {
  const u64 first = at / cluster * cluster, n = std::min(cluster, size_ - first);
  if (copied(at) || (at == first && length == n)) return 0;
  std::vector<u8> data(n);
  if (const int error = fetch(first, data)) return error;
  return store_->write(first, data);
}

int Overlay::write(u64 at, std::span<const u8> from) {
  const u64 start = at;
  return each_cluster(at, from.size(), [&](u64 a, u64 n) {
    int error = prepare(a, n);
    if (!error) error = store_->write(a, from.subspan(a - start, n));
    if (!error) copied_[a / cluster] = true;
    return error;
  });
}

int Overlay::zero(u64 at, u64 length, bool unmap) {
  return each_cluster(at, length, [&](u64 a, u64 n) {
    int error = prepare(a, n);
    if (!error) error = store_->zero(a, n, unmap);
    if (!error) copied_[a / cluster] = true;
    return error;
  });
}

int Overlay::resize(u64 bytes) {
  if (const int error = store_->resize(bytes)) return error;
  // What is cut off and comes back later is zero, not the base's.
  const u64 clusters = (bytes + cluster - 1) / cluster, kept = size_;
  size_ = bytes;
  copied_.resize(clusters, kept < bytes);
  return 0;
}
}  // namespace host::block
