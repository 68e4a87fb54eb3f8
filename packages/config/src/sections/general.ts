import { type ByteSize, CidrSet, ConfigError, type Mode } from '@postern/core'
import type { HeaderStyle } from '@postern/throttle'
import * as z from 'zod/mini'
import { key, orOff, parsed } from '../key/key.ts'
import { MEMORY_ONLY } from '../key/memory-only.ts'
import { addressRange, addressSet, byteSize, mode, oneOf, text } from '../key/types.ts'

/** `mode`. */
export const engineMode: z.ZodMiniType<Mode, Mode | undefined> = key(mode, {
  description: '`observe` decides and logs everything and blocks nothing. Start with it on a live system.',
  default: 'enforce',
  example: 'observe',
})

/** `trustProxies`. */
export const trustProxies: z.ZodMiniType<CidrSet, string | readonly string[] | undefined> = key(
  z.union([addressSet, parsed(addressRange, undefined, entry => CidrSet.parse([entry]))]),
  {
    description:
      'Proxies whose `X-Forwarded-For` and `Forwarded` are trusted: addresses, ranges, `loopback`, `linklocal`, `private`, or a platform: `cloudflare`, `aws-alb`, `fly`, `render`, `vercel`, `heroku`, `nginx`. One or a list.',
    default: [],
    defaultText: 'nobody',
    example: ['loopback', '10.0.0.0/8'],
  },
)

/** `rateLimitHeaders`. */
export const rateLimitHeaders: z.ZodMiniType<HeaderStyle, HeaderStyle | undefined> = key(
  oneOf('standard', 'legacy', 'both', 'none'),
  {
    description:
      'Which limit headers responses carry: `RateLimit` and `RateLimit-Policy` (`standard`), `X-RateLimit-*` (`legacy`), `both` or `none`.',
    default: 'standard',
    example: 'both',
  },
)

/** `bodyLimit`. */
export const bodyLimit: z.ZodMiniType<number, ByteSize | undefined> = key(byteSize, {
  description: 'How much of a body rules may read.',
  default: '1mb',
  example: '4mb',
})

const orMemory: z.ZodMiniType<string, string | false> = parsed(orOff(text), undefined, value => {
  if (value === false) return MEMORY_ONLY
  return meantDirectory(value, '')
})

/**
 * A data directory as it was named.
 * @throws ConfigError for what would make a directory of an odd name, and keep everything there
 */
export function meantDirectory(value: string, place: string): string {
  if (value === ':memory:')
    throw new ConfigError({
      place,
      problem: 'is a name of SQLite, not of a directory',
      hint: 'write false if nothing can be written',
    })
  const problem = unmeantPath(value)
  if (problem === undefined) return value
  throw new ConfigError({ place, problem, hint: 'write the path of this machine in full' })
}

/** What is wrong with a path that is none of this machine. */
function unmeantPath(path: string): string | undefined {
  if (/^~(?:[/\\]|$)/.test(path)) return 'begins with ~, which only a shell replaces'
  if (/^[a-z][a-z\d+.-]+:\/\//i.test(path)) return 'is an address, not a directory'
  if (process.platform !== 'win32' && /^(?:[a-z]:[/\\]|\\\\)/i.test(path)) return 'is a path of Windows'
  return undefined
}

/** `dataDirectory`. */
export const dataDirectory: z.ZodMiniType<string, string | false | undefined> = key(orMemory, {
  description:
    'Where everything durable is kept, relative to the configuration, or `false` if nothing can be written: durable data is then in `stores`, or off. One process at a time.',
  default: '.postern',
  example: '/var/lib/postern',
  applies: 'restart',
})
