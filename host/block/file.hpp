#pragma once
// Bytes on the host: a file or a block device.  Calls block; they are made on worker threads.

#include "core/base.hpp"
#include "core/result.hpp"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace host::block {
using core::u64, core::u8;

class Ring;

// The host operations everything above is built on; tests put a recorder here.  Thread: any, several at a time.
// Errors are errno values, 0 for success.
class File {
 public:
  virtual ~File() = default;
  virtual u64 size() const = 0;  // bytes; may have any remainder
  // All of `to`; what lies behind the end of the file reads as zeroes.
  virtual int read(u64 at, std::span<u8> to) = 0;
  // All of `from`; the file grows when it must.
  virtual int write(u64 at, std::span<const u8> from) = 0;
  // What was written is durable after this.
  virtual int sync() = 0;
  // Gives the space back; reads as zeroes or as before.
  virtual int discard(u64 at, u64 length) = 0;
  // Reads as zeroes from now on; `unmap` allows it to give the space back.
  virtual int zero(u64 at, u64 length, bool unmap) = 0;
  virtual int resize(u64 bytes) = 0;

  // One of these calls as data, for a file that makes calls without a thread that waits for them.
  enum class Op : u8 { read, write, sync, discard, zero };
  struct Call {
    Op op = Op::read;
    u64 at = 0, length = 0;
    u8* data = nullptr;    // read and write: `length` bytes, there until `done`
    bool durable = false;  // write: as if sync() followed
    bool unmap = false;    // zero
    // Called once, from any thread, with what the function would have returned.
    std::function<void(int error)> done = {};
  };
  // False: not this call, or not now; nothing was done then.  A discard or zero that ends with EOPNOTSUPP was not done
  // either: the function finds another way.  Thread: any, and never waits.
  virtual bool start(const Call&) { return false; }
  virtual bool starts() const { return false; }  // whether it ever does
};

enum class Locking { automatic, on, off };
struct FileOptions {
  bool read_only = false;
  bool direct = false;  // past the host's page cache (O_DIRECT)
  Locking locking = Locking::automatic;
  Ring* ring = nullptr;  // makes calls on its own; outlives them
};

// Many may be inside, or one alone; whoever came first enters first.  Who leaves may be another thread than who
// entered.
class Gate {
 public:
  void enter();
  bool try_enter();  // not past those who wait
  void leave();
  void enter_alone();
  void leave_alone();

 private:
  std::mutex lock_;
  std::condition_variable changed_;
  core::u64 came_ = 0, entered_ = 0;  // the difference waits
  unsigned inside_ = 0;
  bool alone_ = false;
};

class HostFile final : public File {
 public:
  // Errors: io, a sentence with the path: missing, a folder, no permission, in use, no O_DIRECT there.
  static core::Result<std::shared_ptr<HostFile>> open(const std::string& path, const FileOptions& options);
  // An unlinked file of `bytes` bytes in $TMPDIR (or /var/tmp), gone with the program.
  static core::Result<std::shared_ptr<HostFile>> temporary(u64 bytes);
  ~HostFile() override;
  HostFile(const HostFile&) = delete;

  u64 size() const override;
  int read(u64 at, std::span<u8> to) override;
  int write(u64 at, std::span<const u8> from) override;
  int sync() override;
  int discard(u64 at, u64 length) override;
  int zero(u64 at, u64 length, bool unmap) override;
  int resize(u64 bytes) override;
  bool start(const Call& call) override;
  bool starts() const override { return ring_ != nullptr; }

  u64 alignment() const { return align_; }  // of addresses, offsets and lengths; 1 without O_DIRECT

 private:
  explicit HostFile(int fd) : fd_(fd) {}
  int read_direct(u64 at, std::span<u8> to);
  int write_direct(u64 at, std::span<const u8> from);
  int clear(u64 at, u64 length, bool unmap);
  int write_zeroes(u64 at, u64 length);
  bool start_direct(const Call& call);

  int fd_;
  Ring* ring_ = nullptr;
  bool device_ = false;
  u64 align_ = 1;
  // Past the page cache, writes that are not aligned read what is around them first, and exclude all other calls
  // meanwhile, also those that clear.
  Gate around_;
};
}  // namespace host::block
