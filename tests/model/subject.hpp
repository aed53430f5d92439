#pragma once
// What a machine drives: an index, and how it is closed and opened again. A durable index would open its folder.

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "index/index_cases.hpp"
#include "segue/file.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {

class Subject {
 public:
  Subject() = default;
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;
  virtual ~Subject() = default;
  virtual Index& index() = 0;
  // Closes it and opens it again: it has to hold the same. `choice` is a number at random, for the ways there are.
  virtual void reopen(std::uint64_t choice) = 0;
};

// An index in memory, saved and loaded.
class SavedSubject : public Subject {
 public:
  explicit SavedSubject(std::unique_ptr<Index> index) : index_(std::move(index)) {}
  Index& index() override { return *index_; }

  void reopen(std::uint64_t choice) override {
    const std::string path = folder_.file("index.segue");
    SEGUE_ASSERT_OK(index_->save(path));
    const Result<std::vector<unsigned char>> bytes = index_->to_bytes();
    ASSERT_TRUE(bytes.ok()) << bytes.status().message();
    ASSERT_TRUE(*bytes == read_bytes(path)) << "to_bytes() and save() differ";
    SEGUE_ASSERT_OK(verify(path));
    const LoadOptions options{.mmap = choice % 2 == 0, .verify = choice / 2 % 2 == 0};
    Result<std::unique_ptr<Index>> loaded =
        choice / 4 % 3 == 0 ? load_bytes(*bytes, options.verify) : load(path, options);
    ASSERT_TRUE(loaded.ok()) << loaded.status().message();
    ASSERT_EQ((*loaded)->kind(), index_->kind());
    ASSERT_EQ((*loaded)->metric(), index_->metric());
    ASSERT_EQ((*loaded)->storage(), index_->storage());
    ASSERT_EQ((*loaded)->dim(), index_->dim());
    ASSERT_TRUE((*loaded)->to_bytes().value() == *bytes) << "what was loaded is not what was saved";
    index_ = std::move(loaded).value();
  }

 private:
  std::unique_ptr<Index> index_;
  TemporaryFolder folder_;
};

}  // namespace segue::test
