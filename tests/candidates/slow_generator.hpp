#pragma once
// The reference: what a generator has to answer, without a search, a table or a bound that saves work. Whole rankings
// are cut to what each pass asks for, blended in a map, sorted, and every place goes to the best of all that may have
// it.

#include <set>

#include "candidates/slow_sources.hpp"

namespace segue::test {

struct SlowItem {
  Id id = 0;
  double score = 0;
  std::vector<std::tuple<std::size_t, std::size_t, float>> proposed;  // source, rank, score
};

struct SlowList {
  std::vector<SlowItem> items;
  bool full = false;
  // Two are so near that float32 may order them the other way.
  bool ambiguous = false;
};

class SlowGenerator {
 public:
  // `sources` and `minimums` say the same as those of the options.
  SlowGenerator(const Shelf& shelf, const GeneratorOptions& options, std::vector<SlowSource> sources,
                std::vector<Allows> minimums)
      : shelf_(shelf), options_(options), sources_(std::move(sources)), minimums_(std::move(minimums)) {}

  SlowList generate(const Request& request, const Allows& allows) {
    k_ = request.k;
    list_ = {};
    const std::size_t m = sources_.size();
    std::size_t n = std::max(k_, options_.mmr ? (options_.mmr->pool + m - 1) / m : 0);
    std::vector<std::size_t> asked(minimums_.size(), 0);
    bool first_pass = true;
    for (bool again = true; again; first_pass = false) {
      again = false;
      proposed_.clear();
      for (const SlowSource& source : sources_) {
        SlowRanking all = source(allows);
        again |= all.ids.size() > n;
        check_gaps(all, n);
        proposed_.push_back(first(std::move(all), n));
      }
      for (bool more_of_quotas = true; more_of_quotas;) {
        more_of_quotas = false;
        std::vector<bool> more(minimums_.size(), true);
        for (std::size_t q = 0; q < minimums_.size(); ++q) {
          if (there(minimums_[q]) >= options_.minimums[q].at_least && asked[q] == 0) continue;
          asked[q] = std::max(asked[q], 4 * options_.minimums[q].at_least);
          more[q] = append(allows, minimums_[q], asked[q]);
        }
        blend();
        pick();
        for (std::size_t q = 0; q < minimums_.size(); ++q) {
          if (count(minimums_[q]) >= options_.minimums[q].at_least || !more[q]) continue;
          asked[q] = 4 * std::max(asked[q], options_.minimums[q].at_least);
          more_of_quotas = true;
        }
      }
      again &= taken_.size() < k_;
      // By what the first pass filled, twice over; from 1.5 to 4 times.
      const double filled = std::max<double>(1, static_cast<double>(taken_.size()));
      const double yield = 1 + 2 * static_cast<double>(k_ - taken_.size()) / filled;
      n = static_cast<std::size_t>(std::ceil((first_pass ? std::clamp(yield, 1.5, 4.0) : 4.0) * static_cast<double>(n)));
    }
    if (!options_.mmr && options_.blend != Blend::kShares) std::sort(taken_.begin(), taken_.end());
    for (const std::size_t i : taken_) list_.items.push_back(pool_[i]);
    list_.full = taken_.size() == k_;
    return list_;
  }

 private:
  static SlowRanking first(SlowRanking ranking, std::size_t n) {
    ranking.ids.resize(std::min(n, ranking.ids.size()));
    if (!ranking.scores.empty()) ranking.scores.resize(ranking.ids.size());
    return ranking;
  }

  void check_gaps(const SlowRanking& all, std::size_t n) {
    for (std::size_t i = 1; i < std::min(n + 1, all.scores.size()); ++i) {
      const double a = all.scores[i - 1], b = all.scores[i];
      list_.ambiguous |= std::abs(a - b) < 3e-6 * (1 + std::abs(a));
    }
  }

  std::size_t there(const Allows& matches) const {
    std::set<Id> ids;
    for (const SlowRanking& ranking : proposed_) {
      for (const Id id : ranking.ids) {
        if (matches(id)) ids.insert(id);
      }
    }
    return ids.size();
  }
  std::size_t count(const Allows& matches) const {
    return static_cast<std::size_t>(
        std::count_if(taken_.begin(), taken_.end(), [&](std::size_t i) { return matches(pool_[i].id); }));
  }

