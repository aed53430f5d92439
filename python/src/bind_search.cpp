// search() and range_search().
//
// search() is the call that serving code makes a million times, so it is a plain C function without pybind11's
// argument matching: arguments arrive as an array, keywords are compared by address (CPython interns them), and the
// named tuple is filled in place. What is left above the C++ call is mostly numpy making two arrays and the
// interpreter giving its lock away and taking it back.

#include <array>

#include "arguments.hpp"
#include "arrays.hpp"
#include "binding.hpp"
#include "docs.hpp"
#include "errors.hpp"
#include "gil.hpp"
#include "immortal.hpp"
#include "search_arguments.hpp"

namespace py = pybind11;

namespace segue::python {
namespace {

enum Slot { kQueries, kK, kEf, kNprobe, kRecall, kFilter, kExclude, kDeadline, kThreads, kStats, kSlots };
constexpr Py_ssize_t kPositional = 2;
constexpr std::array<const char*, kSlots> kNames{"queries", "k",       "ef",          "nprobe",  "recall",
                                                 "filter",  "exclude", "deadline_us", "threads", "stats"};
std::array<PyObject*, kSlots> names;
PyTypeObject* search_result = nullptr;
PyTypeObject* range_result = nullptr;
PyObject* stats_name = nullptr;

using Slots = std::array<PyObject*, kSlots>;

[[noreturn]] void raise_type_error(const std::string& message) {
  PyErr_SetString(PyExc_TypeError, message.c_str());
  throw py::error_already_set();
}

std::size_t slot_of(PyObject* name) {
  for (std::size_t i = 0; i < kSlots; ++i) {
    if (names[i] == name) return i;
  }
  for (std::size_t i = 0; i < kSlots; ++i) {
    if (PyUnicode_Compare(names[i], name) == 0) return i;
  }
  raise_type_error("search() got an unexpected keyword argument '" + py::str(name).cast<std::string>() + "'");
}

Slots parse(PyObject* const* arguments, Py_ssize_t count, PyObject* keywords) {
  Slots slots{};
  if (count > kPositional) {
    raise_type_error("search() takes queries and k by position, the rest by name; " + std::to_string(count) +
                     " were given by position");
  }
  for (Py_ssize_t i = 0; i < count; ++i) slots[std::size_t(i)] = arguments[i];
  const Py_ssize_t named = keywords == nullptr ? 0 : PyTuple_GET_SIZE(keywords);
  for (Py_ssize_t i = 0; i < named; ++i) {
    const std::size_t slot = slot_of(PyTuple_GET_ITEM(keywords, i));
    if (slots[slot] != nullptr) raise_type_error("search() got " + std::string(kNames[slot]) + " twice");
    slots[slot] = arguments[count + i];
  }
  if (slots[kQueries] == nullptr) raise_type_error("search() needs queries");
  return slots;
}

// A named tuple: its class is a tuple with names, so it is filled as one. Takes the references over.
template <std::size_t n>
py::object new_named_tuple(PyTypeObject* type, std::array<py::object, n> items, const py::object& stats) {
  py::object made = py::reinterpret_steal<py::object>(type->tp_alloc(type, Py_ssize_t(n)));
  if (!made) throw py::error_already_set();
  for (std::size_t i = 0; i < n; ++i) PyTuple_SET_ITEM(made.ptr(), Py_ssize_t(i), items[i].release().ptr());
  if (stats && PyObject_SetAttr(made.ptr(), stats_name, stats.ptr()) != 0) throw py::error_already_set();
  return made;
}

py::object search(const Index& index, const Slots& slots) {
  const FloatInput queries = to_floats(slots[kQueries], index.dim(), "queries");
  constexpr std::size_t kMostK = 0x7fffffff;
  const std::size_t k = slots[kK] == nullptr ? 10 : to_size(slots[kK], "k", 1, kMostK);
  const SearchArguments arguments(index, {slots[kEf], slots[kNprobe], slots[kRecall], slots[kFilter], slots[kExclude],
                                   slots[kDeadline], slots[kThreads], slots[kStats]},
                                  queries.view.rows());
  auto ids = py::reinterpret_steal<py::object>(new_ids(queries.view.rows(), k, queries.single));
  auto scores = py::reinterpret_steal<py::object>(new_scores(queries.view.rows(), k, queries.single));
  auto* ids_out = static_cast<Id*>(data_of(ids.ptr()));
  auto* scores_out = static_cast<float*>(data_of(scores.ptr()));
  check(without_gil([&] { return index.search_into(queries.view, k, arguments.options(), ids_out, scores_out); }));
  return new_named_tuple<2>(search_result, {std::move(ids), std::move(scores)}, arguments.stats(queries.single));
}

PyObject* search_entry(PyObject* self, PyObject* const* arguments, Py_ssize_t count, PyObject* keywords) noexcept {
  try {
    return search(index_of(self), parse(arguments, count, keywords)).release().ptr();
  } catch (...) {
    return translate_exception();
  }
}

PyObject* serving_search_entry(PyObject* self, PyObject* const* arguments, Py_ssize_t count,
                               PyObject* keywords) noexcept {
  try {
    // Held from the first look at its dimension to the answer.
    const std::shared_ptr<const Index> index = served_index(self);
    return search(*index, parse(arguments, count, keywords)).release().ptr();
  } catch (...) {
    return translate_exception();
  }
}

PyMethodDef search_method{"search",
                          reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&search_entry)),
                          METH_FASTCALL | METH_KEYWORDS, docs::kSearch};
