#pragma once
// A list of classes for people to judge.

#include "classes/make_classes.hpp"
#include "segue/segue.hpp"

namespace classes {

// A row a class, in the order of the list; a star behind the music that the member takes most.
void print_classes(const Catalogue& catalogue, const Member& member, const segue::Candidates& found);

}  // namespace classes
