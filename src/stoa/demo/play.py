"""The play: from a folder of input files to a report, chapter by chapter, and what is left standing on the stage."""

from sqlalchemy import select

from stoa.demo.chapters import CHAPTERS
from stoa.demo.ground import StageError
from stoa.demo.parts import PEOPLE
from stoa.demo.report import Report
from stoa.demo.stage import Stage
from stoa.demo.story import Audience, Story
from stoa.readmodel.schema import ASSETS, HOLDINGS


def play(stage: Stage, audience: Audience) -> Report:
    """Tell every chapter on the stage, which stays open. Raises StageError, also when the files lack a person."""
    known = {one.id for one in stage.dossier.investors}
    missing = [name for name in PEOPLE if name not in known]
    if missing:
        raise StageError("investors.csv lacks people of the story: " + ", ".join(missing))
    story = Story(stage, audience)
    for chapter in CHAPTERS:
        chapter(story)
    _balances(story)
    story.report.network = stage.ground.figures()
    return story.report


def _balances(story: Story) -> None:
    stage, report = story.stage, story.report
    for row in stage.rows(select(HOLDINGS).where(HOLDINGS.c.units > 0)):
        report.balances.setdefault(stage.cast.name_of(row["account"]), {})[row["asset"]] = row["units"]
    report.balances = {name: dict(sorted(report.balances[name].items())) for name in sorted(report.balances)}
    report.supply = {row["code"]: row["supply"] for row in stage.rows(select(ASSETS).order_by(ASSETS.c.code))}
    for asset, supply in report.supply.items():
        held = sum(lines.get(asset, 0) for lines in report.balances.values())
        story.fact(
            f"The lines of {asset} add up to its supply.", f"{asset} 잔고의 합은 발행량과 같습니다.", supply, held
        )
