#include "accel/tcg/code_buffer.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace tcg {
TEST_CASE("code buffer: appended code is at the address that was promised, and can be run") {
  CodeBuffer b = *CodeBuffer::create(64 * KiB);
  CHECK(b.size() == 64 * KiB);
  CHECK(b.used() == 0);
#if PINSTRAP_HOST_X86_64
  const u8 code[] = {0xb8, 42, 0, 0, 0, 0xc3};  // mov eax, 42; ret
  const u8* promised = b.next();
  const u8* at = b.append(code, sizeof code);
  CHECK(at == promised);
  CHECK(reinterpret_cast<int (*)()>(reinterpret_cast<std::uintptr_t>(at))() == 42);
  b.patch32(at + 1, 77);
  CHECK(reinterpret_cast<int (*)()>(reinterpret_cast<std::uintptr_t>(at))() == 77);
#endif
}

TEST_CASE("code buffer: pieces are 4-byte aligned, and rewind makes room again") {
  CodeBuffer b = *CodeBuffer::create(4 * KiB);
  const char text[20] = "nineteen characters";
  CHECK(b.append(text, 1) == b.code());
  CHECK(b.used() == 4);
  const u8* second = b.append(text, 17);
  CHECK(second == b.code() + 4);
  CHECK(b.used() == 24);
  CHECK(std::memcmp(second, text, 17) == 0);
  b.rewind(4);
  CHECK(b.room() == 4 * KiB - 4);
  CHECK(b.next() == second);
}

TEST_CASE("code buffer: it can be filled to the last byte") {
  CodeBuffer b = *CodeBuffer::create(4 * KiB);
  const std::string much(4 * KiB - 3, 'x');
  b.append(much.data(), much.size());
  CHECK(b.room() == 0);
  CHECK(b.used() == b.size());
}

TEST_CASE("code buffer: full parts keep their code and can be patched") {
  CodeBuffer b = *CodeBuffer::create(2 * MiB);
  const std::string piece(1000, 'p');
  std::vector<const u8*> at;
  while (b.room() >= 1008) at.push_back(b.append(piece.data(), piece.size()));
  for (const u8* p : at) CHECK((p[0] == 'p' && p[999] == 'p'));
  b.patch32(at[1], 0x78787878);
  CHECK(std::string_view(reinterpret_cast<const char*>(at[1]), 6) == "xxxxpp");
}

TEST_CASE("code buffer: a moved buffer keeps its code") {
  CodeBuffer a = *CodeBuffer::create(4 * KiB);
  const u8* at = a.append("abc", 4);
  const CodeBuffer b = std::move(a);
  CHECK(b.used() == 4);
  CHECK(std::memcmp(at, "abc", 4) == 0);
}

TEST_CASE("code buffer: what the host refuses is an error that says why") {
  const auto b = CodeBuffer::create(std::size_t(1) << 60);
  REQUIRE_FALSE(b);
  CHECK(b.error().kind == Kind::io);
  CHECK(b.error().text.find("translation buffer: ") == 0);
}
}  // namespace tcg
