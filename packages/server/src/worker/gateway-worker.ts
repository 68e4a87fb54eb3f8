// A worker thread of the gateway. It binds its port before it loads the code that answers there: connections
// wait meanwhile, and while the main thread opens and migrates the stores.

import { holdPort, workerLink } from '@postern/gateway/worker'
import type { WorkerPlan } from '../plan/worker-plan.ts'

const link = workerLink<WorkerPlan>()
const { host, port } = link.data
const held = await holdPort({ host, port, reusePort: link.reusePort })
const { runWorker } = await import('./run-worker.ts')
await runWorker(link, held)
