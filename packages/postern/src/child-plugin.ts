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
  hook: (asked: Asked, reply: object, done: () => void) => void,
) => void

/**
 * Looks, where the layer is registered inside of another plugin, for a request that does not pass it: hooks
 * hold for the routes of the same plugin and those inside of it, and for no others.
 * @param warn takes the sentence, once
 */
export function noticeChildPlugin<Instance extends object>(
  plugin: Plugin<Instance>,
  warn: (line: string) => void,
): Plugin<Instance> {
  const noticing: Plugin<Instance> = (instance, options, done) => {
    plugin(instance, options, done)
    const application = rootOf(instance)
    if (application === instance) return
    const passed = new WeakSet<object>()
    let isSaid = false
    addHookOf(instance)?.call(instance, 'onRequest', ({ raw }, _reply, next) => {
      if (!isSaid) passed.add(raw)
      next()
    })
    addHookOf(application)?.call(application, 'onResponse', ({ raw, method, routeOptions }, _reply, next) => {
      if (!isSaid && !passed.has(raw) && routeOptions?.url !== undefined) {
        isSaid = true
        warn(
          `not protected: ${method} ${routeOptions.url.slice(0, 60)}, for layer.fastify() was registered inside of a ` +
            'plugin; register it on the application itself, or wrap that plugin with fastify-plugin',
        )
      }
      next()
    })
  }
  // Its marks say to which instance its hooks belong.
  return Object.assign(noticing, plugin)
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
