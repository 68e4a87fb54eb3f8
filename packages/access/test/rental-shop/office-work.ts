import assert from 'node:assert/strict'
import type { Acting } from '@postern/access'
import { and, asc, eq, gt, gte, inArray, isNull, lt, lte, notExists, sql } from 'drizzle-orm'
import {
  boolean,
  customType,
  integer,
  numeric,
  pgTable,
  primaryKey,
  serial,
  text,
  timestamp,
} from 'drizzle-orm/pg-core'
import { numbers, type UseCase } from './use-case.ts'

const MANAGER: Acting = { actor: 'user:jon', tenant: 'store:2' }
const OFFICE: Acting = { actor: 'user:office' }
const NIGHTLY: Acting = { actor: 'service:nightly' }

const tsvector = customType<{ data: string }>({ dataType: () => 'tsvector' })

const address = pgTable('address', {
  id: serial('address_id').primaryKey(),
  address: text().notNull(),
  district: text().notNull(),
  cityId: integer('city_id').notNull(),
  postalCode: text('postal_code'),
  phone: text().notNull(),
})

const customer = pgTable('customer', {
  id: serial('customer_id').primaryKey(),
  storeId: integer('store_id').notNull(),
  firstName: text('first_name').notNull(),
  lastName: text('last_name').notNull(),
  email: text(),
  addressId: integer('address_id').notNull(),
  active: boolean('activebool').notNull().default(true),
})

const film = pgTable('film', {
  id: serial('film_id').primaryKey(),
  title: text().notNull(),
  description: text(),
  languageId: integer('language_id').notNull(),
  rentalDuration: integer('rental_duration').notNull().default(3),
  rentalRate: numeric('rental_rate', { precision: 4, scale: 2 }).notNull().default('4.99'),
  replacementCost: numeric('replacement_cost', { precision: 5, scale: 2 }).notNull().default('19.99'),
  fulltext: tsvector(),
})

const filmActor = pgTable(
  'film_actor',
  { actorId: integer('actor_id').notNull(), filmId: integer('film_id').notNull() },
  table => [primaryKey({ columns: [table.actorId, table.filmId] })],
)

const filmCategory = pgTable(
  'film_category',
  { filmId: integer('film_id').notNull(), categoryId: integer('category_id').notNull() },
  table => [primaryKey({ columns: [table.filmId, table.categoryId] })],
)

const inventory = pgTable('inventory', {
  id: serial('inventory_id').primaryKey(),
  filmId: integer('film_id').notNull(),
  storeId: integer('store_id').notNull(),
})

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

