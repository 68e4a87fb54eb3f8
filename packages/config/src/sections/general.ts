import type { ByteSize, CidrSet, Mode } from '@postern/core'
import type { HeaderStyle } from '@postern/throttle'
import type { z } from 'zod'
import { key } from '../key.ts'
import { addressSet, byteSize, mode, oneOf, text } from '../types.ts'

/** `mode`. */
export const engineMode: z.ZodType<Mode, Mode | undefined> = key(mode, {
  description: '`observe` decides and logs, and blocks nothing: the way to start on a live system.',
  default: 'enforce',
  example: 'observe',
})

/** `trustProxies`. */
export const trustProxies: z.ZodType<CidrSet, readonly string[] | undefined> = key(addressSet, {
  description:
    'Proxies whose `X-Forwarded-For` and `Forwarded` are believed: addresses, ranges, `loopback`, `linklocal`, `private`.',
  default: [],
  defaultText: 'nobody',
  example: ['loopback', '10.0.0.0/8'],
})

/** `rateLimitHeaders`. */
export const rateLimitHeaders: z.ZodType<HeaderStyle, HeaderStyle | undefined> = key(
  oneOf('standard', 'legacy', 'both', 'none'),
  {
    description:
      'What answers say about limits: `RateLimit` and `RateLimit-Policy` (`standard`), `X-RateLimit-*` (`legacy`), `both` or `none`.',
    default: 'standard',
    example: 'both',
  },
)

/** `bodyLimit`. */
export const bodyLimit: z.ZodType<number, ByteSize | undefined> = key(byteSize, {
  description: 'Bytes of a body that rules may read.',
  default: '1mb',
  example: '4mb',
})

/** `dataDirectory`. */
export const dataDirectory: z.ZodType<string, string | undefined> = key(text, {
  description: 'Where everything durable is kept, relative to the configuration. One process at a time.',
  default: '.postern',
  example: '/var/lib/postern',
  applies: 'restart',
})
