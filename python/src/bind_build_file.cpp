// The compiled half of segue/_build.py where the index goes to a file: build_file, and sources that are written in Python.

#include "segue/build_file.hpp"

#include <algorithm>
#include <optional>

#include "arguments.hpp"
#include "arrays.hpp"
#include "binding.hpp"
#include "errors.hpp"
#include "gil.hpp"
#include "progress.hpp"
#include "segue/file.hpp"

namespace py = pybind11;

namespace segue::python {
namespace {

// See segue/_sources.py. Lives in the calling thread, which gave the lock away.
class PythonSource final : public VectorSource {
 public:
  explicit PythonSource(const py::object& source)
      : source_(source), rows_(to_size(source.attr("rows"), "rows")), dim_(to_size(source.attr("dim"), "dim")) {}

  std::size_t rows() const noexcept override { return rows_; }
  std::size_t dim() const noexcept override { return dim_; }

  Status read(std::size_t first, std::size_t count, float* out) override {
    const AcquireGil held;
    try {
      const py::object piece = source_.attr("read")(first, count);
      const FloatInput input = to_floats(piece, dim_, "vectors");
      if (input.view.rows() != count) {
        raise_invalid("read(" + std::to_string(first) + ", " + std::to_string(count) + ") of the vectors gave " +
                      std::to_string(input.view.rows()) + " rows");
      }
      std::copy_n(input.view.data(), count * dim_, out);
      return {};
    } catch (py::error_already_set& error) {
      error_.emplace(error);
      return cancelled("reading the vectors failed");
    }
  }
  void rethrow() const {
    if (error_) throw py::error_already_set(*error_);
  }

 private:
  py::object source_;
  std::size_t rows_;
  std::size_t dim_;
  std::optional<py::error_already_set> error_;
};

py::object build_to_file(const py::object& source, const py::object& ids, const py::object& out,
                         const py::object& metric, const py::object& storage, const py::object& rerank,
                         const py::object& nlist, const py::object& seed, const py::object& max_memory,
                         const py::object& threads, const py::object& callback) {
  BuildFileOptions options;
  options.metric = to_metric(metric);
  options.ivf = {to_nlist(nlist), to_storage(storage), to_storage(rerank), to_uint64(seed, "seed")};
  if (!max_memory.is_none()) options.max_memory = to_size(max_memory, "max_memory", 1);
  options.threads = to_threads(threads);
  const std::string path = to_path(out);

  FloatInput matrix;
  std::unique_ptr<VectorSource> vectors;
  PythonSource* from_python = nullptr;
  if (py::isinstance<py::str>(source)) {
    Result<std::unique_ptr<VectorSource>> opened = open_vectors(to_path(source));
    if (!opened.ok()) raise_file(opened.status());
    vectors = std::move(opened).value();
  } else if (py::hasattr(source, "read") && py::hasattr(source, "rows")) {
    auto made = std::make_unique<PythonSource>(source);
    from_python = made.get();
    vectors = std::move(made);
  } else {
    matrix = to_matrix(source, "vectors");
    vectors = source_of(matrix.view);
  }
  IdInput given;
  if (!ids.is_none()) {
    given = to_ids(ids, "ids");
    if (given.ids.size() != vectors->rows()) {
      raise_invalid(std::to_string(vectors->rows()) + " vectors came with " + std::to_string(given.ids.size()) +
                    " ids, expected one id a vector");
    }
  }
  Watch watch(callback);
  options.progress = watch.progress();
  const Status built = without_gil([&] { return build_file(*vectors, given.ids, path, options); });
  watch.rethrow();
  if (from_python != nullptr) from_python->rethrow();
  if (!built.ok()) raise_file(built);
  // It was summed as it was written.
  Result<std::unique_ptr<Index>> index = without_gil([&] { return load(path, {.verify = false}); });
  if (!index.ok()) raise_file(index.status());
  return adopt(*std::move(index));
}

}  // namespace

void bind_build_file(py::module_& module) {
  using py::arg;
  module.def("_build_file", &build_to_file, arg("source"), arg("ids"), arg("out"), arg("metric"), arg("storage"),
             arg("rerank"), arg("nlist"), arg("seed"), arg("max_memory"), arg("threads"), arg("callback"));
}

}  // namespace segue::python
