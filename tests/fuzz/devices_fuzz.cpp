// Throws random accesses at the devices of the Versatile PB: registers at every size and alignment, DMA lists,
// characters, keys, frames, resets, and virtual time that runs on, jumps or overtakes its timers.  No processor.
//
//     devices_fuzz [--seconds N] [--seed S] [--verbose]
//
// What must hold: no operation takes 2 s of CPU time, no deadline lies centuries ahead, timers let time go on, and what
// devices report as written is memory; sanitizers see the rest.  A failure prints the seed and the last operations.
// With -DPINSTRAP_LIBFUZZER the bytes of a corpus take the place of the random numbers.

#include PINSTRAP_BOARD_HEADER

#include <sys/time.h>
#include <unistd.h>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <random>

extern "C" [[gnu::weak]] void __sanitizer_set_death_callback(void (*)());
extern "C" const char* __ubsan_default_options() { return "halt_on_error=1:print_stacktrace=1"; }

namespace {
using namespace core;
using Machine = boards::versatilepb::Machine;

constexpr u64 us = 1'000, ms = 1'000 * us, second = 1'000 * ms, day = 86'400 * second;
constexpr u64 far_future = u64(1) << 62;  // ns: no device counts that long
constexpr u32 ram_size = 4 * MiB, ssram_at = 0x3800'0000, flash_at = 0x3400'0000, flash_size = 64 * MiB;

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
void note(const char* what, u64 address = 0, u64 value = 0, unsigned size = 0) {
  last[operations % 50] = {what, address, value, size};
  operations = operations + 1;
}
[[noreturn]] void fail(const char* why, u64 detail) {
  std::fprintf(stderr, "devices_fuzz: %s (0x%llx)\n", why, static_cast<unsigned long long>(detail));
  print_last();
  std::abort();
}
void on_signal(int number) {
  std::fprintf(stderr, "devices_fuzz: signal %d\n", number);
  print_last();
  std::signal(number, SIG_DFL);
  std::raise(number);
}
// Rings each second of CPU time.
void on_tick(int) {
  static u64 seen = 0;
  static int same = 0;
  same = operations == seen && seen ? same + 1 : 0;
  seen = operations;
  if (same < 3) return;
  std::fprintf(stderr, "devices_fuzz: an operation takes more than 2 s\n");
  print_last();
  _exit(1);
}

// Where decisions come from: a generator, or the bytes of a corpus until they end.
class Source {
 public:
  explicit Source(u64 start) : generator_(start) {}
  Source(const u8* data, std::size_t size) : data_(data), left_(size), finite_(true) {}
  bool ended() const { return finite_ && !left_; }
  u64 word(unsigned bytes = 8) {
    if (!finite_) return generator_();
    u64 v = 0;
    for (unsigned i = 0; i < bytes && left_; ++i, --left_) v |= u64(*data_++) << 8 * i;
    return v;
  }
  u32 below(u32 n) { return u32(word(n > 256 ? 4 : 1) % n); }
  bool one_in(u32 n) { return below(n) == 0; }

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

struct Target {
  u64 at, size;
  std::span<const RegInfo> registers;
};

class Fuzz {
 public:
  explicit Fuzz(Source& s) : s_(s) {
    m_.clock = &clock_;
    m_.request = &request_;
    std::string error;
    check(m_.create_memory(ram_size, error));
    if (s_.one_in(4)) check(m_.add_boot_alias(GuestPhys{flash_at}, GuestPhys{0}));
    m_.engine_context = this;
    m_.memory_written = [](void* self, GuestPhys at, u64 size) {
      const bool is_boot_alias = raw(at) == 0 && size == flash_size;  // it comes or goes
      if (!is_boot_alias && !static_cast<Fuzz*>(self)->m_.host_memory(at, size))
        fail("a device says it wrote what is no memory", raw(at));
    };
    m_.rom_mapping_changed = [](void*, GuestPhys, u64) {};
    if (s_.one_in(2)) check(m_.pci_host.bus.attach(m_.scsi_pci, 12));
    m_.nics.resize(1);
    m_.nics[0].host_wake = [this] { echo(); };
    for (unsigned n = 0; n < 4; ++n)
      if (s_.one_in(2)) m_.serial[n].wake_host = [](void*) {};
    hana::for_each(devices_of(m_), [&](auto d) {
      auto& device = d.in(m_);
      targets_.push_back({raw(d.at), device.wires.size, block_of(d.name, device).info});
    });
    reset();
  }

