import assert from 'node:assert/strict'
import type { Acting } from '@postern/access'
import { and, asc, desc, eq, isNull, lte, notExists, sql } from 'drizzle-orm'
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

const CLERK: Acting = { actor: 'user:mira', tenant: 'store:1' }
const CUSTOMER: Acting = { actor: 'customer:17', tenant: 'store:1' }

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

const actor = pgTable('actor', {
  id: serial('actor_id').primaryKey(),
  firstName: text('first_name').notNull(),
  lastName: text('last_name').notNull(),
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

/** What customers and clerks do. */
export const COUNTER_WORK: readonly UseCase[] = [
  {
    name: 'a customer signs in and looks at ten pages of the catalogue',
    acting: CUSTOMER,
    async run(db) {
      assert.equal(
        (await db.select().from(customer).where(eq(customer.email, 'customer17@shop.example'))).length,
        1,
      )
      for (let page = 0; page < 10; page++)
        assert.equal(
          (
            await db
              .select()
              .from(film)
              .orderBy(asc(film.title))
              .limit(20)
              .offset(page * 20)
          ).length,
          20,
        )
    },
  },
  {
    name: 'a customer searches films by words',
    acting: CUSTOMER,
    async run(db) {
      const found = await db
        .select({ id: film.id, title: film.title })
        .from(film)
        .where(sql`${film.fulltext} @@ plainto_tsquery('english', 'story')`)
        .limit(20)
      assert.equal(found.length, 20)
    },
  },
  {
    name: 'a customer opens thirty films with cast, categories and copies in stock',
    acting: CUSTOMER,
    async run(db) {
      for (const id of numbers(1, 30)) {
        await db.select().from(film).where(eq(film.id, id))
        await db
          .select({ name: actor.lastName })
          .from(actor)
          .innerJoin(filmActor, eq(filmActor.actorId, actor.id))
          .where(eq(filmActor.filmId, id))
        await db.select().from(filmCategory).where(eq(filmCategory.filmId, id))
        await db
          .select()
          .from(inventory)
          .where(
            and(
              eq(inventory.filmId, id),
              notExists(
                db
                  .select()
                  .from(rental)
                  .where(and(eq(rental.inventoryId, inventory.id), isNull(rental.returnDate))),
              ),
            ),
          )
      }
    },
  },
  {
    name: 'a clerk rents out forty films, each paid in the same transaction',
    acting: CLERK,
    async run(db) {
      for (const i of numbers(1, 40)) {
        await db.transaction(async t => {
          const [made] = await t
            .insert(rental)
            .values({ rentalDate: new Date(), inventoryId: i, customerId: i, staffId: 1 })
            .returning()
          await t.insert(payment).values({
            customerId: i,
            staffId: 1,
            rentalId: made?.id ?? 0,
            amount: '2.99',
            paymentDate: new Date(),
          })
        })
      }
    },
  },
  {
    name: 'a clerk takes forty films back',
    acting: CLERK,
    async run(db) {
      const out = await db
        .select()
        .from(rental)
        .where(isNull(rental.returnDate))
        .orderBy(asc(rental.id))
        .limit(40)
      assert.equal(out.length, 40)
      for (const { id } of out)
        await db.update(rental).set({ returnDate: new Date() }).where(eq(rental.id, id))
    },
  },
  {
    name: 'a clerk begins rentals that fail, and nothing of them is left',
    acting: CLERK,
    async run(db) {
      const gaveUp = new Error('out of stock')
      for (const i of numbers(1, 10))
        await assert.rejects(
          db.transaction(async t => {
            await t
              .update(rental)
              .set({ returnDate: null })
              .where(lte(rental.id, 100 * i))
            throw gaveUp
          }),
          gaveUp,
        )
    },
  },
  {
    name: 'a clerk opens twenty customers with all they rented and paid',
    acting: CLERK,
    async run(db) {
      for (const id of numbers(100, 119)) {
        await db
          .select()
          .from(customer)
          .innerJoin(address, eq(address.id, customer.addressId))
          .where(eq(customer.id, id))
        await db.select().from(rental).where(eq(rental.customerId, id)).orderBy(desc(rental.rentalDate))
        await db.select().from(payment).where(eq(payment.customerId, id)).orderBy(desc(payment.paymentDate))
      }
    },
  },
  {
    name: 'a clerk registers five customers, and corrects addresses of others',
    acting: CLERK,
    async run(db) {
      for (const i of numbers(1, 5)) {
        await db.transaction(async t => {
          const [place] = await t
            .insert(address)
            .values({ address: `${i} New Street`, district: 'Centre', cityId: i, phone: '5550100' })
            .returning()
          await t.insert(customer).values({
            storeId: 1,
            firstName: 'New',
            lastName: `Customer ${i}`,
            email: `new${i}@shop.example`,
            addressId: place?.id ?? 0,
          })
        })
        await db
          .update(address)
          .set({ phone: '5550101' })
          .where(eq(address.id, 50 + i))
      }
    },
  },
]
