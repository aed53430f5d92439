// Expression and _Catalog, the compiled half of segue/_catalog.py and segue/_expression.py.

#include <pybind11/stl.h>

#include <algorithm>

#include "arguments.hpp"
#include "arrays.hpp"
#include "binding.hpp"
#include "docs_catalog.hpp"
#include "errors.hpp"
#include "gil.hpp"
#include "immortal.hpp"
#include "segue/catalog.hpp"
#include "segue/live/live_index.hpp"

namespace py = pybind11;

namespace segue::python {
namespace {

PyObject* wrap_catalog = nullptr;
PyObject* catalog_class = nullptr;

// segue/_expression.py has made one of these four of it.
Literal to_literal(const py::handle& value) {
  if (py::isinstance<py::bool_>(value)) return value.cast<bool>();
  if (py::isinstance<py::float_>(value)) return value.cast<double>();
  if (py::isinstance<py::str>(value)) return value.cast<std::string>();
  return static_cast<std::int64_t>(value.cast<long long>());
}

Expression make_leaf(const std::string& form, const std::string& name, const py::list& values) {
  std::vector<Literal> literals;
  for (const py::handle value : values) literals.push_back(to_literal(value));
  const Field column(name);
  if (form == "in") return column.isin(std::move(literals));
  if (form == "missing") return column.is_missing();
  if (form == "between") return column.between(literals.at(0), literals.at(1));
  if (form == "has") return column.contains(literals.at(0));
  constexpr std::string_view kForms[] = {"==", "!=", "<", "<=", ">", ">="};
  const auto found = std::find(std::begin(kForms), std::end(kForms), form);
  if (found == std::end(kForms)) raise_invalid("no such comparison: " + form);
  return column.compare(static_cast<Comparison>(found - std::begin(kForms)), literals.at(0));
}

template <class T>
std::vector<T> to_vector(const py::handle& array) {
  if (array.is_none()) return {};
  const auto values = array.cast<py::array_t<T, py::array::c_style | py::array::forcecast>>();
  return {values.data(), values.data() + values.size()};
}

// (name, type, numbers, reals, offsets, words, missing), None for what the type has not.
ColumnData to_column(const py::tuple& parts) {
  ColumnData data;
  data.name = parts[0].cast<std::string>();
  data.type = take(parse_column_type(parts[1].cast<std::string>()));
  data.numbers = to_vector<std::int64_t>(parts[2]);
  data.reals = to_vector<double>(parts[3]);
  data.offsets = to_vector<std::size_t>(parts[4]);
  if (!parts[5].is_none()) data.words = parts[5].cast<std::vector<std::string>>();
  data.missing = to_vector<std::uint8_t>(parts[6]);
  return data;
}

// What came, kept for the call.
struct Rows {
  Rows(const py::list& columns, const py::object& ids, const py::object& keys) {
    for (const py::handle column : columns) data.push_back(to_column(column.cast<py::tuple>()));
    if (!ids.is_none()) given_ids = to_ids(ids, "ids");
    if (!keys.is_none()) given_keys = keys.cast<std::vector<std::string>>();
  }
  RowNames names() const { return {given_ids.ids, given_keys}; }

