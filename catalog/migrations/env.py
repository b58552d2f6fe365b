"""What Alembic runs for `catalog.schema`: upgrades on its connection, or their SQL without one."""

from alembic import context

from catalog.tables import Base

attributes, as_sql = context.config.attributes, context.is_offline_mode()
context.configure(
    connection=attributes.get("connection"),
    dialect_name=attributes["dialect"],
    dialect_opts={"paramstyle": "named"},
    literal_binds=as_sql,
    transactional_ddl=attributes["has_transactional_ddl"],
    version_table=attributes["version_table"],
    target_metadata=Base.metadata,
)
with context.begin_transaction():
    context.run_migrations()
