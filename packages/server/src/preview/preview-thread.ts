// The thread of a preview: requests go on meanwhile.

import { once } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import { checkConfig, configOfText, loadConfig } from '@postern/config'
import { PostgresTraffic, SqliteTraffic, type TrafficStore } from '@postern/console'
import { connectPostgres } from '@postern/store'
import { overridden } from '../plan/overridden.ts'
import type { Gathered } from './gathered.ts'
import type { FromPreview, PreviewPlan } from './preview-plan.ts'
import { previewRun } from './preview-run.ts'
import { withoutHistory } from './without-history.ts'

const { file, folder, overrides, traffic: place, path, text, from, share } = workerData as PreviewPlan
const MAX_PROBLEM = 2_000

const send = (message: FromPreview): void => parentPort?.postMessage(message)

/** Waits for the other threads; a preview that is cancelled ends this one. */
async function meet(own: Gathered): Promise<Gathered> {
  if (parentPort === null) return own
  const answer = once(parentPort, 'message')
  send({ kind: 'gathered', gathered: own })
  const [all] = (await answer) as [Gathered]
  return all
}

async function run(): Promise<void> {
  const present = await loadConfig({ path: file, folder, environment: process.env })
  const other = checkConfig(configOfText(path, text), process.env)
  const previewed = (loaded: typeof present): typeof present =>
    overridden({ ...loaded, written: withoutHistory(loaded.written) }, overrides, process.env)
  const { traffic, close } = openStored(place)
  try {
    const result = await previewRun({
      traffic,
      before: previewed(present),
      after: previewed(other),
      from,
      share,
      meet,
      onProgress: (done, total) => send({ kind: 'progress', done, total }),
    })
    send({ kind: 'done', result })
  } finally {
    await close()
  }
}

/** What is wrong may quote a text of any length. */
function cut(problem: string): string {
  return problem.length <= MAX_PROBLEM ? problem : `${problem.slice(0, MAX_PROBLEM)}…`
}

/** The kept traffic, to be read only: nothing in it is too old or too much here. */
function openStored(place: PreviewPlan['traffic']): {
  readonly traffic: TrafficStore
  close(): Promise<void>
} {
  const unbounded = { keep: Number.MAX_SAFE_INTEGER, maxSize: Number.MAX_SAFE_INTEGER }
  if ('directory' in place) {
    const traffic = SqliteTraffic.open({ directory: place.directory, ...unbounded })
    return { traffic, close: () => traffic.close() }
  }
  const database = connectPostgres({ url: place.postgres, max: 2, statementTimeout: '30s' })
  const traffic = new PostgresTraffic({ database, instance: '', ...unbounded })
  return { traffic, close: () => database.close() }
}

run().catch((error: unknown) =>
  send({ kind: 'failed', problem: error instanceof Error ? cut(error.message) : 'this failed' }),
)
