#pragma once
// snapshot=on: writes go to a temporary file, the image stays as it is.

#include "host/block/image.hpp"

#include <vector>

namespace host::block {

class Overlay final : public Image {
 public:
  // `store` is a file of at least the base's size, all of it unwritten.
  Overlay(std::shared_ptr<Image> base, std::shared_ptr<File> store);
  u64 size() const override { return size_; }
  int read(u64 at, std::span<u8> to) override;
  int write(u64 at, std::span<const u8> from) override;
  // What is lost with the program need not reach a disk.
  int flush() override { return 0; }
  int discard(u64, u64) override { return 0; }
  int zero(u64 at, u64 length, bool unmap) override;
  int resize(u64 bytes) override;

 private:
  static constexpr u64 cluster = 64 * 1024;  // bytes copied when a part of them is written first
  bool copied(u64 at) const { return copied_[at / cluster]; }
  int fetch(u64 at, std::span<u8> to);
  // Copies the cluster of `at` unless [at, at + length) covers it.
  int prepare(u64 at, u64 length);
  template <class Work>
  int each_cluster(u64 at, u64 length, Work work);

  std::shared_ptr<Image> base_;
  std::shared_ptr<File> store_;
  u64 size_;
  std::vector<bool> copied_;  // per cluster: `store_` has it
};
}  // namespace host::block
