// The Unified Hosting Interface (MD01069): calls of the host by SDBBP 1.

#include "guest.hpp"

#include "cpus/mips/semihosting.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include <unistd.h>

namespace mips::test {
namespace {
constexpr u32 call_host = sdbbp | 1 << 6;
constexpr u32 data = 0x8000'4000;

struct Host {
  AnyGuest& g;
  char directory[32] = "/tmp/semihosting_XXXXXX";
  explicit Host(AnyGuest& guest) : g(guest) {
    REQUIRE(::mkdtemp(directory));
    g.s.semihosting = 1;
  }
  ~Host() {
    semihosting_close_files();
    for (const char* f : {"a", "b"}) ::unlink(path(f).c_str());
    ::rmdir(directory);
  }
  std::string path(const char* file) const { return std::string(directory) + "/" + file; }
  u8* at(u32 va) const { return g.s.machine->ram[0].host + (va & 0x1fff'ffff); }
  u32 put(u32 va, const std::string& text) const {
    std::memcpy(at(va), text.c_str(), text.size() + 1);
    return va;
  }
  std::string text(u32 va, std::size_t n) const { return {reinterpret_cast<const char*>(at(va)), n}; }
  u32 call(u32 op, u32 a0 = 0, u32 a1 = 0, u32 a2 = 0, u32 a3 = 0) const {
    const u32 arguments[] = {a0, a1, a2, a3};
    std::copy_n(arguments, 4, &g.s.r[4]);
    g.s.r[25] = op;
    g.run({call_host, nop});
    CHECK(g.s.pc == AnyGuest::code + 8);
    return g.s.r[2];
  }
  u32 error() const { return g.s.r[3]; }
};
constexpr u32 failure = ~0u;
enum : u32 { op_exit = 1, op_open, op_close, op_read, op_write, op_lseek, op_unlink, op_fstat, op_argc, op_argnlen, op_argn,
             op_plog = 13, op_assert, op_pread = 19, op_pwrite, op_link = 22 };

TEST_CASE("mips semihosting: files are written, sought, measured, read and linked") {
  all_four([](AnyGuest& g) {
    Host h(g);
    h.put(data, h.path("a"));
    const u32 f = h.call(op_open, data, 0x602, 0644);  // read and write, create, truncate
    REQUIRE(f != failure);
    CHECK(f > 2);
    h.put(data + 0x5fe, "hello, world");  // over a border of 1 KiB
    CHECK(h.call(op_write, f, data + 0x5fe, 12) == 12);
    CHECK(h.call(op_lseek, f, 7, 0) == 7);
    CHECK(h.call(op_read, f, data + 0x800, 100) == 5);
    CHECK(h.text(data + 0x800, 5) == "world");
    CHECK(h.call(op_read, f, data + 0x800, 100) == 0);
    CHECK(h.call(op_lseek, f, u32(-4), 2) == 8);
    CHECK(h.call(op_pwrite, f, data + 0x5fe, 2, 7) == 2);
    CHECK(h.call(op_pread, f, data + 0x800, 5, 6) == 5);
    CHECK(h.text(data + 0x800, 5) == " herl");
    CHECK(h.call(op_lseek, f, 0, 1) == 8);
    CHECK(h.call(op_fstat, f, data + 0xa00) == 0);
    const u32 size = g.s.big_endian ? 20 : 16;  // its low word
    CHECK(g.word(0x4a00 + size) == 12);
    CHECK((g.word(0x4a04) & 0777) == 0644);
    CHECK(h.call(op_close, f) == 0);
    CHECK((h.call(op_close, f) == failure && h.error() == EBADF));
    h.put(data + 0x200, h.path("b"));
    CHECK(h.call(op_link, data, data + 0x200) == 0);
    CHECK((h.call(op_link, data, data + 0x200) == failure && h.error() == EEXIST));
    CHECK(h.call(op_unlink, data) == 0);
    CHECK((h.call(op_open, data, 0) == failure && h.error() == ENOENT));
  });
}

TEST_CASE("mips semihosting: bad pointers, flags and descriptors only fail") {
  LittleGuest g(true);
  Host h(g);
  CHECK((h.call(op_open, 0x1000, 0) == failure && h.error() == EFAULT));  // not mapped
  h.put(data, "/dev/stdout");
  CHECK(h.call(op_open, data, 1) == 1);
  CHECK((h.call(op_open, data, 3) == failure && h.error() == EINVAL));
  h.put(data, h.path("a"));
  CHECK((h.call(op_open, data, 0x4000) == failure && h.error() == EINVAL));
  std::memset(h.at(data), 'x', 0x2000);
  CHECK((h.call(op_open, data, 0) == failure && h.error() == EFAULT));  // a name without end
  CHECK((h.call(op_write, 77, data, 1) == failure && h.error() == EBADF));
  CHECK((h.call(op_read, failure, data, 1) == failure && h.error() == EBADF));
  h.put(data, h.path("a"));
  const u32 f = h.call(op_open, data, 0x202, 0600);
  CHECK((h.call(op_lseek, f, u32(-1), 0) == failure && h.error() == EINVAL));
  CHECK((h.call(op_lseek, f, 0, 3) == failure && h.error() == EINVAL));
  CHECK((h.call(op_pread, f, data, 1, failure) == failure && h.error() == EINVAL));
  CHECK((h.call(op_write, f, 0x800f'fff0, 0xffff'fff0) == failure && h.error() == EFAULT));
  CHECK((h.call(op_fstat, f, 0x1000) == failure && h.error() == EFAULT));
  CHECK(h.call(op_close, 1) == 0);  // the console stays
  CHECK(h.call(op_write, 1, data, 0) == 0);
}

TEST_CASE("mips semihosting: arguments") {
  BigGuest g(true);
  Host h(g);
  semihosting_arguments({"kernel", "one", ""});
  CHECK(h.call(op_argc) == 3);
  CHECK(h.call(op_argnlen, 1) == 3);
  CHECK(h.call(op_argn, 1, data) == 0);
  CHECK(h.text(data, 4) == std::string("one\0", 4));
  CHECK((h.call(op_argnlen, 3) == failure && h.error() == EINVAL));
  CHECK(h.call(op_argn, 3, data) == failure);
  CHECK((h.call(op_argn, 1, 0x1000) == failure && h.error() == EFAULT));
  semihosting_arguments({});
}

TEST_CASE("mips semihosting: the end, with a status") {
  for (const u32 status : {0u, 42u}) {
    LittleGuest g(false);
    Host h(g);
    g.s.r[25] = op_exit;
    g.s.r[4] = status;
    g.put(AnyGuest::code, {call_host});
    g.front.set_pc(g.s, AnyGuest::code);
    g.s.exit_request = 0;
    g.engine->run();
    CHECK((g.s.exit_request & request_shutdown) != 0);
    CHECK(g.machine.exit_status == int(status));
  }
}

TEST_CASE("mips semihosting: other codes, other operations and user code are breakpoints") {
  both([](AnyGuest& g) {
    Host h(g);
    const auto is_breakpoint = [&](u32 word, u32 op) {
      g.s.r[25] = op;
      g.run({word});
      const bool yes = g.s.pc == AnyGuest::general && g.code_of_exception() == u32(ExcCode::Bp);
      g.s.cp0.status &= ~status_exl;
      settle_status(g.s);
      return yes;
    };
    CHECK(is_breakpoint(sdbbp, op_argc));
    CHECK(is_breakpoint(sdbbp | 2 << 6, op_argc));
    for (const u32 op : {0u, 12u, 15u, 18u, 21u, 23u, failure}) CHECK(is_breakpoint(call_host, op));
    CHECK_FALSE(is_breakpoint(call_host, op_argc));
    g.map(0, 0x0040'0000, 0x4000, 0x5000);
    g.user_mode();
    g.put(0x4000, {call_host});
    g.go(0x0040'0000, 0x0040'0004);
    CHECK(g.s.pc == AnyGuest::general);
    g.s.cp0.status &= ~status_exl;
    settle_status(g.s);
    g.s.semihosting = 2;
    g.go(0x0040'0000, 0x0040'0004);
    CHECK(g.s.pc == 0x0040'0004);
  });
}

TEST_CASE("mips semihosting: in a delay slot, and in MIPS16e code") {
  both([](AnyGuest& g) {
    Host h(g);
    semihosting_arguments({"x"});
    g.s.r[25] = op_argc;
    g.run({beq(zero, zero, 3), call_host, nop, nop, addiu(v1, zero, 9)});
    CHECK((g.s.pc == AnyGuest::code + 20 && g.s.r[2] == 1 && g.s.r[3] == 9));
    g.s.r[2] = 0;
    g.set_word(0x1000, 0x6500'e821);  // sdbbp 1; nop
    g.go(AnyGuest::code | 1, AnyGuest::code + 4);
    CHECK((g.s.pc == AnyGuest::code + 4 && g.s.r[2] == 1));
    semihosting_arguments({});
  });
}
}  // namespace
}  // namespace mips::test
