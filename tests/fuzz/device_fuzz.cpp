#include "tests/fuzz/device_fuzz.hpp"

#include "core/log.hpp"

#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

extern "C" [[gnu::weak]] void __sanitizer_set_death_callback(void (*)());
extern "C" const char* __ubsan_default_options() { return "halt_on_error=1:print_stacktrace=1"; }

namespace fuzz {
namespace {
constexpr u64 far_future = u64(1) << 62;   // ns: no device counts that long
constexpr u64 largest_request = 16 * MiB;  // bytes
constexpr u64 longest_operation = 2;       // s of CPU time

// The last operations, for the report.
struct Operation {
  const char* what;
  u64 address, value;
  unsigned size;
};
Operation last[50];
volatile std::sig_atomic_t reported = 0;
volatile u64 operations = 0;
u64 seed = 0;

void print_last() {
  if (reported) return;
  reported = 1;
  const u64 count = operations;
  std::fprintf(stderr, "seed %llu, operation %llu; the last ones, oldest first:\n",
               static_cast<unsigned long long>(seed), static_cast<unsigned long long>(count));
  for (u64 n = count > 50 ? count - 50 : 0; n < count; ++n) {
    const Operation& o = last[n % 50];
    std::fprintf(stderr, "  %-14s 0x%08llx %u 0x%llx\n", o.what, static_cast<unsigned long long>(o.address), o.size,
                 static_cast<unsigned long long>(o.value));
  }
}
void on_signal(int number) {
  std::fprintf(stderr, "%s_fuzz: signal %d\n", board.name, number);
  print_last();
  std::signal(number, SIG_DFL);
  std::raise(number);
}
// Rings each second of CPU time.
void on_tick(int) {
  static u64 seen = 0, same = 0;
  same = operations == seen && seen ? same + 1 : 0;
  seen = operations;
  if (same <= longest_operation) return;
  std::fprintf(stderr, "%s_fuzz: an operation takes more than 2 s\n", board.name);
  print_last();
  std::abort();
}
}  // namespace

void note(const char* what, u64 address, u64 value, unsigned size) {
  last[operations % 50] = {what, address, value, size};
  operations = operations + 1;
}
void fail(const char* why, u64 detail) {
  std::fprintf(stderr, "%s_fuzz: %s (0x%llx)\n", board.name, why, static_cast<unsigned long long>(detail));
  print_last();
  std::abort();
}

u64 Source::word(unsigned bytes) {
  if (!finite_) return generator_();
  u64 v = 0;
  for (unsigned i = 0; i < bytes && left_; ++i, --left_) v |= u64(*data_++) << 8 * i;
  return v;
}

void Disk::submit(BlockRequest r, std::function<void(BlockRequest)> answer) {
  note("disk", r.at, r.length, unsigned(r.op));
  if (r.op == BlockOp::read || r.op == BlockOp::write) {
    if (r.length > largest_request) fail("a device asks a disk for too much at once", r.length);
    if (r.data.size() != r.length) fail("a request whose data is not as long as it says", r.data.size());
    for (u64 done = 0; done < r.length;) {
      const u64 at = (r.at + done) % bytes_.size(), n = std::min<u64>(r.length - done, bytes_.size() - at);
      if (r.op == BlockOp::read) std::copy_n(bytes_.begin() + long(at), n, r.data.begin() + long(done));
      else std::copy_n(r.data.begin() + long(done), n, bytes_.begin() + long(at));
      done += n;
    }
  }
  if (s_.one_in(12)) r.error = s_.one_in(2) ? BlockError::io : BlockError::no_space;
  const auto finished = std::make_shared<BlockRequest>(std::move(r));
  Answer later = [finished, answer = std::move(answer)] { answer(std::move(*finished)); };
  if (s_.one_in(3)) held_.push_back(std::move(later));
  else m_.completions.post(std::move(later));
}
void Disk::release() {
  if (held_.empty()) return;
  const auto which = held_.begin() + long(s_.below(u32(held_.size())));
  m_.completions.post(std::move(*which));
  held_.erase(which);
}

Fuzzer::Fuzzer(Source& s, MachineBase& m, std::string_view only) : s_(s), only_(only), m_(m) {
  m_.clock = &clock_;
  m_.request = &request_;
  m_.engine_context = this;
  m_.memory_written = [](void* self, GuestPhys at, u64 size) {
    const MachineBase& of = static_cast<Fuzzer*>(self)->m_;
    for (const RamBlock& b : of.ram)  // an alias comes or goes
      if (b.boot_alias && b.at == at && b.size == size) return;
    if (!of.host_memory(at, size)) fail("a device says it wrote what is no memory", raw(at));
  };
  m_.rom_mapping_changed = [](void*, GuestPhys, u64) {};
  m_.entropy = [this](std::span<u8> to) {
    for (u8& b : to) b = u8(s_.word(1));
  };
}

void Fuzzer::add_program(Program p) {
  if (std::ranges::none_of(p.devices, [this](std::string_view d) { return wanted(d); })) return;
  weights_ += p.weight;
  programs_.push_back(std::move(p));
}
void Fuzzer::add_target(const Target& t) {
  if (wanted(t.name) && t.size) targets_.push_back(t);
}
void Fuzzer::add_targets(const char* map, std::span<const Block> blocks,
                         std::initializer_list<std::string_view> spaces) {
  // `  0x1f000000-0x1f0008ff  fpga           malta_fpga`, under a line that begins with the space's name.
  unsigned space = 0;
  std::vector<std::string_view> seen;
  for (std::string_view rest = map; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    for (unsigned n = 0; n < spaces.size(); ++n)
      if (line.starts_with(spaces.begin()[n])) space = n;
    u64 first = 0, end = 0;
    if (!line.starts_with("  0x")) continue;
    std::from_chars(line.data() + 4, line.data() + line.size(), first, 16);
    const auto dash = line.find("-0x");
    std::from_chars(line.data() + dash + 3, line.data() + line.size(), end, 16);
    for (const Block& b : blocks) {
      const bool is_whole = line.ends_with(b.kind) && line.find("  " + std::string(b.name) + " ") != line.npos;
      if (!is_whole) continue;
      // Offsets of registers count from the first window.
      const bool is_first = std::ranges::find(seen, b.name) == seen.end();
      seen.push_back(b.name);
      add_target({b.name, space, first, end - first + 1, is_first ? b.info : std::span<const RegInfo>{}});
    }
  }
}
BlockPort& Fuzzer::add_drive(BlockInterface interface, unsigned bus, unsigned unit, u64 size, bool is_cdrom) {
  BlockPort& p = m_.drives.emplace_back();
  p.id = "drive" + std::to_string(m_.drives.size());
  p.interface = interface, p.bus = bus, p.unit = unit, p.size = size;
  p.is_cdrom = p.read_only = is_cdrom;
  p.removable = is_cdrom || interface == BlockInterface::floppy;
  if (s_.one_in(16)) p.read_only = true;
  if (s_.one_in(16) && p.removable) return p;
  p.backend = &disks_.emplace_back(s_, m_);
  return p;
}
NetPort& Fuzzer::add_nic() {
  NetPort& p = m_.nics.emplace_back();
  p.mac = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
  p.host_wake = [this, &p] { echo(p); };
  return p;
}

void Fuzzer::step() {
  const u32 kind = s_.below(100);
  if (kind < 20 && !targets_.empty()) access(false);
  else if (kind < 50 && !targets_.empty()) access(true);
  else if (kind < 60) pass_time();
  else if (kind < 64) characters();
  else if (kind < 66 && !targets_.empty()) burst();
  else if (kind < 67) medium();
  else if (kind < 68) frame();
  else if (kind < 69) {
    if (s_.one_in(20)) reset();
  } else if (weights_) {
    u32 at = s_.below(weights_);
    for (const Program& p : programs_) {
      if (at < p.weight) {
        p.run();
        break;
      }
      at -= p.weight;
    }
  }
  if (s_.one_in(2)) answer_disks();
  const u32 asked = request_.exchange(0);
  if ((asked & request_reset) && s_.one_in(2)) reset();
  check_deadlines();
}
void Fuzzer::check_deadlines() {
  for (u64 deadline : m_.timers.deadlines())
    if (deadline != never && deadline > clock_.time && deadline - clock_.time > far_future)
      fail("a deadline that never comes", deadline);
}

u64 Fuzzer::value() {
  switch (s_.below(10)) {
    case 0: return 0;
    case 1: return ~u64(0);
    case 2: return u64(1) << s_.below(32);
    case 3: return ~(u64(1) << s_.below(32));
    case 4:
    case 5: return s_.below(17);
    case 6: return address();
    case 7: return s_.word(2) & 0xffff;
    default: return s_.word(4) & 0xffff'ffff;
  }
}
u32 Fuzzer::address() {
  switch (s_.below(6)) {
    case 0: return edges_[s_.below(u32(edges_.size()))] + s_.below(65) - 32;
    case 1: return u32(0) - s_.below(33);
    case 2: return edges_[s_.below(u32(edges_.size()))] + s_.below(2 * MiB);
    case 3: return u32(s_.word(4));
    default: return s_.below(ram_size_) & ~(s_.one_in(4) ? 0u : 3u);
  }
}
u32 Fuzzer::in_ram(u32 room, u32 align) { return s_.below(ram_size_ - room) & ~(align - 1); }

// Mostly a device stays the target for some accesses, since what goes wrong takes more than one.
Fuzzer::Place Fuzzer::place() {
  if (s_.one_in(16)) target_ = s_.below(u32(targets_.size()));
  const Target& t = targets_[target_];
  const u32 how = s_.below(20);
  if (how == 0 && only_.empty()) return {0, address()};
  if (how < 3 || t.registers.empty()) return {t.space, t.at + s_.below(u32(t.size) + (how ? 0 : 16))};
  const RegInfo& r = t.registers[s_.below(u32(t.registers.size()))];
  const u32 off = (r.at + s_.below(r.count) * r.stride) & t.mask;
  return {t.space, t.at + (off < t.size ? off : s_.below(u32(t.size))) + (how < 5 ? s_.below(8) : 0)};
}
void Fuzzer::access(bool write) {
  const Place p = place();
  const unsigned size = s_.pick({4u, 4u, 4u, 4u, 1u, 1u, 2u, 8u});
  one(write, p.space, p.at, size, write ? value() : 0);
}
void Fuzzer::one(bool write, unsigned space, u64 at, unsigned size, u64 v) {
  note(write ? "write" : "read", at, v, size);
  if (write) store(space, at, size, v);
  else sink_ = sink_ + load(space, at, size);
}
// The same place again and again: FIFOs, bit-banged buses, flash buffers.
void Fuzzer::burst() {
  if (s_.one_in(2)) return sweep();
  const Place p = place();
  const bool write = s_.one_in(2);
  const unsigned size = s_.pick({1u, 2u, 4u, 4u});
  const u64 first = value(), step = s_.below(3) * (1 + s_.below(8)), stride = s_.one_in(4) ? size : 0;
  for (u32 n = 0, count = s_.below(200); n < count; ++n) one(write, p.space, p.at + n * stride, size, first + n * step);
}
// Every register of a device, so that it gets going.
void Fuzzer::sweep() {
  const Target& t = targets_[target_];
  const u64 v = s_.one_in(2) ? ~u64(0) : s_.below(16);
  for (const RegInfo& r : t.registers)
    for (u32 i = 0; i < std::min(r.count, 8u) && r.at + i * r.stride < t.size; ++i)
      if (!s_.one_in(4)) put(t.space, t.at + r.at + i * r.stride, r.width, s_.one_in(4) ? value() : v);
}

void Fuzzer::expire(unsigned timer) {
  note("expire", timer, clock_.time);
  if (!m_.expire_added(timer)) expire_device(timer);
}
// As the run loop does: 64 at most.
void Fuzzer::expire_due() {
  for (int id, budget = 64; budget-- && (id = m_.timers.take_due(clock_.time)) >= 0;) expire(unsigned(id));
}
void Fuzzer::pass_time() {
  static constexpr u64 spans[] = {0, 1, us, 50 * us, ms, 20 * ms, second, 100 * second, day, 5000 * day};
  const u64 span = spans[s_.below(s_.one_in(20) ? 10 : 8)];
  const u64 until = std::min(clock_.time + (span ? s_.word(8) % (span + 1) : 0), far_future);
  switch (s_.below(4)) {
    case 0: {  // on time, one after the other
      note("walk", until);
      const u64 before = clock_.time;
      for (u32 n = 0; m_.timers.next() <= until; ++n) {
        if (n == 200 && clock_.time - before < n * 5 * us) fail("timers do not let time go on", clock_.time);
        if (n == 200) break;
        clock_.time = std::max(clock_.time, m_.timers.next());
        expire(unsigned(m_.timers.take_due(clock_.time)));
      }
      clock_.time = until;
      return expire_due();
    }
    case 1:  // the guest runs before its timers do
      note("late", until);
      clock_.time = until;
      return;
    case 2:
      note("just", m_.timers.next());
      if (m_.timers.next() != never && m_.timers.next() < far_future)
        clock_.time = std::max(clock_.time, m_.timers.next() + s_.below(2));
      return s_.one_in(2) ? expire_due() : void();
    default:
      note("jump", until);
      clock_.time = until;
      return expire_due();
  }
}

void Fuzzer::characters() {
  if (chars_.empty()) return;
  CharPort& p = *chars_[s_.below(u32(chars_.size()))];
  note("characters");
  if (s_.one_in(8)) p.break_pending = true;
  for (u32 n = s_.below(40); n--;) p.to_guest.push(u8(s_.word(1)));
  if (s_.one_in(2))
    for (u8 c; p.to_host.pop(c);) {}
  pump_characters();
  m_.serve_plugged();
}

void Fuzzer::answer_disks() {
  if (!disks_.empty() && s_.one_in(2)) disks_[s_.below(u32(disks_.size()))].release();
  note("answers");
  m_.completions.run();
}
// The monitor's `eject` and `change`, when nothing is under way.
void Fuzzer::medium() {
  if (m_.drives.empty() || disks_.empty()) return;
  BlockPort& p = m_.drives[s_.below(u32(m_.drives.size()))];
  if (!p.removable || p.in_flight()) return;
  note("medium", p.backend != nullptr);
  p.backend = p.backend ? nullptr : &disks_[s_.below(u32(disks_.size()))];
  if (p.interface == BlockInterface::floppy) p.size = s_.pick<u64>({1440, 720, 2880, 360, 1200}) * KiB;
  else p.size = 2048 * (1 + s_.below(4096));
  if (p.medium_changed) p.medium_changed();
}

void Fuzzer::frame() {
  if (m_.nics.empty()) return;
  NetPort& p = m_.nics[s_.below(u32(m_.nics.size()))];
  std::vector<u8> bytes(s_.one_in(24) ? s_.below(66'000) : s_.one_in(3) ? 1500 + s_.below(700) : s_.below(120));
  for (u32 i = 0; i < bytes.size(); ++i) bytes[i] = u8(i < 16 ? s_.word(1) : i);
  if (bytes.size() >= ethernet_header) {
    if (s_.one_in(3)) std::memset(bytes.data(), 0xff, 6);
    else if (s_.one_in(2)) std::copy(p.mac.begin(), p.mac.end(), bytes.begin());
    if (s_.one_in(4)) bytes[12] = 0, bytes[13] = u8(s_.below(64));  // a length
  }
  note("frame", bytes.size());
  (void)p.to_guest.push(bytes);
  if (s_.one_in(16)) p.link_up = s_.one_in(2);
  if (p.arrived) p.arrived();
}
// Some of what is sent comes back later.
void Fuzzer::echo(NetPort& p) {
  for (EthernetFrame f; p.to_host.pop(f);) {
    for (u8 c : f) sink_ = sink_ + c;
    if (f.size() % 2) (void)p.to_guest.push(f);
  }
}

// accel/run_loop.cpp, do_reset().
void Fuzzer::reset() {
  note("reset");
  for (u64& d : m_.timers.deadlines()) d = never;
  m_.timers.refresh();
  reset_devices();
  m_.show_boot_alias(true);
  after_reset();
}

namespace {
void prepare() {
  if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(print_last);
  else
    for (int number : {SIGSEGV, SIGBUS, SIGILL, SIGFPE}) std::signal(number, on_signal);
  std::signal(SIGABRT, on_signal);
  std::signal(SIGPROF, on_tick);
  const itimerval each{{1, 0}, {1, 0}};
  setitimer(ITIMER_PROF, &each, nullptr);
  check(log_to_file("/dev/null"));
  log_mask = u32(Log::guest_errors) | u32(Log::unimp) | u32(Log::trace);
}
std::unique_ptr<Fuzzer> made(Source& s, std::string_view only) {
  auto fuzzer = board.make(s, only);
  fuzzer->start();
  return fuzzer;
}
}  // namespace
}  // namespace fuzz

using namespace fuzz;

#ifdef PINSTRAP_LIBFUZZER
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  prepare();
  return 0;
}
extern "C" int LLVMFuzzerTestOneInput(const u8* data, std::size_t size) {
  Source source(data, size);
  const auto fuzzer = made(source, "");
  while (!source.ended()) fuzzer->step();
  return 0;
}
#else
int main(int argc, char** argv) {
  double seconds = 5;
  bool verbose = false;
  std::string_view only;
  seed = u64(std::time(nullptr));
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--verbose") verbose = true;
    else if (option == "--only" && i + 1 < argc) only = argv[++i];
    else if (option == "--seconds" && i + 1 < argc) seconds = std::atof(argv[++i]);
    else if (option == "--seed" && i + 1 < argc) seed = std::strtoull(argv[++i], nullptr, 0);
    else
      return std::fprintf(stderr, "usage: %s_fuzz [--only DEVICE] [--seconds N] [--seed S] [--verbose]\n", board.name),
             2;
  }
  prepare();
  // A machine is fuzzed for a while, the next one starts from the next seed.
  const auto cpu = [] { return double(std::clock()) / CLOCKS_PER_SEC; };
  const u64 first = seed;
  u64 all = 0;
  for (; cpu() < seconds; ++seed) {
    operations = 0;
    Source source(seed);
    const auto fuzzer = made(source, only);
    // Not every machine has every device.
    if (!fuzzer->has_work()) {
      if (all || seed - first < 100) continue;
      return std::fprintf(stderr, "%s has no device '%s'\n", board.name, std::string(only).c_str()), 2;
    }
    for (u32 n = 0; n < 20'000 && (n % 256 || cpu() < seconds); ++n) fuzzer->step();
    all += operations;
    if (verbose)
      std::printf("seed %llu: %llu operations\n", static_cast<unsigned long long>(seed),
                  static_cast<unsigned long long>(operations));
  }
  std::printf("seeds %llu to %llu, %llu operations: nothing found in %.0f s of CPU time\n",
              static_cast<unsigned long long>(first), static_cast<unsigned long long>(seed - 1),
              static_cast<unsigned long long>(all), cpu());
}
#endif
