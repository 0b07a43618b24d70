#include "core/log.hpp"

#include "log_file.hpp"

#include <cerrno>
#include <set>
#include <thread>
#include <vector>

namespace core {
TEST_CASE("log: every item has one bit, a name and a help text") {
  u32 seen = 0;
  std::set<std::string> names;
  for (const LogItem& i : log_items()) {
    CHECK((seen & u32(i.bit)) == 0);
    seen |= u32(i.bit);
    CHECK(names.insert(i.name).second);
    CHECK(std::string_view(i.help).size() > 5);
  }
  CHECK(seen == (1u << log_items().size()) - 1);
  CHECK(names.contains("int"));
}

TEST_CASE("log: guest errors are logged each time, and only when asked for") {
  {
    test::LogFile f{u32(Log::unimp)};
    log_guest("bus", "read of unmapped address", 0x1000);
    CHECK(f.text().empty());
  }
  test::LogFile f{u32(Log::guest_errors)};
  log_guest("bus", "read of unmapped address", 0x1'2345'6789);
  log_guest("bus", "read of unmapped address", 0x1'2345'6789);
  CHECK(f.text() == "bus: read of unmapped address 0x123456789\nbus: read of unmapped address 0x123456789\n");
}

TEST_CASE("log: what is not modelled is logged once per place") {
  test::LogFile f{u32(Log::unimp)};
  log_unimp("log_test", "write at", 0x10);
  log_unimp("log_test", "write at", 0x10);
  log_unimp("log_test", "write at", 0x14);
  log_unimp("log_test", "read at", 0x10);
  CHECK(f.text() == "log_test: write at 0x10 is not modelled\nlog_test: write at 0x14 is not modelled\nlog_test: read at 0x10 is not modelled\n");
}

TEST_CASE("log: what a guest touched is remembered for some ten thousand places, not without bound") {
  test::LogFile f{u32(Log::unimp)};
  log_unimp("log_bound", "read at", 0);
  for (u64 at = 1; at <= 1 << 14; ++at) log_unimp("log_bound", "read at", at);
  log_unimp("log_bound", "read at", 0);
  const std::string text = f.text(), first = "log_bound: read at 0x0 is not modelled\n";
  CHECK(text.find(first) == 0);
  CHECK(text.rfind(first) > 0);
}

TEST_CASE("log: printf and text go to the file whatever the mask says") {
  test::LogFile f{0};
  log_printf(Log::exec, "%d %s\n", 42, "x");
  log_text("as it is %d\n");
  CHECK(f.text() == "42 x\nas it is %d\n");
  CHECK_FALSE(log_on(Log::exec));
}

TEST_CASE("log: lines of several threads stay whole") {
  test::LogFile f{u32(Log::guest_errors)};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([] {
      for (int i = 0; i < 500; ++i) log_guest("thread", "says", 1);
    });
  for (auto& t : threads) t.join();
  const std::string text = f.text(), line = "thread: says 0x1\n";
  REQUIRE(text.size() == 2000 * line.size());
  for (std::size_t at = 0; at < text.size(); at += line.size()) REQUIRE(text.compare(at, line.size(), line) == 0);
}

TEST_CASE("log: a file that cannot be opened changes nothing") {
  test::LogFile f{0};
  CHECK_FALSE(log_to_file("/nowhere/at/all"));
  CHECK(errno == ENOENT);
  log_text("still here\n");
  CHECK(f.text() == "still here\n");
}
}  // namespace core
