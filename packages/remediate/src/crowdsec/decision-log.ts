import type { Remediation } from '@postern/core'
import { type ExportedStore, exportedRemediations } from '../export/exported-remediations.ts'
import type { RemediationStore } from '../remediation-store.ts'
import type { RemediationChange } from '../remediation-store-options.ts'

const MAX_CHANGES = 100_000
const MAX_READERS = 1_000

/** What is read of the store. */
type Changes = ExportedStore & Pick<RemediationStore, 'listen' | 'why'>

/** What a reader has not seen yet. */
export interface DecisionDelta {
  readonly added: readonly Remediation[]
  readonly removed: readonly Remediation[]
}

/**
 * The changes of the store in order, and the position of each reader. Bounded: a reader
 * that fell behind gets everything again.
 */
export class DecisionLog {
  readonly #store: Changes
  readonly #changes: RemediationChange[] = []
  readonly #readers = new Map<string, number>()
  readonly #stop: () => void
  /** Number of the first change kept. */
  #first = 0

  constructor(store: Changes) {
    this.#store = store
    this.#stop = store.listen(change => {
      this.#changes.push(change)
      if (this.#changes.length <= MAX_CHANGES) return
      const half = MAX_CHANGES / 2
      this.#changes.splice(0, half)
      this.#first += half
    })
  }

  /** Everything in force; from now on the reader gets changes. */
  start(reader: string): DecisionDelta {
    this.#remember(reader)
    return { added: longest(exportedRemediations(this.#store)), removed: [] }
  }

  /** The changes since the reader's last call; everything when it never called, or fell behind. */
  next(reader: string): DecisionDelta {
    const from = this.#readers.get(reader)
    if (from === undefined || from < this.#first) return this.start(reader)
    const changes = this.#changes.slice(from - this.#first)
    this.#remember(reader)
    const added = new Map<string, Remediation>()
    const removed = new Map<string, Remediation>()
    for (const { kind, remediation } of changes) {
      const [to, other] = kind === 'added' ? [added, removed] : [removed, added]
      to.set(remediation.id, remediation)
      other.delete(remediation.id)
    }
    return {
      added: longest([...added.values()]),
      // Another remediation of the same kind is still active: a bouncer that
      // received this removal would lift both.
      removed: [...removed.values()].filter(remediation => !this.#stillHeld(remediation)),
    }
  }

  close(): void {
    this.#stop()
  }

  #remember(reader: string): void {
    this.#readers.delete(reader)
    this.#readers.set(reader, this.#first + this.#changes.length)
    const oldest = this.#readers.keys().next().value
    if (this.#readers.size > MAX_READERS && oldest !== undefined) this.#readers.delete(oldest)
  }

  #stillHeld(remediation: Remediation): boolean {
    const { kind, value } = remediation.actor
    if (this.#store.isProtected(remediation.actor)) return false
    // Everything that holds an address of a network holds it, or is inside it.
    const actors = kind === 'network' ? { address: value.split('/', 1)[0] } : { [kind]: value }
    return this.#store
      .why(actors)
      .some(other => other.measure === remediation.measure && other.actor.value === value)
  }
}

/** Of several remediations of one kind on the same actor, the one that lasts longest: bouncers keep one. */
function longest(remediations: readonly Remediation[]): readonly Remediation[] {
  const best = new Map<string, Remediation>()
  for (const remediation of remediations) {
    const key = `${remediation.actor.kind} ${remediation.actor.value} ${remediation.measure}`
    const other = best.get(key)
    if (other === undefined || other.expiresAt < remediation.expiresAt) best.set(key, remediation)
  }
  return [...best.values()]
}
