// Stands for user.cpp in a build without libslirp.

#include "host/net/backends.hpp"

namespace host {
core::Result<std::unique_ptr<UserNet>> open_user_net(Loop&, const UserSpec&) {
  return core::Error{core::Kind::unsupported,
                     "this build has no user network; install libslirp-dev and build again, or use tap or socket"};
}
}  // namespace host
