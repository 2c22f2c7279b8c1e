// One host name being looked up: in /etc/hosts and with the name servers of /etc/resolv.conf, by c-ares.
//
// Both families are asked for, as they are sorted by RFC 6724. A lookup has sockets of its own, so that it
// can be given up, and with it all that it costs: destroy it. Owned by a Resolver, on the resolver's thread,
// whose io_context it uses.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace simulcast::net {

struct DnsAnswer {
  enum class Outcome {
    found,
    unknown,      // somebody who must know says that there is no such name
    unavailable,  // nobody has answered, or only with an error
  } outcome = Outcome::unavailable;
  std::vector<boost::asio::ip::tcp::endpoint> found;  // without a port
};

class DnsLookup {
 public:
  // `done` is called once, and not from within the constructor; this may be destroyed in it. `servers`: other
  // ones than those of /etc/resolv.conf, as "address:port,address:port".
  DnsLookup(boost::asio::io_context& context, const std::string& host, const std::string& servers,
            std::function<void(DnsAnswer)> done);
  ~DnsLookup();
  DnsLookup(const DnsLookup&) = delete;
  DnsLookup& operator=(const DnsLookup&) = delete;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace simulcast::net