  // The best n of each that match as well, behind what it proposed of itself. Whether one has more.
  bool append(const Allows& allows, const Allows& matches, std::size_t n) {
    bool more = false;
    for (std::size_t s = 0; s < sources_.size(); ++s) {
      SlowRanking& own = proposed_[s];
      SlowRanking all = sources_[s]([&](Id id) { return allows(id) && matches(id); });
      more |= all.ids.size() > n;
      check_gaps(all, n);
      all = first(std::move(all), n);
      for (std::size_t i = 0; i < all.ids.size(); ++i) {
        if (std::find(own.ids.begin(), own.ids.end(), all.ids[i]) != own.ids.end()) continue;
        own.ids.push_back(all.ids[i]);
        if (!all.scores.empty()) own.scores.push_back(all.scores[i]);
      }
      order(own);
    }
    return more;
  }
  // By score, where there are any: what one quota brought in may be better than what another did.
  static void order(SlowRanking& own) {
    if (own.scores.empty()) return;
    std::vector<std::size_t> by(own.ids.size());
    std::iota(by.begin(), by.end(), std::size_t{0});
    std::stable_sort(by.begin(), by.end(), [&](std::size_t a, std::size_t b) {
      return own.larger_is_better ? own.scores[a] > own.scores[b] : own.scores[a] < own.scores[b];
    });
    const SlowRanking was = own;
    for (std::size_t i = 0; i < by.size(); ++i) {
      own.ids[i] = was.ids[by[i]];
      own.scores[i] = was.scores[by[i]];
    }
  }

  static double worth(const SlowRanking& ranking, std::size_t i) {
    const auto n = static_cast<double>(ranking.ids.size());
    if (ranking.scores.empty()) return 1 - static_cast<double>(i) / n;
    const double best = ranking.scores.front(), last = ranking.scores.back();
    return best == last ? 1 : 1 / n + (1 - 1 / n) * ((static_cast<double>(ranking.scores[i]) - last) / (best - last));
  }

  void blend() {
    std::map<Id, SlowItem> merged;
    for (std::size_t s = 0; s < proposed_.size(); ++s) {
      const SlowRanking& ranking = proposed_[s];
      for (std::size_t i = 0; i < ranking.ids.size(); ++i) {
        SlowItem& item = merged[ranking.ids[i]];
        item.id = ranking.ids[i];
        const double own =
            options_.blend == Blend::kReciprocalRank ? 1 / (61 + static_cast<double>(i)) : worth(ranking, i);
        item.score += static_cast<double>(options_.sources[s].weight) * own;
        item.proposed.emplace_back(s, i, ranking.scores.empty() ? std::nanf("") : ranking.scores[i]);
      }
    }
    pool_.clear();
    for (auto& [id, item] : merged) pool_.push_back(move(item));
    std::stable_sort(pool_.begin(), pool_.end(),
                     [](const SlowItem& a, const SlowItem& b) { return a.score > b.score; });
    for (std::size_t i = 1; i < pool_.size(); ++i) {
      const double gap = pool_[i - 1].score - pool_[i].score;
      list_.ambiguous |= gap > 0 && gap < 1e-6;
    }
  }

  // Freshness and popularity.
  SlowItem move(SlowItem item) const {
    const ShelfItem* row = shelf_.row(item.id);
    if (const auto& f = options_.freshness) {
      double fresh = 0;
      if (row != nullptr && row->released) {
        const double age = std::max(0.0, static_cast<double>(f->now - *row->released) / 86400);
        fresh = std::exp2(-age / f->half_life_days);
      }
      item.score *= 1 - f->weight + f->weight * fresh;
    }
    if (const auto& p = options_.popularity) {
      item.score -= p->strength * std::log(std::max(1.0, row == nullptr ? 1.0 : row->plays.value_or(1.0)));
    }
    return item;
  }

  bool fits(std::size_t i) const {
    for (const GroupCap& cap : options_.caps) {
      for (const std::string& group : shelf_.groups(cap.column, pool_[i].id)) {
        if (of_group_.count(cap.column + "=" + group) != 0 && of_group_.at(cap.column + "=" + group) >= cap.at_most)
          return false;
      }
    }
    return true;
  }
  // As many places are left as minimums still want, or this is one that they want.
  bool may_take(std::size_t i) const {
    std::size_t before = 0, after = 0;
    for (std::size_t q = 0; q < needs_.size(); ++q) {
      before += needs_[q];
      after += needs_[q] - (needs_[q] > 0 && minimums_[q](pool_[i].id) ? 1 : 0);
    }
    return fits(i) && (after < before || after + taken_.size() < k_);
  }
  bool is_taken(std::size_t i) const { return std::find(taken_.begin(), taken_.end(), i) != taken_.end(); }
  void take(std::size_t i) {
    taken_.push_back(i);
    for (const GroupCap& cap : options_.caps) {
      for (const std::string& group : shelf_.groups(cap.column, pool_[i].id)) ++of_group_[cap.column + "=" + group];
    }
    for (std::size_t q = 0; q < needs_.size(); ++q) needs_[q] -= needs_[q] > 0 && minimums_[q](pool_[i].id) ? 1 : 0;
  }

