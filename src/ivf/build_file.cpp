// Inverted lists in a file, of vectors that do not fit memory.
//
// Steps that each take bounded memory, and make together what IvfIndexBody::change and do_write make of the same vectors:
// a pass over the source checks it and copies a sample into a scratch file; lists are trained on that; a second pass writes
// what is kept by slot (rows, or what codes leave over) and puts codes aside by ranges of lists; these are laid out.

#include "segue/build_file.hpp"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <optional>
#include <vector>

#include "file/file_assembler.hpp"
#include "file/scratch_file.hpp"
#include "ivf/build_memory.hpp"
#include "ivf/ivf_index.hpp"
#include "ivf/row_spill.hpp"
#include "ivf/train_centroids.hpp"
#include "ivf/write_lists.hpp"
#include "segue/core/parallel_for.hpp"
#include "segue/isa.hpp"

namespace segue {
namespace {

constexpr std::size_t kUsualMemory = std::size_t{1} << 30;
// As do_write has them.
constexpr std::size_t kSections = 16;
constexpr std::size_t kSectionsOfPlanes = 2;
// Where the steps end, as parts of the time that a million vectors of 128 dimensions take.
constexpr double kSampled = 0.02, kTrained = 0.68, kCoded = 0.99;

std::string megabytes(std::size_t bytes) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.4g MB", static_cast<double>(bytes) / 1e6);
  return text;
}

}  // namespace

class IvfFileBuild {
 public:
  IvfFileBuild(VectorSource& source, std::span<const Id> ids, const std::string& path, const BuildFileOptions& options)
      : source_(source),
        given_ids_(ids),
        path_(path),
        options_(options),
        rows_(source.rows()),
        dim_(source.dim()),
        body_(dim_, options.metric, options.ivf),
        lists_(body_.lists_for(rows_)),
        sampled_(std::min(rows_, kRowsAList * lists_)),
        arriving_(body_.store_.table(), body_.coded_ ? Storage::kF32 : body_.store_.storage(), dim_) {}

  static Status check(VectorSource& source, std::span<const Id> ids, const BuildFileOptions& options) {
    SEGUE_RETURN_IF_ERROR(isa::environment_status());
    SEGUE_RETURN_IF_ERROR(IvfIndexBody::check_options(source.dim(), options.metric, options.ivf));
    SEGUE_RETURN_IF_ERROR(check_threads(options.threads));
    const std::size_t rows = source.rows();
    if (rows == 0) return invalid_argument("there are no vectors to build from; a file of lists needs at least one");
    SEGUE_RETURN_IF_ERROR(check_room(0, rows));
    if (options.ivf.nlist > rows) {
      return invalid_argument("nlist is " + std::to_string(options.ivf.nlist) + " and there are " +
                              std::to_string(rows) + " vectors; give at least one a list, or leave nlist at auto");
    }
    return ids.empty() ? Status() : check_ids(ids, rows);
  }

  Status run() {
    const std::size_t workers = worker_count(std::size_t{1} << 20, options_.threads, 1);
    const BuildMemory::Shape shape{rows_, dim_, lists_, sampled_, workers, !given_ids_.empty()};
    const std::size_t least = BuildMemory(shape, 0).least();
    const BuildMemory memory(shape, options_.max_memory != 0 ? options_.max_memory : std::max(kUsualMemory, least));
    if (memory.limit() < least) {
      return invalid_argument("max_memory is " + megabytes(memory.limit()) + ", and building " + std::to_string(lists_) +
                              " lists of " + std::to_string(rows_) + " vectors of " + std::to_string(dim_) +
                              " dimensions on " + std::to_string(workers) + " threads takes at least " +
                              megabytes(least) + "; give more, or fewer lists or threads");
    }
    SEGUE_RETURN_IF_ERROR(train(memory));
    FileIdentity identity = body_.identity();
    identity.size = rows_;
    const std::size_t guess = rows_ * (2 * dim_ + 64);  // for a message about a full disk
    const std::size_t sections = kSections + (layout_->blocks.planes() != nullptr ? kSectionsOfPlanes : 0);
    Result<FileAssembler> file = FileAssembler::create(path_, identity, sections, guess);
    if (!file.ok()) return file.status();
    file_ = &*file;
    SEGUE_RETURN_IF_ERROR(write_ids());
    SEGUE_RETURN_IF_ERROR(write_rows(memory));
    SEGUE_RETURN_IF_ERROR(finish(memory));
    SEGUE_RETURN_IF_ERROR(file->commit());
    if (options_.progress) options_.progress(rows_, rows_);
    return {};
  }

