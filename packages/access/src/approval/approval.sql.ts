import type { Migration } from '@postern/store'

const TABLES = `
  CREATE TABLE approval (
    id           TEXT   PRIMARY KEY,
    state        TEXT   NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'used', 'expired', 'cancelled')),
    act_key      TEXT   NOT NULL,
    digest       TEXT   NOT NULL,
    actor        TEXT   NOT NULL,
    action       TEXT   NOT NULL,
    resource     TEXT   NOT NULL,
    arguments    TEXT   NOT NULL,
    tenant       TEXT   NOT NULL,
    behind       TEXT   NOT NULL,
    owner        TEXT   NOT NULL,
    decides      TEXT   NOT NULL,
    rows_allowed BIGINT,
    budgets      TEXT   NOT NULL,
    preview      TEXT   NOT NULL,
    reason       TEXT   NOT NULL,
    requested_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    decided_by   TEXT,
    decided_at   BIGINT,
    note         TEXT   NOT NULL DEFAULT '',
    seal         TEXT   NOT NULL DEFAULT ''
  );
  CREATE UNIQUE INDEX approval_open ON approval (act_key) WHERE state IN ('pending', 'approved');
  CREATE INDEX approval_by_actor ON approval (actor, requested_at);
  CREATE INDEX approval_by_act ON approval (act_key);
  CREATE INDEX approval_by_tenant ON approval (tenant, state, requested_at);
  CREATE INDEX approval_by_expiry ON approval (expires_at);
  CREATE TABLE approval_notice (
    id       TEXT   PRIMARY KEY,
    approval TEXT   NOT NULL,
    channel  TEXT   NOT NULL,
    event    TEXT   NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    next_at  BIGINT NOT NULL
  );
  CREATE INDEX approval_notice_due ON approval_notice (next_at)`

/**
 * The tables of approvals, of one shape in both dialects. Times are epoch
 * milliseconds; lists and objects are JSON.
 */
export const APPROVAL_MIGRATIONS: readonly Migration[] = [
  { id: 1, name: 'approvals and their notices', sqlite: TABLES, postgres: TABLES },
]

const COLUMNS = `id, state, digest, actor, action, resource, arguments, tenant, behind, owner, decides, rows_allowed, budgets, preview, reason,
    requested_at, expires_at, decided_by, decided_at, note, seal`

const LIST = `SELECT ${COLUMNS} FROM approval WHERE state = $1 AND (state NOT IN ('pending', 'approved') OR expires_at > CAST($2 AS BIGINT))
    AND (requested_at < CAST($3 AS BIGINT) OR requested_at = CAST($3 AS BIGINT) AND id > $4)`
const NEWEST = 'ORDER BY requested_at DESC, id LIMIT CAST($5 AS BIGINT)'

type StatementName =
  | 'expireKey'
  | 'insert'
  | 'byId'
  | 'currentByKey'
  | 'decide'
  | 'redeem'
  | 'cancel'
  | 'list'
  | 'listAll'
  | 'expire'
  | 'forget'
  | 'addNotice'
  | 'claimNotices'
  | 'delayNotice'
  | 'removeNotice'

/**
 * The statements, one text for both dialects. Every change of state names the state it
 * changes: of two that race, one changes a row.
 */
