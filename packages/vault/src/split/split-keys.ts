import {
  BudgetExceeded,
  type Clock,
  CredentialError,
  IntegrityError,
  StoreError,
  systemClock,
} from '@postern/core'
import { encodeContext, type RecordContext } from '../record/record-context.ts'
import type { ParsedRecord } from '../record/record-format.ts'
import { type Contribution, saltFrom } from './contribution.ts'
import { type Answered, Gathering, type Refused } from './gathering.ts'
import type { HolderLink } from './holder-link.ts'
import { combineParts, type HolderId, PARTS_OF, type Part } from './part.ts'

/** A key to seal one record with, and what goes into its header. */
export interface SealKey {
  readonly recordKey: Uint8Array
  readonly salt: Uint8Array
  readonly epoch: number
}

export interface SplitKeysOptions {
  /** Ways to the three holders. */
  readonly links: readonly HolderLink[]
  /**
   * When the third holder is asked too because the first two have not both answered,
   * milliseconds. Default 15.
   */
  readonly hedgeAfter?: number
  /** When a request is given up, milliseconds. Default 2,000. */
  readonly timeout?: number
  /** How long a seal waits for the third holder after two have answered, milliseconds. Default 50. */
  readonly thirdWait?: number
  readonly clock?: Clock
  /** Called with a holder whose answer contradicts the others: it is broken or lies. */
  readonly onLiar?: (holder: HolderId) => void
}

/**
 * How long a holder that was late is asked last, milliseconds. By then its link knows whether it is silent.
 */
const SLOW_MS = 1_000
/** Seal keys kept for records still to be written. */
const MAX_RESERVED = 10_000
/** Contributions kept ready per holder, and asked for at once. */
const NONCES_KEPT = 512
const NONCES_LOW = 128

/** The client of the three holders: record keys to seal with, record keys to open with, search terms. */
export class SplitKeys {
  readonly #links: readonly HolderLink[]
  readonly #hedgeAfter: number
  readonly #timeout: number
  readonly #thirdWait: number
  readonly #onLiar: (holder: HolderId) => void
  readonly #clock: Clock
  readonly #reserved = new Map<string, SealKey>()
  /** Holders that were late, and until when others are preferred; an answer ends it. */
  readonly #slow = new Map<HolderId, number>()
  readonly #nonces = new Map<
    HolderId,
    { values: string[]; epoch: number; filling: Promise<void> | undefined }
  >()

