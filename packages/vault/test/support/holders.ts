import { type Clock, type Event, type EventRecorder, systemRandom, VirtualClock } from '@postern/core'
import type { HolderCoreOptions } from '../../src/holder/holder-core.ts'
import { HolderCore } from '../../src/holder/holder-core.ts'
import { HolderKeys } from '../../src/holder/holder-keys.ts'
import { DEFAULT_POLICY, type HolderPolicy } from '../../src/holder/holder-policy.ts'
import { MemoryJournal } from '../../src/holder/memory-journal.ts'
import { generateSigningKey, type SigningKey } from '../../src/primitive/ed25519.ts'
import { encodeContext, type RecordContext } from '../../src/record/record-context.ts'
import { type Capability, type NamedRecord, signCapability } from '../../src/split/capability.ts'
import type { HolderLink } from '../../src/split/holder-link.ts'
import { signIdentity } from '../../src/split/identity-statement.ts'
import { packOpenings } from '../../src/split/open-batch.ts'
import { HOLDERS, type HolderId, PART_BYTES, PARTS_OF } from '../../src/split/part.ts'
import { SplitKeys } from '../../src/split/split-keys.ts'

/** Keeps events for the test to look at. */
export class EventList implements EventRecorder {
  readonly events: Event[] = []
  record(event: Event): void {
    this.events.push(event)
  }
  async commit(event: Event): Promise<{ readonly index: bigint }> {
    this.record(event)
    return { index: BigInt(this.events.length - 1) }
  }
}

/** A link into a core of this process, with faults on demand. */
export class CoreLink implements HolderLink {
  readonly id: HolderId
  isUp = true
  /** `frozen`: never answers, as a stopped process. */
  fault: 'none' | 'down' | 'frozen' | 'lies' = 'none'
  requests = 0
  readonly #core: HolderCore
  readonly #service: string

  constructor(core: HolderCore, service: string) {
    this.id = core.id
    this.#core = core
    this.#service = service
  }

  async request(body: object, timeout: number): Promise<unknown> {
    this.requests++
    if (this.fault === 'down') throw new Error('down')
    if (this.fault === 'frozen') {
      await new Promise(resolve => setTimeout(resolve, timeout))
      throw new Error('timeout')
    }
    const answer: unknown = JSON.parse(
      JSON.stringify(this.#core.answer(this.#service, JSON.parse(JSON.stringify(body)))),
    )
    if (this.fault !== 'lies') return answer
    const { parts } = answer as { parts?: Record<string, string> }
    for (const [part, outputs] of Object.entries(parts ?? {})) {
      const bytes = Buffer.from(outputs, 'base64url')
      for (let at = 0; at < bytes.length; at += PART_BYTES) bytes[at] = (bytes[at] ?? 0) ^ 1
      if (parts !== undefined) parts[part] = bytes.toString('base64url')
    }
    return answer
  }

  close(): void {}
}

export interface TestHolders {
  readonly cores: readonly HolderCore[]
  readonly links: readonly CoreLink[]
  readonly keys: SplitKeys
  readonly clock: VirtualClock
  readonly recorder: EventList
  readonly enroller: SigningKey
  readonly liars: HolderId[]
  readonly policy: HolderPolicy
  readonly options: readonly HolderCoreOptions[]
  /** Another client, as another service. */
  client(service: string): { readonly keys: SplitKeys; readonly links: readonly CoreLink[] }
}

/** Three holders in this process, which freeze together, on a virtual clock. */
export function testHolders(policy: Partial<HolderPolicy> = {}): TestHolders {
  const clock = new VirtualClock()
  const recorder = new EventList()
  const enroller = generateSigningKey()
  const whole: HolderPolicy = {
    ...DEFAULT_POLICY,
    services: {
      app: { seal: ['*'], open: ['*'], search: ['*'], harden: true },
      ingest: { seal: ['*'], open: [], search: [] },
      other: { seal: ['notes.*'], open: ['notes.body'], search: [] },
    },
    enrollers: [enroller.publicKey.toString('base64url')],
    ...policy,
  }
  const secrets = dealt(0)
  const cores: HolderCore[] = []
  const options = HOLDERS.map((id): HolderCoreOptions => {
    const keys = new HolderKeys(id)
    for (const part of PARTS_OF[id]) keys.add(0, part, secrets[part])
    return {
      keys,
      policy: whole,
      journal: new MemoryJournal(),
      clock: clock as Clock,
      random: systemRandom,
      recorder,
      onFreeze: (actor, reason) => {
        for (const core of cores) core.freeze(actor, reason)
      },
    }
  })
  for (const option of options) cores.push(new HolderCore(option))
  const liars: HolderId[] = []
  const client = (service: string) => {
    const links = cores.map(core => new CoreLink(core, service))
    const keys = new SplitKeys({
      links,
      hedgeAfter: 5,
      timeout: 200,
      thirdWait: 20,
      onLiar: id => liars.push(id),
    })
    return { links, keys }
  }
  return { cores, clock, recorder, enroller, liars, policy: whole, options, client, ...client('app') }
}

/** Records to open as a request has them. */
export function packed(
  items: readonly { readonly context: RecordContext; readonly epoch: number; readonly salt: string }[],
): string {
  return packOpenings(
    items.map(({ context, epoch, salt }) => ({
      encoded: encodeContext(context),
      epoch,
      salt: Buffer.from(salt, 'base64url'),
    })),
  )
}

/** Fresh parts of an epoch. */
export function dealt(_epoch: number): Readonly<Record<'a' | 'b' | 'c', Uint8Array>> {
  return { a: systemRandom.bytes(32), b: systemRandom.bytes(32), c: systemRandom.bytes(32) }
}

/** A person with a key that an enroller vouches for. */
export class TestPerson {
  readonly name: string
  readonly key: SigningKey = generateSigningKey()
  readonly #enroller: SigningKey
  readonly #clock: Clock

  constructor(name: string, enroller: SigningKey, clock: Clock) {
    this.name = name
    this.#enroller = enroller
    this.#clock = clock
  }

  identity(notAfter: number = this.#clock.now() + 3_600_000): string {
    return signIdentity(this.#enroller, {
      actor: this.name,
      key: this.key.publicKey.toString('base64url'),
      notAfter,
    })
  }

  capability(records: readonly NamedRecord[], change: Partial<Capability> = {}): string {
    const now = this.#clock.now()
    return signCapability(this.key, {
      action: 'open',
      service: 'app',
      records,
      issuedAt: now,
      expiresAt: now + 60_000,
      nonce: Buffer.from(systemRandom.bytes(16)).toString('base64url'),
      identity: this.identity(),
      ...change,
    })
  }
}
