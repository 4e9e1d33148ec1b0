"""One rule pack: its rules in plain words in any of its versions, and which securities obey them."""

from litestar import Response, get
from litestar.params import FromPath

from stoa.api.problems import NotFound, Problem
from stoa.api.viewer import House
from stoa.kernel.limits import MAX_SEQUENCE
from stoa.readmodel.queries.packs import pack
from stoa.web.conditions import condition
from stoa.web.page import Paper


@get("/packs/{code:str}", sync_to_thread=True)
def pack_page(page: Paper, services: House, code: FromPath[str]) -> Response[str]:
    """The page of a rule pack, of the newest version unless another is asked for. Raises Problem: NotFound."""
    asked = page.query.get("version", "")
    version = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 17 else 0
    with services.views.read() as views:
        found = pack(views, code, services.clock(), min(version, MAX_SEQUENCE))
    if found is None:
        raise Problem(NotFound(f"rule pack {code[:40]}"))
    return page.render("pack.html", found=found, exact=lambda tree: condition(tree, page.words))
