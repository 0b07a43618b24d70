#pragma once
// The board-independent part of a machine: memory, time, serial ports, and requests to whoever runs it.
// A generated `struct Machine : core::MachineBase` adds the devices and their wires.
//
// Thread: the vCPU thread, except where a member says otherwise.

#include "core/block_port.hpp"
#include "core/char_port.hpp"
#include "core/clock.hpp"
#include "core/completions.hpp"
#include "core/net_port.hpp"
#include "core/poll_watch.hpp"
#include "core/reg.hpp"

#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace core {
class MachineBase;

// Host memory that stands for guest memory.  The engine maps it; devices reach it by DMA.
struct RamBlock {
  const char* name;
  GuestPhys at;
  u64 size;       // bytes, a multiple of 4 KiB
  u8* host;
  bool rom;       // guest stores go to the machine's write(), not to memory
  bool direct = true;  // rom: guest loads may read `host`; otherwise they go to the machine's read()
  bool boot_alias = false;  // a second view of a rom's memory, see MachineBase::add_boot_alias
  bool enabled = true;      // decoded now
};

// An address range the board decodes and names but does not model.
struct KnownRegion {
  const char* name;
  GuestPhys at;
  u64 size;
};

// Who answers in a page of devices, as long as no window moves: a function, and what it calls the page's first byte.
struct DeviceReader {
  u64 at;
  u64 (*read)(MachineBase*, u64 at, unsigned size) noexcept;
};
struct DeviceWriter {
  u64 at;
  void (*write)(MachineBase*, u64 at, unsigned size, u64 v) noexcept;
};

// Why the run loop must look up from guest code.
enum Request : u32 {
  request_interrupt = 1 << 0,  // an unmasked interrupt line is up
  request_timer = 1 << 1,      // a deadline passed or moved
  request_kick = 1 << 2,       // translated code must be left: another thread wants the vCPU thread, or the code is gone
  request_reset = 1 << 3,
  request_shutdown = 1 << 4,
  request_flush = 1 << 5,      // translated code must go
  request_poll = 1 << 6,       // the guest seems to do nothing but ask devices the same again
  request_spin = 1 << 11,      // the guest runs in a circle in which nothing changes; only an event ends that
};
// Translated code tests them all at once, which says where the bits may be: see tcg::x86_64::env_at.
inline constexpr u32 all_requests = (2 * request_poll - 1) | request_spin;

class MachineBase {
 public:
  MachineBase() = default;
  MachineBase(const MachineBase&) = delete;
  MachineBase& operator=(const MachineBase&) = delete;
  ~MachineBase();

  bool big_endian_guest = false;  // the processor's byte order, for devices that follow it

  // Time.
  Clock* clock = nullptr;  // set before reset; owned by the run loop
  TimerQueue timers;
  u64 now() const noexcept { return clock->now(); }
  void arm_timer(unsigned id, u64 delay_ns) noexcept;
  void disarm_timer(unsigned id) noexcept { timers.disarm(id); }
  // A guest that polls (see RunLoop::sleep_out_poll).
  PollWatch polls;
  void repeats_until(u64 at) noexcept {
    if (polls.repeats_until(at)) raise(request_poll);
  }

  // Memory.  `add_ram` maps zeroed host memory that costs nothing until it is touched; false with errno when the
  // host refuses.
  bool add_ram(const char* name, GuestPhys at, u64 size, bool rom);
  std::vector<RamBlock> ram;  // of two that overlap, the first that is enabled answers
  // Shows the rom at `rom` also at `at`, in front of what is there, from reset until a system controller ends it: how
  // boards boot from flash.  Before the engine is made.  False when there is no such rom.
  bool add_boot_alias(GuestPhys rom, GuestPhys at);
  void show_boot_alias(bool on) noexcept;
  // The host address of [at, at+size) when it lies inside one block; null otherwise.
  u8* host_memory(GuestPhys at, u64 size) const noexcept;
  // Copies between a device and guest memory.  False, with nothing copied, when the range is not memory (for a
  // write: not writable memory).
  bool dma_read(GuestPhys at, std::span<u8> to) const noexcept;
  bool dma_write(GuestPhys at, std::span<const u8> from) noexcept;
  // Called after memory changed other than by the CPU's own stores, so that translated code goes.
  void (*memory_written)(void*, GuestPhys at, u64 size) = nullptr;
  // Called when a rom block must be re-read through the machine or may be mapped again (flash leaving or
  // entering read-array mode).
  void (*rom_mapping_changed)(void*, GuestPhys at, u64 size) = nullptr;
  // Called when who answers at an address of a device may have changed.
  void (*devices_moved)(void*) = nullptr;
  void* engine_context = nullptr;  // first argument of these
  void window_moved() noexcept;    // a bridge decodes other addresses now

