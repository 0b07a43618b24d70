#pragma once
// A hub: a frame that enters at one port leaves at all the others.

#include "host/net/end.hpp"

#include <memory>

namespace host {
class Hub {
 public:
  explicit Hub(unsigned number) : number(number) {}
  // A new port, "hub0port1" unless it is given a name; owned by the hub, unplugs itself.
  NetEnd& add_port(std::string name = {});
  const unsigned number;
  const std::vector<std::unique_ptr<NetEnd>>& ports() const { return ports_; }

 private:
  class Port;
  std::vector<std::unique_ptr<NetEnd>> ports_;
};
}  // namespace host
