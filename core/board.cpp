#include "core/board.hpp"

#include <cerrno>
#include <cstring>

namespace core {
bool fit_ram(const BoardInfo& info, u64& size, std::string& error) {
  const auto mib = [](u64 bytes) { return std::to_string(bytes / MiB) + " MiB"; };
  if (!size) size = info.ram_default;
  if (size % MiB) error = "RAM comes in whole MiB, " + std::to_string(size) + " bytes are not";
  else if (size > info.ram_max) error = mib(size) + " of RAM is too much, at most " + mib(info.ram_max) + ": " + info.ram_reason;
  else return true;
  return false;
}

bool no_memory(std::string& error, const char* region) {
  error = std::string("the host refused the memory for '") + region + "': " + std::strerror(errno);
  return false;
}
}  // namespace core
