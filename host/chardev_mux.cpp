// One terminal for serial port and monitor: Ctrl-A and a key.

#include "host/chardev.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <deque>

namespace host {
using core::u8, core::u64;

namespace {
constexpr std::string_view help_text =
    "\r\nC-a h    this list\r\n"
    "C-a x    end the emulator\r\n"
    "C-a c    go to the monitor, and back\r\n"
    "C-a b    send a break to the serial line\r\n"
    "C-a s    write disk data back to the images\r\n"
    "C-a t    show the time at the start of each line, or stop\r\n"
    "C-a C-a  send one C-a\r\n";

u64 now_ms() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return u64(t.tv_sec) * 1000 + u64(t.tv_nsec) / 1'000'000;
}
}  // namespace

// Input that its reader does not take yet waits here, so that Ctrl-A x works while a guest hangs.
class Mux::Channel final : public Chardev {
 public:
  explicit Channel(Mux& mux) : mux_(mux) {}
  static constexpr std::size_t most_waiting = 1 << 16;

  std::size_t write(std::span<const u8> bytes) override { return mux_.write(bytes); }
  bool wait_writable(int milliseconds) override { return mux_.under_->wait_writable(milliseconds); }
  bool connected() const override { return mux_.under_->connected(); }
  bool terminal() const override { return mux_.under_->terminal(); }
  void resume_input() override {
    const bool was_full = waiting_.size() >= most_waiting;
    while (reader_ && !waiting_.empty()) {
      const std::vector<u8> bytes(waiting_.begin(), waiting_.end());
      const std::size_t n = reader_->receive(bytes);
      waiting_.erase(waiting_.begin(), waiting_.begin() + std::ptrdiff_t(n));
      if (n < bytes.size()) break;
    }
    if (was_full && waiting_.size() < most_waiting) mux_.under_->resume_input();
  }
  bool take(u8 c) {
    if (waiting_.size() >= most_waiting) return false;
    waiting_.push_back(c);
    return true;
  }
  void tell(Event e) {
    if (reader_) reader_->event(e);
  }
  void tell_writable() {
    if (reader_) reader_->writable();
  }

 private:
  Mux& mux_;
  std::deque<u8> waiting_;
};

Mux::Mux(std::unique_ptr<Chardev> under, std::function<void()> quit)
    : under_(std::move(under)), quit_(std::move(quit)) {}
Mux::~Mux() { under_->attach(nullptr); }

Chardev& Mux::add_channel() {
  channels_.push_back(std::make_unique<Channel>(*this));
  return *channels_.back();
}

void Mux::set_focus(std::size_t channel) {
  if (channel == focus_ || channel >= channels_.size()) return;
  channels_[focus_]->tell(Chardev::Event::focus_out);
  focus_ = channel;
  channels_[focus_]->tell(Chardev::Event::focus_in);
}

std::size_t Mux::receive(std::span<const u8> bytes) {
  std::size_t n = 0;
  for (; n < bytes.size(); ++n) {
    const u8 c = bytes[n];
    if (escaped_ && c != escape) {
      escaped_ = false;
      channels_[focus_]->resume_input();
      command(c);
    } else if (c == escape && !escaped_) {
      escaped_ = true;
    } else {
      if (!channels_[focus_]->take(c)) break;
      escaped_ = false;
    }
  }
  channels_[focus_]->resume_input();
  return n;
}

void Mux::command(u8 key) {
  switch (key) {
    case 'h':
    case '?': say(help_text); break;
    case 'x':
      say("\r\npinstrap: ended by C-a x\r\n");
      quit_();
      break;
    case 'c': set_focus((focus_ + 1) % channels_.size()); break;
    case 'b': channels_[focus_]->tell(Chardev::Event::line_break); break;
    case 's': say("\r\nno disk images to write\r\n"); break;
    case 't':
      stamp_ = !stamp_;
      stamp_from_ = now_ms();
      line_start_ = false;
      break;
    default: break;
  }
}

void Mux::say(std::string_view text) {
  own_ += text;
  flush_own();
}

bool Mux::flush_own() {
  if (!own_.empty()) {
    const std::size_t n = under_->write(std::span(reinterpret_cast<const u8*>(own_.data()), own_.size()));
    own_.erase(0, n);
  }
  return own_.empty();
}

std::size_t Mux::write(std::span<const u8> bytes) {
  if (!flush_own()) return 0;
  if (!stamp_) return under_->write(bytes);
  for (u8 c : bytes) {
    if (line_start_ && c != '\r') {
      const u64 t = now_ms() - stamp_from_;
      own_ += fmt::format("[{:02}:{:02}:{:02}.{:03}] ", t / 3'600'000, t / 60'000 % 60, t / 1000 % 60, t % 1000);
      line_start_ = false;
    }
    own_ += char(c);
    if (c == '\n') line_start_ = true;
  }
  flush_own();
  return bytes.size();
}

void Mux::writable() {
  if (!flush_own()) return;
  for (auto& c : channels_) c->tell_writable();
}

void Mux::event(Chardev::Event e) {
  for (auto& c : channels_) c->tell(e);
}
}  // namespace host
