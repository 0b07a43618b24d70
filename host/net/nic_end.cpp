#include "host/net/nic_end.hpp"

#include <fmt/format.h>

namespace host {
using core::u8;

NicEnd::NicEnd(Loop& loop, core::MachineBase& machine, core::NetPort& port)
    : loop_(loop), machine_(machine), port_(port), wake_(loop.on_wake([this] { drain(); })) {
  name = port.id;
  port_.link_up = false;
  port_.host_wake = [this] {
    if (!calling_.exchange(true)) loop_.wake();
  };
}

NicEnd::~NicEnd() {
  unplug();
  port_.host_wake = nullptr;
  loop_.remove_wake(wake_);
}

void NicEnd::drain() {
  if (!calling_.exchange(false)) return;
  core::EthernetFrame frame;
  // As many as fit in the queue: a guest that never stops must not keep the loop from the rest of its work.
  for (std::size_t n = 0; n < core::FrameQueue::max_frames && port_.to_host.pop(frame); ++n) transmit(frame);
  if (!port_.to_host.empty() && !calling_.exchange(true)) loop_.wake();
}

void NicEnd::take(std::span<const u8> frame) {
  if (port_.to_guest.push(frame)) tell_guest();
}

void NicEnd::tell_guest() {
  if (told_->exchange(true)) return;
  machine_.completions.post([port = &port_, told = told_] {
    told->store(false);
    if (port->arrived) port->arrived();
  });
}

void NicEnd::link_changed() {
  const bool up = connected() && peer()->link();
  if (port_.link_up.exchange(up) != up) tell_guest();
}

std::string NicEnd::info() const {
  return fmt::format("type=nic,model={},macaddr={}", port_.model, mac_text(port_.mac));
}

std::string mac_text(const core::MacAddress& m) {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", m[0], m[1], m[2], m[3], m[4], m[5]);
}
}  // namespace host
