import { type Vault, VaultSql } from '@postern/vault'
import type { Pool } from 'pg'
import { first, type Row, type ShopDatabase } from './database.ts'

/** What is needed to make a customer. */
export interface NewCustomer {
  readonly name: string
  readonly email: string
  /** As it is stored. */
  readonly password: string
}

/** The personal columns of customers, as they are or sealed by a vault. */
export interface People {
  /**
   * Rows with personal columns, readable.
   * @param key the column that holds the customer's id
   */
  open(rows: readonly Row[], key?: 'id' | 'customer_id'): Promise<readonly Row[]>
  byEmail(email: string): Promise<Row | undefined>
  /** @returns undefined when the address has a customer already */
  add(customer: NewCustomer): Promise<Row | undefined>
}

/** Columns of `customer` about the person. */
const PERSONAL = ['email', 'phone', 'street', 'city', 'born', 'card'] as const
const EMPTY = { role: 'customer', phone: '', street: '', city: '', born: '', card: '' }

/** Kept as they are: whoever has the database has them. */
export function plainPeople(database: ShopDatabase): People {
  return {
    open: async rows => rows,
    byEmail: email => first(database, 'SELECT * FROM customer WHERE email = $1', [email]),
    add: ({ name, email, password }) =>
      first(
        database,
        `INSERT INTO customer (name, email, password, role, phone, street, city, born, card)
         VALUES ($1, $2, $3, 'customer', '', '', '', '', '') ON CONFLICT (email) DO NOTHING RETURNING *`,
        [name, email, password],
      ),
  }
}

/**
 * Sealed by a vault, in PostgreSQL: the statements of the shop stay as they are, and what they read is
 * opened a page at a time.
 */
export function vaultPeople(pool: Pool, vault: Vault): People {
  const sql = new VaultSql(
    {
      query: async (text: string, values?: readonly unknown[]) => {
        const { rows, rowCount } = await pool.query(text, [...(values ?? [])])
        return { rows, rowCount: rowCount ?? 0 }
      },
    },
    vault,
  )
  const readable = (row: Readonly<Record<string, unknown>>): Row => {
    const { email_term: _, ...rest } = row
    return rest as Row
  }
  const byEmail = async (email: string): Promise<Row | undefined> => {
    const [row] = await sql.findBy('customer', 'email', email)
    return row === undefined ? undefined : readable(row)
  }
  return {
    open: async (rows, key = 'id') => {
      const sealed = rows.map(row => ({
        id: row[key],
        ...Object.fromEntries(PERSONAL.flatMap(name => (name in row ? [[name, row[name]]] : []))),
      }))
      const opened = await vault.openRows('customer', sealed)
      return rows.map((row, index) => readable({ ...row, ...opened[index], id: row['id'] }))
    },
    byEmail,
    add: async ({ name, email, password }) => {
      if ((await byEmail(email)) !== undefined) return undefined
      // A value is bound to its row, so the row's id comes first.
      const next = await pool.query("SELECT nextval(pg_get_serial_sequence('customer', 'id'))::int AS id")
      const id: unknown = next.rows[0]?.id
      await sql.insert('customer', [{ id, name, email, password, ...EMPTY }])
      return byEmail(email)
    },
  }
}
