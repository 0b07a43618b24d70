#include "host/net/dump.hpp"

#include "core/log.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>

namespace host {
using core::u32, core::u64, core::u8;

core::Result<std::unique_ptr<PcapFile>> PcapFile::create(const std::string& path, u32 longest,
                                                         std::function<u64()> now_us) {
  Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  // Magic, version 2.4, zone, accuracy, longest record, link type; in the host's byte order, as the format has it.
  const std::array<u32, 6> header{0xa1b2'c3d4, 4u << 16 | 2u, 0, 0, longest, 1};
  if (!fd || ::write(fd.get(), header.data(), sizeof header) != ssize_t(sizeof header))
    return core::Error{core::Kind::io, fmt::format("cannot write '{}': {}; name a file in a folder that exists", path,
                                                   system_error(errno))};
  return std::unique_ptr<PcapFile>(new PcapFile(std::move(fd), longest, std::move(now_us)));
}

void PcapFile::write(std::span<const u8> frame) {
  if (!fd_) return;
  const u64 t = now_us_();
  const u32 kept = std::min<u32>(u32(frame.size()), longest_);
  const std::array<u32, 4> header{u32(t / 1'000'000), u32(t % 1'000'000), kept, u32(frame.size())};
  const iovec parts[] = {{const_cast<u32*>(header.data()), sizeof header}, {const_cast<u8*>(frame.data()), kept}};
  if (writev(fd_.get(), parts, 2) == ssize_t(sizeof header + kept)) return;
  core::log_text("filter-dump: the capture ends here, its file takes no more\n");
  fd_.reset();
}
}  // namespace host
