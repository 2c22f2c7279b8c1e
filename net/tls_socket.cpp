#include "net/tls_socket.hpp"

#include <openssl/bio.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <new>

namespace simulcast::net {

// The functions of the BIO; its data is the TlsSocket.
struct TlsSocket::Bio {
  static TlsSocket& of(BIO* bio) { return *static_cast<TlsSocket*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* to, int size) {
    TlsSocket& self = of(bio);
    BIO_clear_retry_flags(bio);
    if (self.refused_) {
      errno = ECONNABORTED;
      return -1;
    }
    if (self.reads_left_ == 0 || self.bytes_left_ == 0) {
      self.turn_over_ = true;
      BIO_set_retry_read(bio);
      return -1;
    }
    const auto most = std::min(static_cast<std::size_t>(std::max(size, 0)), self.bytes_left_);
    const ssize_t got = ::recv(self.socket_, to, most, MSG_DONTWAIT);
    if (got > 0) {
      --self.reads_left_;
      self.bytes_left_ -= static_cast<std::size_t>(got);
    } else if (got == 0) {
      self.ended_ = true;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
      BIO_set_retry_read(bio);
    }
    return static_cast<int>(got);
  }

  static int write(BIO* bio, const char* from, int size) {
    BIO_clear_retry_flags(bio);
    const ssize_t sent = ::send(of(bio).socket_, from, static_cast<std::size_t>(std::max(size, 0)),
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) BIO_set_retry_write(bio);
    return static_cast<int>(sent);
  }

  static long control(BIO* bio, int command, long, void*) {
    switch (command) {
      case BIO_CTRL_EOF:
        return of(bio).ended_ ? 1 : 0;
      case BIO_CTRL_FLUSH:
        return 1;
      default:
        return 0;
    }
  }

  static BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "simulcastd socket");
      if (method == nullptr) throw std::bad_alloc();
      BIO_meth_set_read(method, read);
      BIO_meth_set_write(method, write);
      BIO_meth_set_ctrl(method, control);
      return method;
    }();
    return made;
  }
};

bio_st* TlsSocket::make_bio() {
  BIO* bio = BIO_new(Bio::method());
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  return bio;
}

void TlsSocket::begin_turn() {
  bytes_left_ = kTurnBytes;
  reads_left_ = kTurnReads;
  turn_over_ = false;
}

}  // namespace simulcast::net
