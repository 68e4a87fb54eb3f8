/**
 * Flags with which a process that a test starts runs the sources of the workspace as this one does, without
 * those that make a process a test file.
 */
export const SOURCE_FLAGS: readonly string[] = [
  '--conditions=@postern/source',
  '--disable-warning=ExperimentalWarning',
  ...process.execArgv.filter(flag => /^--import=.*\/quick-sources\.mjs(?:\?built)?$/.test(flag)),
]
