#pragma once
// The MIPS32 front end: translation, and what else the engine asks about the CPU.
// Mode bit of a pc: bit 0 is MIPS16e.  mode(): bit 0 is set in user and supervisor mode, bit 1 is Status.FR, bit 2 is
// Status.RE in user mode; bits 8 to 15 are VcpuHeader::slot when only a delay slot is to be translated, which makes it transient.

#include "cpus/mips/state.hpp"

#include "accel/tcg/front_end.hpp"

namespace mips {

class MipsFrontEnd final : public tcg::FrontEnd {
 public:
  // Of the CPU it is for, once its model is known.
  explicit MipsFrontEnd(const CpuState& s) : s_(s) {}
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

 private:
  const CpuState& s_;
};

// The text of `info registers`.
std::string dump_registers(const CpuState& s);
}  // namespace mips
