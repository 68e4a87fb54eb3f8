import type { Clock, Event, EventRecorder, Json } from '@postern/core'

/**
 * Durability mode `before` around an act: durable intent, act, outcome. An outcome that
 * cannot be made durable does not undo the act: it is recorded with mode `after`, and
 * an intent without outcome stays visible.
 */
export async function actAround<T>(
  recorder: EventRecorder,
  clock: Clock,
  intent: Event,
  act: () => Promise<T>,
): Promise<T> {
  const { index } = await recorder.commit(phase(intent, 'intent', {}))
  const started = clock.monotonic()
  const outcome = async (ok: boolean, error?: string): Promise<void> => {
    const event = phase({ ...intent, time: clock.now() }, 'outcome', {
      intent: index.toString(),
      ok,
      duration: clock.monotonic() - started,
      ...(error !== undefined && { error }),
    })
    await recorder.commit(event).catch(() => recorder.record(event))
  }
  let result: T
  try {
    result = await act()
  } catch (error) {
    // The name only: messages may quote request data.
    await outcome(false, error instanceof Error ? error.name : 'unknown')
    throw error
  }
  await outcome(true)
  return result
}

function phase(event: Event, name: 'intent' | 'outcome', facts: { readonly [key: string]: Json }): Event {
  return { ...event, data: { ...event.data, phase: name, ...facts } }
}
