#include "draw_curve.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "fit_text.hpp"

namespace playlists {
namespace {

constexpr double kLeft = 84, kRight = 726, kTop = 88, kBottom = 404;
constexpr const char* kIndexColour = "#1f6feb";
constexpr const char* kExactColour = "#bc4c00";

constexpr const char* kHead = R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 470" width="760" height="470"
     font-family="Helvetica, Arial, DejaVu Sans, sans-serif" font-size="13" fill="#1f2328">
<style>.grid { stroke: #d8dee4 } .axis { stroke: #59636e } .quiet { fill: #59636e }</style>
<rect width="760" height="470" fill="white"/>
)";

// The largest of ..., 1, 2, 5, 10, 20, 50, ... that is at most `value`, and the smallest that is at least it.
double round_down(double value) {
  const double base = std::pow(10, std::floor(std::log10(value)));
  return base * (value >= 5 * base ? 5 : value >= 2 * base ? 2 : 1);
}

double round_up(double value) {
  const double down = round_down(value);
  return down == value ? value : round_down(down * 2.5);
}

// From figures to the page: recall on a linear axis from just below the worst point to 1, speed on a logarithmic one
// with lines at 1, 2 and 5.
class Axes {
 public:
  explicit Axes(const std::vector<CurvePoint>& points) {
    double worst = 1, slowest = 1e18, fastest = 1;
    for (const CurvePoint& p : points) {
      worst = std::min(worst, p.recall);
      slowest = std::min(slowest, p.queries_per_second);
      fastest = std::max(fastest, p.queries_per_second);
    }
    // Four to eight steps, none finer than three digits after the point.
    step_ = std::max(0.002, round_up((1 - worst) / 8));
    lowest_ = std::max(0.0, 1 - std::ceil((1 - worst) / step_ + 0.6) * step_);
    slowest_ = round_down(slowest * 0.9);
    fastest_ = round_up(fastest * 1.1);
  }

  double x(double recall) const { return kLeft + (kRight - kLeft) * (recall - lowest_) / (1 - lowest_); }
  double y(double speed) const {
    return kBottom - (kBottom - kTop) * std::log(speed / slowest_) / std::log(fastest_ / slowest_);
  }
  double lowest() const { return lowest_; }
  double step() const { return step_; }
  double slowest() const { return slowest_; }
  double fastest() const { return fastest_; }

 private:
  double lowest_ = 0, step_ = 0.1, slowest_ = 1, fastest_ = 10;
};

std::string number(double value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

void line(std::ostream& svg, const char* kind, double x1, double y1, double x2, double y2) {
  svg << "<line class=\"" << kind << "\" x1=\"" << x1 << "\" y1=\"" << y1 << "\" x2=\"" << x2 << "\" y2=\"" << y2
      << "\"/>\n";
}

void label(std::ostream& svg, double x, double y, const std::string& text, const std::string& attributes = "") {
  svg << "<text x=\"" << x << "\" y=\"" << y << "\" " << attributes << '>' << text << "</text>\n";
}

void draw_axes(std::ostream& svg, const Axes& axes) {
  const int digits = axes.step() < 0.01 ? 3 : 2;
  const auto steps = static_cast<int>(std::lround((1 - axes.lowest()) / axes.step()));
  for (int i = 0; i <= steps; ++i) {
    const double recall = 1 - i * axes.step();
    line(svg, "grid", axes.x(recall), kTop, axes.x(recall), kBottom);
    label(svg, axes.x(recall), kBottom + 20, number(recall, digits), "text-anchor=\"middle\"");
  }
  for (double speed = axes.slowest(); speed <= axes.fastest() * 1.001; speed = round_up(speed * 1.01)) {
    line(svg, "grid", kLeft, axes.y(speed), kRight, axes.y(speed));
    label(svg, kLeft - 10, axes.y(speed) + 4, with_commas(static_cast<std::size_t>(std::llround(speed))),
          "text-anchor=\"end\"");
  }
  line(svg, "axis", kLeft, kBottom, kRight, kBottom);
  line(svg, "axis", kLeft, kTop, kLeft, kBottom);
  label(svg, (kLeft + kRight) / 2, kBottom + 46, "recall@10", "text-anchor=\"middle\"");
  label(svg, 22, (kTop + kBottom) / 2, "queries per second, one thread",
        "text-anchor=\"middle\" transform=\"rotate(-90 22 " + number((kTop + kBottom) / 2, 0) + ")\"");
}

void draw_points(std::ostream& svg, const Axes& axes, const std::vector<CurvePoint>& curve, const CurvePoint& exact) {
  svg << "<polyline fill=\"none\" stroke=\"" << kIndexColour << "\" stroke-width=\"2\" points=\"";
  for (const CurvePoint& p : curve) svg << axes.x(p.recall) << ',' << axes.y(p.queries_per_second) << ' ';
  svg << "\"/>\n";
  // Points come from fast to slow; a name is left out where it would run into the one before.
  double last_x = -1e9, last_y = -1e9;
  for (const CurvePoint& p : curve) {
    const double x = axes.x(p.recall), y = axes.y(p.queries_per_second);
    svg << "<circle cx=\"" << x << "\" cy=\"" << y << "\" r=\"4\" fill=\"" << kIndexColour << "\"/>\n";
    if (std::abs(x - last_x) < 48 && std::abs(y - last_y) < 15) continue;
    label(svg, x - 9, y + 15, p.label, "class=\"quiet\" font-size=\"11\" text-anchor=\"end\"");
    last_x = x, last_y = y;
  }
  const double x = axes.x(exact.recall), y = axes.y(exact.queries_per_second);
  svg << "<path d=\"M" << x << ' ' << y - 6 << "l6 6l-6 6l-6 -6z\" fill=\"" << kExactColour << "\"/>\n";
}

void draw_legend(std::ostream& svg) {
  const double x = kLeft + 18, y = kBottom - 44;
  svg << "<rect x=\"" << x - 8 << "\" y=\"" << y - 14 << "\" width=\"196\" height=\"46\" fill=\"white\"/>\n";
  svg << "<line x1=\"" << x << "\" y1=\"" << y << "\" x2=\"" << x + 24 << "\" y2=\"" << y << "\" stroke=\""
      << kIndexColour << "\" stroke-width=\"2\"/><circle cx=\"" << x + 12 << "\" cy=\"" << y << "\" r=\"4\" fill=\""
      << kIndexColour << "\"/>\n";
  label(svg, x + 32, y + 4, "HnswIndex, by ef");
  svg << "<path d=\"M" << x + 12 << ' ' << y + 14 << "l6 6l-6 6l-6 -6z\" fill=\"" << kExactColour << "\"/>\n";
  label(svg, x + 32, y + 24, "FlatIndex (exact)");
}

}  // namespace

segue::Status draw_curve(const std::string& path, const std::string& subtitle, const std::vector<CurvePoint>& curve,
                         const CurvePoint& exact) {
  std::vector<CurvePoint> all = curve;
  all.push_back(exact);
  const Axes axes(all);

  std::ostringstream svg;
  svg.precision(5);
  svg << kHead;
  label(svg, kLeft, 36, "Continuing playlists: recall against speed", "font-size=\"19\" font-weight=\"bold\"");
  label(svg, kLeft, 60, subtitle, "class=\"quiet\"");
  draw_axes(svg, axes);
  draw_points(svg, axes, curve, exact);
  draw_legend(svg);
  svg << "</svg>\n";

  std::ofstream file(path);
  file << svg.str() << std::flush;
  if (!file) return segue::io_error("cannot write " + path);
  return {};
}

}  // namespace playlists
