#pragma once
// LiveSubject: a live index in a folder of its own, closed and opened again in every way there is.

#include <filesystem>
#include <string>

#include "model/subject.hpp"
#include "segue/live/live_index.hpp"

namespace segue::test {

class LiveSubject : public Subject {
 public:
  LiveSubject(const Index& index, std::uint64_t choice) {
    Result<std::unique_ptr<LiveIndex>> live = LiveIndex::create(home_, index, options(choice));
    EXPECT_TRUE(live.ok()) << live.status().message();
    if (live.ok()) live_ = std::move(live).value();
  }
  Index& index() override { return *live_; }
  LiveIndex& live() { return *live_; }

  void reopen(std::uint64_t choice) override {
    const std::uint64_t way = choice % 4;
    choice /= 4;
    ASSERT_NO_FATAL_FAILURE(compare_with_reader());
    if (way == 1 && !live_->options().snapshots) return open_as_if_killed(choice);
    if (way == 2) return open_salvaged(choice);
    SEGUE_ASSERT_OK(live_->close());
    const std::vector<float> ones(live_->dim(), 1.0F);
    ASSERT_EQ(live_->upsert(MatrixView(ones, live_->dim()), std::vector<Id>{0}).code(), StatusCode::kUnsupported);
    open(home_, choice);
  }

 private:
  // Snapshots by hand alone, or in the background after every few changes.
  static LiveOptions options(std::uint64_t choice) {
    LiveOptions options{.durability = static_cast<Durability>(choice % 3), .threads = static_cast<int>(choice / 3 % 2)};
    options.snapshots = choice / 6 % 2 == 0;
    options.snapshot_bytes = 4096;
    return options;
  }

  void open(const std::string& home, std::uint64_t choice) {
    live_.reset();
    Result<std::unique_ptr<LiveIndex>> live = LiveIndex::open(home, options(choice));
    ASSERT_TRUE(live.ok()) << live.status().message();
    ASSERT_EQ((*live)->open_report().cut_bytes, 0U);
    ASSERT_TRUE((*live)->open_report().notes.empty());
    live_ = std::move(live).value();
    if (home != home_) std::filesystem::remove_all(home_);
    home_ = home;
  }

  // Where nobody writes meanwhile it sees all that there is.
  void compare_with_reader() {
    if (live_->options().snapshots) return;
    const Result<std::unique_ptr<LiveIndex>> reader = LiveIndex::open(home_, {.read_only = true});
    ASSERT_TRUE(reader.ok()) << reader.status().message();
    ASSERT_EQ((*reader)->ids(), live_->ids());
    ASSERT_EQ((*reader)->kind(), live_->kind());
    ASSERT_EQ((*reader)->dim(), live_->dim());
    ASSERT_EQ((*reader)->catalog() == nullptr, live_->catalog() == nullptr);
    if (live_->catalog() != nullptr) {
      ASSERT_EQ((*reader)->catalog()->ids(), live_->catalog()->ids());
    }
    SEGUE_ASSERT_OK((*reader)->validate());
    ASSERT_EQ((*reader)->remove((*reader)->ids()).status().code(), StatusCode::kUnsupported);
    // One writer.
    ASSERT_EQ(LiveIndex::open(home_).status().code(), StatusCode::kAlreadyExists);
  }

  // The files as they lie there, without a last word of who wrote them.
  void open_as_if_killed(std::uint64_t choice) {
    const std::string copy = next_home();
    std::filesystem::create_directory(copy);
    for (const std::string& name : TemporaryFolder::names_in(home_)) {
      if (name != "LOCK") std::filesystem::copy_file(home_ + "/" + name, copy + "/" + name);
    }
    open(copy, choice);
  }

  // Of what has no damage, all.
  void open_salvaged(std::uint64_t choice) {
    const std::size_t items = live_->size();
    SEGUE_ASSERT_OK(live_->close());
    const std::string to = next_home();
    const Result<SalvageReport> saved = LiveIndex::salvage(home_, to);
    ASSERT_TRUE(saved.ok()) << saved.status().message();
    ASSERT_TRUE(saved->losses.empty()) << saved->losses.front();
    ASSERT_EQ(saved->items, items);
    open(to, choice);
  }

  std::string next_home() { return folder_.file("live" + std::to_string(++homes_)); }

  TemporaryFolder folder_{TemporaryFolder::Place::kMemory};
  std::string home_ = folder_.file("live");
  int homes_ = 0;
  std::unique_ptr<LiveIndex> live_;
};

}  // namespace segue::test
