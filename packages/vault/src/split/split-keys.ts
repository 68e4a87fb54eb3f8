import { type Clock, ConfigError, IntegrityError, StoreError, systemClock } from '@postern/core'
import { encodeContext, type RecordContext } from '../record/record-context.ts'
import type { ParsedRecord } from '../record/record-format.ts'
import { type Answered, combineAnswers, contradicted, readAnswer } from './answered.ts'
import { type Contribution, saltFrom } from './contribution.ts'
import { ContributionPool } from './contribution-pool.ts'
import { Gathering } from './gathering.ts'
import { HedgeDelay } from './hedge-delay.ts'
import type { HolderLink } from './holder-link.ts'
import { HolderOrder } from './holder-order.ts'
import { packOpenings } from './open-batch.ts'
import { OpenedKeys } from './opened-keys.ts'
import type { HolderId, Part } from './part.ts'
import { ASK_STATUS, type Refused, refusalError } from './refusal-error.ts'
import { ReservedKeys } from './reserved-keys.ts'
import type { SealKey } from './seal-key.ts'
import { type UncheckedRequest, UncheckedTerms } from './unchecked-terms.ts'

/** Items that holders take in one request. */
const MOST_AT_ONCE = 1_000

/** A record as it is stored, and where. */
export interface StoredRecord {
  /** `encodeContext` of its place. */
  readonly encoded: Uint8Array
  readonly record: ParsedRecord
}

/** The links to the holders, how long each may take, and who is notified of one that lies. */
export interface SplitKeysOptions {
  /** Ways to the three holders. */
  readonly links: readonly HolderLink[]
  /**
   * When the third holder is asked too because the first two have not both answered,
   * milliseconds. Default: follows the time that answers take, 15 at first.
   */
  readonly hedgeAfter?: number
  /** When a request is given up, milliseconds. Default 2,000. */
  readonly timeout?: number
  /** How long a seal waits for the third holder after two have answered, milliseconds. Default 50. */
  readonly thirdWait?: number
  /**
   * How many holders must agree about a search term. Default 2: with one holder away, a search goes on, and
   * another that lies makes it find nothing, see `UncheckedTerms`. With 3 it is an error instead, and so is
   * writing a value that is searched for.
   */
  readonly termsNeed?: 2 | 3
  readonly clock?: Clock
  /** Called with a holder whose answer contradicts the others: it is broken or lies. */
  readonly onLiar?: (holder: HolderId) => void
}

/** The client of the three holders: record keys to seal with, record keys to open with, search terms. */
export class SplitKeys {
  readonly #links: readonly HolderLink[]
  readonly #hedgeAfter: number | undefined
  readonly #hedgeDelay = new HedgeDelay(15)
  readonly #clock: Clock
  readonly #timeout: number
  readonly #thirdWait: number
  readonly #onLiar: (holder: HolderId) => void
  readonly #order: HolderOrder
  readonly #contributions: ContributionPool
  readonly #reserved = new ReservedKeys()
  readonly #unchecked = new UncheckedTerms()
  readonly #termsNeed: 2 | 3

  constructor(options: SplitKeysOptions) {
    this.#links = options.links
    this.#hedgeAfter = options.hedgeAfter
    this.#clock = options.clock ?? systemClock
    this.#timeout = options.timeout ?? 2_000
    this.#thirdWait = options.thirdWait ?? 50
    this.#termsNeed = options.termsNeed ?? 2
    this.#onLiar = options.onLiar ?? (() => {})
    this.#order = new HolderOrder(this.#links, this.#clock, this.#timeout)
    this.#contributions = new ContributionPool(
      this.#links.map(({ id }) => id),
      { timeout: this.#timeout, thirdWait: this.#thirdWait },
    )
  }

