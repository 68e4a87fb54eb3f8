import * as z from 'zod/mini'
import { key, required, section } from '../key/key.ts'
import { text } from '../key/types.ts'

/** Where traces and metrics are sent. */
export interface TelemetryConfig {
  /**
   * Base address of a collector that takes OTLP over HTTP as JSON: `/v1/traces` and `/v1/metrics` are
   * appended.
   */
  readonly otlp: string
  /** Headers of each request, such as a collector's key. A secret: write `${NAME}`. Default: none. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** `service.name`, by which a collector tells services apart. Default: `postern`. */
  readonly service?: string | undefined
  /**
   * Share of the traces that begin here and are sent, from 0 to 1. Traces of refusals are always sent.
   * Default: `1`.
   */
  readonly sample?: number | undefined
}

/**
 * `telemetry` with its defaults: the address of an OTLP receiver, the headers sent to it, and the share of
 * traces, 0 to 1.
 */
export interface CompiledTelemetry {
  readonly otlp: string
  readonly headers: Readonly<Record<string, string>>
  readonly service: string
  readonly sample: number
}

const address: z.ZodMiniType<string, string> = z
  .string()
  .check(
    z.regex(
      /^https?:\/\/[^\s?#@]+$/,
      'must be an address such as http://127.0.0.1:4318, without query or password',
    ),
  )

/** `telemetry`. */
export const telemetry: z.ZodMiniType<CompiledTelemetry | undefined, TelemetryConfig | undefined> = key(
  section<CompiledTelemetry, TelemetryConfig>('TelemetryConfig', () => ({
    otlp: required(address, {
      description:
        'Base address of a collector that takes OTLP over HTTP as JSON: `/v1/traces` and `/v1/metrics` are appended.',
      example: 'http://127.0.0.1:4318',
    }),
    headers: key(z.record(z.string().check(z.regex(/^[\w-]{1,64}$/, 'must be the name of a header')), text), {
      description: "Headers of each request, such as a collector's key. A secret: write `${NAME}`.",
      default: {},
      defaultText: 'none',
      example: { 'x-key': '${OTLP_KEY}' },
    }),
    service: key(text, {
      description: '`service.name`, by which a collector tells services apart.',
      default: 'postern',
      example: 'shop-gateway',
    }),
    sample: key(z.number().check(z.minimum(0), z.maximum(1)), {
      description:
        'Share of the traces that begin here and are sent, from 0 to 1. Traces of refusals are always sent.',
      default: 1,
      example: 0.1,
    }),
  })),
  {
    description:
      'Sends OpenTelemetry traces and metrics to a collector. Gateway and forward-auth only; see [Metrics and alerts](metrics.md).',
    defaultText: 'off',
    example: { otlp: 'http://127.0.0.1:4318' },
    applies: 'restart',
  },
)
