#include "host/chardev.hpp"

#include <algorithm>

namespace host {
using core::u8;

namespace {
constexpr std::size_t most_at_once = 1 << 16;  // then others on the loop get a turn
constexpr auto retry_every = std::chrono::milliseconds(2);
}  // namespace

SerialLink::SerialLink(Loop& loop, Chardev& chardev, core::CharPort& port, std::function<void()> notify)
    : loop_(loop), chardev_(chardev), port_(port), notify_(std::move(notify)) {
  port_.wake_host = [](void* l) { static_cast<Loop*>(l)->wake(); };
  port_.wake_context = &loop_;
  wake_id_ = loop_.on_wake([this] { pump(); });
  chardev_.attach(this);
}

SerialLink::~SerialLink() {
  *alive_ = false;
  port_.wake_host = nullptr;
  loop_.remove_wake(wake_id_);
  loop_.cancel(retry_);
  chardev_.attach(nullptr);
}

std::size_t SerialLink::receive(std::span<const u8> bytes) {
  std::size_t n = 0;
  while (n < bytes.size() && port_.to_guest.push(bytes[n])) ++n;
  // The ring does not say when the guest made room, so look again.
  if (n < bytes.size() && !retry_) retry_ = loop_.after(retry_every, [this] { retry_input(); });
  if (n && notify_) notify_();
  return n;
}

void SerialLink::retry_input() {
  retry_ = 0;
  if (port_.to_guest.room()) return chardev_.resume_input();
  if (notify_) notify_();
  retry_ = loop_.after(retry_every, [this] { retry_input(); });
}

void SerialLink::event(Chardev::Event e) {
  if (e != Chardev::Event::line_break) return;
  port_.break_pending.store(true, std::memory_order_release);
  if (notify_) notify_();
}

// True when nothing is left of it.
bool SerialLink::send_pending() {
  if (sent_ < pending_.size()) sent_ += chardev_.write(std::span(pending_).subspan(sent_));
  if (sent_ < pending_.size()) return false;
  pending_.clear();
  sent_ = 0;
  return true;
}

void SerialLink::pump() {
  std::size_t moved = 0;
  do {
    if (!send_pending()) break;  // writable() comes back here
    const bool was_full = !port_.can_put();
    u8 c;
    while (pending_.size() < 4096 && port_.to_host.pop(c)) pending_.push_back(c);
    if (was_full && notify_) notify_();
    moved += pending_.size();
    if (pending_.empty()) {
      // Sleep, then look once more: the guest may have written before it could see that we sleep.
      port_.host_sleeps.store(true, std::memory_order_seq_cst);
      if (port_.to_host.empty()) return;
      port_.host_sleeps.store(false, std::memory_order_relaxed);
    }
  } while (moved < most_at_once);
  if (moved >= most_at_once)
    loop_.post([this, alive = alive_] {
      if (*alive) pump();
    });
}

void SerialLink::finish() {
  u8 c;
  while (port_.to_host.pop(c)) pending_.push_back(c);
  chardev_.write_all(std::span(pending_).subspan(sent_), 5000);
  pending_.clear();
  sent_ = 0;
}
}  // namespace host
