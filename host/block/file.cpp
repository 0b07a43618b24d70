#include "host/block/file.hpp"

#include "host/block/lock.hpp"
#include "host/block/ring.hpp"
#include "host/chardev_fd.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace host::block {
using core::Error, core::Kind, core::Result;

namespace {
// What every O_DIRECT file system of today takes; devices with larger blocks say so themselves.
constexpr u64 direct_alignment = 4096;
constexpr u64 piece = 1 << 20;  // bytes of a bounce buffer, a multiple of any alignment

// Whole transfers: short ones and interrupted ones are continued.  A read that ends inside a block of `align` bytes
// met the end of the file.
int pread_all(int fd, u64 at, u8* to, u64 length, u64 align = 1) {
  while (length) {
    const ssize_t n = ::pread(fd, to, length, off_t(at));
    if (n < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    to += n, at += u64(n), length -= u64(n);
    if (n == 0 || u64(n) % align) {
      std::memset(to, 0, length);
      return 0;
    }
  }
  return 0;
}
int pwrite_all(int fd, u64 at, const u8* from, u64 length) {
  while (length) {
    const ssize_t n = ::pwrite(fd, from, length, off_t(at));
    if (n < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    if (n == 0) return ENOSPC;
    from += n, at += u64(n), length -= u64(n);
  }
  return 0;
}

struct Aligned {
  explicit Aligned(u64 bytes) : data(static_cast<u8*>(std::aligned_alloc(direct_alignment, bytes))) {}
  Aligned(const Aligned&) = delete;
  ~Aligned() { std::free(data); }
  u8* data;
};
// For the time of one call.
struct Inside {
  Inside(Gate& gate, bool alone) : gate(gate), alone(alone) { alone ? gate.enter_alone() : gate.enter(); }
  Inside(const Inside&) = delete;
  ~Inside() { alone ? gate.leave_alone() : gate.leave(); }
  Gate& gate;
  const bool alone;
};
constexpr u64 round_up(u64 n, u64 to) { return (n + to - 1) / to * to; }

Error cannot_open(const std::string& path, const FileOptions& o, int error) {
  std::string way_out;
  if (error == EACCES || error == EPERM || error == EROFS)
    way_out = o.read_only ? "; its permissions forbid reading"
                          : "; say readonly=on or snapshot=on if it shall not be written";
  if (error == ENOENT)
    way_out = o.read_only ? "; check its path" : "; make it with 'qemu-img create' or 'truncate -s SIZE'";
  if (error == EINVAL && o.direct) way_out = "; its file system has no O_DIRECT, use cache=writeback";
  return {Kind::io, fmt::format("cannot open '{}': {}{}", path, system_error(error), way_out)};
}
}  // namespace

void Gate::enter() {
  std::unique_lock hold(lock_);
  changed_.wait(hold, [this, turn = came_++] { return turn == entered_ && !alone_; });
  ++entered_, ++inside_;
  changed_.notify_all();
}
bool Gate::try_enter() {
  const std::lock_guard hold(lock_);
  if (alone_ || came_ != entered_) return false;
  ++came_, ++entered_, ++inside_;
  return true;
}
void Gate::leave() {
  const std::lock_guard hold(lock_);
  if (--inside_ == 0) changed_.notify_all();
}
void Gate::enter_alone() {
  std::unique_lock hold(lock_);
  changed_.wait(hold, [this, turn = came_++] { return turn == entered_ && !alone_ && inside_ == 0; });
  ++entered_;
  alone_ = true;
}
void Gate::leave_alone() {
  const std::lock_guard hold(lock_);
  alone_ = false;
  changed_.notify_all();
}

Result<std::shared_ptr<HostFile>> HostFile::open(const std::string& path, const FileOptions& options) {
  const int flags =
      O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (options.read_only ? O_RDONLY : O_RDWR) | (options.direct ? O_DIRECT : 0);
  const int fd = ::open(path.c_str(), flags);
  if (fd < 0) {
    const int error = errno;
    struct stat s;
    if (error == EISDIR && ::stat(path.c_str(), &s) == 0)
      return Error{Kind::io, fmt::format("'{}' is a folder, not an image", path)};
    return cannot_open(path, options, error);
  }
  std::shared_ptr<HostFile> file(new HostFile(fd));
  struct stat s;
  if (::fstat(fd, &s) != 0) return cannot_open(path, options, errno);
  if (S_ISDIR(s.st_mode)) return Error{Kind::io, fmt::format("'{}' is a folder, not an image", path)};
  if (!S_ISREG(s.st_mode) && !S_ISBLK(s.st_mode))
    return Error{Kind::io, fmt::format("'{}' is neither a file nor a block device", path)};
  file->device_ = S_ISBLK(s.st_mode);
  file->ring_ = options.ring;
  if (options.direct) {
    int sector = 0;
    file->align_ = direct_alignment;
    if (file->device_ && ::ioctl(fd, BLKSSZGET, &sector) == 0 && sector > 0) file->align_ = u64(sector);
  }
  if (options.locking != Locking::off) TRY(take_lock(fd, path, options.read_only));
  return file;
}

Result<std::shared_ptr<HostFile>> HostFile::temporary(u64 bytes) {
  const char* folder = std::getenv("TMPDIR");
  if (!folder || !*folder) folder = "/var/tmp";
  std::string path = fmt::format("{}/pinstrap-XXXXXX", folder);
  const int fd = ::mkostemp(path.data(), O_CLOEXEC);
  if (fd < 0)
    return Error{Kind::io, fmt::format("snapshot: cannot make a file in '{}': {}; set TMPDIR to a folder with room",
                                       folder, system_error(errno))};
  ::unlink(path.c_str());
  std::shared_ptr<HostFile> file(new HostFile(fd));
  if (const int error = file->resize(bytes))
    return Error{Kind::io, fmt::format("snapshot: no room for {} bytes in '{}': {}; set TMPDIR to a folder with room",
                                       bytes, folder, system_error(error))};
  return file;
}

HostFile::~HostFile() { ::close(fd_); }

u64 HostFile::size() const {
  u64 bytes = 0;
  if (device_) return ::ioctl(fd_, BLKGETSIZE64, &bytes) == 0 ? bytes : 0;
  struct stat s;
  return ::fstat(fd_, &s) == 0 ? u64(s.st_size) : 0;
}

int HostFile::read(u64 at, std::span<u8> to) {
  return align_ == 1 ? pread_all(fd_, at, to.data(), to.size()) : read_direct(at, to);
}
int HostFile::write(u64 at, std::span<const u8> from) {
  return align_ == 1 ? pwrite_all(fd_, at, from.data(), from.size()) : write_direct(at, from);
}

// O_DIRECT wants addresses, offsets and lengths aligned: everything goes through an aligned buffer.
int HostFile::read_direct(u64 at, std::span<u8> to) {
  const Aligned buffer(piece);
  if (!buffer.data) return ENOMEM;
  const Inside hold(around_, false);
  while (!to.empty()) {
    const u64 first = at / align_ * align_, before = at - first;
    const u64 length = std::min(round_up(before + to.size(), align_), piece),
              n = std::min<u64>(length - before, to.size());
    if (const int error = pread_all(fd_, first, buffer.data, length, align_)) return error;
    std::memcpy(to.data(), buffer.data + before, n);
    to = to.subspan(n), at += n;
  }
  return 0;
}

int HostFile::write_direct(u64 at, std::span<const u8> from) {
  const Aligned buffer(piece);
  if (!buffer.data) return ENOMEM;
  const bool aligned = (at | from.size()) % align_ == 0;
  const Inside hold(around_, !aligned);
  const u64 end = std::max(size(), at + from.size());
  while (!from.empty()) {
    const u64 first = at / align_ * align_, before = at - first;
    const u64 length = std::min(round_up(before + from.size(), align_), piece),
              n = std::min<u64>(length - before, from.size());
    if (n != length)
      if (const int error = pread_all(fd_, first, buffer.data, length, align_)) return error;
    std::memcpy(buffer.data + before, from.data(), n);
    if (const int error = pwrite_all(fd_, first, buffer.data, length)) return error;
    from = from.subspan(n), at += n;
  }
  // The last block may have made the file longer than what was written.
  return !aligned && !device_ && size() > end ? resize(end) : 0;
}

// What the ring cannot do as one operation is left to the functions.
bool HostFile::start(const Call& c) {
  const bool clears = c.op == Op::discard || c.op == Op::zero;
  if (!ring_ || (clears && device_)) return false;
  if (c.op == Op::zero && (c.durable || c.at + c.length > size())) return false;
  return align_ == 1 || c.op == Op::sync ? ring_->start(fd_, c, 1) : start_direct(c);
}

bool HostFile::start_direct(const Call& c) {
  const bool moves = c.op == Op::read || c.op == Op::write;
  if (moves && ((c.at | c.length) % align_ || !c.length)) return false;
  const auto buffer = moves ? std::make_shared<Aligned>(c.length) : nullptr;
  if ((moves && !buffer->data) || !around_.try_enter()) return false;
  if (c.op == Op::write) std::memcpy(buffer->data, c.data, c.length);
  Call own = c;
  if (moves) own.data = buffer->data;
  own.done = [this, c, buffer](int error) {
    if (c.op == Op::read && !error) std::memcpy(c.data, buffer->data, c.length);
    around_.leave();
    c.done(error);
  };
  if (ring_->start(fd_, own, align_)) return true;
  around_.leave();
  return false;
}

int HostFile::sync() {
  while (::fdatasync(fd_) != 0)
    if (errno != EINTR) return errno == EROFS || errno == EINVAL ? 0 : errno;
  return 0;
}

int HostFile::discard(u64 at, u64 length) {
  const Inside hold(around_, false);
  if (device_) {
    u64 range[2] = {at, length};
    return ::ioctl(fd_, BLKDISCARD, range) == 0 || errno == EOPNOTSUPP ? 0 : errno;
  }
  if (::fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off_t(at), off_t(length)) == 0) return 0;
  return errno == EOPNOTSUPP || errno == ENOSYS ? 0 : errno;
}

int HostFile::zero(u64 at, u64 length, bool unmap) {
  const int error = clear(at, length, unmap);
  return error == EOPNOTSUPP ? write_zeroes(at, length) : error;
}

// Zeroes without writing them; EOPNOTSUPP: there is no way.
int HostFile::clear(u64 at, u64 length, bool unmap) {
  const Inside hold(around_, false);
  if (device_) {
    u64 range[2] = {at, length};
    return ::ioctl(fd_, BLKZEROOUT, range) == 0 ? 0 : EOPNOTSUPP;
  }
  if (unmap && ::fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off_t(at), off_t(length)) == 0) {
    // A hole at the end does not lengthen a file whose last sector was cut short.
    return at + length > size() ? resize(at + length) : 0;
  }
  return ::fallocate(fd_, FALLOC_FL_ZERO_RANGE, off_t(at), off_t(length)) == 0 ? 0 : EOPNOTSUPP;
}

int HostFile::write_zeroes(u64 at, u64 length) {
  const std::string zeroes(std::min<u64>(length, piece), '\0');
  const auto* bytes = reinterpret_cast<const u8*>(zeroes.data());
  for (u64 n; length; at += n, length -= n) {
    n = std::min<u64>(length, zeroes.size());
    if (const int error = write(at, {bytes, n})) return error;
  }
  return 0;
}

int HostFile::resize(u64 bytes) {
  if (device_) return ENOTSUP;
  while (::ftruncate(fd_, off_t(bytes)) != 0)
    if (errno != EINTR) return errno;
  return 0;
}
}  // namespace host::block