export const APPROVAL_SQL: Readonly<Record<StatementName, string>> = {
  /** $1 act key, $2 now. What is past its time no longer stands in the way of a new request. */
  expireKey: `UPDATE approval SET state = 'expired' WHERE act_key = $1 AND state IN ('pending', 'approved') AND expires_at <= $2`,
  /**
   * $1 to $17 the columns, $18 requests one actor of a tenant may have waiting, or have made in the last
   * hour, $19 the seal. What was denied just now is not asked again.
   */
  insert: `INSERT INTO approval (id, state, act_key, digest, actor, action, resource, arguments, tenant, behind, owner, decides, rows_allowed, budgets,
      preview, reason, requested_at, expires_at, seal)
    SELECT $1, 'pending', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, CAST($12 AS BIGINT), $13, $14, $15, CAST($16 AS BIGINT), CAST($17 AS BIGINT), $19
    WHERE (SELECT count(*) FROM approval WHERE actor = $4 AND tenant = $8
        AND (requested_at > CAST($16 AS BIGINT) - 3600000 OR state = 'pending' AND expires_at > CAST($16 AS BIGINT))) < CAST($18 AS BIGINT)
      AND NOT EXISTS (SELECT 1 FROM approval WHERE act_key = $2 AND state = 'denied' AND expires_at > CAST($16 AS BIGINT))
    ON CONFLICT DO NOTHING RETURNING ${COLUMNS}`,
  byId: `SELECT ${COLUMNS} FROM approval WHERE id = $1`,
  /**
   * $1 act key, $2 now. The request that answers for an act: an open one, else one that was denied just now.
   */
  currentByKey: `SELECT ${COLUMNS} FROM approval WHERE act_key = $1 AND state IN ('pending', 'approved', 'denied') AND expires_at > $2
    ORDER BY CASE state WHEN 'denied' THEN 1 ELSE 0 END, requested_at DESC LIMIT 1`,
  /**
   * $1 id, $2 state, $3 who, $4 now, $5 note, $6 new expiry, $7 seal. A consent that is not used can still be
   * denied.
   */
  decide: `UPDATE approval SET state = $2, decided_by = $3, decided_at = CAST($4 AS BIGINT), note = $5, expires_at = CAST($6 AS BIGINT), seal = $7
    WHERE id = $1 AND (state = 'pending' OR state = 'approved' AND CAST($2 AS TEXT) = 'denied') AND expires_at > CAST($4 AS BIGINT) RETURNING ${COLUMNS}`,
  /** $1 id, $2 digest, $3 now. */
  redeem: `UPDATE approval SET state = 'used' WHERE id = $1 AND digest = $2 AND state = 'approved' AND expires_at > $3 RETURNING ${COLUMNS}`,
  /** $1 id, $2 actor, $3 tenant. */
  cancel: `UPDATE approval SET state = 'cancelled' WHERE id = $1 AND actor = $2 AND tenant = $3 AND state IN ('pending', 'approved') RETURNING ${COLUMNS}`,
  /**
   * $1 state, $2 now, $3 and $4 time and id of the last one that was seen, $5 how many, $6 tenant. Newest
   * first.
   */
  list: `${LIST} AND tenant = $6 ${NEWEST}`,
  /** The same of every tenant: for operators of the machine. */
  listAll: `${LIST} ${NEWEST}`,
  /** $1 now, $2 how many. */
  expire: `UPDATE approval SET state = 'expired' WHERE id IN (SELECT id FROM approval WHERE state IN ('pending', 'approved') AND expires_at <= $1 LIMIT $2)
    AND state IN ('pending', 'approved') RETURNING ${COLUMNS}`,
  /** $1 the time before which what is over is forgotten, $2 how many. */
  forget: `DELETE FROM approval WHERE id IN (SELECT id FROM approval WHERE state NOT IN ('pending', 'approved') AND expires_at < $1 LIMIT $2) RETURNING id`,
  /**
   * $1 id, $2 approval, $3 channel, $4 event, $5 now, $6 who decided, $7 when. Only where the change it tells
   * of was made: another may have been first.
   */
  addNotice: `INSERT INTO approval_notice (id, approval, channel, event, next_at)
    SELECT $1, $2, $3, $4, CAST($5 AS BIGINT) WHERE EXISTS (SELECT 1 FROM approval
      WHERE id = $2 AND coalesce(decided_by, '') = $6 AND coalesce(decided_at, 0) = CAST($7 AS BIGINT))`,
  /** $1 now, $2 until when nobody else tries, $3 how many. */
  claimNotices: `UPDATE approval_notice SET next_at = $2, attempts = attempts + 1
    WHERE id IN (SELECT id FROM approval_notice WHERE next_at <= $1 ORDER BY next_at LIMIT $3) AND next_at <= $1
    RETURNING id, approval, channel, event, attempts`,
  /** $1 id, $2 when to try again. */
  delayNotice: `UPDATE approval_notice SET next_at = $2 WHERE id = $1`,
  removeNotice: `DELETE FROM approval_notice WHERE id = $1`,
}
