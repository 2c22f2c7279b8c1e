// The door for encoders: checks the key against the directory and hands the publisher to its shard's streams.
// Owned by Application. See ingest::Gate for the threads.
#pragma once

#include <memory>
#include <vector>

#include "daemon/input_directory.hpp"
#include "daemon/shard_streams.hpp"
#include "ingest/publisher.hpp"

namespace simulcast::daemon {

class PublisherGate final : public ingest::Gate {
 public:
  PublisherGate(InputDirectory& directory, std::vector<std::unique_ptr<ShardStreams>>& streams)
      : directory_(directory), streams_(streams) {}

  std::variant<ingest::Grant, ingest::Refusal> authorize(std::string_view stream_key,
                                                         media::IngestProtocol protocol) override;
  std::variant<ingest::SrtPassphrase, ingest::Refusal> srt_passphrase(std::string_view input_uid) override;
  media::Stream* publisher_arrived(const ingest::Grant& grant, ingest::Publisher& publisher) override;
  bool publisher_silent(const ingest::Grant& grant, ingest::Publisher& publisher) override;
  void publisher_heard(const ingest::Grant& grant, ingest::Publisher& publisher) override;
  void publisher_left(const ingest::Grant& grant, ingest::Publisher& publisher, bool goodbye) override;

 private:
  InputDirectory& directory_;
  std::vector<std::unique_ptr<ShardStreams>>& streams_;  // by shard index
};

}  // namespace simulcast::daemon
