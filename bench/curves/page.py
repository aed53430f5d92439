"""One page of HTML with all sets, pictures inside: it can be mailed and opened anywhere."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from html import escape
from pathlib import Path

from .palette import look
from .points import Measured, Record, SetPoints
from .summary import HEADINGS, best_columns, cells, summarize, title

STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 1060px; padding: 32px 24px 64px; background: #fff; color: #1a1a1a;
       font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 8px; }
section { margin-top: 48px; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
p { margin: 6px 0; max-width: 75ch; }
.quiet { color: #555; font-size: 14px; }
nav { margin: 14px 0; } nav a { margin-right: 18px; }
a { color: #0057d9; }
img { width: 100%; height: auto; display: block; margin: 10px 0 8px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; width: 100%; }
th, td { padding: 4px 10px; text-align: right; white-space: nowrap; }
th { font-weight: 600; color: #444; border-bottom: 2px solid #ccc; }
td { border-bottom: 1px solid #eee; }
th:first-child, td:first-child { text-align: left; padding-left: 6px; }
tr.own { background: #f1f6ff; } tr.own td:first-child { font-weight: 700; }
td.best { font-weight: 700; }
.dot { display: inline-block; width: 10px; height: 10px; border-radius: 50%; margin-right: 8px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 3px 18px; font-size: 14px; margin: 8px 0; }
dt { color: #555; } dd { margin: 0; }
code { background: #f4f4f4; padding: 1px 5px; border-radius: 3px; font-size: 13px; overflow-wrap: anywhere; }
"""


def table(of_set: SetPoints) -> str:
    rows = summarize(of_set)
    lines = ["<tr>" + "".join(f'<th scope="col">{escape(heading)}</th>' for heading in HEADINGS) + "</tr>"]
    for row, won in zip(rows, best_columns(rows)):
        first, *rest = cells(row)
        dot = f'<span class="dot" style="background:{look(row.peer).colour}"></span>'
        body = "".join(f'<td{" class=best" if i in won else ""}>{escape(cell)}</td>' for i, cell in enumerate(rest, 1))
        lines.append(f'<tr{" class=own" if row.own else ""}><td>{dot}{escape(first)}</td>{body}</tr>')
    return f'<div class="wide"><table>{"".join(lines)}</table></div>'


def section(of_set: SetPoints, svg: Path) -> str:
    name, about = of_set.about["set"], of_set.about
    data = base64.b64encode(svg.read_bytes()).decode()
    left_out = "; ".join(f"{peer} ({why})" for peer, why in sorted(of_set.left_out.items()))
    return "\n".join([
        f'<section id="{escape(name)}"><h2 class="unseen">{escape(name)}</h2>',  # the picture has it
        f'<img alt="Queries a second over recall on {escape(name)}; the table below has the figures" '
        f'src="data:image/svg+xml;base64,{data}">',
        table(of_set),
        f'<p class="quiet">{escape(title(about))}; {about["queries"]:,} queries, the {about["k"]} best of each.</p>',
        f'<p class="quiet">Left out: {escape(left_out)}.</p>' if left_out else "",
        "</section>",
    ])


def machine(record: Record) -> str:
    versions = ", ".join(f"{package} {version}" for package, version in record["versions"].items())
    entries = [("Processor", f"{record['cpu']}, {record['cores']} cores, of which one was used"),
               ("Kernels of Segue", record["isa"]), ("Versions", versions),
               ("Commit", record["commit"]), ("Date", record["date"])]
    if record.get("note"):
        entries.append(("Note", record["note"]))
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in entries)
    return f"<dl>{items}<dt>Command</dt><dd><code>{escape(record['command'])}</code></dd></dl>"


def write_page(measured: Measured, pictures: Mapping[str, Path], path: Path) -> None:
    """pictures: the SVG of each set."""
    drawn = {name: of_set for name, of_set in measured.sets.items() if name in pictures}
    links = "".join(f'<a href="#{escape(name)}">{escape(name)}</a>' for name in drawn)
    sections = "\n".join(section(of_set, pictures[name]) for name, of_set in drawn.items())
    path.write_text(f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Segue and its peers: recall against queries a second</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>
<h1>Recall against queries a second</h1>
<p>Segue and other libraries on the same vectors, each on one core with one thread. A curve is what a library offers as
its search gets wider; up and to the right is better. The recall axis is stretched towards 1, where a recommender
works. Figures between two measured points are read off the line between them; bold is the best of a column.</p>
<nav>{links}</nav>
{machine(measured.machine)}
{sections}
<p class="quiet">p50 and p99 are single calls from Python at the quickest setting of recall 0.95 or more. MB is the
growth of the process while the index was built, the best of all rounds counts, and "-" means that no setting gets there.
Absolute figures hold for one machine on one day; ratios within a table are what counts.</p>
</body></html>
""")
