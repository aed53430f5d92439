// The compiled half of segue/_tune.py.

#include "segue/tune.hpp"

#include "arguments.hpp"
#include "arrays.hpp"
#include "binding.hpp"
#include "errors.hpp"
#include "gil.hpp"
#include "progress.hpp"

namespace py = pybind11;

namespace segue::python {
namespace {

// truth: None, or an int64 matrix, C-contiguous, with a row a query: segue/_tune.py saw to that. Gives
// ((k, recall, effort, reached, expected recall, expected microseconds), points as float64 of shape (n, 5)).
py::tuple tune_index(const py::object& self, const py::object& queries, const py::object& k, const py::object& recall,
                     const py::object& truth, const py::object& sample, const py::object& seed,
                     const py::object& threads, const py::object& callback) {
  Index& index = index_of(self);
  TuneOptions options;
  options.k = to_size(k, "k", 1);
  options.recall = to_recall(recall);
  options.sample = to_size(sample, "sample", 1);
  options.seed = to_uint64(seed, "seed");
  options.threads = to_threads(threads);
  FloatInput input;
  if (!queries.is_none()) {
    input = to_floats(queries, index.dim(), "queries");
    if (input.view.rows() == 0) raise_invalid("queries are of shape (0, d), expected at least one, or None");
  }
  py::array_t<Id> known;
  if (!truth.is_none()) {
    known = truth.cast<py::array_t<Id>>();
    if (std::size_t(known.shape(0)) != input.view.rows()) {
      raise_invalid("truth has " + std::to_string(known.shape(0)) + " rows for " + std::to_string(input.view.rows()) +
                    " queries, expected one a query");
    }
    options.truth = {known.data(), std::size_t(known.size())};
  }
  Watch watch(callback);
  options.progress = watch.progress();
  Result<Tuning> made = without_gil([&] { return tune(index, input.view, options); });
  watch.rethrow();
  const Tuning tuning = take(std::move(made));

  std::vector<double> points;
  for (std::size_t i = 0; i < tuning.curve.points.size(); ++i) {
    const CurvePoint& p = tuning.curve.points[i];
    points.insert(points.end(), {double(p.effort), p.recall, p.recall_low, tuning.microseconds[i], p.distances});
  }
  const auto rows = py::ssize_t(tuning.curve.points.size());
  return py::make_tuple(py::make_tuple(tuning.curve.k, options.recall, tuning.effort, tuning.reached,
                                       tuning.expected_recall, tuning.expected_microseconds),
                        own(std::move(points), {rows, 5}));
}

}  // namespace

void bind_tune(py::module_& module) {
  using py::arg;
  module.def("_tune", &tune_index, arg("index"), arg("queries"), arg("k"), arg("recall"), arg("truth"), arg("sample"),
             arg("seed"), arg("threads"), arg("callback"));
}

}  // namespace segue::python
