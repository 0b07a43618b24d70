#pragma once
// -device: the option's text against the kinds of devices a board takes.  Thread: any.

#include "core/plug.hpp"
#include "host/keyvalue.hpp"

#include <map>

namespace host {
using PlugKinds = std::span<const core::PlugKind* const>;

// One -device, checked as far as text goes: the kind exists, so do its properties, and values are of their type.
struct DeviceOption {
  const core::PlugKind* kind = nullptr;
  std::string id, bus;                            // empty: none given
  std::map<std::string, std::string> properties;  // numbers decimal, bools on or off
};
// Errors: usage, one sentence that begins with the device's name where there is one.
core::Result<DeviceOption> read_device(std::string_view text, PlugKinds kinds);

// The text of `-device help` and `-device NAME,help` when `text` asks for one of them.
core::Result<std::optional<std::string>> device_help(std::string_view text, PlugKinds kinds);
}  // namespace host
