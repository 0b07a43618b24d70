#pragma once
// A capture file in the pcap format (version 2.4, microseconds, link type Ethernet).

#include "core/result.hpp"
#include "host/chardev_fd.hpp"

#include <functional>

namespace host {
// Thread: one at a time.
class PcapFile {
 public:
  // `now_us`: microseconds since 1970 for the records.  Replaces the file.  Errors: io.
  static core::Result<std::unique_ptr<PcapFile>> create(const std::string& path, core::u32 longest,
                                                        std::function<core::u64()> now_us);
  // Appends a frame, cut to the file's longest; each record is in the file when this returns.
  void write(std::span<const core::u8> frame);

 private:
  PcapFile(Fd fd, core::u32 longest, std::function<core::u64()> now_us)
      : fd_(std::move(fd)), longest_(longest), now_us_(std::move(now_us)) {}
  Fd fd_;
  core::u32 longest_;
  std::function<core::u64()> now_us_;
};
}  // namespace host
