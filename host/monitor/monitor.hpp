#pragma once
// The human monitor: commands by QEMU's names, and a prompt with line editing on any Chardev.
//
// Thread: the event loop's.  The guest is reached through RunControl::call, so a command may wait for
// the vCPU thread; never call execute() from there.

#include "core/machine.hpp"
#include "core/run_control.hpp"
#include "host/chardev.hpp"
#include "host/monitor/line_editor.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace host {
namespace block {
class Drives;
}
class Nets;

// One decoded range of the address space, for `info mtree` and --map.
struct MapEntry {
  std::string name, kind;
  core::u64 at = 0, size = 0;
};
// `0000000010009000-0000000010009fff uart0 (pl011)` per line, by address.
std::string map_text(std::vector<MapEntry> map);

// What the monitor can talk about.  Pointers outlive the monitor; empty members leave a command with little to say.
struct MonitorContext {
  core::RunControl* run = nullptr;
  core::DebugTarget* target = nullptr;
  core::MachineBase* machine = nullptr;
  block::Drives* drives = nullptr;
  Nets* nets = nullptr;
  std::vector<core::Block> devices;
  std::vector<MapEntry> map;      // devices; memory and known regions are added from `machine`
  std::string board_map, wiring;  // the board page's own texts; `board_map` replaces `map`
  std::string board, version, machine_name;
  std::function<std::string()> jit;                        // text of `info jit`.  Thread: vCPU
  std::function<std::string()> irq;                        // text of `info irq`.  Thread: vCPU
  std::function<std::string()> roms;                       // what was loaded where.  Thread: vCPU
  std::function<std::string(std::string_view)> gdbserver;  // starts gdb on a device, answers with text
  std::function<std::string()> pci;                        // text of `info pci`.  Thread: vCPU
  std::function<std::string()> buses;                      // end of `info qtree`: what takes devices.  Thread: vCPU
  std::function<void()> nmi, powerdown;                    // Thread: vCPU; empty when the board has none
};

class Monitor {
 public:
  explicit Monitor(MonitorContext context) : context_(std::move(context)) {}
  // Runs one command line and answers with its text, lines ended by '\n'.
  std::string execute(std::string_view line);
  // Completions of the last word of `line`.
  std::vector<std::string> complete(std::string_view line) const;
  MonitorContext& context() { return context_; }
  core::u64 next_address = 0;  // where `x` without an address goes on

 private:
  MonitorContext context_;
};

// The prompt on one stream.
class MonitorSession final : public Chardev::Reader {
 public:
  // `starts_hidden`: the stream is shared and somebody else has the focus.
  MonitorSession(Chardev& chardev, Monitor& monitor, bool starts_hidden);
  ~MonitorSession() override { chardev_.attach(nullptr); }
  std::size_t receive(std::span<const core::u8> bytes) override;
  void writable() override;
  void event(Chardev::Event e) override;

 private:
  void show(std::string_view text);  // '\n' becomes CR LF
  void greet();

  Chardev& chardev_;
  Monitor& monitor_;
  LineEditor editor_;
  bool hidden_, greeted_ = false;
  std::string pending_;
};
}  // namespace host
