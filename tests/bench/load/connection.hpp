// A publish to an RTMP server over a plain TCP socket, from dialling to the server's consent, blocking;
// afterwards the socket is non-blocking and the owner writes chunks to it by writer().
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "protocol/rtmp/client_session.hpp"

namespace simulcast::load {

class Connection {
 public:
  // `url` is rtmp://address:port/app/key. Exits the program when it does not work out: there is nothing to
  // measure then.
  Connection(const std::string& url, std::uint32_t chunk_size);
  Connection(Connection&&) = default;

  int fd() const { return fd_; }
  std::uint32_t stream_id() const { return session_->stream_id(); }
  rtmp::ChunkWriter& writer() { return session_->writer(); }

  // Takes what the server has said meanwhile (acknowledgements). False: it hung up or refused.
  bool drain();

 private:
  int fd_ = -1;
  std::unique_ptr<rtmp::ClientSession> session_;
};

}  // namespace simulcast::load
