/**
 * What the detectors of behaviour let anybody do within a span of milliseconds before they ask for a measure,
 * as they are by default: whoever stays within all of it is at most alerted about.
 */
export const BEHAVIOUR_BOUNDS: Readonly<
  Record<'refused' | 'changed' | 'bytes', { readonly span: number; readonly most: number }>
> = {
  /** Answers 401, 403 and 404: half of the steps of a walk through ids. */
  refused: { span: 600_000, most: 19 },
  /** Requests that change a record. */
  changed: { span: 3_600_000, most: 200 },
  /** Bytes of answers. */
  bytes: { span: 3_600_000, most: 209_715_200 },
}
