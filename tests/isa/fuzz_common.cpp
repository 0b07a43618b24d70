#include "tests/isa/fuzz_common.hpp"

#include <chrono>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <thread>

namespace fuzz {
namespace {
constexpr std::size_t accesses_kept = 64;

// Ends guest code that does not end by itself.
class Watchdog {
 public:
  Watchdog() : thread_([this](std::stop_token stop) { watch(stop); }) {}
  void guard(void (*stop)(void*), void* context) {
    const std::lock_guard hold(lock_);
    stop_ = stop;
    context_ = context;
    age_ = 0;
  }

 private:
  void watch(std::stop_token stop) {
    while (!stop.stop_requested()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      const std::lock_guard hold(lock_);
      if (stop_ && ++age_ > 20) stop_(context_);
    }
  }
  std::mutex lock_;
  void (*stop_)(void*) = nullptr;
  void* context_ = nullptr;
  unsigned age_ = 0;
  std::jthread thread_;
};

bool glob(std::string_view pattern, std::string_view name) {
  const auto star = pattern.find('*');
  if (star == pattern.npos) return pattern == name;
  const auto head = pattern.substr(0, star), tail = pattern.substr(star + 1);
  return name.size() >= head.size() + tail.size() && name.starts_with(head) && name.ends_with(tail);
}
}  // namespace

void guard_run(void (*stop)(void*), void* context) {
  static Watchdog one;
  one.guard(stop, context);
}

u64 TestBus::read(GuestPhys at, unsigned size) {
  const u32 v = (u32(raw(at)) * 0x9e37'79b9u ^ 0x5bd1'e995) >> (32 - 8 * size);
  note({u32(raw(at)), v, u8(size), false});
  return v;
}
void TestBus::write(GuestPhys at, unsigned size, u64 value) {
  const u32 v = u32(value) & (~0u >> (32 - 8 * size));
  note({u32(raw(at)), v, u8(size), true});
  if (on_store) on_store(*this, u32(raw(at)), v);
}
void TestBus::note(const Access& a) {
  if (accesses.size() < accesses_kept) accesses.push_back(a);
}

u32 ignored_bits(unsigned op, u32 mask, u32 bits, const Decoder& d) {
  const u32 all = d.width == 32 ? ~0u : 0xffff;
  Random rng(op);
  u32 ignored = ~mask & all;
  unsigned words = 0;
  for (unsigned tries = 0; tries < 20000 && words < 40; ++tries) {
    const u32 w = (u32(rng()) & ~mask & all) | bits;
    if (d.op(w) != op) continue;
    ++words;
    OperandBytes a, b;
    d.read(w, a);
    for (u32 bit = 1; bit; bit <<= 1) {
      if (!(ignored & bit)) continue;
      d.read(w ^ bit, b);
      if (d.op(w ^ bit) != op || a != b) ignored &= ~bit;
    }
  }
  return words ? ignored : 0;
}

bool named(std::string_view names, std::string_view name) {
  while (!names.empty()) {
    const auto end = names.find(' ');
    if (const auto one = names.substr(0, end); !one.empty() && glob(one, name)) return true;
    if (end == names.npos) break;
    names.remove_prefix(end + 1);
  }
  return false;
}

std::string differences(std::span<const u32> before, std::span<const u32> a, std::span<const u32> b, const char* name_a,
                        const char* name_b, std::span<const unsigned> places, std::string (*name_of)(unsigned)) {
  std::string out;
  char line[160];
  for (const unsigned p : places)
    if (a[p] != b[p]) {
      std::snprintf(line, sizeof line, "    %-8s was %08x: %s %08x, %s %08x\n", name_of(p).c_str(), before[p], name_a,
                    a[p], name_b, b[p]);
      out += line;
    }
  return out;
}

std::string memory_differences(std::span<const u8> before, const u8* a, const u8* b, const char* name_a,
                               const char* name_b) {
  std::string out;
  char line[160];
  for (u32 at = 0, n = 0; at < before.size() && n < 8; at += 4) {
    const u32 x = load_le<u32>(a + at), y = load_le<u32>(b + at);
    if (x == y) continue;
    ++n;
    std::snprintf(line, sizeof line, "    [%04x]   was %08x: %s %08x, %s %08x\n", at, load_le<u32>(before.data() + at),
                  name_a, x, name_b, y);
    out += line;
  }
  return out;
}

bool report_coverage(const std::vector<std::string>& files, std::map<std::string, u64>& ran) {
  bool good = true;
  u64 lines = 0, left_out = 0;
  for (const std::string& path : files) {
    std::ifstream in(path);
    if (!in) std::printf("cannot read %s\n", path.c_str()), good = false;
    for (std::string line; std::getline(in, line);) {
      if (line.empty() || line[0] == '#') continue;
      const std::string name = line.substr(0, line.find('\t'));
      ++lines;
      if (ran[name]) continue;
      ++left_out;
      std::printf("never ran: %s\n", name.c_str());
    }
  }
  if (lines)
    std::printf("coverage: %llu of %llu lines of the instruction tables ran\n",
                static_cast<unsigned long long>(lines - left_out), static_cast<unsigned long long>(lines));
  return good && !left_out;
}
}  // namespace fuzz
