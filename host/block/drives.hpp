#pragma once
// The drives of a machine: made from the command line, changed by the monitor, written out at the end.

#include "core/machine.hpp"
#include "core/run_control.hpp"
#include "host/block/drive_options.hpp"
#include "host/block/ring.hpp"

#include <list>

namespace host::block {

enum class ReadOnlyMode { retain, read_only, read_write };

class Drives {
 public:
  // Opens every image and fills machine.drives; drives that boards have without being asked (an empty CD or floppy
  // drive) are added unless -nodefaults.  `warn` gets one sentence for each thing worth knowing.
  // Errors: usage or io, one sentence that begins with the option.
  static core::Result<std::unique_ptr<Drives>> create(const Options& options, const BoardFacts& facts,
                                                      core::MachineBase& machine,
                                                      std::function<void(const std::string&)> warn);
  ~Drives();
  Drives(const Drives&) = delete;
  // For changes while the machine runs, and for errors that stop it.  Before it runs.
  void attach(core::RunControl& run);

  // The rest is for the event loop's thread.  Errors: one sentence.
  core::Status change(std::string_view id, const std::string& file, std::string_view format, ReadOnlyMode mode);
  core::Status eject(std::string_view id, bool force);
  core::Status resize(std::string_view id, u64 bytes);
  // Text of `info block [-v] [ID]` and `info blockstats`.
  core::Result<std::string> info(std::string_view id, bool verbose) const;
  std::string statistics() const;
  std::vector<std::string> names() const;

  // Waits for every request that was submitted.  Thread: any but a worker.
  void drain();
  // drain(), then makes durable what was written.  Errors: io, the first image that could not be written.
  core::Status flush_all();

 private:
  struct Drive {
    DriveSpec spec;
    core::BlockPort* port = nullptr;
    std::shared_ptr<Backend> backend;  // null: no medium
    std::string node;                  // name of the open image, "#block0"
  };
  Drives(core::MachineBase& machine, std::function<void(const std::string&)> warn)
      : machine_(machine), warn_(std::move(warn)) {}
  core::Status place(DriveSpec& spec, const BoardFacts& facts) const;
  core::Status add(DriveSpec spec);
  core::Status add_defaults(const Options& options, const BoardFacts& facts);
  core::Result<std::shared_ptr<Backend>> open(const DriveSpec& spec);
  void watch(Drive& drive);
  core::Result<Drive*> find(std::string_view id);
  core::Status check_removable(const Drive& drive, bool force);
  void on_guest(const std::function<void()>& work);
  void put(Drive& drive, std::shared_ptr<Backend> backend, bool tray_open);
  std::string text(const Drive& drive, bool verbose) const;

  core::MachineBase& machine_;
  std::function<void(const std::string&)> warn_;
  core::RunControl* run_ = nullptr;
  std::list<Drive> drives_;
  unsigned nodes_ = 0;
  Workers workers_;
  std::unique_ptr<Ring> ring_;  // for aio=io_uring; ends first, it gives work to the workers
};
}  // namespace host::block
