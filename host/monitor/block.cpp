// The monitor's commands for disks and discs.

#include "host/block/drives.hpp"
#include "host/monitor/commands.hpp"

#include <fmt/format.h>

namespace host {
namespace {
constexpr std::string_view no_drives = "this machine has no drives\n";

std::string answer(const core::Status& status) { return status ? std::string() : status.error().text + "\n"; }
}  // namespace

std::string info_block(Monitor& m, Arguments arguments) {
  if (!m.context().drives) return std::string(no_drives);
  std::string_view word = arguments.word();
  const bool verbose = word == "-v";
  if (verbose) word = arguments.word();
  return on_guest(m, [&] {
    const auto text = m.context().drives->info(word, verbose);
    return text ? *text : text.error().text + "\n";
  });
}

std::string info_blockstats(Monitor& m, Arguments) {
  return m.context().drives ? m.context().drives->statistics() : std::string(no_drives);
}

std::string hmp_eject(Monitor& m, Arguments arguments) {
  if (!m.context().drives) return std::string(no_drives);
  std::string_view device = arguments.word();
  const bool force = device == "-f";
  if (force) device = arguments.word();
  if (device.empty()) return "eject needs a device; 'info block' lists them\n";
  return answer(m.context().drives->eject(device, force));
}

std::string hmp_change(Monitor& m, Arguments arguments) {
  if (!m.context().drives) return std::string(no_drives);
  const std::string_view device = arguments.word(), file = arguments.word(), format = arguments.word(),
                         mode = arguments.word();
  if (file.empty()) return "change needs a device and a file; 'info block' lists the devices\n";
  auto access = block::ReadOnlyMode::retain;
  if (mode == "read-only") access = block::ReadOnlyMode::read_only;
  else if (mode == "read-write") access = block::ReadOnlyMode::read_write;
  else if (!mode.empty() && mode != "retain")
    return fmt::format("'{}' is none of retain, read-only, read-write\n", mode);
  return answer(m.context().drives->change(device, std::string(file), format, access));
}

std::string hmp_block_resize(Monitor& m, Arguments arguments) {
  if (!m.context().drives) return std::string(no_drives);
  const std::string_view device = arguments.word(), size = arguments.word();
  const auto bytes = parse_size(size, core::MiB);
  if (!bytes) return fmt::format("'{}' is no size; write 512M or 2G\n", size);
  return answer(m.context().drives->resize(device, *bytes));
}
}  // namespace host
