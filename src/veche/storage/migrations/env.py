"""Alembic's way in: writes the SQL of the migrations for one dialect.  See the package's docstring."""

from __future__ import annotations

from alembic import context

context.configure(
    dialect_name=context.config.attributes["dialect"],
    output_buffer=context.config.output_buffer,
    as_sql=True,
    literal_binds=True,
    transactional_ddl=False,  # whoever runs the script holds the transaction
)
context.run_migrations()
