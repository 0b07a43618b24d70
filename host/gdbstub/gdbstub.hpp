#pragma once
// A gdb server: gdb's remote serial protocol on a Chardev.
//
// The guest stops when gdb connects and runs on when it detaches or goes away; breakpoints it left are
// taken out.  One gdb at a time.
// Thread: the event loop's.  Packets that touch the CPU run on the vCPU thread by RunControl::call, all
// the packets of one read in one call.

#include "core/run_control.hpp"
#include "host/chardev.hpp"
#include "host/gdbstub/gdb_target.hpp"
#include "host/gdbstub/packet.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace host {
// `-gdb` argument (`tcp::1234`, `tcp:HOST:PORT`, `unix:PATH`, `stdio`) as a back end: a server on this
// machine only unless a host is named, and one that does not wait for gdb.
core::Result<ChardevSpec> parse_gdb_spec(std::string_view text);

class GdbServer final : public Chardev::Reader {
 public:
  // `monitor` runs a monitor command and answers with its text.
  GdbServer(Loop& loop, std::unique_ptr<Chardev> chardev, core::RunControl& run, core::DebugTarget& target,
            std::function<std::string(std::string_view)> monitor);
  ~GdbServer() override;

  std::size_t receive(std::span<const core::u8> bytes) override;
  void writable() override { flush(); }
  void event(Chardev::Event e) override;

 private:
  void took(const std::string& packet);
  void run_batch();
  void control(std::string_view packet);
  void general(std::string_view packet);
  void general_set(std::string_view packet);
  void resume(std::string_view actions);
  void resume_by(char action);
  void remote_command(std::string_view hex);
  void stopped(core::StopReason reason);
  void connect();
  void detach();
  void reply(std::string_view data);
  void flush();

  std::unique_ptr<Chardev> chardev_;
  core::RunControl& run_;
  GdbTarget target_;
  std::function<std::string(std::string_view)> monitor_;

  PacketReader reader_;
  std::vector<std::string> batch_;  // packets for one call to the vCPU thread
  std::string last_;                // the last reply, for `-`
  std::string out_;
  bool connected_ = false, acks_ = true, guest_runs_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};
}  // namespace host
