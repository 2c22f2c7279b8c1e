#include "protocol/rtmp/amf0.hpp"

#include <gtest/gtest.h>

#include "protocol/rtmp/error.hpp"
#include "protocol/rtmp/limits.hpp"
#include "tests/unit/protocol/bytes.hpp"

namespace simulcast::rtmp::amf0 {
namespace {

using test::Bytes;
using test::hex;
using test::operator+;  // NOLINT(misc-unused-using-decls): not seen in expressions

boost::system::error_code error_of(const Bytes& body) {
  const auto values = decode(body);
  return values.has_error() ? values.error() : boost::system::error_code{};
}

Value one(const Bytes& body) {
  const auto values = decode(body);
  EXPECT_TRUE(values.has_value() && values->size() == 1) << "not one value";
  return values.has_value() && !values->empty() ? values->front() : Value();
}

TEST(Amf0, DecodesEveryType) {
  EXPECT_EQ(one(hex("00 3ff0000000000000")), Value(1.0));
  EXPECT_EQ(one(hex("01 01")), Value(true));
  EXPECT_EQ(one(hex("02 0004 'live'")), Value("live"));
  EXPECT_EQ(one(hex("05")), Value(Null{}));
  EXPECT_EQ(one(hex("06")), Value(Undefined{}));
  EXPECT_EQ(one(hex("0d")), Value(Unsupported{}));
  EXPECT_EQ(one(hex("0b 3ff0000000000000 ffc4")), Value(Date{1.0, -60}));
  EXPECT_EQ(one(hex("0c 00000004 'live'")), Value("live"));
  EXPECT_EQ(one(hex("0f 00000002 '<a'")), Value(Xml{"<a"}));
  EXPECT_EQ(one(hex("0a 00000002 05 01 00")), Value(StrictArray{{Null{}, false}}));
  EXPECT_EQ(one(hex("10 0001 'C' 0001 'k' 05 000009")), Value(Object{{{"k", Null{}}}, "C"}));
  EXPECT_EQ(one(hex("07 0001")), Value(Undefined{}));
}

TEST(Amf0, ObjectsKeepOrderRepeatedAndEmptyNames) {
  const Value object = one(hex("03 0001 'b' 01 01 0000 05 0001 'a' 02 0001 'x' 0001 'b' 01 00 000009"));
  ASSERT_EQ(object.properties().size(), 4U);
  EXPECT_EQ(object.properties()[1].name, "");
  EXPECT_EQ(object.find("b")->as_bool(), true);
  EXPECT_EQ(object.string_of("a"), "x");
  EXPECT_EQ(object.number_of("a"), std::nullopt);
  EXPECT_EQ(object.find("c"), nullptr);
}

TEST(Amf0, TheCountOfAnEcmaArrayIsAHint) {
  const Value metadata = one(hex("08 00000014 0005 'width' 00 4094000000000000 000009"));
  EXPECT_EQ(metadata.number_of("width"), 1280.0);
  EXPECT_EQ(one(hex("08 00000000 0005 'width' 00 4094000000000000 000009")).properties().size(), 1U);
}

TEST(Amf0, AMissingEndMarkerAtTheEndIsAccepted) {
  EXPECT_EQ(one(hex("08 00000001 0001 'w' 05")).properties().size(), 1U);
  EXPECT_EQ(one(hex("03 0001 'w' 05 0000")).properties().size(), 1U);
  EXPECT_EQ(one(hex("03")).properties().size(), 0U);
}

TEST(Amf0, TruncatedAnywhereIsAnErrorOrAMissingEndMarker) {
  const Bytes whole =
      hex("02 0004 'live' 00 3ff0000000000000 0a 00000002 0c 00000002 'ab' 0b 3ff0000000000000 0000");
  ASSERT_FALSE(error_of(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const bool between_values = size == 0 || size == 7 || size == 16;
    EXPECT_EQ(
        error_of({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}) == Error::amf_truncated,
        !between_values)
        << size;
  }
  EXPECT_EQ(error_of(hex("02 ffff 'short'")), Error::amf_truncated);
  EXPECT_EQ(error_of(hex("0c ffffffff 'short'")), Error::amf_truncated);
  EXPECT_EQ(error_of(hex("03 ffff 'a'")), Error::amf_truncated);
}

TEST(Amf0, AStrictArrayCannotBeLongerThanItsBytes) {
  EXPECT_EQ(error_of(hex("0a ffffffff 05 05")), Error::amf_truncated);
}

TEST(Amf0, DepthIsBounded) {
  const auto repeated = [](std::string_view text, std::size_t times) {
    const Bytes unit = hex(text);
    Bytes bytes;
    for (; times > 0; --times) bytes.insert(bytes.end(), unit.begin(), unit.end());
    return bytes;
  };
  const auto nested = [&](std::size_t depth) { return repeated("0a 00000001", depth - 1) + hex("05"); };
  EXPECT_FALSE(error_of(nested(kMaxAmfDepth)));
  EXPECT_EQ(error_of(nested(kMaxAmfDepth + 1)), Error::amf_too_deep);
  EXPECT_EQ(error_of(nested(70'000)), Error::amf_too_deep);
  EXPECT_EQ(error_of(repeated("03 0001 'k'", 70'000)), Error::amf_too_deep);
}

TEST(Amf0, TheNumberOfValuesIsBounded) {
  EXPECT_FALSE(error_of(Bytes(kMaxAmfValues, std::byte{5})));
  EXPECT_EQ(error_of(Bytes(kMaxAmfValues + 1, std::byte{5})), Error::amf_too_many_values);
}

TEST(Amf0, UnknownTypesEndTheMessage) {
  for (const std::string_view marker : {"04", "09", "0e", "12", "ff"}) {
    EXPECT_EQ(error_of(hex(marker) + hex("00 00")), Error::amf_bad_marker) << marker;
  }
}

TEST(Amf0, Amf3ScalarsAreUnderstoodAndTheRestEndsTheMessage) {
  const auto values =
      decode(hex("11 00 11 01 11 02 11 03 11 04 7f 11 04 ffffffff 11 05 4000000000000000 11 06 07 'abc' 05"));
  ASSERT_TRUE(values.has_value());
  EXPECT_EQ(*values, (std::vector<Value>{Undefined{}, Null{}, false, true, 127.0, -1.0, 2.0, "abc", Null{}}));
  const auto lost = decode(hex("02 0001 'a' 11 0a 0b 01 02 03 04"));
  ASSERT_TRUE(lost.has_value());
  EXPECT_EQ(*lost, (std::vector<Value>{"a", Unsupported{}}));
  EXPECT_EQ(error_of(hex("11 06 ffffffff 'a'")), Error::amf_truncated);
  EXPECT_EQ(error_of(hex("11")), Error::amf_truncated);
}

TEST(Amf0, EncodesWhatItDecodes) {
  const std::vector<Value> values{"connect",
                                  1.0,
                                  Object{{{"app", "live"}, {"nested", Object{{{"x", Null{}}}, {}}}}, {}},
                                  EcmaArray{{{"width", 1280.0}, {"stereo", true}}},
                                  StrictArray{{"*", Undefined{}}},
                                  Date{5.0, 60},
                                  Xml{"<a/>"},
                                  Unsupported{},
                                  Object{{}, "Class"},
                                  std::string(70'000, 'x')};
  Bytes bytes;
  for (const Value& value : values) encode(value, bytes);
  const auto decoded = decode(bytes);
  ASSERT_TRUE(decoded.has_value()) << decoded.error().message();
  EXPECT_EQ(*decoded, values);
}

TEST(Amf0, EncodesAsTheSpecificationSays) {
  EXPECT_EQ(encode_all({"a", 1.0, Null{}, Object{{{"k", true}}, {}}}),
            hex("02 0001 'a' 00 3ff0000000000000 05 03 0001 'k' 01 01 000009"));
}

TEST(Amf0, FirstTellsItsSize) {
  const auto first = decode_first(hex("02 0001 'a' ff ff"));
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->value, Value("a"));
  EXPECT_EQ(first->size, 4U);
}

}  // namespace
}  // namespace simulcast::rtmp::amf0
