"""Copy the few third-party browser files that Stoa's pages serve out of node_modules.

Owns the list of these files: what is not listed here is not served. `make vendor` runs npm against
package-lock.json first, so every byte is pinned there. The result is git-ignored and can be deleted
and made again at any time. Promises a complete folder or a failure that names what is missing.
"""

import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "src/stoa/web/static/vendor"

# The subsets let a browser fetch only the glyph ranges a page shows, instead of two megabytes of font.
PRETENDARD = "pretendard/dist/web/variable"
PRETENDARD_CSS = f"{PRETENDARD}/pretendardvariable-dynamic-subset.css"
PRETENDARD_FONTS = "woff2-dynamic-subset"

FILES = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx.org/dist/ext/hx-sse.min.js": "hx-sse.min.js",
    "htmx.org/dist/ext/hx-csp.min.js": "hx-csp.min.js",
    "htmx.org/LICENSE": "htmx.LICENSE",
    "lightweight-charts/dist/lightweight-charts.standalone.production.js": "lightweight-charts.min.js",
    "lightweight-charts/LICENSE": "lightweight-charts.LICENSE",
    "uplot/dist/uPlot.iife.min.js": "uplot.min.js",
    "uplot/dist/uPlot.min.css": "uplot.min.css",
    "uplot/LICENSE": "uplot.LICENSE",
    PRETENDARD_CSS: "pretendard/pretendard.css",  # carries its licence in its first lines
}


def fonts() -> dict[str, str]:
    """Return the font subsets that the Pretendard style sheet names, as source → target."""
    names = re.findall(rf"url\(\./{PRETENDARD_FONTS}/([\w.]+\.woff2)\)", (MODULES / PRETENDARD_CSS).read_text())
    folder = f"{PRETENDARD}/{PRETENDARD_FONTS}"
    return {f"{folder}/{name}": f"pretendard/{PRETENDARD_FONTS}/{name}" for name in names}


def main() -> int:
    """Fill the vendor folder afresh; return the exit code."""
    if absent := [source for source in FILES if not (MODULES / source).is_file()]:
        print(f"vendor: not found in node_modules: {', '.join(absent)}", file=sys.stderr)
        return 1
    shutil.rmtree(VENDOR, ignore_errors=True)
    files = FILES | fonts()
    for source, target in files.items():
        destination = VENDOR / target
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(MODULES / source, destination)
    print(f"{len(files)} browser files in {VENDOR.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
