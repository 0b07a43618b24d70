#pragma once
// A machine with IDE (two channels of two), one floppy drive and -device, and drives from a command line.

#include "../fake_run.hpp"
#include "host/block/drives.hpp"
#include "host/monitor/monitor.hpp"
#include "temp.hpp"

#include <doctest/doctest.h>

namespace host::block::test {
using namespace core;

struct DriveBench {
  DriveBench() {
    facts.program = "pinstrap-test";
    facts.machines = {"test"};
    facts.block_interfaces = {{BlockInterface::ide, 2, 2}, {BlockInterface::floppy, 1, 1}, {BlockInterface::none}};
    disk = t.file("disk", std::string(4096, 'd'));
    disc = t.file("disc", std::string(4096, 'c'));
  }
  // The error, or nothing when it worked.
  std::string start(std::vector<const char*> arguments) {
    drives.reset();
    machine.drives.clear();
    warnings.clear();
    const auto options = parse_options(arguments, facts);
    if (!options) return options.error().text;
    if (const auto s = refuse_unbuilt(*options, facts); !s) return s.error().text;
    auto d = Drives::create(*options, facts, machine, [this](const std::string& w) { warnings += w + "\n"; });
    if (!d) return d.error().text;
    drives = std::move(*d);
    drives->attach(run);
    MonitorContext c;
    c.run = &run;
    c.machine = &machine;
    c.drives = drives.get();
    monitor = std::make_unique<Monitor>(std::move(c));
    return {};
  }
  std::string drive(const std::string& text) { return start({"-drive", text.c_str()}); }
  std::string operator()(std::string_view command) { return monitor->execute(command); }
  BlockRequest ask(BlockPort& p, BlockRequest r) {
    BlockRequest out;
    p.done = [&](BlockRequest& a) { out = a; };
    p.submit(std::move(r));
    drives->drain();
    machine.completions.run();
    p.done = nullptr;
    return out;
  }
  std::string read(BlockPort& p) {
    const auto r = ask(p, {BlockOp::read, false, 0, 512, 0, {}});
    return {r.data.begin(), r.data.end()};
  }
  BlockError write(BlockPort& p, u8 value) {
    return ask(p, {BlockOp::write, false, 0, 512, 0, std::vector<u8>(512, value)}).error;
  }
  BlockPort& ide(unsigned bus, unsigned unit) {
    BlockPort* p = machine.drive(BlockInterface::ide, bus, unit);
    REQUIRE(p);
    return *p;
  }
  TempFolder t;
  std::string disk, disc, warnings;
  BoardFacts facts;
  MachineBase machine;
  ::host::test::FakeRun run;
  std::unique_ptr<Drives> drives;
  std::unique_ptr<Monitor> monitor;
};
}  // namespace host::block::test