/** What managers, head office and nightly jobs do. */
export const OFFICE_WORK: readonly UseCase[] = [
  {
    name: 'head office raises all prices by five per cent',
    acting: OFFICE,
    async run(db) {
      const { rowCount } = await db.update(film).set({ rentalRate: sql`round(${film.rentalRate} * 1.05, 2)` })
      assert.equal(rowCount, 1_000)
    },
  },
  {
    name: 'head office makes an offer for a category, and ends it',
    acting: OFFICE,
    async run(db) {
      const own = db
        .select({ id: filmCategory.filmId })
        .from(filmCategory)
        .where(eq(filmCategory.categoryId, 3))
      for (const duration of [7, 3])
        await db.update(film).set({ rentalDuration: duration }).where(inArray(film.id, own))
    },
  },
  {
    name: 'head office merges a price list of 300 films from a supplier',
    acting: OFFICE,
    async run(db) {
      await db
        .insert(film)
        .values(
          numbers(1, 300).map(id => ({ id, title: `Title ${id}`, languageId: 1, replacementCost: '21.50' })),
        )
        .onConflictDoUpdate({ target: film.id, set: { replacementCost: sql`excluded.replacement_cost` } })
    },
  },
  {
    name: 'head office adds ten films with cast, categories and eight copies each',
    acting: OFFICE,
    async run(db) {
      await db.execute(
        sql`SELECT setval(pg_get_serial_sequence('film', 'film_id'), (SELECT max(film_id) FROM film))`,
      )
      for (const i of numbers(1, 10)) {
        await db.transaction(async t => {
          const [made] = await t
            .insert(film)
            .values({ title: `New Film ${i}`, languageId: 1 })
            .returning()
          const filmId = made?.id ?? 0
          await t.insert(filmActor).values(numbers(1, 6).map(actorId => ({ actorId, filmId })))
          await t.insert(filmCategory).values({ filmId, categoryId: i })
          await t.insert(inventory).values(numbers(1, 8).map(n => ({ filmId, storeId: 1 + (n % 2) })))
        })
      }
    },
  },
  {
    name: 'head office corrects the cast of forty films: all of it is deleted and written again',
    acting: OFFICE,
    async run(db) {
      for (const filmId of numbers(1, 40)) {
        await db.transaction(async t => {
          const cast = await t.delete(filmActor).where(eq(filmActor.filmId, filmId)).returning()
          if (cast.length > 0) await t.insert(filmActor).values(cast)
        })
      }
    },
  },
  {
    name: 'a manager withdraws the copies that were never rented',
    acting: MANAGER,
    async run(db) {
      const { rowCount } = await db
        .delete(inventory)
        .where(
          and(
            gt(inventory.id, 4_500),
            notExists(db.select().from(rental).where(eq(rental.inventoryId, inventory.id))),
          ),
        )
      assert.ok((rowCount ?? 0) > 50)
    },
  },
  {
    name: 'a manager moves 200 copies to the other store, and takes stock of all of them',
    acting: MANAGER,
    async run(db) {
      await db.update(inventory).set({ storeId: 2 }).where(lte(inventory.id, 200))
      const { rowCount } = await db.update(inventory).set({ storeId: 2 }).where(eq(inventory.storeId, 2))
      assert.ok((rowCount ?? 0) > 2_000)
    },
  },
  {
    name: 'a manager merges a customer who was registered twice',
    acting: MANAGER,
    async run(db) {
      await db.transaction(async t => {
        await t.update(payment).set({ customerId: 300 }).where(eq(payment.customerId, 301))
        await t.update(rental).set({ customerId: 300 }).where(eq(rental.customerId, 301))
        await t.delete(customer).where(eq(customer.id, 301))
      })
    },
  },
  {
    name: 'a manager erases five customers who ask for it, with all that they rented and paid',
    acting: MANAGER,
    async run(db) {
      for (const id of numbers(401, 405)) {
        await db.transaction(async t => {
          const [gone] = await t.select().from(customer).where(eq(customer.id, id))
          await t.delete(payment).where(eq(payment.customerId, id))
          await t.delete(rental).where(eq(rental.customerId, id))
          await t.delete(customer).where(eq(customer.id, id))
          await t.delete(address).where(eq(address.id, gone?.addressId ?? 0))
        })
      }
    },
  },
  {
    name: 'a manager reads who is late, and what each month brought in',
    acting: MANAGER,
    async run(db) {
      const late = await db
        .select({ email: customer.email, title: film.title, rented: rental.rentalDate })
        .from(rental)
        .innerJoin(customer, eq(customer.id, rental.customerId))
        .innerJoin(inventory, eq(inventory.id, rental.inventoryId))
        .innerJoin(film, eq(film.id, inventory.filmId))
        .where(isNull(rental.returnDate))
      assert.ok(late.length > 50)
      const months = await db
        .select({
          month: sql<string>`date_trunc('month', ${payment.paymentDate})`,
          sum: sql<string>`sum(${payment.amount})`,
        })
        .from(payment)
        .groupBy(sql`1`)
      assert.ok(months.length >= 7)
    },
  },
  {
    name: 'the accountant reads the payments of a month',
    acting: OFFICE,
    async run(db) {
      const from = new Date('2022-03-01T00:00:00Z')
      const to = new Date('2022-04-01T00:00:00Z')
      let after = 0
      let read = 0
      for (;;) {
        const page = await db
          .select()
          .from(payment)
          .where(and(gte(payment.paymentDate, from), lt(payment.paymentDate, to), gt(payment.id, after)))
          .orderBy(asc(payment.id))
          .limit(500)
        if (page.length === 0) break
        read += page.length
        after = page.at(-1)?.id ?? 0
      }
      assert.ok(read > 2_000)
    },
  },
  {
    name: 'a nightly job marks who has not rented for three months, and charges who is late',
    acting: NIGHTLY,
    async run(db) {
      await db
        .update(customer)
        .set({ active: false })
        .where(
          notExists(
            db
              .select()
              .from(rental)
              .where(and(eq(rental.customerId, customer.id), gt(rental.rentalDate, new Date('2022-07-01')))),
          ),
        )
      await db.execute(sql`
        INSERT INTO payment (customer_id, staff_id, rental_id, amount, payment_date)
        SELECT customer_id, 1, rental_id, 1.00, now() FROM rental WHERE return_date IS NULL`)
    },
  },
  {
    name: 'a nightly job closes the rentals that nobody brought back',
    acting: NIGHTLY,
    async run(db) {
      await db.update(rental).set({ returnDate: new Date() }).where(isNull(rental.returnDate))
    },
  },
]
