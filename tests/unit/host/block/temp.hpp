#pragma once
// Files for tests, and a file that only records what is done to it.

#include "host/block/file.hpp"

#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <vector>

namespace host::block::test {

// A folder of its own, gone with the test.
struct TempFolder {
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "pinstrap-test-XXXXXX").string();
    if (!mkdtemp(name.data())) std::abort();
    path = name;
  }
  ~TempFolder() { std::filesystem::remove_all(path); }
  std::string operator/(const std::string& name) const { return (path / name).string(); }
  // A file with these bytes, and what a file has now.
  std::string file(const std::string& name, const std::string& bytes) const {
    std::ofstream(path / name, std::ios::binary) << bytes;
    return *this / name;
  }
  std::string bytes(const std::string& name) const {
    std::ifstream in(path / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::filesystem::path path;
};

// Memory that plays a host's file: written bytes are durable only after sync(), and `log` tells the order.
class RecordingFile final : public File {
 public:
  explicit RecordingFile(u64 bytes) : now(bytes), durable(bytes) {}
  u64 size() const override { return now.size(); }
  int read(u64 at, std::span<u8> to) override {
    const std::lock_guard hold(lock_);
    for (u64 i = 0; i < to.size(); ++i) to[i] = at + i < now.size() ? now[at + i] : 0;
    return fail_read;
  }
  int write(u64 at, std::span<const u8> from) override {
    const std::lock_guard hold(lock_);
    log.push_back("write " + std::to_string(at) + "+" + std::to_string(from.size()));
    if (fail_write) return fail_write;
    if (now.size() < at + from.size()) now.resize(at + from.size());
    std::copy(from.begin(), from.end(), now.begin() + long(at));
    return 0;
  }
  int sync() override {
    const std::lock_guard hold(lock_);
    log.push_back("sync");
    if (fail_sync) return fail_sync;
    durable = now;
    return 0;
  }
  int discard(u64 at, u64 length) override {
    log.push_back("discard " + std::to_string(at) + "+" + std::to_string(length));
    return 0;
  }
  int zero(u64 at, u64 length, bool unmap) override {
    log.push_back((unmap ? "unmap " : "zero ") + std::to_string(at) + "+" + std::to_string(length));
    std::fill_n(now.begin() + long(at), length, u8(0));
    return 0;
  }
  int resize(u64 bytes) override { return now.resize(bytes), 0; }
  bool starts() const override { return asynchronous; }
  bool start(const Call& c) override {
    int error = 0;
    switch (c.op) {
      case Op::read: error = read(c.at, {c.data, c.length}); break;
      case Op::write: error = write(c.at, {c.data, c.length}); break;
      case Op::sync: error = sync(); break;
      case Op::discard: error = discard(c.at, c.length); break;
      case Op::zero: error = c.durable ? EOPNOTSUPP : zero(c.at, c.length, c.unmap); break;
    }
    if (!error && c.durable) error = sync();
    c.done(error);
    return true;
  }

  bool asynchronous = false;  // calls are started, not made by workers
  std::vector<u8> now, durable;
  std::vector<std::string> log;
  int fail_read = 0, fail_write = 0, fail_sync = 0;

 private:
  std::mutex lock_;
};
}  // namespace host::block::test
