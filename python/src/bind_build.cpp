// The compiled half of segue/_build.py, segue/_recall.py and segue/isa.py.

#include "segue/build.hpp"

#include "arguments.hpp"
#include "arrays.hpp"
#include "binding.hpp"
#include "errors.hpp"
#include "gil.hpp"
#include "progress.hpp"
#include "segue/isa.hpp"
#include "segue/recall.hpp"

namespace py = pybind11;

namespace segue::python {
namespace {

py::dict describe_plan(const BuildPlan& plan) {
  py::dict parameters;
  if (plan.kind == "flat") {
    parameters["storage"] = segue::to_string(plan.flat.storage);
  } else if (plan.kind == "hnsw") {
    parameters["m"] = plan.hnsw.m;
    parameters["ef_construction"] = plan.hnsw.ef_construction;
    parameters["storage"] = segue::to_string(plan.hnsw.storage);
    parameters["rerank"] = segue::to_string(plan.hnsw.rerank);
    parameters["seed"] = plan.hnsw.seed;
  } else {
    parameters["nlist"] = plan.ivf.nlist == 0 ? py::object(py::str("auto")) : py::object(py::int_(plan.ivf.nlist));
    parameters["storage"] = segue::to_string(plan.ivf.storage);
    parameters["rerank"] = segue::to_string(plan.ivf.rerank);
    parameters["seed"] = plan.ivf.seed;
  }
  return parameters;
}

// The index, and (kind, parameters, memory, reasons).
py::tuple build_index(const py::object& vectors, const py::object& ids, const py::object& metric,
                      const py::object& kind, const py::object& m, const py::object& ef_construction,
                      const py::object& storage, const py::object& rerank, const py::object& nlist,
                      const py::object& seed, const py::object& recall, const py::object& max_memory,
                      const py::object& threads, const py::object& callback) {
  BuildOptions options;
  options.metric = to_metric(metric);
  options.kind = to_string(kind, "kind");
  options.hnsw.m = to_size(m, "m");
  options.hnsw.ef_construction = to_size(ef_construction, "ef_construction");
  options.hnsw.storage = to_storage(storage);
  options.hnsw.rerank = to_storage(rerank);
  options.hnsw.seed = to_uint64(seed, "seed");
  options.flat.storage = options.hnsw.storage;
  options.ivf = {to_nlist(nlist), options.hnsw.storage, options.hnsw.rerank, options.hnsw.seed};
  options.recall = to_recall(recall);
  if (!max_memory.is_none()) options.max_memory = to_size(max_memory, "max_memory", 1);
  options.threads = to_threads(threads);

  const FloatInput input = to_matrix(vectors, "vectors");
  IdInput given;
  if (!ids.is_none()) {
    given = to_ids(ids, "ids");
    if (given.ids.size() != input.view.rows()) {
      raise_invalid(std::to_string(input.view.rows()) + " vectors came with " + std::to_string(given.ids.size()) +
                    " ids, expected one id a vector");
    }
  }
  Watch watch(callback);
  options.progress = watch.progress();
  Result<std::unique_ptr<Index>> index = without_gil([&] { return build(input.view, given.ids, options); });
  watch.rethrow();
  const BuildPlan plan = take(plan_build(input.view, options));
  py::tuple reasons(plan.reasons.size());
  for (std::size_t i = 0; i < plan.reasons.size(); ++i) reasons[i] = py::str(plan.reasons[i]);
  return py::make_tuple(adopt(take(std::move(index))),
                        py::make_tuple(plan.kind, describe_plan(plan), plan.memory, std::move(reasons)));
}

// Both are int64 matrices, C-contiguous: segue/_recall.py saw to that.
double mean_recall(const py::array_t<Id>& ids, const py::array_t<Id>& truth, const py::object& k) {
  const std::size_t wanted = to_size(k, "k", 1);
  return take(recall({ids.data(), std::size_t(ids.size())}, std::size_t(ids.shape(1)),
                     {truth.data(), std::size_t(truth.size())}, std::size_t(truth.shape(1)), wanted));
}

py::list available_isas() {
  py::list names;
  for (std::string_view name : isa::available()) names.append(py::str(name.data(), name.size()));
  return names;
}

}  // namespace

void bind_build(py::module_& module) {
  using py::arg;
  module.def("_build", &build_index, arg("vectors"), arg("ids"), arg("metric"), arg("kind"), arg("m"),
             arg("ef_construction"), arg("storage"), arg("rerank"), arg("nlist"), arg("seed"),
             arg("recall"), arg("max_memory"), arg("threads"), arg("callback"));
  module.def("_recall", &mean_recall, arg("ids"), arg("truth"), arg("k"));
  module.def("_isa_available", &available_isas);
  module.def("_isa_active", [] { return isa::active(); });
  module.def("_isa_use", [](const py::object& name) { check(isa::use(to_string(name, "name"))); }, arg("name"));
  // For tests: the address at which a call would read these vectors.
  module.def("_address_of", [](const py::object& vectors) {
    return reinterpret_cast<std::uintptr_t>(to_matrix(vectors, "vectors").view.data());
  }, arg("vectors"));
}

}  // namespace segue::python
