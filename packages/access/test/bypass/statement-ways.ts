import type { Way } from './target.ts'

const OVER = ['PB001']

/** A way that is some statements in one transaction. */
function statements(name: string, list: readonly string[], stoppedBy: readonly string[] = OVER): Way {
  return { name, stoppedBy, run: target => target.transaction(list) }
}

const each = (count: number, statement: (i: number) => string): readonly string[] =>
  Array.from({ length: count }, (_, i) => statement(i + 1))

/** Every statement, and everything a statement sets going, that changes rows. */
export const STATEMENT_WAYS: readonly Way[] = [
  statements('DELETE without WHERE', ['DELETE FROM orders']),
  statements('DELETE WHERE 1 = 1', ['DELETE FROM orders WHERE 1 = 1']),
  statements('one row more than the budget', ['DELETE FROM orders WHERE id <= 61']),
  statements('DELETE USING a join', ['DELETE FROM orders USING customers c WHERE c.id = customer']),
  statements('DELETE with RETURNING', ['DELETE FROM orders RETURNING *']),
  statements('UPDATE of every row', ["UPDATE orders SET note = ''"]),
  statements('UPDATE FROM a join', [
    'UPDATE orders SET note = c.name FROM customers c WHERE c.id = customer',
  ]),
  statements('UPDATE of the primary key', ['UPDATE orders SET id = id + 100000']),
  statements('TRUNCATE', ['TRUNCATE orders']),
  statements('TRUNCATE of a parent with CASCADE', ['TRUNCATE customers CASCADE']),
  statements('TRUNCATE of a partitioned table', ['TRUNCATE events']),
  statements('TRUNCATE of one partition', ['TRUNCATE events_2_low']),
  statements('TRUNCATE ... RESTART IDENTITY of several tables', [
    'TRUNCATE orders, reviews RESTART IDENTITY',
  ]),
  statements('MERGE that deletes', [
    'MERGE INTO orders o USING customers c ON o.customer = c.id WHEN MATCHED THEN DELETE',
  ]),
  statements('MERGE that edits', [
    "MERGE INTO orders o USING customers c ON o.customer = c.id WHEN MATCHED THEN UPDATE SET note = ''",
  ]),
  statements('upsert over rows that are there', [
    "INSERT INTO orders SELECT id, 1, '' FROM orders ON CONFLICT (id) DO UPDATE SET note = ''",
  ]),
  statements('INSERT ... SELECT over an insert budget', [
    'INSERT INTO imports SELECT generate_series(1, 200)',
  ]),
  statements('INSERT ... ON CONFLICT DO NOTHING over an insert budget', [
    'INSERT INTO imports SELECT generate_series(1, 200) ON CONFLICT DO NOTHING',
  ]),
  statements('a data-modifying CTE', [
    'WITH gone AS (DELETE FROM orders RETURNING id) SELECT count(*) FROM gone',
  ]),
  statements('a data-modifying CTE that nobody reads', ['WITH gone AS (DELETE FROM orders) SELECT 1']),
  statements('two CTEs, each within the budget', [
    'WITH a AS (DELETE FROM orders WHERE id <= 40), b AS (DELETE FROM reviews WHERE id <= 40) SELECT 1',
  ]),
  statements('two tables, each within the budget', [
    'DELETE FROM orders WHERE id <= 40',
    'DELETE FROM reviews WHERE id <= 40',
  ]),
  statements(
    'many statements of nine rows, which are not looked ahead at',
    each(20, i => `DELETE FROM orders WHERE id > ${(i - 1) * 9} AND id <= ${i * 9}`),
  ),
  statements(
    'single rows in one transaction',
    each(100, i => `DELETE FROM orders WHERE id = ${i}`),
  ),
  {
    name: 'single rows, each in a transaction of its own',
    stoppedBy: OVER,
    run: async target => {
      for (let i = 1; i <= 80; i++) await target.transaction([`DELETE FROM orders WHERE id = ${i}`])
    },
    check: async target => {
      if ((await target.damage()) !== 60) throw new Error('the budget itself must be usable to the last row')
    },
  },
  statements('several statements in one message', [
    'DELETE FROM orders WHERE id <= 50; DELETE FROM orders WHERE id <= 100; DELETE FROM orders',
  ]),
  statements('EXPLAIN ANALYZE, which runs what it explains', ['EXPLAIN ANALYZE DELETE FROM orders']),
  statements('COPY of a DELETE', ['COPY (DELETE FROM orders RETURNING id) TO STDOUT']),
  statements('a prepared statement, executed again and again', [
    'PREPARE one (int) AS DELETE FROM orders WHERE id = $1',
    ...each(100, i => `EXECUTE one(${i})`),
  ]),
  statements('a cursor and WHERE CURRENT OF', [
    'DECLARE c CURSOR FOR SELECT * FROM orders FOR UPDATE',
    ...each(100, () => 'FETCH c; DELETE FROM orders WHERE CURRENT OF c'),
  ]),
  statements('a DO block that loops', [
    'DO $$ BEGIN FOR i IN 1..100 LOOP DELETE FROM orders WHERE id = i; END LOOP; END $$',
  ]),
  statements('a DO block that swallows every error', [
    'DO $$ BEGIN FOR i IN 1..100 LOOP BEGIN DELETE FROM orders WHERE id = i; EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END $$',
    'DELETE FROM orders WHERE id = 300',
  ]),
  statements('dynamic SQL', ["DO $$ BEGIN EXECUTE 'DELETE FROM ' || 'orders'; END $$"]),
  statements('a function of its own', [
    'CREATE FUNCTION own.wipe() RETURNS void LANGUAGE sql AS $$ DELETE FROM public.orders $$',
    'SELECT own.wipe()',
  ]),
  statements('a function called for one row of a LIMIT', [
    'CREATE FUNCTION own.wipe(int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.orders WHERE id = $1; RETURN 1; END $$',
    'SELECT sum(own.wipe(g)) FROM generate_series(1, 200) g LIMIT 1',
  ]),
  statements("the owner's SECURITY DEFINER function", ['SELECT purge()']),
  statements("the owner's trigger on another table", ['INSERT INTO switches VALUES (1)']),
  statements('a trigger on a table of its own', [
    'CREATE TABLE own.lever (id int)',
    'CREATE FUNCTION own.pull() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.orders; RETURN NULL; END $$',
    'CREATE TRIGGER pull AFTER INSERT ON own.lever FOR EACH STATEMENT EXECUTE FUNCTION own.pull()',
    'INSERT INTO own.lever VALUES (1)',
  ]),
  statements('a deferred trigger of its own, which runs as the transaction commits', [
    'CREATE TABLE own.lever (id int)',
    'CREATE FUNCTION own.pull() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN FOR i IN 1..9 LOOP DELETE FROM public.orders WHERE id % 30 = i; END LOOP; RETURN NULL; END $$',
    'CREATE CONSTRAINT TRIGGER pull AFTER INSERT ON own.lever DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION own.pull()',
    'DELETE FROM orders WHERE id = 300',
    'INSERT INTO own.lever VALUES (1)',
  ]),
  statements('ON DELETE CASCADE', ['DELETE FROM customers WHERE id = 1']),
  statements('ON DELETE SET NULL', ['DELETE FROM customers WHERE id = 3']),
  statements('ON UPDATE CASCADE', ['UPDATE customers SET id = 1000 WHERE id = 1']),
  statements('an updatable view', ['CREATE VIEW own.v AS SELECT * FROM public.orders', 'DELETE FROM own.v']),
  statements('a security barrier view', [
    'CREATE VIEW own.v WITH (security_barrier) AS SELECT * FROM public.orders WHERE id > 0',
    'DELETE FROM own.v',
  ]),
  statements('a view with an INSTEAD OF trigger', [
    'CREATE VIEW own.v AS SELECT * FROM public.orders',
    'CREATE FUNCTION own.instead() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.orders WHERE id = OLD.id; RETURN OLD; END $$',
    'CREATE TRIGGER t INSTEAD OF DELETE ON own.v FOR EACH ROW EXECUTE FUNCTION own.instead()',
    'DELETE FROM own.v',
  ]),
  statements('a rule DO INSTEAD on a view', [
    'CREATE VIEW own.v AS SELECT 1 AS id',
    'CREATE RULE r AS ON DELETE TO own.v DO INSTEAD DELETE FROM public.orders',
    'DELETE FROM own.v',
  ]),
  statements('a rule DO ALSO on a table of its own', [
    'CREATE TABLE own.t (id int)',
    'CREATE RULE r AS ON INSERT TO own.t DO ALSO DELETE FROM public.orders',
    'INSERT INTO own.t VALUES (1)',
  ]),
  statements('a partitioned table', ['DELETE FROM events']),
  statements('a partition directly', ['DELETE FROM events_1']),
  statements('a partition of a partition directly', ['DELETE FROM events_2_low']),
  statements('a partitioned table and then its partition', [
    'DELETE FROM events WHERE id <= 50',
    'DELETE FROM events_1 WHERE id <= 150',
  ]),
  statements('an UPDATE that moves rows to another partition', [
    'UPDATE events SET month = 3 - month WHERE id <= 100',
  ]),
  statements('a child of classic inheritance directly', ['DELETE FROM dogs']),
  statements('a parent of classic inheritance with its children', ['DELETE FROM animals']),
  statements('ONLY the parent of classic inheritance', ['DELETE FROM ONLY animals']),
  {
    name: 'a partition that was made after the installation',
    stoppedBy: OVER,
    run: async target => {
      const owner = target.place.owner
      await owner.query('CREATE TABLE IF NOT EXISTS events_9 PARTITION OF events FOR VALUES IN (9)')
      await owner.query(`GRANT ALL ON events_9 TO ${target.place.role}`)
      await owner.query(
        "SET session_replication_role = replica; INSERT INTO events SELECT g, 9, '' FROM generate_series(1, 200) g; RESET session_replication_role",
      )
      await target.transaction(['DELETE FROM events_9'])
    },
    check: async target => {
      const { rows } = await target.place.owner.query('SELECT count(*)::int AS n FROM events_9')
      await target.place.owner.query('DROP TABLE events_9')
      if (rows[0]?.n !== 200) throw new Error(`${200 - rows[0]?.n} rows of the new partition were lost`)
    },
  },
  {
    name: 'a table that was attached as a partition after the installation',
    stoppedBy: OVER,
    run: async target => {
      const owner = target.place.owner
      await owner.query(`
        SET session_replication_role = replica;
        CREATE TABLE truth.events_8 (id int, month int, note text, PRIMARY KEY (id, month));
        INSERT INTO truth.events_8 SELECT g, 8, '' FROM generate_series(1, 200) g;
        ALTER TABLE events ATTACH PARTITION truth.events_8 FOR VALUES IN (8);
        GRANT USAGE ON SCHEMA truth TO ${target.place.role};
        GRANT DELETE, SELECT ON truth.events_8 TO ${target.place.role};
        RESET session_replication_role`)
      await target.transaction(['DELETE FROM truth.events_8'])
    },
    check: async target => {
      const { rows } = await target.place.owner.query('SELECT count(*)::int AS n FROM truth.events_8')
      await target.place.owner.query('DROP TABLE truth.events_8')
      if (rows[0]?.n !== 200) throw new Error(`${200 - rows[0]?.n} rows of the attached partition were lost`)
    },
  },
  {
    name: 'COPY FROM over an insert budget',
    stoppedBy: OVER,
    run: async target => {
      const session = await target.app()
      await target.begin(session)
      await target.attempt(() =>
        copyIn(
          session,
          'COPY imports FROM STDIN',
          Array.from({ length: 200 }, (_, i) => `${i + 1}\n`).join(''),
        ),
      )
      await target.run(session, 'COMMIT')
    },
  },
  {
    name: 'a portal that is executed for its first row only',
    stoppedBy: OVER,
    run: async target => {
      const session = await target.app()
      await target.begin(session)
      await target.attempt(() => firstRow(session, 'DELETE FROM orders RETURNING id'))
      await target.run(session, 'COMMIT')
    },
  },
]

