import { beginInspection, inspect } from '../packages/inspect/src/inspect.ts'
import { nativeWithRecommendedRules } from './support/detect-native.ts'
import { REQUESTS } from './support/detect-requests.ts'
import { isQuick, quantile, report } from './support/harness.ts'

const ROUNDS = isQuick ? 6 : 60
const WORST_INPUT = 65_536
/** As the guard's, in milliseconds. */
const SLICE = 4
const GENERATIONS = isQuick ? 1 : 4
const SURVIVORS = 12

const native = nativeWithRecommendedRules()
const ratios: Record<string, number> = {}
const figures: Record<string, number> = {}

/** Microseconds of each call. */
function time(calls: number, work: () => void): number[] {
  const taken: number[] = []
  for (let i = 0; i < calls; i++) {
    const started = process.hrtime.bigint()
    work()
    taken.push(Number(process.hrtime.bigint() - started) / 1_000)
  }
  return taken
}

let sink = 0
/** Fixed work in the same process: how much the machine itself wavers. */
function control(): void {
  for (let i = 0; i < 5_000; i++) sink = (sink * 31 + i) | 0
}

for (const [name, request] of Object.entries(REQUESTS)) {
  const calls = name === 'form-64k' ? 15 : 400
  const ours: number[] = []
  const theirs: number[] = []
  const empty: number[] = []
  for (let round = -5; round < ROUNDS; round++) {
    const a = time(calls, () => inspect(request))
    const b = time(Math.max(4, calls / 8), () => native(request))
    const c = time(calls, control)
    if (round < 0) continue
    ours.push(...a)
    theirs.push(...b)
    empty.push(...c)
  }
  for (const [who, values] of [
    ['ours', ours],
    ['native', theirs],
    ['control', empty],
  ] as const) {
    figures[`${name} ${who} p50 us`] = Number(quantile(values, 0.5).toFixed(2))
    figures[`${name} ${who} p99 us`] = Number(quantile(values, 0.99).toFixed(2))
  }
  ratios[`${name} p50 native/ours`] = quantile(theirs, 0.5) / quantile(ours, 0.5)
  ratios[`${name} p99/p50`] = quantile(ours, 0.99) / quantile(ours, 0.5)
  ratios[`${name} control p99/p50`] = quantile(empty, 0.99) / quantile(empty, 0.5)
}

/** Inputs made to be slow: fragments that open what lexers and expressions look for, repeated and mixed. */
function* slowInputs(): Generator<string> {
  const fragments = [
    "'",
    '"',
    '`',
    '(',
    ')',
    '<',
    '<a ',
    '<a x=',
    '&#',
    '%25',
    '\\u',
    "' or ",
    'or 1=',
    'union select ',
    ';',
    ';cat ',
    '|',
    '$(',
    '${',
    '{{',
    '../',
    '/*',
    '--',
    'a=',
    '<!--',
    ' ',
    '\n',
    '\t',
    'A',
    '0',
    '((((',
    "'('",
    "or('",
    '[[',
    '$$$',
    '"on',
    ' on',
    'javascript',
    'x:',
    '`a`',
    '<x on',
    '{"a":',
    '[',
    'concat(',
    'select(',
    "'||'",
    "1,'",
    'YWFh',
    '\r\n',
  ]
  for (const fragment of fragments)
    yield fragment.repeat(Math.ceil(WORST_INPUT / fragment.length)).slice(0, WORST_INPUT)
  let seed = 12_345
  const next = (): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff
    return seed
  }
  for (let i = 0; i < (isQuick ? 12 : 60); i++) {
    const chosen = Array.from({ length: 2 + (next() % 6) }, () => fragments[next() % fragments.length] ?? '')
    let text = ''
    while (text.length < WORST_INPUT) text += chosen[next() % chosen.length]
    yield text.slice(0, WORST_INPUT)
  }
}

