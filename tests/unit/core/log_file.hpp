#pragma once
// Sends the log to a file for the life of the object, with the items of `mask` on.

#include "core/log.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace test {
class LogFile {
 public:
  explicit LogFile(core::u32 mask) {
    const int fd = mkstemp(path_);
    REQUIRE(fd >= 0);
    close(fd);
    REQUIRE(core::log_to_file(path_));
    core::log_mask = mask;
  }
  ~LogFile() {
    core::log_mask = 0;
    core::log_to_file("/dev/null");
    unlink(path_);
  }
  std::string text() const {
    core::log_flush();
    std::ostringstream all;
    all << std::ifstream(path_).rdbuf();
    return all.str();
  }

 private:
  char path_[32] = "/tmp/unit_core_XXXXXX";
};
}  // namespace test
