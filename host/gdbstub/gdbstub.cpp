#include "host/gdbstub/gdbstub.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace host {
using core::StopReason, core::u64, core::u8;

core::Result<ChardevSpec> parse_gdb_spec(std::string_view text) {
  using Kind = ChardevSpec::Kind;
  const core::Error refusal{core::Kind::usage,
                            fmt::format("gdb cannot use '{}'; say tcp::1234, tcp:HOST:PORT, unix:PATH or stdio", text)};
  auto parsed = parse_serial_spec(text);
  if (!parsed && text.find(':') == text.npos) return refusal;  // no device at all, rather than one written wrong
  ChardevSpec spec = TRY(std::move(parsed));
  switch (spec.kind) {
    case Kind::tcp:
    case Kind::unix_socket:
      spec.server = true;
      spec.wait = false;
      spec.nodelay = true;
      return spec;
    case Kind::stdio: spec.signal = false; return spec;
    case Kind::none:
    case Kind::null:
    case Kind::pty:
    case Kind::device: return spec;
    default: break;
  }
  return refusal;
}

GdbServer::GdbServer(Loop& loop, std::unique_ptr<Chardev> chardev, core::RunControl& run, core::DebugTarget& target,
                     std::function<std::string(std::string_view)> monitor)
    : chardev_(std::move(chardev)), run_(run), target_(target), monitor_(std::move(monitor)) {
  run_.on_stop([this, &loop, alive = std::weak_ptr(alive_)](StopReason reason) {
    loop.post([this, alive, reason] {
      if (alive.lock()) stopped(reason);
    });
  });
  chardev_->attach(this);
}

GdbServer::~GdbServer() { chardev_->attach(nullptr); }

void GdbServer::event(Chardev::Event e) {
  if (e == Chardev::Event::opened) connect();
  else if (e == Chardev::Event::closed && connected_) detach();
}

void GdbServer::connect() {
  connected_ = true;
  acks_ = true;
  guest_runs_ = false;
  reader_.reset();
  out_.clear();
  last_.clear();
  target_.physical = target_.tells_breakpoints = false;
  target_.thread = "01";
  run_.stop();
}

void GdbServer::detach() {
  connected_ = false;
  guest_runs_ = true;
  run_.call([this] { target_.remove_breakpoints(); });
  run_.resume();
}

void GdbServer::reply(std::string_view data) {
  last_ = frame_packet(data);
  out_ += last_;
}

void GdbServer::flush() {
  if (out_.empty()) return;
  const std::size_t n = chardev_->write(std::span(reinterpret_cast<const u8*>(out_.data()), out_.size()));
  out_.erase(0, n);
}

std::size_t GdbServer::receive(std::span<const u8> bytes) {
  using Found = PacketReader::Found;
  if (!connected_) connect();  // a stream without connections, such as stdio
  for (u8 c : bytes) {
    const Found found = reader_.feed(c);
    if (found == Found::nothing || found == Found::ack) continue;
    if (found == Found::packet) took(reader_.packet());
    else run_batch();
    if (found == Found::nak && acks_) out_ += last_;
    if (found == Found::bad_checksum && acks_) out_ += '-';
    if (found == Found::too_long) {
      if (acks_) out_ += '+';
      reply("E22");
    }
    if (found == Found::interrupt) run_.stop();
  }
  run_batch();
  flush();
  return bytes.size();
}

void GdbServer::took(const std::string& packet) {
  if (GdbTarget::knows(packet)) {
    batch_.push_back(packet);
    return;
  }
  run_batch();
  if (acks_) out_ += '+';
  control(packet);
}

// The vCPU thread works on this object's state here while this thread waits for it.
void GdbServer::run_batch() {
  if (batch_.empty()) return;
  run_.call([this] {
    for (const std::string& p : batch_) {
      if (acks_) out_ += '+';
      reply(target_.answer(p));
    }
  });
  batch_.clear();
}

void GdbServer::control(std::string_view p) {
  if (p.empty()) return reply("");
  const std::string_view rest = p.substr(1);
  switch (p[0]) {
    case '?': return reply(fmt::format("T05thread:{};", target_.thread));
    case '!':
    case 'H':
    case 'T': return reply("OK");
    case 'c':
    case 's':
    case 'C':
    case 'S': {
      // `c addr` and `C signal;addr`: the address, when given, is the new pc, which gdb never sends.
      const bool plain = p[0] == 'c' || p[0] == 's';
      if (plain ? !rest.empty() : rest.find(';') != rest.npos) return reply("E22");
      return resume_by(p[0]);
    }
    case 'D':
      reply("OK");
      flush();
      return detach();
    case 'k': return run_.shutdown(0);
    case 'R': return run_.reset();
    case 'q': return general(rest);
    case 'Q': return general_set(rest);
    case 'v': return resume(rest);
    default: return reply("");
  }
}

