// Which stream key and which SRT passphrase belong to which input, and on which shard an input's stream
// lives.
//
// The control thread keeps it in step with the store; every shard asks it when an encoder shows a key. The
// only data that several threads share, behind a mutex, and never on the packet path.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ingest/publisher.hpp"
#include "net/shard.hpp"

namespace simulcast::daemon {

class InputDirectory {
 public:
  explicit InputDirectory(net::ShardPool& shards);

  struct Keys {
    std::string stream_key;
    std::string srt_passphrase;

    bool operator==(const Keys&) const = default;
  };
  struct Change {
    bool rotated = false;  // the keys are others than before
  };
  Change set(const std::string& uid, Keys keys, bool enabled);
  void remove(const std::string& uid);

  // The grant's lease pins the input to its shard for as long as any copy of it lives.
  std::variant<ingest::Grant, ingest::Refusal> authorize(std::string_view stream_key,
                                                         media::IngestProtocol protocol);
  std::variant<ingest::SrtPassphrase, ingest::Refusal> srt_passphrase(std::string_view uid) const;
  // True while a publisher with this input's key may (still) go on the air.
  bool admits(const std::string& uid) const;

 private:
  struct Entry {
    Keys keys;
    bool enabled = true;
  };
  struct Placement {
    std::size_t shard = 0;
    std::size_t leases = 0;
  };

  std::shared_ptr<void> lease(const std::string& uid);
  void release(const std::string& uid);

  net::ShardPool& shards_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_;
  std::map<std::string, Placement, std::less<>> placements_;  // inputs that are live or about to be
  std::vector<std::size_t> load_;                             // placements per shard
};

}  // namespace simulcast::daemon
