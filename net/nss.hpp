// The other sources of host names that /etc/nsswitch.conf may name beside files and DNS: mDNS, the machine's
// own name, containers. Only the C library can ask them, and only in a blocking way.
#pragma once

#include <string>
#include <string_view>

#include "net/dns_lookup.hpp"

namespace simulcast::net {

// `nsswitch`: the text of the file. nsswitch.conf(5).
bool has_other_name_sources(std::string_view nsswitch);
bool has_other_name_sources();

// Asks all sources. Blocks, for half a minute in a bad case.
DnsAnswer look_up_by_nss(const std::string& host);

}  // namespace simulcast::net
