// Appends to a log until it is killed, and writes down what was acknowledged: a line `index id` for
// each, in a file that outlives the kill.
import { openSync, writeSync } from 'node:fs'
import { openAuditLog } from '../../src/index.ts'
import { requestEvent } from './events.ts'

const [directory = '', run = '0', acknowledgements = ''] = process.argv.slice(2)
const log = await openAuditLog({
  directory,
  origin: 'kill.example/audit',
  segmentSize: '32kb',
  publishInterval: '10ms',
})
const file = openSync(acknowledgements, 'w')
writeSync(1, `open ${log.counts().durable}\n`)
let number = 0

async function worker(): Promise<never> {
  for (;;) {
    const id = `${run}-${number++}`
    log.record(requestEvent(number))
    const event = requestEvent(number, { data: { id } })
    const { index } = await log.commit(event)
    // Written before anything else happens: what the parent reads was acknowledged.
    writeSync(file, `${index} ${id}\n`)
  }
}

await Promise.all(Array.from({ length: 16 }, worker))
