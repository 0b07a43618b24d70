#include "host/monitor/monitor.hpp"

#include "host/keyvalue.hpp"
#include "host/monitor/commands.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace host {
using core::u8;

namespace {
constexpr std::string_view prompt_text = "(qemu) ";

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::vector<std::string_view> names_of(std::span<const Command> table) {
  std::vector<std::string_view> names;
  for (const Command& c : table) names.push_back(c.name);
  return names;
}
}  // namespace

std::string_view Arguments::word() {
  text_ = rest();
  const auto end = std::find_if(text_.begin(), text_.end(), is_blank);
  const std::string_view w = text_.substr(0, std::size_t(end - text_.begin()));
  text_.remove_prefix(w.size());
  return w;
}

std::string_view Arguments::rest() const {
  std::string_view t = text_;
  while (!t.empty() && is_blank(t.front())) t.remove_prefix(1);
  while (!t.empty() && is_blank(t.back())) t.remove_suffix(1);
  return t;
}

const Command* find_command(std::span<const Command> table, std::string_view name) {
  for (const Command& c : table)
    if (name == c.name || (!c.alias.empty() && name == c.alias)) return &c;
  return nullptr;
}

std::string run_command(Monitor& monitor, const Command& command, Arguments arguments) {
  if (!command.later.empty())
    return fmt::format("'{}' is not built yet: it arrives with {}\n", command.name, command.later);
  return command.run(monitor, arguments);
}

std::string on_guest(Monitor& monitor, const std::function<std::string()>& work) {
  std::string text;
  core::RunControl* run = monitor.context().run;
  if (!run) return "there is no machine\n";
  run->call([&] { text = work(); });
  return text;
}

// A format may be glued to the command: `x/8xw`, `p/x`.
std::string Monitor::execute(std::string_view line) {
  Arguments arguments(line);
  std::string_view name = arguments.word();
  if (name.empty()) return {};
  const auto slash = name.find('/');
  std::string glued;
  if (slash != name.npos) {
    glued = fmt::format("{} {}", name.substr(slash), arguments.rest());
    arguments = Arguments(glued);
    name = name.substr(0, slash);
  }
  if (const Command* c = find_command(commands(), name)) return run_command(*this, *c, arguments);
  return fmt::format("unknown command: '{}'{}\n", name, did_you_mean(name, names_of(commands())));
}

std::vector<std::string> Monitor::complete(std::string_view line) const {
  const auto space = line.rfind(' ');
  const std::string_view word = space == line.npos ? line : line.substr(space + 1);
  std::string_view before = space == line.npos ? std::string_view() : Arguments(line.substr(0, space)).rest();
  std::vector<std::string_view> candidates;
  if (before.empty() || before == "help" || before == "?")
    candidates = names_of(commands());
  else if (before == "info" || before == "help info")
    candidates = names_of(info_commands());
  else if (before == "info device")
    for (const core::Block& b : context_.devices) candidates.push_back(b.name);
  std::vector<std::string> out;
  for (std::string_view c : candidates)
    if (c.starts_with(word)) out.emplace_back(c);
  std::sort(out.begin(), out.end());
  return out;
}

MonitorSession::MonitorSession(Chardev& chardev, Monitor& monitor, bool starts_hidden)
    : chardev_(chardev),
      monitor_(monitor),
      editor_(std::string(prompt_text), [&monitor](std::string_view line) { return monitor.complete(line); }),
      hidden_(starts_hidden) {
  chardev_.attach(this);
  if (!hidden_ && chardev_.connected()) greet();
}

void MonitorSession::greet() {
  greeted_ = true;
  const MonitorContext& c = monitor_.context();
  show(fmt::format("Pinstrap {} monitor - type 'help' for more information\n{}", c.version, prompt_text));
}

std::size_t MonitorSession::receive(std::span<const u8> bytes) {
  for (u8 b : bytes) {
    std::string echo;
    const bool entered = editor_.key(b, echo);
    show(echo);
    if (entered) show(monitor_.execute(editor_.line()) + editor_.prompt());
  }
  return bytes.size();
}

void MonitorSession::event(Chardev::Event e) {
  switch (e) {
    case Chardev::Event::opened:
      if (!hidden_) greet();
      break;
    case Chardev::Event::focus_in:
      hidden_ = false;
      if (greeted_)
        show("\n" + editor_.redraw());
      else {
        show("\n");
        greet();
      }
      break;
    case Chardev::Event::focus_out:
      show("\n");
      hidden_ = true;
      break;
    case Chardev::Event::closed: pending_.clear(); break;
    case Chardev::Event::line_break: break;
  }
}

void MonitorSession::show(std::string_view text) {
  for (char c : text) {
    if (c == '\n') pending_ += '\r';
    pending_ += c;
  }
  writable();
}

void MonitorSession::writable() {
  if (pending_.empty()) return;
  const std::size_t n = chardev_.write(std::span(reinterpret_cast<const u8*>(pending_.data()), pending_.size()));
  pending_.erase(0, n);
}
}  // namespace host
