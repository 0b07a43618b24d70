#pragma once
// A machine without a guest, its networks, and a loop that the test turns by hand.

#include "host/net/nets.hpp"

#include <doctest/doctest.h>

#include <poll.h>
#include <cstdlib>
#include <filesystem>

namespace host::test {
using core::u16, core::u32, core::u64, core::u8;
using Bytes = std::vector<u8>;

struct StillClock final : core::Clock {
  u64 t = 0;
  u64 now() const noexcept override { return t; }
  void pause() override {}
  void resume() override {}
};

// The options of one run.
struct Given {
  std::vector<std::string> netdev, nic, net, object;
  NetFacts facts{{"pcnet"}, {}};
};

struct NetBench {
  explicit NetBench(Given g) {
    options.netdev = std::move(g.netdev);
    options.nic = std::move(g.nic);
    options.net = std::move(g.net);
    options.object = std::move(g.object);
    machine.clock = &clock;
    auto made = Nets::create(options, g.facts, machine, loop);
    if (made) nets = std::move(*made);
    else error = made.error().text;
  }
  // Turns the loop until `done`, at most for as long as a slow computer may need.
  bool turn_until(const std::function<bool()>& done) {
    for (int i = 0; i < 10'000; ++i) {
      loop.run_pending();
      machine.completions.run();
      if (done()) return true;
      poll(nullptr, 0, 1);
    }
    return false;
  }
  void send(const Bytes& frame, unsigned card = 0) {
    machine.nics.at(card).send(frame);
    loop.run_pending();
  }
  // The next frame for the guest for which `wanted` holds; empty when none came.
  Bytes receive(const std::function<bool(const Bytes&)>& wanted, unsigned card = 0) {
    Bytes f;
    const bool found = turn_until([&] {
      while (machine.nics.at(card).receive(f))
        if (wanted(f)) return true;
      return false;
    });
    return found ? f : Bytes();
  }
  Bytes receive(unsigned card = 0) {
    return receive([](const Bytes&) { return true; }, card);
  }

  StillClock clock;
  core::MachineBase machine;
  Loop loop;
  Options options;
  std::unique_ptr<Nets> nets;
  std::string error;
};

inline Bytes frame_of(std::size_t size, u8 mark) {
  Bytes f(size, mark);
  for (std::size_t i = 0; i < 6 && i < size; ++i) f[i] = 0xff;
  return f;
}

// A folder of the test's own.
struct Folder {
  Folder() {
    char name[] = "/tmp/pinstrap-net-XXXXXX";
    path = mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string operator/(const std::string& file) const { return path + "/" + file; }
  std::string path;
};
}  // namespace host::test
