const STEP = /(?:^|[/\\])\.\.(?:[/\\]|$)|\u0000/

/**
 * Whether a value of the request makes a path leave its directory: it stands in the path and has a step
 * upwards or a NUL.
 */
export function escapesPath(path: string, value: string): boolean {
  return value.length >= 2 && STEP.test(value) && path.includes(value)
}
