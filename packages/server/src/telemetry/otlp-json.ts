/** A value in OTLP's JSON (opentelemetry-proto, `common/v1`): 64-bit numbers are texts. */
export type OtlpValue =
  | { readonly stringValue: string }
  | { readonly intValue: string }
  | { readonly boolValue: boolean }

export interface OtlpAttribute {
  readonly key: string
  readonly value: OtlpValue
}

/** What a span or a point says of itself; undefined values are left out. */
export function otlpAttributes(
  values: Readonly<Record<string, string | number | boolean | undefined>>,
): readonly OtlpAttribute[] {
  return Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: otlpValue(value) }],
  )
}

function otlpValue(value: string | number | boolean): OtlpValue {
  if (typeof value === 'string') return { stringValue: value }
  return typeof value === 'boolean' ? { boolValue: value } : { intValue: String(Math.round(value)) }
}

/** Epoch milliseconds as nanoseconds: `fixed64`, in JSON a text. */
export function nanoseconds(milliseconds: number): string {
  const whole = Math.floor(milliseconds)
  return String(BigInt(whole) * 1_000_000n + BigInt(Math.round((milliseconds - whole) * 1e6)))
}

/** Who sends it. */
export interface OtlpSource {
  readonly service: string
  readonly instance: string
  readonly version: string
}

/** `resource` and `scope` of everything that is sent. */
export function otlpOrigin({ service, instance, version }: OtlpSource): {
  readonly resource: { readonly attributes: readonly OtlpAttribute[] }
  readonly scope: { readonly name: string; readonly version: string }
} {
  return {
    resource: {
      attributes: otlpAttributes({
        'service.name': service,
        'service.instance.id': instance,
        'service.version': version,
      }),
    },
    scope: { name: 'postern', version },
  }
}
