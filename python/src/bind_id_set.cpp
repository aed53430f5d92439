// IdSet.

#include <pybind11/operators.h>

#include <algorithm>

#include "arguments.hpp"
#include "arrays.hpp"
#include "binding.hpp"
#include "docs.hpp"
#include "errors.hpp"
#include "gil.hpp"
#include "segue/filter.hpp"

namespace py = pybind11;

namespace segue::python {
namespace {

constexpr std::size_t kShownIds = 6;

IdSet from_ids(const py::object& ids) {
  const IdInput input = to_ids(ids, "ids");
  return take(without_gil([&] { return IdSet::from_ids(input.ids); }));
}

IdSet from_mask(const py::object& mask) {
  auto array = py::module_::import("segue._arrays").attr("as_mask")(mask, "mask").cast<py::array>();
  const std::span bytes{static_cast<const std::uint8_t*>(array.data()), std::size_t(array.size())};
  return without_gil([&] { return IdSet::from_mask(bytes); });
}

std::string repr(const IdSet& set) {
  const std::size_t listed = set.listed();
  std::string text = set.is_complement() ? "IdSet(all but " : "IdSet(";
  text += std::to_string(listed) + (listed == 1 ? " id" : " ids");
  if (listed == 0) return text + ")";
  const std::vector<Id> ids = set.listed_ids();
  for (std::size_t i = 0; i < std::min(listed, kShownIds); ++i) text += (i == 0 ? ": " : ", ") + std::to_string(ids[i]);
  return text + (listed > kShownIds ? ", ...)" : ")");
}

bool contains(const IdSet& set, const py::object& id) {
  const Id wanted = to_id(id);
  return wanted != kMissingId && set.contains(wanted);
}

py::tuple reduce(const py::object& self) {
  const auto& set = self.cast<const IdSet&>();
  py::object restore = py::module_::import("segue._segue").attr("_restore_id_set");
  return py::make_tuple(restore, py::make_tuple(own(set.listed_ids()), set.is_complement()));
}

}  // namespace

void bind_id_set(py::module_& module) {
  py::class_<IdSet> type(module, "IdSet", docs::kIdSet);
  type.def(py::init(&from_ids), py::arg("ids") = py::tuple(), docs::kIdSetInit)
      .def_static("from_mask", &from_mask, py::arg("mask"), docs::kIdSetFromMask)
      .def("ids", [](const IdSet& set) { return own(set.listed_ids()); }, docs::kIdSetIds)
      .def_property_readonly("is_complement", &IdSet::is_complement, docs::kIdSetIsComplement)
      .def("memory_usage", &IdSet::memory_usage, docs::kIdSetMemoryUsage)
      .def("__contains__", &contains, py::arg("id"), "__contains__(self, id, /)\n--\n\nWhether id is in the set.")
      .def("__len__", &IdSet::listed, "__len__(self)\n--\n\nHow many ids are listed; of a complement, left out.")
      .def("__bool__", [](const IdSet& set) { return set.is_complement() || set.listed() != 0; },
           "__bool__(self)\n--\n\nFalse for the empty set.")
      .def("__repr__", &repr, "__repr__(self)\n--\n\n")
      .def("__invert__", [](const IdSet& set) { return ~set; }, "__invert__(self)\n--\n\nEvery id but these.")
      .def("__and__", [](const IdSet& a, const IdSet& b) { return without_gil([&] { return a & b; }); },
           py::is_operator(), py::arg("other"), "__and__(self, other, /)\n--\n\nThe ids in both.")
      .def("__or__", [](const IdSet& a, const IdSet& b) { return without_gil([&] { return a | b; }); },
           py::is_operator(), py::arg("other"), "__or__(self, other, /)\n--\n\nThe ids in either.")
      .def("__eq__", [](const IdSet& a, const IdSet& b) { return a == b; }, py::is_operator(), py::arg("other"),
           "__eq__(self, other, /)\n--\n\nWhether both hold the same ids.")
      .def("__reduce__", &reduce, "__reduce__(self)\n--\n\n");
  type.attr("__hash__") = py::none();

  module.def("_restore_id_set", [](const py::object& ids, bool complement) {
    IdSet set = from_ids(ids);
    return complement ? ~set : set;
  });
}

}  // namespace segue::python
