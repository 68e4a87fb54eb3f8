import { readFileSync } from 'node:fs'
import { ConfigError } from '@postern/core'
import { replaceSecretFile } from '@postern/store'

/** Changes one entry of an object in a JSON file, in place, at once or not at all. */
export function setJsonEntry(path: string, key: string, name: string, value: object): void {
  let json: unknown
  try {
    json = JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    throw new ConfigError({
      place: path,
      problem: 'cannot be read as JSON',
      hint: 'correct the file, or restore it from a backup',
    })
  }
  if (typeof json !== 'object' || json === null)
    throw new ConfigError({
      place: path,
      problem: 'is not an object',
      hint: 'correct the file, or restore it from a backup',
    })
  const object = json as Record<string, unknown>
  const before = typeof object[key] === 'object' && object[key] !== null ? object[key] : {}
  object[key] = { ...before, [name]: value }
  replaceSecretFile(path, `${JSON.stringify(object, undefined, 2)}\n`)
}

/** `host:port`. @throws ConfigError */
export function hostAndPort(text: string): { readonly host: string; readonly port: number } {
  const match = /^(.+):(\d{1,5})$/.exec(text)
  const port = Number(match?.[2])
  if (match === null || port < 1 || port > 65_535)
    throw new ConfigError({ place: 'address', problem: 'must be host:port, e.g. 10.0.0.7:9470' })
  return { host: match[1] ?? '', port }
}
