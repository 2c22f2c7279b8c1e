// The pictures shown instead of the last one: for which streams they are made, and how many wait for that.
#include "continuity/slates.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <thread>

namespace simulcast::continuity {
namespace {

using namespace std::chrono_literals;

// A grey picture of 4 x 2.
std::filesystem::path picture() {
  const auto file = std::filesystem::path(testing::TempDir()) / "slate.pgm";
  std::ofstream(file) << "P2 4 2 255 10 20 30 40 50 60 70 80\n";
  return file;
}

std::string problem(std::uint32_t width, std::uint32_t height) {
  const auto made = make_slate(picture(), {.width = width, .height = height});
  const auto* text = std::get_if<std::string>(&made);
  return text == nullptr ? "" : *text;
}

TEST(Slate, IsMadeToTheSizeOfTheStream) {
  EXPECT_EQ(problem(320, 180), "");
  EXPECT_EQ(problem(180, 320), "");
}

TEST(Slate, IsNotMadeForPicturesLargerThanAnybodyHas) {
  for (const auto& [width, height] : {std::pair{16'000U, 16'000U},
                                      {8194U, 2U},
                                      {2U, 8194U},
                                      {8192U, 4322U},
                                      {4322U, 8192U},
                                      {65'536U, 65'536U},
                                      {1'000'000U, 1'000'000U},
                                      {UINT32_MAX, UINT32_MAX}}) {
    EXPECT_NE(problem(width, height).find("8192 x 4320"), std::string::npos) << width << 'x' << height;
  }
  EXPECT_NE(problem(0, 0), "");
}

TEST(Slates, SoManyWaitAndNoMore) {
  Slates slates;
  const auto file = picture();
  std::size_t most = 0;
  for (std::uint32_t i = 0; i < 500; ++i) {
    slates.find(file, {.width = 640 + 2 * i, .height = 360});
    most = std::max(most, slates.waiting());
  }
  EXPECT_LE(most, Slates::kMostWaiting);
  // Who asks again gets it.
  const SlateFormat wanted{.width = 320, .height = 180};
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (slates.find(file, wanted) == nullptr && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_NE(slates.find(file, wanted), nullptr);
}

}  // namespace
}  // namespace simulcast::continuity
