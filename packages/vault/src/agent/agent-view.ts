import { ConfigError, type RandomSource, systemRandom } from '@postern/core'
import { HmacKey } from '../primitive/hmac-key.ts'
import type { Row } from '../table/row-context.ts'
import { termColumns } from '../table/table-schema.ts'
import type { OpenOptions, Vault } from '../table/vault.ts'
import { linkSpans } from './link-spans.ts'

/** What a placeholder looks like, so that a model or a report treats it as what it stands for. */
export type TokenFormat = 'email' | 'phone' | 'name' | 'number' | 'text'

/** The vault, the formats of tokens, and how many a view may have. */
export interface AgentViewOptions {
  /**
   * A vault whose holders know it as a service of its own, with a small budget:
   * nothing here lends it another's.
   */
  readonly vault: Vault
  /** Format per column, `customers.email`. Default `text`. */
  readonly formats?: Readonly<Record<string, TokenFormat>>
  /** Tokens that can be turned back; the oldest are forgotten. Default 10,000. */
  readonly maxTokens?: number
  readonly random?: RandomSource
}

/** Where the value behind a token is. */
interface Place {
  /** Of the stored value, so that another one with the same token is told apart. */
  readonly digest: Buffer
  readonly table: string
  readonly row: Row
  readonly column: string
}

/**
 * Shapes of all formats, to find tokens in a text. Domains and numbers in them are
 * reserved and belong to nobody.
 */
const TOKEN =
  /person-[0-9a-f]{12}@token\.invalid|\+999 [0-9]{15}|Person-[0-9A-F]{12}|9990[0-9]{12}|\[sealed-[0-9a-f]{12}\]/g
/** What makes a token the name of a host below another: programs that show a text look such names up. */
const DOMAIN = /\.[\p{L}\p{N}-]{1,63}\.[\p{L}\p{N}]/uy

/**
 * What a language model, an export or an analytics job reads: rows in which every encrypted value is a
 * placeholder of the same kind. Making one opens nothing and costs no budget. A value gets the same
 * token in one view, another in the next.
 *
 * Values come back by `reveal`, of named tokens, under the budget of the service; or by `fill`, in a text, on
 * the authority of the person who reads it.
 */
export class AgentView {
  readonly #vault: Vault
  readonly #formats: Readonly<Record<string, TokenFormat>>
  readonly #maxTokens: number
  readonly #key: HmacKey
  readonly #places = new Map<string, Place>()

  constructor(options: AgentViewOptions) {
    this.#vault = options.vault
    this.#formats = options.formats ?? {}
    this.#maxTokens = options.maxTokens ?? 10_000
    this.#key = new HmacKey('sha256', (options.random ?? systemRandom).bytes(32))
  }

  /**
   * Rows as stored, with a token for every encrypted value. Search terms are left
   * out: they tell equal values apart.
   */
  rows<T extends Row>(tableName: string, rows: readonly T[]): Record<string, unknown>[] {
    const table = this.#vault.table(tableName)
    const terms = new Set(table.columns.flatMap(({ search }) => termColumns(search)))
    return rows.map(row => {
      const out = Object.fromEntries(Object.entries(row).filter(([name]) => !terms.has(name)))
      for (const { name } of table.columns) {
        const value = row[name]
        if (value === null || value === undefined) continue
        out[name] = this.#tokenOf({ table: tableName, row, column: name }, value)
      }
      return out
    })
  }

  /**
   * Values of tokens, in their order, under the budget of the service or, with a capability, of a person.
   * @throws ConfigError for a token this view has not made, or has forgotten
   * @throws BudgetExceeded, CredentialError
   */
  async reveal(tokens: readonly string[], options: OpenOptions = {}): Promise<readonly unknown[]> {
    const places = tokens.map(token => {
      const place = this.#places.get(token)
      if (place !== undefined) return place
      throw new ConfigError({
        place: 'agent view',
        problem: 'a token is unknown, or was forgotten',
        hint: 'read the rows again',
      })
    })
    const values: unknown[] = []
    for (const tableName of new Set(places.map(({ table }) => table))) {
      const table = this.#vault.table(tableName)
      const indexes = places.flatMap((place, index) => (place.table === tableName ? [index] : []))
      const wanted = indexes.map(index => {
        const { row, column } = places[index] as Place
        // Only the value asked for: the other encrypted columns of the row are not opened along with it.
        return Object.fromEntries(
          Object.entries(row).filter(
            ([name]) => name === column || !table.columns.some(other => other.name === name),
          ),
        )
      })
      const opened = await this.#vault.openRows(tableName, wanted, options)
      for (const [position, index] of indexes.entries())
        values[index] = opened[position]?.[(places[index] as Place).column]
    }
    return values
  }

  /**
   * A text with the values in place of its tokens, for the person whose capability
   * it is. Unknown tokens stay, and so do those within the address of a link or a picture: a model that was
   * talked into writing one would send the value to whoever runs that server.
   */
  async fill(text: string, options: OpenOptions): Promise<string> {
    const links = linkSpans(text)
    let next = 0
    const found = [...text.matchAll(TOKEN)].filter(({ 0: token, index }) => {
      while (next < links.length && (links[next]?.end ?? 0) <= index) next++
      DOMAIN.lastIndex = index + token.length
      return this.#places.has(token) && index < (links[next]?.start ?? text.length) && !DOMAIN.test(text)
    })
    const tokens = [...new Set(found.map(([token]) => token))]
    const values = await this.reveal(tokens, options)
    const byToken = new Map(tokens.map((token, index) => [token, values[index]]))
    let filled = ''
    let at = 0
    for (const { 0: token, index } of found) {
      filled += text.slice(at, index) + String(byToken.get(token))
      at = index + token.length
    }
    return filled + text.slice(at)
  }

  #tokenOf(place: Omit<Place, 'digest'>, stored: unknown): string {
    const bytes = stored instanceof Uint8Array ? stored : Buffer.from(String(stored))
    const digest = this.#key.digest(Buffer.from(`${place.table}.${place.column}\0`), bytes)
    const format = this.#formats[`${place.table}.${place.column}`] ?? 'text'
    let token = formatToken(format, digest)
    // A token has 40 to 48 bits: two values may come to the same one, and one person would get the other's.
    for (let next = digest; this.#places.get(token)?.digest.equals(digest) === false; ) {
      next = this.#key.digest(next)
      token = formatToken(format, next)
    }
    this.#places.delete(token)
    this.#places.set(token, { ...place, digest })
    const oldest = this.#places.keys().next().value
    if (this.#places.size > this.#maxTokens && oldest !== undefined) this.#places.delete(oldest)
    return token
  }
}

function formatToken(format: TokenFormat, digest: Buffer): string {
  const hex = digest.toString('hex', 0, 6)
  const digits = `${digest.readBigUInt64BE(8)}`.padStart(20, '0')
  switch (format) {
    case 'email':
      return `person-${hex}@token.invalid`
    case 'phone':
      return `+999 ${digits.slice(-15)}`
    case 'name':
      return `Person-${hex.toUpperCase()}`
    case 'number':
      return `9990${digits.slice(-12)}`
    case 'text':
      return `[sealed-${hex}]`
  }
}
