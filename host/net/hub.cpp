#include "host/net/hub.hpp"

#include <fmt/format.h>

namespace host {
class Hub::Port final : public NetEnd {
 public:
  explicit Port(Hub& hub) : hub_(hub) { shown_by_hub = true; }
  void take(std::span<const core::u8> frame) override {
    for (const auto& p : hub_.ports_)
      if (p.get() != this) p->transmit(frame);
  }
  std::string info() const override { return fmt::format("type=hubport,hubid={}", hub_.number); }

 private:
  Hub& hub_;
};

NetEnd& Hub::add_port(std::string name) {
  ports_.push_back(std::make_unique<Port>(*this));
  ports_.back()->name = name.empty() ? fmt::format("hub{}port{}", number, ports_.size() - 1) : std::move(name);
  return *ports_.back();
}
}  // namespace host
