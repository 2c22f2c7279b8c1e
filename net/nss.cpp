#include "net/nss.hpp"

#include <netdb.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "net/socket_address.hpp"

namespace simulcast::net {

using boost::asio::ip::tcp;

bool has_other_name_sources(std::string_view nsswitch) {
  std::istringstream lines{std::string(nsswitch)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string word;
    if (!(words >> word) || word != "hosts:") continue;
    while (words >> word) {
      const bool is_action = word.front() == '[' || word.back() == ']' || word.find('=') != std::string::npos;
      if (!is_action && word != "files" && word != "dns") return true;
    }
  }
  return false;
}

bool has_other_name_sources() {
  std::ifstream file("/etc/nsswitch.conf");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return has_other_name_sources(text);
}

DnsAnswer look_up_by_nss(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int status = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  DnsAnswer answer;
  answer.outcome = status == 0           ? DnsAnswer::Outcome::found
                   : status == EAI_AGAIN ? DnsAnswer::Outcome::unavailable
                                         : DnsAnswer::Outcome::unknown;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    if (const auto endpoint = endpoint_of<tcp::endpoint>(one->ai_addr, one->ai_addrlen))
      answer.found.push_back(*endpoint);
  }
  if (list != nullptr) ::freeaddrinfo(list);
  return answer;
}

}  // namespace simulcast::net
