#include "protocol/rtmp/peer_text.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "protocol/rtmp/limits.hpp"

namespace simulcast::rtmp {
namespace {

const std::vector<std::string> kSecrets{"abc-KEY?x=1", "abc-KEY", ""};

TEST(PeerText, LeavesGoodWordsAlone) {
  EXPECT_EQ(clean_peer_text("Stream not found: é, 日本, 😀.", kSecrets), "Stream not found: é, 日本, 😀.");
}

TEST(PeerText, MasksEverySecret) {
  EXPECT_EQ(clean_peer_text("abc-KEY?x=1 is bad, abc-KEY is bad, abc-KEYabc-KEY", kSecrets),
            "*** is bad, *** is bad, ******");
}

TEST(PeerText, RemovesControlCharacters) {
  EXPECT_EQ(clean_peer_text("one\r\ntwo\x1b[31m\x7f"
                            "three\xc2\x85",
                            kSecrets),
            "one two [31m three");
  EXPECT_EQ(clean_peer_text(std::string_view("a\0b", 3), kSecrets), "a b");
}

TEST(PeerText, RepairsBadUtf8) {
  EXPECT_EQ(clean_peer_text("a\xff\xc3(\xe2\x82", kSecrets), "a?\?(?\?");
  EXPECT_EQ(clean_peer_text("\xed\xa0\x80 \xc0\xaf \xf4\x90\x80\x80", kSecrets), "?\?? ?\? ?\?\?\?");
}

TEST(PeerText, ASecretThatIsNoTextLeavesCharactersWhole) {
  const std::vector<std::string> secrets{"s\xE0"};
  EXPECT_EQ(clean_peer_text("s\xE0\xAC\x8B", std::vector<std::string>{"key"}), "s\xE0\xAC\x8B");
  EXPECT_EQ(clean_peer_text("a s\xE0", secrets), "a ***");
  const std::string clean = clean_peer_text("?\xE0s\xE0\xAC\x8B", secrets);
  EXPECT_EQ(clean.find("\xAC\x8B"), std::string::npos) << "half a character";
}

TEST(PeerText, CutsBetweenCharacters) {
  EXPECT_EQ(clean_peer_text(std::string(10'000, 'x'), kSecrets), std::string(kMaxPeerWords, 'x'));
  std::string wide = "x";
  while (wide.size() < 2 * kMaxPeerWords) wide += "é";
  const std::string cut = clean_peer_text(wide, kSecrets);
  EXPECT_EQ(cut.size(), kMaxPeerWords - 1);
  EXPECT_TRUE(wide.starts_with(cut));
}

TEST(PeerText, ASecretAcrossTheCutIsMaskedWhole) {
  const std::string cut = clean_peer_text(std::string(kMaxPeerWords - 4, 'x') + "abc-KEY", kSecrets);
  EXPECT_EQ(cut, std::string(kMaxPeerWords - 4, 'x') + "***");
}

}  // namespace
}  // namespace simulcast::rtmp
