#pragma once
// Bounds-checked numbers at offsets of a file, in its byte order.

#include "core/base.hpp"

#include <span>
#include <string>

namespace boards {
class View {
 public:
  View(std::span<const core::u8> file, bool big) : file_(file), big_(big) {}
  bool holds(core::u64 at, core::u64 size) const { return at <= file_.size() && size <= file_.size() - at; }
  // 0 outside the file.
  core::u64 number(core::u64 at, unsigned size) const {
    core::u64 v = 0;
    if (!holds(at, size)) return 0;
    for (unsigned i = 0; i < size; ++i) v |= core::u64(file_[at + (big_ ? size - 1 - i : i)]) << 8 * i;
    return v;
  }
  // Up to a zero, or the end of the file.
  std::string text(core::u64 at) const {
    std::string out;
    for (; at < file_.size() && file_[at]; ++at) out += char(file_[at]);
    return out;
  }

 private:
  std::span<const core::u8> file_;
  bool big_;
};
}  // namespace boards
