import { ConfigError } from '@postern/core'
import type { LocalKeys } from '../local/local-keys.ts'
import type { Mode, ParsedRecord } from '../record/record-format.ts'
import { recordPrf } from '../record/record-keys.ts'
import type { OpenCandidate } from '../split/answered.ts'
import type { OpenedKeys } from '../split/opened-keys.ts'
import type { SplitKeys } from '../split/split-keys.ts'
import type { Column } from './table-schema.ts'

/** A stored value that has to be opened. */
interface StoredCell {
  readonly column: Column
  readonly encoded: Buffer
  readonly record: ParsedRecord
}

/** Where keys come from. */
interface KeySources {
  readonly local?: LocalKeys
  readonly split?: SplitKeys
}

/** Candidates for the keys of stored values, whatever mode each is of. */
export class CellKeys {
  /** Of each value its candidates, or its position among those that were asked of the holders. */
  readonly #keys: readonly (readonly OpenCandidate[] | number)[]
  readonly #opened: OpenedKeys | undefined

  private constructor(keys: readonly (readonly OpenCandidate[] | number)[], opened: OpenedKeys | undefined) {
    this.#keys = keys
    this.#opened = opened
  }

  /** @throws ConfigError where a mode has no keys, and what `SplitKeys.open` throws */
  static async of(
    cells: readonly StoredCell[],
    { local, split }: KeySources,
    capability: string | undefined,
  ): Promise<CellKeys> {
    const ofSplit = cells.filter(({ record }) => record.mode === 'split')
    const [first] = ofSplit
    if (first !== undefined && split === undefined) throw noKeys(first.column, 'split')
    const opened = await split?.open(ofSplit, capability)
    let next = 0
    const keys = cells.map(({ column, encoded, record }) => {
      if (record.mode === 'split') return next++
      if (local === undefined) throw noKeys(column, 'local')
      return [{ recordKey: recordPrf(local.prf(record.epoch), encoded, record.salt), against: [] }]
    })
    return new CellKeys(keys, opened)
  }

  /** Candidates of the value at this position, the likely one first. */
  at(position: number): readonly OpenCandidate[] {
    const own = this.#keys[position] ?? []
    return typeof own === 'number' ? (this.#opened?.candidates[own] ?? []) : own
  }

  /** Asks the third holder too, once. True when candidates may be others now. */
  async askThird(): Promise<boolean> {
    return this.#opened !== undefined && (await this.#opened.askThird())
  }
}

/** The error where the vault was given no keys of a mode: of the column, or of a record in it. */
export function noKeys({ table, name, mode }: Column, wanted: Mode): ConfigError {
  return new ConfigError({
    place: `${table}.${name}`,
    problem:
      wanted === mode
        ? `is of mode ${mode}, but the vault has no keys for it`
        : `has values that were sealed in mode ${wanted}, and the vault has no keys for them`,
    hint: wanted === 'split' ? 'give `split`: the holders' : 'give `local`: a key file',
  })
}
