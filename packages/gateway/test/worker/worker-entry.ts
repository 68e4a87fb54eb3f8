import { Engine } from '@postern/core'
import { holdPort, startGateway, workerLink } from '../../src/index.ts'

interface Data {
  readonly upstream: string
  readonly port: number
  readonly counter: SharedArrayBuffer
}

/** Answers with the configuration's name and the worker's index, and counts across workers. */
function build(name: string, index: number, counter: Int32Array): Engine {
  if (name === 'broken') throw new Error('the configuration is broken')
  return new Engine({
    guards: [
      {
        name: 'count',
        failure: 'closed',
        decide: exchange => {
          Atomics.add(counter, 0, 1)
          exchange.reply('X-Config', name)
          exchange.reply('X-Worker', String(index))
          return { effect: 'allow' }
        },
      },
    ],
  })
}

const link = workerLink<Data>()
const counter = new Int32Array(link.data.counter)
const held = await holdPort({ port: link.data.port, reusePort: link.reusePort })
link.send({ holds: held.port })
await link.begun
const gateway = await startGateway({
  engine: build(String(link.reloaded?.data ?? 'first'), link.index, counter),
  upstream: link.data.upstream,
  listen: { port: link.data.port, held },
  underWay: link.underWay,
})
link.ready({
  reload: data => gateway.swap(build(String(data), link.index, counter)),
  stop: (grace, linger) => gateway.close({ grace, linger }),
  message: data => {
    if (data === 'crash')
      setImmediate(() => {
        throw new Error('crashed on purpose')
      })
    else if (data === 'vanish') process.exit(3)
    else if (data === 'stick') for (;;);
    else if (data === 'make') {
      link.made[0] = (link.made[0] ?? 0) + 7
      link.send({ arrived: 5 })
      process.exit(3)
    } else if (data === 'exhaust')
      for (const kept: unknown[] = []; ; ) kept.push(new Array(10_000).fill(kept))
    else link.send({ echo: data })
  },
})
