// The peers of the RTMP benchmarks (scripts/bench): encoders, destinations, and the least a relay can do.
//
//   rtmp_load publish [options] [URL...]   sends a synthetic stream to each rtmp://address:port/app/key
//     --fps 60 --kbps 6000 (video) --gop 120 (frames) --audio-kbps 128 (0: none) --seconds 0 (until killed)
//     --speed 1 (times real time; the timestamps stay those of --fps)
//     --keyframe-factor 6 (a keyframe is so many times as long as another frame) --chunk-size 60000
//     Prints a line when it begins and, at its end, one of JSON: how late it was (actual minus due), in ms.
//   rtmp_load sink --port P [--tls-cert FILE --tls-key FILE] [--fps 60]
//     Takes any number of publishes and checks each frame: its number, every byte, and with --fps (that of
//     the publisher) its timestamp. A line `reset` on stdin opens a measuring window, `report` prints what it
//     brought as a line of JSON, `take` does both.
//   rtmp_load churn --count 1000 --parallel 16 [URL...]
//     Connects so many times, from many addresses of the loopback network: of ten connections four end at
//     once, three after the handshake, and three after they have published a picture. A line of JSON at
//     each tenth.
//   rtmp_load floor --port P [--audio-wait MS] [--io-uring | --io-uring-zc] [URL...]
//     Takes one publisher and hands each message to all outputs, with nothing between: the bare loop that a
//     relay is compared with. With --audio-wait, audio goes out in one write with the next video frame, or
//     alone after MS.
//
// URLs are read from stdin, one a line, when none is given. Every mode is one thread.
#include <cstdio>
#include <string>

#include "tests/bench/load/modes.hpp"

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "publish") return simulcast::load::publish(argc - 2, argv + 2);
  if (mode == "sink") return simulcast::load::sink(argc - 2, argv + 2);
  if (mode == "churn") return simulcast::load::churn(argc - 2, argv + 2);
  if (mode == "floor") return simulcast::load::floor(argc - 2, argv + 2);
  std::fprintf(
      stderr,
      "usage: rtmp_load publish | sink | churn | floor [options] [URL...]; see tests/bench/load/main.cpp\n");
  return 2;
}
