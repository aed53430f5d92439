// The compiled half of segue/_files.py.

#include "arguments.hpp"
#include "binding.hpp"
#include "errors.hpp"
#include "gil.hpp"
#include "segue/file.hpp"

namespace py = pybind11;

namespace segue::python {
namespace {

py::object load_file(const py::object& path, const py::object& mmap, const py::object& verify) {
  const std::string source = to_path(path);
  const LoadOptions options{.mmap = to_bool(mmap, "mmap"), .verify = to_bool(verify, "verify")};
  Result<std::unique_ptr<Index>> index = without_gil([&] { return segue::load(source, options); });
  if (!index.ok()) raise_file(index.status());
  return adopt(*std::move(index));
}

py::tuple inspect_file(const py::object& path) {
  const std::string source = to_path(path);
  const Result<FileInfo> info = without_gil([&] { return segue::inspect(source); });
  if (!info.ok()) raise_file(info.status());
  py::list sections;
  for (const FileSection& s : info->sections) sections.append(py::make_tuple(s.name, s.offset, s.bytes, s.checksum));
  const py::tuple fields =
      py::make_tuple(info->format_version, info->kind, segue::to_string(info->metric),
                     segue::to_string(info->storage), info->dim, info->size, info->bytes);
  return py::make_tuple(fields, sections);
}

void verify_file(const py::object& path) {
  const std::string source = to_path(path);
  const Status status = without_gil([&] { return segue::verify(source); });
  if (!status.ok()) raise_file(status);
}

}  // namespace

void bind_files(py::module_& module) {
  module.def("_load", &load_file, py::arg("path"), py::arg("mmap"), py::arg("verify"));
  module.def("_inspect", &inspect_file, py::arg("path"));
  module.def("_verify", &verify_file, py::arg("path"));
}

}  // namespace segue::python
