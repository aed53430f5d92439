#pragma once
// The columns that filters, caps and freshness look at.

#include <memory>
#include <vector>

#include "classes/make_classes.hpp"
#include "segue/segue.hpp"

namespace classes {

// discipline, instructor, difficulty and music (categories), minutes (integer), published (date); ids are places.
segue::Result<std::shared_ptr<segue::Catalog>> make_catalog(const std::vector<Class>& classes);

}  // namespace classes
