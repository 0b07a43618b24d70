#pragma once
// A disk's contents, whatever the file format.  A format is one header with a `Format`, listed in formats.cpp.

#include "host/block/file.hpp"

#include <string_view>

namespace host::block {

// Thread: workers.  Offsets and lengths are multiples of 512 within size().  Errors are errno values, 0 for success.
class Image {
 public:
  virtual ~Image() = default;
  virtual u64 size() const = 0;  // bytes, a multiple of 512
  virtual int read(u64 at, std::span<u8> to) = 0;
  virtual int write(u64 at, std::span<const u8> from) = 0;
  virtual int flush() = 0;
  virtual int discard(u64 at, u64 length) = 0;
  virtual int zero(u64 at, u64 length, bool unmap) = 0;
  virtual int resize(u64 bytes) = 0;
  // Whether calls may be made at the same time.
  virtual bool parallel() const { return false; }
  // As File has them; only of an image that is parallel.
  virtual bool start(const File::Call&) { return false; }
  virtual bool starts() const { return false; }
};

struct ImageContext {
  std::shared_ptr<File> file;
  std::string path;  // for messages and for names relative to it
  bool read_only = false;
  bool probed = false;  // nobody said format=
};

struct Format {
  std::string_view name, help;
  // How sure the first bytes of a file make it, 0…100; raw claims nothing.
  int (*probe)(std::span<const u8> head);
  // Errors: corrupt or unsupported, a sentence that begins with the quoted path.  Null: known, not built.
  core::Result<std::shared_ptr<Image>> (*open)(const ImageContext&);
};

inline constexpr u64 probe_bytes = 2048;
inline constexpr u64 sector = 512;

std::span<const Format> formats();
const Format* find_format(std::string_view name);
// The format a file begins like; raw when it is like none.
const Format& probe_format(std::span<const u8> head);
// `format` empty: by its contents, with a warning in `warning` when that gives raw.
core::Result<std::shared_ptr<Image>> open_image(ImageContext context, std::string_view format, std::string& warning);
}  // namespace host::block
