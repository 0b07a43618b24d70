#include "cpus/arm/debug.hpp"
#include "cpus/arm/semihosting.hpp"

#include "fake_softmmu.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include <unistd.h>

using namespace arm;

namespace {
struct Host : fake::Cpu {
  char directory[32] = "/tmp/semihosting_XXXXXX";
  static constexpr u32 block = 0x1000, name = 0x2000, data = 0x3000;
  Host() { REQUIRE(::mkdtemp(directory)); }
  ~Host() {
    semihosting_close_files();
    for (const char* f : {"a", "b"}) ::unlink(path(f).c_str());
    ::rmdir(directory);
  }
  std::string path(const char* file) const { return std::string(directory) + "/" + file; }
  u32 call(u32 op, u32 r1) {
    s.r[0] = op;
    s.r[1] = r1;
    CHECK(semihosting_call(s));
    return s.r[0];
  }
  u32 call(u32 op, std::initializer_list<u32> arguments) {
    put(block, arguments);
    return call(op, block);
  }
  u32 open(const std::string& file, u32 mode) {
    put(name, file);
    return call(0x01, {name, mode, u32(file.size())});
  }
  u32 error() { return call(0x13, 0); }
};
constexpr u32 failure = ~0u;
}  // namespace

TEST_CASE("semihosting: files are written, sought, measured and read (ARM 100863 chapter 3)") {
  Host h;
  const u32 w = h.open(h.path("a"), 4);
  REQUIRE(w != failure);
  CHECK(w != 0);
  h.put(h.data + 0x3fe, "hello, world");  // over a 1 KiB border
  CHECK(h.call(0x05, {w, h.data + 0x3fe, 12}) == 0);
  CHECK(h.call(0x0c, {w}) == 12);
  CHECK(h.call(0x09, {w}) == 0);
  CHECK(h.call(0x02, {w}) == 0);
  CHECK(h.call(0x02, {w}) == failure);
  CHECK(h.error() == EBADF);

  const u32 r = h.open(h.path("a"), 0);
  CHECK(h.call(0x0a, {r, 7}) == 0);
  CHECK(h.call(0x06, {r, 0x5000, 100}) == 95);
  CHECK(h.text(0x5000, 5) == "world");
  CHECK(h.call(0x06, {r, 0x5000, 100}) == 100);  // end of file
  CHECK(h.call(0x05, {r, 0x5000, 3}) == 3);      // opened for reading
  CHECK(h.call(0x02, {r}) == 0);

  const std::string from = h.path("a"), to = h.path("b");
  h.put(0x6000, from);
  h.put(0x6100, to);
  CHECK(h.call(0x0f, {0x6000, u32(from.size()), 0x6100, u32(to.size())}) == 0);
  CHECK(h.open(from, 0) == failure);
  CHECK(h.error() == ENOENT);
  CHECK(h.call(0x0e, {0x6100, u32(to.size())}) == 0);
  CHECK(h.call(0x0e, {0x6100, u32(to.size())}) == failure);
}

