import { CATALOGUE } from './catalogue.ts'
import type { ShopDatabase } from './database.ts'
import { hashPassword } from './passwords.ts'

const CUSTOMERS = 200
const PURCHASES = 1_000
const GIVEN = [
  'Ada',
  'Grace',
  'Alan',
  'Edsger',
  'Barbara',
  'Donald',
  'Frances',
  'Ken',
  'Radia',
  'Leslie',
  'Hedy',
  'Niklaus',
  'Adele',
  'Tony',
  'Margaret',
  'Dennis',
  'Shafi',
  'Robin',
  'Lynn',
  'Claude',
]
const FAMILY = ['Harbour', 'Quay', 'Mast', 'Keel', 'Anchor', 'Tide', 'Sound', 'Reef', 'Cove', 'Strand']
const CITIES = [
  'Bergen',
  'Galway',
  'Lisbon',
  'Kiel',
  'Marseille',
  'Split',
  'Gdansk',
  'Porto',
  'Bristol',
  'Turku',
]
const STREETS = ['Rope Walk', 'Custom House Lane', 'Lighthouse Road', 'Old Quay', 'Fish Market']
const STATUSES = ['paid', 'packed', 'shipped', 'delivered']
const OPINIONS = [
  'Exactly what I hoped for.',
  'Survived its first storm.',
  'Good, though it came a day late.',
  'My neighbour has ordered one too.',
  'Smaller than it looks in the picture.',
]
/** What people choose when nobody stops them; a guessing attack finds these first. */
const COMMON_PASSWORDS = [
  'password1',
  'qwerty123',
  'letmein',
  'summer2025',
  'iloveyou',
  'dragon',
  'sunshine',
  'football',
]

/** Accounts for people and demonstrations: e-mail, password, role. */
export const ACCOUNTS = [
  ['ada@example.com', 'correct horse battery', 'customer'],
  ['grace@example.com', 'staple-and-lantern', 'customer'],
  ['admin@example.com', 'admin', 'admin'],
  ['sam@example.com', 'lighthouse-keeper', 'support'],
] as const

/** What staff are called. */
const NAMES: Readonly<Record<string, string>> = { admin: 'Harbour Master', support: 'Sam Support' }

/** Numbers that are the same in every run (mulberry32). */
function sequence(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const at = (list: readonly string[], index: number): string => list[index % list.length] ?? ''
const quote = (value: string | number): string =>
  typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`

/** Fills empty tables with 40 products, 200 customers and 1,000 orders, the same every time. */
export async function seed(database: ShopDatabase): Promise<void> {
  const next = sequence(1815)
  await insert(database, 'product (id, name, category, description, price, stock, hue)', products(next))
  await insert(
    database,
    'customer (name, email, password, role, phone, street, city, born, card)',
    customers(next),
  )
  const { purchases, lines } = orders(next)
  await insert(database, 'purchase (customer_id, placed, status, note, total)', purchases)
  await insert(database, 'purchase_line (purchase_id, product_id, quantity, price)', lines)
  await insert(database, 'review (product_id, author, stars, text)', reviews(next))
}

type Values = readonly (string | number)[]

async function insert(database: ShopDatabase, target: string, rows: readonly Values[]): Promise<void> {
  for (let start = 0; start < rows.length; start += 200) {
    const values = rows.slice(start, start + 200).map(row => `(${row.map(quote).join(', ')})`)
    await database.script(`INSERT INTO ${target} VALUES ${values.join(', ')}`)
  }
}

const PRICES = Object.values(CATALOGUE).flatMap(goods => goods.map(([, , price]) => price))

function products(next: (below: number) => number): readonly Values[] {
  return Object.entries(CATALOGUE)
    .flatMap(([category, goods]) =>
      goods.map(([name, description, price]) => [name, category, description, price] as const),
    )
    .map(([name, category, description, price], index) => [
      index + 1,
      name,
      category,
      description,
      price,
      5 + next(90),
      next(360),
    ])
}

function customers(next: (below: number) => number): readonly Values[] {
  const hashes = COMMON_PASSWORDS.map(password => hashPassword(password, '00'.repeat(16)))
  return Array.from({ length: CUSTOMERS }, (_, index) => {
    const account = ACCOUNTS[index]
    const given = at(GIVEN, index)
    const name = `${given} ${at(FAMILY, Math.floor(index / GIVEN.length))}`
    return [
      NAMES[account?.[2] ?? 'customer'] ?? name,
      account?.[0] ?? `${name.toLowerCase().replace(' ', '.')}@example.net`,
      account === undefined ? at(hashes, next(hashes.length)) : hashPassword(account[1], '01'.repeat(16)),
      account?.[2] ?? 'customer',
      `+44 20 7946 ${String(next(1_000)).padStart(4, '0')}`,
      `${1 + next(120)} ${at(STREETS, next(STREETS.length))}`,
      at(CITIES, next(CITIES.length)),
      `${1950 + next(55)}-${String(1 + next(12)).padStart(2, '0')}-${String(1 + next(28)).padStart(2, '0')}`,
      `**** **** **** ${String(next(10_000)).padStart(4, '0')}`,
    ]
  })
}

function orders(next: (below: number) => number): { purchases: readonly Values[]; lines: readonly Values[] } {
  const lines: Values[] = []
  const purchases = Array.from({ length: PURCHASES }, (_, index) => {
    let total = 0
    for (let line = 0; line <= next(3); line++) {
      const product = next(PRICES.length)
      const quantity = 1 + next(3)
      const price = PRICES[product] ?? 0
      total += price * quantity
      lines.push([index + 1, product + 1, quantity, price])
    }
    const placed = new Date(Date.UTC(2026, 0, 1) + next(300 * 24) * 3_600_000).toISOString().slice(0, 16)
    const note = next(10) === 0 ? 'Please leave it with the neighbour.' : ''
    return [1 + next(CUSTOMERS), placed.replace('T', ' '), at(STATUSES, next(STATUSES.length)), note, total]
  })
  return { purchases, lines }
}

function reviews(next: (below: number) => number): readonly Values[] {
  return Array.from({ length: 120 }, () => [
    1 + next(PRICES.length),
    at(GIVEN, next(GIVEN.length)),
    3 + next(3),
    at(OPINIONS, next(OPINIONS.length)),
  ])
}
