#include "host/block/ring.hpp"

#include "drive_bench.hpp"

#include <cerrno>
#include <future>
#include <random>
#include <thread>

using namespace host;
using namespace host::block;
using namespace core;
using Bench = host::block::test::DriveBench;
using host::block::test::TempFolder;

namespace {
// Null, with a line that says why, where there is no io_uring.
std::unique_ptr<Ring> ring_or_skip() {
  auto ring = Ring::create();
  if (!ring) std::printf("skipped: aio=io_uring: %s\n", ring.error().text.c_str());
  return ring ? std::move(*ring) : nullptr;
}
// One call and its answer; nothing when the file does not take it.
std::optional<int> call(File& file, File::Call c) {
  std::promise<int> answer;
  c.done = [&](int error) { answer.set_value(error); };
  if (!file.start(c)) return {};
  return answer.get_future().get();
}

// What one drive of 1 MiB is asked, many requests at once, none of them over another.
struct Traffic {
  static constexpr u64 size = 1 * MiB;
  Bench b;
  std::vector<u8> model = std::vector<u8>(size);
  std::mt19937 random{5};
  u32 below(u32 n) { return u32(random()) % n; }

  std::string start(const std::string& options) {
    b.t.file("big", std::string(size, '\0'));
    return b.drive("format=raw,discard=unmap,file=" + (b.t / "big") + options);
  }
  void round() {
    BlockPort& p = b.ide(0, 0);
    unsigned answers = 0, asked = 0;
    p.done = [&](BlockRequest& r) {
      ++answers;
      CHECK(r.error == BlockError::none);
      if (r.op == BlockOp::read) CHECK(std::equal(r.data.begin(), r.data.end(), model.begin() + long(r.at)));
    };
    for (u64 at = below(64) * 512; at < size;) {
      const u64 length = std::min<u64>((1 + below(below(4) ? 16 : 256)) * 512, size - at);
      ask(p, at, length), ++asked;
      at += length + below(8) * 512;
      if (below(8) == 0) p.flush(0), ++asked;
    }
    b.drives->drain();
    b.machine.completions.run();
    CHECK(answers == asked);
    p.done = nullptr;
  }
  void ask(BlockPort& p, u64 at, u64 length) {
    const auto from = model.begin() + long(at);
    switch (below(4)) {
      case 0: return p.read(at, length, 0);
      case 1:
        std::fill_n(from, length, u8(0));
        return p.submit({BlockOp::write_zeroes, below(2) == 0, at, length, 0, {}});
      default: {
        std::vector<u8> data(length);
        for (u8& d : data) d = u8(random());
        std::ranges::copy(data, from);
        return p.write(at, std::move(data), 0, below(4) == 0);
      }
    }
  }
};
}  // namespace

TEST_CASE("block: random traffic is read back, and is in the file, on threads and through io_uring") {
  const bool has_ring = ring_or_skip() != nullptr;
  for (const std::string aio : {"threads", "io_uring"})
    for (const std::string cache : {"writeback", "writethrough", "none", "directsync", "unsafe"}) {
      if (!has_ring && aio == "io_uring") continue;
      CAPTURE(aio);
      CAPTURE(cache);
      Traffic t;
      const std::string error = t.start(",aio=" + aio + ",cache=" + cache);
      if (error.find("no O_DIRECT") != std::string::npos) continue;
      REQUIRE(error == "");
      for (int n = 0; n < 4; ++n) t.round();
      CHECK(t.b.drives->flush_all());
      const std::string now = t.b.t.bytes("big");
      CHECK(
          std::equal(now.begin(), now.end(), t.model.begin(), t.model.end(), [](char a, u8 b) { return u8(a) == b; }));
    }
}

