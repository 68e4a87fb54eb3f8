/** A transition system small enough to look at whole. */
export interface Model<State, Action> {
  readonly initial: State
  /** Everything that can happen next. Exhaustive: what is not listed cannot happen. */
  actions(state: State): Iterable<Action>
  /** What follows; undefined when the action is refused and changes nothing. */
  step(state: State, action: Action): State | undefined
  /** What must hold in every state; a sentence when it does not. */
  invariant(state: State): string | undefined
  /** One text per state; states that behave alike may share it. */
  key(state: State): string
}

/** What exploring found. */
export interface Exploration<Action> {
  readonly states: number
  /** The shortest way to a state in which the invariant does not hold. */
  readonly violation?: { readonly sentence: string; readonly trace: readonly Action[] }
}

interface Step<State, Action> {
  readonly state: State
  readonly action: Action | undefined
  readonly from: Step<State, Action> | undefined
}

function traceTo<State, Action>(end: Step<State, Action>): readonly Action[] {
  const trace: Action[] = []
  for (let step: Step<State, Action> | undefined = end; step?.action !== undefined; step = step.from)
    trace.unshift(step.action)
  return trace
}

/**
 * Visits every reachable state, breadth first. @throws RangeError beyond `most`
 * states: the model is too large
 */
export function explore<State, Action>(model: Model<State, Action>, most = 2_000_000): Exploration<Action> {
  const seen = new Set([model.key(model.initial)])
  let frontier: Step<State, Action>[] = [{ state: model.initial, action: undefined, from: undefined }]
  while (frontier.length > 0) {
    const next: Step<State, Action>[] = []
    for (const at of frontier) {
      const sentence = model.invariant(at.state)
      if (sentence !== undefined) return { states: seen.size, violation: { sentence, trace: traceTo(at) } }
      for (const action of model.actions(at.state)) {
        const state = model.step(at.state, action)
        if (state === undefined) continue
        const key = model.key(state)
        if (seen.has(key)) continue
        seen.add(key)
        if (seen.size > most) throw new RangeError(`more than ${most} states`)
        next.push({ state, action, from: at })
      }
    }
    frontier = next
  }
  return { states: seen.size }
}
