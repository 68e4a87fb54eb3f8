/** A plugin of Fastify, as far as it is looked at here. */
type Plugin<Instance> = (instance: Instance, options: unknown, done: () => void) => void

/** What is asked of a request of Fastify. */
interface Asked {
  readonly raw: object
  readonly method?: string
  readonly routeOptions?: { readonly url?: string | undefined }
}

type AddHook = (
  this: object,
  name: string,
  hook: (asked: Asked, reply: { readonly statusCode?: number }, done: () => void) => void,
) => void

/** Requests that a layer has seen, by what Node gives for them, wherever it is registered. */
export type SeenRequests = WeakSet<object>

/**
 * Looks, where the layer is registered inside of another plugin, for a request that does not pass it: hooks
 * hold for the routes of the same plugin and those inside of it, and for no others.
 * @param seen one for all plugins of the same layer
 * @param warn takes the sentence, once
 */
export function noticeChildPlugin<Instance extends object>(
  plugin: Plugin<Instance>,
  seen: SeenRequests,
  warn: (line: string) => void,
): Plugin<Instance> {
  const noticing: Plugin<Instance> = (instance, options, done) => {
    const application = rootOf(instance)
    if (application !== instance) notice(instance, application, seen, warn)
    plugin(instance, options, done)
  }
  // Its marks say to which instance its hooks belong.
  return Object.assign(noticing, plugin)
}

function notice(
  instance: object,
  application: object,
  seen: SeenRequests,
  warn: (line: string) => void,
): void {
  let isSaid = false
  // Before the hook of the layer, which lets no refused request through to the next.
  addHookOf(instance)?.call(instance, 'onRequest', ({ raw }, _reply, next) => {
    seen.add(raw)
    next()
  })
  addHookOf(application)?.call(application, 'onResponse', ({ raw, method, routeOptions }, reply, next) => {
    // Other hooks of the application may have refused what has not come to the layer.
    const isServed = (reply.statusCode ?? 0) < 300
    if (!isSaid && isServed && !seen.has(raw) && routeOptions?.url !== undefined) {
      isSaid = true
      warn(
        `not protected: ${method} ${routeOptions.url.slice(0, 60)}, for layer.fastify() was registered inside of a ` +
          'plugin; register it on the application itself, or wrap that plugin with fastify-plugin',
      )
    }
    next()
  })
}

/** The application of an instance: Fastify derives the instance of a plugin from the one around it. */
function rootOf(instance: object): object {
  let at = instance
  for (;;) {
    const around: unknown = Object.getPrototypeOf(at)
    if (typeof around !== 'object' || around === null || addHookOf(around) === undefined) return at
    at = around
  }
}

function addHookOf(instance: object): AddHook | undefined {
  const found: unknown = Reflect.get(instance, 'addHook')
  return typeof found === 'function' ? (found as AddHook) : undefined
}
