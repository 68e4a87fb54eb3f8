import type { PreviewResult, TrafficShare } from '@postern/console'
import type { Overrides } from '../worker-plan.ts'

/** What the thread of a preview starts from. */
export interface PreviewPlan {
  /** The file of the present configuration; undefined for the defaults. */
  readonly file: string | undefined
  readonly folder: string
  readonly overrides: Overrides
  /** Where the traffic is: the data directory, or the address of PostgreSQL. */
  readonly traffic: { readonly directory: string } | { readonly postgres: string }
  /** Path of the file whose other text this is. */
  readonly path: string
  readonly text: string
  /** Epoch milliseconds. */
  readonly from: number
  readonly share: TrafficShare
}

/** What it says. */
export type FromPreview =
  | { readonly kind: 'progress'; readonly done: number; readonly total: number }
  | { readonly kind: 'done'; readonly result: PreviewResult }
  | { readonly kind: 'failed'; readonly problem: string }
