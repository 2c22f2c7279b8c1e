#include "media/status.hpp"

namespace simulcast::media {

std::string_view to_string(OutputState state) {
  switch (state) {
    case OutputState::disabled:
      return "disabled";
    case OutputState::idle:
      return "idle";
    case OutputState::connecting:
      return "connecting";
    case OutputState::live:
      return "live";
    case OutputState::holding:
      return "holding";
    case OutputState::retrying:
      return "retrying";
    case OutputState::stopping:
      return "stopping";
  }
  return "unknown";
}

std::string_view to_string(InputReason reason) {
  switch (reason) {
    case InputReason::connected:
      return "connected";
    case InputReason::reconnected:
      return "reconnected";
    case InputReason::reconnecting:
      return "reconnecting";
    case InputReason::client_disconnect:
      return "client_disconnect";
    case InputReason::ttl_exceeded:
      return "ttl_exceeded";
    case InputReason::failed_to_connect:
      return "failed_to_connect";
    case InputReason::failed_to_reconnect:
      return "failed_to_reconnect";
    case InputReason::new_configuration_accepted:
      return "new_configuration_accepted";
  }
  return "unknown";
}

std::string_view to_string(IngestProtocol protocol) {
  switch (protocol) {
    case IngestProtocol::rtmp:
      return "rtmp";
    case IngestProtocol::rtmps:
      return "rtmps";
    case IngestProtocol::srt:
      return "srt";
  }
  return "unknown";
}

}  // namespace simulcast::media
