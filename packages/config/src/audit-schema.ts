import { z } from 'zod'
import { duration, syslogUrl } from './checks.ts'
import type { AuditConfig } from './config.ts'

const anchor = z.union([
  z.strictObject({ file: z.string().min(1) }),
  z.strictObject({ url: z.url(), authorization: z.string().min(1).optional() }),
])

const ship = z.union([
  z.strictObject({ syslog: syslogUrl, ca: z.string().min(1).optional() }),
  z
    .strictObject({
      webhook: z.url({ protocol: /^https?$/ }),
      secret: z.string().min(1).optional(),
      secretFile: z.string().min(1).optional(),
      format: z.enum(['ndjson', 'ocsf']).optional(),
    })
    .refine(
      ({ secret, secretFile }) => (secret === undefined) !== (secretFile === undefined),
      'needs secretFile or secret, one of them',
    ),
])

/** What a configuration may say of the log. */
export const auditSchema: z.ZodType<AuditConfig> = z
  .strictObject({
    origin: z
      .string()
      .regex(/^[^\s+]+$/, 'a name has neither spaces nor "+", e.g. shop.example.com/audit')
      .optional(),
    promise: z.enum(['before', 'after']).optional(),
    witnesses: z.array(z.strictObject({ url: z.url(), verifierKey: z.string().min(1) })).optional(),
    anchors: z.array(anchor).optional(),
    store: z.enum(['embedded', 'postgres']).optional(),
    signerKeys: z.array(z.string().min(1)).min(1).optional(),
    retention: duration.optional(),
    forgetAnonymousAfter: duration.optional(),
    ship: z.array(ship).max(16).optional(),
    required: z.boolean().optional(),
  })
  .superRefine((audit, context) => {
    const complain = (key: string, message: string, mend: string): void =>
      context.addIssue({ code: 'custom', path: [key], message, params: { mend } })
    if (audit.store !== 'postgres') {
      if (audit.signerKeys !== undefined)
        complain('signerKeys', 'are for a log in PostgreSQL', 'set store: "postgres", or remove them')
      return
    }
    if (audit.origin === undefined)
      complain(
        'origin',
        'is missing: instances must agree on its name',
        'e.g. origin: shop.example.com/audit',
      )
    if (audit.signerKeys === undefined)
      complain(
        'signerKeys',
        'are missing: every instance signs with the same key',
        'make one with postern audit key NAME, and take it from the environment',
      )
  })
