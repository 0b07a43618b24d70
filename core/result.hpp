#pragma once
// What can fail returns Result<T>; the error is one sentence for the person at the command line.
//     auto file = TRY(File::open(path));                    passes an error on
//     auto file = TRY(File::open(path).context("drive 0"));  … and says what we were doing

#include <tl/expected.hpp>

#include <string>
#include <utility>

namespace core {
enum class Kind { usage, io, corrupt, unsupported };

struct Error {
  Kind kind = Kind::usage;
  std::string text;  // lower case, no full stop, values quoted
};

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
  using Base = tl::expected<T, Error>;

 public:
  using Base::Base;
  Result() = default;
  Result(Error e) : Base(tl::unexpected(std::move(e))) {}
  Result(Base&& b) : Base(std::move(b)) {}

  // Puts "`what`: " before the error's text.
  Result context(const std::string& what) && {
    if (!*this) this->error().text = what + ": " + this->error().text;
    return std::move(*this);
  }
};
using Status = Result<void>;
}  // namespace core

#define TRY(expression)                                                       \
  __extension__({                                                             \
    auto try_result = (expression);                                           \
    if (!try_result) return ::core::Error(std::move(try_result.error()));     \
    ::core::detail::value_of(std::move(try_result));                          \
  })

namespace core::detail {
template <class T>
T value_of(Result<T>&& r) {
  if constexpr (!std::is_void_v<T>) return std::move(*r);
}
}  // namespace core::detail