interface Wire {
  query(text: string): void
  parse(message: object): void
  bind(message: object): void
  execute(message: object): void
  sync(): void
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
}

/** Messages of the protocol that the driver itself does not send in this order. */
async function speak(client: object, messages: Record<string, unknown>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let failure: unknown
    const exchange = {
      handleError: (error: unknown) => {
        failure = error
      },
      handleCommandComplete: () => {},
      handleDataRow: () => {},
      handlePortalSuspended: () => {},
      handleReadyForQuery: () => (failure === undefined ? resolve() : reject(failure)),
      // The driver gives up on an exchange that failed: what follows is for nobody.
      callback: () => {},
      ...messages,
    }
    Reflect.apply(Reflect.get(client, 'query'), client, [exchange])
    if (Reflect.get(client, 'connection') !== undefined)
      Reflect.get(client, 'connection').once('readyForQuery', () =>
        failure === undefined ? undefined : reject(failure),
      )
  })
}

/** COPY FROM STDIN, as pg-copy-streams sends it. */
function copyIn(client: object, text: string, data: string): Promise<void> {
  return speak(client, {
    submit: (wire: Wire) => wire.query(text),
    handleCopyInResponse: (wire: Wire) => {
      wire.sendCopyFromChunk(Buffer.from(data))
      wire.endCopyFrom()
    },
  })
}

/** Parse, Bind, and an Execute that asks for one row and never for the rest. */
function firstRow(client: object, text: string): Promise<void> {
  return speak(client, {
    submit: (wire: Wire) => {
      wire.parse({ text, name: '', types: [] })
      wire.bind({ portal: '', statement: '', values: [], binary: false })
      wire.execute({ portal: '', rows: 1 })
      wire.sync()
    },
  })
}
