"""What is known of readers besides what they read, all of them at once."""

from dataclasses import dataclass

from sqlalchemy import select

from catalog.database import Database
from catalog.tables import User


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
