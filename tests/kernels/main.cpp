// Runs the kernel tests, then checks that each instruction set of the machine really ran.

#include <cstdio>

#include "support.hpp"

namespace {

class EverySetRan : public ::testing::Environment {
 public:
  void TearDown() override {
    if (::testing::GTEST_FLAG(filter) != "*") return;
    for (const segue::kernels::KernelTable* table : segue::kernels::available_kernels()) {
      EXPECT_TRUE(segue::kernels::test::sets_that_ran().count(table->name) == 1)
          << "no test was dispatched to " << table->name;
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  ::testing::AddGlobalTestEnvironment(new EverySetRan);
  std::printf("kernel tests, seed %u, instruction sets:", segue::kernels::test::kSeed);
  for (const segue::kernels::KernelTable* table : segue::kernels::available_kernels()) std::printf(" %s", table->name);
  std::printf("\n");
  return RUN_ALL_TESTS();
}
