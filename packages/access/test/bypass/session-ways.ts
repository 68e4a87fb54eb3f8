import type { Way } from './target.ts'

const OVER = ['PB001']
/** Over the budget, or held by others, for as long as these have not ended. */
const AT_ONCE = ['PB001', '40001']

/** Sessions, snapshots, savepoints, clocks: the machinery of transactions turned against the count. */
export const SESSION_WAYS: readonly Way[] = [
  {
    name: 'two sessions of one actor at the same time',
    stoppedBy: AT_ONCE,
    run: async target => {
      const sessions = [await target.app(), await target.session()]
      for (const session of sessions) await target.begin(session)
      await Promise.all(
        sessions.map((session, part) =>
          target.run(
            session,
            `DELETE FROM orders WHERE id > ${part * 100} AND id <= ${part * 100 + 60}`,
            'COMMIT',
          ),
        ),
      )
    },
  },
  {
    name: 'sixteen sessions of one actor at the same time',
    stoppedBy: AT_ONCE,
    run: async target => {
      const sessions = await Promise.all(Array.from({ length: 16 }, () => target.session()))
      await Promise.all(
        sessions.map(async (session, i) => {
          await target.begin(session)
          await target.run(session, `DELETE FROM orders WHERE id > ${i * 9} AND id <= ${i * 9 + 9}`, 'COMMIT')
        }),
      )
    },
  },
  ...['REPEATABLE READ', 'SERIALIZABLE'].map(
    (level): Way => ({
      name: `an old snapshot under ${level}`,
      stoppedBy: ['PB001', '40001'],
      run: async target => {
        const old = await target.app()
        await target.begin(old, {}, `ISOLATION LEVEL ${level}`)
        await target.run(old, 'SELECT count(*) FROM orders')
        await target.transaction(['DELETE FROM orders WHERE id <= 60'], {}, await target.session())
        await target.run(old, 'DELETE FROM orders WHERE id > 60 AND id <= 69', 'COMMIT')
      },
    }),
  ),
  ...(['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'] as const).map(
    (level): Way => ({
      name: `TRUNCATE in a transaction that began before the rows were there, under ${level}`,
      stoppedBy: ['PB001', '0A000'],
      allowed: 0,
      run: async target => {
        const asOwner = (sql: string) =>
          target.place.owner.query(
            `SET session_replication_role = replica; ${sql}; RESET session_replication_role`,
          )
        await asOwner('DELETE FROM orders')
        const old = await target.app()
        await target.begin(old, {}, `ISOLATION LEVEL ${level}`)
        await target.run(old, 'SELECT count(*) FROM orders')
        await asOwner('INSERT INTO orders SELECT * FROM truth.orders')
        await target.run(old, 'TRUNCATE orders', 'COMMIT')
      },
    }),
  ),
  {
    name: 'savepoints, some of them rolled back',
    stoppedBy: OVER,
    allowed: 0,
    run: target =>
      target.transaction([
        'DELETE FROM orders WHERE id <= 9',
        'SAVEPOINT a',
        'DELETE FROM orders WHERE id <= 50',
        'ROLLBACK TO a',
        ...Array.from(
          { length: 8 },
          (_, i) =>
            `SAVEPOINT s${i}; DELETE FROM orders WHERE id > ${i * 9 + 9} AND id <= ${i * 9 + 18}; RELEASE s${i}`,
        ),
      ]),
  },
  {
    name: 'a savepoint around each refusal, to carry on after it',
    stoppedBy: OVER,
    run: target =>
      target.transaction([
        ...Array.from(
          { length: 15 },
          (_, i) => `SAVEPOINT s; DELETE FROM orders WHERE id > ${i * 20} AND id <= ${i * 20 + 20}`,
        ).flatMap(s => [s, 'ROLLBACK TO s']),
        ...Array.from(
          { length: 9 },
          (_, i) => `DELETE FROM orders WHERE id > ${i * 8} AND id <= ${i * 8 + 8}`,
        ),
      ]),
  },
  {
    name: 'SET CONSTRAINTS ALL IMMEDIATE between the deletions',
    stoppedBy: OVER,
    allowed: 0,
    run: target =>
      target.transaction(
        Array.from(
          { length: 9 },
          (_, i) =>
            `SET CONSTRAINTS ALL IMMEDIATE; DELETE FROM orders WHERE id > ${i * 8} AND id <= ${i * 8 + 8}`,
        ),
      ),
  },
  {
    name: 'SET CONSTRAINTS switched back and forth',
    stoppedBy: OVER,
    allowed: 0,
    run: target =>
      target.transaction(
        Array.from(
          { length: 9 },
          (_, i) =>
            `SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED; DELETE FROM orders WHERE id > ${i * 8} AND id <= ${i * 8 + 8}`,
        ),
      ),
  },
  {
    name: 'two-phase commit',
    stoppedBy: OVER,
    run: async target => {
      const name = `${target.place.role}_x`
      for (const part of [0, 1]) {
        const session = await target.session()
        await target.begin(session)
        const waiting = target.run(
          session,
          ...Array.from(
            { length: 5 },
            (_, i) =>
              `DELETE FROM orders WHERE id > ${part * 100 + i * 9} AND id <= ${part * 100 + i * 9 + 9}`,
          ),
          `PREPARE TRANSACTION '${name}${part}'`,
        )
        // The second waits for the rest of the budget, which the first, prepared, holds.
        if (part === 0) await waiting
        else {
          await target.run(await target.app(), `COMMIT PREPARED '${name}0'`)
          await waiting
          await target.app().then(app => app.query(`COMMIT PREPARED '${name}1'`).catch(() => {}))
        }
      }
    },
  },
  {
    name: 'a lock timeout while the counter is held',
    stoppedBy: ['55P03', 'PB001'],
    run: async target => {
      const [first, second] = [await target.app(), await target.session()]
      await target.begin(first)
      await target.run(first, 'DELETE FROM orders WHERE id <= 60', 'SET CONSTRAINTS ALL IMMEDIATE')
      await target.begin(second)
      await target.run(
        second,
        "SET LOCAL lock_timeout = '50ms'",
        'DELETE FROM orders WHERE id > 60 AND id <= 69',
        'COMMIT',
      )
      await target.run(first, 'COMMIT')
    },
  },
  {
    name: 'a statement timeout of a millisecond, to end the count before it is done',
    stoppedBy: ['57014', 'PB001'],
    allowed: 0,
    run: target =>
      target.transaction(["SET LOCAL statement_timeout = '1ms'", 'DELETE FROM orders', 'SELECT pg_sleep(1)']),
  },
  {
    name: 'the end of its own session after the deletion',
    stoppedBy: ['57P01', 'Error: Connection terminated unexpectedly'],
    allowed: 0,
    run: async target => {
      const session = await target.app()
      await target.begin(session)
      await target.run(
        session,
        'DELETE FROM orders WHERE id <= 60',
        'SELECT pg_terminate_backend(pg_backend_pid())',
      )
    },
  },
  {
    name: 'advisory locks held on every number that could matter',
    stoppedBy: OVER,
    allowed: 0,
    run: async target => {
      await target.run(
        await target.session(),
        'SELECT pg_advisory_lock(g) FROM generate_series(0, 100) g',
        'SELECT pg_advisory_lock(5783298)',
      )
      await target.transaction(['DELETE FROM orders'])
    },
  },
  {
    name: 'a burst at the edge of a window',
    stoppedBy: OVER,
    run: async target => {
      const session = await target.app()
      const rows: { readonly asked: number; readonly answered: number }[] = []
      const end = Date.now() + 4_500
      for (let id = 1; Date.now() < end; ) {
        const before = target.refusals.length
        const asked = Date.now()
        await target.transaction([`DELETE FROM ticks WHERE id = ${id}`], {}, session)
        if (target.refusals.length > before) continue
        rows.push({ asked, answered: Date.now() })
        id++
      }
      // A row went at some time between the two: only what did so within a window for certain counts.
      const inWindowOf = (first: number): number =>
        rows.filter(({ asked, answered }) => asked >= first && answered < first + 2_000).length
      const most = Math.max(...rows.map(({ asked }) => inWindowOf(asked)))
      if (most > 10) throw new Error(`${most} rows went in one window of 10`)
      if (rows.length <= 10) throw new Error('the budget never opened again')
    },
  },
  {
    name: 'a transaction that outlasts its window',
    stoppedBy: OVER,
    run: async target => {
      const session = await target.app()
      await target.begin(session)
      await target.run(session, 'DELETE FROM ticks WHERE id <= 8', 'SELECT pg_sleep(2.3)', 'COMMIT')
      await target.transaction(['DELETE FROM ticks WHERE id <= 16'])
    },
  },
]
