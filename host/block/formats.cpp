// The image formats, and which one a file has.

#include "host/block/raw.hpp"
#include "host/chardev_fd.hpp"
#include "host/keyvalue.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace host::block {
using core::Error, core::Kind, core::Result;

namespace {
template <std::size_t N>
bool begins(std::span<const u8> head, const char (&magic)[N], std::size_t at = 0) {
  return head.size() >= at + N - 1 &&
         std::equal(magic, magic + N - 1, head.begin() + long(at), [](char a, u8 b) { return u8(a) == b; });
}
int sure(bool yes) { return yes ? 100 : 0; }

// Known by their first bytes and not built: told apart from raw, so that nobody boots a container.
constexpr Format table[] = {
    raw_format,
    {"qcow2", "QEMU copy-on-write", [](std::span<const u8> h) { return sure(begins(h, "QFI\xfb")); }, nullptr},
    {"vmdk", "VMware",
     [](std::span<const u8> h) {
       return sure(begins(h, "KDMV") || begins(h, "COWD") || begins(h, "# Disk DescriptorFile"));
     },
     nullptr},
    {"vdi", "VirtualBox", [](std::span<const u8> h) { return sure(begins(h, "\x7f\x10\xda\xbe", 0x40)); }, nullptr},
    {"vhdx", "Hyper-V", [](std::span<const u8> h) { return sure(begins(h, "vhdxfile")); }, nullptr},
    {"vpc", "Virtual PC", [](std::span<const u8> h) { return sure(begins(h, "conectix")); }, nullptr},
    {"qed", "QEMU enhanced disk", [](std::span<const u8> h) { return sure(begins(h, "QED\0")); }, nullptr},
    {"parallels", "Parallels",
     [](std::span<const u8> h) { return sure(begins(h, "WithoutFreeSpace") || begins(h, "WithouFreSpacExt")); },
     nullptr},
    {"luks", "encrypted", [](std::span<const u8> h) { return sure(begins(h, "LUKS\xba\xbe")); }, nullptr},
};
}  // namespace

std::span<const Format> formats() { return table; }

const Format* find_format(std::string_view name) {
  for (const Format& f : table)
    if (f.name == name) return &f;
  return nullptr;
}

const Format& probe_format(std::span<const u8> head) {
  return *std::max_element(std::begin(table), std::end(table),
                           [&](const Format& a, const Format& b) { return a.probe(head) < b.probe(head); });
}

Result<std::shared_ptr<Image>> open_image(ImageContext c, std::string_view name, std::string& warning) {
  const Format* format = find_format(name);
  if (name.empty()) {
    std::vector<u8> head(probe_bytes);
    if (const int error = c.file->read(0, head))
      return Error{Kind::io, fmt::format("cannot read '{}': {}", c.path, system_error(error))};
    format = &probe_format(head);
    c.probed = true;
    if (format == &table[0] && !c.read_only)
      warning = fmt::format(
          "'{}' looks like a raw image; writes to its first sectors that would make it look like another "
          "format are refused; say format=raw if it is one",
          c.path);
  } else if (!format) {
    std::vector<std::string_view> names;
    for (const Format& f : table) names.push_back(f.name);
    const std::string hint = did_you_mean(name, names);
    return Error{Kind::usage,
                 fmt::format("there is no format '{}'{}", name, hint.empty() ? "; this build reads raw" : hint)};
  }
  if (!format->open) {
    if (!name.empty())
      return Error{Kind::unsupported,
                   fmt::format("format '{}' is not built yet; convert the image with 'qemu-img convert -O raw'", name)};
    return Error{Kind::unsupported,
                 fmt::format("'{}' is a {} image, which this build cannot read yet; convert it with 'qemu-img convert "
                             "-O raw', or say format=raw if its bytes are the disk",
                             c.path, format->name)};
  }
  auto image = TRY(format->open(c));
  if (image->size() == 0)
    return Error{Kind::io, fmt::format("'{}' is empty; give it a size with 'truncate -s SIZE {}'", c.path, c.path)};
  return image;
}
}  // namespace host::block
