import {
  checkConfig,
  configOfText,
  describeException,
  type EditedConfig,
  editedConfig,
  type LoadedConfig,
  writeConfig,
} from '@postern/config'
import { ApiProblem, type ConsoleSettings } from '@postern/console'
import { ConfigError } from '@postern/core'
import type { PreviewInThread } from '../preview/preview-in-thread.ts'
import type { ConsoleSetup } from './console-setup.ts'
import type { SettingsHistory } from './settings-history.ts'
import { weakenedApprovals } from './weakened-approvals.ts'

/** What the page of settings reads and writes: a file, or a configuration that the application gave. */
export function settingsOf(
  { loaded, reload, configuration }: ConsoleSetup,
  history: SettingsHistory,
  preview: PreviewInThread,
): ConsoleSettings {
  if (configuration === 'code') return settingsInCode(loaded)
  return {
    describe: exception => describeException(exception, loaded().file),
    edited: exception => editedConfig(loaded(), exception),
    file: () => {
      const edited = editedConfig(loaded(), { changes: [] })
      return { path: edited?.path ?? loaded().file.path ?? '', text: edited?.before }
    },
    write: async (edited, operator) => {
      const after = checkConfig(configOfText(edited.path, edited.after), process.env)
      const weakened = weakenedApprovals(standing(edited, loaded()), after)
      if (weakened.length > 0)
        throw new ApiProblem(
          403,
          `${weakened.slice(0, 5).join(', ')}: what needs a second person's consent, and who may give it, is changed in the file on the machine of the gateway`,
        )
      writeConfig(edited, process.env)
      history.add({ operator, before: edited.before, after: edited.after })
      return reload()
    },
    history: () => history.list(),
    preview,
  }
}

/** What a change starts from: its file, or what is in force where there is no file or a broken one. */
function standing({ path, before }: EditedConfig, inForce: LoadedConfig): LoadedConfig {
  try {
    return before === '' ? inForce : checkConfig(configOfText(path, before), process.env)
  } catch {
    return inForce
  }
}

/** A configuration that the application gave: it is shown what would change, and changes it itself. */
function settingsInCode(loaded: ConsoleSetup['loaded']): ConsoleSettings {
  const refuse = (): never => {
    throw new ConfigError({
      place: 'configuration',
      problem: 'was given in code, and is not a file that could be changed here',
      hint: 'change it where postern({ config }) is called',
    })
  }
  return {
    describe: exception => describeException(exception, loaded().file),
    edited: () => undefined,
    file: () => ({ path: '', text: undefined }),
    write: refuse,
    history: () => [],
    preview: { start: refuse, state: () => ({ state: 'none' }), cancel: () => undefined },
  }
}