 private:
  Status keep_on(double part) const {
    if (!options_.progress) return {};
    const auto done = static_cast<std::size_t>(part * static_cast<double>(rows_));
    if (options_.progress(std::min(done, rows_ - 1), rows_)) return {};
    return cancelled("the build was cancelled; '" + path_ + "' is what it was");
  }
  // While `done` of `total` of a step that goes from one part of the whole to another.
  Status keep_on(double from, double to, std::size_t done, std::size_t total) const {
    return keep_on(from + (to - from) * static_cast<double>(done) / static_cast<double>(total));
  }

  // Rows [first, first + count) into arriving_, as an index would store them, and as it would read them into numbers_.
  Status read(std::size_t first, std::size_t count) {
    numbers_.resize(count * dim_);
    SEGUE_RETURN_IF_ERROR(source_.read(first, count, numbers_.data()));
    const MatrixView vectors(numbers_.data(), count, dim_);
    SEGUE_RETURN_IF_ERROR(check_vectors(vectors, dim_, options_.metric, first));
    arriving_.resize(count);
    body_.write_rows(vectors, 0, options_.threads, arriving_);
    for (std::size_t i = 0; i < count; ++i) arriving_.read(i, numbers_.data() + i * dim_);
    return {};
  }

  void free_rows() {
    numbers_ = {};
    arriving_.adopt({});
  }

  // What lay_out_anew() does, but that the sample is in a file.
  Status train(const BuildMemory& memory) {
    Result<ScratchFile> scratch = ScratchFile::create(path_);
    if (!scratch.ok()) return scratch.status();
    const std::size_t at_once = memory.rows_to_read();
    std::size_t taken = 0;
    for (std::size_t first = 0; first < rows_; first += at_once) {
      SEGUE_RETURN_IF_ERROR(keep_on(0, kSampled, first, rows_));
      const std::size_t count = std::min(at_once, rows_ - first);
      SEGUE_RETURN_IF_ERROR(read(first, count));
      // Those of the sample move to the front.
      std::size_t n = 0;
      for (; taken < sampled_ && taken * rows_ / sampled_ < first + count; ++taken, ++n) {
        std::copy_n(numbers_.data() + (taken * rows_ / sampled_ - first) * dim_, dim_, numbers_.data() + n * dim_);
      }
      SEGUE_RETURN_IF_ERROR(scratch->append(std::as_bytes(numbers_.span().first(n * dim_))));
    }
    free_rows();
    const Result<std::shared_ptr<FileMemory>> mapped = scratch->map();
    if (!mapped.ok()) return mapped.status();
    AddOptions training{options_.threads, {}};
    if (options_.progress) {
      // Training counts to half of what it is given.
      training.progress = [this](std::size_t done, std::size_t total) {
        return keep_on(kSampled, kTrained, 2 * done, total).ok();
      };
    }
    const MatrixView sample(reinterpret_cast<const float*>((*mapped)->data()), sampled_, dim_);
    Result<IvfLayout> layout = body_.lay_out(sample, lists_, training, rows_);
    if (!layout.ok()) return layout.status();
    layout_.emplace(std::move(layout).value());
    body_.store_ = body_.make_rests(*layout_, 0);
    return {};
  }

  Status write_ids() {
    SEGUE_RETURN_IF_ERROR(add_section("ivf", sizeof(IvfIndexBody::Fixed), 1, fixed_section_));
    if (!given_ids_.empty()) {
      IdMap map;
      map.reserve(rows_);
      for (std::size_t i = 0; i < rows_; ++i) map.insert(given_ids_[i], static_cast<std::uint32_t>(i));
      next_id_ = next_id_after(0, *std::max_element(given_ids_.begin(), given_ids_.end()));
      SEGUE_RETURN_IF_ERROR(file_->add<Id>("ids", map.id_array().span()));
      return file_->add<std::uint32_t>("id_table", map.table().span());
    }
    std::size_t section = 0;
    SEGUE_RETURN_IF_ERROR(add_section("ids", sizeof(Id), rows_, section));
    std::vector<Id> some;
    for (std::size_t first = 0; first < rows_; first += some.size()) {
      some.resize(std::min<std::size_t>(8192, rows_ - first));
      std::iota(some.begin(), some.end(), static_cast<Id>(first));
      SEGUE_RETURN_IF_ERROR(file_->append(section, std::as_bytes(std::span(some))));
    }
    next_id_ = static_cast<Id>(rows_);
    return file_->add<std::uint32_t>("id_table", {});
  }

