#include "segue/types.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace segue {
namespace {

TEST(Types, NamesGoThereAndBack) {
  for (const std::string_view name : {"l2", "ip", "cosine"}) EXPECT_EQ(to_string(parse_metric(name).value()), name);
  for (const std::string_view name : {"auto", "f32", "f16", "bf16", "sq8", "pca8", "sq4"}) {
    EXPECT_EQ(to_string(parse_storage(name).value()), name);
  }
  EXPECT_EQ(parse_metric("ip").value(), Metric::kInnerProduct);
  EXPECT_EQ(parse_storage("sq8").value(), Storage::kSq8);
}

TEST(Types, AnUnknownNameIsNamedAmongTheKnownOnes) {
  const Status metric = parse_metric("dot").status();
  EXPECT_EQ(metric.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(metric.message(), "unknown metric \"dot\"; known: \"l2\", \"ip\", \"cosine\"");
  const Status storage = parse_storage("float32").status();
  EXPECT_EQ(storage.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(storage.message(), "unknown storage \"float32\"; known: \"auto\", \"f32\", \"f16\", \"bf16\", \"sq8\", \"pca8\", \"sq4\", \"rabitq1\", \"rabitq2\", \"rabitq3\", \"rabitq4\", \"rabitq5\", \"rabitq6\", \"rabitq7\", \"rabitq8\"");
}

TEST(Types, NamesAreExact) {
  for (const std::string_view name : {"", "L2", " l2", "l2 ", "l", "ip\n", "cosin"}) {
    EXPECT_FALSE(parse_metric(name).ok()) << name;
  }
  EXPECT_FALSE(parse_storage(std::string_view("f32\0", 4)).ok());
}

TEST(Types, ValuesFromAfarHaveNoName) {
  EXPECT_EQ(to_string(static_cast<Metric>(77)), "unknown");
  EXPECT_EQ(to_string(static_cast<Storage>(77)), "unknown");
}

TEST(Types, MissingScoresAreWorseThanAny) {
  EXPECT_FALSE(larger_is_better(Metric::kL2));
  EXPECT_TRUE(larger_is_better(Metric::kInnerProduct));
  EXPECT_TRUE(larger_is_better(Metric::kCosine));
  EXPECT_EQ(missing_score(Metric::kL2), INFINITY);
  EXPECT_EQ(missing_score(Metric::kInnerProduct), -INFINITY);
  EXPECT_EQ(missing_score(Metric::kCosine), -INFINITY);
}

}  // namespace
}  // namespace segue
