// The module segue._segue: everything of the package that is C++. segue/__init__.py gives it its public face.

#include <pybind11/pybind11.h>

#include "arrays.hpp"
#include "binding.hpp"
#include "errors.hpp"
#include "search_arguments.hpp"

namespace py = pybind11;

PYBIND11_MODULE(_segue, module) {
  using namespace segue::python;
  module.doc() = "The compiled part of segue.";
  // Docstrings bring their own signatures, in Python's words.
  py::options options;
  options.disable_function_signatures();
  init_errors();
  init_arrays();
  init_search_arguments();
  bind_id_set(module);
  bind_index(module);
  bind_serving(module);
  bind_search(module);
  bind_catalog(module);
  bind_candidates(module);
  bind_files(module);
  bind_live(module);
  bind_metrics(module);
  bind_build(module);
  bind_build_file(module);
  bind_tune(module);
  module.attr("__version__") = SEGUE_VERSION;
}
