#pragma once
// Files with one number of a section replaced and the checksums made right: what a reader has to notice by itself.

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "index_file_body.hpp"
#include "segue/file.hpp"

namespace segue::test {

class DamagedSections : public ::testing::Test {
 protected:
  template <class T>
  Bytes with(const FileSection& section, std::size_t offset, T value) const {
    Bytes damaged = file_;
    std::memcpy(damaged.data() + section.offset + offset, &value, sizeof(value));
    fix_checksums(damaged);
    return damaged;
  }
  static void expect_corrupt(const Bytes& bytes, const std::string& section) {
    for (const bool verify : {false, true}) {
      const Status status = load_bytes(bytes, verify).status();
      EXPECT_EQ(status.code(), StatusCode::kCorruptFile);
      EXPECT_NE(status.message().find("'" + section + "'"), std::string::npos) << section << ": " << status.message();
    }
  }

  Bytes file_;
};

}  // namespace segue::test
