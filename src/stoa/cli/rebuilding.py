"""``stoa rebuild-views`` and ``stoa rebuild-state``: what the journal can make again, made again."""

from stoa.cli.houses import config_of, folder_of, is_running, journal_of
from stoa.cli.shell import PLAIN, Common, Trouble, Usage, app


@app.command(name="rebuild-views")
def rebuild_views(*, common: Common = PLAIN) -> None:
    """Empty the read model and fill it again from the journal. The node must not run."""
    from stoa.api.opening import views_of
    from stoa.readmodel.rebuild import rebuild

    if is_running(common):
        raise Usage(common.words("Stop the node first.", "먼저 노드를 종료하십시오."))
    views = views_of(folder_of(common), config_of(common))
    try:
        with journal_of(common) as journal:
            height = rebuild(views, journal.genesis, journal.header(0), journal.replay)
    finally:
        views.close()
    en = f"The views show all blocks up to {height}."
    common.done({"height": height}, en, f"조회 모델이 블록 {height}까지 다시 만들어졌습니다.")


@app.command(name="rebuild-state")
def rebuild_state(*, common: Common = PLAIN) -> None:
    """Remove the state store and execute the whole journal again. The node must not run."""
    from stoa.journal.faults import Occupied
    from stoa.journal.journal import Journal
    from stoa.node.node import JOURNAL_FOLDER, STATE_FOLDER
    from stoa.node.recovery import open_state
    from stoa.node.state_store import remove_store

    folder = folder_of(common)
    try:
        journal = Journal.open(folder / JOURNAL_FOLDER)
    except Occupied:
        raise Usage(common.words("Stop the node first.", "먼저 노드를 종료하십시오.")) from None
    except Exception as error:  # noqa: BLE001 - damage of any kind: say what to do
        raise Trouble(f"{error}. Run: stoa verify") from None
    with journal:
        remove_store(folder / STATE_FOLDER)
        store, _, standing = open_state(folder / STATE_FOLDER, journal)
        store.close()
    en = f"The state is that after block {standing.height}."
    common.done({"height": standing.height}, en, f"상태를 블록 {standing.height}까지 다시 만들었습니다.")
