#pragma once
// The rows of the option table.

#include "host/options.hpp"

namespace host {
struct Context {
  Options& options;
  const BoardFacts& facts;
};
struct OptionRow {
  std::string_view name, alias;
  std::string_view argument;  // empty: the option takes none
  std::string_view help, example;
  core::Status (*take)(Context, std::string_view value);
};
struct OptionGroup {
  std::string_view title;
  std::span<const OptionRow> rows;
};
std::span<const OptionGroup> option_groups();

// The argument handlers that do more than keep a string.
core::Status take_machine(Context, std::string_view);
core::Status take_accel(Context, std::string_view);
core::Status take_cpu(Context, std::string_view);
core::Status take_memory(Context, std::string_view);
core::Status take_smp(Context, std::string_view);
core::Status take_display(Context, std::string_view);
core::Status take_log(Context, std::string_view);
core::Status take_rtc(Context, std::string_view);
core::Status take_semihosting(Context, std::string_view);
core::Status take_gdb(Context, std::string_view);
core::Status take_serial(Context, std::string_view);
core::Status take_monitor(Context, std::string_view);
core::Status take_chardev(Context, std::string_view);
core::Status take_uuid(Context, std::string_view);
core::Status take_vga(Context, std::string_view);
core::Status take_device(Context, std::string_view);
core::Status take_netdev(Context, std::string_view);
core::Status take_nic(Context, std::string_view);
core::Status take_net(Context, std::string_view);
core::Status take_object(Context, std::string_view);
}  // namespace host
