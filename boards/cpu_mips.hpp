#pragma once
// MIPS boards: connects the CPU shell of a generated Machine to the MIPS family.

#include "boards/board_cpu.hpp"
#include "cpus/mips/mips32.hpp"

namespace boards {
// What the board page says about the processor.
struct MipsFacts {
  const char* model;  // empty: the family's first
  core::u64 clock_hz, bus_errors_from;
  unsigned first_timer;
  bool big_endian;
};
std::vector<std::string_view> mips_model_names(std::string_view first);
std::unique_ptr<BoardCpu> make_mips_cpu(core::MachineBase& machine, mips::CpuState*& state, const MipsFacts& facts);

template <class Machine, class Facts>
std::vector<std::string_view> cpu_model_names(mips::Mips32<Machine, Facts>&) {
  return mips_model_names(Facts::model);
}
template <class Machine, class Facts>
std::unique_ptr<BoardCpu> make_cpu(Machine& machine, mips::Mips32<Machine, Facts>& shell) {
  return make_mips_cpu(machine, shell.state, {Facts::model, Facts::clock_hz, Facts::bus_errors_from, Facts::first_timer, Facts::big_endian});
}
}  // namespace boards
