#pragma once
// Memory of the host that begins as zeros and is taken page by page as it is written.

#include "core/base.hpp"

#include <cstddef>

namespace core {
// `bytes` of zeros; throws std::bad_alloc.
void* map_zeros(std::size_t bytes);
void unmap_zeros(void* at, std::size_t bytes);
// Of a mapping of our own, the bytes that take memory.
u64 resident_bytes(const void* at, std::size_t bytes);

template <class T>
class SparseArray {
 public:
  explicit SparseArray(std::size_t size) : size_(size), at_(static_cast<T*>(map_zeros(size * sizeof(T)))) {}
  ~SparseArray() { unmap_zeros(at_, size_ * sizeof(T)); }
  SparseArray(const SparseArray&) = delete;
  T* data() const { return at_; }
  std::size_t size() const { return size_; }
  T* begin() const { return at_; }
  T* end() const { return at_ + size_; }
  T& operator[](std::size_t i) { return at_[i]; }
  const T& operator[](std::size_t i) const { return at_[i]; }
  u64 resident() const { return resident_bytes(at_, size_ * sizeof(T)); }

 private:
  std::size_t size_;
  T* at_;
};
}  // namespace core
