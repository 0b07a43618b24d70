#include "host/monitor/monitor.hpp"

#include "core/reg.hpp"
#include "fake_run.hpp"

#include <doctest/doctest.h>

using namespace host;
using namespace host::test;

namespace monitor_test {
using namespace core;
struct Regs {
  Reg<struct CTRL, 0x0, R | W, 0x11, Bits<struct EN, 0>, Bits<struct RATE, 4, 4>> ctrl;
  Reg<struct STATUS, 0x4, R> status;
};
}  // namespace monitor_test

namespace {
struct Bench {
  Bench() {
    MonitorContext c;
    c.run = &run;
    c.target = &target;
    c.board = "versatilepb";
    c.version = "0.1";
    c.devices = {{"lamp0", "blinker", core::reg_info<monitor_test::Regs>, &regs, nullptr, 0}};
    c.map = {{"lamp0", "blinker", 0x10000000, 0x1000}};
    monitor = std::make_unique<Monitor>(std::move(c));
  }
  std::string operator()(std::string_view line) { return monitor->execute(line); }
  FakeRun run;
  FakeTarget target;
  monitor_test::Regs regs;
  std::unique_ptr<Monitor> monitor;
};
}  // namespace

TEST_CASE("monitor: running, stopping, resetting, leaving") {
  Bench m;
  CHECK(m("info status") == "VM status: running\n");
  CHECK(m("stop") == "");
  CHECK(m("info status") == "VM status: paused\n");
  CHECK(m("c") == "");
  CHECK(m.run.runs);
  m("system_reset");
  CHECK(m.run.resets == 1);
  m("q");
  CHECK(m.run.shutdowns == 1);
  CHECK(m("system_powerdown") == "this board has no power button\n");
}

TEST_CASE("monitor: memory and expressions") {
  Bench m;
  for (int i = 0; i < 16; ++i) m.target.memory[std::size_t(i)] = core::u8(i);
  CHECK(m("x/2xw 0x1000") == "00001000: 0x03020100 0x07060504\n");
  CHECK(m("x /4xb 0x1000+4") == "00001004: 0x04 0x05 0x06 0x07\n");
  CHECK(m("x/1xh") == "00001008: 0x0908\n");
  CHECK(m("xp/1xw 0") == "00000000: 0x03020100\n");
  CHECK(m("x/2i $pc") == "0x00001004:  nop\n0x00001008:  nop\n");
  CHECK(m("x 0") == "cannot access memory at 0x0\n");
  CHECK(m("p $r0 & 0xff") == "0x78\n");
  CHECK(m("p/d 2 + 3 * 4") == "14\n");
  CHECK(m("p (2 + 3) * 4 - ~0") == "0x15\n");
  CHECK(m("p 1/0") == "division by zero\n");
  CHECK(m("p $nope") == "there is no register 'nope'\n");
  CHECK(m("p 2 +") == "a number is missing\n");
  CHECK(m("p 2 3") == "'3' is left over\n");
  CHECK(m("p 12monkeys") == "'12monkeys' is not a number\n");
  CHECK(m("x/999999999x 0") == "count '999999999' must be 1 to 65536\n");
  CHECK(m("x/q 0") == "format letter 'q' is none of x d u o c i b h w g\n");
  CHECK(m("p " + std::string(500, '(')) == "too many brackets\n");
  CHECK(m("p " + std::string(500, '-') + "1") == "too many brackets\n");
}

TEST_CASE("monitor: devices and their registers") {
  Bench m;
  CHECK(m("info device lamp0") ==
        "lamp0 (blinker)\n  000 CTRL = 0x00000011   EN RATE=0x1\n  004 STATUS = 0x00000000\n");
  CHECK(m("info device lamp") == "there is no device 'lamp' (did you mean 'lamp0'?)\n");
  CHECK(m("info qtree") ==
        "board: versatilepb\n  dev: blinker, id \"lamp0\", 2 registers, mmio 0000000010000000/0000000000001000\n");
  CHECK(m("info mtree") == "0000000010000000-0000000010000fff lamp0 (blinker)\n");
  CHECK(m("info registers") == "r0=12345678\n");
}

TEST_CASE("monitor: info mtree shows the RAM there is") {
  Bench m;
  core::MachineBase machine;
  machine.ram.push_back({"ram", core::GuestPhys(0), 32 * core::MiB, nullptr, false});
  m.monitor->context().machine = &machine;
  m.monitor->context().board_map =
      "memory\n"
      "  0x00000000-0x07ffffff  ram            RAM, 128 MiB, -m up to 256 MiB\n"
      "  0x10000000-0x10000fff  lamp0          blinker\n";
  CHECK(m("info mtree") ==
        "memory\n"
        "  0x00000000-0x01ffffff  ram            RAM, 32 MiB, -m up to 256 MiB\n"
        "  0x10000000-0x10000fff  lamp0          blinker\n");
  CHECK(m("xp 0x10000004") ==
        "0x10000004 belongs to a device, which looking might change; 'info device lamp0' shows its registers\n");
}

TEST_CASE("monitor: a physical address of a device, or of code, gets a way out") {
  Bench m;
  CHECK(m("xp/2xw 0x10000000") ==
        "0x10000000 belongs to a device, which looking might change; 'info device lamp0' shows its registers\n");
  CHECK(m("xp/2xw 0x20000000") == "cannot access memory at 0x20000000\n");
  CHECK(m("xp/2i 0") == "xp shows no instructions; x/2i does, at a virtual address\n");
}

TEST_CASE("monitor: unknown and unbuilt commands") {
  Bench m;
  CHECK(m("sotp") == "unknown command: 'sotp' (did you mean 'stop'?)\n");
  CHECK(m("info regs") == "unknown command: 'info regs'\n");
  CHECK(m("savevm a") == "'savevm' is not built yet: it arrives with snapshots\n");
  CHECK(m("info block") == "this machine has no drives\n");
  CHECK(m("log nonsense") == "there is no log item 'nonsense'\n");
  CHECK(m("logfile /nonexistent/x") == "cannot open '/nonexistent/x': no such file or directory\n");
  CHECK(m("help stop") == "stop|s -- stop the guest\n");
  CHECK(m("") == "");
}

TEST_CASE("monitor: the prompt edits, remembers and completes") {
  Bench m;
  FakeChardev wire;
  MonitorSession session(wire, *m.monitor, false);
  CHECK(wire.take() == "Pinstrap 0.1 monitor - type 'help' for more information\r\n(qemu) ");
  wire.type("infx\x7fo status\r");
  CHECK(wire.take().ends_with("VM status: running\r\n(qemu) "));
  wire.type("\x1b[A\r");
  CHECK(wire.take().ends_with("VM status: running\r\n(qemu) "));
  wire.type(
      "rubbish\x15"
      "stop\r");
  CHECK_FALSE(m.run.runs);
  wire.take();
  wire.type("system_r\t");
  CHECK(wire.take() == "system_reset ");
  wire.type(
      "\x15"
      "info q\t");
  CHECK(wire.take().ends_with("info qtree "));
  wire.type(
      "\x15"
      "info device \t\r");
  CHECK(wire.take().find("lamp0 (blinker)\r\n") != std::string::npos);
  wire.type("\x1b[\x1b[999999999999\x1b\x1b~\xff\xfe\x01\x05\x0b\x17\r");
  wire.type(std::string(10'000, 'a') + "\r");
  CHECK(wire.take().ends_with("(qemu) "));
}
