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

constexpr std::size_t kItems = 300000, kDim = 48, kQueries = 200, kK = 10;
constexpr std::size_t kSetBytes = kItems * kDim * sizeof(float);  // 57.6 MB
constexpr std::size_t kLimit = kSetBytes / 4;
constexpr int kThreads = 1;  // each more has a stack of some megabytes, all of which counts
// Beside what the build allocates: the program, stacks of threads, a search.
constexpr std::size_t kMaxMemory = kLimit - (std::size_t{4} << 20);

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

// What the limited process does; its exit status says which step failed.
int build_and_search(const std::string& vectors, const std::string& lists, const Vectors& queries,
                     const std::string& answers) {
  const rlimit limit = {kLimit, kLimit};
  if (::setrlimit(RLIMIT_DATA, &limit) != 0) return 10;
  // Without lists in a file there would be no way: not even the rows fit.
  if (load(lists).ok() || ::mmap(nullptr, kSetBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) return 11;
  auto source = open_vectors(vectors);
  if (!source.ok()) return 12;
  const Status built = build_file(**source, {}, lists, {.metric = Metric::kL2, .max_memory = kMaxMemory, .threads = kThreads});
  if (!built.ok()) return std::fprintf(stderr, "%s\n", built.message().c_str()), 13;
  auto index = load(lists);
  if (!index.ok()) return std::fprintf(stderr, "%s\n", index.status().message().c_str()), 14;
  auto found = (*index)->search(MatrixView(queries, kDim), kK, {.nprobe = 8, .threads = kThreads});
  if (!found.ok()) return std::fprintf(stderr, "%s\n", found.status().message().c_str()), 15;
  std::ofstream out(answers, std::ios::binary);
  out.write(reinterpret_cast<const char*>(found->ids.data()), static_cast<std::streamsize>(found->ids.size() * sizeof(Id)));
  return out.good() ? 0 : 16;
}

TEST(BuildFileLimit, AFourthOfTheSetIsEnough) {
  const TemporaryFolder folder;
  const std::string vectors = folder.file("set.fbin"), lists = folder.file("lists.segue"), answers = folder.file("ids");
  const Clusters clusters;
  write_fbin(clusters, vectors);
  const Vectors queries = clusters.rows(kItems, kQueries);
  const pid_t child = ::fork();  // before anything here starts a thread
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(build_and_search(vectors, lists, queries, answers));
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"ids", "lists.segue", "set.fbin"}));

  const std::vector<unsigned char> bytes = read_bytes(answers);
  const auto* ids = reinterpret_cast<const Id*>(bytes.data());
  const Vectors all = clusters.rows(0, kItems);
  auto exact = FlatIndex::create(kDim, Metric::kL2).value();
  ASSERT_TRUE(exact->add(MatrixView(all, kDim)).ok());
  const SearchResult truth = exact->search(MatrixView(queries, kDim), kK).value();
  const double reached = recall({ids, kQueries * kK}, kK, truth.ids, kK, kK).value();
  std::printf("recall %.4f, the file has %zu bytes, the limit was %zu\n", reached, std::size_t(inspect(lists)->bytes), kLimit);
  EXPECT_GE(reached, 0.97);
  // The bytes are those that memory would have made.
  auto memory = IvfIndex::create(kDim, Metric::kL2).value();
  ASSERT_TRUE(memory->add(MatrixView(all, kDim)).ok());
  EXPECT_TRUE(memory->to_bytes().value() == read_bytes(lists));
}

}  // namespace
}  // namespace segue::test