  /**
   * Keys for new records, all in one round trip once contributions are at hand. Asks every
   * holder that is up, so that each part comes from two: a part that one holder alone vouched
   * for could make a record nobody opens again.
   * @throws StoreError when fewer than two holders answer
   * @throws CredentialError when this service may not seal these columns
   * @throws IntegrityError when two holders contradict each other and the third cannot be asked
   */
  async seal(contexts: readonly RecordContext[]): Promise<readonly SealKey[]> {
    const keys = contexts.map(context => this.#reserved.take(context, this.epoch, this.#clock.monotonic()))
    const missing = contexts.filter((_, index) => keys[index] === undefined)
    const fresh = missing.length === 0 ? [] : await this.#sealFresh(missing)
    let next = 0
    return keys.map(key => key ?? (fresh[next++] as SealKey))
  }

  /**
   * Fetches keys ahead for records that will be written, so that writing them does not need the
   * holders. Each is used for one record, once, in its place, within a day and in its epoch; the oldest are
   * dropped beyond 10,000, and none outlives the process.
   * @throws as `seal`
   */
  async reserve(contexts: readonly RecordContext[]): Promise<void> {
    if (contexts.length === 0) return
    this.#reserved.keep(contexts, await this.#sealFresh(contexts), this.#clock.monotonic())
  }

  async #sealFresh(contexts: readonly RecordContext[]): Promise<readonly SealKey[]> {
    if (contexts.length > MOST_AT_ONCE) {
      const keys: SealKey[] = []
      for (let at = 0; at < contexts.length; at += MOST_AT_ONCE)
        keys.push(...(await this.#sealFresh(contexts.slice(at, at + MOST_AT_ONCE))))
      return keys
    }
    try {
      return await this.#sealOnce(contexts)
    } catch (error) {
      // Holders that were restarted have forgotten their contributions, or an epoch
      // began: both are known now.
      if (error instanceof StoreError && error.retryable) return this.#sealOnce(contexts)
      throw error
    }
  }

  async #sealOnce(contexts: readonly RecordContext[]): Promise<readonly SealKey[]> {
    const taken = await this.#contributionsOf(contexts.length)
    const epoch = this.#contributions.agreed([...taken.keys()].map(({ id }) => id))
    // One that has not begun it, or says so, would refuse: the other two are enough.
    const holders = [...taken.keys()].filter(({ id }) => this.#contributions.epochOf(id) >= epoch)
    if (epoch < 0)
      throw new StoreError('have no epoch yet; run `postern holder ask CONFIG begin-epoch 0` on each', {
        store: 'holders',
        retryable: false,
      })
    const salts: Buffer[] = []
    const items = contexts.map((context, index) => {
      const contributions = holders.map(link => ({
        holder: link.id,
        nonce: taken.get(link)?.[index] ?? '',
      }))
      const encoded = encodeContext(context)
      salts.push(saltFrom(encoded, contributions.map(decodeContribution)))
      return { context, contributions }
    })
    const keys = this.#agree(
      await this.#gather(holders, { op: 'seal', epoch, items }, contexts.length, 'all'),
    )
    return salts.map((salt, index) => ({ recordKey: keys[index] as Uint8Array, salt, epoch }))
  }

  /**
   * Keys of stored records, in one round trip to two holders. The third is asked when one of them is
   * late, refuses, or contradicts the other; and with `askThird`, when a record does not open.
   * @throws BudgetExceeded, CredentialError, StoreError
   */
  async open(records: readonly StoredRecord[], capability?: string): Promise<OpenedKeys> {
    if (records.length === 0) return new OpenedKeys(0, [])
    // Not in pieces: a capability is taken once, and a page opens as a whole or not at all.
    if (records.length > MOST_AT_ONCE)
      throw new ConfigError({
        place: 'vault',
        problem: `was asked to open ${records.length} values at once, and holders open at most ${MOST_AT_ONCE}`,
        hint: 'read fewer rows, or fewer of the encrypted columns, at a time',
      })
    const items = packOpenings(
      records.map(({ encoded, record: { epoch, salt } }) => ({ encoded, epoch, salt })),
    )
    const body = { op: 'open', items, ...(capability !== undefined && { capability }) }
    const links = this.#order.from(records[0]?.record.salt[0] ?? 0)
    const answers = await this.#gather(links, body, records.length, 'two')
    const asked = new Set(answers.map(({ holder }) => holder))
    const opened = new OpenedKeys(records.length, answers, () =>
      this.#answersOf(
        links.filter(({ id }) => !asked.has(id)),
        body,
        records.length,
      ),
    )
    if (opened.isContradicted) await opened.askThird()
    return opened
  }