  void pick() {
    taken_.clear();
    of_group_.clear();
    needs_.clear();
    for (std::size_t q = 0; q < minimums_.size(); ++q)
      needs_.push_back(std::min(options_.minimums[q].at_least, there(minimums_[q])));
    if (options_.mmr) pick_diverse();
    if (!options_.mmr && options_.blend == Blend::kShares) return pick_in_turns();
    for (const bool strict : {true, false}) {
      for (std::size_t i = 0; i < pool_.size() && taken_.size() < k_; ++i) {
        if (!is_taken(i) && (strict ? may_take(i) : fits(i))) take(i);
      }
    }
  }

  void pick_in_turns() {
    double all = 0, open = 0;
    for (const SourceSpec& s : options_.sources) {
      all += static_cast<double>(s.share);
      open += s.share == 0 ? 1 : 0;
    }
    for (const bool strict : {true, false}) {
      std::vector<std::size_t> next(sources_.size(), 0);
      std::vector<double> has(sources_.size(), 0);
      while (taken_.size() < k_) {
        std::size_t turn = sources_.size();
        double least = 1e300;
        for (std::size_t s = 0; s < sources_.size(); ++s) {
          double share = static_cast<double>(options_.sources[s].share);
          if (share == 0) share = std::max(0.0, 1 - all) / open;
          const double waits = share > 0 ? (has[s] + 1) / share : 1e299;
          if (next[s] == proposed_[s].ids.size() || waits >= least) continue;
          least = waits;
          turn = s;
        }
        if (turn == sources_.size()) break;
        const Id id = proposed_[turn].ids[next[turn]++];
        const auto i = static_cast<std::size_t>(
            std::find_if(pool_.begin(), pool_.end(), [&](const SlowItem& p) { return p.id == id; }) - pool_.begin());
        if (is_taken(i) || !(strict ? may_take(i) : fits(i))) continue;
        take(i);
        ++has[turn];
      }
    }
  }

  double cosine(Id a, Id b) const {
    if (shelf_.at.count(a) == 0 || shelf_.at.count(b) == 0) return 0;
    double ab = 0, aa = 0, bb = 0;
    for (std::size_t j = 0; j < Shelf::kDim; ++j) {
      const double x = shelf_.vector(a)[j], y = shelf_.vector(b)[j];
      ab += x * y;
      aa += x * x;
      bb += y * y;
    }
    return ab / std::sqrt(aa * bb);
  }

  // Carbonell & Goldstein, place by place, over the best of the pool and what minimums want.
  void pick_diverse() {
    std::vector<std::size_t> looked_at;
    for (std::size_t i = 0; i < pool_.size(); ++i) {
      bool wanted = i < std::max(options_.mmr->pool, k_);
      for (const Allows& matches : minimums_) wanted |= matches(pool_[i].id);
      if (wanted) looked_at.push_back(i);
    }
    if (looked_at.empty()) return;
    const double lambda = options_.mmr->lambda, high = pool_[looked_at.front()].score,
                 low = pool_[looked_at.back()].score;
    const auto marginal = [&](std::size_t i) {
      double nearest = taken_.empty() ? 0 : -1;
      for (const std::size_t t : taken_) nearest = std::max(nearest, cosine(pool_[i].id, pool_[t].id));
      return lambda * (high == low ? 1 : (pool_[i].score - low) / (high - low)) - (1 - lambda) * nearest;
    };
    for (const bool strict : {true, false}) {
      while (taken_.size() < k_) {
        double most = -1e300, second = -1e300;
        std::size_t best = pool_.size();
        for (const std::size_t i : looked_at) {
          if (is_taken(i) || !(strict ? may_take(i) : fits(i))) continue;
          const double m = marginal(i);
          second = std::max(second, std::min(m, most));
          if (m > most) best = i;
          most = std::max(most, m);
        }
        if (best == pool_.size()) break;
        list_.ambiguous |= most - second < 1e-5 && !(taken_.empty() && most == second);
        take(best);
      }
    }
  }

  const Shelf& shelf_;
  const GeneratorOptions& options_;
  std::vector<SlowSource> sources_;
  std::vector<Allows> minimums_;
  std::size_t k_ = 0;
  SlowList list_;
  std::vector<SlowRanking> proposed_;
  std::vector<SlowItem> pool_;
  std::vector<std::size_t> taken_;  // positions in the pool
  std::vector<std::size_t> needs_;  // of each minimum
  std::map<std::string, std::size_t> of_group_;
};

}  // namespace segue::test
