#pragma once
// The two ends of an Ethernet cable: a network card, a back end (user, tap, socket, …) or a port of a hub.
//
// Thread: the event loop's, or any one thread while the loop is not running.

#include "core/net_port.hpp"

#include <functional>
#include <string>
#include <vector>

namespace host {
class NetEnd {
 public:
  using Listener = std::function<void(std::span<const core::u8> frame)>;
  virtual ~NetEnd() { unplug(); }
  NetEnd(const NetEnd&) = delete;
  NetEnd() = default;

  // A frame that came along the cable, 14 to 65550 bytes, without preamble and frame check sequence.  What the end
  // has no room for is lost.  Only `transmit` of the other end calls it.
  virtual void take(std::span<const core::u8> frame) = 0;
  // Kind and settings as `info network` shows them: "type=user,net=10.0.2.0,restrict=off".
  virtual std::string info() const = 0;
  virtual bool is_nic() const { return false; }

  // Sends a frame along the cable; it is lost when the cable or either end's link is off, or its size is wrong.
  void transmit(std::span<const core::u8> frame);
  void plug(NetEnd& other);
  void unplug();
  NetEnd* peer() const { return peer_; }

  // What set_link says.  link_changed() hears of both ends' links and of the cable.
  void set_link(bool up);
  bool link() const { return link_; }
  // A frame can travel now.
  bool connected() const { return peer_ && link_; }
  virtual void link_changed() {}

  std::string name;
  bool shown_by_hub = false;        // hub ports are listed under their hub
  std::vector<Listener> listeners;  // hear every frame of the cable, in both directions

 private:
  NetEnd* peer_ = nullptr;
  bool link_ = true;
};
}  // namespace host
