#include "protocol/mpegts/tables.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

namespace simulcast::mpegts {

namespace {

constexpr std::uint32_t kPatTable = 0;
constexpr std::uint32_t kPmtTable = 2;
constexpr std::size_t kTableHeader = 8;  // up to and with the section numbers
constexpr std::size_t kCrc = 4;

constexpr std::uint32_t registration(const char (&text)[5]) {
  std::uint32_t id = 0;
  for (int i = 0; i < 4; ++i) id = id << 8 | static_cast<unsigned char>(text[i]);
  return id;
}

// What lies between the header of a table and its CRC; nothing for a table of another kind, one that is not
// yet valid, and a part of one that was split.
std::optional<std::span<const std::byte>> table_body(std::span<const std::byte> section, std::uint32_t id) {
  if (section.size() < kTableHeader + kCrc || load_u8(section.data()) != id) return std::nullopt;
  const bool has_syntax = (load_u8(&section[1]) & 0x80) != 0;
  const bool is_current = (load_u8(&section[5]) & 1) != 0;
  if (!has_syntax || !is_current || section[6] != std::byte{0}) return std::nullopt;
  return section.subspan(kTableHeader, section.size() - kTableHeader - kCrc);
}

std::uint32_t crc_of(std::span<const std::byte> section) {
  return load_u32(section.data() + section.size() - kCrc);
}

// The next descriptor of a list, taken off it.
struct Descriptor {
  std::uint32_t tag;
  std::span<const std::byte> body;
};
std::optional<Descriptor> next_descriptor(std::span<const std::byte>& list) {
  if (list.size() < 2) return std::nullopt;
  const std::size_t length = load_u8(&list[1]);
  if (length > list.size() - 2) return std::nullopt;
  const Descriptor descriptor{load_u8(list.data()), list.subspan(2, length)};
  list = list.subspan(2 + length);
  return descriptor;
}

std::optional<Codec> codec_of_registration(std::uint32_t id) {
  switch (id) {
    case registration("AC-3"):
      return Codec::ac3;
    case registration("EAC3"):
      return Codec::eac3;
    case registration("Opus"):
      return Codec::opus;
    case registration("HEVC"):
      return Codec::h265;
    case registration("DTS1"):
    case registration("DTS2"):
    case registration("DTS3"):
      return Codec::dts;
    case registration("BSSD"):  // SMPTE 302M
      return Codec::other_audio;
    case registration("KLVA"):
      return Codec::klv;
    case registration("ID3 "):
      return Codec::timed_metadata;
    case registration("VC-1"):
    case registration("AV01"):
      return Codec::other_video;
    default:
      return std::nullopt;
  }
}

// Private data says in its descriptors what it is.
Codec codec_of_descriptors(std::span<const std::byte> list) {
  while (const auto descriptor = next_descriptor(list)) {
    switch (descriptor->tag) {
      case 0x05:
        if (descriptor->body.size() < 4) break;
        if (const auto codec = codec_of_registration(load_u32(descriptor->body.data()))) return *codec;
        break;
      case 0x6A:
        return Codec::ac3;
      case 0x7A:
        return Codec::eac3;
      case 0x7B:
        return Codec::dts;
      case 0x7C:
        return Codec::other_audio;  // AAC in a DVB wrapping
      case 0x56:
        return Codec::teletext;
      case 0x59:
        return Codec::subtitles;
      default:
        break;
    }
  }
  return Codec::other;
}

Codec codec_of(std::uint32_t stream_type, std::span<const std::byte> descriptors) {
  switch (stream_type) {
    case 0x01:
    case 0x02:
      return Codec::mpeg2_video;
    case 0x03:
    case 0x04:
      return Codec::mpeg_audio;
    case 0x0F:
      return Codec::aac;
    case 0x11:
      return Codec::aac_latm;
    case 0x1B:
      return Codec::h264;
    case 0x24:
      return Codec::h265;
    case 0x10:  // MPEG-4 part 2
    case 0x20:  // MVC, SVC
    case 0x21:  // JPEG 2000
    case 0x33:  // H.266
    case 0x42:  // AVS
    case 0xD1:  // Dirac
    case 0xD2:  // AVS2
    case 0xEA:  // VC-1
      return Codec::other_video;
    case 0x81:
      return Codec::ac3;
    case 0x87:
      return Codec::eac3;
    case 0x82:
    case 0x85:
    case 0x8A:
      return Codec::dts;
    case 0x86:
      return Codec::scte35;
    case 0x06:
      return codec_of_descriptors(descriptors);
    case 0x15: {
      const Codec codec = codec_of_descriptors(descriptors);
      return codec == Codec::other ? Codec::timed_metadata : codec;
    }
    default:
      return Codec::other;
  }
}

}  // namespace

bool is_video(Codec codec) {
  return codec <= Codec::other_video;
}

bool is_audio(Codec codec) {
  return codec > Codec::other_video && codec <= Codec::other_audio;
}

const char* name_of(Codec codec) {
  switch (codec) {
    case Codec::h264:
      return "H.264 video";
    case Codec::h265:
      return "H.265 video";
    case Codec::mpeg2_video:
      return "MPEG-2 video";
    case Codec::other_video:
      return "video of another codec";
    case Codec::aac:
      return "AAC audio";
    case Codec::aac_latm:
      return "AAC audio in LATM";
    case Codec::mpeg_audio:
      return "MPEG audio";
    case Codec::ac3:
      return "AC-3 audio";
    case Codec::eac3:
      return "E-AC-3 audio";
    case Codec::opus:
      return "Opus audio";
    case Codec::dts:
      return "DTS audio";
    case Codec::other_audio:
      return "audio of another codec";
    case Codec::scte35:
      return "SCTE-35 data";
    case Codec::teletext:
      return "teletext";
    case Codec::subtitles:
      return "DVB subtitles";
    case Codec::timed_metadata:
      return "timed metadata";
    case Codec::klv:
      return "KLV data";
    case Codec::other:
      break;
  }
  return "private data";
}

const ElementaryStream* Program::video() const {
  const auto found = std::ranges::find_if(streams, is_video, &ElementaryStream::codec);
  return found == streams.end() ? nullptr : &*found;
}

const ElementaryStream* Program::audio() const {
  const auto found = std::ranges::find_if(streams, is_audio, &ElementaryStream::codec);
  return found == streams.end() ? nullptr : &*found;
}

const ElementaryStream* Program::find(std::uint16_t pid) const {
  const auto found = std::ranges::find(streams, pid, &ElementaryStream::pid);
  return found == streams.end() ? nullptr : &*found;
}

bool Tables::push(std::span<const std::byte> packet, const PacketView& view) {
  if (view.transport_error) return false;
  if (view.pid == kPatPid) {
    pat_.push(packet, view, [this](auto section) { return on_pat(section); });
  } else if (pmt_pids_[view.pid]) {
    for (const auto& entry : entries_) {
      if (entry->program.pmt_pid != view.pid) continue;
      entry->reader.push(packet, view, [&](auto section) { return on_pmt(*entry, section); });
    }
  }
  return std::exchange(changed_, false) && select();
}

bool Tables::on_pat(std::span<const std::byte> section) {
  auto body = table_body(section, kPatTable);
  if (!body) return false;
  if (pat_known_ && crc_of(section) == pat_crc_) return true;
  pat_known_ = true;
  pat_crc_ = crc_of(section);
  changed_ = true;
  // What stays in the PAT keeps its PMT: the new PAT may well come alone.
  auto old = std::exchange(entries_, {});
  pmt_pids_.reset();
  selected_ = nullptr;
  constexpr std::size_t kProgram = 4;
  for (; body->size() >= kProgram && entries_.size() < kMaxPrograms; *body = body->subspan(kProgram)) {
    const auto number = static_cast<std::uint16_t>(load_u16(body->data()));
    const auto pid = static_cast<std::uint16_t>(load_u16(&(*body)[2]) & 0x1FFF);
    if (number == 0 || pid == kPatPid || pid == kNullPid) continue;  // 0 is the network's own table
    const auto kept = std::ranges::find_if(old, [&](const auto& entry) {
      return entry && entry->program.number == number && entry->program.pmt_pid == pid;
    });
    if (kept != old.end()) {
      entries_.push_back(std::move(*kept));
    } else {
      entries_.push_back(std::make_unique<Entry>());
      entries_.back()->program.number = number;
      entries_.back()->program.pmt_pid = pid;
    }
    pmt_pids_.set(pid);
  }
  return true;
}

bool Tables::on_pmt(Entry& entry, std::span<const std::byte> section) {
  auto body = table_body(section, kPmtTable);
  if (!body || load_u16(&section[3]) != entry.program.number) return false;
  if (entry.known && crc_of(section) == entry.crc) return true;
  constexpr std::size_t kProgramInfo = 4;
  constexpr std::size_t kStream = 5;
  if (body->size() < kProgramInfo) return false;
  const std::size_t info = load_u16(&(*body)[2]) & 0x0FFF;
  if (info > body->size() - kProgramInfo) return false;
  *body = body->subspan(kProgramInfo + info);

  std::vector<ElementaryStream> streams;
  while (body->size() >= kStream && streams.size() < kMaxElementaryStreams) {
    const std::uint32_t type = load_u8(body->data());
    const auto pid = static_cast<std::uint16_t>(load_u16(&(*body)[1]) & 0x1FFF);
    const std::size_t length = load_u16(&(*body)[3]) & 0x0FFF;
    if (length > body->size() - kStream) break;
    const bool taken = std::ranges::find(streams, pid, &ElementaryStream::pid) != streams.end();
    if (!taken && pid != kPatPid && pid != kNullPid && !pmt_pids_[pid]) {
      streams.push_back({pid, codec_of(type, body->subspan(kStream, length))});
    }
    *body = body->subspan(kStream + length);
  }
  entry.program.streams = std::move(streams);
  entry.crc = crc_of(section);
  entry.known = true;
  changed_ = true;
  return true;
}

bool Tables::select() {
  const auto first = [this](auto&& fits) -> const Entry* {
    const auto found = std::ranges::find_if(
        entries_, [&](const auto& entry) { return entry->known && fits(entry->program); });
    return found == entries_.end() ? nullptr : found->get();
  };
  selected_ = first([](const Program& program) { return program.video() != nullptr; });
  if (selected_ == nullptr)
    selected_ = first([](const Program& program) { return !program.streams.empty(); });
  if (selected_ == nullptr) selected_ = first([](const Program&) { return true; });
  Program now = selected_ != nullptr ? selected_->program : Program{};
  if (now == last_) return false;
  last_ = std::move(now);
  return true;
}

const Program* Tables::program() const {
  return selected_ != nullptr ? &selected_->program : nullptr;
}

bool Tables::is_table_of_program(std::uint16_t pid) const {
  return pid == kPatPid || (selected_ != nullptr && selected_->program.pmt_pid == pid);
}

media::Payload Tables::packets() const {
  if (selected_ == nullptr) return {};
  const auto pat = pat_.packets();
  const auto pmt = selected_->reader.packets();
  auto bytes = std::make_shared_for_overwrite<std::byte[]>(pat.size() + pmt.size());
  std::ranges::copy(pmt, std::ranges::copy(pat, bytes.get()).out);
  return {std::move(bytes), pat.size() + pmt.size()};
}

std::uint64_t Tables::broken_sections() const {
  std::uint64_t broken = pat_.broken();
  for (const auto& entry : entries_) broken += entry->reader.broken();
  return broken;
}

}  // namespace simulcast::mpegts
