import type { RecordContext } from '../record/record-context.ts'
import type { ParsedRecord } from '../record/record-format.ts'
import type { HolderLink } from '../split/holder-link.ts'
import { packOpenings } from '../split/open-batch.ts'
import { PARTS_OF, type Part } from '../split/part.ts'
import type { StolenSigner } from './stolen-authority.ts'

/** Parts of one record's key that the thief has. */
export type Parts = Partial<Record<Part, Uint8Array>>

/** A record that is asked for. */
export interface Wanted {
  readonly context: RecordContext
  readonly record: ParsedRecord
  readonly encoded: Uint8Array
  readonly parts: Parts
  /** Whether the parts at hand open it. */
  readonly opens: () => boolean
}

/** Longest wait for a live holder, milliseconds. */
const TIMEOUT_MS = 2_000

/**
 * The thief in front of running holders, with the identity of the application: asks in every way he can think
 * of, and each time another pair of holders first, since each counts for itself.
 */
export class LiveHolders {
  refused = 0
  readonly #links: readonly HolderLink[]
  readonly #signers: readonly StolenSigner[]
  readonly #service: string
  readonly #now: () => number
  #turn = 0
  /** Signers whose capabilities no holder takes any more. */
  readonly #spent = new Set<StolenSigner>()

  constructor(
    links: readonly HolderLink[],
    signers: readonly StolenSigner[],
    service: string,
    now: () => number,
  ) {
    this.#links = links
    this.#signers = signers
    this.#service = service
    this.#now = now
  }

  /** As the service, then as somebody. */
  async open(wanted: Wanted): Promise<'live holders' | 'signed in the name of others' | undefined> {
    if (await this.#ask(wanted, [opening([wanted]), sealing(wanted)])) return 'live holders'
    for (const signer of this.#signers) {
      if (this.#spent.has(signer)) continue
      for (const attempt of signer.invents ? [1, 2] : [1]) {
        if (attempt === 2) signer.another()
        const capability = signer.capability(wanted.context, this.#service, this.#now())
        if (await this.#ask(wanted, [{ ...opening([wanted]), capability }]))
          return 'signed in the name of others'
      }
      this.#spent.add(signer)
    }
    return undefined
  }

  /** All that a captured capability names, at once: holders take it once. */
  async present(capability: string, named: readonly Wanted[]): Promise<void> {
    for (const link of this.#links) {
      const answer = await this.#request(link, { ...opening(named), capability })
      if (answer === undefined) continue
      for (const part of PARTS_OF[link.id]) {
        const outputs = Buffer.from(answer[part] ?? '', 'base64url')
        for (const [index, { parts }] of named.entries())
          parts[part] = outputs.subarray(index * 32, index * 32 + 32)
      }
    }
  }

  /** Asks one holder after the other until the parts suffice. */
  async #ask(wanted: Wanted, bodies: readonly object[]): Promise<boolean> {
    const start = this.#turn++ % Math.max(1, this.#links.length)
    for (const link of [...this.#links.slice(start), ...this.#links.slice(0, start)]) {
      // A holder whose parts are at hand already is not asked: it would only cost budget.
      if (PARTS_OF[link.id].every(part => wanted.parts[part] !== undefined)) continue
      for (const body of bodies) {
        const answer = await this.#request(link, body)
        if (answer === undefined) continue
        for (const part of PARTS_OF[link.id])
          wanted.parts[part] = Buffer.from(answer[part] ?? '', 'base64url')
        if (wanted.opens()) return true
        break
      }
    }
    return false
  }

  async #request(link: HolderLink, body: object): Promise<Readonly<Record<string, string>> | undefined> {
    const answer = (await link.request(body, TIMEOUT_MS).catch(() => ({}))) as {
      readonly parts?: Readonly<Record<string, string>>
    }
    if (answer.parts === undefined) this.refused++
    return answer.parts
  }
}

function opening(wanted: readonly Wanted[]): { readonly op: string; readonly items: string } {
  return {
    op: 'open',
    items: packOpenings(
      wanted.map(({ encoded, record }) => ({ encoded, epoch: record.epoch, salt: record.salt })),
    ),
  }
}

/** A right to seal with the stored salt in place of contributions. */
function sealing({ context, record }: Wanted): object {
  const nonce = Buffer.from(record.salt).toString('base64url')
  const contributions = ([1, 2, 3] as const).map(holder => ({ holder, nonce }))
  return { op: 'seal', epoch: record.epoch, items: [{ context, contributions }] }
}
