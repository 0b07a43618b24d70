#pragma once
// The ARM v5 front end: translation of ARM, Thumb and VFP code, and what else the engine asks about the CPU.
// Mode bit of a pc: bit 0 is CPSR.T.  mode(): bit 0 is set in user mode.

#include "cpus/arm/state.hpp"

#include "accel/tcg/front_end.hpp"

namespace arm {

class ArmFrontEnd final : public tcg::FrontEnd {
 public:
  const tcg::GuestLayout& layout() const override;
  u32 pc(const tcg::VcpuHeader& c) const override;
  void set_pc(tcg::VcpuHeader& c, u32 pc) const override;
  u32 mode(const tcg::VcpuHeader& c) const override;
  tcg::CodePlace fetch_address(tcg::VcpuHeader& c, u32 pc) const override;
  void translate(tcg::Request& request) const override;
  void deliver_interrupt(tcg::VcpuHeader& c) const override;
  bool wakes(const tcg::VcpuHeader& c) const override;
  void reset(tcg::VcpuHeader& c) const override;
  std::string disassemble(u32 pc, std::span<const u8> code, unsigned& length) const override;
  std::string dump(const tcg::VcpuHeader& c) const override;
};
}  // namespace arm
