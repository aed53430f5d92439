#!/usr/bin/env python3
"""summary.py FOLDER: adds up the JUnit files of a test run and closes with one line of totals.

Exit status 1 if anything failed, if a file cannot be read, or if no test ran at all.
"""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def count(path):
    """passed, failed, skipped of one file, and the names of those that failed."""
    passed = failed = skipped = 0
    names = []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        # pytest adds child elements; ctest says "fail", "notrun" or "disabled" in an attribute too.
        if case.find("failure") is not None or case.find("error") is not None or case.get("status") == "fail":
            failed += 1
            names.append(case.get("name"))
        elif case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped, names


def main(folder):
    totals = [0, 0, 0]
    for path in sorted(Path(folder).glob("*.xml")):
        *counts, names = count(path)
        totals = [total + number for total, number in zip(totals, counts)]
        print(f"    {path.stem:24} {counts[0]:5} passed {counts[1]:4} failed {counts[2]:4} skipped")
        for name in names:
            print(f"      failed: {name}")
    print(f"tests: {totals[0]} passed, {totals[1]} failed, {totals[2]} skipped")
    return 0 if totals[0] > 0 and totals[1] == 0 else 1


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