  void step() {
    const u32 kind = s_.below(100);
    if (kind < 30) access(false);
    else if (kind < 68) access(true);
    else if (kind < 80) pass_time();
    else if (kind < 85) characters();
    else if (kind < 89) keys();
    else if (kind < 93) dma();
    else if (kind < 94) frame();
    else if (kind < 95) pci();
    else if (kind < 97) burst();
    else if (kind < 98) lines();
    else if (kind < 99) look();
    else if (s_.one_in(20)) reset();
    const u32 asked = request_.exchange(0);
    if ((asked & request_reset) && s_.one_in(2)) reset();
    for (u64 deadline : m_.timers.deadlines())
      if (deadline != never && deadline > clock_.time && deadline - clock_.time > far_future)
        fail("a deadline that never comes", deadline);
  }

 private:
  u64 value() {
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
  // Inside, around and outside memory.
  u32 address() {
    constexpr u32 edges[] = {
        0, ram_size, 0x1000'0000, flash_at, flash_at + flash_size, ssram_at, ssram_at + 2 * u32(MiB), 0x8000'0000};
    switch (s_.below(6)) {
      case 0: return edges[s_.below(8)] + s_.below(65) - 32;
      case 1: return u32(0) - s_.below(33);
      case 2: return ssram_at + s_.below(2 * MiB);
      case 3: return u32(s_.word(4));
      default: return s_.below(ram_size) & ~(s_.one_in(4) ? 0u : 3u);
    }
  }
  // Mostly a device stays the target for some accesses, since what goes wrong takes more than one.
  u64 bus_address() {
    if (s_.one_in(16)) target_ = s_.below(u32(targets_.size()));
    const Target& t = targets_[target_];
    const u32 how = s_.below(20);
    if (how == 0) return 0x1000'0000 + s_.below(0x20'0000);
    if (how == 1) return address();
    if (how == 2 || t.registers.empty()) return t.at + s_.below(u32(t.size) + 16) - (s_.one_in(2) ? 8 : 0);
    const RegInfo& r = t.registers[s_.below(u32(t.registers.size()))];
    // Banked registers of the network chip sit at 16 addresses.
    const u32 off = t.size == 0x10000 ? r.at & 15 : r.at + s_.below(r.count) * r.stride;
    return t.at + off + (how < 5 ? s_.below(8) : 0);
  }
  void access(bool write) {
    const u64 at = bus_address();
    static constexpr u8 sizes[] = {4, 4, 4, 4, 4, 1, 2, 8};
    const unsigned size = sizes[s_.below(8)];
    one(write, at, size, write ? value() : 0);
  }
  void one(bool write, u64 at, unsigned size, u64 v) {
    note(write ? "write" : "read", at, v, size);
    if (write) m_.write(GuestPhys{at}, size, v);
    else (void)m_.read(GuestPhys{at}, size);
  }
  // The same place again and again: FIFOs, bit-banged buses, flash buffers.
  void burst() {
    if (s_.one_in(2)) return sweep();
    const u64 at = bus_address();
    const bool write = s_.one_in(2);
    const u64 first = value(), step = s_.below(3) * (1 + s_.below(8)), stride = s_.one_in(4) ? 4 : 0;
    for (u32 n = 0, count = s_.below(200); n < count; ++n) one(write, at + n * stride, 4, first + n * step);
  }

  // Every register of a device, so that it gets going.
  void sweep() {
    const Target& t = targets_[target_];
    const u64 v = s_.one_in(2) ? ~u64(0) : s_.below(16);
    for (const RegInfo& r : t.registers)
      for (u32 i = 0; i < std::min(r.count, 8u); ++i)
        if (!s_.one_in(4)) one(true, t.at + r.at + i * r.stride, 4, s_.one_in(4) ? value() : v);
  }