PyMethodDef serving_search_method{"search",
                                  reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&serving_search_entry)),
                                  METH_FASTCALL | METH_KEYWORDS, docs::kServingSearch};

py::object range_search(const Index& index, const py::object& queries, const py::object& threshold,
                        const py::object& ef, const py::object& nprobe, const py::object& recall,
                        const py::object& filter, const py::object& exclude, const py::object& deadline_us,
                        const py::object& threads, const py::object& stats) {
  const FloatInput input = to_floats(queries, index.dim(), "queries");
  const float limit = to_float(threshold, "threshold");
  const SearchArguments arguments(index, {ef, nprobe, recall, filter, exclude, deadline_us, threads, stats},
                                  input.view.rows());
  RangeResult found =
      take(without_gil([&] { return index.range_search(input.view, limit, arguments.options()); }));
  std::vector<std::int64_t> offsets(found.offsets.begin(), found.offsets.end());
  return new_named_tuple<3>(range_result, {own(std::move(offsets)), own(std::move(found.ids)),
                                           own(std::move(found.scores))},
                            arguments.stats(input.single));
}

}  // namespace

void bind_search(py::module_& module) {
  for (std::size_t i = 0; i < kSlots; ++i) names[i] = PyUnicode_InternFromString(kNames[i]);
  stats_name = PyUnicode_InternFromString("stats");
  py::module_ results = py::module_::import("segue._results");
  search_result = reinterpret_cast<PyTypeObject*>(immortal(results, "SearchResult"));
  range_result = reinterpret_cast<PyTypeObject*>(immortal(results, "RangeResult"));

  const auto add = [&](const char* name, PyMethodDef& search_of, auto held_by, const char* range_search_doc) {
    py::object type = module.attr(name);
    PyObject* method = PyDescr_NewMethod(reinterpret_cast<PyTypeObject*>(type.ptr()), &search_of);
    if (method == nullptr) throw py::error_already_set();
    type.attr("search") = py::reinterpret_steal<py::object>(method);
    type.attr("range_search") = py::cpp_function(
        [held_by](const py::object& self, const py::object& queries, const py::object& threshold, const py::object& ef,
                  const py::object& nprobe, const py::object& recall, const py::object& filter,
                  const py::object& exclude, const py::object& deadline_us, const py::object& threads,
                  const py::object& stats) {
          const auto index = held_by(self);
          return range_search(*index, queries, threshold, ef, nprobe, recall, filter, exclude, deadline_us, threads, stats);
        },
        py::name("range_search"), py::is_method(type), py::arg("queries"), py::arg("threshold"), py::kw_only(),
        py::arg("ef") = py::none(), py::arg("nprobe") = py::none(), py::arg("recall") = py::none(),
        py::arg("filter") = py::none(), py::arg("exclude") = py::none(), py::arg("deadline_us") = py::none(),
        py::arg("threads") = py::none(), py::arg("stats") = false, range_search_doc);
  };
  add("Index", search_method, [](const py::object& self) -> const Index* { return &index_of(self); }, docs::kRangeSearch);
  add("Serving", serving_search_method, [](const py::object& self) { return served_index(self); },
      docs::kServingRangeSearch);
}

}  // namespace segue::python
