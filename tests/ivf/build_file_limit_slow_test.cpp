// Larger than memory: a process that may hold a fourth of a set makes lists of it in a file, and searches them there.
//
// The limit is RLIMIT_DATA (ulimit -d): heap, thread stacks and private pages that may be written, whether or not they were
// touched. It leaves out pages of files that are mapped for reading, which the system takes back as it likes (RLIMIT_AS would
// count their addresses), and is kept by the kernel: an allocation beyond it fails.

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "index/vectors.hpp"
#include "segue/build_file.hpp"
#include "segue/file.hpp"
#include "segue/flat.hpp"
#include "segue/recall.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kItems = 400000, kDim = 48, kLists = 1000, kQueries = 200, kK = 10;
constexpr std::size_t kSetBytes = kItems * kDim * sizeof(float);  // 76.8 MB
constexpr std::size_t kLimit = kSetBytes / 4;
// Beside what the build allocates: the program, what malloc keeps for later, a search.
constexpr std::size_t kMaxMemory = kLimit - (std::size_t{6} << 20);
constexpr const char* kFolder = "SEGUE_TEST_LIMITED_FOLDER";

// Rows around centres, each by its number, so that nobody holds them all.
class Clusters {
 public:
  Clusters() {
    Random random(51);
    centres_ = gaussian_vectors(random, 500, kDim);
  }
  Vectors rows(std::size_t first, std::size_t count) const {
    Vectors x(count * kDim);
    for (std::size_t i = 0; i < count; ++i) {
      Random random(first + i);
      const float* centre = centres_.data() + random.next() % 500 * kDim;
      for (std::size_t j = 0; j < kDim; ++j) x[i * kDim + j] = centre[j] + 0.9f * gaussian(random);
    }
    return x;
  }

 private:
  Vectors centres_;
};

void write_fbin(const Clusters& clusters, const std::string& path) {
  std::ofstream out(path, std::ios::binary);
  const std::uint32_t head[] = {kItems, kDim};
  out.write(reinterpret_cast<const char*>(head), sizeof(head));
  for (std::size_t first = 0; first < kItems; first += 1000) {
    const Vectors x = clusters.rows(first, 1000);
    out.write(reinterpret_cast<const char*>(x.data()), static_cast<std::streamsize>(x.size() * sizeof(float)));
  }
  ASSERT_TRUE(out.good());
}

std::string in(const std::string& folder, const char* name) { return folder + "/" + name; }

// What the limited process runs.
TEST(BuildFileLimit, DISABLED_InTheLimitedProcess) {
  ASSERT_NE(std::getenv(kFolder), nullptr);
  const std::string folder = std::getenv(kFolder);
  const rlimit limit = {kLimit, kLimit};
  ASSERT_EQ(::setrlimit(RLIMIT_DATA, &limit), 0);
  // The limit is one: not even the rows would fit.
  ASSERT_EQ(::mmap(nullptr, kSetBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), MAP_FAILED);
  auto source = open_vectors(in(folder, "set.fbin"));
  ASSERT_TRUE(source.ok()) << source.status().message();
  const std::string lists = in(folder, "lists.segue");
  const Status built =
      build_file(**source, {}, lists, {.metric = Metric::kL2, .ivf = {.nlist = kLists}, .max_memory = kMaxMemory});
  ASSERT_TRUE(built.ok()) << built.message();
  auto index = load(lists);
  ASSERT_TRUE(index.ok()) << index.status().message();
  const Vectors queries = Clusters().rows(kItems, kQueries);
  auto found = (*index)->search(MatrixView(queries, kDim), kK, {.nprobe = 8});
  ASSERT_TRUE(found.ok()) << found.status().message();
  std::ofstream out(in(folder, "ids"), std::ios::binary);
  out.write(reinterpret_cast<const char*>(found->ids.data()), static_cast<std::streamsize>(found->ids.size() * sizeof(Id)));
  ASSERT_TRUE(out.good());
}

TEST(BuildFileLimit, AFourthOfTheSetIsEnough) {
  const TemporaryFolder folder;
  const std::string lists = folder.file("lists.segue");
  const Clusters clusters;
  write_fbin(clusters, folder.file("set.fbin"));
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // One thread: each more has a stack of some megabytes, all of which counts.
    ::setenv("OMP_NUM_THREADS", "1", 1);
    ::setenv(kFolder, folder.path().c_str(), 1);
    ::execl("/proc/self/exe", "limited", "--gtest_filter=*DISABLED_InTheLimitedProcess",
            "--gtest_also_run_disabled_tests", static_cast<char*>(nullptr));
    ::_exit(127);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"ids", "lists.segue", "set.fbin"}));

  const std::vector<unsigned char> bytes = read_bytes(folder.file("ids"));
  ASSERT_EQ(bytes.size(), kQueries * kK * sizeof(Id));
  const auto* ids = reinterpret_cast<const Id*>(bytes.data());
  const Vectors all = clusters.rows(0, kItems);
  const Vectors queries = clusters.rows(kItems, kQueries);
  auto exact = FlatIndex::create(kDim, Metric::kL2).value();
  ASSERT_TRUE(exact->add(MatrixView(all, kDim)).ok());
  const SearchResult truth = exact->search(MatrixView(queries, kDim), kK).value();
  const double reached = recall({ids, kQueries * kK}, kK, truth.ids, kK, kK).value();
  std::printf("recall %.4f, the file has %zu bytes, the limit was %zu\n", reached, std::size_t(inspect(lists)->bytes), kLimit);
  EXPECT_GE(reached, 0.97);
  // The bytes are those that memory would have made.
  auto memory = IvfIndex::create(kDim, Metric::kL2, {.nlist = kLists}).value();
  ASSERT_TRUE(memory->add(MatrixView(all, kDim)).ok());
  EXPECT_TRUE(memory->to_bytes().value() == read_bytes(lists));
}

}  // namespace
}  // namespace segue::test