void GdbServer::resume_by(char action) {
  guest_runs_ = true;
  if (action == 'c' || action == 'C') return run_.resume();
  // The monitor may have let it run (`monitor cont`): gdb must get its stop all the same.
  if (run_.running()) run_.stop();
  else run_.step();
}

// The `v` packets.  With one CPU the first action of vCont that fits is the one.
void GdbServer::resume(std::string_view p) {
  if (p == "Cont?") return reply("vCont;c;C;s;S");
  if (take_prefix(p, "Cont;")) {
    const char action = p.empty() ? '\0' : p[0];
    if (std::string_view("cCsS").find(action) == std::string_view::npos || !action) return reply("E22");
    return resume_by(action);
  }
  if (p.starts_with("Kill")) {
    reply("OK");
    flush();
    return run_.shutdown(0);
  }
  if (p.starts_with("Attach;")) return reply(fmt::format("T05thread:{};", target_.thread));
  reply("");  // vMustReplyEmpty among them
}

namespace {
// `object:annex:offset,length` of a document; `l` marks its end, `m` more to come.
std::string part_of(std::string_view document, std::string_view window) {
  const auto range = parse_range(window);
  if (!range) return "E22";
  if (range->address > document.size()) return "E22";
  const std::size_t most = std::min<u64>(range->length, gdb_packet_size / 2 - 1);
  const std::string_view part = document.substr(range->address, most);
  const bool last = range->address + part.size() == document.size();
  return (last ? "l" : "m") + escape_binary(part);
}
}  // namespace

void GdbServer::general(std::string_view p) {
  if (p.starts_with("Supported")) {
    const bool multiprocess = p.find("multiprocess+") != p.npos;
    target_.tells_breakpoints = p.find("swbreak+") != p.npos;
    target_.thread = multiprocess ? "p01.01" : "01";
    return reply(
        fmt::format("PacketSize={:x};qXfer:features:read+;vContSupported+;swbreak+;hwbreak+;QStartNoAckMode+{}",
                    gdb_packet_size, multiprocess ? ";multiprocess+" : ""));
  }
  if (take_prefix(p, "Xfer:features:read:")) {
    if (take_prefix(p, "target.xml:")) return reply(part_of(target_.feature_xml(), p));
    return reply("E00");
  }
  if (take_prefix(p, "Rcmd,")) return remote_command(p);
  if (p == "C") return reply("QC" + target_.thread);
  if (p == "fThreadInfo") return reply("m" + target_.thread);
  if (p == "sThreadInfo") return reply("l");
  if (p.starts_with("ThreadExtraInfo,")) return reply(to_hex(std::string_view("CPU#0")));
  if (p.starts_with("Attached")) return reply("1");
  if (p == "Offsets") return reply("Text=0;Data=0;Bss=0");
  if (p.starts_with("Symbol")) return reply("OK");
  if (p == "qemu.PhyMemMode") return reply(target_.physical ? "1" : "0");
  reply("");
}

void GdbServer::general_set(std::string_view p) {
  if (p == "StartNoAckMode") {
    reply("OK");
    acks_ = false;
    return;
  }
  if (take_prefix(p, "qemu.PhyMemMode:")) {
    if (p != "0" && p != "1") return reply("E22");
    target_.physical = p == "1";
    return reply("OK");
  }
  reply("");
}

// Console output goes in pieces of `O` packets, then OK.
void GdbServer::remote_command(std::string_view hex) {
  const auto line = from_hex(hex);
  if (!line) return reply("E22");
  const std::string text = monitor_ ? monitor_(*line) : "there is no monitor\n";
  constexpr std::size_t piece = gdb_packet_size / 2 - 1;
  for (std::size_t at = 0; at < text.size(); at += piece) reply("O" + to_hex(std::string_view(text).substr(at, piece)));
  reply("OK");
}

void GdbServer::stopped(StopReason reason) {
  if (!connected_ || !guest_runs_) return;
  guest_runs_ = false;
  std::string text;
  if (reason == StopReason::shutdown) text = target_.stop_reply(reason);
  else run_.call([&] { text = target_.stop_reply(reason); });
  reply(text);
  flush();
}
}  // namespace host
