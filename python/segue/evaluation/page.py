"""A page of HTML of its own: style and pictures inside, nothing from elsewhere."""

from __future__ import annotations

import os
from html import escape
from typing import TYPE_CHECKING, Union

from .svg import Picture, write_text
from .tables import comparison_rows, summary, table_html

if TYPE_CHECKING:
    from .comparison import Comparison

STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 1040px; padding: 32px 24px 64px; background: #fff; color: #1a1a1a;
       font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 27px; line-height: 1.2; margin: 0 0 6px; }
h2 { font-size: 19px; margin: 40px 0 8px; }
h3 { font-size: 15.5px; margin: 22px 0 4px; }
p { margin: 6px 0; max-width: 78ch; }
.quiet { color: #5b6270; font-size: 14px; }
.wide { overflow-x: auto; }
.wide > table { width: 100%; }
svg { display: block; margin: 12px -22px; }
.lists { display: grid; grid-template-columns: repeat(auto-fit, minmax(270px, 1fr)); gap: 6px 28px; font-size: 14px; }
.lists h4 { margin: 6px 0 2px; font-size: 13px; color: #5b6270; font-weight: 600; }
.lists ol, .lists ul { margin: 0; padding-left: 26px; }
.lists li.hit { font-weight: 700; color: #0057d9; }
.lists li.hit::after { content: " ✓"; }
.example { border-top: 1px solid #e2e5ea; padding: 4px 0 10px; }
"""

NOTES = (
    "Differences are means of what each user gains or loses, and intervals come from drawing users with both values; "
    "coverage and gini are of all lists together and have none. Wins, losses and ties count lists. A verdict stands "
    "where the interval leaves out 0; one in some measures does by chance. Users without anything relevant are left "
    "out of recall, precision, hit-rate, ndcg, mrr, map and popularity-lift."
)


def write_page(path: Union[str, os.PathLike[str]], title: str, body: str) -> None:
    write_text(
        path,
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>\n'
        f'<body><h1>{escape(title)}</h1>\n{body}\n<p class="quiet">{escape(NOTES)}</p></body></html>\n',
    )


def comparison_body(of: Comparison) -> str:
    a = of.a
    facts = [summary(a), *([f"of {of.names[1]} {of.b.without_list:,} empty"] if of.b.without_list else [])]
    rows = comparison_rows(of.measures, of.names, a.confidence)
    parts = [f'<p class="quiet">{escape("; ".join(facts))}.</p>', f'<div class="wide">{table_html(rows)}</div>']
    return "\n".join([*parts, *(picture.svg for picture in pictures(of))])


def pictures(of: Comparison) -> list[Picture]:
    drawn = [of.draw_recall()]
    if of.a.tenths is not None and of.b.tenths is not None:
        drawn.append(of.draw_exposure())
    if of.groups:
        drawn.append(of.draw_groups())
    return drawn
