#pragma once
// A strict reader of the text format of Prometheus 0.0.4, for tests: it takes what the specification allows, in the one way
// in which to_prometheus() should write it, and fails on all else.

#include <gtest/gtest.h>

#include <cctype>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace segue::test {

using LabelMap = std::map<std::string, std::string>;

struct Family {
  std::string type, help;
  std::vector<std::pair<std::pair<std::string, LabelMap>, double>> samples;  // ((name, labels), value), in their order
};

class PrometheusReader {
 public:
  explicit PrometheusReader(const std::string& page) : page_(page) {
    while (at_ < page_.size() && !failed_) line();
  }
  bool failed() const { return failed_; }
  const std::map<std::string, Family>& families() const { return families_; }
  double value(const std::string& name, const LabelMap& labels) const {
    for (const auto& [family_name, family] : families_) {
      for (const auto& [key, number] : family.samples) {
        if (key.first == name && key.second == labels) return number;
      }
    }
    ADD_FAILURE() << "no sample " << name;
    return -1;
  }

 private:
  void fail(const std::string& what) {
    failed_ = true;
    ADD_FAILURE() << what << " at byte " << at_ << ": " << page_.substr(at_, 80);
  }
  bool eat(const std::string& text) {
    if (page_.compare(at_, text.size(), text) != 0) return false;
    at_ += text.size();
    return true;
  }
  std::string name(bool colons) {
    const std::size_t from = at_;
    const auto fits = [&](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || (colons && c == ':'); };
    while (at_ < page_.size() && fits(page_[at_])) ++at_;
    if (from == at_ || std::isdigit(static_cast<unsigned char>(page_[from]))) fail("no name");
    return page_.substr(from, at_ - from);
  }
  std::string rest() {
    const std::size_t end = page_.find('\n', at_);
    if (end == std::string::npos) {
      fail("a line without an end");
      return "";
    }
    const std::string text = page_.substr(at_, end - at_);
    at_ = end + 1;
    return text;
  }
  void line() {
    if (eat("# HELP ")) {
      current_ = name(true);
      if (families_.count(current_) != 0) fail("a family comes twice");
      if (!eat(" ")) fail("no help");
      families_[current_].help = rest();
    } else if (eat("# TYPE ")) {
      if (name(true) != current_ || !families_[current_].type.empty() || !eat(" ")) fail("TYPE does not follow its HELP");
      const std::string type = rest();
      if (!std::set<std::string>{"counter", "gauge", "histogram"}.count(type)) fail("unknown type " + type);
      families_[current_].type = type;
    } else {
      sample();
    }
  }
  void sample() {
    const std::string full = name(true);
    Family& family = families_[current_];
    const std::string ending = full.size() >= current_.size() ? full.substr(current_.size()) : "?";
    const bool histogram = family.type == "histogram";
    const std::set<std::string> endings = histogram ? std::set<std::string>{"_bucket", "_sum", "_count"} : std::set<std::string>{""};
    if (family.type.empty() || full.compare(0, current_.size(), current_) != 0 || !endings.count(ending)) {
      return fail("a sample that is not of the family " + current_);
    }
    if (family.type == "counter" && (full.size() < 6 || full.substr(full.size() - 6) != "_total")) fail("a counter's name");
    LabelMap labels;
    if (eat("{")) {
      do {
        const std::string label = name(false);
        if (!eat("=\"")) return fail("no value of a label");
        if (!labels.emplace(label, quoted()).second) return fail("a label comes twice");
      } while (eat(","));
      if (!eat("}")) return fail("labels do not end");
    }
    if ((ending == "_bucket") != (labels.count("le") == 1)) return fail("le belongs to buckets");
    if (!eat(" ")) return fail("no value");
    const std::string text = rest();
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0' || text[0] == ' ') return fail("no number: " + text);
    for (const auto& [key, other] : family.samples) {
      if (key.first == full && key.second == labels) return fail("a sample comes twice");
    }
    family.samples.push_back({{full, labels}, number});
  }
  std::string quoted() {
    std::string text;
    while (at_ < page_.size() && page_[at_] != '"') {
      if (page_[at_] == '\n') {
        fail("a line ends within a label");
        return text;
      }
      if (page_[at_] != '\\') {
        text += page_[at_++];
      } else if (eat("\\\\")) {
        text += '\\';
      } else if (eat("\\\"")) {
        text += '"';
      } else if (eat("\\n")) {
        text += '\n';
      } else {
        fail("an unknown escape");
        return text;
      }
    }
    ++at_;
    return text;
  }

  const std::string& page_;
  std::size_t at_ = 0;
  bool failed_ = false;
  std::string current_;
  std::map<std::string, Family> families_;
};

}  // namespace segue::test
