#include "host/monitor/line_editor.hpp"

#include <algorithm>

namespace host {
namespace {
constexpr unsigned char ctrl(char c) { return static_cast<unsigned char>(c & 0x1f); }
std::string back(std::size_t n) { return std::string(n, '\b'); }
}  // namespace

std::string LineEditor::redraw() const { return prompt_ + text_ + back(text_.size() - at_); }

bool LineEditor::key(unsigned char c, std::string& echo) {
  const bool second_of_crlf = after_cr_ && c == '\n';
  after_cr_ = c == '\r';
  if (second_of_crlf) return false;
  if (!escape_.empty()) return escape_key(c, echo), false;
  switch (c) {
    case '\r':
    case '\n': return finish(echo), true;
    case 0x1b: escape_ = "\x1b"; break;
    case 0x7f:
    case '\b': erase_left(echo); break;
    case '\t': tab(echo); break;
    case ctrl('U'): replace({}, echo); break;
    case ctrl('W'): erase_word(echo); break;
    case ctrl('K'):
      echo += std::string(text_.size() - at_, ' ') + back(text_.size() - at_);
      text_.resize(at_);
      break;
    case ctrl('A'): move(-int(at_), echo); break;
    case ctrl('E'): move(int(text_.size() - at_), echo); break;
    case ctrl('B'): move(-1, echo); break;
    case ctrl('F'): move(1, echo); break;
    case ctrl('P'): history(-1, echo); break;
    case ctrl('N'): history(1, echo); break;
    case ctrl('L'): echo += "\x1b[H\x1b[2J" + redraw(); break;
    case ctrl('C'):
      text_.clear();
      at_ = 0;
      echo += "\n" + prompt_;
      break;
    default:
      if (c >= 0x20) insert(std::string(1, char(c)), echo);
  }
  return false;
}

// CSI sequences: ESC [ A and so on, ESC [ 3 ~.
void LineEditor::escape_key(unsigned char c, std::string& echo) {
  escape_ += char(c);
  if (escape_.size() == 2 && (c == '[' || c == 'O')) return;
  if (escape_.size() < 8 && escape_.size() > 2 && c >= '0' && c <= ';') return;
  const std::string sequence = escape_.substr(1);
  escape_.clear();
  if (sequence.size() < 2) return;
  switch (c) {
    case 'A': return history(-1, echo);
    case 'B': return history(1, echo);
    case 'C': return move(1, echo);
    case 'D': return move(-1, echo);
    case 'H': return move(-int(at_), echo);
    case 'F': return move(int(text_.size() - at_), echo);
    case '~':
      if (sequence == "[3~" && at_ < text_.size()) {
        move(1, echo);
        erase_left(echo);
      }
      return;
    default: return;
  }
}

void LineEditor::finish(std::string& echo) {
  echo += "\n";
  done_ = text_;
  if (!text_.empty() && (lines_.empty() || lines_.back() != text_)) lines_.push_back(text_);
  if (lines_.size() > most_lines) lines_.erase(lines_.begin());
  history_at_ = lines_.size();
  text_.clear();
  at_ = 0;
}

void LineEditor::insert(std::string_view text, std::string& echo) {
  if (text_.size() + text.size() > longest) {
    echo += '\a';
    return;
  }
  text_.insert(at_, text);
  echo += text_.substr(at_);
  at_ += text.size();
  echo += back(text_.size() - at_);
}

void LineEditor::move(int step, std::string& echo) {
  const auto to = std::size_t(std::clamp<long>(long(at_) + step, 0, long(text_.size())));
  echo += to < at_ ? back(at_ - to) : text_.substr(at_, to - at_);
  at_ = to;
}

void LineEditor::erase_left(std::string& echo) {
  if (at_ == 0) return;
  text_.erase(--at_, 1);
  echo += "\b" + text_.substr(at_) + " " + back(text_.size() - at_ + 1);
}

void LineEditor::erase_word(std::string& echo) {
  while (at_ > 0 && text_[at_ - 1] == ' ') erase_left(echo);
  while (at_ > 0 && text_[at_ - 1] != ' ') erase_left(echo);
}

void LineEditor::replace(std::string text, std::string& echo) {
  echo += back(at_) + text;
  if (text_.size() > text.size())
    echo += std::string(text_.size() - text.size(), ' ') + back(text_.size() - text.size());
  text_ = std::move(text);
  at_ = text_.size();
}

void LineEditor::history(int step, std::string& echo) {
  if ((step < 0 && history_at_ == 0) || (step > 0 && history_at_ == lines_.size())) return;
  if (history_at_ == lines_.size()) kept_ = text_;
  history_at_ += std::size_t(step);
  replace(history_at_ == lines_.size() ? kept_ : lines_[history_at_], echo);
}

void LineEditor::tab(std::string& echo) {
  if (at_ != text_.size()) return;
  const auto found = complete_(text_);
  if (found.empty()) return;
  const auto space = text_.rfind(' ');
  const std::string word = text_.substr(space == text_.npos ? 0 : space + 1);
  std::string common = found[0];
  for (const std::string& f : found)
    common.resize(std::size_t(std::mismatch(common.begin(), common.end(), f.begin(), f.end()).first - common.begin()));
  if (common.size() > word.size()) insert(common.substr(word.size()), echo);
  if (found.size() == 1) return insert(" ", echo);
  if (common.size() > word.size()) return;
  echo += "\n";
  for (const std::string& f : found) echo += f + "  ";
  echo += "\n" + redraw();
}
}  // namespace host