  void expire(unsigned timer) {
    note("expire", timer, clock_.time);
    m_.expire(timer);
  }
  // As the run loop does: 64 at most.
  void expire_due() {
    for (int id, budget = 64; budget-- && (id = m_.timers.take_due(clock_.time)) >= 0;) expire(unsigned(id));
  }
  void pass_time() {
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

  void characters() {
    const u32 port = s_.below(4);
    CharPort& p = m_.serial[port];
    note("characters", port);
    if (s_.one_in(8)) p.break_pending = true;
    for (u32 n = s_.below(40); n--;) p.to_guest.push(u8(s_.word(1)));
    if (s_.one_in(2))
      for (u8 c; p.to_host.pop(c);) {}
    each_serial(m_, [&](unsigned n, auto& device) {  // boards/main.cpp, pump()
      CharPort& from = m_.serial[n];
      if (from.break_pending.exchange(false)) device.receive_break();
      for (u8 c; device.can_receive() && from.to_guest.pop(c);) device.receive(c);
      device.host_drained();
    });
  }
  void keys() {
    if (s_.one_in(2)) {
      const u16 code = s_.one_in(8) ? u16(s_.word(2)) : u16((s_.one_in(3) ? 0xe000 : 0) | (s_.word(1) & 0x7f));
      note("key", code);
      m_.kmi0.key(code, s_.one_in(2));
    } else {
      const auto count = [&] { return s_.one_in(8) ? int(s_.word(4)) : int(s_.below(600)) - 300; };
      const int dx = count(), dy = count(), dz = count();
      note("mouse", u32(dx), u32(dy));
      m_.kmi1.mouse(dx, dy, dz, u8(s_.word(1)));
    }
  }
  void lines() {
    const u32 n = s_.below(8);
    const bool on = s_.one_in(2);
    note("line", n, on);
    m_.gpio0.set_line(n, on);
    m_.gpio3.set_line(7 - n, on);
    if (n < 4) m_.sysreg.set_line(n, on);
  }
  // The PCI windows: configuration space, then the SCSI card's registers, memory and programs in it.
  void pci() {
    constexpr u64 configuration = 0x4200'6000, registers = 0x4300'1000, ram = 0x5000'2000;
    if (s_.one_in(8)) return one(s_.one_in(2), 0x4100'0000 + s_.below(0x2f00'0000), 4, value());
    if (s_.one_in(4)) return one(s_.one_in(2), configuration + s_.below(256), 1 << s_.below(3), value());
    one(true, 0x1000'1004, 4, 5);
    one(true, configuration + 0x10, 4, 0x1000), one(true, configuration + 0x18, 4, ram);
    one(true, configuration + 0x04, 4, 7);
    for (u32 n = s_.below(32), at = s_.below(0x1f00); n--; at += 4) {
      const u32 kinds[] = {0x4100'0000, 0x0e00'0001, 0x0a00'0006, 0x0900'0000 | s_.below(600), 0x0800'0000, 0x5000'0000,
                           0x8008'0000, 0xe034'0004, 0xc000'0000 | s_.below(65536) << 2, u32(s_.word(4))};
      one(true, ram + at, 4, s_.one_in(2) ? kinds[s_.below(10)] : s_.one_in(2) ? ram + s_.below(0x2000) : address());
    }
    for (u32 n = s_.below(8); n--;) one(s_.one_in(2), registers + s_.below(256), 1, value());
    one(true, registers + 0x2c, 4, s_.one_in(8) ? address() : ram + (s_.below(0x2000) & ~3u));
  }
  // What hosts ask for.
  void look() {
    note("look");
    for (u32 line = 0; line < 2; ++line) sink_ = sink_ + u8(m_.charlcd.text(line)[s_.below(16)]);
    sink_ = sink_ + m_.clcd.frame_bytes() + m_.clcd.bits_per_pixel() + m_.clcd.colour(u8(s_.word(1)));
    trace_registers = s_.one_in(8);
  }

  // A chain of list items, with ends that are not, then a channel that walks it.
  void dma() {
    constexpr u64 at = 0x1013'0000;
    const u32 channel = s_.below(8), list = s_.one_in(3) ? ssram_at + 0x1f'ff00 : s_.below(ram_size - 0x1000) & ~3u;
    const auto control = [&] {
      const u32 widths = s_.one_in(8) ? s_.below(8) << 18 | s_.below(8) << 21 : s_.below(3) << 18 | s_.below(3) << 21;
      return (s_.one_in(3) ? u32(value()) & 0xfff : s_.below(40)) | widths | s_.below(64) << 12 | s_.below(4) << 26 |
             s_.below(2) << 31;
    };
    const u32 items = s_.below(6);
    note("dma list", list, items);
    for (u32 i = 0; i < items; ++i) {
      const u32 following = s_.one_in(4) ? address() : list + (s_.one_in(3) ? s_.below(items) : i + 1) * 16;
      const u32 words[] = {address(), address(), i + 1 == items && s_.one_in(2) ? 0 : following, control()};
      u8 bytes[16];
      std::memcpy(bytes, words, sizeof bytes);
      (void)m_.dma_write(GuestPhys{list + i * 16}, bytes);
    }
    const u64 base = at + 0x100 + channel * 0x20;
    one(true, base, 4, address());
    one(true, base + 4, 4, address());
    one(true, base + 8, 4, items ? list : u32(value()));
    one(true, base + 12, 4, control());
    one(true, at + 0x30, 4, s_.below(16) ? 1 : 0);
    const u32 flow = s_.one_in(2) ? 0 : s_.below(8);
    one(true, base + 16, 4,
        1 | s_.below(16) << 1 | s_.below(16) << 6 | flow << 11 | s_.below(4) << 14 | u32(s_.one_in(16)) << 18);
    if (flow) one(true, at + 0x20 + s_.below(4) * 4, 4, s_.one_in(2) ? 0xffff : value());
  }

  // A frame for the network chip, sometimes after opening its receiver.
  void frame() {
    constexpr u64 at = 0x1001'0000;
    if (s_.one_in(3)) {
      one(true, at + 0xe, 2, 0);
      one(true, at + 4, 2, 0x102 | s_.below(2) << 9);
      one(true, at, 2, s_.below(2) | s_.below(2) << 1 | s_.below(2) << 7);
      one(true, at + 0xe, 2, 2);
    }
    u8 bytes[2200];
    const u32 size = s_.one_in(3) ? 2030 + s_.below(170) : s_.below(120);
    for (u32 i = 0; i < size; ++i) bytes[i] = u8(i < 16 ? s_.word(1) : i);
    if (s_.one_in(3)) std::memset(bytes, 0xff, 6);
    note("frame", size);
    (void)m_.nics[0].to_guest.push({bytes, size});
    if (s_.one_in(16)) m_.nics[0].link_up = s_.one_in(2);
    m_.nics[0].arrived();
  }
  // Some of what is sent comes back later.
  void echo() {
    for (EthernetFrame f; m_.nics[0].to_host.pop(f);) {
      if (f.size() > 2048) fail("a frame larger than a packet", f.size());
      for (u8 c : f) sink_ = sink_ + c;
      if (f.size() % 2) (void)m_.nics[0].to_guest.push(f);
    }
  }

  // accel/run_loop.cpp, do_reset().
  void reset() {
    note("reset");
    for (u64& d : m_.timers.deadlines()) d = never;
    m_.timers.refresh();
    m_.reset_devices();
    m_.show_boot_alias(true);
  }

  Source& s_;
  StepClock clock_;
  std::atomic<u32> request_{0};
  Machine m_;
  std::vector<Target> targets_;
  u32 target_ = 0;
  volatile u32 sink_ = 0;
};

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
}  // namespace

#ifdef PINSTRAP_LIBFUZZER
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  prepare();
  return 0;
}
extern "C" int LLVMFuzzerTestOneInput(const u8* data, std::size_t size) {
  Source source(data, size);
  const auto fuzz = std::make_unique<Fuzz>(source);
  while (!source.ended()) fuzz->step();
  return 0;
}
#else
int main(int argc, char** argv) {
  double seconds = 5;
  bool verbose = false;
  seed = u64(std::time(nullptr));
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--verbose") verbose = true;
    else if (option == "--seconds" && i + 1 < argc) seconds = std::atof(argv[++i]);
    else if (option == "--seed" && i + 1 < argc) seed = std::strtoull(argv[++i], nullptr, 0);
    else return std::fprintf(stderr, "usage: devices_fuzz [--seconds N] [--seed S] [--verbose]\n"), 2;
  }
  prepare();
  // A machine is fuzzed for a while, the next one starts from the next seed.
  const auto cpu = [] { return double(std::clock()) / CLOCKS_PER_SEC; };
  const u64 first = seed;
  for (; cpu() < seconds; ++seed) {
    operations = 0;
    Source source(seed);
    const auto fuzz = std::make_unique<Fuzz>(source);
    for (u32 n = 0; n < 20'000 && (n % 256 || cpu() < seconds); ++n) fuzz->step();
    if (verbose)
      std::printf("seed %llu: %llu operations\n", static_cast<unsigned long long>(seed),
                  static_cast<unsigned long long>(operations));
  }
  std::printf("seeds %llu to %llu: nothing found in %.0f s of CPU time\n", static_cast<unsigned long long>(first),
              static_cast<unsigned long long>(seed - 1), cpu());
}
#endif
