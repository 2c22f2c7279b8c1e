// A client that sends exactly the bytes it is told to, and takes answers apart. Blocking, with a deadline for
// each read.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace simulcast::control::test {

struct RawAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

class RawClient {
 public:
  explicit RawClient(std::uint16_t port);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void send(std::string_view bytes);
  void finish_sending();
  // Status 0 when the connection ended or nothing came in time. `has_body` false: for HEAD and 100.
  RawAnswer read_answer(bool has_body = true);
  // True when the server has closed the connection and nothing more came.
  bool at_end();
  // Everything until the connection ends; gives the number of bytes.
  std::size_t read_to_end();

 private:
  bool fill();

  int socket_;
  std::string received_;
};

}  // namespace simulcast::control::test
