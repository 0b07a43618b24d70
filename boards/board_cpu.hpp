#pragma once
// What the board program needs of a CPU family: its state, its tools, and how a machine of that family is started.
// Thread: the main thread before the guest runs, then the vCPU thread.

#include "accel/tcg/front_end.hpp"
#include "accel/vcpu.hpp"

#include "core/board.hpp"
#include "core/result.hpp"
#include "core/run_control.hpp"
#include "host/options.hpp"

#include <memory>
#include <string>
#include <vector>

namespace boards {

class BoardCpu {
 public:
  virtual ~BoardCpu() = default;
  virtual accel::VcpuHeader& vcpu() = 0;
  virtual const tcg::FrontEnd& front_end() const = 0;
  virtual core::DebugTarget& debug() = 0;
  // Called by the debugger when a breakpoint is set or removed.
  virtual void on_breakpoint(std::function<void(core::u32 address, bool on)> changed) = 0;

  // Chooses the model of `-cpu` and what depends on the options.
  virtual core::Status configure(const host::Options& options) = 0;
  // Reads the images the options name.  `device_tree` is the board's own, for kernels started without -dtb.
  virtual core::Status load(const host::Options& options, const core::BoardInfo& board, core::MachineBase& machine,
                            std::span<const core::u8> device_tree) = 0;
  // CPU registers and memory contents as at power-on; fails when a file that was loaded cannot be read again.
  virtual core::Status reset(core::MachineBase& machine) = 0;
  // What was loaded where.
  virtual std::string loaded() const = 0;
};
}  // namespace boards
