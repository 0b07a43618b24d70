#pragma once
// What the families' debug targets have in common: memory through the MMU, and breakpoints.  Thread: vCPU.

#include "accel/vcpu.hpp"

#include "core/run_control.hpp"

#include <functional>
#include <set>

namespace core {

class CpuDebug : public DebugTarget {
 public:
  u64 pc() const override { return c_.pc; }
  // Memory as a privileged access that ignores write protection sees it; rom and flash can be written.
  bool read_memory(u64 address, std::span<u8> out) override;
  bool write_memory(u64 address, std::span<const u8> in) override;
  bool read_physical(u64 address, std::span<u8> out) override;
  bool write_physical(u64 address, std::span<const u8> in) override;
  void set_breakpoint(u64 address, bool on) override;

  // Guest virtual addresses where the engine stops.
  const std::set<u32>& breakpoints() const { return breakpoints_; }
  // Told when breakpoints change, so that the code at the address is translated anew.
  std::function<void(u32 address, bool on)> on_code_change;

 protected:
  explicit CpuDebug(accel::VcpuHeader& c) : c_(c) {}
  // Where a privileged load of `va` goes; false when it would fault.  Holds for the rest of that KiB.
  virtual bool translate(u32 va, u64& phys) const = 0;

 private:
  template <class Span, class Move>
  bool each(u32 va, Span bytes, Move move);
  accel::VcpuHeader& c_;
  std::set<u32> breakpoints_;
};
}  // namespace core
