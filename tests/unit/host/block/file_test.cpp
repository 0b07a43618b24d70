#include "host/block/file.hpp"

#include "host/block/raw.hpp"
#include "temp.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <atomic>
#include <cerrno>
#include <thread>

using namespace host::block;
using host::block::test::TempFolder;

namespace {
std::string error_of(const std::string& path, FileOptions o = {}) {
  const auto f = HostFile::open(path, o);
  return f ? "" : f.error().text;
}
std::vector<u8> pattern(std::size_t n, u8 seed = 1) {
  std::vector<u8> v(n);
  for (std::size_t i = 0; i < n; ++i) v[i] = u8(i * 7 + i / 251 + seed);
  return v;
}
}  // namespace

TEST_CASE("block file: what cannot be opened gets a sentence with a way out") {
  TempFolder t;
  CHECK(error_of(t / "none.img") ==
        "cannot open '" + t / "none.img" +
            "': no such file or directory; make it with 'qemu-img create' or 'truncate -s SIZE'");
  CHECK(error_of(t.path.string()) == "'" + t.path.string() + "' is a folder, not an image");
  CHECK(error_of(t.path.string(), {.read_only = true}) == "'" + t.path.string() + "' is a folder, not an image");
  CHECK(error_of("/dev/null") == "'/dev/null' is neither a file nor a block device");
  REQUIRE(mkfifo((t / "fifo").c_str(), 0600) == 0);
  CHECK(error_of(t / "fifo") == "'" + t / "fifo" + "' is neither a file nor a block device");
  CHECK(error_of(t / "none.img/x").find("no such file") != std::string::npos);
}

TEST_CASE("block file: behind the end reads zeroes, and a write there makes the file longer") {
  TempFolder t;
  const auto f = *HostFile::open(t.file("a", "abc"), {});
  CHECK(f->size() == 3);
  u8 b[8];
  std::fill(b, b + 8, u8(0xee));
  CHECK(f->read(1, b) == 0);
  CHECK(std::string(b, b + 8) == std::string("bc\0\0\0\0\0\0", 8));
  CHECK(f->read(1'000'000, b) == 0);
  CHECK(b[0] == 0);
  CHECK(f->write(510, std::vector<u8>{1, 2}) == 0);
  CHECK(f->size() == 512);
  CHECK(t.bytes("a").substr(508) == std::string("\0\0\1\2", 4));
}

TEST_CASE("block file: a last sector that is cut short reads as zeroes and becomes whole when written") {
  TempFolder t;
  const auto file = *HostFile::open(t.file("a", std::string(700, 'x')), {});
  RawImage image({file, "a", false, false});
  CHECK(image.size() == 1024);
  std::vector<u8> s(512, 0xee);
  CHECK(image.read(512, s) == 0);
  CHECK((s[187] == 'x' && s[188] == 0 && s[511] == 0));
  CHECK(image.write(512, s) == 0);
  CHECK(file->size() == 1024);
}

