#pragma once
// Where the vCPU thread's CPU time goes, by sampling it: about a thousand times a second, at random distances, a signal
// notes where the host's pc is, which guest instruction the state names, and what C++ code says it is doing
// (VcpuHeader::activity).  A sample weighs the CPU time the thread has used since the one before, so that neither sleep nor
// the host's other work counts.  Host addresses in translated code are looked up among what was made there at the time.
//
// Thread: the vCPU's, but create().

#include "accel/code_listener.hpp"
#include "accel/perf_file.hpp"
#include "accel/vcpu.hpp"
#include "core/result.hpp"

#include <array>
#include <csignal>
#include <ctime>
#include <map>
#include <memory>
#include <vector>

namespace accel {

class Profile final : public CodeListener {
 public:
  // Text and length of the guest instruction at pc, from its bytes.
  using Disassemble = std::function<std::string(u32 pc, std::span<const u8> code, unsigned& length)>;
  struct Tools {
    GuestNames guest_names;
    std::function<std::string(u64 address)> host_names;  // of our own functions
    Disassemble disassemble;
  };
  // Opens the file at once, so that a wrong name is told before the guest runs.
  static Result<std::unique_ptr<Profile>> create(const std::string& path, const VcpuHeader& c, Tools tools);
  ~Profile() override;
  Profile(const Profile&) = delete;

  // From here the calling thread is sampled, to stop().
  Status start();
  void stop();
  // The file (docs/debugging.md says what is in it).  `asleep_ns`: wall time the guest waited.
  Status write(u64 asleep_ns);

  void begin(std::span<const u8> buffer, std::span<const u8> thunks) override;
  void made(const MadeCode& code) override;
  void dropping() override;

 private:
  struct Sample {
    u64 host, ns;
    u32 guest;
    Activity activity;
  };
  // What a sample was in.
  enum Place : unsigned { translated, memory, device, translation, helper, place_count };
  using Times = std::array<u64, place_count>;
  struct Piece {
    const u8* host;
    u32 host_bytes, pc, block;  // block: index in blocks_
  };
  struct GuestBlock {
    std::vector<u8> code;
    unsigned instructions;
    u64 ns = 0;
  };

  Profile(std::FILE* file, const VcpuHeader& c, Tools tools);
  static void on_signal(int, siginfo_t* info, void* context);
  void take(u64 host);
  void arm();
  void resolve();
  void write_blocks();

  std::FILE* file_;
  const VcpuHeader& c_;
  Tools tools_;
  timer_t timer_{};
  bool running_ = false;
  u64 random_ = 0x9e37'79b9'7f4a'7c15, last_cpu_ = 0, began_cpu_ = 0, began_wall_ = 0;

  // Written by the signal handler, which the thread itself runs: a mapping that grows by being touched.
  Sample* samples_;
  std::size_t count_ = 0, resolved_ = 0, lost_ = 0;

  std::span<const u8> buffer_, thunks_;
  std::vector<Piece> pieces_;                      // made since the last dropping()
  std::map<std::pair<u32, u64>, u32> block_at_;    // by pc and a hash of the code
  std::vector<GuestBlock> blocks_;
  std::vector<u32> block_pc_;
  std::map<u32, Times> guest_;   // by guest pc: of blocks, or of instructions that left translated code
  std::map<u64, u64> host_;      // ns by host address outside translated code
  u64 thunk_ns_ = 0, sampled_ns_ = 0;
};
}  // namespace accel
