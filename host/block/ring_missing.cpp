#include "host/block/ring.hpp"

namespace host::block {
core::Result<std::unique_ptr<Ring>> Ring::create() {
  return core::Error{core::Kind::unsupported,
                     "aio=io_uring was specified, but is not supported in this build; say aio=threads, or build with "
                     "liburing-dev installed"};
}
}  // namespace host::block
