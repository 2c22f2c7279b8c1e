#include "repackage/to_annex_b.hpp"

#include <gtest/gtest.h>

#include "tests/unit/protocol/bytes.hpp"

namespace simulcast::repackage {
namespace {

using test::Bytes;
using test::hex;
using test::number;
using test::operator+;  // NOLINT(misc-unused-using-decls): not seen in expressions

const Bytes kSps = hex("67 64 00 1f ac");
const Bytes kPps = hex("68 eb ec");
const Bytes kIdr = hex("65 88 84 00");
const Bytes kSlice = hex("41 9a 21");
const Bytes kSei = hex("06 05 01");

Bytes avc_config(int length_size, const Bytes& sps = kSps) {
  return hex("01 64 00 1f") + number(0xFC | static_cast<unsigned>(length_size - 1), 1) + hex("e1") +
         number(sps.size(), 2) + sps + hex("01") + number(kPps.size(), 2) + kPps;
}

Bytes prefixed(const std::vector<Bytes>& units, int length_size = 4) {
  Bytes out;
  for (const Bytes& unit : units) out = std::move(out) + number(unit.size(), length_size) + unit;
  return out;
}

Bytes annex_b(const std::vector<Bytes>& units) {
  Bytes out;
  for (const Bytes& unit : units) out = std::move(out) + hex("00 00 00 01") + unit;
  return out;
}

Bytes bytes_of(std::span<const std::byte> bytes) {
  return {bytes.begin(), bytes.end()};
}

const Bytes kDelimiter = hex("09 f0");

TEST(ToAnnexB, PutsDelimiterAndParameterSetsBeforeAKeyframe) {
  for (const int length_size : {1, 2, 3, 4}) {
    ToAnnexB annex(nal::Codec::h264);
    ASSERT_TRUE(annex.set_config(avc_config(length_size)));
    EXPECT_EQ(bytes_of(annex.rewrite(prefixed({kSei, kIdr}, length_size), true)),
              annex_b({kDelimiter, kSps, kPps, kSei, kIdr}));
    EXPECT_EQ(bytes_of(annex.rewrite(prefixed({kSlice}, length_size), false)), annex_b({kDelimiter, kSlice}));
  }
}

TEST(ToAnnexB, DelimiterOfItsOwnComesFirstAndOnce) {
  ToAnnexB annex(nal::Codec::h264);
  ASSERT_TRUE(annex.set_config(avc_config(4)));
  EXPECT_EQ(bytes_of(annex.rewrite(prefixed({hex("09 10"), kIdr}), true)),
            annex_b({hex("09 10"), kSps, kPps, kIdr}));
  EXPECT_EQ(bytes_of(annex.rewrite(prefixed({kSlice, hex("09 30"), hex("09 30")}), false)),
            annex_b({hex("09 30"), kSlice}));
}

TEST(ToAnnexB, SetsThatComeAlongAreNotRepeated) {
  ToAnnexB annex(nal::Codec::h264);
  ASSERT_TRUE(annex.set_config(avc_config(4)));
  EXPECT_EQ(bytes_of(annex.rewrite(prefixed({kSps, kPps, kIdr}), true)),
            annex_b({kDelimiter, kSps, kPps, kIdr}));
  const Bytes other = hex("67 64 00 20 ac");
  EXPECT_EQ(bytes_of(annex.rewrite(prefixed({other, kPps, kIdr}), true)),
            annex_b({kDelimiter, kSps, kPps, other, kPps, kIdr}))
      << "others come last, so that they hold";
}

TEST(ToAnnexB, AChangedConfigurationWaitsForTheKeyframe) {
  const Bytes other = hex("67 64 00 20 ac");
  ToAnnexB annex(nal::Codec::h264);
  ASSERT_TRUE(annex.set_config(avc_config(4)));
  annex.rewrite(prefixed({kIdr}), true);
  ASSERT_TRUE(annex.set_config(avc_config(2, other)));
  EXPECT_EQ(bytes_of(annex.rewrite(prefixed({kSlice}), false)), annex_b({kDelimiter, kSlice}));
  EXPECT_EQ(bytes_of(annex.rewrite(prefixed({kIdr}, 2), true)), annex_b({kDelimiter, other, kPps, kIdr}));
  EXPECT_FALSE(annex.set_config(hex("01 64 00"))) << "ignored";
  EXPECT_EQ(bytes_of(annex.rewrite(prefixed({kIdr}, 2), true)), annex_b({kDelimiter, other, kPps, kIdr}));
}

TEST(ToAnnexB, H265) {
  const Bytes vps = hex("40 01 0c"), sps = hex("42 01 01"), pps = hex("44 01 c0"), sei = hex("4e 01 05");
  const auto array = [](unsigned type, const Bytes& unit) {
    return number(type, 1) + hex("00 01") + number(unit.size(), 2) + unit;
  };
  const Bytes config = hex("01") + Bytes(20) + hex("03 04") + array(32, vps) + array(33, sps) +
                       array(34, pps) + array(39, sei);
  ToAnnexB annex(nal::Codec::h265);
  ASSERT_TRUE(annex.set_config(config));
  const Bytes idr = hex("26 01 af"), trail = hex("02 01 d0"), delimiter = hex("46 01 50");
  EXPECT_EQ(bytes_of(annex.rewrite(prefixed({idr}), true)), annex_b({delimiter, vps, sps, pps, sei, idr}));
  EXPECT_EQ(bytes_of(annex.rewrite(prefixed({trail}), false)), annex_b({delimiter, trail}));
}

TEST(ToAnnexB, NonsenseGivesNothing) {
  ToAnnexB annex(nal::Codec::h264);
  ASSERT_TRUE(annex.set_config(avc_config(4)));
  EXPECT_FALSE(annex.rewrite(prefixed({kIdr}), true).empty());
  EXPECT_TRUE(annex.rewrite(hex(""), false).empty());
  EXPECT_TRUE(annex.rewrite(hex("00 00 00 00"), false).empty());
  EXPECT_TRUE(annex.rewrite(hex("ff ff ff ff 41"), false).empty());
  EXPECT_TRUE(annex.rewrite(prefixed({kSlice}) + hex("00 00"), false).empty());
  const Bytes huge = number(ToAnnexB::kMaxAccessUnit, 4) + Bytes(ToAnnexB::kMaxAccessUnit, std::byte{1});
  EXPECT_TRUE(annex.rewrite(huge, false).empty());
  Bytes many;
  for (std::size_t i = 0; i < ToAnnexB::kMaxUnits; ++i)
    many.insert(many.end(), {{}, {}, {}, std::byte{1}, std::byte{0x41}});
  EXPECT_FALSE(annex.rewrite(many, false).empty());
  EXPECT_TRUE(annex.rewrite(many + prefixed({kSlice}), false).empty());
}

}  // namespace
}  // namespace simulcast::repackage
