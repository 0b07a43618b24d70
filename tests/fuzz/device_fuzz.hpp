#pragma once
// Throws random accesses at the devices of a board, without a processor: registers at every size and alignment,
// programs that get a device going, characters, answers of disks, resets, and virtual time that runs on, jumps or
// overtakes timers.
//
//     BOARD_fuzz [--only DEVICE] [--seconds N] [--seed S] [--verbose]
//
// What must hold: no operation takes 2 s of CPU time, no deadline lies centuries ahead, timers let time go on, what
// devices report as written is memory, and no request to a disk is larger than any device may make it; sanitizers see
// the rest.  A failure prints the seed and the last operations.
// With -DPINSTRAP_LIBFUZZER the bytes of a corpus take the place of the random numbers; of a few bytes comes little, so
// say `BOARD_libfuzzer -len_control=0 -max_len=8192 FOLDER`.  Coverage counts what the board's page instantiates, not
// the parts that are compiled once for all boards.

#include "core/machine.hpp"

#include <memory>
#include <random>
#include <string_view>
#include <vector>

namespace fuzz {
using namespace core;

constexpr u64 us = 1'000, ms = 1'000 * us, second = 1'000 * ms, day = 86'400 * second;

// Keeps the operation for the report of a failure.
void note(const char* what, u64 address = 0, u64 value = 0, unsigned size = 0);
[[noreturn]] void fail(const char* why, u64 detail);

// Where decisions come from: a generator, or the bytes of a corpus until they end.
class Source {
 public:
  explicit Source(u64 start) : generator_(start) {}
  Source(const u8* data, std::size_t size) : data_(data), left_(size), finite_(true) {}
  bool ended() const { return finite_ && !left_; }
  u64 word(unsigned bytes = 8);
  u32 below(u32 n) { return u32(word(n > 256 ? 4 : 1) % n); }
  bool one_in(u32 n) { return below(n) == 0; }
  template <class T>
  T pick(std::initializer_list<T> of) {
    return of.begin()[below(u32(of.size()))];
  }

 private:
  std::mt19937_64 generator_;
  const u8* data_ = nullptr;
  std::size_t left_ = 0;
  bool finite_ = false;
};

// Stands still until it is told.
struct StepClock final : Clock {
  u64 time = 0;
  u64 now() const noexcept override { return time; }
  void pause() override {}
  void resume() override {}
};

// A medium that answers soon, late, in another order, or with an error.
class Disk final : public BlockBackend {
 public:
  Disk(Source& s, MachineBase& m) : s_(s), m_(m), bytes_(256 * KiB) {}
  void submit(BlockRequest r, std::function<void(BlockRequest)> answer) override;
  // Answers one of those that were held back.
  void release();

 private:
  using Answer = std::function<void()>;
  Source& s_;
  MachineBase& m_;
  std::vector<u8> bytes_;  // again and again up to the size of the drive
  std::vector<Answer> held_;
};

// Addresses that accesses aim at.
struct Target {
  std::string_view name;
  unsigned space;  // the board's number; 0: the processor's bus
  u64 at, size;
  std::span<const RegInfo> registers = {};
  u32 mask = ~0u;  // of their offsets, where they are banked
};

// The part all boards share.  A board says how accesses reach it and adds programs that know its devices.
class Fuzzer {
 public:
  virtual ~Fuzzer() = default;
  void step();
  // After the constructors: the machine is made.
  void start() { reset(); }
  // False when no device has the name that --only gave.
  bool has_work() const { return !targets_.empty() || weights_; }

 protected:
  // `only`: the device that is fuzzed, or empty for all.
  Fuzzer(Source& s, MachineBase& m, std::string_view only);

  virtual u64 load(unsigned space, u64 at, unsigned size) = 0;
  virtual void store(unsigned space, u64 at, unsigned size, u64 v) = 0;
  virtual void expire_device(unsigned timer) = 0;
  virtual void reset_devices() = 0;
  virtual void pump_characters() = 0;
  virtual void after_reset() {}

  struct Program {
    std::vector<std::string_view> devices;
    u32 weight;
    std::function<void()> run;
  };
  void add_program(Program p);
  void add_target(const Target& t);
  // One for each range that `map` (BoardInfo::map) gives a device; `spaces` are the names of its sections.
  void add_targets(const char* map, std::span<const Block> blocks, std::initializer_list<std::string_view> spaces);
  BlockPort& add_drive(BlockInterface interface, unsigned bus, unsigned unit, u64 size, bool is_cdrom = false);
  NetPort& add_nic();

  u64 value();
  // Inside, around and outside memory.
  u32 address();
  u32 in_ram(u32 room = 0x1000, u32 align = 4);
  void one(bool write, unsigned space, u64 at, unsigned size, u64 v);
  void put(unsigned space, u64 at, unsigned size, u64 v) { one(true, space, at, size, v); }
  void get(unsigned space, u64 at, unsigned size) { one(false, space, at, size, 0); }
  template <class T>
  void poke(u64 at, T v) {
    u8 bytes[sizeof(T)];
    store_le(bytes, v);
    (void)m_.dma_write(GuestPhys{at}, bytes);
  }
  u16 peek16(u64 at) {
    u8 bytes[2] = {};
    (void)m_.dma_read(GuestPhys{at}, bytes);
    return load_le<u16>(bytes);
  }
  void answer_disks();
  void frame();
  void pass_time();

  Source& s_;
  StepClock clock_;
  std::atomic<u32> request_{0};
  std::vector<u32> edges_;  // addresses where something begins or ends
  u32 ram_size_ = 4 * MiB;
  std::vector<CharPort*> chars_;
  std::vector<Target> targets_;
  std::string_view only_;

 private:
  struct Place {
    unsigned space;
    u64 at;
  };
  bool wanted(std::string_view device) const { return only_.empty() || only_ == device; }
  Place place();
  void access(bool write);
  void burst();
  void sweep();
  void expire(unsigned timer);
  void expire_due();
  void characters();
  void medium();
  void echo(NetPort& port);
  void reset();
  void check_deadlines();

  MachineBase& m_;
  std::vector<Program> programs_;
  u32 weights_ = 0;
  std::deque<Disk> disks_;
  u32 target_ = 0;
  volatile u64 sink_ = 0;
};

// What a program fuzzes; each defines one.
struct Board {
  const char* name;
  std::unique_ptr<Fuzzer> (*make)(Source& s, std::string_view only);
};
extern const Board board;
}  // namespace fuzz
