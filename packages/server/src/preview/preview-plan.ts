import type { PageShare, PreviewResult } from '@postern/console'
import type { Overrides } from '../plan/worker-plan.ts'
import type { Gathered } from './gathered.ts'

/** One of several threads that share a preview: a part of the pages, and a part of the actors; 1 to 256. */
export type ActorShare = PageShare

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
  readonly share: ActorShare
}

/** What it says. */
export type FromPreview =
  | { readonly kind: 'progress'; readonly done: number; readonly total: number }
  | { readonly kind: 'gathered'; readonly gathered: Gathered }
  | { readonly kind: 'done'; readonly result: PreviewResult }
  | { readonly kind: 'failed'; readonly problem: string }
