#pragma once
// What generic code sees of a board: its devices and wires as Hana tuples of empty descriptors, and its facts
// as plain data.  The generated header of a board fills these in.

#include "core/machine.hpp"

#include <boost/hana/filter.hpp>
#include <boost/hana/for_each.hpp>
#include <boost/hana/integral_constant.hpp>
#include <boost/hana/tuple.hpp>

#include <string>
#include <utility>
#include <vector>

namespace core {
namespace hana = boost::hana;

// A device: its name, where it sits in the machine and on the bus, its clock, its host port (-1: none).
template <FixedString Name, auto Member, u64 At, u64 Hz, int Serial>
struct Dev {
  static constexpr std::string_view name = Name.view();
  static constexpr GuestPhys at{At};
  static constexpr u64 clock_hz = Hz;
  static constexpr int serial = Serial;
  template <class Machine>
  constexpr auto& in(Machine& m) const {
    return m.*Member;
  }
};

// A wire: output `pin` of device `from` drives input `line` of device `to`.
template <FixedString From, FixedString Pin, FixedString To, unsigned Line>
struct Edge {
  static constexpr std::string_view from = From.view(), pin = Pin.view(), to = To.view();
  static constexpr unsigned line = Line;
};

// Calls f(name, device) for each device, in the order of the board page.
template <class Machine, class F>
void each_device(Machine& m, F f) {
  hana::for_each(devices_of(m), [&](auto d) { f(d.name, d.in(m)); });
}

namespace detail {
struct HasHost {
  template <class D>
  constexpr auto operator()(D) const {
    return hana::bool_c<(D::serial >= 0)>;
  }
};
}  // namespace detail

// Calls f(port, device) for each device with a host serial port; m.serial[port] is its other end.
template <class Machine, class F>
void each_serial(Machine& m, F f) {
  hana::for_each(hana::filter(devices_of(m), detail::HasHost{}), [&](auto d) { f(unsigned(d.serial), d.in(m)); });
}

// Calls f(edge) for each wire.
template <class Machine, class F>
void each_edge(const Machine& m, F f) {
  hana::for_each(edges_of(m), f);
}

// Every device as data, for snapshots, register dumps and docs.
template <class Machine>
std::vector<Block> blocks_of(Machine& m) {
  std::vector<Block> blocks;
  each_device(m, [&](std::string_view name, auto& d) { blocks.push_back(block_of(name, d)); });
  return blocks;
}

// A line with several drivers is high while one of them is; `levels` has a bit for each.
inline bool join_line(u32& levels, unsigned driver, bool level) {
  levels = level ? levels | 1u << driver : levels & ~(1u << driver);
  return levels != 0;
}

// Drives a board takes: `buses` buses (channels) of `units` each.  `on_demand`: the controller comes with a drive.
struct DriveFacts {
  BlockInterface interface;
  unsigned buses, units;
  bool on_demand = false;
};

struct ClockInfo {
  const char* name;
  u64 hz;
};

// A 32-bit store that firmware has done when it starts a kernel.
struct FirmwareStore {
  GuestPhys at;
  u32 value;
};

// The facts of a board that programs print or check.  Sizes in bytes.
struct BoardInfo {
  const char* name;
  const char* title;
  std::span<const char* const> machines;  // names -M accepts
  const char* cpu;                        // kind of the processor
  std::span<const ClockInfo> clocks;      // the first is the processor's
  u64 ram_default, ram_max;               // 0: -m is not an option here
  const char* ram_reason;                 // why not more: a clause
  std::span<const FirmwareStore> firmware = {};  // in order; those into ROM say what it holds
  u32 linux_machine;                      // machine number for kernels without a device tree
  const char* map;                        // the memory map, a line per range
  const char* wiring;                     // the wires, a line each
  std::span<const DriveFacts> drives = {};      // what -drive can name; the first is the default interface
  std::span<const char* const> nics = {};       // models of the soldered network cards, by number
  std::string_view vga = {};                    // the graphics card, as -vga calls it; empty: it has none
};

// The RAM size -m asks for: 0 becomes the default.  False with a sentence in `error` when it does not fit.
bool fit_ram(const BoardInfo& info, u64& size, std::string& error);
// The sentence for host memory that could not be had; false.
bool no_memory(std::string& error, const char* region);
}  // namespace core
