#pragma once
// The host's end of a machine's network plug: carries frames between the vCPU thread's queues and the cable.

#include "core/machine.hpp"
#include "host/loop.hpp"
#include "host/net/end.hpp"

#include <atomic>
#include <memory>

namespace host {
class NicEnd final : public NetEnd {
 public:
  // All three outlive it; destroy it while the vCPU thread does not run.
  NicEnd(Loop& loop, core::MachineBase& machine, core::NetPort& port);
  ~NicEnd() override;
  void take(std::span<const core::u8> frame) override;
  std::string info() const override;
  bool is_nic() const override { return true; }
  void link_changed() override;

 private:
  void drain();
  void tell_guest();

  Loop& loop_;
  core::MachineBase& machine_;
  core::NetPort& port_;
  Loop::Id wake_;
  std::atomic<bool> calling_{false};  // the loop was woken and has not looked yet
  // The guest was told and has not looked yet; shared with the call on its way to the vCPU thread.
  std::shared_ptr<std::atomic<bool>> told_ = std::make_shared<std::atomic<bool>>(false);
};

// 52:54:00:12:34:56
std::string mac_text(const core::MacAddress& mac);
}  // namespace host
