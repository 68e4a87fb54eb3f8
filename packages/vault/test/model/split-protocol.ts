import { HOLDERS, type HolderId, PARTS_OF, type Part } from '../../src/split/part.ts'
import type { Model } from './explore.ts'

/**
 * The split protocol as an adversary sees it who has the whole application: its
 * credentials, the database, and the recorded traffic of everything it ever sealed. Hashes
 * are symbols: equal only when their inputs are.
 */
export interface ProtocolOptions {
  /** A holder whose keys the adversary has too. */
  readonly corrupt?: HolderId
  /** Records stored before the adversary came. */
  readonly records: number
  /** What one holder counts, record versions. */
  readonly share: number
  /** Contributions he can get from each holder, besides those used for the stored records. */
  readonly nonces: number
  /** Whether he may ask to open. */
  readonly canOpen: boolean
  /** Ways of getting it wrong, to show that the checker notices. */
  readonly broken?:
    | 'client chooses the salt'
    | 'contributions work twice'
    | 'own contribution not checked'
    | 'budget not counted when sealing rights are used'
}

export interface ProtocolState {
  /** Per holder: contributions outstanding. */
  readonly outstanding: Readonly<Record<HolderId, readonly string[]>>
  /** Per holder: how many were handed out. */
  readonly issued: Readonly<Record<HolderId, number>>
  /** Per holder: record versions counted. */
  readonly counted: Readonly<Record<HolderId, readonly string[]>>
  /** Parts of inputs that the adversary has: `part input`. */
  readonly known: readonly string[]
}

export type ProtocolAction =
  | { readonly op: 'nonce'; readonly holder: HolderId }
  | {
      readonly op: 'seal'
      readonly holder: HolderId
      readonly row: number
      readonly nonces: Readonly<Partial<Record<HolderId, string>>>
      readonly salt?: string
    }
  | { readonly op: 'open'; readonly holder: HolderId; readonly row: number; readonly salt: string }

/** A salt as a symbol: equal exactly when place and contributions are. */
export function saltSymbol(row: number, nonces: Readonly<Partial<Record<HolderId, string>>>): string {
  return `H(${row};${HOLDERS.flatMap(id => (nonces[id] === undefined ? [] : [`${id}:${nonces[id]}`])).join(',')})`
}

/** Contributions with which the stored records were sealed: used up, and known to the adversary. */
function storedNonces(row: number): Readonly<Record<1 | 2, string>> {
  return { 1: `old1-${row}`, 2: `old2-${row}` }
}

export function storedSalt(row: number): string {
  return saltSymbol(row, storedNonces(row))
}

/** The protocol as a model. `bound`: how many stored records may be opened at most. */
export function splitProtocol(options: ProtocolOptions, bound: number): Model<ProtocolState, ProtocolAction> {
  const { corrupt, records, share, broken } = options
  const rows = Array.from({ length: records }, (_, row) => row)
  const honest = HOLDERS.filter(id => id !== corrupt)
  const free: readonly Part[] = corrupt === undefined ? [] : PARTS_OF[corrupt]

  function openedRows({ known }: ProtocolState): readonly number[] {
    return rows.filter(row =>
      (['a', 'b', 'c'] as const).every(
        part => free.includes(part) || known.includes(`${part} ${row} ${storedSalt(row)}`),
      ),
    )
  }

  /**
   * The answer of a holder: both its parts of one input. Only parts of stored
   * records matter to the adversary.
   */
  function learn(state: ProtocolState, holder: HolderId, row: number, salt: string): ProtocolState {
    if (salt !== storedSalt(row)) return state
    const known = new Set(state.known)
    for (const part of PARTS_OF[holder]) known.add(`${part} ${row} ${salt}`)
    return { ...state, known: [...known].sort() }
  }

  /** Contributions the adversary can put in: any he was given, any he saw, one he makes up, or none. */
  function choices(state: ProtocolState, id: HolderId): readonly (string | undefined)[] {
    const given = Array.from({ length: state.issued[id] }, (_, index) => `new${id}-${index}`)
    const seen = id === 3 ? [] : rows.map(row => storedNonces(row)[id])
    return [undefined, 'made-up', ...given, ...seen]
  }

  /** Every list of contributions that can be sent. */
  function lists(state: ProtocolState): readonly Readonly<Partial<Record<HolderId, string>>>[] {
    let made: readonly Readonly<Partial<Record<HolderId, string>>>[] = [{}]
    for (const id of HOLDERS) {
      const next = id === 3 && options.nonces === 0 ? [undefined] : choices(state, id)
      made = made.flatMap(list => next.map(nonce => (nonce === undefined ? list : { ...list, [id]: nonce })))
    }
    return made
  }

  return {
    initial: {
      outstanding: { 1: [], 2: [], 3: [] },
      issued: { 1: 0, 2: 0, 3: 0 },
      counted: { 1: [], 2: [], 3: [] },
      known: [],
    },
    *actions(state) {
      for (const holder of honest) {
        if (state.issued[holder] < options.nonces) yield { op: 'nonce', holder }
        for (const row of rows) {
          if (options.canOpen) yield { op: 'open', holder, row, salt: storedSalt(row) }
          for (const nonces of lists(state)) yield { op: 'seal', holder, row, nonces }
          if (broken === 'client chooses the salt')
            yield { op: 'seal', holder, row, nonces: {}, salt: storedSalt(row) }
        }
      }
    },
    step(state, action) {
      const { holder } = action
      if (action.op === 'nonce') {
        const nonce = `new${holder}-${state.issued[holder]}`
        return {
          ...state,
          issued: { ...state.issued, [holder]: state.issued[holder] + 1 },
          outstanding: { ...state.outstanding, [holder]: [...state.outstanding[holder], nonce] },
        }
      }
      if (action.op === 'open') {
        const record = `${action.row} ${action.salt}`
        const counted = state.counted[holder]
        if (!counted.includes(record) && counted.length >= share) return undefined
        const next = {
          ...state,
          counted: { ...state.counted, [holder]: [...new Set([...counted, record])].sort() },
        }
        return learn(
          broken === 'budget not counted when sealing rights are used' ? state : next,
          holder,
          action.row,
          action.salt,
        )
      }
      if (action.salt !== undefined) return learn(state, holder, action.row, action.salt)
      const own = action.nonces[holder]
      const isOutstanding = own !== undefined && state.outstanding[holder].includes(own)
      const wasUsed = own !== undefined && (own.startsWith('old') || own.startsWith('new'))
      const isTaken =
        broken === 'own contribution not checked' ||
        (broken === 'contributions work twice' ? wasUsed : isOutstanding)
      if (Object.keys(action.nonces).length < 2 || !isTaken) return undefined
      const outstanding = {
        ...state.outstanding,
        [holder]: state.outstanding[holder].filter(nonce => nonce !== own),
      }
      return learn({ ...state, outstanding }, holder, action.row, saltSymbol(action.row, action.nonces))
    },
    invariant(state) {
      const opened = openedRows(state)
      return opened.length <= bound ? undefined : `${opened.length} stored records are open, ${bound} may be`
    },
    key: state => JSON.stringify(state),
  }
}
