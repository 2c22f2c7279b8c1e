// The socket as OpenSSL sees it (a BIO), with an end to what it may read in one turn.
//
// OpenSSL reads on for as long as the records it gets bring nothing for the application, and a peer can send
// such records without end. So it is given so much in a turn and no more: then it is told to wait, and who
// waits for it lets others on the thread go first. Owned by a TLS transport, used on its shard.
#pragma once

#include <cstddef>

struct bio_st;

namespace simulcast::net {

class TlsSocket {
 public:
  // Four of the largest records, or 64 of any size: OpenSSL reads header and body of a record each by itself.
  static constexpr std::size_t kTurnBytes = 64 * 1024;
  static constexpr int kTurnReads = 128;

  explicit TlsSocket(int socket) : socket_(socket) {}
  TlsSocket(const TlsSocket&) = delete;
  TlsSocket& operator=(const TlsSocket&) = delete;

  // For SSL_set_bio(), which takes it over; this object must live longer. Throws std::bad_alloc.
  bio_st* make_bio();

  void begin_turn();
  // OpenSSL was told to wait although there may be more to read.
  bool turn_is_over() const { return turn_over_; }
  // Nothing more is read: the next read fails.
  void refuse() { refused_ = true; }

 private:
  struct Bio;

  const int socket_;
  std::size_t bytes_left_ = kTurnBytes;
  int reads_left_ = kTurnReads;
  bool turn_over_ = false;
  bool ended_ = false;
  bool refused_ = false;
};

}  // namespace simulcast::net
