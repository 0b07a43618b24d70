#pragma once
// A line typed at a raw terminal: echo, editing keys, history, completion.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace host {
class LineEditor {
 public:
  using Complete = std::function<std::vector<std::string>(std::string_view line)>;
  LineEditor(std::string prompt, Complete complete) : prompt_(std::move(prompt)), complete_(std::move(complete)) {}

  // Takes one byte.  True when it ends a line, which is then in line().  What to show is added to `echo`.
  bool key(unsigned char c, std::string& echo);
  const std::string& line() const { return done_; }
  const std::string& prompt() const { return prompt_; }
  // The prompt and what is typed so far.
  std::string redraw() const;

 private:
  void escape_key(unsigned char c, std::string& echo);
  void replace(std::string text, std::string& echo);
  void history(int step, std::string& echo);
  void tab(std::string& echo);
  void insert(std::string_view text, std::string& echo);
  void move(int step, std::string& echo);
  void erase_left(std::string& echo);
  void erase_word(std::string& echo);
  void finish(std::string& echo);

  static constexpr std::size_t longest = 4096, most_lines = 64;
  std::string prompt_;
  Complete complete_;
  std::string text_, done_, kept_;  // kept_: what was typed before going up in history
  std::size_t at_ = 0;              // cursor in text_
  std::vector<std::string> lines_;
  std::size_t history_at_ = 0;  // lines_.size(): not in history
  std::string escape_;          // bytes of an escape sequence so far
  bool after_cr_ = false;
};
}  // namespace host
