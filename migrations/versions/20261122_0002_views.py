"""The views that operators query: version 1 of the contract in docs/sql.md."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Columns are a contract: a later migration may add to the end, never rename.
VIEWS = {
    "v_articles": """
        SELECT a.id, a.uid, a.url, a.source, a.feed_id,
               COALESCE(f.title, f.url) AS feed, a.title, a.lead, a.byline,
               a.language, a.published_at, a.first_seen_at, a.sort_at,
               a.current_revision AS revision,
               d.original_id AS copy_of, d.kind AS copy_kind,
               m.story_id
        FROM article a
        JOIN feed f ON f.id = a.feed_id
        LEFT JOIN active_pipeline pc ON pc.stage = 'copies'
        LEFT JOIN duplicate d
               ON d.article_id = a.id AND d.pipeline_id = pc.pipeline_id
        LEFT JOIN active_pipeline ps ON ps.stage = 'stories'
        LEFT JOIN story_member m
               ON m.article_id = a.id AND m.pipeline_id = ps.pipeline_id
    """,
    "v_article_entities": """
        SELECT ae.article_id, a.title, a.source, a.sort_at,
               e.id AS entity_id, e.key AS entity_key, e.name AS entity, e.kind,
               ae.n_mentions, ae.salience
        FROM article_entity ae
        JOIN active_pipeline p
          ON p.stage = 'entities' AND p.pipeline_id = ae.pipeline_id
        JOIN article a ON a.id = ae.article_id
        JOIN entity e ON e.id = ae.entity_id
    """,
    "v_entity_daily": """
        SELECT e.id AS entity_id, e.key AS entity_key, e.name AS entity, e.kind,
               {day} AS day, SUM(h.n_articles) AS n_articles,
               SUM(h.n_mentions) AS n_mentions
        FROM entity_hour h
        JOIN active_pipeline p
          ON p.stage = 'entities' AND p.pipeline_id = h.pipeline_id
        JOIN entity e ON e.id = h.entity_id
        GROUP BY e.id, e.key, e.name, e.kind, {day}
    """,
    "v_feed_health": """
        SELECT f.id AS feed_id, f.url, f.title, f.kind, f.state, f.reason,
               f.last_outcome, f.last_error, f.last_polled_at, f.last_ok_at,
               f.next_poll_at, f.interval_seconds, f.n_errors, f.n_unchanged,
               (SELECT COUNT(*) FROM entry e WHERE e.feed_id = f.id) AS n_entries,
               (SELECT COUNT(*) FROM article a WHERE a.feed_id = f.id) AS n_articles
        FROM feed f
    """,
    "v_stories": """
        SELECT s.id AS story_id, s.title, s.n_articles,
               COUNT(m.article_id) AS n_appearances,
               COUNT(DISTINCT a.source) AS n_sources, s.first_at, s.last_at
        FROM story s
        JOIN active_pipeline p
          ON p.stage = 'stories' AND p.pipeline_id = s.pipeline_id
        JOIN story_member m
          ON m.story_id = s.id AND m.pipeline_id = s.pipeline_id
        JOIN article a ON a.id = m.article_id
        WHERE s.merged_into IS NULL
        GROUP BY s.id, s.title, s.n_articles, s.first_at, s.last_at
    """,
    "v_duplicates": """
        SELECT d.article_id, a.title, a.source, a.sort_at,
               d.original_id, o.title AS original_title,
               o.source AS original_source, o.sort_at AS original_sort_at,
               d.kind, d.containment, d.resemblance, d.settled_at
        FROM duplicate d
        JOIN active_pipeline p
          ON p.stage = 'copies' AND p.pipeline_id = d.pipeline_id
        JOIN article a ON a.id = d.article_id
        JOIN article o ON o.id = d.original_id
    """,
    "v_pipeline_coverage": """
        SELECT p.stage, p.name, p.version,
               CASE WHEN ap.pipeline_id IS NULL THEN 0 ELSE 1 END AS active,
               COUNT(a.id) AS n_articles,
               (SELECT COUNT(*) FROM article) - COUNT(a.id) AS n_missing
        FROM pipeline p
        LEFT JOIN active_pipeline ap ON ap.pipeline_id = p.id
        LEFT JOIN enrichment e ON e.pipeline_id = p.id
        LEFT JOIN article a
               ON a.id = e.article_id AND a.current_revision = e.revision
        GROUP BY p.id, p.stage, p.name, p.version, ap.pipeline_id
    """,
    "v_quarantine": """
        SELECT q.id, q.kind, q.item, q.state, q.error, q.detail, q.attempts,
               q.n_times, q.first_at, q.last_at, q.article_id,
               f.url AS feed_url, rf.path
        FROM quarantine q
        LEFT JOIN feed f ON f.id = q.feed_id
        LEFT JOIN run_file rf ON rf.id = q.file_id
    """,
    "v_ingest_hourly": """
        SELECT {hour} AS hour, h.source, h.n_articles
        FROM ingest_hour h
    """,
    "v_audit_log": """
        SELECT l.id, l.at, l.actor, l.action, l.subject, l.before, l.after
        FROM audit_log l
    """,
}

# The same calendar on both engines: days and hours of UTC.
CALENDAR = {
    "postgresql": {
        "day": "CAST(h.hour AT TIME ZONE 'UTC' AS date)",
        "hour": "h.hour",
    },
    "sqlite": {
        "day": "date(h.hour)",
        "hour": "strftime('%Y-%m-%d %H:00:00', h.hour)",
    },
}


def upgrade() -> None:
    calendar = CALENDAR[op.get_context().dialect.name]
    for name, select in VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {select.format(**calendar)}")


def downgrade() -> None:
    for name in reversed(VIEWS):
        op.execute(f"DROP VIEW {name}")
