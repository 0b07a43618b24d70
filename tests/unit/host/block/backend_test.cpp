#include "host/block/backend.hpp"

#include "host/block/overlay.hpp"
#include "host/block/raw.hpp"
#include "temp.hpp"

#include <doctest/doctest.h>

#include <cerrno>

using namespace host::block;
using namespace core;
using host::block::test::RecordingFile;

namespace {
bool asynchronous = false;  // the benches' files make calls by themselves

// A drive on a recording file.  `run` carries out what was submitted and delivers the answers.
struct Bench {
  explicit Bench(Policy policy = {}, u64 bytes = 65'536) : file(std::make_shared<RecordingFile>(bytes)) {
    file->asynchronous = asynchronous;
    use(std::make_shared<RawImage>(ImageContext{file, "f", false, false}), policy);
  }
  void use(std::shared_ptr<Image> image, Policy policy) {
    backend = std::make_shared<Backend>(std::move(image), policy, workers, completions);
    port.backend = backend.get();
    port.size = backend->image().size();
    port.done = [this](BlockRequest& r) { answers.push_back(r); };
  }
  void run() { workers.drain(), completions.run(); }
  BlockError write(u64 at, u8 value, u64 length = 512, bool fua = false) {
    port.write(at, std::vector<u8>(length, value), 1, fua);
    run();
    return answers.back().error;
  }
  BlockError flush() {
    port.flush(2);
    run();
    return answers.back().error;
  }
  std::shared_ptr<RecordingFile> file;
  Completions completions;
  Workers workers;
  std::shared_ptr<Backend> backend;
  BlockPort port;
  std::vector<BlockRequest> answers;
};
using Log = std::vector<std::string>;
// At the start of a test: it runs twice.
void both_ways() {
  asynchronous = false;
  SUBCASE("workers make the calls") {}
  SUBCASE("the file makes them") { asynchronous = true; }
}
}  // namespace

TEST_CASE("block backend: requests come back with their data and token") {
  both_ways();
  Bench b;
  CHECK(b.write(512, 0x5a) == BlockError::none);
  b.port.read(0, 1024, 77);
  CHECK(b.port.in_flight() == 1);
  b.run();
  CHECK(b.port.in_flight() == 0);
  const BlockRequest& r = b.answers.back();
  CHECK(r.token == 77);
  CHECK((r.data.size() == 1024 && r.data[511] == 0 && r.data[512] == 0x5a));
}

TEST_CASE("block backend: writeback writes are durable after a flush, and not before") {
  both_ways();
  Bench b;
  b.write(0, 1);
  b.write(512, 2);
  CHECK(b.file->durable[0] == 0);
  b.flush();
  CHECK(b.file->durable[0] == 1);
  CHECK(b.file->durable[512] == 2);
  b.write(0, 3);
  CHECK(b.file->log == Log{"write 0+512", "write 512+512", "sync", "write 0+512"});
  // The program is killed here: what the flush promised is there, the rest may not be.
  CHECK(b.file->durable[0] == 1);
}

TEST_CASE("block backend: writethrough and FUA writes are durable when they are answered") {
  both_ways();
  Bench through({.write_cache = false});
  through.write(0, 1);
  CHECK(through.file->log == Log{"write 0+512", "sync"});
  CHECK(through.file->durable[0] == 1);
  Bench back;
  back.write(0, 1, 512, true);
  CHECK(back.file->log == Log{"write 0+512", "sync"});
}

TEST_CASE("block backend: cache=unsafe leaves flushes out, also at the end") {
  both_ways();
  Bench b({.no_flush = true});
  b.write(0, 1, 512, true);
  CHECK(b.flush() == BlockError::none);
  CHECK(b.backend->flush_now() == 0);
  CHECK(b.file->log == Log{"write 0+512"});
}

TEST_CASE("block backend: discards and zeroes as the options say") {
  both_ways();
  Bench plain;
  plain.port.submit({BlockOp::discard, false, 0, 4096, 0, {}});
  plain.port.submit({BlockOp::write_zeroes, false, 4096, 4096, 0, {}});
  plain.run();
  CHECK(plain.file->log == Log{"zero 4096+4096"});
  Bench unmap({.discard = true, .detect_zeroes = DetectZeroes::unmap});
  unmap.port.submit({BlockOp::discard, false, 0, 4096, 0, {}});
  unmap.run();
  unmap.write(4096, 0, 4096);
  unmap.write(8192, 1, 512);
  CHECK(unmap.file->log == Log{"discard 0+4096", "unmap 4096+4096", "write 8192+512"});
}

