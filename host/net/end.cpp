#include "host/net/end.hpp"

namespace host {
void NetEnd::transmit(std::span<const core::u8> frame) {
  if (!peer_ || !link_ || !peer_->link_) return;
  if (frame.size() < core::ethernet_header || frame.size() > core::largest_ethernet_frame) return;
  for (const Listener& l : listeners) l(frame);
  for (const Listener& l : peer_->listeners) l(frame);
  peer_->take(frame);
}

void NetEnd::plug(NetEnd& other) {
  unplug();
  other.unplug();
  peer_ = &other;
  other.peer_ = this;
  link_changed();
  other.link_changed();
}

void NetEnd::unplug() {
  if (!peer_) return;
  NetEnd* other = peer_;
  peer_ = other->peer_ = nullptr;
  other->link_changed();
}

void NetEnd::set_link(bool up) {
  link_ = up;
  link_changed();
  if (peer_) peer_->link_changed();
}
}  // namespace host
