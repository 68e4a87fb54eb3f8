import type { Json, RefusalLanguage } from '@postern/core'
import * as z from 'zod/mini'
import { key, section } from '../key/key.ts'
import { oneOf, text } from '../key/types.ts'

/** What refusals look like. */
export interface RefusalConfig {
  /**
   * A page of your own: a file with `{{title}}`, `{{explanation}}`, `{{detail}}`, `{{until}}`, `{{id}}`,
   * `{{status}}`, `{{language}}`, `{{direction}}` in it. Default: the page that is shipped.
   */
  readonly html?: string | undefined
  /**
   * The document that API clients get, with the same placeholders in its texts. Default: a problem document
   * (RFC 9457).
   */
  readonly json?: Readonly<Record<string, unknown>> | undefined
  /** Language of the page. Default: the one that the browser prefers, of those that are known. */
  readonly language?: RefusalLanguage | 'auto' | undefined
}

/** What refusals look like, unread. */
export interface CompiledRefusal {
  readonly html?: string
  readonly json?: Readonly<Record<string, Json>>
  readonly language: RefusalLanguage | 'auto'
}

const json: z.ZodMiniType<Readonly<Record<string, Json>>, Readonly<Record<string, unknown>>> = z.record(
  z.string(),
  z.json(),
)

/** `refusal`. */
export const refusal: z.ZodMiniType<CompiledRefusal, RefusalConfig | undefined> = key(
  section<CompiledRefusal, RefusalConfig>('RefusalConfig', () => ({
    html: key(text, {
      description:
        'A page of your own: a file with `{{title}}`, `{{explanation}}`, `{{detail}}`, `{{until}}`, `{{id}}`, `{{status}}`, `{{language}}`, `{{direction}}` in it.',
      defaultText: 'the page that is shipped',
      example: 'refused.html',
    }),
    json: key(json, {
      description: 'The document that API clients get, with the same placeholders in its texts.',
      defaultText: 'a problem document (RFC 9457)',
      example: { error: '{{title}}', status: '{{status}}', request: '{{id}}' },
    }),
    language: key(oneOf('auto', 'en', 'de', 'es', 'fr', 'ja', 'ar'), {
      description: 'Language of the page.',
      default: 'auto',
      defaultText: 'the one that the browser prefers, of those that are known',
      example: 'de',
    }),
  })),
  {
    description: 'What refusals look like: a page and a document of your own, and their language.',
    default: {},
    defaultText: 'a page in the language of the browser, and a problem document',
    example: { html: 'refused.html' },
  },
)
