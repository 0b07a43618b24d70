#pragma once
// The host's io_uring: calls on files that no thread of ours waits for (aio=io_uring).  One ring serves all drives.

#include "host/block/file.hpp"

namespace host::block {

class Ring {
 public:
  // Errors: unsupported, when this build has none or the host's kernel refuses it.
  static core::Result<std::unique_ptr<Ring>> create();
  virtual ~Ring() = default;
  // Carries the call out on `fd`; false when too many are under way.  `unit`: a read that ends inside a block of so
  // many bytes met the end of the file.  Thread: any.
  virtual bool start(int fd, const File::Call& call, u64 unit) = 0;
  // Waits until none is under way.  Not from a call's `done`.
  virtual void drain() = 0;
};
}  // namespace host::block
