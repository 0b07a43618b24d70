#pragma once
// The monitor's command table and what its commands share.

#include "host/monitor/monitor.hpp"

#include <optional>

namespace host {
// The rest of a command line, word by word.
class Arguments {
 public:
  explicit Arguments(std::string_view text) : text_(text) {}
  std::string_view word();
  // Everything that is left, without the blanks around it.
  std::string_view rest() const;
  bool empty() const { return rest().empty(); }

 private:
  std::string_view text_;
};

struct Command {
  std::string_view name, alias;
  std::string_view arguments;
  std::string_view help;
  std::string (*run)(Monitor&, Arguments);
  std::string_view later = {};  // "arrives with …": the command is known and refused
};
std::span<const Command> commands();
std::span<const Command> info_commands();
// By name or alias; null when there is none.
const Command* find_command(std::span<const Command> table, std::string_view name);
std::string run_command(Monitor& monitor, const Command& command, Arguments arguments);

// Value of an expression of numbers, $registers, + - * / % & | ^ ~ ( ) as of now.  Thread: vCPU.
core::Result<core::u64> evaluate(core::DebugTarget* target, std::string_view text);

// `work` on the vCPU thread, and its text.
std::string on_guest(Monitor& monitor, const std::function<std::string()>& work);
// The registers of a device with their fields.  Thread: vCPU.
std::string device_text(const core::Block& block);
// Name of the device at a physical address; empty when there is none.
std::string device_at(const MonitorContext& context, core::u64 at);

std::string hmp_x(Monitor&, Arguments);
std::string hmp_xp(Monitor&, Arguments);
std::string hmp_print(Monitor&, Arguments);
std::string hmp_eject(Monitor&, Arguments);
std::string hmp_change(Monitor&, Arguments);
std::string hmp_block_resize(Monitor&, Arguments);
std::string info_block(Monitor&, Arguments);
std::string info_blockstats(Monitor&, Arguments);
std::string hmp_set_link(Monitor&, Arguments);
std::string hmp_hostfwd_add(Monitor&, Arguments);
std::string hmp_hostfwd_remove(Monitor&, Arguments);
std::string info_network(Monitor&, Arguments);
std::string info_usernet(Monitor&, Arguments);
}  // namespace host
