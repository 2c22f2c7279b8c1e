#include "daemon/publisher_gate.hpp"

namespace simulcast::daemon {

std::variant<ingest::Grant, ingest::Refusal> PublisherGate::authorize(std::string_view stream_key,
                                                                      media::IngestProtocol protocol) {
  return directory_.authorize(stream_key, protocol);
}

std::variant<ingest::SrtPassphrase, ingest::Refusal> PublisherGate::srt_passphrase(
    std::string_view input_uid) {
  return directory_.srt_passphrase(input_uid);
}

media::Stream* PublisherGate::publisher_arrived(const ingest::Grant& grant, ingest::Publisher& publisher) {
  // Between the key and now the input may have been disabled or deleted.
  if (!directory_.admits(grant.input_uid)) return nullptr;
  return &streams_[grant.shard->index()]->publisher_arrived(grant, publisher);
}

bool PublisherGate::publisher_silent(const ingest::Grant& grant, ingest::Publisher& publisher) {
  auto* stream = streams_[grant.shard->index()]->find(grant.input_uid);
  return stream != nullptr && stream->publisher_silent(publisher);
}

void PublisherGate::publisher_heard(const ingest::Grant& grant, ingest::Publisher& publisher) {
  if (auto* stream = streams_[grant.shard->index()]->find(grant.input_uid))
    stream->publisher_heard(grant, publisher);
}

void PublisherGate::publisher_left(const ingest::Grant& grant, ingest::Publisher& publisher, bool goodbye) {
  streams_[grant.shard->index()]->publisher_left(grant, publisher, goodbye);
}

}  // namespace simulcast::daemon