TEST_CASE("semihosting: bad pointers, lengths, modes and handles only fail") {
  Host h;
  CHECK(h.call(0x01, 0x1010'0000u) == failure);
  CHECK(h.error() == EFAULT);
  CHECK(h.call(0x01, {h.name, 0, 0xffff'ffff}) == failure);
  CHECK(h.call(0x01, {h.name, 12, 1}) == failure);
  CHECK(h.call(0x05, {77, 0, 5}) == 5);
  CHECK(h.call(0x06, {0, 0, 5}) == 5);
  CHECK(h.call(0x0a, {failure, 0}) == failure);
  CHECK(h.call(0x04, 0x00ff'fffcu) == failure);
  const u32 w = h.open(h.path("a"), 6);
  CHECK(h.call(0x05, {w, 0x000f'fff0, 0xffff'fff0}) == 0xffff'fff0);
  CHECK(h.call(0x0a, {w, 0}) == 0);
  CHECK(h.call(0x06, {w, 0x3400'0000, 4}) == 4);  // into rom
  CHECK(h.call(0x08, {failure}) == 1);
  CHECK(h.call(0x08, {5}) == 0);
}

TEST_CASE("semihosting: pointers obey the MMU of the current mode") {
  Host h;
  h.mmu_on();
  h.section(0xc000'0000, 0, 1);
  write_cpsr(h.s, usr);
  h.put(h.data, "x");
  CHECK(h.call(0x04, 0xc000'0000 + h.data) == failure);
  write_cpsr(h.s, svc);
  h.put(h.data, "");
  CHECK(h.call(0x04, 0xc000'0000 + h.data) == 0);
}

TEST_CASE("semihosting: the console and the feature file (chapter 4)") {
  Host h;
  const u32 in = h.open(":tt", 0), out = h.open(":tt", 4), err = h.open(":tt", 8);
  CHECK(in != out);
  CHECK(h.call(0x09, {err}) == 1);
  CHECK(h.call(0x05, {out, h.data, 0}) == 0);
  const u32 f = h.open(":semihosting-features", 0);
  CHECK(h.call(0x0c, {f}) == 5);
  CHECK(h.call(0x06, {f, h.data, 5}) == 0);
  CHECK(h.text(h.data, 5) == "SHFB\x03");
}

TEST_CASE("semihosting: clocks follow virtual time") {
  Host h;
  h.clock.time = 12'340'000'000;
  CHECK(h.call(0x10, 0) == 1234);
  CHECK(h.call(0x30, h.data) == 0);
  CHECK(load_le<u64>(h.machine.host_memory(GuestPhys{h.data}, 8)) == 12'340'000'000);
  CHECK(h.call(0x31, 0) == 1'000'000'000);
  CHECK(h.call(0x11, 0) > 1'600'000'000);
}

TEST_CASE("semihosting: command line, heap, temporary names") {
  Host h;
  semihosting_command_line("test one two");
  CHECK(h.call(0x15, {h.data, 13}) == 0);
  CHECK(h.text(h.data, 13) == std::string_view("test one two\0", 13));
  CHECK(h.word(h.block + 4) == 12);
  CHECK(h.call(0x15, {h.data, 12}) == failure);
  CHECK(h.call(0x16, {h.data}) == 0);
  CHECK(h.word(h.data) == 0x8'0000);
  CHECK(h.word(h.data + 4) == 0xc'0000);
  CHECK(h.word(h.data + 8) == 0x10'0000);
  CHECK(h.word(h.data + 12) == 0xc'0000);
  CHECK(h.call(0x0d, {h.data, 1, 64}) == 0);
  CHECK(h.call(0x0d, {h.data, 1, 4}) == failure);
}

TEST_CASE("semihosting: exit status (chapter 3, SYS_EXIT)") {
  struct Row { u32 op; bool block; u32 reason, code; int status; };
  for (const Row& r : {Row{0x18, false, 0x20026, 0, 0}, Row{0x18, false, 0x20023, 0, 1}, Row{0x20, true, 0x20026, 7, 7},
                       Row{0x20, true, 0x20023, 0, 1}}) {
    Host h;
    if (r.block) h.call(r.op, {r.reason, r.code});
    else h.call(r.op, r.reason);
    CHECK(h.machine.exit_status == r.status);
    CHECK((h.s.exit_request & request_shutdown) != 0);
  }
}

TEST_CASE("semihosting: an unknown operation is not ours and changes nothing") {
  fake::Cpu c;
  for (u32 op : {0x00u, 0x0bu, 0x14u, 0x17u, 0x19u, 0x100u, ~0u}) {
    c.s.r[0] = op;
    CHECK_FALSE(semihosting_call(c.s));
    CHECK(c.s.r[0] == op);
  }
}

TEST_CASE("debugger: registers by name and number, memory through the MMU, dump") {
  fake::Cpu c;
  ArmDebug d(c.s);
  CHECK(d.registers().size() == 36);
  for (unsigned i = 0; i < d.registers().size(); ++i) {
    const auto& r = d.registers()[i];
    if (std::string_view(r.name) == "cpsr") CHECK(r.number == 25);
    if (std::string_view(r.name) == "fpscr") CHECK(r.number == 42);
    if (std::string_view(r.name) == "d15") {
      const u64 v = 0x1122'3344'5566'7788;
      d.write_register(i, {reinterpret_cast<const u8*>(&v), 8});
      CHECK(c.s.vfp.s[31] == 0x1122'3344);
    }
  }
  c.mmu_on();
  c.section(0xc000'0000, 0, 1);
  u8 b[4] = {1, 2, 3, 4};
  CHECK(d.write_memory(0xc000'13fe, b));
  CHECK(c.word(0x1400) == 0x0403);
  CHECK_FALSE(d.read_memory(0x1400, b));
  CHECK(d.write_physical(fake::Cpu::rom_at, b));
  c.s.pc = 0xc000'0000;
  const std::string text = d.dump();
  CHECK(text.find("R14=00000000 R15=c0000000\nPSR=400000d3 -Z-- A svc32\n") != std::string::npos);
  u32 told = 0;
  d.on_code_change = [&](u32 at, bool on) { told = on ? at : 1; };
  d.set_breakpoint(0x8000, true);
  CHECK(told == 0x8000);
  CHECK(d.breakpoints().count(0x8000) == 1);
  d.set_breakpoint(0x8000, false);
  CHECK(d.breakpoints().empty());
  c.s.model = find_model("arm926-novfp");
  CHECK(d.registers().size() == 17);
}
