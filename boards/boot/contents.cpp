#include "boards/boot/contents.hpp"

#include "boards/boot/loader.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace boards {
using namespace core;

Result<std::shared_ptr<const File>> File::open(const std::string& path, u64 most) {
  // Before it is opened: the writer of a pipe would see its reader go.
  struct stat s {};
  const bool regular = stat(path.c_str(), &s) == 0 && S_ISREG(s.st_mode);
  const int fd = regular ? ::open(path.c_str(), O_RDONLY | O_CLOEXEC) : -1;
  const bool usable = fd >= 0 && fstat(fd, &s) == 0 && s.st_size > 0 && u64(s.st_size) <= most;
  void* p = usable ? mmap(nullptr, std::size_t(s.st_size), PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
  if (p != MAP_FAILED)
    return std::shared_ptr<const File>(new File(path, fd, {static_cast<const u8*>(p), std::size_t(s.st_size)}));
  if (fd >= 0) close(fd);
  return std::make_shared<const File>(TRY(read_file(path, most)));  // which also says what is wrong
}

File::~File() {
  if (!mapped_.empty()) munmap(const_cast<u8*>(mapped_.data()), mapped_.size());
  if (fd_ >= 0) close(fd_);
}

// Not through the mapping: of a file that has become shorter it raises SIGBUS.
Status File::read(u64 offset, std::span<u8> to) const {
  if (fd_ < 0) {
    if (!to.empty()) std::memcpy(to.data(), own_.data() + offset, to.size());
    return {};
  }
  for (u64 done = 0; done < to.size();) {
    const ssize_t n = pread(fd_, to.data() + done, to.size() - done, off_t(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error{Kind::io, fmt::format("cannot read '{}': {}", path_, std::strerror(errno))};
    if (n == 0)
      return Error{Kind::io, fmt::format("'{}' was cut short while the machine ran: it had {} bytes; put it back and start again", path_, view().size())};
    done += u64(n);
  }
  return {};
}

void File::let_go() const {
  if (!mapped_.empty()) madvise(const_cast<u8*>(mapped_.data()), mapped_.size(), MADV_DONTNEED);
}
}  // namespace boards
