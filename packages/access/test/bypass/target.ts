import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  type Acting,
  type BudgetGrant,
  claimSigner,
  rows,
  type SigningKey,
  signBudgetGrant,
} from '@postern/access'
import type pg from 'pg'
import type { Scope } from '../../../../test/fresh.ts'
import { CLAIM_KEY, GRANT_KEY, type Guarded, guarded } from '../support/guarded.ts'

/** Rows that one actor may delete, and may edit, in an hour. */
export const BUDGET = 60

const SCHEMA = `
CREATE TABLE customers (id int PRIMARY KEY, name text, region int NOT NULL DEFAULT 1);
CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers ON DELETE CASCADE ON UPDATE CASCADE, note text);
CREATE TABLE reviews (id int PRIMARY KEY, customer int REFERENCES customers ON DELETE SET NULL ON UPDATE CASCADE, note text);
CREATE TABLE switches (id int PRIMARY KEY);
CREATE TABLE imports (id int PRIMARY KEY);
CREATE TABLE ticks (id int PRIMARY KEY);
CREATE TABLE events (id int, month int, note text, PRIMARY KEY (id, month)) PARTITION BY LIST (month);
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
CREATE TABLE events_2 PARTITION OF events FOR VALUES IN (2) PARTITION BY RANGE (id);
CREATE TABLE events_2_low PARTITION OF events_2 FOR VALUES FROM (0) TO (100000);
CREATE TABLE animals (id int PRIMARY KEY, note text);
CREATE TABLE dogs (PRIMARY KEY (id)) INHERITS (animals);
INSERT INTO customers SELECT g, 'c' || g FROM generate_series(1, 20) g;
INSERT INTO orders SELECT g, 1 + g % 2, 'o' || g FROM generate_series(1, 300) g;
INSERT INTO reviews SELECT g, 3, 'r' || g FROM generate_series(1, 200) g;
INSERT INTO ticks SELECT g FROM generate_series(1, 400) g;
INSERT INTO events SELECT g, 1 + g % 2, 'e' || g FROM generate_series(1, 400) g;
INSERT INTO animals SELECT g, 'a' || g FROM generate_series(1, 100) g;
INSERT INTO dogs SELECT g, 'd' || g FROM generate_series(1001, 1200) g;
CREATE FUNCTION purge() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM public.orders';
CREATE FUNCTION on_switch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN DELETE FROM public.orders; RETURN NULL; END $$;
CREATE TRIGGER on_switch AFTER INSERT ON switches FOR EACH ROW EXECUTE FUNCTION on_switch();
CREATE SCHEMA own;
GRANT ALL ON SCHEMA own TO APP;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES ON ALL TABLES IN SCHEMA public TO APP;
`

/** The tables whose damage is counted. */
const TABLES = ['customers', 'orders', 'reviews', 'ticks', 'events', 'animals', 'dogs', 'imports'] as const

/**
 * A guarded database with something to lose, and somebody who holds the
 * application's own role and a stolen session.
 */
export class Target {
  readonly place: Guarded
  /** SQLSTATE, or the message where there is none, of everything that was refused. */
  readonly refusals: string[] = []
  readonly #clients: pg.Client[] = []
  #app: pg.Client | undefined

  constructor(place: Guarded) {
    this.place = place
  }

  /** The attacker's first session. */
  async app(): Promise<pg.Client> {
    this.#app ??= await this.session()
    return this.#app
  }

  /** One more session of the application's role. */
  async session(): Promise<pg.Client> {
    const client = await this.place.connect()
    this.#clients.push(client)
    return client
  }