  Status write_rows(const BuildMemory& memory) {
    ListBlocks& blocks = layout_->blocks;
    const bool kept = body_.keeps_store();
    std::size_t section = 0;
    SEGUE_RETURN_IF_ERROR(add_section("rows", 1, kept ? rows_ * body_.store_.stride() : 0, section));
    Result<RowSpill> spill =
        RowSpill::create(path_, blocks.lists(), memory.spill_ranges(bytes_of_block(blocks)), blocks.packed_bytes(),
                         BuildMemory::kSpillBuffer);
    if (!spill.ok()) return spill.status();
    spill_.emplace(std::move(spill).value());
    VectorStore rests(body_.store_.table(), body_.store_.storage(), dim_);
    const std::size_t at_once = memory.rows_to_code(blocks.head());
    std::vector<std::uint32_t> lists, from, to;
    for (std::size_t first = 0; first < rows_; first += at_once) {
      SEGUE_RETURN_IF_ERROR(keep_on(kTrained, kCoded, first, rows_));
      const std::size_t count = std::min(at_once, rows_ - first);
      SEGUE_RETURN_IF_ERROR(read(first, count));
      lists.resize(count);
      from.resize(count);
      to.resize(count);
      std::iota(from.begin(), from.end(), 0u);
      std::iota(to.begin(), to.end(), static_cast<std::uint32_t>(first));
      layout_->centroids.assign(MatrixView(numbers_.data(), count, dim_), lists.data(), options_.threads);
      if (body_.finer_) rests.resize(count);
      blocks.stage(layout_->centroids, {arriving_, from, to, body_.finer_ ? &rests : nullptr, from}, lists,
                   options_.threads);
      if (kept) {
        SEGUE_RETURN_IF_ERROR(file_->append(section, std::as_bytes((body_.coded_ ? rests : arriving_).bytes().span())));
      }
      for (std::size_t i = 0; i < count; ++i) {
        const Result<unsigned char*> place = spill_->add(lists[i]);
        if (!place.ok()) return place.status();
        blocks.pack_row(i * kernels::kBlockRows, *place);
      }
    }
    free_rows();
    return spill_->end();
  }

  Status finish(const BuildMemory& memory) {
    ListBlocks& blocks = layout_->blocks;
    const std::size_t count = blocks.end_staging();
    const IvfIndexBody::Fixed fixed{next_id_, options_.ivf.nlist, options_.ivf.seed, rows_, blocks.fixed()};
    SEGUE_RETURN_IF_ERROR(file_->append(fixed_section_, std::as_bytes(std::span(&fixed, 1))));
    const VectorStore& centres = layout_->centroids.rows();
    std::vector<float> packed(centres.size() * dim_);
    for (std::size_t l = 0; l < centres.size(); ++l) centres.read(l, packed.data() + l * dim_);
    SEGUE_RETURN_IF_ERROR(file_->add<float>("centres", packed));
    packed = {};
    SEGUE_RETURN_IF_ERROR(file_->add<ListBlocks::Run>("lists", blocks.run_array().span()));
    SEGUE_RETURN_IF_ERROR(file_->add<double>("list_energies", blocks.energy_array().span()));
    SEGUE_RETURN_IF_ERROR(file_->add<double>("list_eighths", blocks.eighth_power_array().span()));
    SEGUE_RETURN_IF_ERROR(file_->add<float>("code_basis", blocks.projection().basis().span()));
    if (const CodePlanes* planes = blocks.planes()) {
      SEGUE_RETURN_IF_ERROR(file_->add<unsigned char>("code_bits", planes->bits()));
      SEGUE_RETURN_IF_ERROR(file_->add<float>("code_steps", planes->steps()));
    }
    return write_lists(blocks, count, *spill_, memory.blocks_to_lay_out(bytes_of_block(blocks)),
                       [this](std::size_t done, std::size_t all) { return keep_on(kCoded, 1, done, all); }, *file_);
  }

  Status add_section(const char* name, std::size_t element_size, std::size_t count, std::size_t& section) {
    const Result<std::size_t> added = file_->add_section(name, element_size, element_size * count);
    if (added.ok()) section = *added;
    return added.status();
  }

  VectorSource& source_;
  std::span<const Id> given_ids_;
  const std::string& path_;
  const BuildFileOptions& options_;
  std::size_t rows_;
  std::size_t dim_;
  IvfIndexBody body_;  // stays empty: what it would do with the rows
  std::size_t lists_;
  std::size_t sampled_;
  Buffer<float> numbers_;  // rows that were read last
  VectorStore arriving_;
  FileAssembler* file_ = nullptr;
  std::size_t fixed_section_ = 0;
  Id next_id_ = 0;
  std::optional<IvfLayout> layout_;
  std::optional<RowSpill> spill_;
};

Status build_file(VectorSource& source, std::span<const Id> ids, const std::string& path,
                  const BuildFileOptions& options) {
  return guard_memory([&]() -> Status {
    SEGUE_RETURN_IF_ERROR(IvfFileBuild::check(source, ids, options));
    return IvfFileBuild(source, ids, path, options).run();
  });
}

}  // namespace segue
