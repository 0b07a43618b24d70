#pragma once
// How the world outside (monitor, gdb, event loop) reaches the thread that runs the guest.

#include "core/base.hpp"

#include <functional>
#include <string>

namespace core {

enum class StopReason { paused, breakpoint, step, watchpoint, shutdown, fault };

// Implemented by the vCPU's run loop.  Thread: any, unless a member says otherwise.
class RunControl {
 public:
  virtual ~RunControl() = default;
  // Runs `work` on the vCPU thread between two guest instructions, also while the guest is stopped.  Once that
  // thread has ended, work that was posted is destroyed without being run.
  virtual void post(std::function<void()> work) = 0;
  // post(), then waits until it ran or was dropped.  Not from the vCPU thread.
  void call(const std::function<void()>& work);
  // Stops the guest before its next instruction; no effect when it is stopped.
  virtual void stop() = 0;
  virtual void resume() = 0;
  // Runs one guest instruction, then stops with StopReason::step.
  virtual void step() = 0;
  virtual bool running() const = 0;
  // Asks for reset, or for the end of the process with that status.
  virtual void reset() = 0;
  virtual void shutdown(int status) = 0;
  // Told of every stop, on the vCPU thread; several may listen.
  virtual void on_stop(std::function<void(StopReason)> listener) = 0;
  // Told on the vCPU thread before the guest runs on after a stop.
  virtual void on_resume(std::function<void()> listener) = 0;
};

// One register as debuggers and the monitor see it.
struct RegisterDesc {
  const char* name;
  unsigned bits;
  const char* type;     // gdb's type name: "int", "code_ptr", "data_ptr", "ieee_double" …
  const char* feature;  // gdb's feature, "org.gnu.gdb.arm.core"
  int number;           // gdb's register number
};

// The CPU as a debugger sees it.  Thread: the vCPU thread (go through RunControl::post).
class DebugTarget {
 public:
  virtual ~DebugTarget() = default;
  virtual const char* architecture() const = 0;  // gdb's name: "arm"
  virtual std::span<const RegisterDesc> registers() const = 0;
  // The order gdb wants bytes of registers in.
  virtual bool big_endian() const { return false; }
  // Values little endian, (bits + 7) / 8 bytes.
  virtual void read_register(unsigned index, std::span<u8> out) const = 0;
  virtual void write_register(unsigned index, std::span<const u8> in) = 0;
  virtual u64 pc() const = 0;
  // Guest virtual memory as the CPU maps it now; false when some byte is not mapped.  Devices are not touched.
  virtual bool read_memory(u64 address, std::span<u8> out) = 0;
  virtual bool write_memory(u64 address, std::span<const u8> in) = 0;
  // The same by guest physical address.
  virtual bool read_physical(u64 address, std::span<u8> out) = 0;
  virtual bool write_physical(u64 address, std::span<const u8> in) = 0;
  virtual void set_breakpoint(u64 address, bool on) = 0;
  // Text of `info registers`.
  virtual std::string dump() const = 0;
  // One guest instruction as text; `length` gets its size in bytes.
  virtual std::string disassemble(u64 address, unsigned& length) = 0;
};
}  // namespace core
