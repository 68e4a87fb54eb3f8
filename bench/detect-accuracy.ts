import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from '../packages/inspect/src/inspect.ts'
import type { InspectedRequest } from '../packages/inspect/src/request/inspected-request.ts'
import { listedAttacks, placesOf } from './support/attack-lists.ts'
import { nativeWithRecommendedRules } from './support/detect-native.ts'
import { report } from './support/harness.ts'
import { writtenRequests } from './support/honest/written.ts'
import { honestDocuments } from './support/honest-documents.ts'
import { HONEST } from './support/honest-requests.ts'
import { shapesOf } from './support/honest-shapes.ts'
import { publicValues } from './support/public-lists.ts'

interface Line {
  readonly id: string
  readonly category: string
  readonly paranoia?: number
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly expect: 'block' | 'pass'
}

interface Tally {
  found: number
  attacks: number
  alarms: number
  benign: number
}

const root = process.env['POSTERN_CONFORMANCE'] ?? join(import.meta.dirname, '../../shared/conformance')
const SETS = ['gotestwaf', 'crs', 'httpparams', 'libinjection'] as const

/**
 * Of the CRS set: what its default paranoia finds, families 930 to 944. Its `pass` lines are
 * about single rules and say nothing here.
 */
function belongs(set: string, line: Line): boolean {
  if (set !== 'crs') return true
  const family = Number(/REQUEST-(\d+)/.exec(line.category)?.[1] ?? 0)
  return line.expect === 'block' && line.paranoia === 1 && family >= 930 && family <= 944
}

function requestOf(line: Line): InspectedRequest {
  return {
    method: line.method,
    target: line.path,
    headers: Object.entries(line.headers).flat(),
    ...(line.body === '' ? {} : { body: Buffer.from(line.body) }),
  }
}

function count(tally: Tally, expect: Line['expect'], refused: boolean): void {
  if (expect === 'block') {
    tally.attacks++
    if (refused) tally.found++
  } else {
    tally.benign++
    if (refused) tally.alarms++
  }
}

if (!existsSync(join(root, 'detect'))) {
  console.error(`The attack sets are not at ${root}/detect; set POSTERN_CONFORMANCE.`)
  process.exit(1)
}

const native = nativeWithRecommendedRules()
const ratios: Record<string, number> = {}
const figures: Record<string, number | string> = {}

console.log('set            ours: found  false alarms    native-appsec: found  false alarms')
for (const set of SETS) {
  const ours: Tally = { found: 0, attacks: 0, alarms: 0, benign: 0 }
  const theirs: Tally = { found: 0, attacks: 0, alarms: 0, benign: 0 }
  for (const text of readFileSync(join(root, 'detect', `${set}.jsonl`), 'utf8').split('\n')) {
    if (text === '') continue
    const line = JSON.parse(text) as Line
    if (!belongs(set, line)) continue
    const request = requestOf(line)
    count(ours, line.expect, inspect(request).verdict !== 'pass')
    count(theirs, line.expect, native(request).length > 0)
  }
  const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)
  ratios[`${set} tpr`] = share(ours.found, ours.attacks)
  ratios[`${set} fpr`] = share(ours.alarms, ours.benign)
  ratios[`${set} native tpr`] = share(theirs.found, theirs.attacks)
  ratios[`${set} native fpr`] = share(theirs.alarms, theirs.benign)
  figures[`${set} attacks`] = ours.attacks
  figures[`${set} benign`] = ours.benign
  const percent = (part: number, whole: number): string =>
    `${(100 * share(part, whole)).toFixed(2)} %`.padStart(10)
  console.log(
    `${set.padEnd(14)} ${percent(ours.found, ours.attacks)} ${percent(ours.alarms, ours.benign)}         ${percent(theirs.found, theirs.attacks)} ${percent(theirs.alarms, theirs.benign)}`,
  )
}

/**
 * Which half a text is in, by its hash: rules are tuned on the even half only, and
 * the odd half is what counts.
 */
function halfOf(...parts: readonly (string | Buffer)[]): 'tuned' | 'untouched' {
  const hash = createHash('md5')
  for (const part of parts) hash.update(part)
  return Number.parseInt(hash.digest('hex')[0] ?? '0', 16) % 2 === 0 ? 'tuned' : 'untouched'
}

