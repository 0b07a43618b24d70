#pragma once
// Arm boards: connects the CPU shell of a generated Machine to the Arm family.

#include "boards/board_cpu.hpp"
#include "cpus/arm/arm926.hpp"

namespace boards {
std::vector<std::string_view> arm_model_names();
std::unique_ptr<BoardCpu> make_arm_cpu(core::MachineBase& machine, arm::CpuState*& state);

template <class Machine>
std::vector<std::string_view> cpu_model_names(arm::Arm926<Machine>&) {
  return arm_model_names();
}
template <class Machine>
std::unique_ptr<BoardCpu> make_cpu(Machine& machine, arm::Arm926<Machine>& shell) {
  return make_arm_cpu(machine, shell.state);
}
}  // namespace boards
