#pragma once
// The command line: QEMU's spellings, one table, one struct out.
//
//     auto options = host::parse_options({argv + 1, argc - 1}, facts);
//     if (!options) return host::report(facts.program, options.error());
//     if (options->show) return host::print(*options->show);

#include "core/base.hpp"
#include "core/plug.hpp"
#include "core/block_port.hpp"
#include "core/result.hpp"
#include "host/keyvalue.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace host {
// Where drives can be attached on a board: `units` places on each of `buses` buses.  `on_demand`: the board has their
// controller only with a drive, so none is there by default.
struct BlockPlaces {
  core::BlockInterface interface = core::BlockInterface::none;
  unsigned buses = 1, units = 1;
  bool on_demand = false;
};

// A part of the translator that `opt=` can leave out.
struct LayerFacts {
  std::string_view name, help;
};

// What the parser must know of the board this program is.
struct BoardFacts {
  std::string_view program;                // "pinstrap-versatilepb"
  std::vector<std::string_view> machines;  // names -M takes, the board's own first
  std::string_view title;                  // one line for -machine help
  std::vector<std::string_view> cpus;      // the default first
  core::u64 ram_default = 0, ram_max = 0;  // bytes
  unsigned cpus_max = 1;
  std::string_view version;
  // The first is where drives without if= go.  `none` stands for drives that -device takes.  Empty: no drives.
  std::vector<BlockPlaces> block_interfaces;
  std::span<const core::PlugKind* const> devices = {};  // what -device takes
  std::vector<std::string_view> nics = {};  // models of its network cards, those it takes included
  std::vector<LayerFacts> layers = {};      // of -accel jit, at most 32
  std::string_view vga = {};                // its graphics card, as -vga calls it; empty: it has none
};

// -drive, or an option that is short for one: `-hda x` has the keys index=0,media=disk,file=x.
struct WrittenDrive {
  std::string option;
  KeyValues keys;
};

enum class AccelKind { jit, interp, kvm };
struct Accel {
  AccelKind kind = AccelKind::jit;
  core::u64 tb_size = 0;  // bytes of translated code; 0: the engine's choice
  bool one_insn_per_tb = false;
  core::u32 layers = ~core::u32(0);      // opt=LIST: bit n is BoardFacts::layers[n]
  std::optional<unsigned> region_after;  // jumps back that make a loop a region; 0: never
  std::string perf;                      // "map", "dump", or empty
  std::string profile;                   // a file to write, or empty
  std::vector<std::string> symbols;      // files with names of guest code, for both
};

enum class DisplayKind { unset, none, curses, window, vnc };

struct Options {
  std::optional<std::string> show;  // text to print instead of running: help, version

  std::string machine;  // empty: the board; "none": no machine, for those who only ask questions
  KeyValues machine_props;
  std::vector<Accel> accels;  // in order of preference; empty: the default
  std::string cpu;            // empty: the board's
  KeyValues cpu_features;
  core::u64 ram = 0;  // bytes; 0: the board's
  unsigned smp = 1;

  std::string kernel, initrd, append, dtb, bios;
  std::vector<std::string> pflash;

  std::vector<std::string> serial, monitor, chardev, qmp;  // as written; see chardev_setup.hpp for what they mean
  DisplayKind display = DisplayKind::unset;
  bool nographic = false;
  std::string vnc, vga, parallel;
  std::string gdb;                     // empty: no gdb server
  bool stopped = false;                // -S
  std::vector<std::string> log_items;  // -d, checked by apply_log()
  std::string log_file, log_filter;

  KeyValues rtc;
  bool no_reboot = false, no_shutdown = false, snapshot = false;
  unsigned semihosting = 0;  // 1: for privileged code, 2: for all
  KeyValues semihosting_config;
  std::vector<WrittenDrive> drives;  // block/drive_options.hpp says what they mean
  std::vector<KeyValues> blockdev;
  std::vector<std::string> netdev, nic, net, object, device;
  std::string name, uuid, pidfile, icount, loadvm, incoming;
  // Whether the board's graphics card is there.
  bool wants_graphics() const { return vga.empty() ? !nodefaults : vga != "none"; }
  bool nodefaults = false, no_user_config = false, daemonize = false;
  bool map = false, explain = false;
};

// Thread: any.  Errors: usage, one sentence without the program's name.
core::Result<Options> parse_options(std::span<const char* const> arguments, const BoardFacts& facts);
// Refuses, with one sentence each, what was parsed but this build cannot do yet.
core::Status refuse_unbuilt(const Options& options, const BoardFacts& facts);
// The words a guest gets by semihosting: those of arg=, else the kernel and the words of -append.
std::vector<std::string> semihosting_arguments(const Options& options);
// Everything the program takes, by group, with examples.
std::string help_text(const BoardFacts& facts);
// Turns -d on and opens -D.
core::Status apply_log(const Options& options);

// Writes `program: sentence` to standard error; the exit status.
int report(std::string_view program, const core::Error& error);
// The same, for what is worth knowing and stops nothing: `program: warning: sentence`.
void warn(std::string_view program, const std::string& text);
// Writes to standard output; the exit status.
int print(std::string_view text);
}  // namespace host
