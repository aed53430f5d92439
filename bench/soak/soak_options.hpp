#pragma once
// What a soak is told, with what it does by itself.

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "segue/live/live_options.hpp"
#include "soak/verdict.hpp"

namespace segue::bench {

struct SoakOptions {
  double seconds = 1200;
  double period = 10;              // seconds that a line of figures is about
  std::size_t items = 100'000, dim = 128, k = 10, ef = 100;
  double searches = 1000;          // a second, in the live index
  double serving_searches = 250;   // a second, in the Serving
  double updates = 500;            // a second: upserts of items there are, removals, and new items, as many as removals
  std::size_t searchers = 2, writers = 4;  // threads; one more searches in the Serving
  double snapshot_every = 60;      // seconds; each is swapped into the Serving
  std::size_t checked = 50;        // queries a period whose recall is counted
  Durability durability = Durability::kBatch;
  std::string directory;           // a new one; empty: in that for temporary files
  std::string out;                 // a file for the figures as lines of JSON; empty: none
  SoakLimits limits;
};

// Ends the program with a word about what it does not understand.
inline SoakOptions parse_options(int count, char** values) {
  SoakOptions o;
  double slack_mb = static_cast<double>(o.limits.growth_bytes) / (1 << 20);
  bool warm_up_given = false;
  for (int i = 1; i < count; ++i) {
    const std::string_view name = values[i];
    const auto refuse = [&](const char* why) {
      std::fprintf(stderr, "soak: %s: %s; bench/soak/soak_options.hpp has what there is\n", values[i], why);
      std::exit(2);
    };
    if (i + 1 == count) refuse("wants a value behind it");
    const std::string value = values[i + 1];
    const auto number = [&] {
      char* end = nullptr;
      const double parsed = std::strtod(value.c_str(), &end);
      if (value.empty() || *end != '\0') refuse("wants a number");
      return parsed;
    };
    const auto whole = [&] {
      const double parsed = number();
      if (!(parsed >= 1 && parsed <= 1e9)) refuse("wants a number from 1 on");
      return static_cast<std::size_t>(parsed);
    };
    const auto positive = [&] {
      const double parsed = number();
      if (!(parsed > 0 && parsed <= 1e9)) refuse("wants a number above 0");
      return parsed;
    };
    if (name == "--seconds") o.seconds = positive();
    else if (name == "--period") o.period = positive();
    else if (name == "--items") o.items = whole();
    else if (name == "--dim") o.dim = whole();
    else if (name == "--k") o.k = whole();
    else if (name == "--ef") o.ef = whole();
    else if (name == "--searches") o.searches = positive();
    else if (name == "--serving-searches") o.serving_searches = positive();
    else if (name == "--updates") o.updates = positive();
    else if (name == "--searchers") o.searchers = whole();
    else if (name == "--writers") o.writers = whole();
    else if (name == "--snapshot-every") o.snapshot_every = positive();
    else if (name == "--checked") o.checked = whole();
    else if (name == "--directory") o.directory = value;
    else if (name == "--out") o.out = value;
    else if (name == "--warm-up") o.limits.warm_up = number(), warm_up_given = true;
    else if (name == "--growth") o.limits.growth = number();
    else if (name == "--growth-mb") slack_mb = number();
    else if (name == "--drift") o.limits.drift = number();
    else if (name == "--kept") o.limits.kept = number();
    else if (name == "--recall") o.limits.recall = number();
    else if (name == "--durability") {
      const Result<Durability> durability = parse_durability(value);
      if (!durability.ok()) refuse(durability.status().message().c_str());
      o.durability = *durability;
    } else {
      refuse("is no option");
    }
    ++i;
  }
  o.limits.searches = o.searches;
  o.limits.serving_searches = o.serving_searches;
  o.limits.updates = o.updates;
  o.limits.growth_bytes = static_cast<std::uint64_t>(slack_mb * (1 << 20));
  if (!warm_up_given) o.limits.warm_up = o.seconds / 5;
  return o;
}

}  // namespace segue::bench
