// `npm run test:kill -- --runs 1000`: the long form of the kill suite and of
// the power-cut model of the audit log.
import { parseArgs } from 'node:util'
import { killSuite } from '../packages/audit/test/support/kill-suite.ts'
import { seeded } from '../packages/audit/test/support/power-cut-files.ts'
import { powerCutLife } from '../packages/audit/test/support/power-cut-suite.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    cuts: { type: 'string' },
  },
})
const runs = Number(values.runs)
const seed = Number(values.seed)
const lives = Number(values.cuts ?? Math.max(10, Math.round(runs / 8)))
if (!Number.isSafeInteger(runs) || runs < 1 || !Number.isSafeInteger(seed) || !Number.isSafeInteger(lives)) {
  console.error('usage: npm run test:kill -- [--runs KILLS] [--cuts LIVES] [--seed NUMBER]')
  process.exit(2)
}

const LANES = 2
const perLane = Math.ceil(runs / LANES)
const lanes = await Promise.all(
  Array.from({ length: LANES }, (_, lane) =>
    killSuite(Math.min(perLane, runs - lane * perLane), seeded(seed + lane), done => {
      if (lane === 0) console.log(`about ${Math.min(runs, done * LANES)} of ${runs} kills`)
    }),
  ),
)
const sum = (key: 'kills' | 'acknowledged' | 'checkpoints'): number =>
  lanes.reduce((total, lane) => total + lane[key], 0)
console.log(
  `${sum('kills')} kills: ${sum('acknowledged')} acknowledged events all there, ${sum('checkpoints')} checkpoints all consistent, no index used twice`,
)

let acknowledged = 0
for (let life = 0; life < lives; life++) {
  acknowledged += (await powerCutLife(seed * 100_000 + life, 8)).acknowledged
  if (life % 25 === 24) console.log(`${(life + 1) * 7} of ${lives * 7} power cuts`)
}
console.log(`${lives * 7} power cuts: ${acknowledged} acknowledged events all there`)
