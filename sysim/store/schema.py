"""The tables of a store. `docs/reference/store.md` explains them to those who write queries.

A column `seed` is text, for a seed may be larger than SQLite's whole numbers. `document`, `facts` and `parts` are
compressed: JSON of the result without its runs, JSON of one run without its series, and what `parts.py` writes; so is
`seen`.
"""

from __future__ import annotations

APPLICATION = 0x73797369  # "sysi"
VERSION = 3
"""1: kinds of runs were a closed list. 2: they are not, so that a study of a new kind needs no new tables. 3: there are
`pieces`, what a study keeps of a run in place of the run.
"""

RUNS = """
create table runs (
    id integer primary key autoincrement,
    kind text not null,
    state text not null check (state in ('running', 'complete', 'interrupted')),
    started text not null,
    finished text,
    scenario text not null,
    engine text not null,
    seed text not null,
    asked integer,
    verdict text,
    exit_code integer,
    command text not null,
    sysim text not null,
    versions text not null,
    host text not null,
    pid integer not null,
    document blob,
    summary text
);
"""
PIECES = """
create table pieces (
    id integer primary key autoincrement,
    "key" text not null unique,
    seen blob not null
);
create table run_pieces (
    run_id integer not null references runs(id) on delete cascade,
    piece_id integer not null references pieces(id),
    primary key (run_id, piece_id)
) without rowid;
create index runs_by_piece on run_pieces (piece_id);
"""
TABLES = RUNS + PIECES + """
create table variants (
    run_id integer not null references runs(id) on delete cascade,
    number integer not null,
    variant text not null,
    digest text not null,
    scenario text not null,
    primary key (run_id, number)
);
create table sources (
    run_id integer not null references runs(id) on delete cascade,
    file text not null,
    content text not null,
    primary key (run_id, file)
);
create table verdicts (
    run_id integer not null references runs(id) on delete cascade,
    number integer not null,
    variant text,
    "check" text not null,
    name text,
    verdict text not null,
    value real,
    low real,
    high real,
    confidence real,
    note text not null,
    primary key (run_id, number)
);
create table replications (
    id integer primary key autoincrement,
    "key" text,
    seed text not null,
    replication integer not null,
    simulated_s real not null,
    events integer not null,
    digest text not null,
    wall_s real not null,
    state text not null,
    bucket_s real not null,
    with_series integer not null,
    facts blob not null,
    parts blob not null
);
create index replications_by_key on replications ("key");
create table run_replications (
    run_id integer not null references runs(id) on delete cascade,
    variant text not null,
    replication integer not null,
    replication_id integer not null references replications(id),
    primary key (run_id, variant, replication)
) without rowid;
create index runs_by_replication on run_replications (replication_id);
create table names (
    id integer primary key,
    "window" text not null,
    kind text not null,
    subject text not null,
    metric text not null,
    unique ("window", kind, subject, metric)
);
create table numbers (
    replication_id integer not null references replications(id) on delete cascade,
    name_id integer not null references names(id),
    value,
    primary key (replication_id, name_id)
) without rowid;
create table series (
    replication_id integer not null references replications(id) on delete cascade,
    number integer not null,
    kind text not null,
    subject text not null,
    metric text not null,
    dtype text not null,
    data blob not null,
    primary key (replication_id, number)
);
create view scalars as
    select r.run_id, r.variant, q.seed, r.replication, n."window", n.kind, n.subject, n.metric, v.value
    from run_replications r
    join replications q on q.id = r.replication_id
    join numbers v on v.replication_id = r.replication_id
    join names n on n.id = v.name_id;
"""
