import { ConfigError, IntegrityError } from '@postern/core'
import type { LocalKeys } from '../local/local-keys.ts'
import { HmacKey } from '../primitive/hmac-key.ts'
import { encodeContext } from '../record/record-context.ts'
import type { SplitKeys } from '../split/split-keys.ts'
import type { Column, Table } from './table-schema.ts'

/** A way of searching a column: which stored column it fills, and what of the value goes into the term. */
interface TermKind {
  readonly column: string
  readonly label: string
  readonly bytes: number
}

/** A term to compute. */
interface Wanted {
  readonly kind: TermKind
  readonly text: string
}

/**
 * Bytes that say with which keys a term was made: search with other keys is an error
 * instead of an empty result.
 */
const CHECK_BYTES = 3
/** Kept of a prefix or bucket term. */
const COARSE_BYTES = 4

export interface SearchTermsOptions {
  /** 32 bytes of the application. Holders see only what comes out of it, never a value. */
  readonly searchKey: Uint8Array
  readonly local?: LocalKeys | undefined
  readonly split?: SplitKeys | undefined
  /** Epoch of the keys that make terms; raise it only together with filling all terms again. Default 0. */
  readonly epoch?: number
}

/** Keyed terms by which encrypted columns are found. */
export class SearchTerms {
  readonly #options: SearchTermsOptions
  readonly #blind: HmacKey
  readonly #checks = new Map<string, Promise<Uint8Array>>()

  constructor(options: SearchTermsOptions) {
    if (options.searchKey.length !== 32)
      throw new ConfigError({ place: 'vault searchKey', problem: 'must be 32 bytes' })
    this.#options = options
    this.#blind = new HmacKey('sha256', options.searchKey)
  }

  /**
   * What to store beside the values of a column: per value, stored column to term. A
   * null value has null terms.
   * @param tenants tenant of each value
   */
  async store(
    column: Column,
    values: readonly unknown[],
    tenants: readonly string[],
  ): Promise<readonly Readonly<Record<string, Uint8Array | null>>[]> {
    const wanted: { readonly row: number; readonly tenant: string; readonly term: Wanted }[] = []
    const out = values.map((): Record<string, Uint8Array | null> => ({}))
    for (const [row, value] of values.entries()) {
      for (const kind of kindsOf(column)) (out[row] as Record<string, Uint8Array | null>)[kind.column] = null
      if (value === null) continue
      for (const term of termsOf(column, value)) wanted.push({ row, tenant: tenants[row] ?? '', term })
    }
    const terms = await this.#compute(column, wanted, 'store')
    for (const [index, { row, term }] of wanted.entries())
      (out[row] as Record<string, Uint8Array | null>)[term.kind.column] = terms[index] ?? null
    return out
  }

  /**
   * The term of `column = value`, and the column it is stored in. @throws
   * ConfigError when equality is not declared
   */
  equals(column: Column, value: unknown, tenant = ''): Promise<StoredTerm> {
    if (column.search?.equals === undefined) throw notDeclared(column, 'equals')
    const term = termsOf(column, value).find(({ kind }) => kind.label === 'equals')
    return this.#one(column, term, tenant)
  }

  /** The term of "begins with". The text must have one of the declared lengths. */
  prefix(column: Column, text: string, tenant = ''): Promise<StoredTerm> {
    const normal = normalise(column, text)
    const kind = kindsOf(column).find(({ label }) => label === `prefix ${[...normal].length}`)
    if (kind === undefined) throw notDeclared(column, `prefixes (of ${[...normal].length} characters)`)
    return this.#one(column, { kind, text: normal }, tenant)
  }

