#pragma once
// -drive, -hda … -cdrom and -blockdev as what they ask for.

#include "core/block_port.hpp"
#include "host/block/backend.hpp"
#include "host/options.hpp"

#include <optional>

namespace host::block {

struct DriveSpec {
  std::string option;  // as the user wrote it, for messages: "-hda"
  std::string file;    // empty: a drive without a medium
  std::string format;  // empty: found out
  std::string id, node_name, serial;
  core::BlockInterface interface = core::BlockInterface::none;
  bool interface_given = false;
  std::optional<unsigned> index, bus, unit;
  bool cdrom = false, read_only = false, snapshot = false;
  bool direct = false;    // cache=none, directsync
  bool io_uring = false;  // aio=; otherwise on worker threads
  Locking locking = Locking::automatic;
  Policy policy;
};

std::string_view interface_name(core::BlockInterface i);
// The drives of the command line in its order; -blockdev nodes that no other node uses come last, with if=none.
// Errors: usage, one sentence that begins with the option.
core::Result<std::vector<DriveSpec>> read_drives(const Options& options);
}  // namespace host::block
