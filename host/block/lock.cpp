#include "host/block/lock.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <chrono>
#include <span>
#include <thread>

namespace host::block {
using core::Error, core::Kind, core::Status;

namespace {
// QEMU block/file-posix.c: a read lock on byte 100 + n says "I use permission n", one on 200 + n "nobody else may".
// All are read locks, so that they never exclude each other; a conflict is found by asking for the write lock.
constexpr int in_use = 100, not_shared = 200;
enum Permission { consistent_read = 0, write = 1, resize = 3 };

// A program that was killed holds its locks until the kernel has ended its requests, a little after it is gone itself.
constexpr auto patience = std::chrono::seconds(2);
constexpr auto between_looks = std::chrono::milliseconds(20);

struct flock byte_range(short type, int first, int count) {
  return {.l_type = type, .l_whence = SEEK_SET, .l_start = first, .l_len = count, .l_pid = 0};
}
bool lock_byte(int fd, int byte) {
  auto l = byte_range(F_RDLCK, byte, 1);
  return fcntl(fd, F_OFD_SETLK, &l) == 0;
}
void unlock_all(int fd) {
  auto l = byte_range(F_UNLCK, in_use, 2 * (not_shared - in_use));
  fcntl(fd, F_OFD_SETLK, &l);
}
bool others_hold(int fd, int byte) {
  auto l = byte_range(F_WRLCK, byte, 1);
  return fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

// Takes the locks, or as many as the host has; false, and none taken, when those of others are in the way.
bool try_lock(int fd, bool read_only) {
  // A reader lets others read; a writer lets them read what does not change.
  const int unshared[] = {write, resize};
  const int used[] = {consistent_read, write, resize};
  const auto uses = std::span(used).first(read_only ? 1 : 3);
  for (int p : uses)
    if (!lock_byte(fd, in_use + p)) return true;
  for (int p : unshared) lock_byte(fd, not_shared + p);
  bool taken = false;
  for (int p : uses) taken |= others_hold(fd, not_shared + p);
  for (int p : unshared) taken |= others_hold(fd, in_use + p);
  if (taken) unlock_all(fd);
  return !taken;
}
}  // namespace

Status take_lock(int fd, const std::string& path, bool read_only) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!try_lock(fd, read_only)) {
    if (std::chrono::steady_clock::now() >= end)
      return Error{
          Kind::io,
          fmt::format("'{}' is in use by another program{}; end that one, give each a copy, or say file.locking=off",
                      path, read_only ? " that writes it" : "")};
    std::this_thread::sleep_for(between_looks);
  }
  return {};
}
}  // namespace host::block
