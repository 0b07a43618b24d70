#pragma once
// A guest without a thread: work runs at once, and stops and steps are counted.

#include "core/run_control.hpp"
#include "host/chardev.hpp"

#include <array>
#include <cstring>
#include <string>
#include <vector>

namespace host::test {
using core::StopReason, core::u64, core::u8;

class FakeRun : public core::RunControl {
 public:
  void post(std::function<void()> work) override { work(); }
  void stop() override {
    ++stops;
    if (std::exchange(runs, false)) tell(StopReason::paused);
  }
  void resume() override {
    for (auto& r : resumers) r();
    runs = true, ++resumes;
  }
  void step() override { ++steps, tell(StopReason::step); }
  bool running() const override { return runs; }
  void reset() override { ++resets; }
  void shutdown(int s) override { ++shutdowns, status = s; }
  void on_stop(std::function<void(StopReason)> l) override { listeners.push_back(std::move(l)); }
  void on_resume(std::function<void()> l) override { resumers.push_back(std::move(l)); }
  void tell(StopReason r) {
    runs = false;
    for (auto& l : listeners) l(r);
  }
  bool runs = true;
  int stops = 0, resumes = 0, steps = 0, resets = 0, shutdowns = 0, status = -1;
  std::vector<std::function<void(StopReason)>> listeners;
  std::vector<std::function<void()>> resumers;
};

// Two 32-bit registers and pc; 256 bytes of memory at 0x1000.
class FakeTarget : public core::DebugTarget {
 public:
  const char* architecture() const override { return "arm"; }
  std::span<const core::RegisterDesc> registers() const override {
    static constexpr core::RegisterDesc table[] = {{"r0", 32, "int", "org.gnu.gdb.arm.core", 0},
                                                   {"pc", 32, "code_ptr", "org.gnu.gdb.arm.core", 15},
                                                   {"cpsr", 32, "int", "org.gnu.gdb.arm.core", 25},
                                                   {"d0", 64, "ieee_double", "org.gnu.gdb.arm.vfp", 26}};
    return table;
  }
  void read_register(unsigned i, std::span<u8> out) const override { std::memcpy(out.data(), &value[i], out.size()); }
  void write_register(unsigned i, std::span<const u8> in) override { std::memcpy(&value[i], in.data(), in.size()); }
  u64 pc() const override { return value[1]; }
  bool read_memory(u64 a, std::span<u8> out) override {
    if (a < 0x1000 || a > 0x1100 || out.size() > 0x1100 - a) return false;
    std::memcpy(out.data(), &memory[a - 0x1000], out.size());
    return true;
  }
  bool write_memory(u64 a, std::span<const u8> in) override {
    if (a < 0x1000 || a > 0x1100 || in.size() > 0x1100 - a) return false;
    std::memcpy(&memory[a - 0x1000], in.data(), in.size());
    return true;
  }
  bool read_physical(u64 a, std::span<u8> out) override { return read_memory(a + 0x1000, out); }
  bool write_physical(u64 a, std::span<const u8> in) override { return write_memory(a + 0x1000, in); }
  void set_breakpoint(u64 a, bool on) override { on ? breakpoints.push_back(a) : void(std::erase(breakpoints, a)); }
  std::string dump() const override { return "r0=12345678\n"; }
  std::string disassemble(u64, unsigned& length) override { return length = 4, "nop"; }
  std::array<u64, 4> value{0x12345678, 0x1004, 0xd3, 0x3ff0000000000000};
  std::array<u8, 256> memory{};
  std::vector<u64> breakpoints;
};

// A stream whose other end is the test.
class FakeChardev : public host::Chardev {
 public:
  std::size_t write(std::span<const u8> bytes) override {
    const std::size_t n = std::min(bytes.size(), room);
    room -= n;
    out.append(reinterpret_cast<const char*>(bytes.data()), n);
    return n;
  }
  bool wait_writable(int) override { return room > 0; }
  bool terminal() const override { return true; }
  std::size_t type(std::string_view text) {
    return reader_->receive(std::span(reinterpret_cast<const u8*>(text.data()), text.size()));
  }
  void tell(Event e) { reader_->event(e); }
  void make_room(std::size_t n) {
    room = n;
    reader_->writable();
  }
  std::string take() { return std::exchange(out, {}); }
  std::string out;
  std::size_t room = ~std::size_t(0);
};
}  // namespace host::test
