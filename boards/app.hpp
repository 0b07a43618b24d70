#pragma once
// The program around a machine: options, memory, images, threads, the end.  Compiled once; a board's main.cpp
// fills in App.

#include "accel/run_loop.hpp"
#include "boards/board_cpu.hpp"
#include "host/device_options.hpp"
#include "host/options.hpp"

#include "core/board.hpp"

namespace boards {

struct App {
  const core::BoardInfo& info;
  core::MachineBase& machine;
  std::unique_ptr<BoardCpu> cpu;
  std::vector<std::string_view> cpu_models;  // the default first
  accel::Port port;
  accel::BoardCalls calls;                   // board = the machine
  std::vector<core::Block> devices;
  bool (*create_memory)(core::MachineBase&, core::u64 ram_size, std::string& error);
  // After drives and networks are made, before cards are plugged; the buses of what is there then.
  std::vector<std::unique_ptr<core::PlugBus>> (*fit_devices)(core::MachineBase&, bool graphics);
  void (*reset_devices)(core::MachineBase&);
  std::span<const core::u8> device_tree;     // the board's own, compiled
  host::PlugKinds plug_kinds = {};                       // what -device takes
  std::vector<std::unique_ptr<core::PlugBus>> plug_buses = {};  // where it goes
};

// The exit status of the program.
int run(App& app, int argc, const char* const* argv);
}  // namespace boards
