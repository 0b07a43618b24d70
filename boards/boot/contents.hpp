#pragma once
// What is written to guest memory at every reset: a part of a file, which is read again each time and kept nowhere, or
// bytes of our own.
//
// Thread: any.  Errors: usage and io, one sentence with the file's name.

#include "core/base.hpp"
#include "core/result.hpp"

#include <memory>
#include <string>
#include <vector>

namespace boards {
using Bytes = std::vector<core::u8>;

// An open file, or what was read from something that is none (a pipe) or had to be unpacked.
class File {
 public:
  // Refuses folders, empty files, and more than `most` bytes.
  static core::Result<std::shared_ptr<const File>> open(const std::string& path, core::u64 most);
  explicit File(Bytes own) : own_(std::move(own)) {}
  ~File();
  File(const File&) = delete;

  // As it was when it was opened, for looking into.
  std::span<const core::u8> view() const { return mapped_.empty() ? std::span<const core::u8>(own_) : mapped_; }
  // From where it is now; fails when it has become shorter.
  core::Status read(core::u64 offset, std::span<core::u8> to) const;
  // The pages that view() made resident.
  void let_go() const;

 private:
  File(std::string path, int fd, std::span<const core::u8> mapped) : path_(std::move(path)), fd_(fd), mapped_(mapped) {}
  std::string path_;
  int fd_ = -1;
  std::span<const core::u8> mapped_;
  Bytes own_;
};

class Contents {
 public:
  Contents() = default;
  Contents(Bytes own) : size_(own.size()), file_(std::make_shared<const File>(std::move(own))) {}
  // `part` lies in the file's view().
  Contents(std::shared_ptr<const File> file, std::span<const core::u8> part)
      : offset_(core::u64(part.data() - file->view().data())), size_(part.size()), file_(std::move(file)) {}
  core::u64 size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::span<const core::u8> view() const { return file_ ? file_->view().subspan(offset_, size_) : std::span<const core::u8>(); }
  core::Status copy_to(core::u8* to) const { return file_ ? file_->read(offset_, {to, size_}) : core::Status(); }

 private:
  core::u64 offset_ = 0, size_ = 0;
  std::shared_ptr<const File> file_;
};
}  // namespace boards