  std::vector<ColumnData> data;
  IdInput given_ids;
  std::vector<std::string> given_keys;
};

std::shared_ptr<Catalog> create(const py::list& columns, const py::object& ids, const py::object& keys) {
  const Rows rows(columns, ids, keys);
  return python::take(without_gil([&] { return Catalog::create(rows.data, rows.names()); }));
}

void append(Catalog& catalog, const py::list& columns, const py::object& ids, const py::object& keys) {
  const Rows rows(columns, ids, keys);
  check(without_gil([&] { return catalog.append(rows.data, rows.names()); }));
}

void upsert(Catalog& catalog, const py::list& columns, const py::object& ids, const py::object& keys) {
  const Rows rows(columns, ids, keys);
  check(without_gil([&] { return catalog.upsert(rows.data, rows.names()); }));
}

py::tuple take_column(const Catalog& catalog, const py::object& ids, const std::string& name) {
  const IdInput input = to_ids(ids, "ids");
  ColumnData data = python::take(without_gil([&] { return catalog.take(input.ids, name); }));
  std::vector<std::int64_t> offsets(data.offsets.begin(), data.offsets.end());
  return py::make_tuple(segue::to_string(data.type), own(std::move(data.numbers)), own(std::move(data.reals)),
                        own(std::move(offsets)), data.words, own(std::move(data.missing)), input.single);
}

IdSet select(const Catalog& catalog, const py::object& filter) {
  if (py::isinstance<Expression>(filter)) {
    const auto& expression = filter.cast<const Expression&>();
    return python::take(without_gil([&] { return catalog.select(expression); }));
  }
  if (!py::isinstance<py::str>(filter)) {
    raise_invalid("filter is " + describe(filter) + ", expected an expression or its text");
  }
  const auto text = filter.cast<std::string>();
  return python::take(without_gil([&] { return catalog.select(text); }));
}

py::object get_catalog(const py::object& self) {
  const Index& index = index_of(self);
  std::shared_ptr<Catalog> catalog = without_gil([&] { return index.catalog(); });
  if (catalog == nullptr) return py::none();
  return py::reinterpret_borrow<py::object>(wrap_catalog)(py::cast(catalog));
}

void set_catalog(const py::object& self, const py::object& catalog) {
  Index& index = index_of(self);
  std::shared_ptr<Catalog> core;
  if (!catalog.is_none()) {
    if (!py::isinstance(catalog, py::handle(catalog_class))) {
      raise_invalid("catalog is " + describe(catalog) + ", expected a segue.Catalog or None");
    }
    core = catalog.attr("_core").cast<std::shared_ptr<Catalog>>();
  }
  check(without_gil([&]() -> Status {
    if (auto* live = dynamic_cast<LiveIndex*>(&index)) return live->replace_catalog(core);
    index.set_catalog(core);
    return {};
  }));
}

}  // namespace

void bind_catalog(py::module_& module) {
  using py::arg;
  py::class_<Expression> expression(module, "Expression", docs::kExpression);
  expression
      .def(
          "__and__", [](const Expression& a, const Expression& b) { return a & b; }, py::is_operator(), arg("other"),
          "__and__(self, other, /)\n--\n\nWhere both match.")
      .def(
          "__or__", [](const Expression& a, const Expression& b) { return a | b; }, py::is_operator(), arg("other"),
          "__or__(self, other, /)\n--\n\nWhere either matches.")
      .def(
          "__invert__", [](const Expression& a) { return ~a; },
          "__invert__(self)\n--\n\nWhere it does not match, missing values included.")
      .def(
          "__eq__", [](const Expression& a, const Expression& b) { return a.normal_text() == b.normal_text(); },
          py::is_operator(), arg("other"), "__eq__(self, other, /)\n--\n\nWhether both say the same.")
      .def(
          "__bool__",
          [](const Expression&) -> bool {
            throw py::type_error(
                "an expression is neither true nor false: join with & | ~ instead of and, or, not, each comparison in "
                "brackets, and write between(1, 5) for 1 <= x <= 5");
          },
          "__bool__(self)\n--\n\nRaises: an expression is neither true nor false.")
      .def("__str__", &Expression::to_string, "__str__(self)\n--\n\nThe text that parse_filter understands.")
      .def(
          "__repr__", [](const Expression& e) { return "Expression(" + e.to_string() + ")"; }, "__repr__(self)\n--\n\n")
      .def(
          "__reduce__",
          [](const Expression& e) {
            const py::object parse = py::module_::import("segue._segue").attr("parse_filter");
            return py::make_tuple(parse, py::make_tuple(e.to_string()));
          },
          "__reduce__(self)\n--\n\n");
  expression.attr("__hash__") = py::none();

  module.def(
      "parse_filter", [](const py::object& text) { return python::take(parse_expression(to_string(text, "text"))); },
      arg("text"), docs::kParseFilter);
  module.def("_leaf", &make_leaf, arg("form"), arg("name"), arg("values"));

  py::class_<Catalog, std::shared_ptr<Catalog>>(module, "_Catalog")
      .def_static("create", &create, arg("columns"), arg("ids"), arg("keys"))
      .def("append", &append, arg("columns"), arg("ids"), arg("keys"))
      .def("upsert", &upsert, arg("columns"), arg("ids"), arg("keys"))
      .def(
          "remove",
          [](Catalog& catalog, const py::object& ids) {
            const IdInput input = to_ids(ids, "ids");
            return python::take(without_gil([&] { return catalog.remove(input.ids); }));
          },
          arg("ids"))
      .def("size", [](const Catalog& c) { return without_gil([&] { return c.size(); }); })
      .def("has_keys", [](const Catalog& c) { return without_gil([&] { return c.has_keys(); }); })
      .def("columns",
           [](const Catalog& c) {
             std::vector<std::pair<std::string, std::string>> all;
             for (const ColumnSpec& spec : without_gil([&] { return c.columns(); })) {
               all.emplace_back(spec.name, segue::to_string(spec.type));
             }
             return all;
           })
      .def(
          "contains",
          [](const Catalog& c, const py::object& id) {
            const Id wanted = to_id(id);
            return wanted != kMissingId && without_gil([&] { return c.contains(wanted); });
          },
          arg("id"))
      .def("ids", [](const Catalog& c) { return own(without_gil([&] { return c.ids(); })); })
      .def(
          "find", [](const Catalog& c, const std::string& key) { return without_gil([&] { return c.find(key); }); },
          arg("key"))
      .def(
          "find_all",
          [](const Catalog& c, const std::vector<std::string>& keys) {
            return own(python::take(without_gil([&] { return c.find(keys); })));
          },
          arg("keys"))
      .def(
          "keys",
          [](const Catalog& c, const py::object& ids) {
            const IdInput input = to_ids(ids, "ids");
            return python::take(without_gil([&] { return c.keys(input.ids); }));
          },
          arg("ids"))
      .def("take", &take_column, arg("ids"), arg("column"))
      .def("select", &select, arg("filter"))
      .def("memory_usage", [](const Catalog& c) { return without_gil([&] { return c.memory_usage(); }); })
      .def("validate", [](const Catalog& c) { check(without_gil([&] { return c.validate(); })); });

  // Called by segue/_catalog.py once its class is there.
  module.def(
      "_use_catalog_class",
      [](const py::object& type) {
        catalog_class = py::object(type).release().ptr();
        wrap_catalog = immortal(type, "_wrap");
      },
      arg("type"));

  const py::object index = module.attr("Index");
  index.attr("catalog") =
      py::module_::import("builtins")
          .attr("property")(py::cpp_function(&get_catalog, py::is_method(index)),
                            py::cpp_function(&set_catalog, py::is_method(index)), py::none(), docs::kIndexCatalog);
}

}  // namespace segue::python