  /** What these holders answer; those that do not, or refuse, are left out. */
  async #answersOf(links: readonly HolderLink[], body: object, count: number): Promise<readonly Answered[]> {
    const settled = await Promise.allSettled(links.map(link => this.#ask(link, body, count)))
    return settled.flatMap(result =>
      result.status === 'fulfilled' && 'parts' in result.value ? [result.value] : [],
    )
  }

  /**
   * Keyed terms of values, for searching or for storing beside a sealed value. A holder that was away is
   * asked for them afterwards, see `UncheckedTerms`.
   * @param digests 32 bytes each, the application's own keyed digest of the value:
   *   holders never see the value
   * @throws IntegrityError when holders contradict each other, about these terms or about earlier ones that
   *   rested on two of them; else as `open`
   * @throws StoreError when fewer than `termsNeed` holders answer
   */
  async terms(request: {
    readonly tenant: string
    readonly table: string
    readonly column: string
    readonly epoch: number
    readonly digests: readonly Uint8Array[]
    readonly purpose: 'store' | 'search'
  }): Promise<readonly Uint8Array[]> {
    if (request.digests.length > MOST_AT_ONCE) {
      const terms: Uint8Array[] = []
      for (let at = 0; at < request.digests.length; at += MOST_AT_ONCE) {
        const digests = request.digests.slice(at, at + MOST_AT_ONCE)
        terms.push(...(await this.terms({ ...request, digests })))
      }
      return terms
    }
    const digests = request.digests.map(digest => Buffer.from(digest).toString('base64url'))
    const body = { op: 'term', ...request, digests }
    // A term has no commitment to check a part against, so every part must come from two holders: one alone
    // could make a search find nothing.
    const { length: count } = digests
    this.#unchecked.assertNoneFound()
    const answers =
      this.#termsNeed === 3
        ? await this.#gather(this.#links, body, count, 'all', this.#timeout)
        : await this.#gather(this.#order.forSealing, body, count, 'all')
    const terms = this.#agree(answers)
    if (answers.length < this.#termsNeed)
      throw new StoreError(
        `${answers.length} of 3 agree about a search term, and three are needed here ("termsNeed"); ${ASK_STATUS}`,
        { store: 'holders', retryable: true },
      )
    if (answers.length === 2) this.#unchecked.keep({ body, count, answers })
    else void this.#unchecked.check((holder, request) => this.#askAgain(holder, request))
    return terms
  }

  /** What a holder that was away answers now; undefined when it does not answer, or refuses. */
  async #askAgain(holder: HolderId, { body, count }: UncheckedRequest): Promise<Answered | undefined> {
    const links = this.#links.filter(({ id, isUp }) => id === holder && isUp)
    return (await this.#answersOf(links, body, count))[0]
  }

  /**
   * One blinded element through the holders: three elements to add up, for hardening a password. Every holder
   * that is up is asked, as for a term: what one alone vouched for would make a right password a wrong one.
   */
  async harden(
    user: string,
    epoch: number,
    blinded: Uint8Array,
  ): Promise<Readonly<Record<Part, Uint8Array>>> {
    const body = { op: 'harden', user, epoch, blinded: Buffer.from(blinded).toString('base64url') }
    const answers = await this.#gather(this.#order.forSealing, body, 1, 'all')
    if (contradicted(answers).size > 0)
      throw new IntegrityError('holders contradict each other; ask their operators')
    const parts: Partial<Record<Part, Uint8Array>> = Object.assign({}, ...answers.map(answer => answer.parts))
    const { a, b, c } = parts
    if (a === undefined || b === undefined || c === undefined)
      throw new IntegrityError('holders: two answers do not contain all three parts')
    return { a, b, c }
  }

  /** Newest epoch that two holders have reported; -1 before the first seal. */
  get epoch(): number {
    return this.#contributions.epoch
  }

  /** Asks for contributions now, so that the first seal does not wait for them, and learns the epoch. */
  async prepare(): Promise<void> {
    await this.#contributionsOf(1)
  }

  /** Records every holder whose part of the winning candidate differs: it gave a wrong answer. */
  blame(holders: readonly HolderId[]): void {
    for (const holder of holders) this.#onLiar(holder)
  }

  close(): void {
    for (const link of this.#links) link.close()
  }

  /** Contributions of two holders or three. @throws StoreError when fewer have any */
  async #contributionsOf(count: number): Promise<ReadonlyMap<HolderLink, readonly string[]>> {
    const taken = await this.#contributions.take(this.#order.forSealing, count)
    if (taken.size >= 2) return taken
    throw new StoreError(`${taken.size} of 3 can be reached, two are needed; ${ASK_STATUS}`, {
      store: 'holders',
      retryable: true,
    })
  }

  /**
   * Answers of two holders, or of all that answer soon. Throws what the holders
   * refused with, when too few answered.
   */
  async #gather(
    links: readonly HolderLink[],
    body: object,
    count: number,
    how: 'two' | 'all',
    thirdWait: number = this.#thirdWait,
  ): Promise<readonly Answered[]> {
    const started = this.#clock.monotonic()
    const { answers, refusals } = await new Gathering({
      links,
      how,
      ask: link => this.#ask(link, body, count),
      wait: how === 'two' ? (this.#hedgeAfter ?? this.#hedgeDelay.current) : thirdWait,
      onLate: holders => this.#order.late(holders),
    }).outcome
    if (how === 'two') this.#hedgeDelay.observe(this.#clock.monotonic() - started)
    if (answers.length >= 2) return answers
    throw refusalError(refusals)
  }

  async #ask(link: HolderLink, body: object, count: number): Promise<Answered | Refused> {
    const answer = await link.request(body, this.#timeout)
    this.#order.answered(link.id)
    if (typeof answer !== 'object' || answer === null)
      throw new IntegrityError(`holder ${link.id}: no answer in its message`)
    const { parts } = answer as { readonly parts?: unknown }
    if (typeof parts === 'object' && parts !== null)
      return readAnswer(link.id, parts as Readonly<Record<string, unknown>>, count)
    const refusal = answer as Readonly<Record<string, unknown>>
    if (refusal['refused'] === 'contribution' || refusal['refused'] === 'epoch')
      this.#contributions.clear(link.id)
    return { holder: link.id, refusal }
  }

  /** The keys of all items, when nobody contradicts anybody. */
  #agree(answers: readonly Answered[]): readonly Uint8Array[] {
    const suspects = contradicted(answers)
    if (suspects.size === 0) return combineAnswers(answers)
    // A liar in both its parts contradicts both others; they are contradicted once each.
    const liar = [...suspects].find(([, count]) => count === 2)?.[0]
    if (liar !== undefined) this.#onLiar(liar)
    throw new IntegrityError(
      liar === undefined
        ? 'holders: two contradict each other; nothing was sealed or searched. Stop the one whose log shows it was changed'
        : `holders: holder ${liar} contradicts both others; nothing was sealed or searched. Stop it and replace it`,
    )
  }
}

function decodeContribution({
  holder,
  nonce,
}: {
  readonly holder: HolderId
  readonly nonce: string
}): Contribution {
  return { holder, nonce: Buffer.from(nonce, 'base64url') }
}
