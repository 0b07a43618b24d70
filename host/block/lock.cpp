#include "host/block/lock.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <cerrno>
#include <span>

namespace host::block {
using core::Error, core::Kind, core::Status;

namespace {
// QEMU block/file-posix.c: a read lock on byte 100 + n says "I use permission n", one on 200 + n "nobody else may".
// All are read locks, so that they never exclude each other; a conflict is found by asking for the write lock.
constexpr int in_use = 100, not_shared = 200;
enum Permission { consistent_read = 0, write = 1, resize = 3 };

bool lock_byte(int fd, int byte) {
  struct flock l {
    .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1, .l_pid = 0
  };
  return fcntl(fd, F_OFD_SETLK, &l) == 0;
}
bool others_hold(int fd, int byte) {
  struct flock l {
    .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1, .l_pid = 0
  };
  return fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}
}  // namespace

Status take_lock(int fd, const std::string& path, bool read_only) {
  // A reader lets others read; a writer lets them read what does not change.
  const int unshared[] = {write, resize};
  const int used[] = {consistent_read, write, resize};
  const auto uses = std::span(used).first(read_only ? 1 : 3);
  for (int p : uses)
    if (!lock_byte(fd, in_use + p)) return {};
  for (int p : unshared) lock_byte(fd, not_shared + p);
  bool taken = false;
  for (int p : uses) taken |= others_hold(fd, not_shared + p);
  for (int p : unshared) taken |= others_hold(fd, in_use + p);
  if (!taken) return {};
  return Error{
      Kind::io,
      fmt::format("'{}' is in use by another program{}; end that one, give each a copy, or say file.locking=off", path,
                  read_only ? " that writes it" : "")};
}
}  // namespace host::block
