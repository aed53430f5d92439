// Which tables are offered and chosen, and what segue::isa says about it.

#include <algorithm>
#include <fstream>
#include <sstream>

#include "kernels/cpu.hpp"
#include "segue/isa.hpp"
#include "support.hpp"

namespace segue::kernels::test {
namespace {

// The operating system's own list of flags, an opinion that owes nothing to cpu.cpp. Linux leaves a flag out when it
// does not save the registers behind it.
std::set<std::string> flags_of_the_system() {
  std::ifstream file("/proc/cpuinfo");
  std::set<std::string> flags;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("flags", 0) != 0) continue;
    std::istringstream words(line.substr(line.find(':') + 1));
    for (std::string word; words >> word;) flags.insert(word);
    break;
  }
  return flags;
}

std::vector<std::string> available_names() {
  std::vector<std::string> names;
  for (const KernelTable* table : available_kernels()) names.emplace_back(table->name);
  return names;
}

TEST(DispatchTest, OffersWhatTheSystemReports) {
#if defined(__x86_64__)
  const auto flags = flags_of_the_system();
  if (flags.empty()) GTEST_SKIP() << "no flags in /proc/cpuinfo";
  const auto has = [&](std::initializer_list<const char*> wanted) {
    return std::all_of(wanted.begin(), wanted.end(), [&](const char* flag) { return flags.count(flag) == 1; });
  };
  std::vector<std::string> expected = {"scalar"};
  if (has({"avx2", "fma", "f16c"})) {
    expected.emplace_back("avx2");
    if (has({"avx512f", "avx512bw", "avx512vl", "avx512dq"})) {
      expected.emplace_back("avx512");
      if (has({"avx512_vnni"})) expected.emplace_back("avx512vnni");
    }
  }
  EXPECT_EQ(available_names(), expected);
#elif defined(__aarch64__)
  EXPECT_EQ(available_names(), (std::vector<std::string>{"scalar", "neon"}));
#else
  EXPECT_EQ(available_names(), std::vector<std::string>{"scalar"});
#endif
}

TEST(DispatchTest, FindsTablesByName) {
  for (const KernelTable* table : available_kernels()) EXPECT_EQ(find_kernels(table->name), table);
  EXPECT_EQ(find_kernels("avx1024"), nullptr);
  EXPECT_EQ(find_kernels(""), nullptr);
  EXPECT_TRUE(is_known_kernel_name("neon"));
  EXPECT_TRUE(is_known_kernel_name("avx512vnni"));
  EXPECT_FALSE(is_known_kernel_name("AVX2"));
}

TEST(DispatchTest, EveryTableIsWhole) {
  for (const KernelTable* table : available_kernels()) {
    for (const FamilyKernels& family : table->families) {
      EXPECT_TRUE(family.row_bytes && family.encode && family.decode && family.query_bytes && family.prepare_query &&
                  family.tile_scratch_bytes);
      for (unsigned m = 0; m < kMetricKernels; ++m) {
        EXPECT_TRUE(family.score_list[m] && family.score_block[m] && family.score_tile[m]) << table->name;
      }
    }
    EXPECT_TRUE(table->select_greater && table->select_less && table->first_not_finite) << table->name;
  }
}

TEST(DispatchTest, UseChangesTheActiveTableAndRefusesOthers) {
  const std::string before(isa::active());
  for (const std::string_view name : isa::available()) {
    ASSERT_TRUE(isa::use(name).ok());
    EXPECT_EQ(isa::active(), name);
    EXPECT_EQ(active_kernels().name, name);
  }
  const Status unknown = isa::use("sse9");
  EXPECT_EQ(unknown.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(unknown.message().find("\"sse9\" is not the name"), std::string::npos) << unknown.message();
  EXPECT_NE(unknown.message().find("scalar"), std::string::npos) << unknown.message();
#if defined(__x86_64__)
  const Status elsewhere = isa::use("neon");
#else
  const Status elsewhere = isa::use("avx2");
#endif
  EXPECT_EQ(elsewhere.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(elsewhere.message().find("cannot run"), std::string::npos) << elsewhere.message();
  EXPECT_EQ(isa::active(), isa::available().back()) << "a refused name changed the active set";
  ASSERT_TRUE(isa::use(before).ok());
}

// The same binary is run again with SEGUE_ISA set (see CMakeLists.txt); this is what it must then find.
TEST(DispatchTest, EnvironmentIsObeyedOrReported) {
  const char* wanted = std::getenv("SEGUE_ISA");
  if (wanted == nullptr || *wanted == '\0') {
    EXPECT_TRUE(isa::environment_status().ok());
    EXPECT_EQ(isa::active(), isa::available().back());
  } else if (find_kernels(wanted) != nullptr) {
    EXPECT_TRUE(isa::environment_status().ok());
    EXPECT_EQ(isa::active(), wanted);
  } else {
    const Status status = isa::environment_status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find("SEGUE_ISA"), std::string::npos);
    EXPECT_NE(status.message().find("available here: scalar"), std::string::npos) << status.message();
    EXPECT_EQ(isa::active(), isa::available().back());
  }
}

}  // namespace
}  // namespace segue::kernels::test
