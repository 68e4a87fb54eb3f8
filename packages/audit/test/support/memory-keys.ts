import { createHmac } from 'node:crypto'
import { type Subject, subjectName } from '../../src/entry/entry.ts'
import type { SubjectKeys } from '../../src/entry/key-store.ts'
import type { SubjectKey } from '../../src/entry/seal.ts'

/** Subjects' keys in memory, durable after `flush`. */
export class MemoryKeys implements SubjectKeys {
  readonly #random: () => number
  #durable = new Map<string, SubjectKey>()
  #pending = new Map<string, SubjectKey>()

  constructor(random: () => number) {
    this.#random = random
  }

  /** What is left after a power cut. */
  restart(): MemoryKeys {
    const after = new MemoryKeys(this.#random)
    after.#durable = new Map(this.#durable)
    return after
  }

  #bytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => Math.floor(this.#random() * 256)))
  }

  obtain(subject: Subject): SubjectKey {
    const known = this.find(subject)
    if (known !== undefined) return known
    const key = { id: this.#bytes(16).toString('hex'), key: this.#bytes(32) }
    this.#pending.set(subjectName(subject), key)
    return key
  }

  find(subject: Subject): SubjectKey | undefined {
    return this.#pending.get(subjectName(subject)) ?? this.#durable.get(subjectName(subject))
  }

  idsOf(principal: string, tenants: readonly string[]): readonly string[] {
    return tenants.flatMap(tenant => this.find({ tenant, principal })?.id ?? [])
  }

  byId(id: string): SubjectKey | undefined {
    return [...this.#durable.values(), ...this.#pending.values()].find(key => key.id === id)
  }

  flush(): void {
    for (const [name, key] of this.#pending) this.#durable.set(name, key)
    this.#pending = new Map()
  }

  destroy(id: string): void {
    for (const [name, key] of this.#durable) if (key.id === id) this.#durable.delete(name)
  }

  destroyDaysBefore(): readonly string[] {
    return []
  }

  addressToken(address: string): Uint8Array {
    return createHmac('sha256', 'test').update(address).digest().subarray(0, 12)
  }
}
