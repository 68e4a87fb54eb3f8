import type { ReactNode } from 'react'
import type { ProofStep } from '../lib/merkle.ts'

const STEP = 58
const BOX = 104
const TALL = 24
const WIDTH = 420
const MIDDLE = WIDTH / 2
const ASIDE = 78

/**
 * An inclusion proof as a path: the entry at the bottom, at each step the hash that the proof gave beside
 * the one that
 * was made here, and the root at the top.
 */
export function ProofPicture({
  leaf,
  steps,
  isVerified,
}: {
  readonly leaf: string
  readonly steps: readonly ProofStep[]
  readonly isVerified: boolean
}): ReactNode {
  const height = steps.length * STEP + TALL + 12
  const levelY = (level: number): number => height - TALL - 6 - level * STEP
  // What was made here stands on the side it has in the tree, its sibling on the other; the root in the
  // middle.
  const sideOf = (level: number): number => {
    const step = steps[level]
    return step === undefined ? 0 : step.given === 'right' ? -1 : 1
  }
  const ownX = (level: number): number => MIDDLE + sideOf(level) * ASIDE
  return (
    <svg
      className={isVerified ? 'proof verified' : 'proof broken'}
      viewBox={`0 0 ${WIDTH} ${height}`}
      role="img"
      aria-label={`${steps.length} steps lead from the entry to the root; they ${isVerified ? 'verify' : 'do not verify'}`}
    >
      {steps.map((step, level) => {
        const beside = MIDDLE - sideOf(level) * ASIDE
        const top = `${ownX(level + 1)} ${levelY(level + 1) + TALL}`
        return (
          <g key={step.parent}>
            <path d={`M${beside} ${levelY(level)} L${top}`} className="given" />
            <path d={`M${ownX(level)} ${levelY(level)} L${top}`} />
            <Node
              x={beside}
              y={levelY(level)}
              hash={step.given === 'left' ? step.left : step.right}
              kind="given"
            />
          </g>
        )
      })}
      <Node x={ownX(0)} y={levelY(0)} hash={leaf} kind="made" label="entry" />
      {steps.map((step, level) => (
        <Node
          key={step.parent}
          x={ownX(level + 1)}
          y={levelY(level + 1)}
          hash={step.parent}
          kind="made"
          {...(level === steps.length - 1 && { label: 'root' })}
        />
      ))}
    </svg>
  )
}

function Node({
  x,
  y,
  hash,
  kind,
  label,
}: {
  readonly x: number
  readonly y: number
  readonly hash: string
  readonly kind: 'made' | 'given'
  readonly label?: string
}): ReactNode {
  return (
    <g className={`node ${kind}`}>
      <title>{hash}</title>
      <rect x={x - BOX / 2} y={y} width={BOX} height={TALL} rx="5" />
      <text x={x} y={y + 16}>
        {label === undefined ? hash.slice(0, 8) : `${label} ${hash.slice(0, 6)}`}
      </text>
    </g>
  )
}

/** Two sizes of one log: what was seen before is the beginning of what is there now. */
export function GrowthPicture({
  before,
  now,
  isVerified,
}: {
  readonly before: number
  readonly now: number
  readonly isVerified: boolean
}): ReactNode {
  const part = now === 0 ? 1 : Math.max(0.02, before / now)
  return (
    <svg
      className={isVerified ? 'growth verified' : 'growth broken'}
      viewBox="0 0 420 46"
      role="img"
      aria-label={`${before} entries then, ${now} now`}
    >
      <rect className="now" x="0" y="26" width="420" height="14" rx="3" />
      <rect className="then" x="0" y="26" width={420 * part} height="14" rx="3" />
      <text x="0" y="16">
        {before} when you last looked
      </text>
      <text x="420" y="16" textAnchor="end">
        {now} now
      </text>
    </svg>
  )
}
