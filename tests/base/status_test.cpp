#include "segue/status.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <set>

namespace segue {
namespace {

TEST(Status, IsOkAtFirst) {
  const Status status;
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(status.code(), StatusCode::kOk);
  EXPECT_EQ(status.message(), "");
}

TEST(Status, EveryMakerGivesItsCodeAndKeepsTheMessage) {
  const std::pair<Status, StatusCode> made[] = {
      {invalid_argument("m"), StatusCode::kInvalidArgument}, {not_found("m"), StatusCode::kNotFound},
      {already_exists("m"), StatusCode::kAlreadyExists},     {io_error("m"), StatusCode::kIoError},
      {corrupt_file("m"), StatusCode::kCorruptFile},         {out_of_memory("m"), StatusCode::kOutOfMemory},
      {cancelled("m"), StatusCode::kCancelled},              {unsupported("m"), StatusCode::kUnsupported},
  };
  std::set<std::string_view> names = {to_string(StatusCode::kOk)};
  for (const auto& [status, code] : made) {
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(status.code(), code);
    EXPECT_EQ(status.message(), "m");
    names.insert(to_string(code));
  }
  EXPECT_EQ(names.size(), 9U) << "every code has a name of its own";
  EXPECT_EQ(to_string(StatusCode::kInvalidArgument), "invalid argument");
  EXPECT_EQ(to_string(static_cast<StatusCode>(200)), "unknown");
}

TEST(Result, HoldsAValueOrAReason) {
  const Result<int> good = 7;
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(*good, 7);
  EXPECT_TRUE(good.status().ok());
  const Result<int> bad = not_found("no such thing");
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.status().code(), StatusCode::kNotFound);
  EXPECT_EQ(bad.status().message(), "no such thing");
}

TEST(Result, MovesWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> made = std::make_unique<int>(3);
  std::unique_ptr<int> taken = std::move(made).value();
  EXPECT_EQ(*taken, 3);
  EXPECT_EQ(Result<std::string>(std::string("abc"))->size(), 3U);
}

Status first_error(const Status& a, const Status& b, int& reached) {
  SEGUE_RETURN_IF_ERROR(a);
  ++reached;
  SEGUE_RETURN_IF_ERROR(b);
  ++reached;
  return {};
}

TEST(ReturnIfError, ReturnsTheFirstFailureAndGoesOnOtherwise) {
  int reached = 0;
  EXPECT_EQ(first_error(io_error("a"), not_found("b"), reached).code(), StatusCode::kIoError);
  EXPECT_EQ(reached, 0);
  EXPECT_EQ(first_error({}, not_found("b"), reached).code(), StatusCode::kNotFound);
  EXPECT_EQ(reached, 1);
  EXPECT_TRUE(first_error({}, {}, reached).ok());
  EXPECT_EQ(reached, 3);
}

}  // namespace
}  // namespace segue
