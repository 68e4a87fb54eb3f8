// A worker that hands events over, is asked for more than it can hand over, and ends at once.
import { workerLink } from '@postern/gateway/worker'
import type { ToWorker } from '../src/plan/worker-plan.ts'
import { EventForwarder } from '../src/worker/event-forwarder.ts'

const link = workerLink<undefined>()
const forwarder = new EventForwarder(message => link.send(message), undefined, link.made)
const deny = (i: number): void => {
  forwarder.observe({ type: 'http', time: i, actor: {}, decision: 'deny' })
}
for (let i = 0; i < 3; i++) deny(i)
link.ready({
  reload: () => undefined,
  stop: async () => undefined,
  message: data => {
    if (data !== 'end') return forwarder.answer(data as ToWorker)
    for (let i = 0; i < 40; i++) deny(i)
    process.exit(3)
  },
})
