// PAT and PMT as they change, in packets that get lost, doubled and damaged; the frames of a muxer's own
// making between them do not matter here.
#include "protocol/mpegts/tables.hpp"

#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/ts_input.hpp"

using namespace simulcast;

void fuzz::run(const std::uint8_t* data, std::size_t size) {
  const auto bytes = with_checksums(std::as_bytes(std::span(data, size)));
  mpegts::Tables tables;
  for (std::size_t at = 0; at + mpegts::kPacketSize <= bytes.size(); at += mpegts::kPacketSize) {
    const auto packet = std::span(bytes).subspan(at, mpegts::kPacketSize);
    tables.push(packet, mpegts::parse_packet(packet));
    const mpegts::Program* program = tables.program();
    check(program != nullptr || tables.packets().empty());
    check(tables.packets().size() <= 2 * mpegts::kMaxSectionPackets * mpegts::kPacketSize);
    check(tables.packets().size() % mpegts::kPacketSize == 0);
    if (program == nullptr) continue;
    check(program->number != 0 && tables.is_table_of_program(program->pmt_pid));
    check(program->streams.size() <= mpegts::kMaxElementaryStreams);
    for (const mpegts::ElementaryStream& stream : program->streams) {
      check(stream.pid != mpegts::kPatPid && stream.pid < mpegts::kNullPid);
      check(program->find(stream.pid) == &stream);
      check(!(mpegts::is_video(stream.codec) && mpegts::is_audio(stream.codec)));
      check(*mpegts::name_of(stream.codec) != '\0');
    }
    check(program->video() == nullptr || mpegts::is_video(program->video()->codec));
    check(program->audio() == nullptr || mpegts::is_audio(program->audio()->codec));
  }
  (void)tables.broken_sections();
}