const listed = new Map<string, Tally & { native: number }>()
for (const { set, list, half, request } of listedAttacks()) {
  for (const key of [`${set} (${list} list, ${half})`, `${set} (all lists, ${half})`]) {
    const tally = listed.get(key) ?? { found: 0, attacks: 0, alarms: 0, benign: 0, native: 0 }
    listed.set(key, tally)
    count(tally, 'block', inspect(request).verdict !== 'pass')
    if (native(request).length > 0) tally.native++
  }
}
console.log('\nour own lists of attacks                                      found   native-appsec')
for (const [name, { found, attacks, native: theirs }] of [...listed].sort(([a], [b]) => (a < b ? -1 : 1))) {
  ratios[`listed ${name}`] = found / attacks
  ratios[`listed ${name} native`] = theirs / attacks
  figures[`listed ${name} attacks`] = attacks
  const percent = (part: number): string => `${((100 * part) / attacks).toFixed(1)} %`.padStart(8)
  console.log(`${name.padEnd(58)} ${percent(found)} ${percent(theirs)} of ${attacks}`)
}

const published = new Map<string, Tally & { native: number; json: number }>()
for (const { set, half, value } of publicValues()) {
  const key = `${set} (${half})`
  const tally = published.get(key) ?? { found: 0, attacks: 0, alarms: 0, benign: 0, native: 0, json: 0 }
  published.set(key, tally)
  const { 'a query': query, JSON: json } = placesOf(value)
  if (query === undefined || json === undefined) continue
  count(tally, 'block', inspect(query).verdict !== 'pass')
  if (native(query).length > 0) tally.native++
  if (inspect(json).verdict !== 'pass') tally.json++
}
console.log(
  '\npublic lists (Debian: sqlmap, wfuzz)            in a query    in JSON   native-appsec, in a query',
)
if (published.size === 0) console.log('not installed')
for (const [name, { found, attacks, json, native: theirs }] of [...published].sort(([a], [b]) =>
  a < b ? -1 : 1,
)) {
  ratios[`public ${name}`] = found / attacks
  ratios[`public ${name} in JSON`] = json / attacks
  ratios[`public ${name} native`] = theirs / attacks
  figures[`public ${name} values`] = attacks
  console.log(
    `${name.padEnd(46)} ${`${found}`.padStart(8)} ${`${json}`.padStart(10)} ${`${theirs}`.padStart(10)} of ${attacks}`,
  )
}

console.log('\nhonest traffic          half        refused')
const honest = new Map<string, Tally>()
function countHonest(kind: string, half: string, request: InspectedRequest): void {
  const key = `${kind} (${half})`
  const tally = honest.get(key) ?? { found: 0, attacks: 0, alarms: 0, benign: 0 }
  honest.set(key, tally)
  count(tally, 'pass', inspect(request).verdict !== 'pass')
}
for (const { kind, method, path, headers, body } of HONEST) {
  const half = halfOf(`${method}${path}${JSON.stringify(headers)}`, body)
  countHonest(kind, half, {
    method,
    target: path,
    headers: Object.entries(headers).flat(),
    ...(body.length > 0 && { body: typeof body === 'string' ? Buffer.from(body) : body }),
  })
}
for (const { list, kind, half, method, path, headers, body } of writtenRequests()) {
  const request = {
    method,
    target: path,
    headers: Object.entries(headers).flat(),
    ...(body !== '' && { body: Buffer.from(body) }),
  }
  countHonest(`written down, ${kind}`, half, request)
  countHonest(`written down, ${list} list`, half, request)
}
for (const document of honestDocuments(join(import.meta.dirname, '..'))) {
  const half = halfOf(document.text)
  for (const { name, method, path, type, body } of shapesOf(document)) {
    const headers = ['content-type', type]
    const request = { method, target: path, headers, ...(body !== '' && { body: Buffer.from(body) }) }
    countHonest(`${document.kind}, ${name}`, half, request)
  }
}
for (const [name, { alarms, benign }] of [...honest].sort(([a], [b]) => (a < b ? -1 : 1))) {
  ratios[`honest ${name}`] = alarms / benign
  figures[`honest ${name} requests`] = benign
  console.log(`${name.padEnd(44)} ${alarms} of ${benign}`)
}

report({
  bench: 'detect-accuracy',
  ratios,
  figures,
  unequal: [
    'native-appsec gets query, cookies, form and JSON bodies parsed, other bodies as text; a frameworks plug-in may hand it more or less.',
    'native-appsec reports, it does not block; any event counts as a refusal here.',
    'honest traffic is generated by kind, and texts are what is on this disk: the kinds are ours, so expect more of kinds that nobody thought of.',
    'our own lists: the half named untouched was not looked at while rules were written; the hash of each attack decides.',
    'crs: only lines that the core rule set finds at paranoia 1, families 930 to 944.',
  ],
})
