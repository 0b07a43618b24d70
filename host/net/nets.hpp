#pragma once
// All the networks of a machine, from the options to plugged-in cables.
//
//     auto nets = TRY(host::Nets::create(options, {.soldered = info.nics}, machine, loop));
//
// Thread: the event loop's, or the main thread while the loop is not running.

#include "host/net/backends.hpp"
#include "host/net/dump.hpp"
#include "host/net/hub.hpp"
#include "host/net/nic_end.hpp"
#include "host/options.hpp"

#include <deque>

namespace host {
// Network cards of the board.
struct NetFacts {
  std::vector<std::string_view> soldered;   // models; place N is the machine's plug N
  std::vector<std::string_view> pluggable;  // models that a bus takes
};

class Nets {
 public:
  // Opens everything and fills machine.nics: first the soldered cards' plugs, then those of to_plug().  Before the
  // machine runs.  `machine` and `loop` outlive the result; destroy it after Loop::join().
  static core::Result<std::unique_ptr<Nets>> create(const Options& options, const NetFacts& facts,
                                                    core::MachineBase& machine, Loop& loop);
  ~Nets();

  // Cards asked for with -nic and -net that are not on the board: whoever builds the buses makes them.
  struct Card {
    std::string model, id;
    core::NetPort* port;
  };
  const std::vector<Card>& to_plug() const { return to_plug_; }
  // The plug of a `-device MODEL,id=ID,netdev=NETDEV[,mac=…]`; `netdev` empty: a card without a cable.  Before the
  // machine runs.  Errors: usage, no such netdev or it has a card already.
  core::Result<core::NetPort*> plug(std::string_view netdev, std::string_view model, std::string_view id,
                                    std::optional<core::MacAddress> mac);
  // After the last plug(): names on standard error what nobody uses.
  void warn_of_loose_ends() const;

  // The monitor's commands; texts end with a newline.
  std::string info_network() const;
  std::string info_usernet() const;
  std::string set_link(std::string_view name, bool up);
  // `network` empty: the first user network.
  std::string add_forward(std::string_view network, std::string_view rule);
  std::string remove_forward(std::string_view network, std::string_view rule);

 private:
  Nets(const Options& options, const NetFacts& facts, core::MachineBase& machine, Loop& loop);
  core::Status build();
  core::Status add_nic(const NicSpec& spec);
  core::Status check_model(const std::string& model) const;
  core::Result<NetEnd*> open(const NetdevSpec& spec);
  core::Status add_dump(const DumpSpec& spec);
  core::Status join(NetEnd& end, unsigned hub);
  core::MacAddress free_mac() const;
  std::string free_name(std::string_view model) const;
  NicEnd& add_plug(core::NetPort& port, std::string_view model, std::string id);
  Hub& hub(unsigned number);
  NetEnd* find(std::string_view name) const;
  core::Result<NetEnd*> free_netdev(std::string_view id) const;
  UserNet* user_net(std::string_view network, std::string& error) const;
  static std::string line(const NetEnd& end);

  const Options& options_;
  NetFacts facts_;
  core::MachineBase& machine_;
  Loop& loop_;
  std::vector<bool> used_;  // soldered cards that an option asked for
  std::vector<std::unique_ptr<NetEnd>> backends_;
  std::vector<UserNet*> users_;  // among the back ends
  std::deque<Hub> hubs_;
  std::vector<std::unique_ptr<NicEnd>> nics_;
  std::vector<std::unique_ptr<PcapFile>> dumps_;
  std::vector<Card> to_plug_;
};
}  // namespace host
