// One SRT connection of an encoder, from the accepted handshake to its end: reads datagrams on its stream's
// shard and publishes them as they are.
//
// The session owns itself: its coroutine holds it until it has ended.
#pragma once

#include "ingest/publisher.hpp"
#include "net/srt_runtime.hpp"

namespace simulcast::ingest {

// Any thread. Takes over `handle`.
void serve_srt_publisher(net::SrtRuntime& runtime, net::SrtHandle handle, Grant grant, Gate& gate);

}  // namespace simulcast::ingest
