import { readdirSync, readFileSync } from 'node:fs'
import { median } from './harness.ts'

/** Pages of one kind before those of the other. */
const BLOCK = 25

/** One kind of page, and the processes that answer it. */
export interface WorkOfPages {
  readonly name: string
  /** Opens one page. */
  readonly open: (index: number) => Promise<unknown>
  /** Processes that answer; two of them answer a page. */
  readonly pids: readonly number[]
}

/** What one block of pages took, milliseconds of the processor a page. */
interface Work {
  /** The thread that opens, and the others of its process: the collector and the compiler. */
  readonly client: number
  readonly clientThreads: number
  /** Of one holder that answers: the thread that answers, and the others (its disk and its log). */
  readonly holder: number
  readonly holderThreads: number
}

const SIDES = [
  ['client', 'client'],
  ['clientThreads', 'client, other threads'],
  ['holder', 'a holder'],
  ['holderThreads', 'a holder, other threads'],
] as const

/**
 * Time of the processor that a page takes on either side, all kinds in turn in blocks of 25. Time of the
 * processor does not count what others do meanwhile, so that a busy machine says nearly the same as a quiet
 * one. Reads `/proc`; empty where there is none.
 */
export async function workOfPages(
  kinds: readonly WorkOfPages[],
  pages: number,
): Promise<Readonly<Record<string, number>>> {
  if (threadsOf(process.pid) === undefined) return {}
  const samples = kinds.map(() => [] as Work[])
  for (let first = 0; first < pages; first += BLOCK)
    for (const [index, kind] of kinds.entries()) {
      const count = Math.min(BLOCK, pages - first)
      const before = usedBy(kind.pids)
      for (let page = first; page < first + count; page++) await kind.open(page)
      // What a holder does after its last answer belongs to it.
      await new Promise(resolve => setTimeout(resolve, 50))
      const after = usedBy(kind.pids)
      const [client, clientThreads, holders, holderThreads] = after.map(
        (used, at) => used - (before[at] ?? 0),
      )
      samples[index]?.push({
        client: (client ?? 0) / count,
        clientThreads: (clientThreads ?? 0) / count,
        holder: (holders ?? 0) / count / 2,
        holderThreads: (holderThreads ?? 0) / count / 2,
      })
    }
  const figures: Record<string, number> = {}
  for (const [index, { name }] of kinds.entries())
    for (const [side, label] of SIDES)
      figures[`work.${name}.${label}.ms`] = round(median((samples[index] ?? []).map(work => work[side])))
  return figures
}

/** Milliseconds used so far: by this process's first thread, its others, and those of the given processes. */
function usedBy(pids: readonly number[]): readonly number[] {
  const own = threadsOf(process.pid) ?? { first: 0, others: 0 }
  let first = 0
  let others = 0
  for (const pid of pids) {
    const used = threadsOf(pid)
    first += used?.first ?? 0
    others += used?.others ?? 0
  }
  return [own.first, own.others, first, others]
}

function threadsOf(pid: number): { readonly first: number; readonly others: number } | undefined {
  try {
    let first = 0
    let others = 0
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const used = Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6
      if (thread === `${pid}`) first += used
      else others += used
    }
    return { first, others }
  } catch {
    return undefined
  }
}

function round(value: number): number {
  return Number(value.toFixed(3))
}