  /** Terms of the buckets that a range touches; rows in the outermost ones may lie outside the range. */
  async range(
    column: Column,
    { from, to }: { readonly from: number; readonly to: number },
    tenant = '',
  ): Promise<readonly StoredTerm[]> {
    const kind = kindsOf(column).find(({ label }) => label === 'bucket')
    if (kind === undefined || column.search?.buckets === undefined) throw notDeclared(column, 'buckets')
    const { bounds } = column.search.buckets
    const wanted: Wanted[] = []
    for (let bucket = bucketOf(bounds, from); bucket <= bucketOf(bounds, to); bucket++)
      wanted.push({ kind, text: `${bucket}` })
    const terms = await this.#compute(
      column,
      wanted.map(term => ({ tenant, term })),
      'search',
    )
    return terms.map(term => ({ column: kind.column, term }))
  }

  /**
   * Holds a term that is stored in the table against the keys of this process: call it with any
   * stored one when a search finds nothing.
   * @throws IntegrityError when the terms were made with other keys, and searching
   *   would silently find nothing
   */
  async verify(column: Column, stored: Uint8Array, tenant = ''): Promise<void> {
    if (!Buffer.from(stored.subarray(0, CHECK_BYTES)).equals(await this.#check(column, tenant, 'search'))) {
      throw new IntegrityError(
        `${column.table}.${column.name}: its search terms were made with other keys; use the search key and holders ` +
          'they were made with, or fill the terms again',
      )
    }
  }

  async #one(column: Column, term: Wanted | undefined, tenant: string): Promise<StoredTerm> {
    if (term === undefined) throw notDeclared(column, 'search')
    const [found] = await this.#compute(column, [{ tenant, term }], 'search')
    return { column: term.kind.column, term: found ?? new Uint8Array(0) }
  }

  async #compute(
    column: Column,
    wanted: readonly { readonly tenant: string; readonly term: Wanted }[],
    purpose: 'store' | 'search',
  ): Promise<readonly Uint8Array[]> {
    const byTenant = new Map<string, number[]>()
    for (const [index, { tenant }] of wanted.entries())
      byTenant.set(tenant, [...(byTenant.get(tenant) ?? []), index])
    const out: Uint8Array[] = []
    for (const [tenant, indexes] of byTenant) {
      const digests = indexes.map(index => {
        const { kind, text } = (wanted[index] as (typeof wanted)[number]).term
        return this.#blind.digest(Buffer.from(`${kind.label}\0`), Buffer.from(text))
      })
      const [check, outputs] = await Promise.all([
        this.#check(column, tenant, purpose),
        this.#keyed(column, tenant, digests, purpose),
      ])
      for (const [position, index] of indexes.entries()) {
        const { bytes } = (wanted[index] as (typeof wanted)[number]).term.kind
        out[index] = Buffer.concat([check, (outputs[position] ?? new Uint8Array(0)).subarray(0, bytes)])
      }
    }
    return out
  }

  #keyed(
    column: Column,
    tenant: string,
    digests: readonly Uint8Array[],
    purpose: 'store' | 'search',
  ): Promise<readonly Uint8Array[]> {
    const { local, split, epoch = 0 } = this.#options
    if (column.mode === 'split' && split !== undefined)
      return split.terms({ tenant, table: column.table, column: column.name, epoch, digests, purpose })
    if (column.mode === 'local' && local !== undefined) {
      const context = encodeContext({
        tenant,
        table: column.table,
        column: column.name,
        row: ['*'],
        version: 0,
      })
      const key = local.terms(epoch)
      return Promise.resolve(digests.map(digest => key.digest(context, digest)))
    }
    throw new ConfigError({
      place: `${column.table}.${column.name}`,
      problem: `the vault has no keys for mode ${column.mode}`,
      hint: 'pass them to `Vault` (`local` or `split`), or open the vault with `openVault`',
    })
  }

  /** First bytes of the term of nothing, per column and tenant; asked for once, with the right at hand. */
  #check(column: Column, tenant: string, purpose: 'store' | 'search'): Promise<Uint8Array> {
    const key = `${tenant}\0${column.table}\0${column.name}`
    let check = this.#checks.get(key)
    if (check === undefined) {
      const digest = this.#blind.digest(Buffer.from('check'))
      check = this.#keyed(column, tenant, [digest], purpose).then(([output]) =>
        (output ?? new Uint8Array(0)).subarray(0, CHECK_BYTES),
      )
      check.catch(() => this.#checks.delete(key))
      if (this.#checks.size > 10_000) this.#checks.clear()
      this.#checks.set(key, check)
    }
    return check
  }
}

/** A term and the column it is stored in: `WHERE column = term`. */
export interface StoredTerm {
  readonly column: string
  readonly term: Uint8Array
}

/**
 * The tenant of a search. Terms of a tenant are its own, so a search that names none, or one where there are
 * none, would find nothing and not say why.
 * @throws ConfigError
 */
export function searchTenant(table: Table, tenant: string | undefined): string {
  if ((table.tenant === undefined) === (tenant === undefined)) return tenant ?? ''
  throw new ConfigError({
    place: table.name,
    problem:
      tenant === undefined
        ? 'has tenants, but the search names none'
        : 'has no tenants, but the search names one',
    hint: tenant === undefined ? 'give the tenant' : 'leave the tenant out, or declare "tenant" of the table',
  })
}

function kindsOf({ search }: Column): readonly TermKind[] {
  const kinds: TermKind[] = []
  if (search?.equals !== undefined)
    kinds.push({ column: search.equals.column, label: 'equals', bytes: (search.equals.bits ?? 40) / 8 })
  for (const [length, column] of Object.entries(search?.prefixes ?? {}))
    kinds.push({ column, label: `prefix ${length}`, bytes: COARSE_BYTES })
  if (search?.buckets !== undefined)
    kinds.push({ column: search.buckets.column, label: 'bucket', bytes: COARSE_BYTES })
  return kinds
}

/** Terms of one value. A text shorter than a prefix has none for it. */
function termsOf(column: Column, value: unknown): readonly Wanted[] {
  const text = normalise(column, value)
  return kindsOf(column).flatMap((kind): readonly Wanted[] => {
    if (kind.label === 'equals') return [{ kind, text }]
    if (kind.label === 'bucket') {
      const number = value instanceof Date ? value.getTime() : Number(value)
      return [{ kind, text: `${bucketOf(column.search?.buckets?.bounds ?? [], number)}` }]
    }
    const length = Number(kind.label.slice('prefix '.length))
    const characters = [...text]
    return characters.length < length ? [] : [{ kind, text: characters.slice(0, length).join('') }]
  })
}

function normalise(column: Column, value: unknown): string {
  const text =
    value instanceof Date
      ? value.toISOString()
      : value instanceof Uint8Array
        ? Buffer.from(value).toString('hex')
        : typeof value === 'object'
          ? JSON.stringify(value)
          : String(value)
  return column.search?.normalise === 'caseless' ? text.normalize('NFKC').toLowerCase().trim() : text
}

function bucketOf(bounds: readonly number[], value: number): number {
  const index = bounds.findIndex(bound => value < bound)
  return index < 0 ? bounds.length : index
}

function notDeclared(column: Column, what: string): ConfigError {
  return new ConfigError({
    place: `${column.table}.${column.name}`,
    problem: `cannot be searched this way: search.${what} is not declared`,
    hint: `declare search.${what} for the column, or search in another way`,
  })
}
