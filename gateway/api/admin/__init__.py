"""What admins may do: a file for each topic, all below `/v1/admin`."""

from gateway.api.admin import (
    audit,
    authors,
    books,
    editions,
    imports,
    jobs,
    keys,
    subjects,
    users,
    versions,
)

MODULES = (books, editions, authors, subjects, versions, jobs, users, keys, imports, audit)

__all__ = ["MODULES"]