  constructor(options: SplitKeysOptions) {
    this.#links = options.links
    this.#hedgeAfter = options.hedgeAfter ?? 15
    this.#timeout = options.timeout ?? 2_000
    this.#thirdWait = options.thirdWait ?? 50
    this.#onLiar = options.onLiar ?? (() => {})
    this.#clock = options.clock ?? systemClock
    for (const { id } of this.#links) this.#nonces.set(id, { values: [], epoch: -1, filling: undefined })
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
    const keys = contexts.map(context => this.#takeReserved(context))
    const missing = contexts.filter((_, index) => keys[index] === undefined)
    const fresh = missing.length === 0 ? [] : await this.#sealFresh(missing)
    let next = 0
    return keys.map(key => key ?? (fresh[next++] as SealKey))
  }

  /**
   * Fetches keys ahead for records that will be written, so that writing them does not need the
   * holders. Each is used for one record, once, in its place; the oldest are dropped beyond
   * 10,000, and none outlives the process.
   * @throws as `seal`
   */
  async reserve(contexts: readonly RecordContext[]): Promise<void> {
    if (contexts.length === 0) return
    const keys = await this.#sealFresh(contexts)
    for (const [index, context] of contexts.entries())
      this.#reserved.set(reservedKey(context), keys[index] as SealKey)
    for (const key of this.#reserved.keys()) {
      if (this.#reserved.size <= MAX_RESERVED) break
      this.#reserved.delete(key)
    }
  }

  /** A reserved key, which is gone with this. */
  #takeReserved(context: RecordContext): SealKey | undefined {
    if (this.#reserved.size === 0) return undefined
    const name = reservedKey(context)
    const key = this.#reserved.get(name)
    this.#reserved.delete(name)
    return key
  }

  async #sealFresh(contexts: readonly RecordContext[]): Promise<readonly SealKey[]> {
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
    const holders = await this.#holdersWithNonces(contexts.length)
    const epoch = Math.min(...holders.map(({ id }) => this.#nonces.get(id)?.epoch ?? -1))
    if (epoch < 0)
      throw new StoreError('have no epoch yet; begin one', { store: 'holders', retryable: false })
    const salts: Buffer[] = []
    const items = contexts.map(context => {
      const contributions = holders.map(({ id }) => ({
        holder: id,
        nonce: this.#nonces.get(id)?.values.pop() ?? '',
      }))
      const encoded = encodeContext(context)
      salts.push(saltFrom(encoded, contributions.map(decodeContribution)))
      return { context, contributions }
    })
    const answers = await this.#gather(holders, { op: 'seal', epoch, items }, 'all')
    return salts.map((salt, index) => ({
      recordKey: this.#agree(answers, index),
      salt,
      epoch,
    }))
  }

  /**
   * Keys of stored records, in one round trip to two holders. The third is asked when one of them is
   * late, refuses, or contradicts the other.
   * @returns candidates per record, the likely one first; more than one only where holders contradict each
   *   other, and then the commitment in the record says which is right
   * @throws BudgetExceeded, CredentialError, StoreError
   */
  async open(
    records: readonly { readonly context: RecordContext; readonly record: ParsedRecord }[],
    capability?: string,
  ): Promise<readonly (readonly OpenCandidate[])[]> {
    if (records.length === 0) return []
    const items = records.map(({ context, record }) => ({
      context,
      epoch: record.epoch,
      salt: Buffer.from(record.salt).toString('base64url'),
    }))
    const body = { op: 'open', items, ...(capability !== undefined && { capability }) }
    const links = this.#ordered(records[0]?.record.salt[0] ?? 0)
    let answers = await this.#gather(links, body, 'two')
    if (records.some((_, index) => contradicts(answers, index)) && answers.length === 2) {
      const asked = new Set(answers.map(({ holder }) => holder))
      const third = links.filter(({ id }) => !asked.has(id))
      const more = await Promise.allSettled(third.map(link => this.#ask(link, body)))
      answers = [
        ...answers,
        ...more.flatMap(result =>
          result.status === 'fulfilled' && 'parts' in result.value ? [result.value] : [],
        ),
      ]
    }
    return records.map((_, index) => candidates(answers, index))
  }

  /**
   * Keyed terms of values, for searching or for storing beside a sealed value.
   * @param digests 32 bytes each, the application's own keyed digest of the value:
   *   holders never see the value
   */
  async terms(request: {
    readonly tenant: string
    readonly table: string
    readonly column: string
    readonly epoch: number
    readonly digests: readonly Uint8Array[]
    readonly purpose: 'store' | 'search'
  }): Promise<readonly Uint8Array[]> {
    const digests = request.digests.map(digest => Buffer.from(digest).toString('base64url'))
    // A term has no commitment to check a part against, so a stored one needs every part from two holders.
    const how = request.purpose === 'store' ? 'all' : 'two'
    const answers = await this.#gather(
      this.#ordered(digests.length),
      { op: 'term', ...request, digests },
      how,
    )
    return digests.map((_, index) => this.#agree(answers, index))
  }

  /** One blinded element through two holders: three elements to add up, for hardening a password. */
  async harden(
    user: string,
    epoch: number,
    blinded: Uint8Array,
  ): Promise<Readonly<Record<Part, Uint8Array>>> {
    const body = { op: 'harden', user, epoch, blinded: Buffer.from(blinded).toString('base64url') }
    const answers = await this.#gather(this.#ordered(blinded[0] ?? 0), body, 'two')
    if (contradicts(answers, 0))
      throw new IntegrityError('holders contradict each other; ask their operators')
    return {
      a: partOf(answers, 'a', 0),
      b: partOf(answers, 'b', 0),
      c: partOf(answers, 'c', 0),
    }
  }

  /** Newest epoch that a holder has reported; -1 before the first seal. */
  get epoch(): number {
    return Math.max(-1, ...[...this.#nonces.values()].map(({ epoch }) => epoch))
  }

  /** Asks for contributions now, so that the first seal does not wait for them, and learns the epoch. */
  async prepare(): Promise<void> {
    await this.#holdersWithNonces(1)
  }

  /** Records every holder whose part of the winning candidate differs: it gave a wrong answer. */
  blame(holders: readonly HolderId[]): void {
    for (const holder of holders) this.#onLiar(holder)
  }

  close(): void {
    for (const link of this.#links) link.close()
  }

  /**
   * Holders that are up first; among these the pair is chosen by the record, so that
   * a page read twice is counted once.
   */
  #ordered(turn: number): readonly HolderLink[] {
    const start = turn % this.#links.length
    const rotated = [...this.#links.slice(start), ...this.#links.slice(0, start)]
    return [...rotated.filter(link => this.#isPrompt(link)), ...rotated.filter(link => !this.#isPrompt(link))]
  }

  #isPrompt({ id, isUp }: HolderLink): boolean {
    return isUp && (this.#slow.get(id) ?? 0) <= this.#clock.monotonic()
  }

  async #holdersWithNonces(count: number): Promise<readonly HolderLink[]> {
    const prompt = this.#links.filter(link => this.#isPrompt(link))
    const up = prompt.length >= 2 ? prompt : this.#links.filter(({ isUp }) => isUp)
    const ready = (): HolderLink[] =>
      up.filter(({ id }) => (this.#nonces.get(id)?.values.length ?? 0) >= count)
    for (const link of up)
      if ((this.#nonces.get(link.id)?.values.length ?? 0) < count + NONCES_LOW) this.#fill(link, count)
    if (ready().length < up.length) {
      const filling = up.flatMap(({ id }) => this.#nonces.get(id)?.filling ?? [])
      await Promise.race([Promise.allSettled(filling), enough(filling, 2, this.#thirdWait)])
    }
    const holders = ready()
    if (holders.length < 2)
      throw new StoreError(`${holders.length} of 3 can be reached, two are needed`, {
        store: 'holders',
        retryable: true,
      })
    return holders
  }

  #fill(link: HolderLink, count: number): void {
    const pool = this.#nonces.get(link.id)
    if (pool === undefined || pool.filling !== undefined) return
    pool.filling = (async () => {
      try {
        const answer = (await link.request({ op: 'nonces', count: NONCES_KEPT + count }, this.#timeout)) as {
          readonly nonces?: readonly string[]
          readonly epoch?: number
        }
        if (answer.nonces === undefined || typeof answer.epoch !== 'number') return
        pool.values = [...answer.nonces]
        pool.epoch = answer.epoch
      } catch {
        // The link is not up any more, and is left out.
      } finally {
        pool.filling = undefined
      }
    })()
  }

  /**
   * Answers of two holders, or of all that answer soon. Throws what the holders
   * refused with, when too few answered.
   */
  async #gather(
    links: readonly HolderLink[],
    body: object,
    how: 'two' | 'all',
  ): Promise<readonly Answered[]> {
    const { answers, refusals } = await new Gathering({
      links,
      how,
      ask: link => this.#ask(link, body),
      wait: how === 'two' ? this.#hedgeAfter : this.#thirdWait,
      onLate: holders => this.#prefer(holders),
    }).outcome
    if (answers.length >= 2) return answers
    throw this.#failure(refusals)
  }

  /** Asks others than these for a while. */
  #prefer(overdue: ReadonlySet<HolderId>): void {
    for (const id of overdue) this.#slow.set(id, this.#clock.monotonic() + SLOW_MS)
  }

  async #ask(link: HolderLink, body: object): Promise<Answered | Refused> {
    const answer = await link.request(body, this.#timeout)
    this.#slow.delete(link.id)
    if (typeof answer !== 'object' || answer === null)
      throw new IntegrityError(`holder ${link.id}: no answer in its message`)
    const { parts } = answer as { readonly parts?: Readonly<Record<string, readonly string[]>> }
    if (parts === undefined) {
      const refusal = answer as Readonly<Record<string, unknown>>
      const pool = this.#nonces.get(link.id)
      if (pool !== undefined && (refusal['refused'] === 'contribution' || refusal['refused'] === 'epoch'))
        pool.values = []
      return { holder: link.id, refusal }
    }
    const decoded: Partial<Record<Part, readonly Buffer[]>> = {}
    for (const part of PARTS_OF[link.id]) {
      const outputs = (parts[part] ?? []).map(text => Buffer.from(text, 'base64url'))
      if (outputs.length === 0 || outputs.some(output => output.length !== 32))
        throw new IntegrityError(`holder ${link.id}: a part is missing in its answer`)
      decoded[part] = outputs
    }
    return { holder: link.id, parts: decoded }
  }

  #failure(refusals: readonly Refused[]): Error {
    const first = (kind: string): Readonly<Record<string, unknown>> | undefined =>
      refusals.find(({ refusal }) => refusal['refused'] === kind)?.refusal
    if (
      first('frozen') !== undefined ||
      first('capability') !== undefined ||
      first('forbidden') !== undefined
    )
      return new CredentialError('holders: this may not be opened or sealed by this caller')
    const budget = first('budget')
    if (budget !== undefined) {
      return new BudgetExceeded({
        budget: `vault ${String(budget['budget'])}`,
        allowed: Number(budget['allowed']),
        asked: Number(budget['asked']),
        retryAt: Number(budget['retryAt']),
      })
    }
    const epoch = first('epoch')
    if (epoch !== undefined) {
      return new StoreError(`do not serve this epoch (the newest is ${Number(epoch['current'])})`, {
        store: 'holders',
        retryable: true,
      })
    }
    if (first('malformed') !== undefined)
      return new IntegrityError(
        'holders: did not understand the request; holder and client must be of one version',
      )
    if (first('contribution') !== undefined)
      return new StoreError('want new contributions', { store: 'holders', retryable: true })
    return new StoreError('fewer than two of 3 answered', { store: 'holders', retryable: true })
  }

  /**
   * One key from answers that agree. Where three answered, a part that two of them give wins over the third.
   */
  #agree(answers: readonly Answered[], index: number): Uint8Array {
    const suspects = new Map<HolderId, number>()
    for (const part of ['a', 'b', 'c'] as const) {
      const given = answers.filter(({ parts }) => parts[part] !== undefined)
      const [x, y] = given
      if (x !== undefined && y !== undefined && !sameOutput(x, y, part, index))
        for (const { holder } of given) suspects.set(holder, (suspects.get(holder) ?? 0) + 1)
    }
    if (suspects.size === 0)
      return combineParts(
        partOf(answers, 'a', index),
        partOf(answers, 'b', index),
        partOf(answers, 'c', index),
      )
    // A liar in both its parts contradicts both others; they are contradicted once each.
    const liar = [...suspects].find(([, count]) => count === 2)?.[0]
    if (liar !== undefined) this.#onLiar(liar)
    throw new IntegrityError(
      liar === undefined
        ? 'holders: two contradict each other; nothing was sealed. Stop the one whose log shows it was changed'
        : `holders: holder ${liar} contradicts both others; nothing was sealed. Stop it and replace it`,
    )
  }
}

/** A record key that the answers allow, and whose word it goes against. */
export interface OpenCandidate {
  readonly recordKey: Uint8Array
  readonly against: readonly HolderId[]
}

function candidates(answers: readonly Answered[], index: number): readonly OpenCandidate[] {
  const choices = (['a', 'b', 'c'] as const).map(part => {
    const given = answers.flatMap(({ holder, parts }) => {
      const output = parts[part]?.[index]
      return output === undefined ? [] : [{ holder, output }]
    })
    const distinct = given.filter(
      ({ output }, position) => given.findIndex(other => other.output.equals(output)) === position,
    )
    return distinct.map(({ output }) => ({
      output,
      against: given.filter(other => !other.output.equals(output)).map(({ holder }) => holder),
    }))
  })
  const [as, bs, cs] = choices
  const found: OpenCandidate[] = []
  for (const a of as ?? [])
    for (const b of bs ?? [])
      for (const c of cs ?? [])
        found.push({
          recordKey: combineParts(a.output, b.output, c.output),
          against: [...new Set([...a.against, ...b.against, ...c.against])],
        })
  // One holder that lies twice can make its lies cancel out; the version that
  // contradicts the fewest comes first.
  return found.sort((x, y) => x.against.length - y.against.length)
}

function reservedKey(context: RecordContext): string {
  return encodeContext(context).toString('latin1')
}

function contradicts(answers: readonly Answered[], index: number): boolean {
  return (['a', 'b', 'c'] as const).some(part => {
    const [x, y] = answers.filter(({ parts }) => parts[part] !== undefined)
    return x !== undefined && y !== undefined && !sameOutput(x, y, part, index)
  })
}

function sameOutput(x: Answered, y: Answered, part: Part, index: number): boolean {
  const left = x.parts[part]?.[index]
  const right = y.parts[part]?.[index]
  return left !== undefined && right !== undefined && left.equals(right)
}

function partOf(answers: readonly Answered[], part: Part, index: number): Uint8Array {
  for (const { parts } of answers) {
    const output = parts[part]?.[index]
    if (output !== undefined) return output
  }
  throw new IntegrityError('holders: the answers of two do not make three parts')
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

/** Resolves when `count` of the promises have settled and `grace` more milliseconds have passed. */
function enough(promises: readonly Promise<void>[], count: number, grace: number): Promise<void> {
  return new Promise(resolve => {
    let settled = 0
    for (const promise of promises)
      promise.finally(() => {
        if (++settled === count) setTimeout(resolve, grace)
      })
  })
}
