import { asc, eq, gt, inArray, lt, sql } from 'drizzle-orm'
import type { NodePgDatabase } from 'drizzle-orm/node-postgres'
import { integer, numeric, pgTable, serial, timestamp } from 'drizzle-orm/pg-core'

const rental = pgTable('rental', {
  id: serial('rental_id').primaryKey(),
  rentalDate: timestamp('rental_date', { withTimezone: true }).notNull(),
  inventoryId: integer('inventory_id').notNull(),
  customerId: integer('customer_id').notNull(),
  returnDate: timestamp('return_date', { withTimezone: true }),
  staffId: integer('staff_id').notNull(),
})

const payment = pgTable('payment', {
  id: serial('payment_id').notNull(),
  customerId: integer('customer_id').notNull(),
  staffId: integer('staff_id').notNull(),
  rentalId: integer('rental_id').notNull(),
  amount: numeric({ precision: 5, scale: 2 }).notNull(),
  paymentDate: timestamp('payment_date', { withTimezone: true }).notNull(),
})

/**
 * What a thief tries with a stolen session: it throws what is refused, and returns the rows that it has seen.
 */
export interface Theft {
  readonly name: string
  run(db: NodePgDatabase): Promise<number>
}

const wipe = (name: string, run: (db: NodePgDatabase) => Promise<unknown>): Theft => ({
  name,
  run: async db => {
    await run(db)
    return 0
  },
})

/** Goes on after each refusal, as a script would. */
async function goOn(times: number, step: (i: number) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < times; i++) await step(i).catch(() => {})
}

/** Ten ways to wipe the shop. */
export const WIPES: readonly Theft[] = [
  wipe('DELETE of all payments', db => db.delete(payment)),
  wipe('deletions of 90 at a time', db =>
    goOn(10, () =>
      db.execute(sql`DELETE FROM payment WHERE payment_id IN (SELECT payment_id FROM payment LIMIT 90)`),
    ),
  ),
  wipe('one deletion after another', async db => {
    await db.execute(sql`DELETE FROM payment WHERE payment_id BETWEEN 10000 AND 10479`)
    await goOn(40, i => db.execute(sql`DELETE FROM payment WHERE payment_id = ${11_000 + i}`))
  }),
  wipe('one transaction with savepoints that swallow refusals', db =>
    db.transaction(t =>
      goOn(10, i => t.transaction(s => s.delete(payment).where(gt(payment.id, 16_000 - 80 * (i + 1))))),
    ),
  ),
  wipe('overwriting every amount', db => db.update(payment).set({ amount: '0.66' })),
  wipe('overwriting month by month', db =>
    goOn(7, i =>
      db.execute(sql`UPDATE payment SET amount = 0.66 WHERE extract(month FROM payment_date) = ${i + 1}`),
    ),
  ),
  wipe('TRUNCATE', db => db.execute(sql`TRUNCATE payment`)),
  wipe('DELETE on each partition', db =>
    goOn(7, i => db.execute(sql.raw(`DELETE FROM payment_2022_${i + 1}`))),
  ),
  wipe('eight connections at once', async db => {
    await Promise.all(
      Array.from({ length: 8 }, (_, lane) =>
        // What the others hold is only put off: a thief tries again.
        goOn(5, i =>
          db.execute(
            sql`DELETE FROM payment WHERE payment_id BETWEEN ${100 * (lane * 10 + i)} AND ${100 * (lane * 10 + i) + 89}`,
          ),
        ),
      ),
    )
    // On a busy machine all of them may have waited for each other, so that none was refused yet.
    await goOn(10, i =>
      db.execute(sql`DELETE FROM payment WHERE payment_id BETWEEN ${9_000 + 100 * i} AND ${9_089 + 100 * i}`),
    )
  }),
  wipe('an upsert that overwrites, and a CTE that deletes', async db => {
    await goOn(2, i =>
      db.execute(
        i === 0
          ? sql`INSERT INTO payment SELECT * FROM payment ON CONFLICT (payment_date, payment_id) DO UPDATE SET amount = 0.66`
          : sql`WITH gone AS (DELETE FROM payment RETURNING rental_id) DELETE FROM rental WHERE rental_id IN (SELECT rental_id FROM gone)`,
      ),
    )
  }),
]

/** Pages until something is refused. */
async function pages(read: (page: number) => Promise<number>): Promise<number> {
  let seen = 0
  try {
    for (let page = 0; page < 20; page++) seen += await read(page)
  } catch {
    // What was seen before is what counts.
  }
  return seen
}

/** Ten ways to export it. */
export const EXPORTS: readonly Theft[] = [
  { name: 'SELECT of all payments', run: async db => (await db.select().from(payment)).length },
  {
    name: 'a thousand a page',
    run: db =>
      pages(
        async page =>
          (
            await db
              .select()
              .from(rental)
              .orderBy(asc(rental.id))
              .limit(1_000)
              .offset(page * 1_000)
          ).length,
      ),
  },
  {
    name: 'a list of ids at a time',
    run: db =>
      pages(async page => {
        const ids = Array.from({ length: 800 }, (_, i) => page * 800 + i)
        return (await db.select().from(rental).where(inArray(rental.id, ids))).length
      }),
  },
  {
    name: 'everything joined into one row each',
    run: async db =>
      (await db.select().from(rental).innerJoin(payment, eq(payment.rentalId, rental.id))).length,
  },
  {
    name: 'UNION of two tables',
    run: async db =>
      (
        await db.execute(
          sql`SELECT rental_id, customer_id FROM rental UNION ALL SELECT payment_id, customer_id FROM payment`,
        )
      ).rows.length,
  },
  {
    name: 'rows as JSON',
    run: async db => (await db.execute(sql`SELECT row_to_json(r) FROM rental AS r`)).rows.length,
  },
  {
    name: 'a table in one value',
    run: async db => (await db.execute(sql`SELECT json_agg(p) FROM payment AS p`)).rows.length * 16_049,
  },
  {
    name: 'a cursor',
    run: async db => {
      let seen = 0
      await db
        .transaction(async t => {
          await t.execute(sql`DECLARE c CURSOR FOR SELECT * FROM rental`)
          seen = await pages(async () => (await t.execute(sql`FETCH 1000 FROM c`)).rows.length)
        })
        .catch(() => {})
      return seen
    },
  },
  {
    name: 'RETURNING of edits that change nothing, and reads for the rest',
    run: async db => {
      const edited = await db.update(rental).set({ staffId: 1 }).where(lt(rental.id, 5_001)).returning()
      return (
        edited.length +
        (await pages(
          async page =>
            (
              await db
                .select()
                .from(payment)
                .limit(900)
                .offset(page * 900)
            ).length,
        ))
      )
    },
  },
  {
    name: 'eight connections at once',
    run: async db => {
      const all = await Promise.allSettled(
        Array.from({ length: 8 }, (_, i) => db.select().from(payment).where(sql`${payment.id} % 8 = ${i}`)),
      )
      return all.reduce((sum, result) => sum + (result.status === 'fulfilled' ? result.value.length : 0), 0)
    },
  },
]
