import type { Entry } from '@postern/audit'
import { timeText } from '@postern/core'
import { decisionLine } from './decision-line.ts'
import type { Output } from './output.ts'

/** An entry as programs read it. */
function entryJson({ index, tenant, number, event, personal, leafHash }: Entry): unknown {
  return { index, tenant, number, personal, leafHash, event }
}

/** Writes an entry: a line for people, an object a line with `--json`. */
export function writeEntry(output: Output, entry: Entry): void {
  const erased = entry.personal === 'erased' ? output.paint('dim', ' (personal part erased)') : ''
  const date = output.paint('dim', timeText(entry.event.time).slice(0, 10))
  output.line(`${String(entry.index).padStart(8)}  ${date} ${decisionLine(entry.event, output)}${erased}`)
  output.result(entryJson(entry))
}
