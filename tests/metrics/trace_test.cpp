// Trace hooks: which spans there are, in which order, how they end, and what happens when a hook throws.

#include <gtest/gtest.h>

#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "live/live_cases.hpp"
#include "segue/serving.hpp"
#include "segue/trace.hpp"

namespace segue::test {
namespace {

class Trace : public testing::Test {
 protected:
  void TearDown() override { set_trace_hooks({}); }

  // Each start as "+name", each end as "-name" or "-name: code".
  void listen() {
    set_trace_hooks({.start = [this](std::string_view name) -> void* {
                       note("+" + std::string(name));
                       return new std::string(name);
                     },
                     .end = [this](void* span, const Status& status) {
                       const std::unique_ptr<std::string> name(static_cast<std::string*>(span));
                       note("-" + *name + (status.ok() ? "" : ": " + std::string(to_string(status.code()))));
                     }});
  }
  void note(const std::string& what) {
    const std::lock_guard lock(mutex_);
    seen_.push_back(what);
  }
  std::vector<std::string> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(seen_, {});
  }
  static std::vector<std::string> span(const std::string& name, const std::string& error = "") {
    return {"+segue." + name, "-segue." + name + (error.empty() ? "" : ": " + error)};
  }

  std::mutex mutex_;
  std::vector<std::string> seen_;
};

TEST_F(Trace, CallsOfAnIndex) {
  const std::unique_ptr<Index> index = make_live_index("hnsw");
  const std::vector<Id> ids = id_range(0, 20);
  const std::vector<float> x = live_vectors(ids);
  const MatrixView rows(x, kLiveDim);
  listen();
  ASSERT_TRUE(index->add(rows, ids).ok());
  EXPECT_EQ(take(), span("add"));
  ASSERT_FALSE(index->add(rows, ids).ok());
  EXPECT_EQ(take(), span("add", "already exists"));
  ASSERT_TRUE(index->upsert(rows, ids).ok());
  EXPECT_EQ(take(), span("upsert"));
  ASSERT_TRUE(index->search(rows, 3).ok());
  EXPECT_EQ(take(), span("search"));
  ASSERT_FALSE(index->search(rows, 3, {.threads = -1}).ok());
  EXPECT_EQ(take(), span("search", "invalid argument"));
  ASSERT_TRUE(index->range_search(rows, 1).ok());
  EXPECT_EQ(take(), span("range_search"));
  ASSERT_EQ(index->remove(ids).value(), 20u);
  EXPECT_EQ(take(), span("remove"));
  set_trace_hooks({});
  ASSERT_TRUE(index->add(rows, ids).ok());
  EXPECT_TRUE(take().empty());
}

TEST_F(Trace, ALiveIndexAndAServing) {
  const TemporaryFolder folder;
  const std::vector<Id> ids = id_range(0, 20);
  const std::vector<float> x = live_vectors(ids);
  const MatrixView rows(x, kLiveDim);
  {
    const auto live = LiveIndex::create(folder.file("live"), *make_live_index("flat"), {.snapshots = false}).value();
    listen();
    ASSERT_TRUE(live->add(rows, ids).ok());
    EXPECT_EQ(take(), span("add")) << "one span, though an index is inside";
    ASSERT_TRUE(live->search(rows, 3).ok());
    EXPECT_EQ(take(), span("search"));
    ASSERT_TRUE(live->snapshot().ok());
    EXPECT_EQ(take(), span("snapshot"));
    ASSERT_TRUE(live->upsert(rows, ids).ok());
    EXPECT_EQ(live->remove(id_range(0, 2)).value(), 2u);
    take();
  }
  const auto live = open_live(folder.file("live"), {.snapshots = false});
  EXPECT_EQ(take(), span("replay")) << "what is replayed is no call";
  ASSERT_TRUE(live->replace(*make_live_index("hnsw")).ok());
  EXPECT_EQ(take(), span("replace"));
  ASSERT_FALSE(LiveIndex::open(folder.file("missing")).ok());
  EXPECT_TRUE(take().empty());

  const auto serving = Serving::create(std::shared_ptr<const Index>(make_live_index("flat"))).value();
  EXPECT_EQ(take(), span("swap")) << "the first one comes like all others";
  ASSERT_FALSE(serving->swap(folder.file("missing")).ok());
  EXPECT_EQ(take(), span("swap", "not found"));
}

TEST_F(Trace, AHookThatThrowsEndsNothing) {
  const std::unique_ptr<Index> index = make_live_index("flat");
  const std::vector<float> x = live_vectors(id_range(0, 5));
  const std::uint64_t before = trace_failures();
  int ends = 0;
  set_trace_hooks({.start = [](std::string_view) -> void* { throw std::runtime_error("start"); },
                   .end = [&](void*, const Status&) { ++ends; }});
  ASSERT_TRUE(index->add(MatrixView(x, kLiveDim)).ok());
  EXPECT_EQ(ends, 0) << "what did not start does not end";
  EXPECT_EQ(trace_failures(), before + 1);
  set_trace_hooks({.start = [](std::string_view) -> void* { return nullptr; },
                   .end = [](void*, const Status&) { throw 17; }});
  EXPECT_TRUE(index->search(MatrixView(x, kLiveDim), 1).ok());
  EXPECT_EQ(trace_failures(), before + 2);
  EXPECT_EQ(index->size(), 5u);
}

TEST_F(Trace, AHookMayCallTheLibrary) {
  const std::unique_ptr<Index> index = make_live_index("flat");
  const std::vector<float> x = live_vectors(id_range(0, 5));
  int starts = 0;
  set_trace_hooks({.start = [&](std::string_view) -> void* {
    ++starts;
    EXPECT_TRUE(index->search(MatrixView(x, kLiveDim), 1).ok());
    return nullptr;
  }});
  ASSERT_TRUE(index->add(MatrixView(x, kLiveDim)).ok());
  EXPECT_EQ(starts, 1) << "no span of its own";
}

TEST_F(Trace, ASpanEndsWithTheHooksItStartedWith) {
  const std::unique_ptr<Index> index = make_live_index("flat");
  const std::vector<float> x = live_vectors(id_range(0, 5));
  const auto held = std::make_shared<int>(0);
  set_trace_hooks({.start = [this](std::string_view) -> void* {
                     listen();
                     return nullptr;
                   },
                   .end = [held](void*, const Status&) { ++*held; }});
  ASSERT_TRUE(index->add(MatrixView(x, kLiveDim)).ok());
  EXPECT_EQ(*held, 1);
  EXPECT_EQ(held.use_count(), 1) << "and they are let go then";
  EXPECT_TRUE(take().empty());
}

}  // namespace
}  // namespace segue::test
