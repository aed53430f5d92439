// Index, FlatIndex, HnswIndex and IvfIndex: all but their searches.

#include <pybind11/stl.h>

#include "arguments.hpp"
#include "arrays.hpp"
#include "binding.hpp"
#include "docs.hpp"
#include "errors.hpp"
#include "gil.hpp"
#include "immortal.hpp"
#include "progress.hpp"
#include "segue/file.hpp"
#include "segue/flat.hpp"
#include "segue/hnsw.hpp"
#include "segue/ivf.hpp"

namespace py = pybind11;

namespace segue::python {
namespace {

// An index that adapts asks under its lock, and who writes may hold that while it waits for the GIL.
segue::Storage storage_of(const segue::Index& index) {
  return without_gil([&] { return index.storage(); });
}

PyTypeObject* index_type = nullptr;

std::unique_ptr<FlatIndex> make_flat(const py::object& dim, const py::object& metric, const py::object& storage) {
  return take(FlatIndex::create(to_size(dim, "dim"), to_metric(metric), {.storage = to_storage(storage)}));
}

std::unique_ptr<HnswIndex> make_hnsw(const py::object& dim, const py::object& metric, const py::object& m,
                                     const py::object& ef_construction, const py::object& storage,
                                     const py::object& rerank, const py::object& seed) {
  HnswOptions options;
  options.m = to_size(m, "m");
  options.ef_construction = to_size(ef_construction, "ef_construction");
  options.storage = to_storage(storage);
  options.rerank = to_storage(rerank);
  options.seed = to_uint64(seed, "seed");
  return take(HnswIndex::create(to_size(dim, "dim"), to_metric(metric), options));
}

std::unique_ptr<IvfIndex> make_ivf(const py::object& dim, const py::object& metric, const py::object& nlist,
                                   const py::object& storage, const py::object& rerank, const py::object& seed) {
  const IvfOptions options{to_nlist(nlist), to_storage(storage), to_storage(rerank), to_uint64(seed, "seed")};
  return take(IvfIndex::create(to_size(dim, "dim"), to_metric(metric), options));
}

void check_lengths(const FloatInput& vectors, const IdInput& ids) {
  const std::size_t rows = vectors.view.rows();
  if (ids.ids.size() == rows) return;
  raise_invalid(std::to_string(rows) + " vectors came with " + std::to_string(ids.ids.size()) +
                " ids, expected one id a vector");
}

// So few are in before anybody thinks of Ctrl-C. A graph that may have to stop works on a copy of itself, which for a few
// vectors would take far longer than the vectors.
constexpr std::size_t kNeverStopped = 2048;
constexpr std::size_t kWatched = kNeverStopped + 1;

// Adds or upserts, showing Ctrl-C a way out.
template <class Change>
void change(const py::object& threads, std::size_t rows, Change&& work) {
  Watch watch;
  AddOptions options{.threads = to_threads(threads), .progress = {}};
  if (rows > kNeverStopped) options.progress = watch.progress();
  const Status status = without_gil([&] { return work(options); });
  watch.rethrow();
  check(status);
}

void add(const py::object& self, const py::object& vectors, const py::object& ids, const py::object& threads) {
  Index& index = index_of(self);
  const FloatInput input = to_floats(vectors, index.dim(), "vectors");
  IdInput given;
  if (!ids.is_none()) {
    given = to_ids(ids, "ids");
    check_lengths(input, given);
  }
  change(threads, input.view.rows(), [&](const AddOptions& options) { return index.add(input.view, given.ids, options); });
}

void upsert(const py::object& self, const py::object& vectors, const py::object& ids, const py::object& threads) {
  Index& index = index_of(self);
  const FloatInput input = to_floats(vectors, index.dim(), "vectors");
  const IdInput given = to_ids(ids, "ids");
  check_lengths(input, given);
  change(threads, input.view.rows(), [&](const AddOptions& options) { return index.upsert(input.view, given.ids, options); });
}

std::size_t remove(const py::object& self, const py::object& ids) {
  Index& index = index_of(self);
  const IdInput input = to_ids(ids, "ids");
  return take(without_gil([&] { return index.remove(input.ids); }));
}

py::object get(const py::object& self, const py::object& ids) {
  const Index& index = index_of(self);
  const IdInput input = to_ids(ids, "ids");
  std::vector<float> rows = take(without_gil([&] { return index.get(input.ids); }));
  const auto dim = py::ssize_t(index.dim());
  if (input.single) return own(std::move(rows), {dim});
  return own(std::move(rows), {py::ssize_t(input.ids.size()), dim});
}

bool contains(const py::object& self, const py::object& id) {
  const Index& index = index_of(self);
  const Id wanted = to_id(id);
  return wanted != kMissingId && without_gil([&] { return index.contains(wanted); });
}

std::size_t size(const py::object& self) {
  const Index& index = index_of(self);
  return without_gil([&] { return index.size(); });
}

py::dict stats(const py::object& self) {
  const Index& index = index_of(self);
  py::dict figures;
  for (const auto& [name, value] : without_gil([&] { return index.stats(); })) figures[py::str(name)] = value;
  return figures;
}

void save(const py::object& self, const py::object& path) {
  const Index& index = index_of(self);
  const std::string target = to_path(path);
  const Status status = without_gil([&] { return index.save(target); });
  if (!status.ok()) raise_file(status);
}

py::object to_bytes(const py::object& self) {
  const Index& index = index_of(self);
  return own(take(without_gil([&] { return index.to_bytes(); })));
}

py::object restore(const py::buffer& bytes) {
  const py::buffer_info info = bytes.request();
  const std::span view{static_cast<const unsigned char*>(info.ptr), std::size_t(info.size * info.itemsize)};
  return adopt(take(without_gil([&] { return load_bytes(view); })));
}

py::object copy(const py::object& self) {
  const Index& index = index_of(self);
  return adopt(take(without_gil([&]() -> Result<std::unique_ptr<Index>> {
    Result<std::vector<unsigned char>> bytes = index.to_bytes();
    if (!bytes.ok()) return bytes.status();
    return load_bytes(*bytes);
  })));
}

// The bytes of the file format. From protocol 5 on they can travel out of band, uncopied.
py::tuple reduce(const py::object& self, const py::object& protocol) {
  py::object bytes = to_bytes(self);
  bytes = to_size(protocol, "protocol") >= 5 ? py::module_::import("pickle").attr("PickleBuffer")(bytes)
                                             : bytes.attr("tobytes")();
  return py::make_tuple(py::module_::import("segue._segue").attr("_restore"), py::make_tuple(bytes));
}

std::string repr(const py::object& self) {
  const Index& index = index_of(self);
  const std::size_t items = size(self);
  const std::size_t bytes = without_gil([&] { return index.memory_usage(); });
  std::string text = py::type::of(self).attr("__name__").cast<std::string>() + "(";
  text += "dim=" + std::to_string(index.dim()) + ", metric='" + std::string(segue::to_string(index.metric())) + "'";
  if (const auto* graph = dynamic_cast<const HnswIndex*>(&index)) {
    text += ", m=" + std::to_string(graph->options().m);
    text += ", ef_construction=" + std::to_string(graph->options().ef_construction);
  }
  if (const auto* lists = dynamic_cast<const IvfIndex*>(&index)) {
    text += ", nlist=" + std::to_string(without_gil([&] { return lists->nlist(); }));
  }
  text += ", storage='" + std::string(segue::to_string(storage_of(index))) + "')";
  const bool large = bytes >= 1'000'000;
  return text + py::str(" of {:,} {}, {:.1f} {}")
                    .format(items, items == 1 ? "item" : "items", double(bytes) / (large ? 1e6 : 1e3),
                            large ? "MB" : "kB")
                    .cast<std::string>();
}

const HnswIndex& graph_of(const py::object& self) {
  const auto* graph = dynamic_cast<const HnswIndex*>(&index_of(self));
  if (graph == nullptr) raise_invalid(describe(self) + " is no segue.HnswIndex");
  return *graph;
}

const HnswOptions& options_of(const py::object& self) {
  return graph_of(self).options();
}

IvfIndex& lists_of(const py::object& self) {
  auto* lists = dynamic_cast<IvfIndex*>(&index_of(self));
  if (lists == nullptr) raise_invalid(describe(self) + " is no segue.IvfIndex");
  return *lists;
}

void train(const py::object& self, const py::object& sample, const py::object& centroids, const py::object& threads) {
  IvfIndex& index = lists_of(self);
  const FloatInput input = to_floats(sample, index.dim(), "sample");
  if (centroids.is_none()) {
    change(threads, kWatched, [&](const AddOptions& options) { return index.train(input.view, options); });
    return;
  }
  const FloatInput given = to_floats(centroids, index.dim(), "centroids");
  change(threads, kWatched, [&](const AddOptions& options) { return index.train(input.view, given.view, options); });
}

py::object centroids(const py::object& self) {
  const IvfIndex& index = lists_of(self);
  std::vector<float> rows = without_gil([&] { return index.centroids(); });
  const auto dim = py::ssize_t(index.dim());
  const auto lists = py::ssize_t(rows.size()) / dim;
  return own(std::move(rows), {lists, dim});
}

}  // namespace

// pybind11's own cast would hand out uninitialised memory where __init__ never ran, and takes longer.
Index& index_of(py::handle self) {
  if (PyObject_TypeCheck(self.ptr(), index_type) == 0) raise_invalid(describe(self) + " is no segue.Index");
  const auto* instance = reinterpret_cast<const py::detail::instance*>(self.ptr());
  void* index = instance->simple_layout ? instance->simple_value_holder[0] : nullptr;
  if (index == nullptr) raise_invalid("the index was not made: a subclass must call super().__init__(dim, ...)");
  return *static_cast<Index*>(index);
}

py::object adopt(std::shared_ptr<Index> index) {
  if (auto flat = std::dynamic_pointer_cast<FlatIndex>(index)) return py::cast(std::move(flat));
  if (auto graph = std::dynamic_pointer_cast<HnswIndex>(index)) return py::cast(std::move(graph));
  if (auto lists = std::dynamic_pointer_cast<IvfIndex>(index)) return py::cast(std::move(lists));
  return py::cast(std::move(index));
}

void bind_index(py::module_& module) {
  using py::arg;
  py::class_<Index, std::shared_ptr<Index>>(module, "Index", docs::kIndex)
      .def("add", &add, arg("vectors"), arg("ids") = py::none(), py::kw_only(), arg("threads") = py::none(),
           docs::kAdd)
      .def("upsert", &upsert, arg("vectors"), arg("ids"), py::kw_only(), arg("threads") = py::none(), docs::kUpsert)
      .def("remove", &remove, arg("ids"), docs::kRemove)
      .def("get", &get, arg("ids"), docs::kGet)
      .def("ids", [](const py::object& self) {
             const Index& index = index_of(self);
             return own(without_gil([&] { return index.ids(); }));
           }, docs::kIds)
      .def("memory_usage", [](const py::object& self) {
             const Index& index = index_of(self);
             return without_gil([&] { return index.memory_usage(); });
           }, docs::kMemoryUsage)
      .def("stats", &stats, docs::kStats)
      .def("validate", [](const py::object& self) {
             const Index& index = index_of(self);
             check(without_gil([&] { return index.validate(); }));
           }, docs::kValidate)
      .def("save", &save, arg("path"), docs::kSave)
      .def_property_readonly("dim", [](const py::object& self) { return index_of(self).dim(); }, docs::kDim)
      .def_property_readonly("metric", [](const py::object& self) { return segue::to_string(index_of(self).metric()); },
                             docs::kMetric)
      .def_property_readonly("storage",
                             [](const py::object& self) { return segue::to_string(storage_of(index_of(self))); },
                             docs::kStorage)
      .def("__len__", &size, "__len__(self)\n--\n\nHow many items there are.")
      .def("__contains__", &contains, arg("id"), "__contains__(self, id, /)\n--\n\nWhether id is in the index.")
      .def("__repr__", &repr, "__repr__(self)\n--\n\n")
      .def("__copy__", &copy, "__copy__(self)\n--\n\nAn index of its own, in memory.")
      .def("__deepcopy__", [](const py::object& self, const py::object&) { return copy(self); }, arg("memo"),
           "__deepcopy__(self, memo, /)\n--\n\nAn index of its own, in memory.")
      .def("__reduce_ex__", &reduce, arg("protocol"), "__reduce_ex__(self, protocol, /)\n--\n\n");

  py::class_<FlatIndex, Index, std::shared_ptr<FlatIndex>>(module, "FlatIndex", docs::kFlatIndex)
      .def(py::init(&make_flat), arg("dim"), arg("metric") = "ip", arg("storage") = "auto", docs::kFlatIndexInit);

  py::class_<HnswIndex, Index, std::shared_ptr<HnswIndex>>(module, "HnswIndex", docs::kHnswIndex)
      .def(py::init(&make_hnsw), arg("dim"), arg("metric") = "ip", py::kw_only(), arg("m") = 16,
           arg("ef_construction") = 200, arg("storage") = "auto", arg("rerank") = "auto", arg("seed") = 0,
           docs::kHnswIndexInit)
      .def_property_readonly("m", [](const py::object& self) { return options_of(self).m; }, docs::kM)
      .def_property_readonly("ef_construction", [](const py::object& self) { return options_of(self).ef_construction; },
                             docs::kEfConstruction)
      .def_property_readonly("rerank",
                             [](const py::object& self) { return segue::to_string(options_of(self).rerank); },
                             docs::kRerank)
      .def_property_readonly("seed", [](const py::object& self) { return options_of(self).seed; }, docs::kSeed)
      .def_property_readonly("default_ef", [](const py::object& self) { return graph_of(self).default_ef(); },
                             docs::kDefaultEf);

  py::class_<IvfIndex, Index, std::shared_ptr<IvfIndex>>(module, "IvfIndex", docs::kIvfIndex)
      .def(py::init(&make_ivf), arg("dim"), arg("metric") = "ip", py::kw_only(), arg("nlist") = "auto",
           arg("storage") = "auto", arg("rerank") = "auto", arg("seed") = 0, docs::kIvfIndexInit)
      .def("train", &train, arg("sample"), py::kw_only(), arg("centroids") = py::none(), arg("threads") = py::none(),
           docs::kTrain)
      .def("centroids", &centroids, docs::kCentroids)
      .def_property_readonly("nlist", [](const py::object& self) {
             const IvfIndex& index = lists_of(self);
             return without_gil([&] { return index.nlist(); });
           }, docs::kNlist)
      .def_property_readonly("default_nprobe", [](const py::object& self) {
             const IvfIndex& index = lists_of(self);
             return without_gil([&] { return index.default_nprobe(); });
           }, docs::kDefaultNprobe)
      .def_property_readonly("seed", [](const py::object& self) { return lists_of(self).options().seed; },
                             docs::kIvfSeed);

  index_type = reinterpret_cast<PyTypeObject*>(immortal(module, "Index"));

  module.def("_restore", &restore, arg("bytes"));
}

}  // namespace segue::python