TEST_CASE("block backend: hostile ranges never reach the file") {
  both_ways();
  Bench b;
  b.port.read(65'536, 512, 0);
  b.port.read(~u64(511), 1024, 0);
  b.port.read(0, ~u64(511), 0);
  b.port.read(100, 512, 0);
  b.port.read(512, 100, 0);
  b.run();
  REQUIRE(b.answers.size() == 5);
  for (const BlockRequest& r : b.answers) CHECK(r.error == BlockError::out_of_range);
  b.port.read_only = true;
  CHECK(b.write(0, 1) == BlockError::read_only);
  CHECK(b.file->log.empty());
}

TEST_CASE("block backend: errors are told, left out or stop the machine, as rerror and werror say") {
  both_ways();
  Bench report({.write_error = OnError::report});
  report.file->fail_write = ENOSPC;
  CHECK(report.write(0, 1) == BlockError::no_space);
  report.file->fail_write = EIO;
  CHECK(report.write(0, 1) == BlockError::io);
  report.file->fail_write = 0, report.file->fail_sync = EIO;
  CHECK(report.flush() == BlockError::io);

  Bench ignore({.write_error = OnError::ignore});
  ignore.file->fail_write = EIO;
  CHECK(ignore.write(0, 1) == BlockError::none);

  Bench enospc;
  unsigned stops = 0;
  enospc.backend->on_stop = [&](BlockError) { ++stops; };
  enospc.file->fail_write = EIO;
  CHECK(enospc.write(0, 1) == BlockError::io);
  CHECK(stops == 0);
  enospc.answers.clear();
  enospc.file->fail_write = ENOSPC;
  enospc.port.write(512, std::vector<u8>(512, 7), 5);
  enospc.run();
  CHECK(stops == 1);
  CHECK(enospc.answers.empty());
  // There is room again: the same write is carried out and answered once.
  enospc.file->fail_write = 0;
  enospc.backend->retry();
  enospc.run();
  REQUIRE(enospc.answers.size() == 1);
  CHECK(enospc.answers[0].token == 5);
  CHECK(enospc.answers[0].error == BlockError::none);
  CHECK(enospc.file->now[512] == 7);
}

TEST_CASE("block backend: a medium that is taken out answers what it was asked") {
  both_ways();
  Bench b;
  b.port.write(0, std::vector<u8>(512, 9), 3);
  b.port.backend = nullptr;
  b.backend.reset();
  b.run();
  REQUIRE(b.answers.size() == 1);
  CHECK(b.answers[0].error == BlockError::none);
  b.port.read(0, 512, 4);
  CHECK(b.answers[1].error == BlockError::no_medium);
}

TEST_CASE("snapshot: the base is never written, the guest sees its own writes") {
  auto base_file = std::make_shared<RecordingFile>(200'000);  // not a whole cluster, not a whole sector
  std::fill(base_file->now.begin(), base_file->now.end(), u8(0xb0));
  auto base = std::make_shared<RawImage>(ImageContext{base_file, "b", true, false});
  Overlay o(base, std::make_shared<RecordingFile>(base->size()));
  CHECK(o.size() == 200'192);
  std::vector<u8> model(o.size(), 0xb0);
  std::fill(model.begin() + 200'000, model.end(), u8(0));
  u32 random = 12345;
  const auto next = [&](u32 below) { return random = random * 1'103'515'245 + 12'345, (random >> 8) % below; };
  for (int i = 0; i < 300; ++i) {
    const u64 at = next(391) * 512ull, length = std::min<u64>(o.size() - at, (1 + next(200)) * 512ull);
    if (next(4) == 0) {
      CHECK(o.zero(at, length, next(2)) == 0);
      std::fill_n(model.begin() + long(at), length, u8(0));
    } else if (next(3)) {
      CHECK(o.write(at, std::vector<u8>(length, u8(i))) == 0);
      std::fill_n(model.begin() + long(at), length, u8(i));
    } else {
      std::vector<u8> back(length);
      CHECK(o.read(at, back) == 0);
      CHECK(std::equal(back.begin(), back.end(), model.begin() + long(at)));
    }
  }
  std::vector<u8> all(o.size());
  CHECK(o.read(0, all) == 0);
  CHECK(all == model);
  CHECK(base_file->log.empty());
  CHECK(o.resize(300'032) == 0);
  std::vector<u8> tail(100'352, 0xee);
  CHECK(o.read(199'680, tail) == 0);
  CHECK(tail[511] == model.back());
  CHECK(tail[512] == 0);
  CHECK(tail.back() == 0);
}

TEST_CASE("snapshot: requests to one overlay are carried out one after the other") {
  both_ways();
  Bench b;
  auto store = std::make_shared<RecordingFile>(65'536);
  b.use(std::make_shared<Overlay>(std::make_shared<RawImage>(ImageContext{b.file, "b", true, false}), store), {});
  for (unsigned i = 0; i < 64; ++i) b.port.write(i * 512, std::vector<u8>(1024, u8(i + 1)), i);
  b.run();
  CHECK(b.answers.size() == 64);
  for (unsigned i = 0; i < 64; ++i) CHECK(b.answers[i].token == i);
  b.port.read(0, 33'280, 99);
  b.run();
  for (unsigned i = 0; i < 64; ++i) CHECK(b.answers.back().data[i * 512] == i + 1);
  CHECK(b.file->log.empty());
}
