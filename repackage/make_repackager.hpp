// Which repackager turns one form into another.
#pragma once

#include <memory>

#include "media/repackager.hpp"

namespace simulcast::repackage {

// Any shard; the two forms differ.
std::unique_ptr<media::Repackager> make_repackager(media::PacketForm from, media::PacketForm to);

}  // namespace simulcast::repackage