TEST_CASE("block file: zeroes and discards of any place and length") {
  TempFolder t;
  const auto f = *HostFile::open(t.file("a", std::string(300'000, 'x')), {});
  for (bool unmap : {false, true}) {
    const u64 at = unmap ? 65'536 : 512;
    CHECK(f->zero(at, 40'960, unmap) == 0);
    const std::string now = t.bytes("a");
    CHECK(now.size() == 300'000);
    CHECK(now[at - 1] == 'x');
    CHECK(now.substr(at, 40'960) == std::string(40'960, '\0'));
    CHECK(now[at + 40'960] == 'x');
  }
  CHECK(f->discard(200'192, 51'200) == 0);
  CHECK(f->size() == 300'000);
  // Zeroes over a cut last sector make it whole.
  CHECK(f->zero(299'520, 512, true) == 0);
  CHECK(f->size() == 300'032);
}

TEST_CASE("block file: O_DIRECT with any alignment changes what was written and nothing else") {
  TempFolder t;
  std::string want(100'000, '\0');
  const auto fill = pattern(want.size());
  std::copy(fill.begin(), fill.end(), want.begin());
  const std::string path = t.file("a", want);
  const auto opened = HostFile::open(path, {.direct = true});
  if (!opened) {
    MESSAGE("no O_DIRECT here: " << opened.error().text);
    CHECK(opened.error().text.find("use cache=writeback") != std::string::npos);
    return;
  }
  HostFile& f = **opened;
  CHECK(f.alignment() >= 512);
  struct {
    u64 at, length;
  } const cases[] = {{0, 512},      {512, 512},     {4096, 4096},     {3584, 1024},
                     {99'840, 160}, {98'304, 4096}, {20'480, 65'536}, {1'536, 90'112}};
  u8 seed = 2;
  for (const auto c : cases) {
    const auto data = pattern(c.length, seed++);
    CHECK(f.write(c.at, data) == 0);
    if (want.size() < c.at + c.length) want.resize(c.at + c.length);
    std::copy(data.begin(), data.end(), want.begin() + long(c.at));
    CHECK(t.bytes("a") == want);
    std::vector<u8> back(c.length + 1024);
    CHECK(f.read(c.at, back) == 0);
    CHECK(std::equal(data.begin(), data.end(), back.begin()));
  }
  // More than one bounce buffer, at an odd place.
  const auto big = pattern(3'000'320, 9);
  CHECK(f.write(1'024, big) == 0);
  std::vector<u8> back(big.size());
  CHECK(f.read(1'024, back) == 0);
  CHECK(back == big);
  CHECK(f.size() == 1'024 + big.size());
}

TEST_CASE("block file: a second writer is kept out, readers share") {
  TempFolder t;
  const std::string path = t.file("a", std::string(512, 'x'));
  {
    const auto writer = HostFile::open(path, {});
    REQUIRE(writer);
    CHECK(error_of(path) ==
          "'" + path + "' is in use by another program; end that one, give each a copy, or say file.locking=off");
    CHECK(error_of(path, {.read_only = true}) ==
          "'" + path +
              "' is in use by another program that writes it; end that one, give each a copy, or say file.locking=off");
    CHECK(error_of(path, {.locking = Locking::off}) == "");
  }
  const auto reader = HostFile::open(path, {.read_only = true});
  REQUIRE(reader);
  CHECK(error_of(path, {.read_only = true}) == "");
  CHECK(error_of(path).find("in use") != std::string::npos);
}

TEST_CASE("block file: a lock that goes soon, as a killed program's does, is waited for") {
  TempFolder t;
  const std::string path = t.file("a", std::string(512, 'x'));
  auto writer = *HostFile::open(path, {});
  std::thread end([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    writer.reset();
  });
  CHECK(error_of(path) == "");
  end.join();
}

TEST_CASE("block file: a temporary file is in TMPDIR and has no name") {
  TempFolder t;
  const char* before = std::getenv("TMPDIR");
  const std::string old = before ? before : "";
  setenv("TMPDIR", t.path.c_str(), 1);
  const auto f = HostFile::temporary(1'000'000);
  REQUIRE(f);
  CHECK((*f)->size() == 1'000'000);
  CHECK(std::filesystem::is_empty(t.path));
  setenv("TMPDIR", (t / "nowhere").c_str(), 1);
  CHECK(HostFile::temporary(1).error().text == "snapshot: cannot make a file in '" + t / "nowhere" +
                                                   "': no such file or directory; set TMPDIR to a folder with room");
  before ? setenv("TMPDIR", old.c_str(), 1) : unsetenv("TMPDIR");
}

TEST_CASE("image formats: each is known by its first bytes, and every raw image is raw") {
  const auto probe = [](std::string head) {
    head.resize(probe_bytes);
    return probe_format({reinterpret_cast<const u8*>(head.data()), head.size()}).name;
  };
  CHECK(probe("") == "raw");
  CHECK(probe("\xeb\x3c\x90MSDOS5.0") == "raw");
  CHECK(probe("QFI\xfb") == "qcow2");
  CHECK(probe("KDMV") == "vmdk");
  CHECK(probe("vhdxfile") == "vhdx");
  CHECK(probe("conectix") == "vpc");
  CHECK(probe(std::string(64, ' ') + "\x7f\x10\xda\xbe") == "vdi");
  CHECK(probe("LUKS\xba\xbe") == "luks");
  CHECK(probe_format({}).name == "raw");
}

TEST_CASE("image formats: opening says what is wrong") {
  TempFolder t;
  const auto open = [&](const std::string& bytes, std::string_view format) {
    const std::string path = t.file("i", bytes);
    std::string warning;
    const auto i = open_image({*HostFile::open(path, {.locking = Locking::off}), "i", false, false}, format, warning);
    return i ? "ok " + warning : i.error().text;
  };
  CHECK(open("", "raw") == "'i' is empty; give it a size with 'truncate -s SIZE i'");
  CHECK(open("x", "raw") == "ok ");
  CHECK(open("x", "") ==
        "ok 'i' looks like a raw image; writes to its first sectors that would make it look like another format are "
        "refused; "
        "say format=raw if it is one");
  CHECK(open("QFI\xfb", "") ==
        "'i' is a qcow2 image, which this build cannot read yet; convert it with 'qemu-img convert -O raw', or say "
        "format=raw if its bytes are the disk");
  CHECK(open("QFI\xfb", "raw") == "ok ");
  CHECK(open("x", "qcow2") == "format 'qcow2' is not built yet; convert the image with 'qemu-img convert -O raw'");
  CHECK(open("x", "rwa") == "there is no format 'rwa' (did you mean 'raw'?)");
}

TEST_CASE("raw: a guessed image cannot be made to look like another format") {
  TempFolder t;
  const auto file = *HostFile::open(t.file("a", std::string(8192, '\0')), {});
  RawImage guessed({file, "a", false, true}), named({file, "a", false, false});
  std::vector<u8> header(512);
  std::copy_n("QFI\xfb", 4, header.begin());
  CHECK(guessed.write(0, header) == EPERM);
  CHECK(t.bytes("a")[0] == 0);
  CHECK(guessed.write(0, std::vector<u8>(512, 'x')) == 0);
  CHECK(guessed.write(4096, header) == 0);
  // Who names the format may write anything.
  CHECK(named.write(0, header) == 0);
}

// What writes part of a block past the page cache reads the rest first: zeroes must not come between.
TEST_CASE("block file: past the page cache, zeroes of one sector and a write of the next are both there") {
  TempFolder t;
  const auto opened = HostFile::open(t.file("a", std::string(4096, '\0')), {.direct = true});
  if (!opened || (*opened)->alignment() < 4096) return;
  HostFile& file = **opened;
  std::atomic<bool> enough = false;
  std::thread neighbour([&] {
    while (!enough) CHECK(file.write(512, pattern(512)) == 0);
  });
  for (int n = 0; n < 200; ++n) {
    REQUIRE(file.write(1024, pattern(512)) == 0);
    REQUIRE(file.zero(1024, 512, n % 2) == 0);
    std::vector<u8> now(512, 0xee);
    REQUIRE(file.read(1024, now) == 0);
    CHECK(now == std::vector<u8>(512));
    CHECK(file.discard(2048, 512) == 0);
  }
  enough = true;
  neighbour.join();
  std::vector<u8> now(512);
  CHECK(file.read(512, now) == 0);
  CHECK(now == pattern(512));
}
