import { z } from 'zod'
import { addressRange, duration } from './checks.ts'
import type { RemediationsConfig } from './config.ts'

const cloudflareId = z.string().regex(/^[0-9a-f]{32}$/, 'must be an id of Cloudflare: 32 hexadecimal digits')

/** What a configuration may say of standing measures. */
export const remediationsSchema: z.ZodType<RemediationsConfig> = z.strictObject({
  never: z.array(addressRange).optional(),
  nftables: z
    .union([
      z.boolean(),
      z.strictObject({
        table: z
          .string()
          .regex(/^[a-z_][a-z0-9_]{0,30}$/, 'must be lower-case letters, digits and "_"')
          .optional(),
      }),
    ])
    .optional(),
  cloudflare: z
    .strictObject({
      account: cloudflareId,
      list: cloudflareId,
      token: z.string().min(1),
      every: duration.optional(),
      capacity: z.int().min(1).optional(),
      api: z.url({ protocol: /^https?$/ }).optional(),
    })
    .optional(),
})
