#pragma once
// Who else uses an image: the byte locks QEMU takes, so that it and its tools keep out of ours and we of theirs.

#include "core/result.hpp"

#include <string>

namespace host::block {
// Locks last until `fd` is closed.  A host without such locks locks nothing.  Waits up to 2 s for those of others to go.
// Errors: io, a sentence naming the file, when somebody else writes it, or reads it and we want to write.
core::Status take_lock(int fd, const std::string& path, bool read_only);
}  // namespace host::block
