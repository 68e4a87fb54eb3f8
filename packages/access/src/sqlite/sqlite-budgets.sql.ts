/** What budgets keep in a SQLite file, by schema: a temporary table of the name would come first. */
export const SQLITE_TABLES = `
CREATE TABLE IF NOT EXISTS main.postern_budget_limits (
  id     INTEGER PRIMARY KEY,
  budget TEXT    NOT NULL,
  scope  TEXT    NOT NULL,
  rows   INTEGER NOT NULL,
  step   INTEGER NOT NULL,
  over   TEXT    NOT NULL,
  UNIQUE (budget, scope)
);
CREATE TABLE IF NOT EXISTS main.postern_budget_counts (
  limit_id INTEGER NOT NULL,
  key      TEXT    NOT NULL,
  step     INTEGER NOT NULL,
  count    INTEGER NOT NULL,
  PRIMARY KEY (limit_id, key, step)
) WITHOUT ROWID;
`

export const PUT_LIMIT = `
  INSERT INTO main.postern_budget_limits (budget, scope, rows, step, over) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (budget, scope) DO UPDATE SET rows = excluded.rows, step = excluded.step, over = excluded.over
  RETURNING id`

/** Counts of another window mean nothing in this one: its steps have other numbers. */
export const FORGET_OTHER_WINDOW = `
  DELETE FROM main.postern_budget_counts WHERE limit_id IN (SELECT id FROM main.postern_budget_limits WHERE budget = ? AND scope = ? AND step <> ?)`

export const FORGET_COUNTS = `
  DELETE FROM main.postern_budget_counts WHERE step < (SELECT ? / l.step - 9 FROM main.postern_budget_limits AS l WHERE l.id = limit_id)`

/** Not virtual tables and the tables that those keep their rows in: SQLite has no triggers for them. */
export const TABLES = `
  SELECT name FROM pragma_table_list
  WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE 'postern\\_%' ESCAPE '\\'`

export const TRIGGERS = `SELECT name FROM main.sqlite_master WHERE type = 'trigger' AND name LIKE 'postern\\_budget\\_%' ESCAPE '\\'`

/** Temporary ones among them. */
export const ALL_TRIGGERS =
  "SELECT name FROM main.sqlite_schema WHERE type = 'trigger' UNION ALL SELECT name FROM temp.sqlite_schema WHERE type = 'trigger'"

/**
 * The trigger of one table and action: it runs once for each row, counts it in this transaction, and refuses
 * the statement when the count is above a limit. No upsert: an OR REPLACE or OR IGNORE of the statement
 * outside would change what a conflict in here does.
 */
export function countTrigger(table: string, action: string, limits: readonly number[]): string {
  const ids = limits.join(', ')
  const key = `CASE l.scope WHEN 'actor' THEN postern_actor() WHEN 'tenant' THEN postern_tenant() WHEN 'table' THEN ${literal(table)} ELSE '' END`
  const now = 'CAST(postern_now() / l.step AS INTEGER)'
  const applies = `l.id IN (${ids}) AND (l.scope <> 'tenant' OR postern_tenant() <> '')`
  const used = `(SELECT coalesce(sum(c.count), 0) FROM postern_budget_counts AS c WHERE c.limit_id = l.id AND c.key = ${key} AND c.step > ${now} - 9)`
  return `
CREATE TRIGGER main.${quote(`postern_budget_${action}_${table}`)} AFTER ${action.toUpperCase()} ON ${quote(table)}
WHEN postern_counting() = 1
BEGIN
  SELECT RAISE(ABORT, 'postern: a change to a guarded table needs to be made inside actingAs()') WHERE postern_actor() IS NULL;
  UPDATE postern_budget_counts SET count = count + 1
    WHERE EXISTS (SELECT 1 FROM postern_budget_limits AS l WHERE ${applies} AND limit_id = l.id AND key = ${key} AND postern_budget_counts.step = ${now});
  INSERT INTO postern_budget_counts (limit_id, key, step, count) SELECT l.id, ${key}, ${now}, 1 FROM postern_budget_limits AS l
    WHERE ${applies} AND NOT EXISTS (SELECT 1 FROM postern_budget_counts AS c WHERE c.limit_id = l.id AND c.key = ${key} AND c.step = ${now});
  SELECT RAISE(ABORT, 'postern budget ' || json_object('budget', l.budget, 'scope', l.scope, 'allowed', 0, 'asked', 1,
      'retryAt', ((SELECT min(c.step) FROM postern_budget_counts AS c WHERE c.limit_id = l.id AND c.key = ${key} AND c.step > ${now} - 9) + 9) * l.step, 'over', l.over))
    FROM postern_budget_limits AS l WHERE ${applies} AND ${used} > l.rows LIMIT 1;
END`
}

export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
