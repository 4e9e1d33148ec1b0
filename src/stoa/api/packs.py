"""Routes of rule packs: the rules of jurisdictions and markets that the members have adopted, in all their versions."""

from typing import Annotated, Final

from litestar import get
from litestar.params import Parameter

from stoa.api.building import Asset
from stoa.api.openapi import errors
from stoa.api.reading import PAGE, After, Limit, ask, found
from stoa.api.viewer import House
from stoa.kernel.limits import MAX_SEQUENCE
from stoa.readmodel.queries import packs
from stoa.readmodel.queries.packs import PackDetail, PackLine
from stoa.readmodel.queries.paging import Page

TAGS: Final = ["securities"]
Version = Annotated[int, Parameter(ge=0, le=MAX_SEQUENCE, description="Of the pack; 0 for the newest.")]


@get("/packs", operation_id="listPacks", tags=TAGS, responses=errors(), sync_to_thread=True)
def list_packs(services: House, after: After = "", limit: Limit = PAGE) -> Page[PackLine]:
    """Every rule pack, retired ones too, with how many securities, classes and cash tokens name it."""
    return ask(services, packs.packs, after, limit)


@get("/packs/{code:str}", operation_id="getPack", tags=TAGS, responses=errors(404), sync_to_thread=True)
def get_pack(services: House, code: Asset, version: Version = 0) -> PackDetail:
    """The rules of a pack in a version, what versions there were, and who names it."""
    return found(ask(services, packs.pack, code, services.clock(), version), f"pack {code}")


HANDLERS: Final = (list_packs, get_pack)
