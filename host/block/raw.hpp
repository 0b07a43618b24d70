#pragma once
// Raw images: the file's bytes are the disk's.

#include "host/block/image.hpp"

#include <cerrno>
#include <vector>

namespace host::block {

class RawImage final : public Image {
 public:
  explicit RawImage(const ImageContext& c) : file_(c.file), probed_(c.probed) {}
  // A last sector that is cut short reads as zeroes behind the end; writing it makes the file whole.
  u64 size() const override { return (file_->size() + sector - 1) / sector * sector; }
  int read(u64 at, std::span<u8> to) override { return file_->read(at, to); }
  // A guest must not turn an image whose format was guessed into one of another format, which could name files of
  // the host the next time it is opened.
  int write(u64 at, std::span<const u8> from) override {
    if (is_guarded(at)) {
      std::vector<u8> head(probe_bytes);
      if (const int error = file_->read(0, head)) return error;
      for (u64 i = 0; i < from.size() && at + i < probe_bytes; ++i) head[at + i] = from[i];
      if (&probe_format(head) != find_format("raw")) return EPERM;
    }
    return file_->write(at, from);
  }
  int flush() override { return file_->sync(); }
  int discard(u64 at, u64 length) override { return file_->discard(at, length); }
  int zero(u64 at, u64 length, bool unmap) override { return file_->zero(at, length, unmap); }
  int resize(u64 bytes) override { return file_->resize(bytes); }
  bool parallel() const override { return true; }
  bool starts() const override { return file_->starts(); }
  bool start(const File::Call& c) override { return !(c.op == File::Op::write && is_guarded(c.at)) && file_->start(c); }

 private:
  bool is_guarded(u64 at) const { return probed_ && at < probe_bytes; }
  std::shared_ptr<File> file_;
  bool probed_;
};

inline core::Result<std::shared_ptr<Image>> open_raw(const ImageContext& c) {
  return std::shared_ptr<Image>(std::make_shared<RawImage>(c));
}
inline constexpr Format raw_format{"raw", "the file's bytes are the disk's", [](std::span<const u8>) { return 1; },
                                   open_raw};
}  // namespace host::block
