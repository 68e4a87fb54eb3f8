// Decisions of one checkout, for the benchmark `compare`: `decisions-server.ts FOLDER`. Does a piece of work
// as often as its parent asks, and answers with the microseconds of CPU of each.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { REQUESTS } from './detect-requests.ts'

/** As much of a question about limits as is used here; older versions have the same. */
interface Question {
  refused: number
  clear(): unknown
  ask(limit: unknown, key: string, rule: unknown, cost: number): void
}

interface Throttle {
  memoryStore(options: { readonly slots: number }): { decide(question: Question): unknown }
  window(limit: number, span: string): unknown
}

const KEYS = 100_000

const [folder = ''] = process.argv.slice(2)

/** A module of the checkout, wherever that version keeps it. */
async function load<Module>(...files: readonly string[]): Promise<Module> {
  const file = files.map(name => join(folder, 'packages', name)).find(existsSync)
  if (file === undefined) throw new Error(`${folder} has none of ${files.join(', ')}`)
  return (await import(file)) as Module
}

const { inspect } = await load<{ inspect(request: object): { readonly verdict: string } }>(
  'inspect/src/inspect.ts',
  'detect/src/inspection/inspect.ts',
)
const throttle = await load<Throttle>('throttle/src/index.ts')
const { limitName, Question } = await load<{
  limitName(name: string): unknown
  Question: new () => Question
}>('throttle/src/limit/question.ts', 'throttle/src/question.ts')

function decisions(limit: number): (i: number) => void {
  const store = throttle.memoryStore({ slots: KEYS * 2 })
  const question = new Question()
  const name = limitName('bench')
  const rule = throttle.window(limit, '1m')
  const keys = Array.from({ length: KEYS }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)
  return i => {
    question.clear()
    question.ask(name, keys[(i * 7_919) % KEYS] as string, rule, 1)
    store.decide(question)
  }
}

/** Each does one operation. */
const WORK: Readonly<Record<string, (i: number) => void>> = {
  ...Object.fromEntries(
    Object.entries(REQUESTS).map(([name, request]) => [`inspect_${name}`, () => void inspect(request)]),
  ),
  throttle_admitted: decisions(60_000),
  throttle_refused: decisions(1),
}

process.on('message', ({ work, operations }: { readonly work: string; readonly operations: number }) => {
  const run = WORK[work]
  if (run === undefined) {
    process.send?.(Number.NaN)
    return
  }
  const before = process.cpuUsage()
  for (let i = 0; i < operations; i++) run(i)
  const { user, system } = process.cpuUsage(before)
  process.send?.((user + system) / operations)
})
process.on('disconnect', () => process.exit())
process.send?.(Object.keys(WORK))
