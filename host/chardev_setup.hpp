#pragma once
// From the options to open streams: which serial port, monitor and gdb goes where.

#include "core/char_port.hpp"
#include "core/result.hpp"
#include "core/run_control.hpp"
#include "host/chardev.hpp"
#include "host/gdbstub/gdbstub.hpp"
#include "host/monitor/monitor.hpp"
#include "host/options.hpp"

#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace host {
// Where serial ports and monitors go, with the defaults filled in.  Index = port; empty text: nowhere.
//   -nographic, or no display option in a build without a screen: port 0 and the monitor share the
//   terminal (mon:stdio) unless one of them was placed; else what was not placed goes nowhere.
struct ConsolePlan {
  std::vector<std::string> serial, monitor;
};
ConsolePlan plan_consoles(const Options& options);

class Consoles {
 public:
  // Opens everything; call before Loop::start().  `serial` are the machine's ports in use.
  // `notify` is called on the loop thread when a port has something for the guest.
  // All the arguments but `options` outlive the result; destroy it after Loop::join().
  static core::Result<std::unique_ptr<Consoles>> create(const Options& options, Loop& loop, core::RunControl& run,
                                                        core::DebugTarget& target, std::span<core::CharPort> serial,
                                                        MonitorContext monitor, std::function<void()> notify);
  ~Consoles();
  // Joins the port of a device that came with -device to its -chardev.  Before Loop::start().
  core::Status connect(const std::string& chardev, core::CharPort& port) {
    return add_serial("chardev:" + chardev, chardev, port);
  }
  // Writes out what is still on its way.  After Loop::join().
  void finish();
  Monitor& monitor() { return monitor_; }

 private:
  Consoles(Loop& loop, core::RunControl& run, core::DebugTarget& target, MonitorContext context,
           std::function<void()> notify);
  core::Status load_specs(const Options& options);
  core::Result<ChardevSpec> resolve(std::string_view text) const;
  core::Status add_serial(std::string_view text, std::string_view label, core::CharPort& port);
  core::Status add_monitor(std::string_view text, std::string_view label);
  core::Status add_gdb(std::string_view text);
  bool is_shared(const ChardevSpec& spec) const;
  core::Result<Chardev*> open(const ChardevSpec& spec, std::string_view label);
  std::string start_gdb(std::string_view device);

  Loop& loop_;
  core::RunControl& run_;
  core::DebugTarget& target_;
  std::function<void()> notify_;
  Monitor monitor_;
  std::vector<ChardevSpec> named_;
  // Order matters: readers go before the streams they sit on.
  struct SharedMux {
    std::string key;
    std::unique_ptr<Mux> mux;
  };
  std::vector<std::unique_ptr<Chardev>> streams_;
  std::vector<SharedMux> muxes_;
  std::vector<std::unique_ptr<SerialLink>> links_;
  std::vector<std::unique_ptr<MonitorSession>> sessions_;
  std::unique_ptr<GdbServer> gdb_;
};
}  // namespace host
