#pragma once
// A drive over memory; requests are answered at once or when the test says so.
#include "core/block_port.hpp"

#include <algorithm>
#include <deque>

namespace test {
using namespace core;

struct FakeDrive final : BlockBackend {
  BlockPort port;
  std::vector<u8> medium;
  std::deque<std::pair<BlockRequest, std::function<void(BlockRequest)>>> waiting;
  std::vector<BlockRequest> seen;
  bool at_once = true;
  BlockError error = BlockError::none;

  explicit FakeDrive(u64 size, bool cdrom = false) : medium(size) {
    for (u64 i = 0; i < size; ++i) medium[i] = pattern(i);
    port.id = "drive0";
    port.size = size;
    port.is_cdrom = port.removable = port.read_only = cdrom;
    port.backend = this;
  }
  static u8 pattern(u64 at) { return u8(at * 7 + at / 512); }

  void submit(BlockRequest r, std::function<void(BlockRequest)> answer) override {
    seen.push_back(r);
    waiting.emplace_back(std::move(r), std::move(answer));
    if (at_once) finish();
  }
  // Answers the oldest request.
  void finish() {
    auto [r, answer] = std::move(waiting.front());
    waiting.pop_front();
    r.error = error;
    if (error == BlockError::none) work(r);
    answer(std::move(r));
  }

 private:
  void work(BlockRequest& r) {
    const auto at = medium.begin() + long(r.at);
    if (r.op == BlockOp::read) r.data.assign(at, at + long(r.length));
    else if (r.op == BlockOp::write) std::copy(r.data.begin(), r.data.end(), at);
    else if (r.op == BlockOp::write_zeroes || r.op == BlockOp::discard) std::fill_n(at, r.length, u8(0));
  }
};
}  // namespace test