  /** Runs work; notes why it was refused. */
  async attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
      this.refusals.push(code)
      return undefined
    }
  }

  /** Statements one by one in the state the session is in; errors are noted, and do not stop it. */
  async run(client: pg.Client, ...statements: readonly string[]): Promise<void> {
    for (const statement of statements) await this.attempt(() => client.query(statement))
  }

  /** Opens a transaction under a valid claim. */
  async begin(client: pg.Client, acting: Partial<Acting> = {}, mode = ''): Promise<void> {
    await client.query(`BEGIN ${mode}`)
    await this.take(client, this.place.claim(acting), acting.grant)
  }

  /** Takes on a claim, whatever it is, for this transaction. */
  async take(client: pg.Client, claim: string, grant = ''): Promise<void> {
    await client.query(
      "SELECT set_config('postern.claim', $1, true), set_config('postern.grant', $2, true)",
      [claim, grant],
    )
  }

  /** Statements in one transaction under a valid claim of `user:alice`, then COMMIT. */
  async transaction(
    statements: readonly string[],
    acting: Partial<Acting> = {},
    client?: pg.Client,
  ): Promise<void> {
    const session = client ?? (await this.app())
    await this.begin(session, acting)
    await this.run(session, ...statements, 'COMMIT')
  }

  /** A grant for `user:alice`, changed in some fields. */
  grant(changes: Partial<BudgetGrant> = {}, key: SigningKey = GRANT_KEY): string {
    return signBudgetGrant(
      {
        id: randomBytes(16).toString('hex'),
        actor: 'user:alice',
        tenant: '',
        act: 'a'.repeat(64),
        budgets: ['*.delete'],
        rows: 150,
        expiresAt: Date.now() + 60_000,
        ...changes,
      },
      key,
    )
  }

  /** Everything as it was, and nothing counted. */
  async reset(): Promise<void> {
    this.refusals.length = 0
    this.#app = undefined
    await Promise.all(this.#clients.splice(0).map(client => client.end().catch(() => {})))
    const owner = await this.place.owner.connect()
    try {
      await owner.query(`
        SET session_replication_role = replica;
        DROP OWNED BY ${this.place.role};
        ALTER ROLE ${this.place.role} RESET ALL;
        CREATE SCHEMA IF NOT EXISTS own;
        GRANT ALL ON SCHEMA own TO ${this.place.role};
        GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES ON ALL TABLES IN SCHEMA public TO ${this.place.role};
        ${TABLES.map(table => `DELETE FROM ONLY public.${table}; `).join('')}
        DELETE FROM public.events; DELETE FROM public.switches;
        ${TABLES.map(table => `INSERT INTO public.${table} SELECT * FROM truth.${table}; `).join('')}
        DELETE FROM postern_budgets.counters; DELETE FROM postern_budgets.claims; DELETE FROM postern_budgets.dry_runs; DELETE FROM postern_budgets.redeemed;
        RESET session_replication_role;`)
    } finally {
      owner.release()
    }
  }

  /** Rows of all tables that are no longer there as they were. */
  async damage(): Promise<number> {
    const parts = TABLES.map(table =>
      `SELECT count(*) AS n FROM (SELECT * FROM truth.${table} EXCEPT SELECT * FROM ONLY_OR_ALL public.${table}) x`.replace(
        'ONLY_OR_ALL',
        table === 'events' ? '' : 'ONLY',
      ),
    )
    const { rows: found } = await this.place.owner.query<{ n: string }>(
      `SELECT sum(n) AS n FROM (${parts.join(' UNION ALL ')}) AS every`,
    )
    return Number(found[0]?.n)
  }

  /** Rows that were added. */
  async added(): Promise<number> {
    const { rows: found } = await this.place.owner.query<{ n: string }>(
      'SELECT count(*) AS n FROM public.imports',
    )
    return Number(found[0]?.n)
  }
}

/** A target in a database of its own. */
export async function openTarget(scope: Scope): Promise<Target> {
  const place = await guarded(scope, SCHEMA, {
    '*.delete': rows(BUDGET, '1h'),
    '*.update': rows(BUDGET, '1h'),
    'imports.insert': rows(BUDGET, '1h'),
    'ticks.delete': rows(10, '2s'),
  })
  await place.owner.query(
    `CREATE SCHEMA truth; ${TABLES.map(t => `CREATE TABLE truth.${t} AS SELECT * FROM ${t === 'events' ? '' : 'ONLY'} public.${t}; `).join('')}`,
  )
  return new Target(place)
}

/** Signs claims with another key, or at another time. */
export function otherClaim(key: SigningKey, lag = 0): string {
  const clock = { now: () => Date.now() + lag, monotonic: () => 0 }
  return claimSigner({ key, clock })({ actor: 'user:alice' })
}

export { CLAIM_KEY }

/** One attempt to bypass a budget, and what stops it. */
export interface Way {
  readonly name: string
  /** SQLSTATEs of which at least one must have been seen: the way was tried, and this is what stopped it. */
  readonly stoppedBy: readonly string[]
  run(target: Target): Promise<void>
  /** Most rows that may be lost, where it is not the budget of a single actor. */
  readonly allowed?: number
  /** Further checks. */
  check?(target: Target): Promise<void>
}

/** Tries a way, and fails when it passes. */
export async function tryWay(target: Target, way: Way): Promise<void> {
  await target.reset()
  await way.run(target)
  const seen = target.refusals
  assert.ok(
    seen.some(code => way.stoppedBy.includes(code)),
    `nothing of ${way.stoppedBy.join(', ')} was seen, but ${seen.join(', ') || 'no refusal'}`,
  )
  const damage = await target.damage()
  assert.ok(damage <= (way.allowed ?? BUDGET), `${damage} rows were lost`)
  const added = await target.added()
  assert.ok(added <= BUDGET, `${added} rows were added`)
  await way.check?.(target)
}