  // Says whether guest loads from the rom block at `at` may read its memory; tells rom_mapping_changed on a change.
  void set_direct(GuestPhys at, bool direct);

  // One 32-bit instruction fetch from an address that is not memory; set by the board.
  u64 (*fetch_device)(MachineBase*, GuestPhys at) = nullptr;
  // One 32-bit store through the machine's decoder, for what firmware does before a kernel runs; set by the board.
  void (*store_device)(MachineBase*, GuestPhys at, u32 value) = nullptr;

  // Serial ports by number; index = `host: serialN` of the board page.
  std::array<CharPort, 8> serial;

  // Drives and network plugs, made by the program from -drive, -nic and the like before the machine runs.
  // The drive at that place, or null; index of a network plug = `host: netN` of the board page.
  std::deque<BlockPort> drives;
  BlockPort* drive(BlockInterface interface, unsigned bus, unsigned unit) noexcept;
  std::deque<NetPort> nics;
  NetPort* nic(unsigned index) noexcept { return index < nics.size() ? &nics[index] : nullptr; }
  // What other threads finished, run by the vCPU thread.
  Completions completions;

  // Facts that devices on buses ask for.
  // Fills with random bytes; set by the program, makes no system call.  Empty: there are none.
  std::function<void(std::span<u8>)> entropy;
  // Takes a message-signalled interrupt; empty where the board knows none.
  std::function<void(u64 address, u32 data)> msi;

  // Characters of devices that came at run time, by the name of their -chardev.  Before the machine runs.
  struct PluggedSerial {
    std::string chardev;
    CharPort port;
  };
  std::deque<PluggedSerial> plugged_serial;
  // Called whenever the run loop looks after devices: characters arrived, or the host took some.
  std::vector<std::function<void()>> plugged_services;
  void serve_plugged() {
    for (auto& f : plugged_services) f();
  }

  // A timer of a device that came at run time (-device): `expired` is called on the vCPU thread.  Returns its id for
  // arm_timer and disarm_timer.  Before the machine runs.
  unsigned add_timer(std::function<void()> expired);
  // Runs it; false when `id` belongs to the board page's devices.
  bool expire_added(unsigned id);

  // Requests.  Thread: any.
  std::atomic<u32>* request = nullptr;  // the vCPU's exit-request word, polled by translated code
  void raise(u32 bits) noexcept {
    if (request) request->fetch_or(bits);  // ordered before the look at who sleeps, in wake
    if (wake) wake(wake_context);
  }
  void (*wake)(void*) = nullptr;  // ends the vCPU's idle sleep
  void* wake_context = nullptr;
  void request_system_reset() noexcept { raise(request_reset); }
  void request_shutdown_with(int status) noexcept;
  int exit_status = 0;

  // Accesses nobody claims: read as zero, writes go nowhere, named in the log.
  std::span<const KnownRegion> known;
  u64 unclaimed_read(GuestPhys at, unsigned size) noexcept;
  void unclaimed_write(GuestPhys at, unsigned size, u64 value) noexcept;

 private:
  unsigned first_added_ = 0;
  std::vector<std::function<void()>> added_timers_;
};

// The host's calendar, read once at power-on by real-time clocks.
struct HostTime {
  static s64 wall_clock_seconds() noexcept;  // UTC, for real-time clocks at power-on
};
}  // namespace core
