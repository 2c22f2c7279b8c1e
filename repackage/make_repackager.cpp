#include "repackage/make_repackager.hpp"

#include "repackage/flv_to_ts.hpp"
#include "repackage/ts_to_flv.hpp"

namespace simulcast::repackage {

std::unique_ptr<media::Repackager> make_repackager(media::PacketForm from, media::PacketForm to) {
  static_cast<void>(from);  // there are two, so the other one says it all
  if (to == media::PacketForm::mpegts) return std::make_unique<FlvToTs>();
  return std::make_unique<TsToFlv>();
}

}  // namespace simulcast::repackage
