#include "daemon/input_directory.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace simulcast::daemon {

using Cause = ingest::Refusal::Cause;

namespace {

// Unknown and wrong keys are answered alike, so that neither tells which inputs exist.
constexpr const char* kBadKey =
    "stream key not accepted: no live input has this key; copy the stream key again";
constexpr const char* kUnknownStreamId =
    "stream id not accepted: no live input has this uid; copy the stream id again";
constexpr const char* kDisabled = "this live input is disabled: enable it, then start again";

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

Digest digest_of(std::string_view text) {
  Digest digest;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return digest;
}

// The same in every run, and nothing that the uid could be told from.
media::Trail::Mark mark_of(std::string_view uid) {
  media::Trail::Mark mark = 0;
  const Digest digest = digest_of("trail of " + std::string(uid));
  std::memcpy(&mark, digest.data(), sizeof mark);
  return mark;
}

// Digests are compared, so the time depends neither on where two keys differ nor on their lengths.
bool same_key(std::string_view left, std::string_view right) {
  const Digest a = digest_of(left);
  const Digest b = digest_of(right);
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

InputDirectory::InputDirectory(net::ShardPool& shards) : shards_(shards), load_(shards.size()) {}

InputDirectory::Change InputDirectory::set(const std::string& uid, Keys keys, bool enabled) {
  const std::lock_guard lock(mutex_);
  auto [entry, added] = entries_.try_emplace(uid);
  const Change change{!added && entry->second.keys != keys};
  entry->second = {std::move(keys), enabled};
  return change;
}

void InputDirectory::remove(const std::string& uid) {
  const std::lock_guard lock(mutex_);
  entries_.erase(uid);
}

bool InputDirectory::admits(const std::string& uid) const {
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(uid);
  return entry != entries_.end() && entry->second.enabled;
}

std::variant<ingest::Grant, ingest::Refusal> InputDirectory::authorize(std::string_view stream_key,
                                                                       media::IngestProtocol protocol) {
  // A key ends in "k" and the uid of its input.
  const auto split = stream_key.rfind('k');
  const std::string_view uid =
      split == std::string_view::npos ? std::string_view{} : stream_key.substr(split + 1);

  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(uid);
  static const std::string nobodys(65, 'x');
  const auto& right_key = [&]() -> const std::string& {
    if (entry == entries_.end()) return nobodys;
    const Keys& keys = entry->second.keys;
    return protocol == media::IngestProtocol::srt ? keys.srt_passphrase : keys.stream_key;
  }();
  const bool right = same_key(stream_key, right_key);
  if (entry == entries_.end() || !right) return ingest::Refusal{Cause::unknown, kBadKey};
  if (!entry->second.enabled) return ingest::Refusal{Cause::disabled, kDisabled};

  auto held = lease(entry->first);
  net::Shard& shard = shards_[placements_.find(entry->first)->second.shard];
  return ingest::Grant{entry->first, &shard, protocol, mark_of(uid), std::move(held)};
}

std::variant<ingest::SrtPassphrase, ingest::Refusal> InputDirectory::srt_passphrase(
    std::string_view uid) const {
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(uid);
  if (entry == entries_.end()) return ingest::Refusal{Cause::unknown, kUnknownStreamId};
  if (!entry->second.enabled) return ingest::Refusal{Cause::disabled, kDisabled};
  return ingest::SrtPassphrase{entry->second.keys.srt_passphrase};
}

std::shared_ptr<void> InputDirectory::lease(const std::string& uid) {
  const auto [placement, fresh] = placements_.try_emplace(uid);
  if (fresh) {
    placement->second.shard = static_cast<std::size_t>(std::ranges::min_element(load_) - load_.begin());
    ++load_[placement->second.shard];
  }
  ++placement->second.leases;
  return {nullptr, [this, uid](void*) { release(uid); }};
}

void InputDirectory::release(const std::string& uid) {
  const std::lock_guard lock(mutex_);
  const auto placement = placements_.find(uid);
  if (--placement->second.leases > 0) return;
  --load_[placement->second.shard];
  placements_.erase(placement);
}

}  // namespace simulcast::daemon
