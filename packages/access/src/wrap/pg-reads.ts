import type { Acting } from '../budget/acting-as.ts'
import { budgetError, type ReadBudgetExceeded, RowBudgetExceeded } from '../budget/budget-refusal.ts'
import type { TableName } from '../budget/counted-budgets.ts'
import type { ReadBudgets } from '../read/read-budgets.ts'
import { columnSources, RowReader, textsIn } from '../read/row-reader.ts'
import type { TableNames } from '../read/table-names.ts'

/** Rows of a refused answer that are thrown away as they come; a longer one ends the connection. */
const MAX_DISCARDED = 10_000

/** What is used of pg's `Connection`. */
export interface AnswerWire {
  emit(event: string, message?: unknown): boolean
  readonly stream: { destroy?(): void }
}

/** One statement that was sent and is not answered yet. */
interface Reading {
  readonly acting: Acting
  readonly reader: RowReader
  /** Whether the caller sees the whole answer or nothing of it. */
  readonly isWhole: boolean
  isRefused: boolean
  discarded: number
}

/**
 * Counts the rows that one connection is sent, as they arrive, for whoever sent the statement: also what
 * cursors and streams read, and what RETURNING returns. Which table a column is from the database says in
 * front of the rows. What is over budget does not reach the caller: its statement fails instead.
 */
export class PgReads {
  readonly #budgets: ReadBudgets
  readonly #names: TableNames
  readonly #wire: AnswerWire
  readonly #report: (error: ReadBudgetExceeded, acting: Acting) => void
  readonly #sent: (Reading | undefined)[] = []
  #lastActing: Acting | undefined

  /** @param wire nothing but answers to statements may pass by its `emit` */
  constructor(
    wire: AnswerWire,
    budgets: ReadBudgets,
    names: TableNames,
    report: (error: ReadBudgetExceeded, acting: Acting) => void,
  ) {
    this.#budgets = budgets
    this.#names = names
    this.#wire = wire
    this.#report = report
    const emit = wire.emit.bind(wire)
    wire.emit = (event, message) => this.#hears(event, message, emit) || emit(event, message)
  }

  /**
   * Sends a statement.
   * @param acting who reads; undefined: nobody, and nothing is counted
   */
  around<T>(acting: Acting | undefined, answer: 'whole' | 'piecemeal', submit: () => T): T {
    this.#sent.push(
      acting === undefined
        ? undefined
        : {
            acting,
            reader: new RowReader(this.#budgets.charge(acting)),
            isWhole: answer === 'whole',
            isRefused: false,
            discarded: 0,
          },
    )
    this.#lastActing = acting ?? this.#lastActing
    const failed = submit()
    if (failed instanceof Error) this.#sent.pop()
    return failed
  }

  /** @returns whether the event is not to reach the caller */
  #hears(event: string, message: unknown, emit: AnswerWire['emit']): boolean {
    const reading = this.#sent[0]
    if (event === 'readyForQuery') {
      this.#sent.shift()
      return false
    }
    if (event === 'notification') return this.#isOverBy(message)
    if (reading === undefined) return false
    if (reading.isRefused) {
      if (event === 'dataRow' && ++reading.discarded === MAX_DISCARDED) this.#wire.stream.destroy?.()
      return IN_ANSWER.has(event)
    }
    if (event === 'rowDescription') {
      const sources = columnSources(
        fieldsOf(message).map(tableOf),
        id => this.#nameOf(id),
        id => this.#names.isLasting(id),
      )
      reading.reader.describe(sources)
    }
    const refusal = this.#refusalOf(event, message, reading)
    if (refusal === undefined) return false
    reading.isRefused = true
    if (reading.isWhole) reading.reader.giveBack()
    this.#report(refusal, reading.acting)
    emit('errorMessage', refusal)
    return true
  }

  /** Asked for whatever a budget is about: the tables that there are must be known. */
  #nameOf(id: number): TableName {
    const name = this.#names.of(id)
    return this.#budgets.needsNames ? name : ''
  }

  /**
   * A notification: its sender can put whatever it reads into it, and it can come between statements. It
   * counts for the actor that is reading on this connection, or was the last to.
   * @returns whether it is more than is left
   */
  #isOverBy(notification: unknown): boolean {
    const acting = this.#sent[0]?.acting ?? this.#lastActing
    const refusal = acting && this.#countSeen(notification, acting)
    if (acting === undefined || refusal === undefined) return false
    this.#report(refusal, acting)
    return true
  }

  /** What was seen is not given back when the rest of the answer is refused. */
  #countSeen(message: unknown, acting: Acting): ReadBudgetExceeded | undefined {
    return new RowReader(this.#budgets.charge(acting)).message(textsIn(message))
  }

  #refusalOf(event: string, message: unknown, { reader, acting }: Reading): ReadBudgetExceeded | undefined {
    switch (event) {
      case 'dataRow': {
        const fields = fieldsOf(message)
        return reader.row(place => lengthOf(fields[place]))
      }
      case 'errorMessage':
        // The refusal of a budget on changes says nothing of any row, and must be heard.
        return budgetError(message) instanceof RowBudgetExceeded
          ? undefined
          : this.#countSeen(message, acting)
      case 'notice':
        return this.#countSeen(message, acting)
      default:
        return undefined
    }
  }
}

/** What a refused answer is made of. */
const IN_ANSWER: ReadonlySet<string> = new Set([
  'rowDescription',
  'dataRow',
  'commandComplete',
  'portalSuspended',
  'emptyQuery',
  'errorMessage',
  'notice',
])

function fieldsOf(message: unknown): readonly unknown[] {
  const fields: unknown =
    typeof message === 'object' && message !== null && 'fields' in message ? message.fields : undefined
  return Array.isArray(fields) ? fields : []
}

function tableOf(field: unknown): number {
  return typeof field === 'object' && field !== null && 'tableID' in field ? Number(field.tableID) : 0
}

/** Text, or bytes where the caller asked for the binary format. */
function lengthOf(value: unknown): number {
  return typeof value === 'string' || value instanceof Uint8Array ? value.length : 0
}