/** Milliseconds of CPU that this thread used: what others do on the machine is not counted. */
function cpu(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

interface Worst {
  milliseconds: number
  input: string
}
const worst: Worst = { milliseconds: 0, input: '' }
let longestSlice = 0

/** Inspects in slices, as the guard does. @returns milliseconds of CPU */
function timeSlices(request: Parameters<typeof inspect>[0]): number {
  const started = cpu()
  let slice = started
  const ongoing = beginInspection(request, {}, { milliseconds: SLICE, now: cpu })
  for (;;) {
    longestSlice = Math.max(longestSlice, cpu() - slice)
    slice = cpu()
    if (ongoing.advance(SLICE, cpu)) break
  }
  ongoing.finish()
  return cpu() - started
}

function tryBodies(text: string): number {
  let most = 0
  for (const [type, body] of [
    ['application/json', JSON.stringify({ text })],
    ['text/plain', text],
    ['application/xml', `<?xml version="1.0"?><a>${text}`],
    ['application/x-www-form-urlencoded', `a=${encodeURIComponent(text)}`.slice(0, text.length)],
  ] as const) {
    const request = { method: 'POST', target: '/', headers: ['content-type', type], body: Buffer.from(body) }
    const taken = timeSlices(request)
    most = Math.max(most, taken)
    if (taken <= worst.milliseconds) continue
    worst.milliseconds = taken
    worst.input = `${type} ${JSON.stringify(text.slice(0, 40))}`
  }
  return most
}

/** The slowest of the made-up inputs are crossed and changed, and the slowest of these again. */
let population = [...slowInputs()].map(text => ({ text, taken: tryBodies(text) }))
let draw = 99
for (let generation = 0; generation < GENERATIONS; generation++) {
  population = population.sort((a, b) => b.taken - a.taken).slice(0, SURVIVORS)
  const children = population.map(({ text }) => {
    draw = (Math.imul(draw, 1_103_515_245) + 12_345) & 0x7fffffff
    const other = population[draw % population.length]?.text ?? text
    const cut = (draw >> 8) % 64
    const unit = text.slice(0, cut + 1) + other.slice(0, 64 - cut)
    return unit.repeat(Math.ceil(WORST_INPUT / unit.length)).slice(0, WORST_INPUT)
  })
  population.push(...children.map(text => ({ text, taken: tryBodies(text) })))
}
const form: number[] = []
for (let i = 0; i < 15; i++) form.push(timeSlices(REQUESTS['form-64k']))
figures['worst 64 KB ms of CPU'] = Number(worst.milliseconds.toFixed(1))
ratios['worst_64k_vs_median'] = worst.milliseconds / quantile(form, 0.5)
console.log(`worst 64 KB: ${worst.input}: ${worst.milliseconds.toFixed(1)} ms of CPU`)

const slowest = population.sort((a, b) => b.taken - a.taken)[0]?.text ?? ''
worst.milliseconds = 0
const megabyte = tryBodies(slowest.repeat(16).slice(0, 1_000_000))
figures['worst 1 MB ms of CPU'] = Number(megabyte.toFixed(1))
ratios['worst_1m_vs_median_64k'] = megabyte / quantile(form, 0.5)
figures['longest slice ms of CPU'] = Number(longestSlice.toFixed(1))
console.log(`worst 1 MB: ${megabyte.toFixed(1)} ms of CPU; longest slice ${longestSlice.toFixed(1)} ms`)

report({
  bench: 'detect-cost',
  ratios,
  figures,
  unequal: [
    'native-appsec makes a context per request and gets the request parsed by us before it looks: parsing is part of its time here, as it is of ours.',
    'native-appsec reads strings to 4,096 characters only, so it sees a part of the 64 KB form.',
    'Header values that repeat are remembered as clean by ours.',
    'worst 64 KB and 1 MB: four content types over fragments repeated, mixed and crossed by how slow they were; CPU of the thread, unwarmed code included.',
  ],
})
