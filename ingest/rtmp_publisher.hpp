// One RTMP(S) connection of an encoder, from the accepted socket to its end.
//
// It begins on whatever shard accepted it; once the stream key is known it moves, socket and protocol state
// and all, to the shard of its stream. The session owns itself: its coroutine holds it until it has ended.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>

#include "ingest/publisher.hpp"
#include "ingest/strangers.hpp"
#include "net/shard.hpp"

namespace simulcast::net {
class TlsContext;
}

namespace simulcast::ingest {

// Any thread. `socket` belongs to `shard`; `tls` is null for plain RTMP.
void serve_rtmp_publisher(net::Shard& shard, boost::asio::ip::tcp::socket socket,
                          std::shared_ptr<net::TlsContext> tls, Gate& gate, Strangers& strangers);

}  // namespace simulcast::ingest
