"""What is known of readers besides what they read, all of them at once."""

from dataclasses import dataclass

from sqlalchemy import func, select

from catalog.database import Database
from catalog.tables import Rating, User


@dataclass(frozen=True)
class Demographics:
    """Readers by user_id."""

    sources: dict[int, str]
    age_groups: dict[int, str | None]


def read_demographics(db: Database) -> Demographics:
    """Of all readers of the catalog."""
    with db.session() as session:
        rows = session.execute(select(User.user_id, User.source, User.age_group)).all()
    return Demographics(
        {user_id: source for user_id, source, _ in rows}, {user_id: age for user_id, _, age in rows}
    )


def find_main_source(db: Database) -> str | None:
    """The source of the readers who have rated most; None without a rating."""
    of_sources = select(User.source).join(Rating, Rating.user_id == User.user_id).group_by(User.source)
    with db.session() as session:
        return session.scalar(of_sources.order_by(func.count().desc(), User.source).limit(1))