TEST_CASE("block: what io_uring does not do itself is done by the workers") {
  if (!ring_or_skip()) return;
  Bench b;
  REQUIRE(b.drive("format=raw,aio=io_uring,discard=unmap,file=" + b.disk) == "");
  BlockPort& p = b.ide(0, 0);
  CHECK(b.ask(p, {BlockOp::discard, false, 0, 1024, 0, {}}).error == BlockError::none);
  CHECK(b.ask(p, {BlockOp::write_zeroes, true, 1024, 512, 0, {}}).error == BlockError::none);
  CHECK(b.ask(p, {BlockOp::flush, false, 0, 0, 0, {}}).error == BlockError::none);
  CHECK(b.t.bytes("disk").substr(1024) == std::string(512, '\0') + std::string(2560, 'd'));
  // A snapshot's overlay takes one call at a time.
  REQUIRE(b.drive("format=raw,aio=io_uring,snapshot=on,file=" + b.disc) == "");
  CHECK(b.write(b.ide(0, 0), 'n') == BlockError::none);
  CHECK(b.read(b.ide(0, 0)) == std::string(512, 'n'));
  CHECK(b.t.bytes("disc") == std::string(4096, 'c'));
  // A guessed format is guarded as on threads: the guest cannot make a qcow2 image of it.
  REQUIRE(b.drive("aio=io_uring,file=" + b.disk) == "");
  std::vector<u8> head(512);
  std::ranges::copy(std::string("QFI\xfb"), head.begin());
  CHECK(b.ask(b.ide(0, 0), {BlockOp::write, false, 0, 512, 0, head}).error == BlockError::read_only);
  // -blockdev says it where its file is.
  CHECK(b.start({"-blockdev",
                 ("driver=raw,node-name=n,file.driver=file,file.aio=io_uring,file.filename=" + b.disk).c_str()}) == "");
}

TEST_CASE("block: io_uring reads zeroes behind the end, and tells the host's errors") {
  const auto ring = ring_or_skip();
  if (!ring) return;
  TempFolder t;
  {
    const auto file = *HostFile::open(t.file("a", std::string(700, 'x')), {.ring = ring.get()});
    std::vector<u8> s(1024, 0xee);
    CHECK(call(*file, {.op = File::Op::read, .length = 1024, .data = s.data()}) == 0);
    CHECK((s[699] == 'x' && s[700] == 0 && s[1023] == 0));
    CHECK(call(*file, {.op = File::Op::read, .at = 8192, .length = 512, .data = s.data()}) == 0);
    CHECK(s[0] == 0);
    CHECK(call(*file, {.op = File::Op::write, .at = 512, .length = 512, .data = s.data(), .durable = true}) == 0);
    CHECK(file->size() == 1024);
    CHECK_FALSE(call(*file, {.op = File::Op::zero, .at = 1024, .length = 512}));  // would make it longer
  }
  const auto file = *HostFile::open(t / "a", {.read_only = true, .ring = ring.get()});
  std::vector<u8> s(512);
  CHECK(call(*file, {.op = File::Op::write, .length = 512, .data = s.data()}) == EBADF);
}

// What writes part of a block past the page cache reads the rest first: a write of the whole must not come between.
TEST_CASE("block: a write of part of a block, past the page cache, excludes the ring's of the whole") {
  const auto ring = ring_or_skip();
  if (!ring) return;
  TempFolder t;
  const auto opened = HostFile::open(t.file("a", std::string(4096, '\0')), {.direct = true, .ring = ring.get()});
  if (!opened || (*opened)->alignment() < 4096) return;
  HostFile& file = **opened;
  std::vector<u8> part(512, 'p');
  CHECK_FALSE(call(file, {.op = File::Op::write, .at = 512, .length = 512, .data = part.data()}));
  for (int n = 0; n < 100; ++n) {
    std::vector<u8> whole(4096, u8(n)), now(4096);
    std::thread other([&] { CHECK(file.write(512, part) == 0); });
    // Refused while the other is alone with the file; a worker would wait.
    const auto error = call(file, {.op = File::Op::write, .length = 4096, .data = whole.data()});
    CHECK((error ? *error : file.write(0, whole)) == 0);
    other.join();
    CHECK(call(file, {.op = File::Op::read, .length = 4096, .data = now.data()}) == 0);
    std::fill_n(now.begin() + 512, 512, u8(n));
    CHECK(now == whole);
  }
}

TEST_CASE("block: more calls than the ring has room for are left to the workers, and nothing is lost") {
  const auto ring = ring_or_skip();
  if (!ring) return;
  TempFolder t;
  const auto file = *HostFile::open(t.file("a", std::string(1 * MiB, '\0')), {.ring = ring.get()});
  std::atomic<unsigned> done = 0;
  unsigned started = 0;
  std::vector<u8> data(512, 'x');
  for (u64 n = 0; n < 2048; ++n)
    started += file->start({.op = n % 16 ? File::Op::write : File::Op::sync,
                            .at = n * 512,
                            .length = 512,
                            .data = data.data(),
                            .done = [&](int error) { done += error == 0; }});
  ring->drain();
  CHECK(done == started);
  CHECK(started >= 128);
}
